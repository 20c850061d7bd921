"""Look through customers in an order, a bounded number at a time, whatever the filters are."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.customer import Customer
from customerhub.store.customers import to_customer
from customerhub.store.db import Connection
from customerhub.store.lists import ALL_COLUMNS, PLAIN_COLUMNS, CustomerFilter, asks_for_nul, to_conditions, to_filters
from customerhub.store.queries import load_queries

__all__ = ["ORDERS", "BrowseOrder", "CustomerFilter", "Listing", "Place", "Stretch"]

QUERIES = load_queries("browse.sql")
BrowseOrder = Literal["name", "number", "created_at", "updated_at"]
ORDERS: Final[tuple[BrowseOrder, ...]] = ("name", "number", "created_at", "updated_at")
"""What has an index that gives the order."""
_TIMES: Final[Mapping[BrowseOrder, tuple[str, ...]]] = {
    "created_at": ("created_from", "created_before", "created_until"),
    "updated_at": ("updated_from", "updated_before"),
}
"""What the order's own index narrows: no row beyond is looked at."""
# So many rows are read in some hundredths of a second where they lie side by side, and where they do not; and so many
# entries of an index alone.
_ROWS, _SCATTERED, _ENTRIES = 20_000, 10_000, 50_000
# To look into a row's addresses takes about so much longer.
_WEIGHT: Final = 4


class Place(Struct, frozen=True):
    """A place in the list: behind the customer of this key and id, or before it where the walk goes backward.

    The key is a time or a text, as the order has it; the customer itself need not exist any more. `takes`: the walk
    begins with it.
    """

    key: datetime | str
    id: UUID
    is_backward: bool = False
    takes: bool = False

    def turned(self, *, takes: bool) -> "Place":
        """The other way from here; `takes`: with the customer that it was made of."""
        return Place(self.key, self.id, not self.is_backward, takes)


class Listing(Struct, frozen=True):
    """Which customers, in which order."""

    filter: CustomerFilter = CustomerFilter()
    order: BrowseOrder = "updated_at"
    is_descending: bool = True

    @property
    def reach(self) -> int:
        """How many customers a page looks through at most: more where the order's index has all that is asked about."""
        filters = {name for name, _ in to_conditions(self.filter)} - set(_TIMES.get(self.order, ()))
        if filters <= {"status"} and self.order != "number":
            return _ENTRIES
        rows = _ROWS if self.order in _TIMES else _SCATTERED
        return rows // _WEIGHT if "address" in filters else rows

    @property
    def is_plain(self) -> bool:
        """Whether nothing is asked but what the order's own index narrows."""
        return not {name for name, _ in to_conditions(self.filter)} - set(_TIMES.get(self.order, ()))


class Stretch(Struct, frozen=True):
    """What a look through the next customers found, in walking order; `end` is where it stopped, if there are more."""

    places: tuple[Place, ...]
    end: Place | None = None


class _Statement:
    """The pieces of one statement and its parameters, of which so many are there already."""

    def __init__(self, listing: Listing, parameters: Sequence[object], place: Place | None = None) -> None:
        self.parameters = list(parameters)
        is_backward = place is not None and place.is_backward
        is_descending = listing.is_descending is not is_backward
        conditions = to_conditions(listing.filter)
        own = _TIMES.get(listing.order, ())
        key = QUERIES[f"key_{listing.order}"]
        self.pieces = {
            "key": key,
            "order": "desc" if is_descending else "asc",
            "bounds": self._take([one for one in conditions if one[0] in own]),
            "filters": self._take([one for one in conditions if one[0] not in own]),
        }
        if place is not None:
            kind = "text" if isinstance(place.key, str) else "timestamptz"
            first = len(self.parameters) + 1
            self.parameters += [place.key, place.id]
            self.pieces["bounds"] += " " + QUERIES["after"].format(
                key=key,
                sign=("<" if is_descending else ">") + "=" * place.takes,
                value=f"${first}::{kind}",
                id=f"${first + 1}",
            )

    def _take(self, conditions: list[tuple[str, object]]) -> str:
        text = to_filters(conditions, len(self.parameters) + 1)
        self.parameters += [value for _, value in conditions]
        return text

    def of(self, name: str) -> tuple[str, list[object]]:
        """The statement of this name, and its parameters."""
        return QUERIES[name].format(**self.pieces), self.parameters


def keys_statement(
    team: UUID, listing: Listing, place: Place | None, limit: int, reach: int
) -> tuple[str, list[object]]:
    """The statement of a look through the next customers, and its parameters."""
    return _Statement(listing, (team, limit, reach), place).of("keys")


def count_statement(team: UUID, listing: Listing, most: int) -> tuple[str, list[object]]:
    """The statement that counts among the first customers, and its parameters."""
    return _Statement(listing, (team, most)).of("count")


async def look_through(
    connection: Connection, team: UUID, listing: Listing, place: Place | None, limit: int, reach: int
) -> Stretch:
    """At most `limit` of the next `reach` customers from a place on."""
    if asks_for_nul(listing.filter):
        return Stretch(())
    statement, parameters = keys_statement(team, listing, place, limit, reach)
    is_backward = place is not None and place.is_backward
    rows = await connection.fetch(statement, *parameters)
    places = tuple(Place(key, customer, is_backward) for customer, key in rows)
    if len(places) == limit or listing.is_plain:
        return Stretch(places)
    bare = Listing(_only_times(listing), listing.order, listing.is_descending)
    statement, parameters = _Statement(bare, (team, reach), place).of("reach")
    last = await connection.fetchrow(statement, *parameters)
    return Stretch(places, Place(last["key"], last["id"], is_backward) if last is not None else None)


def _only_times(listing: Listing) -> CustomerFilter:
    own = _TIMES.get(listing.order, ())
    return CustomerFilter(**{name: getattr(listing.filter, name) for name in own})


async def count(connection: Connection, team: UUID, listing: Listing, most: int) -> tuple[int, int]:
    """How many of the first `most` customers answer, and how many there are to look through, at most `most`."""
    if asks_for_nul(listing.filter):
        return 0, 0
    statement, parameters = count_statement(team, listing, most)
    row = await connection.fetchrow(statement, *parameters)
    return row["found"], row["looked"]


async def list_among(connection: Connection, team: UUID, listing: Listing, customers: Sequence[UUID]) -> list[UUID]:
    """Which of some customers answer the filters, in the order of the listing."""
    if asks_for_nul(listing.filter) or not customers:
        return []
    statement, parameters = _Statement(listing, (team, list(customers))).of("among")
    return [customer for (customer,) in await connection.fetch(statement, *parameters)]


async def find_at_address(
    connection: Connection, team: UUID, address: Mapping[Literal["city", "state", "postal_code"], str], limit: int
) -> list[UUID]:
    """At most `limit` live customers one of whose addresses holds exactly this, in no order; needs a transaction."""
    if any("\0" in text for text in address.values()):
        return []
    await connection.execute(QUERIES["by_index"])
    rows = await connection.fetch(QUERIES["at_address"], team, limit, msgspec.json.encode([dict(address)]))
    return [customer for (customer,) in rows]


async def get_customers(
    connection: Connection, team: UUID, customers: Sequence[UUID], *, with_nested: bool
) -> tuple[Customer, ...]:
    """Those of some customers that are alive, in the order of their ids here."""
    if not customers:
        return ()
    statement = QUERIES["rows"].format(columns=ALL_COLUMNS if with_nested else PLAIN_COLUMNS)
    found = {one.id: one for one in map(to_customer, await connection.fetch(statement, team, list(customers)))}
    return tuple(found[customer] for customer in customers if customer in found)
