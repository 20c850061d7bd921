"""Ask a database what an operator should know: its server, and whether what it holds agrees with itself."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("doctor.sql")
# What migrations create and search cannot do without; part of every PostgreSQL, and often packaged apart.
EXTENSIONS: Final = ("btree_gin", "pg_trgm")


class Server(Struct, frozen=True):
    """A PostgreSQL server; `unsafe` names settings that are off and must not be, if commits are to last."""

    version: int
    version_text: str
    encoding: str
    max_connections: int
    unsafe: tuple[str, ...]
    now: datetime


class Findings(Struct, frozen=True):
    """What in the records does not agree: teams, each with how many records where that says something."""

    wrong_email_keys: dict[str, int]
    without_history: dict[str, int]
    wrong_searches: dict[str, int]
    wrong_duplicates: dict[str, int]
    missing_counters: tuple[str, ...]
    late_counters: tuple[str, ...]


async def get_server(connection: Connection) -> Server:
    """What the server is and how it is set."""
    row = await connection.fetchrow(QUERIES["server"])
    if row is None:
        raise LookupError("server")
    return Server(row[0], row[1], row[2], row[3], tuple(row[4]), row[5])


async def has_lock_timeout(connection: Connection) -> bool:
    """Whether a statement of this session stops waiting for a lock by itself."""
    return bool(await connection.fetchval(QUERIES["has_lock_timeout"]))


async def find_missing_extensions(connection: Connection) -> tuple[str, ...]:
    """Which of the extensions that the hub needs this server could not create."""
    return tuple(row[0] for row in await connection.fetch(QUERIES["missing_extensions"], list(EXTENSIONS)))


async def get_findings(connection: Connection) -> Findings:
    """Read every record of every team; needs this version's schema."""

    async def names(query: str) -> tuple[str, ...]:
        return tuple(row[0] for row in await connection.fetch(QUERIES[query]))

    async def counts(query: str) -> dict[str, int]:
        return {row[0]: row[1] for row in await connection.fetch(QUERIES[query])}

    return Findings(
        wrong_email_keys=await counts("wrong_email_keys"),
        without_history=await counts("without_history"),
        wrong_searches=await counts("wrong_searches"),
        wrong_duplicates=await counts("wrong_duplicates"),
        missing_counters=await names("missing_counters"),
        late_counters=await names("late_counters"),
    )
