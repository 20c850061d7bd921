"""Erase customers: their history, what else speaks of them, and what is left to do afterwards."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.change import FieldChange
from customerhub.model.customer import CUSTOMER_FIELDS, Customer
from customerhub.model.history import HistoryEntry
from customerhub.model.needles import Needles
from customerhub.store.customers import ReadForWrite, to_customer
from customerhub.store.db import Connection
from customerhub.store.personal import ERASED
from customerhub.store.queries import load_queries
from customerhub.store.timeline import to_entry

QUERIES = load_queries("erasure.sql")
PIECE: Final = 2000
"""So many rows are looked through by one statement."""
_GET_RECORDS = QUERIES["get_records"].format(columns=", ".join(f"c.{field}" for field in CUSTOMER_FIELDS))
_MOST: Final = 100
_TIDY_SECONDS: Final = 3600
_ANALYZE_SECONDS: Final = 300
_encode = msgspec.json.Encoder(decimal_format="string").encode
_read_changes = msgspec.json.Decoder(tuple[FieldChange, ...]).decode


class Unsettled(Struct, frozen=True):
    """An erasure that may not have reached everything; `is_due`: it is closed for long enough to be settled."""

    team: UUID
    customer: UUID
    at: datetime
    marks: tuple[str, ...]
    is_closed: bool
    is_due: bool


async def read_team(connection: Connection, team: UUID) -> ReadForWrite:
    """What a write starts from where the operator makes it, whom no credential stands for; there is such a team."""
    row = await connection.fetchrow(QUERIES["read_team"], team)
    assert row is not None  # noqa: S101 - it was found by its name or id
    return ReadForWrite(
        None, None, requires_precondition=False, catalogue_version=row[0], has_sinks=row[1], kept=None, customer=None
    )


async def is_erased(connection: Connection, team: UUID, customer_id: UUID) -> bool:
    """Whether this customer was erased."""
    return bool(await connection.fetchval(QUERIES["is_erased"], team, customer_id))


async def list_chain(connection: Connection, team: UUID, customer_id: UUID) -> tuple[UUID, ...]:
    """A customer, live or deleted, with all that went into it; empty where there is no such customer."""
    return tuple(row[0] for row in await connection.fetch(QUERIES["list_chain"], team, customer_id))


async def get_records(connection: Connection, team: UUID, ids: Collection[UUID]) -> tuple[Customer, ...]:
    """Customers, live or deleted."""
    return tuple(map(to_customer, await connection.fetch(_GET_RECORDS, team, list(ids))))


async def has_children(connection: Connection, team: UUID, ids: Collection[UUID]) -> bool:
    """Whether live customers have one of these as their parent."""
    return bool(await connection.fetchval(QUERIES["has_children"], team, list(ids)))


async def list_changes(connection: Connection, team: UUID, ids: Collection[UUID]) -> list[FieldChange]:
    """All changes of these customers, in no order."""
    rows = await connection.fetch(QUERIES["list_changes"], team, list(ids))
    return [change for row in rows for change in _read_changes(row[0])]


async def list_address_audits(connection: Connection, team: UUID, ids: Collection[UUID]) -> list[FieldChange]:
    """What changed in these addresses while no customer had them."""
    rows = await connection.fetch(QUERIES["list_address_audits"], team, list(ids))
    return [change for row in rows for change in _read_changes(row[0])]


async def list_linked(connection: Connection, team: UUID, ids: Collection[UUID]) -> dict[UUID, int]:
    """Other customers that one of these was merged with, each with its version by that; 0 where that is not known."""
    rows = await connection.fetch(QUERIES["list_linked"], team, list(ids))
    return {row[0]: row[1] for row in rows}


async def hold_versions(connection: Connection, team: UUID, customer_id: UUID) -> Sequence[HistoryEntry]:
    """A customer's whole history, in order, as it is until the transaction ends."""
    return [to_entry(row) for row in await connection.fetch(QUERIES["hold_versions"], team, customer_id)]


async def set_changes(
    connection: Connection, team: UUID, customer_id: UUID, version: int, changes: Iterable[FieldChange]
) -> None:
    """Let a version say this of what it changed."""
    await connection.execute(QUERIES["set_changes"], team, customer_id, version, _encode(tuple(changes)))


async def erase_history(
    connection: Connection, team: UUID, customers: Collection[UUID], addresses: Collection[UUID]
) -> None:
    """Take the values out of all versions of these customers, and out of what is known of these addresses."""
    await connection.execute(QUERIES["erase_changes"], team, list(customers))
    await connection.execute(QUERIES["erase_address_audits"], team, list(addresses))


async def insert_erasure(
    connection: Connection, team: UUID, customer: UUID, version: int, at: datetime, marks: Collection[str]
) -> None:
    """Note that a customer was erased, by which words later traces of it are known."""
    await connection.execute(QUERIES["insert"], team, customer, version, at, list(marks))


async def erase_logs(connection: Connection, team: UUID, behind: UUID, needles: Needles) -> None:
    """Take values out of the entries behind this id that speak of the customer, piece by piece."""
    last: UUID | None = behind
    values = list(needles.anchors), [*needles.ids, *needles.texts], list(needles.texts)
    while last is not None:
        last = await connection.fetchval(QUERIES["erase_logs"], team, last, PIECE, *values)


async def erase_keys(connection: Connection, team: UUID, at: datetime, needles: Needles) -> None:
    """Take kept answers away that speak of the customer, but for that to the erasure itself, which is of this time."""
    if needles.keys:
        await connection.execute(QUERIES["delete_keys"], team, list(needles.keys))
    last = ("", "")
    values = list(needles.anchors), [*needles.ids, *needles.keys], at
    while last is not None:
        last = await connection.fetchrow(QUERIES["erase_keys"], team, *last, PIECE, *values)


async def close(connection: Connection, team: UUID, customers: Collection[UUID], at: datetime) -> None:
    """Note since when nobody can read any more what was erased."""
    await connection.execute(QUERIES["close"], team, list(customers), at)


async def list_unsettled(connection: Connection, closed_before: datetime) -> list[Unsettled]:
    """Some erasures of any teams that are not settled; those closed before this time are due."""
    rows = await connection.fetch(QUERIES["list_unsettled"], _MOST, closed_before)
    return [Unsettled(row[0], row[1], row[2], tuple(row[3]), row[4], row[5]) for row in rows]


async def settle(connection: Connection, team: UUID, customer: UUID, at: datetime) -> None:
    """Note that an erasure has reached everything."""
    await connection.execute(QUERIES["settle"], team, customer, at)


async def sample_anew(connection: Connection) -> None:
    """Let the planner's samples of values be of what the tables hold now."""
    for table in ERASED:
        await connection.execute(QUERIES["analyze"].format(table=table), timeout=_ANALYZE_SECONDS)


async def tidy(connection: Connection) -> None:
    """Take erased values out of the pages of all tables that had them; not inside a transaction, and not at once."""
    for table in ERASED:
        await connection.execute(QUERIES["tidy"].format(table=table), timeout=_TIDY_SECONDS)
