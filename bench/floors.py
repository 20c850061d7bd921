"""The scripts of the floor: what the hub does, by itself, and what it could be made of."""

import re
from typing import Final

from bench.statements import Captured, Script, Statement, to_script, to_text
from customerhub.store.queries import load_queries

QUERIES: Final = load_queries("floors.sql", "bench")
_ASSIGNMENT: Final = re.compile(r"\b(\w+) = \$(\d+)")
# What ends the hub's write (store/customers.sql, `key_piece`).
_KEPT: Final = ("key", "fingerprint", "status", "headers", "body")
_KEPT_TYPES: Final = ("text", "bytea", "int2", "jsonb", "bytea")
_CHANGES: Final = 10


def to_scripts(captured: Captured, stride: int, places: range) -> dict[str, Script]:
    """By workload: the update as the hub does it, one column of a row, the row, and the update in eight statements."""
    update = to_script(captured, stride, places)
    variables = _to_variables(captured)
    drawn = update.text.splitlines(keepends=True)[:2]
    return {"update-nested": update} | {
        name: Script("".join(drawn) + QUERIES[query] + ";\n", variables)
        for name, query in (("select", "select_row"), ("bare-update", "bare_update"), ("eight", "eight_statements"))
    }


def _to_variables(captured: Captured) -> dict[str, str]:
    """Values of the captured write by name, as text."""
    read, write = captured.statements
    if write.types[-len(_KEPT) :] != _KEPT_TYPES:
        raise ValueError(write.text)
    team, credential, _, dialect, _ = (to_text(value, "text") for value in read.values)
    kept = dict(zip(_KEPT, range(len(write.values) - len(_KEPT), len(write.values)), strict=True))
    assigned = {name: int(place) - 1 for name, place in _ASSIGNMENT.findall(write.text)}
    places = {"changes": _CHANGES - 1, "display_name": assigned["display_name"], **kept}
    del places["key"]
    return {"team": team, "credential": credential, "dialect": dialect} | {
        name: _value_at(write, place) for name, place in places.items()
    }


def _value_at(write: Statement, place: int) -> str:
    return to_text(write.values[place], write.types[place])
