"""Connections: lent one at a time, opened again after a loss, never handed on in the middle of something."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from customerhub.embedded import Cluster
from customerhub.model.error import Unavailable
from customerhub.store.db import Connection, Database, connect
from tests.support.waiting import wait_until

PID = "select pg_backend_pid()"
INSERT = "insert into login (id, email, email_key, created_at, updated_at) values ($1, $2, $2, now(), now())"
HOW_OFTEN = "select count(*) from login where id = $1"
STATE = "select state from pg_stat_activity where pid = $1"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A single connection, so that whatever one request leaves behind meets the next."""
    opened = Database(database_url, size=1)
    yield opened
    await opened.close()


@pytest.fixture
async def watcher(database_url: str) -> AsyncIterator[Connection]:
    """A connection of the test's own, which sees only what others have committed."""
    connection = await connect(database_url)
    yield connection
    await connection.close()


async def end_backend(watcher: Connection, pid: int) -> None:
    """End a server process, as an operator or a failover would, and wait until it is gone."""
    assert await watcher.fetchval("select pg_terminate_backend($1)", pid) is True

    async def is_gone() -> bool:
        return await watcher.fetchval(STATE, pid) is None

    await wait_until(is_gone, "the backend is gone")


async def insert(connection: Connection, row: UUID) -> None:
    """Write a row that nothing else depends on."""
    await connection.execute(INSERT, row, f"{row}@rows.example")


async def test_a_connection_lost_in_the_middle_is_unavailable_once(database: Database, watcher: Connection) -> None:
    """Who holds the connection is told Unavailable, and whoever comes next gets a new one."""
    pids: list[int] = []

    async def lose() -> None:
        async with database.lease() as connection:
            pids.append(await connection.fetchval(PID))
            await end_backend(watcher, pids[0])
            await connection.fetchval(PID)

    with pytest.raises(Unavailable) as told:
        await lose()
    assert told.value.retry_after == 1
    async with database.lease() as connection:
        assert await connection.fetchval(PID) not in pids


async def test_a_transaction_lost_in_the_middle_is_unavailable_and_undone(
    database: Database, watcher: Connection
) -> None:
    """What was written before the loss is not there, and the next transaction works."""
    lost, kept = uuid4(), uuid4()

    async def lose() -> None:
        async with database.transaction() as connection:
            await insert(connection, lost)
            await end_backend(watcher, connection.get_server_pid())
            await insert(connection, uuid4())

    with pytest.raises(Unavailable):
        await lose()
    async with database.transaction() as connection:
        await insert(connection, kept)
    assert [await watcher.fetchval(HOW_OFTEN, row) for row in (lost, kept)] == [0, 1]


async def test_a_connection_lost_while_idle_is_noticed_by_nobody(database: Database, watcher: Connection) -> None:
    """A connection that died unused is replaced before it is lent."""
    async with database.lease() as connection:
        pid = await connection.fetchval(PID)
    await end_backend(watcher, pid)

    async def has_noticed() -> bool:
        return bool(connection.is_closed())

    await wait_until(has_noticed, "the client has read the server's goodbye")
    async with database.lease() as connection:
        assert await connection.fetchval(PID) != pid


async def test_no_server_is_unavailable(cluster: Cluster) -> None:
    """A server or a database that is not there is Unavailable, each time anew, and costs no place."""
    nowhere = Database(cluster.url(f"nowhere_{uuid4().hex}"), size=1)
    for _ in range(3):
        with pytest.raises(Unavailable):
            async with nowhere.lease():
                raise AssertionError("unreachable")
    closed = Database("postgresql://nobody@127.0.0.1:1/nowhere", size=1)
    for _ in range(3):
        with pytest.raises(Unavailable):
            async with closed.lease():
                raise AssertionError("unreachable")


async def test_there_are_never_more_connections_than_asked_for(database_url: str) -> None:
    """Forty requests at once share the connections there are, and all are served."""
    database = Database(database_url, size=3)
    pids: set[int] = set()

    async def ask() -> None:
        async with database.lease() as connection:
            pids.add(await connection.fetchval(PID))

    await asyncio.gather(*(ask() for _ in range(40)))
    assert len(pids) == 3
    await database.close()


