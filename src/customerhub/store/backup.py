"""Take all rows of a database out as one moment has them, and fill an empty database with them, however many."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from customerhub.store.db import Connection
from customerhub.store.queries import load_queries
from customerhub.store.sandbox import Table, list_tables

QUERIES = load_queries("backup.sql")

LEFT_OUT: Final[Mapping[str, str]] = {
    "figure": "is counted again by whoever looks",
    "rate_window": "holds the counts of limits in windows that are over before anything is restored",
    "schema_migration": "says which migrations a database has, and whoever restores makes them anew",
}
"""Tables whose rows are in no backup, each with the reason."""

_LEDGER: Final = "schema_migration"
# Longer than any table takes; the driver would give up after its minute for questions.
_SECONDS: Final = 30 * 86_400.0


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncIterator[None]:
    """Meanwhile the connection sees everything as one moment has it, and writes nothing; nobody waits for it."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(QUERIES["take_time"])
        yield


async def list_saved_tables(connection: Connection) -> tuple[Table, ...]:
    """Every table but those left out, behind those that it refers to."""
    return tuple(table for table in await list_tables(connection) if table.name not in LEFT_OUT)


async def get_server_version(connection: Connection) -> str:
    """The server's version, as `18.6`."""
    return str(await connection.fetchval(QUERIES["server_version"]))


async def count_expected_rows(connection: Connection) -> int:
    """About how many rows a backup will have: to show progress, and for nothing else."""
    return int(await connection.fetchval(QUERIES["expected_rows"]))


async def copy_out(connection: Connection, table: Table, put: Callable[[bytes], Awaitable[None]]) -> None:
    """Hand on all rows of a table in COPY's text format, a line for each, in pieces that may end within a line."""
    statement = QUERIES["rows"].format(columns=", ".join(table.columns), table=table.name)
    await connection.copy_from_query(statement, output=put, format="text", timeout=_SECONDS)


async def copy_in(connection: Connection, table: Table, pieces: AsyncIterator[bytes]) -> None:
    """Add rows to a table, from pieces of COPY's text format.

    Raises asyncpg errors where they do not fit, and ConnectionResetError where the connection is lost.
    """
    async with _ended_by_loss(connection):
        await connection.copy_to_table(
            table.name, source=pieces, columns=list(table.columns), format="text", timeout=_SECONDS
        )


@asynccontextmanager
async def _ended_by_loss(connection: Connection) -> AsyncIterator[None]:
    """Whoever waits for the server to take more would do so for ever once it is gone: the driver does not wake them."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as limit:

            def end(_: Connection) -> None:
                limit.reschedule(loop.time())

            connection.add_termination_listener(end)
            try:
                yield
            finally:
                connection.remove_termination_listener(end)
    except TimeoutError as error:
        if not connection.is_closed():
            raise
        raise ConnectionResetError("it went away in the middle") from error


async def close_doors(connection: Connection) -> None:
    """Keep everybody else away from all tables until the transaction ends."""
    await connection.execute(QUERIES["take_time"])
    tables = await list_tables(connection)
    if tables:
        await connection.execute(QUERIES["close_doors"].format(tables=_to_names(tables)))


async def find_table_with_rows(connection: Connection) -> str | None:
    """The first table that is not empty, of those that a restore would fill."""
    for table in await list_saved_tables(connection):
        if await connection.fetchval(QUERIES["has_rows"].format(table=table.name)):
            return table.name
    return None


async def drop_tables(connection: Connection) -> None:
    """Take the whole schema away; only ever one without a row."""
    names = ", ".join((*(table.name for table in await list_tables(connection)), _LEDGER))
    await connection.execute(QUERIES["drop_tables"].format(tables=names))


@asynccontextmanager
async def loaded_bare(connection: Connection) -> AsyncIterator[None]:
    """Meanwhile tables have neither foreign keys nor indexes but their keys; afterwards all are as they were.

    For each row that a foreign key is to be checked for the server would remember something until the end of the COPY,
    and an index is made in a fraction of the time in which it grows row by row.
    """
    references = [tuple(row) for row in await connection.fetch(QUERIES["references"])]
    indexes = [tuple(row) for row in await connection.fetch(QUERIES["indexes"])]
    for table, name, _ in references:
        await connection.execute(QUERIES["drop_reference"].format(table=table, name=name))
    for name, _ in indexes:
        await connection.execute(QUERIES["drop_index"].format(name=name))
    yield
    for _, definition in indexes:
        await connection.execute(definition, timeout=_SECONDS)
    for table, name, definition in references:
        statement = QUERIES["add_reference"].format(table=table, name=name, definition=definition)
        await connection.execute(statement, timeout=_SECONDS)


async def learn(connection: Connection) -> None:
    """Let the server look at what was loaded, so that it plans well from the first question on."""
    names = _to_names(await list_tables(connection))
    await connection.execute(QUERIES["learn"].format(tables=names), timeout=_SECONDS)


def _to_names(tables: Sequence[Table]) -> str:
    return ", ".join(table.name for table in tables)
