"""Migrations: forward only, one process at a time, each whole or not at all."""

import asyncio
import subprocess
import sys
from asyncio.subprocess import PIPE

import asyncpg
import msgspec
import pytest

from customerhub.embedded import Cluster
from customerhub.model.error import Unavailable
from customerhub.store import migrate as module
from customerhub.store.db import Connection, connect
from customerhub.store.migrate import applied, check_current, migrate, migrations
from tests.support.databases import empty_database
from tests.support.waiting import wait_until

NEWEST = len(migrations())
NAMES = [name for _, name, _ in migrations()]
TABLES = "select array_agg(tablename::text) from pg_tables where schemaname = 'public'"
LOCKS = "select count(*) from pg_locks where locktype = 'advisory' and granted = $1"


def add(monkeypatch: pytest.MonkeyPatch, *statements: str) -> None:
    """Let this version have more migrations, as later ones will."""
    more = [(NEWEST + place, f"{NEWEST + place:04}_more.sql", text) for place, text in enumerate(statements, 1)]
    every = [*migrations(), *more]
    monkeypatch.setattr(module, "migrations", lambda: every)


def schema(cluster: Cluster, url: str) -> str:
    """Everything that PostgreSQL's own program says of a schema, and the ledger's rows."""
    command = [str(cluster.binary_directory / "pg_dump"), "--no-owner", url]
    dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # A random word that keeps psql from running what a hostile server wrote, and the times in the ledger.
    lines = [line for line in dump.splitlines() if "restrict " not in line]
    return "\n".join(line.rpartition("\t")[0] if line.endswith("+00") else line for line in lines)


async def test_fresh_equals_migrated(cluster: Cluster, empty_url: str, empty: Connection) -> None:
    """A database migrated step by step has the schema of one migrated at once."""
    for number in range(1, NEWEST + 1):
        assert await migrate(empty, up_to=number) == [NAMES[number - 1]]
        assert await applied(empty) == number
    stepwise = schema(cluster, empty_url)
    assert "CREATE TABLE public.customer " in stepwise
    async with empty_database(cluster) as fresh_url:
        fresh = await connect(fresh_url)
        assert await migrate(fresh) == NAMES
        await fresh.close()
        assert schema(cluster, fresh_url) == stepwise


async def test_running_twice_does_nothing(cluster: Cluster, empty_url: str, empty: Connection) -> None:
    """A migrated database is left as it is, up to the ledger's rows."""
    await migrate(empty)
    before = schema(cluster, empty_url)
    assert await migrate(empty) == []
    assert schema(cluster, empty_url) == before


async def test_two_processes_at_once_migrate_once(empty_url: str, empty: Connection) -> None:
    """Of two processes that come at the same moment one migrates and the other finds it done; both succeed."""
    command = (sys.executable, "-m", "customerhub", "migrate", "--json", "--database-url", empty_url)
    both = [await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE) for _ in range(2)]
    told = await asyncio.gather(*(process.communicate() for process in both))
    assert [process.returncode for process in both] == [0, 0], told
    answers = [msgspec.json.decode(output) for output, _ in told]
    assert sorted(answers, key=lambda answer: len(answer["applied"])) == [
        {"applied": [], "version": NEWEST},
        {"applied": NAMES, "version": NEWEST},
    ]
    assert await applied(empty) == NEWEST


async def test_others_wait_while_one_migrates(empty_url: str, empty: Connection) -> None:
    """A process that comes while another migrates waits for it, and touches nothing meanwhile."""
    await empty.execute("select pg_advisory_lock($1)", module._LOCK)
    other = await connect(empty_url)
    waiting = asyncio.create_task(migrate(other))

    async def is_waiting() -> bool:
        return bool(await empty.fetchval(LOCKS, False) == 1)

    await wait_until(is_waiting, "the second process waits for the lock")
    assert await empty.fetchval(TABLES) is None
    await empty.execute("select pg_advisory_unlock($1)", module._LOCK)
    assert await waiting == NAMES
    await other.close()


async def test_a_failing_migration_leaves_nothing(
    cluster: Cluster, empty_url: str, empty: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration that fails half-way is undone whole, those before it stand, and the lock is free again."""
    await migrate(empty)
    before = schema(cluster, empty_url)
    add(monkeypatch, "create table half (id int); alter table team add column half int; select 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty)
    assert schema(cluster, empty_url) == before
    assert await empty.fetchval(LOCKS, True) == 0
    assert not empty.is_in_transaction()


async def test_migrations_before_a_failing_one_stand(empty: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file is a transaction of its own, so that a mended one goes on where it stopped."""
    add(monkeypatch, "create table good (id int)", "select 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty)
    assert await applied(empty) == NEWEST + 1
    add(monkeypatch, "select 1 / 0", "create table mended (id int)")
    assert await migrate(empty) == [f"{NEWEST + 2:04}_more.sql"]


async def test_a_migration_never_stands_in_the_way_for_long(empty: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement of a migration waits 5 s for a lock and runs 10 minutes at most; afterwards the session is free."""
    asked = "current_setting('lock_timeout') as lock_wait, current_setting('statement_timeout') as run"
    add(monkeypatch, f"create table asked as select {asked}")
    await migrate(empty)
    assert tuple(await empty.fetchrow("select lock_wait, run from asked")) == ("5s", "10min")
    assert tuple(await empty.fetchrow(f"select {asked}")) == ("0", "0")


async def test_a_migration_that_gets_no_lock_gives_up(
    cluster: Cluster, empty_url: str, empty: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where somebody holds the table for too long nothing is changed, and the next attempt succeeds."""
    await migrate(empty)
    before = schema(cluster, empty_url)
    patient = "alter table customer add column later int"
    add(monkeypatch, f"create table half (id int); set local lock_timeout = '50ms'; {patient}")
    reader = await connect(empty_url)
    async with reader.transaction():
        await reader.fetch("select * from customer")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await migrate(empty)
    assert schema(cluster, empty_url) == before
    assert await migrate(empty) == [f"{NEWEST + 1:04}_more.sql"]
    await reader.close()


async def test_only_the_very_schema_is_current(empty: Connection) -> None:
    """A database of an older version, of a newer one or of none is refused with both numbers; the right one is not."""
    for present in (0, NEWEST + 1):
        if present:
            await migrate(empty)
            await empty.execute("insert into schema_migration (number, name) values ($1, 'newer')", present)
        with pytest.raises(Unavailable) as refused:
            await check_current(empty)
        sentence = f"the database is at migration {present}, this version needs {NEWEST}"
        assert str(refused.value.__cause__) == sentence
    await empty.execute("delete from schema_migration where number > $1", NEWEST)
    await check_current(empty)


async def test_a_newer_database_is_left_alone(cluster: Cluster, empty_url: str, empty: Connection) -> None:
    """An older version finds nothing to do on a newer database, and takes nothing back."""
    await migrate(empty)
    await empty.execute("insert into schema_migration (number, name) values ($1, 'newer')", NEWEST + 1)
    before = schema(cluster, empty_url)
    assert await migrate(empty) == []
    assert schema(cluster, empty_url) == before


def test_migrations_have_no_gap() -> None:
    """The files are numbered 1, 2, … in the order in which they run."""
    assert [number for number, _, _ in migrations()] == list(range(1, NEWEST + 1))
    assert all(name.startswith(f"{number:04}_") for number, name, _ in migrations())
