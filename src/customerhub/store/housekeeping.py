"""Take away what is too old, and note when credentials were used."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("housekeeping.sql")
PIECE: Final = 1000
"""So many rows go in one statement at most."""


async def list_teams_with_old_logs(connection: Connection, highest: UUID) -> list[UUID]:
    """The teams whose request log has entries up to this id."""
    return [row[0] for row in await connection.fetch(QUERIES["list_teams_with_old_logs"], highest)]


async def delete_old_logs(connection: Connection, team: UUID, highest: UUID) -> int:
    """Take away a piece of the entries up to this id; how many went."""
    return _count(await connection.execute(QUERIES["delete_old_logs"], team, highest, PIECE))


async def find_first_excess(connection: Connection, team: UUID, rows: int) -> UUID | None:
    """The newest entry beyond the `rows` that may stay."""
    found: UUID | None = await connection.fetchval(QUERIES["find_first_excess"], team, rows)
    return found


async def list_teams_with_old_keys(connection: Connection, before: datetime) -> list[UUID]:
    """The teams that have idempotency keys from before this time."""
    return [row[0] for row in await connection.fetch(QUERIES["list_teams_with_old_keys"], before)]


async def delete_old_keys(connection: Connection, team: UUID, before: datetime) -> int:
    """Take away a piece of the keys from before this time; how many went."""
    return _count(await connection.execute(QUERIES["delete_old_keys"], team, before, PIECE))


async def list_teams_with_old_events(connection: Connection, before: datetime) -> list[UUID]:
    """The teams that have events from before this time."""
    return [row[0] for row in await connection.fetch(QUERIES["list_teams_with_old_events"], before)]


async def delete_old_events(connection: Connection, team: UUID, before: datetime) -> int:
    """Take away a piece of the events from before this time; how many went."""
    return _count(await connection.execute(QUERIES["delete_old_events"], team, before, PIECE))


async def list_teams_with_old_audits(connection: Connection, before: datetime) -> list[UUID]:
    """The teams that have audit rows from before this time."""
    return [row[0] for row in await connection.fetch(QUERIES["list_teams_with_old_audits"], before)]


async def delete_old_audits(connection: Connection, team: UUID, before: datetime) -> int:
    """Take away a piece of the audit rows from before this time; how many went."""
    return _count(await connection.execute(QUERIES["delete_old_audits"], team, before, PIECE))


async def delete_ended_tokens(connection: Connection, before: datetime) -> int:
    """Take away a piece of the tokens of partners that ended before this time; how many went."""
    return _count(await connection.execute(QUERIES["delete_ended_tokens"], before, PIECE))


async def note_uses(connection: Connection, uses: Iterable[tuple[UUID, UUID, datetime]]) -> None:
    """Note when credentials (team, id) were used last."""
    await connection.executemany(QUERIES["note_use"], sorted(uses))


def _count(tag: str) -> int:
    return int(tag.rpartition(" ")[2])
