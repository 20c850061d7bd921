"""Where else one customer is kept: each of the team's sinks, what it knows of the customer, what came of telling it."""

from uuid import UUID

from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.model.answer import Caller
from customerhub.store import deliveries, syncs
from customerhub.store import sinks as store
from customerhub.store.deliveries import Delivery
from customerhub.store.sinks import Sink
from customerhub.store.syncs import Sync

__all__ = ["Abroad", "list_abroad"]


class Abroad(Struct, frozen=True):
    """One customer at one sink: `sync` is what a mirror knows of it, `latest` the last delivery about it, as far as
    there is one.
    """

    sink: Sink
    is_mirror: bool
    sync: Sync | None
    latest: Delivery | None


async def list_abroad(hub: Hub, caller: Caller, customer_id: UUID) -> tuple[Abroad, ...]:
    """The customer at each of the team's sinks, the oldest sink first; raises Unauthenticated."""
    found: list[Abroad] = []
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        for sink in await store.list_sinks(connection, caller.team):
            carrier = hub.carriers.get(sink.kind)
            sync = await syncs.find_sync(connection, sink.team, sink.id, customer_id)
            latest = await deliveries.find_latest(connection, sink.team, sink.id, customer_id)
            is_mirror = carrier.is_mirror if carrier is not None else sync is not None
            found.append(Abroad(sink, is_mirror, sync, latest))
    return tuple(found)
