"""Where a mirror differs from the hub, field by field, and what is sent once more so that it does not."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final, cast
from uuid import UUID

from msgspec import Struct

from customerhub.core.command import Command
from customerhub.core.guarded import Done, Later, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.outgoing import Comparison, Drift
from customerhub.core.sinks import hold_sink, note_sink
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import Catalogue
from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.error import Conflict, FieldError, Invalid, NotFound
from customerhub.store import deliveries, lists
from customerhub.store import sinks as store
from customerhub.store.customers import get_customers
from customerhub.store.db import Connection
from customerhub.store.sinks import Sink

if TYPE_CHECKING:
    from customerhub.core.outgoing import Mirror

__all__ = ["Drift", "DriftPage", "DriftRow", "Repair", "Wanted", "check_drift", "repair"]

MOST_CUSTOMERS: Final = 100
"""So many customers are compared on one page unless another number is asked for."""
PATIENCE_SECONDS: Final = 30.0
"""So long a page waits in all for another side that asks to be left alone."""
_FIRST: Final = UUID(int=0)
_CONCURRENCY: Final = 4
# So many customers are read at a time: what is compared was read a moment ago, however slow the other side is.
_PIECE: Final = 20


class DriftRow(Struct, frozen=True):
    """One customer on both sides; `external_id` is None where the other side does not have it.

    `fault` says why it could not be compared, and is empty where it was.
    """

    customer: UUID
    number: str | None
    name: str
    external_id: str | None
    differences: tuple[Drift, ...]
    fault: str

    @property
    def is_different(self) -> bool:
        """Whether the other side lacks it or has it otherwise; of one that could not be compared nobody knows."""
        return not self.fault and (self.external_id is None or bool(self.differences))


class DriftPage(Struct, frozen=True):
    """Customers that were compared, by id, those without a difference too; `after` is None where none follow."""

    rows: tuple[DriftRow, ...]
    after: UUID | None


class Wanted(Struct, frozen=True):
    """Which customers a request names for a repair: those `chosen`, or a page of all; and the errors that it found."""

    chosen: tuple[UUID, ...] | None = None
    after: UUID | None = None
    limit: int = MOST_CUSTOMERS
    errors: tuple[FieldError, ...] = ()


class Repair(Struct, frozen=True):
    """What was compared, how many customers are sent once more because of it, and the sink's version then."""

    page: DriftPage
    enqueued: int
    version: int = 0


async def check_drift(
    hub: Hub,
    caller: Caller,
    sink_id: UUID | None,
    after: UUID | None = None,
    limit: int = MOST_CUSTOMERS,
    *,
    chosen: Collection[UUID] | None = None,
    patience: float = PATIENCE_SECONDS,
) -> DriftPage:
    """Compare at most `limit` of the team's live customers behind one of them with a mirror; nothing is changed.

    `chosen` are those to compare instead, all of them. For another side that asks to be left alone it waits `patience`
    seconds at most in all; what is left then has a fault. Raises Unauthenticated, NotFound, and Conflict for a sink
    that is no mirror.
    """
    asking: _Asking | None = None
    rows: list[DriftRow] = []
    ordered = sorted(set(chosen)) if chosen is not None else None
    for number in _to_pieces(len(ordered) if ordered is not None else limit):
        piece = None if ordered is None else ordered[len(rows) : len(rows) + number]
        sink, customers, catalogue = await _read(hub, caller, sink_id, after or _FIRST, number, piece)
        asking = asking or _Asking(hub, sink, patience)
        rows += await asking.compare_all(customers, catalogue)
        after = rows[-1].customer if rows else None
        if len(customers) < number:
            return DriftPage(tuple(rows), None)
    return DriftPage(tuple(rows), after if chosen is None else None)


