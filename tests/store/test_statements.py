"""Statements are timed and named, however they were put together; a slow one is told without what it held."""

import asyncio
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from structlog.testing import capture_logs

from customerhub.store import statements
from customerhub.store.customers import QUERIES
from customerhub.store.db import Database, connect
from customerhub.store.feed import QUERIES as FEED
from customerhub.store.statements import RUNNING, Statements, find_name, list_names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (QUERIES["read_for_write"].format(columns="c.name, c.phone"), "customers.read_for_write"),
        (FEED["claim"], "feed.claim"),
        (FEED["wait_to_claim"], "feed.wait_to_claim"),
        ("BEGIN;", "begin"),
        ("COMMIT;", "commit"),
        ("SAVEPOINT asyncpg_1;", "savepoint"),
        ("select 1", "other"),
        ("", "other"),
    ],
)
def test_a_statement_has_the_name_of_its_template(text: str, name: str) -> None:
    """Also where its columns and filters came later; whatever stands in no file has none."""
    assert find_name(text) == name
    assert name in list_names()


async def test_slow_statements_are_told_without_their_values(database_url: str) -> None:
    """Name, time, rows where they are known, request: whichever way it was made, and where it failed."""
    slow, value = Statements(1e-6), uuid4().hex
    RUNNING.set(SimpleNamespace(request_id="req_1"))
    connection = await connect(database_url, statements=slow)
    calls: tuple[tuple[Any, int | None], ...] = (
        (connection.fetch("select $1 from generate_series(1, 3)", value), 3),
        (connection.fetchrow("select $1", value), 1),
        (connection.fetchrow("select $1 where false", value), 0),
        (connection.fetchval("select $1", value), None),
        (connection.execute("create temporary table noted (what text)"), None),
        (connection.execute("insert into noted select $1 from generate_series(1, 2)", value), 2),
        (connection.executemany("insert into noted values ($1)", [(value,), (value,)]), None),
        (connection.fetch("select 1 / (select count(*) from noted where what = $1 and false)", value), None),
    )
    with capture_logs() as lines:
        for call, _ in calls:
            await asyncio.gather(call, return_exceptions=True)
    RUNNING.set(None)
    await connection.close()
    assert [line.get("rows") for line in lines] == [rows for _, rows in calls]
    assert {(line["event"], line["log_level"], line["statement"], line["request_id"]) for line in lines} == {
        ("slow statement", "warning", "other", "req_1")
    }
    assert all(line["ms"] > 0 for line in lines)
    assert value not in str(lines)
    times = slow.by_name()["other"]
    assert (times.number, times.slow) == (8, 8)


async def test_a_failure_is_told_as_it_was(database_url: str) -> None:
    """The driver's error arrives as it came, and the connection is good for the next statement."""
    connection = await connect(database_url, statements=Statements(500))
    with pytest.raises(asyncpg.DivisionByZeroError):
        await connection.fetchval("select 1 / 0")
    assert await connection.fetchval("select 2") == 2
    await connection.close()


@pytest.mark.parametrize("milliseconds", [60_000, 0])
async def test_nothing_is_told_of_quick_statements_nor_where_it_is_off(database_url: str, milliseconds: float) -> None:
    """They are counted by their names all the same, those of further connections too."""
    noted = Statements(milliseconds)
    database = Database(database_url, size=1, statements=noted)
    beside = database.beside(1)
    with capture_logs() as lines:
        for one in (database, beside):
            async with one.transaction() as connection:
                await connection.fetchrow(FEED["survey"])
    await database.close()
    await beside.close()
    assert lines == []
    assert {name: times.number for name, times in noted.by_name().items()} == {
        "begin": 2,
        "feed.survey": 2,
        "commit": 2,
    }


async def test_many_texts_are_counted_by_their_names_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Statements put together in ever new ways do not fill the memory."""
    monkeypatch.setattr(statements, "_MOST_TEXTS", 10)
    noted = Statements()
    for number in range(35):
        noted.note(f"select {number}", 0.5, None)
    assert len(noted._by_text) <= 10
    found = noted.by_name()
    assert (found["other"].number, found["other"].seconds) == (35, 17.5)


async def test_whoever_waits_for_a_connection_is_counted(database_url: str) -> None:
    """How many asked, how many waited, and for how long."""
    database = Database(database_url, size=1)
    async with database.lease():
        assert database.in_use == 1
        waiting = asyncio.create_task(_lend(database))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await waiting
    assert (database.leases.number, database.leases.waited, database.in_use) == (2, 1, 0)
    assert database.leases.seconds > 0
    await database.close()


async def _lend(database: Database) -> None:
    async with database.lease():
        pass
