"""Take all rows of a sandbox's database out and put them back in, whatever tables there are."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from graphlib import TopologicalSorter
from io import BytesIO
from urllib.parse import urlsplit

import asyncpg
from msgspec import Struct

from customerhub.model.error import Conflict
from customerhub.store.db import Connection, connect
from customerhub.store.queries import load_queries

QUERIES = load_queries("sandbox.sql")
SCRATCH = "customerhub_fixture"
MISFITS = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.UndefinedColumnError)


class Table(Struct, frozen=True):
    """A table: the columns that are written, those of its key, and the other tables that it refers to."""

    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    refers_to: tuple[str, ...]


class Rows(Struct, frozen=True):
    """All rows of a table as COPY's text format has them, a line for each."""

    table: str
    columns: tuple[str, ...]
    lines: bytes


async def list_tables(connection: Connection) -> tuple[Table, ...]:
    """Every table of ours, behind those that it refers to."""
    found = [
        Table(row[0], tuple(row[1]), tuple(row[2]), tuple(row[3])) for row in await connection.fetch(QUERIES["tables"])
    ]
    tables = {table.name: table for table in found}
    order = TopologicalSorter({table.name: table.refers_to for table in found})
    return tuple(tables[name] for name in order.static_order())


async def copy_out(connection: Connection, table: Table) -> Rows:
    """All that a table holds, in the order of its key."""
    statement = QUERIES["rows"].format(columns=", ".join(table.columns), table=table.name, key=", ".join(table.key))
    lines = BytesIO()
    await connection.copy_from_query(statement, output=lines, format="text")
    return Rows(table.name, table.columns, lines.getvalue())


async def copy_in(connection: Connection, rows: Rows) -> None:
    """Add rows to a table; raises Conflict where they do not fit it."""
    source, columns = BytesIO(rows.lines), list(rows.columns)
    try:
        await connection.copy_to_table(rows.table, source=source, columns=columns, format="text")
    except MISFITS as error:
        raise Conflict(f"The fixture does not fit the table {rows.table}: {error}.") from error


async def empty(connection: Connection, tables: Sequence[Table]) -> None:
    """Take every row out of these tables, in a transaction; it fails where others would have to fail for it."""
    await connection.execute(QUERIES["give_way"])
    await connection.execute(QUERIES["empty"].format(tables=", ".join(table.name for table in tables)))


async def find_latest_time(connection: Connection) -> datetime | None:
    """When anything was written last; None where nothing was."""
    latest: datetime | None = None
    for table, column in await connection.fetch(QUERIES["time_columns"]):
        found = await connection.fetchval(QUERIES["latest_time"].format(table=table, column=column))
        latest = found if latest is None else max(latest, found or latest)
    return latest


@asynccontextmanager
async def scratch(url: str) -> AsyncIterator[Connection]:
    """An empty database beside the one of this address, gone afterwards; one at a time."""
    keeper = await connect(url)
    try:
        await keeper.execute(QUERIES["drop_scratch"])
        await keeper.execute(QUERIES["create_scratch"])
        try:
            connection = await connect(urlsplit(url)._replace(path=f"/{SCRATCH}").geturl())
            try:
                yield connection
            finally:
                await connection.close(timeout=5)
        finally:
            await keeper.execute(QUERIES["drop_scratch"])
    finally:
        await keeper.close(timeout=5)
