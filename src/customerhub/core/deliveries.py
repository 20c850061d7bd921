"""Use cases on what is on its way to sinks: look at it, send it once more, try whether a sink takes anything."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.core.command import Command
from customerhub.core.guarded import Done, Later, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.outgoing import Verdict
from customerhub.core.sinks import hold_sink, note_sink
from customerhub.core.trial import verify
from customerhub.model.answer import Answer, Caller
from customerhub.model.change import FieldChange
from customerhub.model.error import FieldError, Invalid, NotFound
from customerhub.store import deliveries as store
from customerhub.store import sinks, syncs
from customerhub.store.db import Connection
from customerhub.store.deliveries import Attempt, Delivery, DeliveryStatus, Source, Trouble
from customerhub.store.sinks import Sink
from customerhub.store.syncs import Sync

__all__ = [
    "Attempt",
    "Delivery",
    "DeliveryStatus",
    "DeliveryView",
    "Replay",
    "Replayed",
    "Source",
    "Sync",
    "Trouble",
    "get_delivery",
    "list_deliveries",
    "list_synced",
    "list_troubles",
    "look_through",
    "replay",
    "verify_sink",
]
MOST_REPLAYED: Final = 10_000
"""So many changes one replay goes through at most; it says where it stopped."""
REACH: Final = 10_000
"""So many deliveries are looked at for one page of those of a status that has no index."""
_INDEXED: Final[tuple[DeliveryStatus, ...]] = ("waiting", "dead")
MOST_COUNTED: Final = 1_000
"""So many dead letters of a sink are counted at most."""
_HIGHEST: Final = 2**63 - 1


class DeliveryView(Struct, frozen=True):
    """A delivery with the attempts at it that are kept, in order.

    `source` is what the history says of the change behind it, None where that is not kept any more.
    """

    delivery: Delivery
    attempts: tuple[Attempt, ...]
    source: Source | None


async def list_troubles(hub: Hub, caller: Caller) -> dict[UUID, Trouble]:
    """What has failed at each of the team's sinks; 1,000 dead letters of each are counted. Raises Unauthenticated."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        return await store.list_troubles(connection, caller.team, MOST_COUNTED)


class Replay(Struct, frozen=True):
    """What to send once more: single deliveries by their ids, dead ones, or what the feed has from here to there.

    Positions are those of the feed, both included; where nothing else is said it is all of the feed.
    """

    ids: tuple[UUID, ...] | None = None
    dead: bool = False
    first: int = 1
    last: int = _HIGHEST
    errors: tuple[FieldError, ...] = ()


class Replayed(Struct, frozen=True):
    """How many deliveries are on their way once more; those that waited anyway do not count.

    `is_complete`: nothing that was asked for is left. Otherwise `next` is the position to go on from, None where the
    same request goes on.
    """

    sink: Sink
    count: int
    is_complete: bool = True
    next: int | None = None


async def list_deliveries(
    hub: Hub,
    caller: Caller,
    sink_id: UUID | None,
    before: int | None,
    limit: int,
    *,
    status: DeliveryStatus | None = None,
    customer: UUID | None = None,
) -> tuple[Delivery, ...]:
    """At most `limit` deliveries to a sink before a position of the feed, the newest first; None: from the end.

    Raises Unauthenticated, NotFound.
    """
    async with hub.database.lease() as connection:
        sink = await _get_sink(hub, connection, caller, sink_id)
        start = _HIGHEST if before is None else before
        return tuple(
            await store.list_deliveries(connection, sink.team, sink.id, start, limit, status=status, customer=customer)
        )


async def look_through(
    hub: Hub, caller: Caller, sink_id: UUID | None, before: int | None, limit: int, status: DeliveryStatus | None
) -> tuple[list[Delivery], int | None]:
    """The newest deliveries to a sink before a position, of a status if one is named, and where to look on.

    Of what has an index of its own, and of all, it finds the next `limit`; otherwise it looks through 10,000 at a time,
    so that it takes no longer to look for what is rare. Raises Unauthenticated, NotFound.
    """
    if status is None or status in _INDEXED:
        found = await list_deliveries(hub, caller, sink_id, before, limit + 1, status=status)
        return list(found[:limit]), found[limit - 1].position if len(found) > limit else None
    async with hub.database.lease() as connection:
        sink = await _get_sink(hub, connection, caller, sink_id)
        start = _HIGHEST if before is None else before
        return await store.look_through(connection, sink.team, sink.id, start, limit, status, REACH)


