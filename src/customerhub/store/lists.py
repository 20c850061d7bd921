"""Lists of customers: filters, order and pages as data, so that no door writes SQL."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from customerhub.model.customer import CUSTOMER_FIELDS, Customer, Status
from customerhub.store.customers import to_customer
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("lists.sql")
Order = Literal["created_at", "updated_at", "name", "display_name", "email"]
_NESTED = ("addresses", "contacts", "attributes")
_ALL = ", ".join(f"c.{field}" for field in CUSTOMER_FIELDS)
_PLAIN = ", ".join("'[]'::jsonb" if field in _NESTED else f"c.{field}" for field in CUSTOMER_FIELDS)


class CustomerFilter(Struct, frozen=True):
    """Which customers; None does not filter. Times are half-open: `…_from` is included, `…_before` is not.

    `search` is a part of the name, the email address or the phone number, ignoring case; no character is a wildcard.
    """

    status: Status | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    updated_from: datetime | None = None
    updated_before: datetime | None = None
    reference_ids: tuple[str, ...] | None = None
    search: str | None = None


class CustomerQuery(Struct, frozen=True):
    """A page of a list, counted from 1; text sorts ignoring case, ties by id, so that pages never overlap.

    Records without a value stand last in either direction.
    """

    filter: CustomerFilter = CustomerFilter()
    order: Order = "updated_at"
    is_descending: bool = True
    page: int = 1
    page_size: int = 10
    with_nested: bool = False


async def list_customers(connection: Connection, team: UUID, query: CustomerQuery) -> tuple[tuple[Customer, ...], int]:
    """The customers of the page and how many there are on all pages."""
    values = [
        (name, value) for name in query.filter.__struct_fields__ if (value := getattr(query.filter, name)) is not None
    ]
    parameters = [list(value) if isinstance(value, tuple) else value for _, value in values]

    def filters(first: int) -> str:
        return "".join(
            " " + QUERIES[f"filter_{name}"].format(f"${first + position}") for position, (name, _) in enumerate(values)
        )

    statement = QUERIES["page"].format(
        columns=_ALL if query.with_nested else _PLAIN,
        filters=filters(4),
        order=QUERIES[f"order_{query.order}"].format("desc" if query.is_descending else "asc"),
    )
    total = await connection.fetchval(QUERIES["total"].format(filters=filters(2)), team, *parameters)
    offset = (query.page - 1) * query.page_size
    if offset >= total:
        return (), total
    rows = await connection.fetch(statement, team, query.page_size, offset, *parameters)
    return tuple(map(to_customer, rows)), total
