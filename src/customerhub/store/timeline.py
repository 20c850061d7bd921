"""What customers were: their versions, one after another, and those that are deleted."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg import Record
from msgspec import Struct

from customerhub.model.change import FieldChange
from customerhub.model.customer import CUSTOMER_FIELDS, Customer
from customerhub.model.history import HistoryEntry, HistoryFilter
from customerhub.model.page import Position
from customerhub.store.customers import to_customer
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("timeline.sql")
_COLUMNS = ", ".join(f"c.{field}" for field in CUSTOMER_FIELDS)
_CHANGES = HistoryEntry.__struct_fields__.index("changes")
_read_changes = msgspec.json.Decoder(tuple[FieldChange, ...]).decode
_read_ignored = msgspec.json.Decoder(tuple[str, ...]).decode


class Extent(Struct, frozen=True):
    """Which versions of a customer matter: the newest, the oldest kept, the one at a time, that of its erasure."""

    newest: int
    oldest: int
    standing: int | None
    erased: int | None


def to_entry(row: Record, first: int = 0) -> HistoryEntry:
    """The entry of a row whose columns stand in the order of its members, from position `first` on."""
    values = list(row)[first:]
    values[_CHANGES] = _read_changes(values[_CHANGES])
    values[-1] = _read_ignored(values[-1]) if values[-1] is not None else ()
    return HistoryEntry(*values)


async def list_entries(
    connection: Connection, team: UUID, customer_id: UUID, which: HistoryFilter, position: Position | None, limit: int
) -> list[HistoryEntry]:
    """At most `limit` entries from `position` on, in walking order: the newest first, or the oldest first backward."""
    if any("\0" in text for text in (which.dialect or "", *(which.paths or ()))):
        # No entry holds it and no statement can carry it.
        return []
    is_backward = position is not None and position.is_backward
    values: dict[str, object] = {name: getattr(which, name) for name in which.__struct_fields__}
    if position is not None:
        values["before" if is_backward else "after"] = to_version(position)
    filters, parameters = "", list[object]()
    for name, value in values.items():
        if value is not None:
            parameters.append(list(value) if isinstance(value, tuple) else value)
            filters += " " + QUERIES[f"filter_{name}"].format(f"${len(parameters) + 3}")
    statement = QUERIES["page"].format(filters=filters, order="asc" if is_backward else "desc")
    return [to_entry(row) for row in await connection.fetch(statement, team, customer_id, limit, *parameters)]


def to_place(entry: HistoryEntry) -> tuple[datetime, UUID]:
    """What positions in a customer's history are made of: the version stands in for an id."""
    return entry.at, UUID(int=entry.version)


def to_version(position: Position) -> int:
    """The version of such a position; one that no customer can have counts as the highest of all."""
    return min(position.id.int, (1 << 63) - 1)


async def has_history(connection: Connection, team: UUID, customer_id: UUID) -> bool:
    """Whether the team has or had such a customer."""
    return bool(await connection.fetchval(QUERIES["has_history"], team, customer_id))


async def find_extent(connection: Connection, team: UUID, customer_id: UUID, at: datetime | None) -> Extent | None:
    """The versions that matter of a customer; None where there never was one."""
    row = await connection.fetchrow(QUERIES["find_extent"], team, customer_id, at)
    assert row is not None  # noqa: S101 - an aggregate always has one
    return Extent(*row) if row["newest"] is not None else None


async def list_versions(
    connection: Connection, team: UUID, customer_id: UUID, first: int, last: int
) -> Sequence[HistoryEntry]:
    """A customer's versions from `first` to `last`, in order, as far as they are kept."""
    return [to_entry(row) for row in await connection.fetch(QUERIES["list_versions"], team, customer_id, first, last)]


async def get_deleted(connection: Connection, team: UUID, customer_id: UUID) -> Customer | None:
    """The deleted customer of this id."""
    row = await connection.fetchrow(QUERIES["get_deleted"].format(columns=_COLUMNS), team, customer_id)
    return to_customer(row) if row is not None else None


async def list_deleted(
    connection: Connection, team: UUID, position: Position | None, limit: int
) -> tuple[Customer, ...]:
    """Up to `limit` deleted customers from `position` on, in walking order: the last deleted first."""
    filters, parameters = "", list[object]()
    is_backward = position is not None and position.is_backward
    if position is not None:
        filters = " " + QUERIES["deleted_before" if is_backward else "deleted_after"].format(at="$3", id="$4")
        parameters = [position.at, position.id]
    statement = QUERIES["list_deleted"].format(
        columns=_COLUMNS, filters=filters, order="asc" if is_backward else "desc"
    )
    return tuple(map(to_customer, await connection.fetch(statement, team, limit, *parameters)))
