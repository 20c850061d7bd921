"""Who is above and below customers: parents, children, the whole line up."""

from collections.abc import Collection
from uuid import UUID

from asyncpg import Record
from msgspec import Struct

from customerhub.model.customer import CUSTOMER_FIELDS, Customer
from customerhub.store.customers import to_customer
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("relatives.sql")
_NESTED = ("addresses", "contacts", "attributes")
_SHALLOW = ", ".join("'[]'::jsonb" if field in _NESTED else f"r.{field}" for field in CUSTOMER_FIELDS)
_GET_RELATIVES = QUERIES["get_relatives"].format(columns=_SHALLOW)
_GET_CHILDREN = QUERIES["get_children"].format(columns=", ".join(f"c.{field}" for field in CUSTOMER_FIELDS))
_FIRST_COLUMN = 4
_ID = CUSTOMER_FIELDS.index("id")


class Wanted(Struct, frozen=True):
    """Which relatives a reader asks for: the parent, and so many of the newest children; has_children comes anyway."""

    parent: bool = False
    children: int = 0


class Relatives(Struct, frozen=True):
    """Who is above and below one customer, as far as it was asked for; live ones only, children newest first.

    The customers in here come without their addresses, contacts and custom values. `parents` are those of them that
    have children themselves.
    """

    has_children: bool
    parent: Customer | None = None
    children: tuple[Customer, ...] = ()
    has_more_children: bool = False
    parents: frozenset[UUID] = frozenset()


async def get_relatives(
    connection: Connection, team: UUID, customers: Collection[Customer], wanted: Wanted
) -> dict[UUID, Relatives]:
    """The relatives of each of the customers, by its id, in one query; none is asked for no customers.

    A customer's parent is the one that its value here names, whether that is stored yet or not.
    """
    once = {customer.id: customer for customer in customers}
    if not once:
        return {}
    rows = await connection.fetch(
        _GET_RELATIVES,
        team,
        list(once),
        [customer.parent for customer in once.values()],
        wanted.parent,
        wanted.children + 1 if wanted.children else 0,
    )
    grouped: dict[UUID, list[Record]] = {own: [] for own in once}
    for row in rows:
        grouped[row[0]].append(row)
    return {own: _to_relatives(found, wanted) for own, found in grouped.items()}


def _to_relatives(rows: list[Record], wanted: Wanted) -> Relatives:
    """The rows of one customer: at least one, which names no relative where there is none."""
    above = [row for row in rows if row[2]]
    below = [row for row in rows if row[2] is False]
    shown = [*above, *below[: wanted.children]]
    relatives = [to_customer(row, _FIRST_COLUMN) for row in shown]
    return Relatives(
        has_children=rows[0][1],
        parent=relatives[0] if above else None,
        children=tuple(relatives[len(above) :]),
        has_more_children=len(below) > wanted.children,
        parents=frozenset(row[_FIRST_COLUMN + _ID] for row in shown if row[3]),
    )


async def has_children(connection: Connection, team: UUID, customer_id: UUID) -> bool:
    """Whether live customers have this one as their parent."""
    return bool(await connection.fetchval(QUERIES["has_children"], team, customer_id))


async def get_children(connection: Connection, team: UUID, customer_ids: Collection[UUID]) -> tuple[Customer, ...]:
    """The live customers that have one of these as their parent, whole, in the order of their ids."""
    rows = await connection.fetch(_GET_CHILDREN, team, list(customer_ids))
    return tuple(map(to_customer, rows))


async def get_line(connection: Connection, team: UUID, customer_id: UUID) -> tuple[UUID, ...]:
    """A live customer and all above it, from the nearest on; empty where there is no such customer."""
    return tuple(row[0] for row in await connection.fetch(QUERIES["get_line"], team, customer_id))


async def find_successor(connection: Connection, team: UUID, customer_id: UUID) -> UUID | None:
    """The live customer that a deleted one went into, over any number of merges; None where it went into none."""
    found: UUID | None = await connection.fetchval(QUERIES["find_successor"], team, customer_id)
    return found
