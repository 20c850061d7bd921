"""Take old versions out of the history, so that what is left still leads to every later state."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.history import HistoryEntry
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries
from customerhub.store.timeline import to_entry

QUERIES = load_queries("folding.sql")
PIECE: Final = 200
"""So many versions are looked at in one transaction at most."""
Place = tuple[datetime, UUID, int]

_encode = msgspec.json.Encoder(decimal_format="string").encode


async def list_teams_with_old_changes(connection: Connection, before: datetime) -> list[tuple[UUID, datetime | None]]:
    """Teams with changes that became too old since it was looked last, each with the time up to which it was."""
    return [(row[0], row[1]) for row in await connection.fetch(QUERIES["list_teams_with_old_changes"], before)]


async def list_aged(
    connection: Connection, team: UUID, since: datetime | None, before: datetime, behind: Place
) -> list[Place]:
    """A piece of the team's changes between two times, in the order of time, behind one of them."""
    rows = await connection.fetch(QUERIES["list_aged"], team, since, before, PIECE, *behind)
    return [(row[0], row[1], row[2]) for row in rows]


async def hold_old_versions(
    connection: Connection, team: UUID, customer_id: UUID, before: datetime
) -> Sequence[HistoryEntry]:
    """A customer's versions from before a time, in order, as they are until the transaction ends."""
    return [to_entry(row) for row in await connection.fetch(QUERIES["hold_old_versions"], team, customer_id, before)]


async def fold(connection: Connection, customer: Customer) -> None:
    """Let this version hold the whole record, and take away those before it."""
    whole = _encode([FieldChange("", None, customer)])
    await connection.execute(QUERIES["fold"], customer.team, customer.id, customer.version, whole)


async def note_folded(connection: Connection, team: UUID, until: datetime) -> None:
    """Remember that all changes from before this time were looked at."""
    await connection.execute(QUERIES["note_folded"], team, until)
