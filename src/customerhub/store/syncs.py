"""Read and write what mirrors know of customers on the other side."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from asyncpg import Record
from msgspec import Struct

from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("syncs.sql")
_PIECE = 1000


class Sync(Struct, frozen=True):
    """What a mirror knows of one customer.

    `external_id` is the record over there, None until there is one. `written` are the values that both sides had when
    they were last made equal, by the mirror's own names, and `version` is the hub's version then. `left_out` says what
    the other side would not take, by field, and why. `creation` is a creation that was begun, with its exact body and
    key, until it is certain how it ended. `error` is what the other side said last, None where all is well.
    """

    customer: UUID
    external_id: str | None = None
    version: int = 0
    written: dict[str, Any] = {}  # Any: JSON
    left_out: dict[str, str] = {}
    creation: dict[str, Any] | None = None
    error: str | None = None
    at: datetime | None = None


def _to_sync(row: Record) -> Sync:
    customer, external_id, version, written, left_out, creation, error, at = row
    decode = msgspec.json.decode
    return Sync(
        customer,
        external_id,
        version,
        decode(written),
        decode(left_out),
        decode(creation) if creation is not None else None,
        error,
        at,
    )


async def find_sync(connection: Connection, team: UUID, sink: UUID, customer: UUID) -> Sync | None:
    """What a mirror knows of a customer."""
    row = await connection.fetchrow(QUERIES["find"], team, sink, customer)
    return _to_sync(row) if row is not None else None


async def lock_sync(connection: Connection, team: UUID, sink: UUID, customer: UUID) -> Sync | None:
    """The same, held until the transaction ends."""
    row = await connection.fetchrow(QUERIES["lock"], team, sink, customer)
    return _to_sync(row) if row is not None else None


async def find_sync_by_external_id(connection: Connection, team: UUID, sink: UUID, external_id: str) -> Sync | None:
    """The same by the record over there."""
    row = await connection.fetchrow(QUERIES["find_by_external_id"], team, sink, external_id)
    return _to_sync(row) if row is not None else None


async def list_syncs(
    connection: Connection, team: UUID, sink: UUID, after: UUID, limit: int, *, troubled_only: bool = False
) -> list[Sync]:
    """At most `limit` behind a customer, by customer; `troubled_only` are those with an error or something left out."""
    rows = await connection.fetch(QUERIES["list_troubled" if troubled_only else "list"], team, sink, after, limit)
    return [_to_sync(row) for row in rows]


async def count_syncs(connection: Connection, team: UUID, sink: UUID) -> tuple[int, int, int]:
    """How many customers a mirror knows, with how many there is an error, of how many something was left out."""
    row = await connection.fetchrow(QUERIES["count"], team, sink)
    assert row is not None  # noqa: S101 - an aggregate always has one
    return row[0], row[1], row[2]


async def put_sync(connection: Connection, team: UUID, sink: UUID, sync: Sync, at: datetime) -> None:
    """Keep what a mirror knows of a customer now.

    Raises asyncpg.UniqueViolationError where another customer has that record over there.
    """
    await connection.execute(
        QUERIES["put"],
        team,
        sink,
        sync.customer,
        sync.external_id,
        sync.version,
        msgspec.json.encode(sync.written),
        msgspec.json.encode(sync.left_out),
        msgspec.json.encode(sync.creation) if sync.creation is not None else None,
        at,
        sync.error,
    )


async def remember_message(connection: Connection, team: UUID, sink: UUID, message: str, at: datetime) -> bool:
    """Whether a message from over there is new; it is not from now on."""
    return str(await connection.execute(QUERIES["remember_message"], team, sink, message, at)).endswith(" 1")


async def forget_messages(connection: Connection, team: UUID, before: datetime) -> int:
    """Forget a piece of the messages from before a time, which do not come again; how many."""
    done = await connection.execute(QUERIES["forget_messages"], team, before, _PIECE)
    return int(str(done).rsplit(" ", 1)[-1])


async def forget(connection: Connection, team: UUID, sink: UUID) -> None:
    """Forget all that was known of the other side of a sink."""
    await connection.execute(QUERIES["forget"], team, sink)
