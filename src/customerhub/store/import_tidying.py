"""Rows of imports go, and what came of them: when they are done, too old, or tell of a customer who is erased."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from customerhub.model.needles import Needles
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("imports.sql")
_PIECE: Final = 2000
_BEGINNING: Final = UUID(int=0)


async def delete_unseen(connection: Connection, team: UUID, import_id: UUID) -> None:
    """Take away what was never staged whole."""
    await connection.execute(QUERIES["delete_unseen"], team, import_id)


async def forget_results(connection: Connection, team: UUID, import_id: UUID, *, is_trial: bool) -> bool:
    """Take away a piece of what came of rows; whether there may be more."""
    tag = await connection.execute(QUERIES["forget_results"], team, import_id, is_trial, _PIECE)
    return int(tag.rpartition(" ")[2]) >= _PIECE


async def forget_rows(
    connection: Connection, team: UUID, import_id: UUID, behind: int, *, keeps_refused: bool
) -> int | None:
    """Take away a piece of the rows behind a line; the last line of the piece, None where there was none."""
    values = behind, _PIECE, keeps_refused
    found: int | None = await connection.fetchval(QUERIES["forget_rows"], team, import_id, *values)
    return found


async def mark_empty(connection: Connection, team: UUID, import_id: UUID) -> None:
    """Nothing is left of its rows."""
    await connection.execute(QUERIES["mark_empty"], team, import_id)


async def list_teams_with_old(connection: Connection, before: datetime) -> list[UUID]:
    """The teams that have rows of imports that nobody has touched since before this time."""
    return [row[0] for row in await connection.fetch(QUERIES["list_teams_with_old"], before)]


async def list_old(connection: Connection, team: UUID, before: datetime) -> list[UUID]:
    """Imports of a team that have rows and that nobody has touched since before this time."""
    return [row[0] for row in await connection.fetch(QUERIES["list_old"], team, before)]


async def erase(connection: Connection, team: UUID, customers: Collection[UUID], needles: Needles) -> None:
    """Take away what staged rows, and what came of rows, say of customers, piece by piece."""
    anchors, texts = list(needles.anchors), [*needles.ids, *needles.texts]
    place: Sequence[object] | None = (_BEGINNING, 0)
    while place is not None:
        place = await connection.fetchrow(QUERIES["erase_rows"], team, *place, _PIECE, anchors, texts)
    place = (_BEGINNING, False, 0, 0)
    while place is not None:
        place = await connection.fetchrow(
            QUERIES["erase_results"], team, *place, _PIECE, anchors, texts, list(customers)
        )
