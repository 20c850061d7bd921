"""Bring a database to this version's schema: plain SQL files, forward only, one process at a time."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files

from customerhub.model.error import Unavailable
from customerhub.store.db import Connection
from customerhub.store.spread import spread

# The key of the advisory lock that migrations take: "cust" in ASCII.
_LOCK = 0x63757374
_FILE = re.compile(r"^(\d{4})_\w+\.sql$")
_LEDGER = """
create table if not exists schema_migration (
    number integer primary key,
    name text not null,
    applied_at timestamptz not null default now()
)
"""


def migrations() -> list[tuple[int, str, str]]:
    """Number, file name and statements of every migration, in order; the numbers have no gap."""
    found = sorted(
        (int(match[1]), path.name, path.read_text(encoding="utf-8"))
        for path in files("customerhub.store").joinpath("migrations").iterdir()
        if (match := _FILE.match(path.name))
    )
    if [number for number, _, _ in found] != list(range(1, len(found) + 1)):
        raise ValueError("migrations must be numbered 0001, 0002, … without a gap")
    return found


async def applied(connection: Connection) -> int:
    """The number of the newest migration in the database, 0 for an empty one."""
    if await connection.fetchval("select to_regclass('schema_migration')") is None:
        return 0
    return int(await connection.fetchval("select coalesce(max(number), 0) from schema_migration"))


async def migrate(connection: Connection, *, up_to: int | None = None) -> list[str]:
    """Apply what is missing and return the file names; others wait meanwhile.

    Each file is one transaction. A statement waits at most 5 s for a lock, so that a migration never stands in a
    queue before everybody else, and runs at most 10 minutes. Where teams are spread over machines, new tables are too.
    Raises asyncpg errors as they come, and what `spread` raises.
    """
    done: list[str] = []
    async with _alone(connection):
        await connection.execute(_LEDGER)
        present = await applied(connection)
        for number, name, statements in migrations():
            if number <= present or (up_to is not None and number > up_to):
                continue
            async with connection.transaction():
                await connection.execute("set local lock_timeout = '5s'; set local statement_timeout = '10min'")
                await connection.execute(statements)
                await connection.execute("insert into schema_migration (number, name) values ($1, $2)", number, name)
            done.append(name)
        if done:
            _tell(await spread(connection, is_first=False))
    return done


async def spread_tables(connection: Connection) -> list[str]:
    """Spread the teams of a migrated database over the machines of its cluster; the tables that were not yet.

    Nobody migrates meanwhile, and nobody should write. Raises what `spread` raises.
    """
    async with _alone(connection):
        await check_current(connection)
        placed = await spread(connection)
    _tell(placed)
    return placed


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    """Nobody else migrates meanwhile; whoever does is waited for."""
    async with connection.transaction():
        await connection.execute("set local lock_timeout = 0")
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
    try:
        yield
    finally:
        await connection.execute("select pg_advisory_unlock($1)", _LOCK)


def _tell(placed: list[str]) -> None:
    if placed:
        logging.getLogger(__name__).warning("tables spread over machines by team: %s", ", ".join(placed))


async def check_current(connection: Connection) -> None:
    """Raise Unavailable unless the schema is exactly this version's."""
    present, wanted = await applied(connection), len(migrations())
    if present != wanted:
        raise Unavailable from RuntimeError(f"the database is at migration {present}, this version needs {wanted}")
