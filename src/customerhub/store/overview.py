"""Read what a team's first page says, a bounded number of rows at a time, and keep what was counted."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("overview.sql")
Json = dict[str, Any]  # Any: decoded JSON
_decode = msgspec.json.Decoder(Json).decode


class Figure(Struct, frozen=True):
    """What was counted: `state` is how far it has come since `begun_at`, `shown` what it came to last."""

    name: str
    version: int
    begun_at: datetime
    state: Json
    shown: Json | None
    shown_at: datetime | None


async def list_figures(connection: Connection, team: UUID) -> dict[str, Figure]:
    """What is kept of a team, by name."""
    rows = await connection.fetch(QUERIES["list_figures"], team)
    return {
        row["name"]: Figure(
            row["name"],
            row["version"],
            row["begun_at"],
            _decode(row["state"]),
            _decode(row["shown"]) if row["shown"] is not None else None,
            row["shown_at"],
        )
        for row in rows
    }


async def keep_figures(connection: Connection, team: UUID, figures: Iterable[Figure]) -> None:
    """Keep them, but for those that somebody else has counted on since they were read; version 0 is a new one."""
    rows = [
        (
            *(team, one.name, one.version, one.begun_at, msgspec.json.encode(one.state)),
            msgspec.json.encode(one.shown) if one.shown is not None else None,
            one.shown_at,
        )
        for one in figures
    ]
    async with connection.transaction():
        await connection.execute(QUERIES["lightly"])
        await connection.executemany(QUERIES["keep_figure"], rows)


class Piece(Struct, frozen=True):
    """Customers by status and one more word, and where the last one of them stands; None where there was none."""

    numbers: dict[tuple[str, str], int]
    last: tuple[datetime | str, UUID] | None


async def count_customers(
    connection: Connection, team: UUID, behind: tuple[datetime, UUID], word: str, limit: int
) -> Piece:
    """The next live customers, the newest first, `limit` at most: by status alone, under this word."""
    rows = await connection.fetch(QUERIES["count_customers"], team, *behind, limit)
    last = (rows[0]["created_at"], rows[0]["id"]) if rows else None
    return Piece({(row["status"], word): row["number"] for row in rows}, last)


async def count_standings(connection: Connection, team: UUID, behind: tuple[str, UUID], limit: int) -> Piece:
    """The next live customers whose standing is not `normal`, by standing and id, `limit` at most."""
    rows = await connection.fetch(QUERIES["count_standings"], team, *behind, limit)
    last = (rows[0]["last_standing"], rows[0]["last_id"]) if rows else None
    return Piece({(row["status"], row["standing"]): row["number"] for row in rows}, last)


async def find_change(
    connection: Connection, team: UUID, behind: datetime, number: int, until: datetime
) -> datetime | None:
    """When the change `number` places behind a time was made; None where there are fewer until then."""
    found: datetime | None = await connection.fetchval(QUERIES["find_change"], team, behind, number, until)
    return found


async def count_changes(
    connection: Connection, team: UUID, behind: datetime, until: datetime, limit: int
) -> dict[tuple[date, str], int]:
    """Changes after a time and not after another one by day and door, the first `limit` of them."""
    rows = await connection.fetch(QUERIES["count_changes"], team, behind, until, limit)
    return {(row["day"], row["dialect"]): row["number"] for row in rows}


class Told(Struct, frozen=True):
    """Deliveries by day and outcome; the lowest position that was looked at, and whether those before are older."""

    numbers: dict[tuple[date, str], int]
    position: int
    is_last: bool


async def count_deliveries(
    connection: Connection, team: UUID, sink: UUID, before: int, since: datetime, limit: int
) -> Told:
    """The next deliveries of a sink before a position, the newest first: of those since a time."""
    rows = await connection.fetch(QUERIES["count_deliveries"], team, sink, before, since, limit)
    if not rows:
        return Told({}, 0, is_last=True)
    first = rows[0]
    return Told(
        {(row["day"], row["status"]): row["number"] for row in rows if row["number"]},
        first["position"],
        first["looked"] < limit or first["at"] < since,
    )


async def name_customers(connection: Connection, team: UUID, customers: Iterable[UUID]) -> dict[UUID, str]:
    """What customers are called, deleted ones too."""
    return dict(await connection.fetch(QUERIES["name_customers"], team, list(customers)))
