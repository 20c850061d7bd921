"""Behind PgBouncer in transaction mode: what the suite promises holds, with a session for a transaction alone."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from customerhub.cli.failure import Refused
from customerhub.cli.opened import check_pooler
from customerhub.core.hub import Hub
from customerhub.embedded import Cluster
from customerhub.model.error import Busy, Unavailable
from customerhub.settings import Settings
from customerhub.store.db import Connection, Database, connect
from tests.support.servers import Pooler, running_pooler
from tests.support.soak import sized
from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]
# What is run once more through the pooler: the write path with its races, keys, lists, the feed.
SUITE = (
    "tests/core/test_write_path.py",
    "tests/core/test_races.py",
    "tests/store/test_customers.py",
    "tests/core/test_concurrency.py",
    "tests/core/test_feed.py",
    "tests/core/test_merge_races.py",
    "tests/crash/test_history_checker.py",
    "tests/end_to_end/test_one_key.py",
    "tests/store/test_lists.py",
    "tests/worker/test_claims.py",
)
# They ask by the number of a session, which a pooler does not tell.
SESSIONS_NUMBER = ("tests/worker/test_claims.py::test_what_is_asked_for_once_more_is_not_tidied_up",)


@pytest.fixture(scope="module")
async def pooler(cluster: Cluster) -> AsyncIterator[Pooler]:
    """One with a single session for each database, so that all who come take turns on it."""
    async with running_pooler(cluster, sessions=1) as running:
        yield running


@pytest.fixture
async def database(pooler: Pooler, database_url: str) -> AsyncIterator[Database]:
    """The worker's database through it, as the hub opens it there."""
    url = pooler.url_like(database_url)
    opened = Database(url, uses_prepared=False, direct_url=database_url)
    yield opened
    await opened.close()


@pytest.mark.soak
@pytest.mark.skipif(not sized(bounded=False, full=True), reason="bounded, test_processes.py has the same promises")
def test_the_suite_holds_behind_a_pooler(tmp_path: Path) -> None:
    """Its tests of writes, races, keys, lists and feeds, against hubs that reach PostgreSQL through PgBouncer."""
    pytest_run = (
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        f"--basetemp={tmp_path / 'run'}",
    )
    skipped = [f"--deselect={name}" for name in SESSIONS_NUMBER]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [*pytest_run, *skipped, *SUITE],
        cwd=ROOT,
        env=kept | {"CUSTOMERHUB_TEST_POOLER": "1", "CUSTOMERHUB_SOAK": "0"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]


async def test_many_take_turns_on_one_session(database: Database) -> None:
    """Four connections ask different things at once on one session of the server: each gets the answer to its own
    question, though all of their statements bear the same empty name there.
    """
    served: set[int] = set()

    async def ask(number: int) -> None:
        for step in range(25):
            async with database.lease() as connection:
                text = await connection.fetchval(f"select $1::int + {number} || ' of {number}'", step)
                assert text == f"{step + number} of {number}"
                served.add(await connection.fetchval("select pg_backend_pid()"))

    await asyncio.gather(*map(ask, range(4)))
    assert len(served) == 1


async def test_a_session_behind_it_is_set_up(database: Database) -> None:
    """What the hub cannot ask for there is there: times in UTC, no waiting for locks without end, no jit."""
    names = ("timezone", "lock_timeout", "jit")
    async with database.lease() as connection:
        found = [await connection.fetchval("select current_setting($1)", name) for name in names]
    assert found == ["UTC", "5s", "off"]


async def test_what_others_hold_is_not_waited_for_without_end(
    cluster: Cluster, database_url: str, database: Database
) -> None:
    """The pooler's own lock_timeout ends the wait, and the connection is good for the next."""
    table = f"held_{uuid4().hex}"
    async with running_pooler(cluster, connect_query="set lock_timeout = 100") as short:
        hasty = Database(short.url_like(database_url), uses_prepared=False, direct_url=database_url)
        async with database.lease() as connection:
            await connection.execute(f"create table {table} (id int)")
            async with connection.transaction():
                await connection.execute(f"lock table {table}")
                with pytest.raises(Busy):
                    await ask(hasty, f"table {table}")
            assert await ask(hasty, f"table {table}") is None
            await connection.execute(f"drop table {table}")
        await hasty.close()


async def ask(database: Database, question: str) -> object:
    """What one statement answers."""
    async with database.lease() as connection:
        return await connection.fetchval(question)


async def test_without_a_bound_on_waiting_a_hub_does_not_start(cluster: Cluster, database_url: str) -> None:
    """The pooler's settings lack lock_timeout: the hub says in a sentence what to add to them."""
    async with running_pooler(cluster, connect_query="select 1") as bare:
        database = Database(bare.url_like(database_url), uses_prepared=False, direct_url=database_url)
        hub = Hub(database, Settings(patience_seconds=3))
        with pytest.raises(
            Refused, match="add connect_query='set lock_timeout = 3000; set jit = off' to the database's"
        ):
            await check_pooler(hub)
        await hub.close()


async def test_hints_are_heard_on_a_session_of_their_own(pooler: Pooler, database_url: str) -> None:
    """What listens goes past the pooler, what tells goes through it, and is heard."""
    behind = Database(pooler.url_like(database_url), uses_prepared=False, direct_url=database_url)
    direct = behind.direct(1)
    heard = asyncio.Event()
    channel = f"hints_{uuid4().hex}"
    async with direct.lease() as listening:
        await listening.add_listener(channel, lambda *_: heard.set())
        async with behind.lease() as connection:
            await connection.execute("select pg_notify($1, '')", channel)
        async with asyncio.timeout(10):
            await heard.wait()
        await listening.remove_listener(channel, heard.set)
        assert (direct.url, direct.is_pooled, behind.beside(2).is_pooled) == (database_url, False, True)
    for database in (direct, behind):
        await database.close()


async def test_a_pooler_that_comes_back_is_used_again(cluster: Cluster, database_url: str) -> None:
    """While it is away the database is, in words that say so; a new one at its place serves the same connections."""
    async with running_pooler(cluster) as first:
        database = Database(first.url_like(database_url), uses_prepared=False, direct_url=database_url)
        assert await ask(database, "select 1") == 1
        place = first.directory
    with pytest.raises(Unavailable):
        await ask(database, "select 1")
    async with running_pooler(cluster, directory=place):
        assert await ask(database, "select 2") == 2
        await database.close()


async def test_sessions_of_their_own_are_refused_there(pooler: Pooler, database_url: str) -> None:
    """What a hub asks for on a direct connection a pooler refuses: so it matters that `direct_url` is set."""
    with pytest.raises(Unavailable) as refused:
        await connect(pooler.url_like(database_url), uses_prepared=False)
    assert isinstance(refused.value.__cause__, asyncpg.exceptions.PostgresError)
    assert "unsupported startup parameter" in str(refused.value.__cause__)


async def test_a_lost_session_loses_one_transaction(database: Database, database_url: str) -> None:
    """Where the server ends a session in the middle of a transaction, that one is told, and the next one is served."""

    async def lose(connection: Connection) -> None:
        keeper = await connect(database_url)
        await keeper.execute("select pg_terminate_backend($1)", await connection.fetchval("select pg_backend_pid()"))
        await keeper.close()
        await connection.fetchval("select 1")

    with pytest.raises(Unavailable):
        async with database.transaction() as connection:
            await lose(connection)

    async def is_served() -> bool:
        try:
            return await ask(database, "select 1") == 1
        except Unavailable:
            return False

    await wait_until(is_served, "the pooler has a new session")
