"""Use cases on what a customer was: its history, any former version, what was deleted, and a team's feed of changes."""

import time
from datetime import datetime
from typing import Final
from uuid import UUID

from customerhub.core.hub import Hub
from customerhub.core.publisher import publish_until
from customerhub.core.revert import Reversion, get_former, restore_customer, revert_customer
from customerhub.core.versions import Written
from customerhub.model.answer import Caller
from customerhub.model.customer import Customer
from customerhub.model.error import FieldError, Invalid, NotFound
from customerhub.model.history import Feed, FeedEntry, HistoryEntry, HistoryFilter
from customerhub.model.page import Position, Window, to_window
from customerhub.store import feed as feed_store
from customerhub.store import timeline as store
from customerhub.store.db import Connection

__all__ = [
    "Feed",
    "FeedEntry",
    "HistoryEntry",
    "HistoryFilter",
    "Reversion",
    "get_customer_at",
    "get_deleted_customer",
    "get_history",
    "list_deleted",
    "restore_customer",
    "revert_customer",
    "walk_changes",
]

_HIGHEST: Final = 2**63 - 1


async def get_history(
    hub: Hub,
    caller: Caller,
    customer_id: UUID | None,
    position: Position | None,
    limit: int,
    which: HistoryFilter | None = None,
) -> Window[HistoryEntry]:
    """A page of at most `limit` of a customer's versions, the newest first; also of one that is deleted.

    Raises Unauthenticated, and NotFound where the team never had such a customer.
    """
    missing = NotFound("customer", str(customer_id))
    if customer_id is None:
        raise missing
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        found = await store.list_entries(
            connection, caller.team, customer_id, which or HistoryFilter(), position, limit + 1
        )
        if not found and not await store.has_history(connection, caller.team, customer_id):
            raise missing
    return to_window(found, position, limit, store.to_place)


async def get_customer_at(hub: Hub, caller: Caller, customer_id: UUID | None, at: int | datetime) -> Written:
    """A customer as it was at a version, or at a time: the version that stood then; with the catalogue of today.

    Also of one that is deleted by now, and then also the version that says so (`deleted_at`). Raises Unauthenticated,
    NotFound where there was no such version (also: not yet), and HistoryGone where it is not known any more.
    """
    if customer_id is None:
        raise NotFound("customer", "")
    async with hub.database.lease() as connection:
        standing = await hub.get_standing(connection, caller)
        customer = await get_former(connection, caller.team, customer_id, at)
        return Written(customer, await hub.catalogue(connection, caller.team, standing.catalogue_version))


async def get_deleted_customer(hub: Hub, caller: Caller, customer_id: UUID | None) -> Written:
    """A deleted customer as it was last, with the catalogue of today; raises Unauthenticated and NotFound."""
    if customer_id is None:
        raise NotFound("customer", "")
    async with hub.database.lease() as connection:
        standing = await hub.get_standing(connection, caller)
        customer = await store.get_deleted(connection, caller.team, customer_id)
        if customer is None:
            raise NotFound("customer", str(customer_id))
        return Written(customer, await hub.catalogue(connection, caller.team, standing.catalogue_version))


async def list_deleted(hub: Hub, caller: Caller, position: Position | None, limit: int) -> Window[Customer]:
    """A page of at most `limit` deleted customers, the last deleted first; raises Unauthenticated."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        found = await store.list_deleted(connection, caller.team, position, limit + 1)
    return to_window(found, position, limit, _deleted)


def _deleted(customer: Customer) -> tuple[datetime, UUID]:
    return customer.deleted_at or customer.updated_at, customer.id


async def walk_changes(hub: Hub, caller: Caller, after: int, limit: int, wait: float = 0) -> Feed:
    """At most `limit` changes of the team after a position (0: from the first on), in the order of their positions.

    Where there is none it waits for one, `wait` seconds at most, and holds nothing meanwhile. Every change that was
    acknowledged before the question is in the feed. Raises Unauthenticated, and Invalid (`after`) for a position that
    nothing has yet.
    """
    deadline = time.monotonic() + wait
    while True:
        async with hub.database.lease() as connection:
            await hub.get_standing(connection, caller)
            feed = await _read_feed(connection, caller.team, after, limit)
        remaining = deadline - time.monotonic()
        if feed.entries or remaining <= 0 or hub.publisher.is_closing:
            return feed
        await hub.publisher.watch(caller.team, after, remaining)


async def _read_feed(connection: Connection, team: UUID, after: int, limit: int) -> Feed:
    if 0 <= after <= _HIGHEST:
        await publish_until(connection, team, min(after + limit, _HIGHEST))
        entries = await feed_store.get_page(connection, team, after, limit)
        if entries:
            return Feed(entries, entries[-1].position)
        if after < await feed_store.find_next(connection, team):
            return Feed((), after)
    raise Invalid((FieldError(("after",), "unknown_position", "is no position of this feed"),))