async def repair(
    hub: Hub,
    command: Command,
    sink_id: UUID | None,
    decide: Callable[[], Wanted],
    render: Callable[[Repair], Answer],
    *,
    patience: float = PATIENCE_SECONDS,
) -> Answer:
    """Send a mirror the customers that differ there or that it lacks, of a page or of those chosen, as they stand.

    `decide` says which ones are looked at, once the sink is held. A dry run says what would be sent. Nothing is sent of
    what could not be compared. What is repaired is a version of the sink and stands in the audit trail. Raises as
    `check_drift` does, and what every guarded write raises.
    """
    pages: list[DriftPage] = []

    async def work(scene: Work) -> Done | Later:
        before = await hold_sink(command, scene, sink_id)
        wanted = decide()
        if wanted.errors:
            raise Invalid(wanted.errors)

        async def compare() -> None:
            page = await check_drift(
                hub,
                command.caller,
                sink_id,
                wanted.after,
                wanted.limit,
                chosen=wanted.chosen,
                patience=patience,
            )
            pages.append(page)

        if not pages:
            return Later(compare)
        page, version = pages[-1], before.version
        different = [row.customer for row in page.rows if row.is_different]
        sent = await deliveries.enqueue(scene.connection, before.team, before.id, different, hub.now())
        if sent:
            changes = (FieldChange("/repaired", None, sent),)
            version = (await note_sink(hub, command, scene.connection, before, "repaired", changes)).version
        return Done(render(Repair(page, sent, version)))

    answer = await write_guarded(hub, command, work)
    if not command.guards.dry_run:
        hub.publisher.announce()
    return answer


async def _read(
    hub: Hub, caller: Caller, sink_id: UUID | None, after: UUID, limit: int, chosen: Sequence[UUID] | None
) -> tuple[Sink, Sequence[Customer], Catalogue]:
    """The mirror, a piece of the customers, and what they refer to. Raises NotFound where a chosen one is not there."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        sink = await _get_sink(hub, caller, sink_id, connection)
        if chosen is None:
            customers: Sequence[Customer] = await lists.list_by_id(connection, caller.team, after, limit)
        else:
            found = await get_customers(connection, caller.team, chosen)
            for missing in set(chosen) - set(found):
                raise NotFound("customer", str(missing))
            customers = [found[customer] for customer in chosen]
        # Only now: what was read before the customers could lack what came with them.
        standing = await hub.get_standing(connection, caller)
        return sink, customers, await hub.catalogue(connection, caller.team, standing.catalogue_version)


async def _get_sink(hub: Hub, caller: Caller, sink_id: UUID | None, connection: Connection) -> Sink:
    sink = await store.find_sink(connection, caller.team, sink_id) if sink_id is not None else None
    if sink is None:
        raise NotFound("sink", str(sink_id))
    carrier = hub.carriers.get(sink.kind)
    if carrier is None or not carrier.is_mirror:
        raise Conflict("this sink keeps no copy of customers that could be compared")
    return sink


def _to_pieces(number: int) -> Iterator[int]:
    while number > 0:
        yield min(number, _PIECE)
        number -= _PIECE


class _Asking:
    """Comparisons with one mirror, some at a time, all of them waiting when the other side asks for it."""

    def __init__(self, hub: Hub, sink: Sink, patience: float) -> None:
        self._hub = hub
        self._sink = sink
        # `_get_sink` let no other carrier pass.
        self._mirror = cast("Mirror", hub.carriers[sink.kind])
        self._clock = asyncio.get_running_loop().time
        self._until = self._clock() + patience
        self._resume = 0.0

    async def compare_all(self, customers: Sequence[Customer], catalogue: Catalogue) -> list[DriftRow]:
        """The rows of these customers, in their order."""
        rows: dict[UUID, DriftRow] = {}
        left = iter(customers)

        async def work() -> None:
            for customer in left:
                rows[customer.id] = _to_row(customer, await self._compare(customer, catalogue))

        tasks = [asyncio.create_task(work()) for _ in range(_CONCURRENCY)]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return [rows[customer.id] for customer in customers]

    async def _compare(self, customer: Customer, catalogue: Catalogue) -> Comparison:
        while self._resume <= self._until:
            if (pause := self._resume - self._clock()) > 0:
                # Meanwhile it may have asked for more.
                await asyncio.sleep(pause)
                continue
            found = await self._mirror.compare(self._hub, self._sink, customer, catalogue)
            if found.retry_after is None:
                return found
            self._resume = max(self._resume, self._clock() + found.retry_after)
        seconds = max(1, round(self._resume - self._clock()))
        return Comparison(fault=f"the other side asks to be left alone for {seconds} s")


def _to_row(customer: Customer, found: Comparison) -> DriftRow:
    return DriftRow(customer.id, customer.number, customer.name, found.external_id, found.differences, found.fault)
