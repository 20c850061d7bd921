"""For every phrase of the table's last column: values that break it, with the place named, and values that fit."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

from customerhub.dialects.wizcommerce.tests.field_benches import Bench
from tests.support.world import Json

ASTRAL = "\N{GRINNING FACE}"


class Bad(NamedTuple):
    """A value that must be refused; `at` is the place within the field, `also` other members of the request."""

    value: object
    at: str = ""
    also: Json | None = None


class Good(NamedTuple):
    """A value that must be accepted, and how it is read back where that differs."""

    value: object
    shown: Any = None

    @property
    def expected(self) -> Any:
        """What is read back."""
        return self.value if self.shown is None else self.shown


def to_text(low: int, high: int) -> tuple[list[Bad], list[Good]]:
    """Text of some length in characters, not in bytes or UTF-16 units."""
    bad = [Bad("x" * (high + 1)), Bad(ASTRAL * (high + 1)), Bad(5), Bad(value=True), Bad({})]
    bad += [Bad("   "), Bad("\t\n")] if low else []
    return bad, [Good("x" * high), Good(ASTRAL * high), Good(" x ")]


def to_choice(names: list[str]) -> tuple[list[Bad], list[Good]]:
    """One of a few words, in exactly this spelling."""
    return [Bad("other"), Bad(names[0].upper()), Bad(5), Bad(f" {names[0]}")], [Good(name) for name in names]


FIXED: dict[str, tuple[list[Bad], list[Good]]] = {
    "text": ([Bad(5), Bad(value=False), Bad({})], [Good("x" * 300), Good("   "), Good(ASTRAL)]),
    "E.164": (
        [
            Bad(v)
            for v in (
                "22334455",
                "+0123",
                "+1234567890123456",
                "+47 22334455",
                " +4722",
                "+",
                "+4\N{FULLWIDTH DIGIT SEVEN}",
                4722,
            )
        ],
        [Good("+4722334455"), Good("+12"), Good("+123456789012345")],
    ),
    "email address": (
        [Bad(v) for v in ("x", "a@b", "a@@b.example", "a b@c.example", f"{'x' * 64}@{'y.' * 100}example", "   ", 5)],
        [
            Good("Ola.Nordmann+x@Example.test"),
            Good(" ola@nordmann.local ", "ola@nordmann.local"),
            Good(f"{'x' * 64}@{'y.' * 90}example"),
        ],
    ),
    "country code": (
        [Bad("NOR"), Bad("XX"), Bad("N"), Bad(" NO"), Bad("578"), Bad(47)],
        [Good("SE"), Good("no", "NO")],
    ),
    "`true` or `false`": ([Bad("true"), Bad(1), Bad(0), Bad({})], [Good(value=True), Good(value=False)]),
    "whole number of 32 bits": (
        [Bad("1"), Bad(1.5), Bad(2**31), Bad(-(2**31) - 1), Bad(value=True)],
        [Good(2**31 - 1), Good(-(2**31)), Good(0)],
    ),
    "object of configuration": ([Bad("x"), Bad([{}]), Bad(5)], []),
    # What fits which type is in test_contract_attributes; here one that none fits.
    "a value that fits `data_type`": ([Bad("x", also={"data_type": "number"})], []),
    "one at least for `select` and `multi_select`": (
        [Bad([], also={"data_type": kind}) for kind in ("select", "multi_select")],
        [],
    ),
    "one at least": ([Bad([])], []),
    "every member without a row": ([], []),
}


def to_cases(phrase: str, name: str, bench: Bench) -> tuple[list[Bad], list[Good]]:
    """The cases of a phrase for one field; raises KeyError for a phrase that nobody knows."""
    if phrase in FIXED:
        return FIXED[phrase]
    if length := re.fullmatch(r"(?:text|name) of (1 to|at most) (\d+)", phrase):
        bad, good = to_text(int(length[1] == "1 to"), int(length[2]))
        # A name leads to an entry of the catalogue, whose names have no blanks around them.
        is_name = phrase.startswith("name")
        return (bad + [Bad("  ")] * is_name, [Good(g.value, str(g.value).strip()) for g in good] if is_name else good)
    if phrase.startswith("array of "):
        return [Bad({}), Bad("x"), Bad([5], "[0]"), Bad([None], "[0]"), Bad([[]], "[0]")], []
    if phrase.startswith("unique ") or phrase == "once":
        return [Bad(bench.taken[name])], []
    if phrase.startswith("id"):
        return IDS[phrase](bench)
    names = re.findall(r"`(\w+)`", phrase)
    if re.fullmatch(r"(`\w+` )+or `\w+`", phrase):
        return to_choice(names)
    raise KeyError(phrase)


def _sales_reps(bench: Bench) -> tuple[list[Bad], list[Good]]:
    first, second = bench.world.reps[:2]
    bad = [Bad([first, rep], "[1]") for rep in (str(uuid4()), "x", "", 5, None, bench.world.reps[2])]
    return [*bad, Bad(first)], [Good([second]), Good([second.upper(), first, second], [second, first])]


def _price_list(bench: Bench) -> tuple[list[Bad], list[Good]]:
    lists = bench.world.price_lists
    bad = [Bad(value) for value in (str(uuid4()), "x", 5, bench.world.reps[0], lists[2])]
    return bad, [Good(lists[0]), Good(lists[1].upper(), lists[1])]


def _nested(member: str, kind: str | None = None) -> Callable[[Bench], tuple[list[Bad], list[Good]]]:
    def cases(bench: Bench) -> tuple[list[Bad], list[Good]]:
        bad = [Bad(value) for value in (str(uuid4()), "x", 5, bench.taken[member])]
        own = bench.before.get(member, [])
        bad += [Bad(item["id"]) for item in own if kind is not None and item["type"] != kind]
        return bad, [Good(item["id"]) for item in own if kind is None or item["type"] == kind]

    return cases


IDS: dict[str, Callable[[Bench], tuple[list[Bad], list[Good]]]] = {
    "ids of active sales reps": _sales_reps,
    "id of an active price list": _price_list,
    "id of an address of this customer": _nested("addresses"),
    "id of a billing address of this customer": _nested("addresses", "billing"),
    "id of a shipping address of this customer": _nested("addresses", "shipping"),
    "id of a contact of this customer": _nested("contacts"),
}
