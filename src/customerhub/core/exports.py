"""Use cases of exports: a team's customers in one file, as one moment has them, in the memory of a hundred of them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from typing import Final, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.core.lists import CustomerFilter
from customerhub.model import canonical
from customerhub.model.answer import Caller
from customerhub.model.catalogue import Catalogue
from customerhub.model.cells import Columns, flatten
from customerhub.model.csv_line import to_csv_line
from customerhub.model.customer import Customer, email_key
from customerhub.model.error import FieldError, Full, Invalid, Unavailable
from customerhub.store import exports as store
from customerhub.store.catalogue import get_snapshot
from customerhub.store.db import Connection

__all__ = [
    "FORMATS",
    "CustomerFilter",
    "ExportOrder",
    "Format",
    "Target",
    "View",
    "count_customers",
    "export_customers",
]

Format = Literal["csv", "jsonl"]
FORMATS: Final[Mapping[Format, str]] = {"csv": "text/csv; charset=utf-8; header=present", "jsonl": "application/jsonl"}
"""Each with its media type."""
LEFT_OUT: Final = "customerhub-left-out"
"""The header that tells how many customers are missing because nobody knows any more what they were."""

_RETRY_SECONDS: Final = 5
_encode = msgspec.json.Encoder().encode
Line = Callable[[Customer, Catalogue], bytes]


class View(Struct, frozen=True):
    """How a customer is shown: the columns of a table, by dotted names, and the JSON object that they are found in.

    `is_canonical` says that it is the canonical form, which is written several times faster.
    """

    name: str
    columns: Columns
    show: Callable[[Customer, Catalogue], Mapping[str, object]]
    is_canonical: bool = False


class ExportOrder(Struct, frozen=True):
    """What is wanted: which customers, as they were at which time (None: now), in which view, with which columns.

    Without `fields` it is all of the view's columns; with them those in their own order. Raises Invalid (`fields`) in
    `check` for what is no column.
    """

    view: View
    format: Format = "csv"
    filter: CustomerFilter = CustomerFilter()
    as_of: datetime | None = None
    fields: tuple[str, ...] | None = None

    @property
    def file_name(self) -> str:
        """What the file may be called, in ASCII."""
        at = f"-{self.as_of:%Y-%m-%dT%H%M%SZ}" if self.as_of is not None else ""
        return f"customers-{self.view.name}{at}.{self.format}"

    def check(self) -> None:
        """Raise Invalid where a field is no column of the view."""
        strange = [name for name in self.fields or () if name not in self.view.columns]
        if strange or self.fields == ():
            known = ", ".join(self.view.columns)
            raise Invalid((FieldError(("fields",), "unknown", f"must be columns of this shape: {known}"),))


class Target(Protocol):
    """Where an export goes, piece by piece."""

    def add_header(self, name: str, value: str) -> None:
        """What is to be said of all of it, before the first piece."""

    async def write(self, piece: bytes) -> None:
        """Some more lines; waits until there is room for them."""


async def count_customers(hub: Hub, caller: Caller, chosen: CustomerFilter) -> int:
    """How many live customers a filter finds. Raises Unauthenticated."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        return await store.count_live(connection, caller.team, chosen)


async def export_customers(
    hub: Hub, caller: Caller, order: ExportOrder, target: Target, tell: Callable[[int], None] | None = None
) -> int:
    """Write a team's customers, the oldest first, as one moment has them; how many they were.

    It holds one connection of its own and one snapshot of the database until the last line is taken, and the memory of
    a hundred customers. `tell` hears of each piece how many were in it. Customers whose state at `as_of` is not known
    any more are left out, and told as `customerhub-left-out` before the first line.

    Raises Unauthenticated, Invalid (`fields`), Full where the process makes as many exports as it may, Unavailable
    where it has taken `export_seconds`, and what the target raises.
    """
    order.check()
    count = 0
    async with _place(hub) as connection, store.snapshot(connection):
        await hub.get_standing(connection, caller)
        catalogue = await get_snapshot(connection, caller.team)
        if order.as_of is not None:
            gone = await store.count_gone(connection, caller.team, order.filter, order.as_of)
            target.add_header(LEFT_OUT, str(gone))
        if order.format == "csv":
            await target.write(to_csv_line(order.fields or order.view.columns).encode())
        async with aclosing(_walk(connection, caller.team, order, catalogue)) as pieces:
            async for lines in pieces:
                await target.write(b"".join(lines))
                count += len(lines)
                if tell is not None:
                    tell(len(lines))
    return count


