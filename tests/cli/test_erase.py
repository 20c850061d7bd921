"""`customerhub erase`: asks first, says what it did and nothing of whom it was, and tidies up."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from customerhub.embedded import Cluster
from customerhub.store.db import connect
from tests.cli.support import run, run_here, run_json_here
from tests.support.databases import migrated_database

WORD = f"zelda{uuid4().hex[:10]}"
MAKE = """
insert into customer (team, id, version, created_at, updated_at, created_by, updated_by, name, number)
values ($1, $2, 1, now(), now(), $1, $1, $3, $4)
"""
NOTE = """
insert into change (team, customer, version, at, action, actor, actor_name, credential, dialect, request_id, changes)
values ($1, $2, 1, now(), 'created', $1, 'key', $1, 'test', 'req_1', '[{"path": "", "new": {}}]')
"""
TIDY = "select count(*) from pg_stat_user_tables where last_vacuum is not null and relname in ('customer', 'change')"


@pytest.fixture
def url(cluster: Cluster) -> Iterator[str]:
    """A database of the test's own."""
    with migrated_database(cluster) as address:
        yield address


async def _make(url: str, team: str) -> str:
    connection, customer = await connect(url), uuid4()
    await connection.execute(MAKE, team, customer, f"Name {WORD}", WORD)
    await connection.execute(NOTE, team, customer)
    await connection.close()
    return str(customer)


async def _ask(url: str, statement: str) -> Any:  # Any: a value of any type
    connection = await connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def test_erase(url: str) -> None:
    """Without a terminal it wants --yes; then a blank version is left, and the tables are vacuumed."""
    team = run_json_here("team", "create", "Aster", "--database-url", url)["id"]
    customer = asyncio.run(_make(url, team))
    command = ("erase", "--team", "Aster", "--customer", customer, "--database-url", url)
    refused = run_here(*command)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "customerhub: There is no way back from this: add --yes.\n"
    assert asyncio.run(_ask(url, "select max(version) from customer")) == 1
    done = run(*command, "--yes", "--reason", "ticket 1")
    assert (done.returncode, done.stdout) == (0, "erased 1 customer\n")
    assert WORD not in done.stderr
    assert asyncio.run(_ask(url, "select name || number from customer where version = 2")) == ""
    assert asyncio.run(_ask(url, TIDY)) == 2
    nobody = run_here("erase", "--team", "Aster", "--customer", uuid4(), "--yes", "--database-url", url)
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "no such customer" in nobody.stderr


def test_what_is_no_id_is_a_wrong_use() -> None:
    """It is told before anything is started."""
    done = run_here("erase", "--team", "Aster", "--customer", "x", "--yes")
    assert done.returncode == 2
    assert "'x' is no UUID" in done.stderr
