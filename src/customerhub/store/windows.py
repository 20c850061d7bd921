"""How often limits were used, counted by all processes together."""

from datetime import datetime
from typing import Final

from msgspec import Struct

from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("windows.sql")
PIECE: Final = 1000
"""So many windows go in one statement at most."""
_TAKE = QUERIES["take"].format(counts=QUERIES["counts"])
_LOOK = QUERIES["look"].format(counts=QUERIES["counts"])


class Counts(Struct, frozen=True):
    """What stands in a key's running window and in the one before; `is_taken` where one was just added."""

    former: int
    running: int
    is_taken: bool = False


async def take(connection: Connection, key: str, slot: int, *, share: float, limit: int, ends_at: datetime) -> Counts:
    """Count one more in window `slot` unless former x `share` + running would pass the limit, which is at least 1."""
    row = await connection.fetchrow(_TAKE, key, slot, share, limit, ends_at)
    if row is None:
        return await look(connection, key, slot)
    return Counts(row[1], row[2], is_taken=row[0])


async def look(connection: Connection, key: str, slot: int) -> Counts:
    """What stands in window `slot` and in the one before it."""
    row = await connection.fetchrow(_LOOK, key, slot)
    return Counts(row[0], row[1]) if row is not None else Counts(0, 0)


async def delete_ended(connection: Connection, before: datetime) -> int:
    """Take away a piece of the windows that counted no more before this time; how many went."""
    tag: str = await connection.execute(QUERIES["delete_ended"], before, PIECE)
    return int(tag.rpartition(" ")[2])