@asynccontextmanager
async def _place(hub: Hub) -> AsyncIterator[Connection]:
    """A connection of the export's own, as long as there is one of the places for exports, and for so long at most."""
    if hub.exporting.locked():
        raise Full(_RETRY_SECONDS)
    async with hub.exporting:
        # What takes long must not wait in a pooler's queue, nor keep others waiting in it.
        database = hub.database.direct(1)
        deadline = asyncio.timeout(hub.settings.export_seconds)
        try:
            async with deadline, database.lease() as connection:
                yield connection
        except TimeoutError as error:
            if deadline.expired():
                raise Unavailable(_RETRY_SECONDS) from error
            raise
        finally:
            await database.close()


async def _walk(
    connection: Connection, team: UUID, order: ExportOrder, catalogue: Catalogue
) -> AsyncGenerator[Sequence[bytes]]:
    """The lines, a few at a time."""
    if order.as_of is None and order.view.is_canonical and order.fields is None:
        row_to_line = _CANONICAL[order.format]
        async with aclosing(store.walk_canonical(connection, team, order.filter)) as rows:
            async for piece in rows:
                yield list(map(row_to_line, piece))
        return
    to_line = _to_line(order)
    async with aclosing(_walk_customers(connection, team, order)) as found:
        async for customers in found:
            yield [to_line(customer, catalogue) for customer in customers]


async def _walk_customers(connection: Connection, team: UUID, order: ExportOrder) -> AsyncGenerator[Sequence[Customer]]:
    if order.as_of is None:
        async with aclosing(store.walk_live(connection, team, order.filter)) as live:
            async for piece in live:
                yield piece
        return
    async with aclosing(store.walk_former(connection, team, order.filter, order.as_of)) as former:
        async for piece in former:
            yield [customer for customer in piece if matches(customer, order.filter)]


def matches(customer: Customer, chosen: CustomerFilter) -> bool:
    """Whether a former state of a customer is one of these: by status, reference, email address, text and change.

    Raises NotImplementedError for filters of lists that no export has.
    """
    unknown = {name for name in chosen.__struct_fields__ if getattr(chosen, name) is not None} - _KNOWN
    if unknown:
        raise NotImplementedError(unknown)
    return (
        (chosen.status is None or customer.status == chosen.status)
        and (chosen.updated_from is None or customer.updated_at >= chosen.updated_from)
        and (chosen.reference_ids is None or customer.reference_id in chosen.reference_ids)
        and (chosen.email_key is None or email_key(customer.email) == chosen.email_key)
        and (chosen.text is None or _has_text(customer, chosen.text.lower()))
    )


# Those that `matches` looks at, and those that the database does.
_KNOWN: Final = frozenset(
    ("status", "updated_from", "reference_ids", "email_key", "text", "ids", "created_from", "created_before")
)


def _has_text(customer: Customer, text: str) -> bool:
    texts = (customer.name, customer.number, customer.email, customer.phone)
    return any(text in one.lower() for one in texts if one is not None)


_CANONICAL: Final[Mapping[Format, Callable[[canonical.Row], bytes]]] = {
    "csv": lambda row: to_csv_line(canonical.row_to_cells(row)).encode(),
    "jsonl": lambda row: canonical.row_to_json(row) + b"\n",
}


def _to_line(order: ExportOrder) -> Line:
    """What makes a line of a customer."""
    view = order.view
    if view.is_canonical and order.fields is None:
        if order.format == "jsonl":
            return lambda customer, _: canonical.to_json(customer) + b"\n"
        return lambda customer, _: to_csv_line(canonical.to_cells(customer)).encode()
    if order.format == "csv":
        columns = {name: view.columns[name] for name in order.fields or view.columns}
        return lambda customer, catalogue: to_csv_line(
            flatten(view.show(customer, catalogue), columns).values()
        ).encode()
    if order.fields is None:
        return lambda customer, catalogue: _encode(view.show(customer, catalogue)) + b"\n"
    fields = [(name, name.split(".")) for name in order.fields]
    return lambda customer, catalogue: _encode(_pick(view.show(customer, catalogue), fields)) + b"\n"


def _pick(shown: Mapping[str, object], fields: Sequence[tuple[str, Sequence[str]]]) -> dict[str, object]:
    """Some members of a view, objects around them where they stand in some; null where an object around them is."""
    picked: dict[str, object] = {}
    for _, (first, *inner) in fields:
        value = shown.get(first)
        if inner and isinstance(value, Mapping):
            mine = picked.setdefault(first, {})
            assert isinstance(mine, dict)  # noqa: S101 - an object here is one there
            mine |= _pick(value, [("", inner)])
        else:
            picked[first] = value
    return picked