async def test_an_error_undoes_its_transaction(database: Database, watcher: Connection) -> None:
    """What was written before an error is gone, the error arrives as it was, and the connection goes on."""
    row = uuid4()
    used: list[Connection] = []

    async def fail(*, by_server: bool) -> None:
        async with database.transaction() as connection:
            used.append(connection)
            await insert(connection, row)
            if by_server:
                await insert(connection, row)
            raise LookupError("on purpose")

    with pytest.raises(LookupError, match="on purpose"):
        await fail(by_server=False)
    with pytest.raises(asyncpg.UniqueViolationError):
        await fail(by_server=True)
    assert await watcher.fetchval(HOW_OFTEN, row) == 0
    async with database.lease() as again:
        assert used == [again, again]
        assert not again.is_in_transaction()


async def test_a_transaction_not_to_keep_is_undone(database: Database, watcher: Connection) -> None:
    """A dry run sees its own writes, and nobody ever does afterwards."""
    row = uuid4()
    async with database.transaction(keep=False) as connection:
        await insert(connection, row)
        assert await connection.fetchval(HOW_OFTEN, row) == 1
    assert await watcher.fetchval(HOW_OFTEN, row) == 0
    async with database.transaction(keep=True) as connection:
        await insert(connection, row)
    assert await watcher.fetchval(HOW_OFTEN, row) == 1


async def test_a_cancelled_statement_leaves_the_place_usable(database: Database, watcher: Connection) -> None:
    """Who is cancelled while the server works makes nobody wait for that work."""
    pids: list[int] = []

    async def ask() -> None:
        async with database.lease() as connection:
            pids.append(connection.get_server_pid())
            await connection.execute("select pg_sleep(60)")

    asking = asyncio.create_task(ask())

    async def is_asking() -> bool:
        return bool(pids) and await watcher.fetchval(STATE, pids[0]) == "active"

    await wait_until(is_asking, "the server works")
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    async with asyncio.timeout(10), database.lease() as connection:
        assert await connection.fetchval("select 1") == 1

    async def is_asking_no_more() -> bool:
        return bool(await watcher.fetchval(STATE, pids[0]) != "active")

    await wait_until(is_asking_no_more, "the server has stopped that work")


async def test_who_is_cancelled_while_waiting_takes_no_place(database: Database) -> None:
    """A request that gave up in the queue does not keep its turn."""

    async def ask() -> None:
        async with database.lease() as connection:
            await connection.fetchval(PID)

    async with database.lease():
        waiting = [asyncio.create_task(ask()) for _ in range(5)]
        await asyncio.sleep(0)
        for task in waiting[:4]:
            task.cancel()
        assert not any(task.done() and not task.cancelled() for task in waiting)
    async with asyncio.timeout(10):
        await asyncio.gather(*waiting, return_exceptions=True)
        async with database.lease() as connection:
            assert await connection.fetchval("select 1") == 1


@pytest.mark.parametrize("keep", [True, False])
async def test_a_transaction_cancelled_at_any_moment_leaves_nothing_open(
    database: Database, watcher: Connection, *, keep: bool
) -> None:
    """Wherever a cancellation strikes, the next statement on the connection stands by itself and is committed.

    Were a transaction still open there, what the next request writes would be acknowledged and never be stored.
    """
    for moment in range(40):
        row, next_row = uuid4(), uuid4()
        writing = asyncio.create_task(_write(database, row, keep=keep))
        for _ in range(moment):
            await asyncio.sleep(0)
        writing.cancel()
        was_cancelled = isinstance((await asyncio.gather(writing, return_exceptions=True))[0], asyncio.CancelledError)
        async with asyncio.timeout(10), database.lease() as connection:
            await insert(connection, next_row)
        assert await watcher.fetchval(HOW_OFTEN, next_row) == 1, f"moment {moment}"
        if not keep:
            assert await watcher.fetchval(HOW_OFTEN, row) == 0
        elif not was_cancelled:
            assert await watcher.fetchval(HOW_OFTEN, row) == 1


async def _write(database: Database, row: UUID, *, keep: bool) -> None:
    async with database.transaction(keep=keep) as connection:
        await insert(connection, row)


async def test_json_travels_as_bytes(database: Database) -> None:
    """A document comes back as the bytes that PostgreSQL writes, without a detour through Python's objects."""
    async with database.lease() as connection:
        assert await connection.fetchval("select $1::jsonb", b'{"b":1,"a":[null]}') == b'{"a": [null], "b": 1}'
