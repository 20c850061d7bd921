"""Use cases that list: customers from the database, what the catalogue holds from its snapshot."""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar
from uuid import UUID

from msgspec import Struct

from customerhub.core.customers import Written
from customerhub.core.hub import Hub
from customerhub.core.standing import check_alive, check_member
from customerhub.model.answer import Caller
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import Unauthenticated
from customerhub.model.page import Position, created, to_window
from customerhub.store import customers as customer_store
from customerhub.store import lists as store
from customerhub.store.db import Connection
from customerhub.store.lists import CustomerFilter, CustomerQuery, Order
from customerhub.store.relatives import Relatives, Wanted, get_relatives

__all__ = [
    "CustomerFilter",
    "CustomerPage",
    "CustomerQuery",
    "CustomerWalk",
    "Order",
    "find_customer_by_email",
    "get_catalogue",
    "list_customers",
    "page_of",
    "walk_customers",
]

Item = TypeVar("Item")


class CustomerPage(Struct, frozen=True):
    """One page of customers, how many there are in all, and what they refer to."""

    customers: tuple[Customer, ...]
    total: int
    catalogue: Catalogue


class CustomerWalk(Struct, frozen=True):
    """One page of customers newest first, with what they refer to and the relatives that were wanted, by customer.

    `before` and `after` are the positions of the pages of newer and of older customers, None where there is none.
    """

    customers: tuple[Customer, ...]
    relatives: Mapping[UUID, Relatives]
    catalogue: Catalogue
    has_before: bool
    has_after: bool
    before: Position | None
    after: Position | None


async def list_customers(hub: Hub, caller: Caller, query: CustomerQuery) -> CustomerPage:
    """A page of the team's live customers; raises Unauthenticated."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        customers, total = await store.list_customers(connection, caller.team, query)
        return CustomerPage(customers, total, await _enter(hub, connection, caller))


async def walk_customers(
    hub: Hub,
    caller: Caller,
    chosen: CustomerFilter,
    position: Position | None,
    limit: int,
    wanted: Wanted | None = None,
    *,
    with_nested: bool = True,
) -> CustomerWalk:
    """A page of at most `limit` live customers by (created_at, id), newest first; raises Unauthenticated.

    A customer keeps its place while others come, go and change, so a walk from page to page sees each that was there
    throughout exactly once, and no page costs more for what lies before it. Without `with_nested` the customers come
    without their addresses, contacts and custom values; without `wanted` there are no relatives.
    """
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        found = await store.walk_customers(
            connection, caller.team, chosen, position, limit + 1, with_nested=with_nested
        )
        page = to_window(found, position, limit, created)
        relatives = {} if wanted is None else await get_relatives(connection, caller.team, page.items, wanted)
        catalogue = await _enter(hub, connection, caller)
    return CustomerWalk(page.items, relatives, catalogue, page.has_before, page.has_after, page.before, page.after)


async def find_customer_by_email(hub: Hub, caller: Caller, email: str) -> Written | None:
    """The live customer of an email address, ignoring case; the oldest where the team lets several have it.

    Raises Unauthenticated.
    """
    async with hub.database.lease() as connection:
        reading = await customer_store.find_by_email(connection, caller, email)
        if reading is None:
            raise Unauthenticated("unknown")
        check_alive(reading.revoked_at, reading.expires_at, hub.now())
        catalogue = await hub.catalogue(connection, caller.team, reading.catalogue_version)
        check_member(catalogue, caller)
        return Written(reading.customer, catalogue) if reading.customer is not None else None


async def get_catalogue(hub: Hub, caller: Caller) -> Catalogue:
    """The team's catalogue as it stands; raises Unauthenticated."""
    async with hub.database.lease() as connection:
        return await _enter(hub, connection, caller)


async def _enter(hub: Hub, connection: Connection, caller: Caller) -> Catalogue:
    """The catalogue as it stands: read after customers it has what came with them, read before it could lack that."""
    standing = await hub.get_standing(connection, caller)
    return await hub.catalogue(connection, caller.team, standing.catalogue_version)


def page_of(
    items: Iterable[Item],
    *,
    order: Callable[[Item], object],
    is_descending: bool,
    page: int,
    page_size: int,
) -> tuple[list[Item], int]:
    """One page, counted from 1, of items that are at hand anyway, and how many there are on all pages."""
    ordered = sorted(items, key=order, reverse=is_descending)  # type: ignore[arg-type] # keys are comparable tuples
    first = (page - 1) * page_size
    return ordered[first : first + page_size], len(ordered)
