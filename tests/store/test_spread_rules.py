"""What else spreading teams over machines asks of the schema and of the statements (docs/scale.md)."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

import customerhub
from customerhub.core.hub import Hub
from customerhub.store.queries import load_queries
from customerhub.store.spread import list_tables
from tests.support.spread import LET_GO, REFUSED, statements

REFERENCES = """
select c.conname::text, t.relname::text, r.relname::text,
    array(select a.attname::text from unnest(c.conkey) with ordinality as k (number, place)
        join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.number order by k.place),
    array(select a.attname::text from unnest(c.confkey) with ordinality as k (number, place)
        join pg_attribute a on a.attrelid = c.confrelid and a.attnum = k.number order by k.place)
from pg_constraint c
join pg_class t on t.oid = c.conrelid
join pg_class r on r.oid = c.confrelid
where c.contype = 'f' and c.connamespace = 'public'::regnamespace and not t.relispartition and not r.relispartition
order by t.relname, c.conname
"""
VOLATILE = "select proname::text from pg_proc group by proname having bool_and(provolatile = 'v')"
# Words that only one machine's own order gives a meaning.
ONE_MACHINES_OWN = {
    *("nextval", "currval", "lastval", "setval", "xmin", "xmax", "ctid", "txid_current", "pg_current_xact_id"),
    *("pg_snapshot_xmin", "txid_snapshot_xmin"),
}
_CHANGES = re.compile(r"(?<!for )(?<!key )\bupdate\b|\bdelete from\b|\binsert into\b")
_TOKEN = re.compile(r"'(?:[^']|'')*'|\w+|\S")


def changing() -> Iterator[tuple[tuple[str, str], str]]:
    """Every statement that changes rows, on one line."""
    for place, statement in statements():
        if _CHANGES.search(statement):
            yield place, statement


async def test_references_lead_one_way(hub: Hub) -> None:
    """Between teams' tables they carry `team` on both sides; from them to what finds a team; back only as listed."""
    async with hub.database.lease() as connection:
        is_of_team = {table.name: table.is_of_team for table in await list_tables(connection)}
        references = await connection.fetch(REFERENCES)
    within = [row for row in references if is_of_team[row[1]] and is_of_team[row[2]]]
    assert len(within) > 10
    assert [row[0] for row in within if ("team", "team") not in zip(row[3], row[4], strict=True)] == []
    back = {(row[1], row[2]) for row in references if not is_of_team[row[1]] and is_of_team[row[2]]}
    assert back == set(LET_GO)


async def test_nothing_volatile_changes_rows(hub: Hub) -> None:
    """A statement that changes rows calls no function that may answer otherwise the next time, on another machine."""
    async with hub.database.lease() as connection:
        volatile = {name for (name,) in await connection.fetch(VOLATILE)}
    assert {"random", "clock_timestamp", "gen_random_uuid", "nextval"} <= volatile
    called = {place: set(re.findall(r"\b([a-z_]+)\s*\(", statement)) & volatile for place, statement in changing()}
    assert len(called) > 50
    assert {place: names for place, names in called.items() if names} == {}


def test_nothing_is_ordered_by_one_machine() -> None:
    """No statement uses a sequence, a transaction's number or a row's place on disk."""
    used = {place: ONE_MACHINES_OWN & set(re.findall(r"\w+", statement)) for place, statement in statements()}
    assert {place: words for place, words in used.items() if words} == {}


def test_only_migrations_take_advisory_locks() -> None:
    """Everything else locks rows, which are on the machine of their team."""
    code = [path for path in Path(str(files(customerhub))).rglob("*.*") if path.suffix in {".py", ".sql"}]
    texts = {path.name: path.read_text(encoding="utf-8") for path in code}
    named = {name for name, text in texts.items() if re.search(r"pg_\w*advisory", text)}
    assert named == {"migrate.py"}


def moments(statement: str) -> list[str]:
    """Where a statement that changes rows asks for the time in the middle of a choice, an answer or a clash.

    A cluster refuses that, since each machine would ask for itself; `(select now())` is asked once.
    """
    found: list[str] = []
    around: list[str] = []
    tokens = _TOKEN.findall(statement)
    for place, token in enumerate(tokens):
        if token in {"case", "returning"} or tokens[place : place + 2] == ["do", "update"]:
            around.append(token)
        elif token == "(":
            before, after = tokens[place - 1], tokens[place + 1]
            around.append("select" if after == "select" else "coalesce" if before == "coalesce" else "(")
        elif token == "end":
            _drop(around, "case")
        elif token == ")":
            _drop(around, "(", "select", "coalesce")
        elif token == "now" and tokens[place + 1] == "(":
            own = around[len(around) - around[::-1].index("select") :] if "select" in around else around
            found += [one for one in own if one in {"case", "coalesce", "returning", "do"}][-1:]
    return found


def _drop(around: list[str], *kinds: str) -> None:
    """What ends here, and what it held that has no end of its own."""
    while around and around.pop() not in kinds:
        pass


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("update a set b = now()", []),
        ("update a set b = case when c then now() end", ["case"]),
        ("update a set b = case when c then d end, e = now()", []),
        ("update a set b = case when c then (select now()) end", []),
        ("update a set b = coalesce(b, now())", ["coalesce"]),
        ("update a set b = greatest(b, now())", []),
        ("update a set b = 1 returning now()", ["returning"]),
        ("insert into a values (now()) on conflict (b) do update set c = now()", ["do"]),
        ("with a as (update b set c = 1 returning d) update e set f = now()", []),
    ],
)
def test_the_reader_of_moments_finds_them(statement: str, expected: list[str]) -> None:
    """The time is found where a cluster refuses it, and nowhere else."""
    assert moments(statement) == expected


def test_the_time_is_asked_for_once() -> None:
    """A statement that changes rows asks for the time outside of choices, answers and clashes."""
    assert {place: found for place, statement in changing() if (found := moments(statement))} == {}


def test_what_a_cluster_refuses_is_listed_by_name() -> None:
    """The list of what is still to be written otherwise names statements that exist."""
    assert [place for place in REFUSED if place[1] not in load_queries(place[0])] == []
