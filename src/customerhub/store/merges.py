"""What a merge did to whom, read back for taking it back."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.change import FieldChange
from customerhub.model.customer import CUSTOMER_FIELDS, Customer
from customerhub.store.customers import to_customer
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("merges.sql")
_COLUMNS = ", ".join(f"c.{field}" for field in CUSTOMER_FIELDS)
_GET_SOURCES = QUERIES["get_sources"].format(columns=_COLUMNS)
_GET_BELOW = QUERIES["get_below"].format(columns=_COLUMNS)
_read_changes = msgspec.json.Decoder(tuple[FieldChange, ...]).decode


class MergedRecord(Struct, frozen=True):
    """One record that a merge changed: the version that it came to by that, and what was changed in it."""

    customer: UUID
    version: int
    action: str
    changes: tuple[FieldChange, ...]


async def list_merged(connection: Connection, team: UUID, at: datetime, request_id: str) -> tuple[MergedRecord, ...]:
    """Everybody whom the request of a merge changed at its moment, the target too."""
    rows = await connection.fetch(QUERIES["list_merged"], team, at, request_id)
    return tuple(MergedRecord(row[0], row[1], row[2], _read_changes(row[3])) for row in rows)


async def get_sources(
    connection: Connection, team: UUID, customer_ids: Collection[UUID], target: UUID, at: datetime
) -> tuple[Customer, ...]:
    """Those of the customers that are deleted since then and say that they went into the target."""
    rows = await connection.fetch(_GET_SOURCES, team, list(customer_ids), target, at)
    return tuple(map(to_customer, rows))


async def get_below(
    connection: Connection, team: UUID, customer_ids: Collection[UUID], target: UUID
) -> tuple[Customer, ...]:
    """Those of the customers that are live and stand below the target."""
    rows = await connection.fetch(_GET_BELOW, team, list(customer_ids), target)
    return tuple(map(to_customer, rows))
