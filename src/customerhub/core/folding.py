"""Bound the age of the history: what is too old goes, and the newest of it stays, with the whole record in it.

So every later version can still be read, reverted to and walked past; that there was something before is known by its
number. An erased record stays as its erasure left it until that is too old itself.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from customerhub.model.error import HistoryGone
from customerhub.model.replay import replay
from customerhub.store import feed as feed_store
from customerhub.store import folding as store
from customerhub.store.db import Connection
from customerhub.store.folding import Place

Lease = Callable[[], AbstractAsyncContextManager[Connection]]

_BEGINNING: Final[Place] = (datetime.fromtimestamp(0, UTC), UUID(int=0), 0)
_FEWEST: Final = 2


async def fold_history(lease: Lease, before: datetime, rest: Callable[[], Awaitable[None]]) -> None:
    """Fold what is from before this time, piece by piece, each in a transaction on a connection of its own.

    `rest` is awaited between two pieces. Where another process is at a team's feed, its history waits for the next
    time. Raises Unavailable, Busy and errors of the server.
    """
    async with lease() as connection:
        teams = await store.list_teams_with_old_changes(connection, before)
    for team, since in teams:
        behind: Place | None = _BEGINNING
        async with lease() as connection:
            await feed_store.add_counter(connection, team)
        while behind is not None:
            async with lease() as connection, connection.transaction():
                behind = await _fold_piece(connection, team, since, before, behind)
            await rest()


async def _fold_piece(
    connection: Connection, team: UUID, since: datetime | None, before: datetime, behind: Place
) -> Place | None:
    """Where the next piece begins; None where there is none, or somebody else is at it."""
    turn = await feed_store.claim(connection, team, waits=False)
    if turn is None:
        return None
    # What goes must not get a position any more. A long backlog takes its time, a piece in each transaction.
    if await feed_store.publish(connection, team, turn) >= feed_store.PIECE:
        return behind
    aged = await store.list_aged(connection, team, since, before, behind)
    for customer_id in dict.fromkeys(place[1] for place in aged):
        await _fold_customer(connection, team, customer_id, before)
    if len(aged) == store.PIECE:
        return aged[-1]
    await store.note_folded(connection, team, before)
    return None


async def _fold_customer(connection: Connection, team: UUID, customer_id: UUID, before: datetime) -> None:
    entries = await store.hold_old_versions(connection, team, customer_id, before)
    if len(entries) >= _FEWEST:
        try:
            customer = replay(entries)
        except HistoryGone:
            return
        await store.fold(connection, customer)
