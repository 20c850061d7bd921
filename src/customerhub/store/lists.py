"""Lists of customers: filters, order and pages as data, so that no door writes SQL."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.customer import CUSTOMER_FIELDS, CommissionPolicy, Customer, FreightPolicy, Standing, Status
from customerhub.model.page import Position
from customerhub.store.customers import to_customer
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("lists.sql")
Order = Literal["created_at", "updated_at", "name", "display_name", "email"]
_NESTED = ("addresses", "contacts", "attributes")
ALL_COLUMNS = ", ".join(f"c.{field}" for field in CUSTOMER_FIELDS)
PLAIN_COLUMNS = ", ".join("'[]'::jsonb" if field in _NESTED else f"c.{field}" for field in CUSTOMER_FIELDS)


class CustomerFilter(Struct, frozen=True):
    """Which customers; None does not filter, and of a tuple any value will do, so that an empty one finds nobody.

    Times are half-open but for `created_until`: `…_from` and `…_until` are included, `…_before` is not. `search` is a
    part of the name, the email address or the phone number, `text` of these or the number, ignoring case; no
    character is a wildcard. `email_key` is what all spellings of an email address share. `address` holds what one and
    the same address has, exactly. `is_parent` is whether live customers are below it.
    """

    status: Status | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    created_until: datetime | None = None
    updated_from: datetime | None = None
    updated_before: datetime | None = None
    ids: tuple[UUID, ...] | None = None
    reference_ids: tuple[str, ...] | None = None
    email_key: str | None = None
    search: str | None = None
    text: str | None = None
    type_groups: tuple[UUID, ...] | None = None
    price_groups_any: tuple[UUID, ...] | None = None
    default_sales_reps: tuple[UUID, ...] | None = None
    standings: tuple[Standing, ...] | None = None
    shipping_terms: tuple[UUID, ...] | None = None
    payment_terms: tuple[UUID, ...] | None = None
    carriers: tuple[UUID, ...] | None = None
    service_levels: tuple[UUID, ...] | None = None
    commission_policies: tuple[CommissionPolicy, ...] | None = None
    freight_policies: tuple[FreightPolicy, ...] | None = None
    is_parent: bool | None = None
    address: Mapping[Literal["city", "state", "postal_code"], str] | None = None


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
    if asks_for_nul(query.filter):
        return (), 0
    statement, parameters = page_statement(team, query)
    customers = tuple(map(to_customer, await connection.fetch(statement, *parameters)))
    skipped = (query.page - 1) * query.page_size
    is_last = 0 < len(customers) < query.page_size
    if is_last or (not skipped and not customers):
        return customers, skipped + len(customers)
    statement, parameters = total_statement(team, query.filter)
    return customers, await connection.fetchval(statement, *parameters)


def page_statement(team: UUID, query: CustomerQuery) -> tuple[str, list[object]]:
    """The statement of such a page and its parameters."""
    conditions = to_conditions(query.filter)
    statement = QUERIES["page"].format(
        columns=ALL_COLUMNS if query.with_nested else PLAIN_COLUMNS,
        filters=to_filters(conditions, 4),
        order=QUERIES[f"order_{query.order}"].format("desc" if query.is_descending else "asc"),
    )
    offset = (query.page - 1) * query.page_size
    return statement, [team, query.page_size, offset, *(value for _, value in conditions)]


def total_statement(team: UUID, chosen: CustomerFilter) -> tuple[str, list[object]]:
    """The statement that counts them, and its parameters."""
    conditions = to_conditions(chosen)
    statement = QUERIES["total"].format(filters=to_filters(conditions, 2))
    return statement, [team, *(value for _, value in conditions)]


async def walk_customers(
    connection: Connection,
    team: UUID,
    chosen: CustomerFilter,
    position: Position | None,
    limit: int,
    *,
    with_nested: bool = True,
) -> tuple[Customer, ...]:
    """Up to `limit` customers from `position` on, in walking order: newest first, oldest first backward."""
    if asks_for_nul(chosen):
        return ()
    statement, parameters = walk_statement(team, chosen, position, limit, with_nested=with_nested)
    return tuple(map(to_customer, await connection.fetch(statement, *parameters)))


async def list_by_id(connection: Connection, team: UUID, after: UUID, limit: int) -> tuple[Customer, ...]:
    """At most `limit` live customers whose ids come after this one, by id."""
    statement = QUERIES["by_id"].format(columns=ALL_COLUMNS)
    return tuple(map(to_customer, await connection.fetch(statement, team, after, limit)))


def walk_statement(
    team: UUID, chosen: CustomerFilter, position: Position | None, limit: int, *, with_nested: bool = True
) -> tuple[str, list[object]]:
    """The statement of such a page and its parameters."""
    conditions = to_conditions(chosen)
    parameters = [team, limit, *(value for _, value in conditions)]
    filters = to_filters(conditions, 3)
    is_backward = position is not None and position.is_backward
    if position is not None:
        place = {"at": f"${len(parameters) + 1}", "id": f"${len(parameters) + 2}"}
        filters += " " + QUERIES["walk_before" if is_backward else "walk_after"].format(**place)
        parameters += [position.at, position.id]
    statement = QUERIES["walk"].format(
        columns=ALL_COLUMNS if with_nested else PLAIN_COLUMNS, filters=filters, order="asc" if is_backward else "desc"
    )
    return statement, parameters


def to_conditions(chosen: CustomerFilter) -> list[tuple[str, object]]:
    """The names of what filters, each with its parameter."""
    found = ((name, getattr(chosen, name)) for name in chosen.__struct_fields__)
    return [(name, _to_parameter(value)) for name, value in found if value is not None]


def _to_parameter(value: object) -> object:
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return msgspec.json.encode([dict(value)])
    return value


def to_filters(conditions: list[tuple[str, object]], first: int) -> str:
    """The conditions as SQL, with parameters from `first` on."""
    return "".join(
        " " + QUERIES[f"filter_{name}"].format(f"${first + position}") for position, (name, _) in enumerate(conditions)
    )


def asks_for_nul(chosen: CustomerFilter) -> bool:
    """Whether a text has a NUL in it, which no record holds and no statement can carry."""
    texts = [
        chosen.search,
        chosen.text,
        chosen.email_key,
        *(chosen.reference_ids or ()),
        *(chosen.address or {}).values(),
    ]
    return any(text is not None and "\0" in text for text in texts)
