"""How a team's sinks fare, in figures."""

from uuid import UUID

from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.core.sinks import SinkView, list_sinks
from customerhub.model.answer import Caller
from customerhub.store import deliveries, syncs
from customerhub.store.db import Connection


class SinkReport(Struct, frozen=True):
    """A sink, and how many dead letters there are for it now.

    Of a mirror also how many customers it knows, with how many there is an error, of how many something was left out.
    """

    view: SinkView
    dead: int
    customers: int
    errors: int
    left_out: int


async def list_reports(hub: Hub, caller: Caller) -> tuple[SinkReport, ...]:
    """The team's sinks, the oldest first; raises Unauthenticated."""
    views = await list_sinks(hub, caller)
    async with hub.database.lease() as connection:
        dead = await deliveries.count_dead(connection, caller.team)
        return tuple([await _report(connection, caller.team, view, dead.get(view.sink.id, 0)) for view in views])


async def _report(connection: Connection, team: UUID, view: SinkView, dead: int) -> SinkReport:
    return SinkReport(view, dead, *await syncs.count_syncs(connection, team, view.sink.id))
