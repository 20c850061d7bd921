"""Spread teams over the machines of a Citus cluster: a team's rows together on one, what finds a team on all."""

from asyncpg.exceptions import PostgresError
from msgspec import Struct

from customerhub.model.error import Conflict
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("spread.sql")
_ALONE = "none"


class Table(Struct, frozen=True):
    """A table: whether it holds a team's data, by `team`, and whether it has its place in the cluster."""

    name: str
    is_of_team: bool
    refers_to: tuple[str, ...]
    is_placed: bool


async def list_tables(connection: Connection, *, is_cluster: bool = False) -> list[Table]:
    """Every table but the ledger of migrations, by name; only a cluster knows of places."""
    piece = QUERIES["placed_piece"] if is_cluster else "false"
    rows = await connection.fetch(QUERIES["list_tables"].format(is_placed=piece))
    return [Table(name, is_of_team, tuple(refers_to), is_placed) for name, is_of_team, refers_to, is_placed in rows]


async def is_cluster(connection: Connection) -> bool:
    """Whether the extension that spreads tables is in this database."""
    return bool(await connection.fetchval(QUERIES["is_cluster"]))


async def spread(connection: Connection, *, is_first: bool = True) -> list[str]:
    """Give each table that has none its place in the cluster; their names in that order.

    All or nothing. `is_first` False only completes a database that is spread already, after migrations with new tables.
    Raises Conflict, with what is to be done, where there is no cluster, or the cluster refuses.
    """
    if not await is_cluster(connection):
        if is_first:
            raise Conflict(
                "The database is no Citus cluster: run `create extension citus` in it on every machine, "
                "`select citus_add_node(…)` for each worker on the first, and try again."
            )
        return []
    tables = await list_tables(connection, is_cluster=True)
    if not is_first and not any(table.is_placed for table in tables):
        return []
    return await _place(connection, tables)


async def _place(connection: Connection, tables: list[Table]) -> list[str]:
    missing = [table for table in in_order(tables) if not table.is_placed]
    beside = next((table.name for table in in_order(tables) if table.is_of_team and table.is_placed), _ALONE)
    at = ""
    try:
        async with connection.transaction():
            await connection.execute(QUERIES["begin"])
            for finder, table in crossing(tables):
                at = finder.name
                await _let_go(connection, finder, table)
            for table in missing:
                at = table.name
                if not table.is_of_team:
                    await connection.execute(QUERIES["put_everywhere"], table.name)
                    continue
                await connection.execute(QUERIES["distribute"], table.name, beside)
                beside = table.name if beside == _ALONE else beside
    except PostgresError as error:
        raise Conflict(
            f"The cluster refused the table {at} ({error}). Nothing was spread: mend that, and try again while nobody "
            "writes."
        ) from error
    return [table.name for table in missing]


async def _let_go(connection: Connection, finder: Table, table: Table) -> None:
    for (constraint,) in await connection.fetch(QUERIES["list_references"], finder.name, table.name):
        await connection.execute(QUERIES["let_go"].format(table=finder.name, constraint=constraint))


def in_order(tables: list[Table]) -> list[Table]:
    """What goes to all machines first, then the teams' tables; each after those that it refers to.

    What belongs to no team, and is tied to nothing, stays on the first machine: it is not among them.
    """
    tied = {name for table in tables if table.refers_to for name in (table.name, *table.refers_to)}
    by_name = {table.name: table for table in tables}
    ordered: dict[str, Table] = {}

    def visit(table: Table) -> None:
        for name in table.refers_to:
            if name in by_name and by_name[name].is_of_team == table.is_of_team and name not in ordered:
                visit(by_name[name])
        ordered.setdefault(table.name, table)

    for table in sorted(tables, key=lambda one: (one.is_of_team, one.name)):
        if table.is_of_team or table.name in tied:
            visit(table)
    return list(ordered.values())


def crossing(tables: list[Table]) -> list[tuple[Table, Table]]:
    """Tables that find a team, each with a team's table that it refers to: a cluster cannot hold such references."""
    by_name = {table.name: table for table in tables}
    return [
        (table, by_name[name])
        for table in tables
        if not table.is_of_team
        for name in table.refers_to
        if name in by_name and by_name[name].is_of_team
    ]