async def get_delivery(hub: Hub, caller: Caller, sink_id: UUID | None, delivery_id: UUID | None) -> DeliveryView:
    """One delivery to a sink; raises Unauthenticated, NotFound."""
    async with hub.database.lease() as connection:
        sink = await _get_sink(hub, connection, caller, sink_id)
        found = None
        if delivery_id is not None:
            found = await store.find_delivery(connection, sink.team, sink.id, delivery_id)
        if found is None:
            raise NotFound("delivery", str(delivery_id))
        attempts = await store.list_attempts(connection, sink.team, sink.id, found)
        source = await store.find_source(connection, sink.team, found.customer, found.version)
    return DeliveryView(found, tuple(attempts), source)


async def list_synced(
    hub: Hub, caller: Caller, sink_id: UUID | None, after: UUID | None, limit: int, *, troubled_only: bool = False
) -> tuple[Sync, ...]:
    """What a mirror knows of at most `limit` customers behind one, by their ids; nothing for other sinks.

    `troubled_only`: those with an error, or of which something was left out. Raises Unauthenticated, NotFound.
    """
    async with hub.database.lease() as connection:
        sink = await _get_sink(hub, connection, caller, sink_id)
        found = await syncs.list_syncs(
            connection, sink.team, sink.id, after or UUID(int=0), limit, troubled_only=troubled_only
        )
    return tuple(found)


async def replay(
    hub: Hub,
    command: Command,
    sink_id: UUID | None,
    decide: Callable[[Sink], Replay],
    render: Callable[[Replayed], Answer],
) -> Answer:
    """Send deliveries to a sink once more, under their own ids; of the feed also what the sink was never told of.

    At most 10,000 changes at a time, in one statement, so that whoever publishes or tells meanwhile waits for no more
    than that. What is replayed is a version of the sink and stands in the audit trail. Raises NotFound, Invalid
    (`deliveries`) for what is no delivery to it, and what every guarded write raises.
    """
    has_news = False

    async def work(scene: Work) -> Done:
        nonlocal has_news
        before = await hold_sink(command, scene, sink_id)
        order = decide(before)
        if order.errors:
            raise Invalid(order.errors)
        replayed = await _replay(scene.connection, before, order)
        has_news = replayed.count > 0
        if not has_news:
            return Done(render(replayed))
        changes = (FieldChange("/replayed", None, replayed.count),)
        after = await note_sink(hub, command, scene.connection, before, "replayed", changes)
        return Done(render(msgspec.structs.replace(replayed, sink=after)))

    answer = await write_guarded(hub, command, work)
    if has_news and not command.guards.dry_run:
        hub.publisher.announce()
    return answer


async def _replay(connection: Connection, sink: Sink, order: Replay) -> Replayed:
    if order.ids is not None:
        known = await store.list_known(connection, sink.team, sink.id, order.ids)
        errors = (
            FieldError(("deliveries", place), "unknown_id", "names no delivery to this sink")
            for place, one in enumerate(order.ids)
            if one not in known
        )
        if strangers := tuple(errors):
            raise Invalid(strangers)
    if order.ids is not None or order.dead:
        count = await store.replay_some(connection, sink.team, sink.id, order.ids, MOST_REPLAYED)
        return Replayed(sink, count, is_complete=order.ids is not None or count < MOST_REPLAYED)
    count, end = await store.replay(connection, sink, order.first - 1, order.last, sink.types, MOST_REPLAYED)
    is_complete = end is None or end >= order.last or end < order.first - 1 + MOST_REPLAYED
    return Replayed(sink, count, is_complete, None if is_complete or end is None else end + 1)


async def verify_sink(
    hub: Hub, command: Command, sink_id: UUID | None, render: Callable[[Sink, Verdict], Answer]
) -> Answer:
    """Try whether a sink works; a webhook gets a test message, by a dry run too. Nothing of it is stored but the key.

    Raises NotFound and what every guarded write raises.
    """
    found: list[tuple[Sink, Verdict]] = []

    async def work(scene: Work) -> Done | Later:
        sink = await hold_sink(command, scene, sink_id)
        if found and found[-1][0].version == sink.version:
            return Done(render(*found[-1]))

        async def prepare() -> None:
            found.append((sink, await verify(hub, sink)))

        return Later(prepare)

    return await write_guarded(hub, command, work)


async def _get_sink(hub: Hub, connection: Connection, caller: Caller, sink_id: UUID | None) -> Sink:
    await hub.get_standing(connection, caller)
    sink = await sinks.find_sink(connection, caller.team, sink_id) if sink_id is not None else None
    if sink is None:
        raise NotFound("sink", str(sink_id))
    return sink
