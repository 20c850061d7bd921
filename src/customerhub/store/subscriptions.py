"""Read and write subscriptions."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("subscriptions.sql")
SubscriptionStatus = Literal["active", "paused", "disabled"]


class Subscription(Struct, frozen=True):
    """Who is to be told of one kind of event; `secret` is encrypted, None where deliveries are not signed."""

    id: UUID
    dialect: str
    event: str
    url: str
    secret: bytes | None
    status: SubscriptionStatus
    version: int
    created_at: datetime
    updated_at: datetime


async def list_subscriptions(connection: Connection, team: UUID, dialect: str) -> tuple[Subscription, ...]:
    """A team's subscriptions through one dialect, the oldest first."""
    return tuple(Subscription(*row) for row in await connection.fetch(QUERIES["list"], team, dialect))


async def find_subscription(
    connection: Connection, team: UUID, dialect: str, subscription_id: UUID
) -> Subscription | None:
    """A subscription, held until the transaction ends."""
    row = await connection.fetchrow(QUERIES["find"], team, dialect, subscription_id)
    return Subscription(*row) if row is not None else None


async def insert_subscription(connection: Connection, team: UUID, new: Subscription, actor: UUID) -> None:
    """Store a new subscription."""
    await connection.execute(
        QUERIES["insert"],
        team,
        new.id,
        new.dialect,
        new.event,
        new.url,
        new.secret,
        new.status,
        new.created_at,
        actor,
    )


async def update_subscription(connection: Connection, team: UUID, after: Subscription, actor: UUID) -> None:
    """Store the next version of one that is held."""
    await connection.execute(
        QUERIES["update"],
        team,
        after.id,
        after.event,
        after.url,
        after.secret,
        after.status,
        after.version,
        after.updated_at,
        actor,
    )


async def delete_subscription(
    connection: Connection, team: UUID, subscription: Subscription, at: datetime, actor: UUID
) -> None:
    """End one that is held; its secret is gone with it."""
    await connection.execute(QUERIES["delete"], team, subscription.id, subscription.version + 1, at, actor)


async def lock_sinks(connection: Connection, team: UUID) -> None:
    """Hold the team's mark, before any of its subscriptions is read or written."""
    await connection.execute(QUERIES["lock_sinks"], team)


async def settle_sinks(connection: Connection, team: UUID) -> None:
    """Mark whether anybody is to be told of the team's changes."""
    await connection.execute(QUERIES["settle_sinks"], team)
