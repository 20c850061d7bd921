"""The use case of a team's first page: figures, what needs somebody's attention, and what happened last."""

from collections.abc import Collection, Mapping
from uuid import UUID

from msgspec import Struct

from customerhub.core.figures import ACTIVITY_DAYS, DELIVERY_DAYS, Counted, Figures, count_on
from customerhub.core.history import AuditEvent, EventFilter, walk_events
from customerhub.core.hub import Hub
from customerhub.model.answer import Caller
from customerhub.store import overview as store
from customerhub.store import sinks as sink_store

__all__ = [
    "ACTIVITY_DAYS",
    "DELIVERY_DAYS",
    "Counted",
    "Figures",
    "Overview",
    "SinksNow",
    "get_overview",
    "name_customers",
]


class SinksNow(Struct, frozen=True):
    """How many sinks there are, how many of them fail or were disabled, and how many are paused."""

    number: int
    failing: int
    paused: int


class Overview(Struct, frozen=True):
    """A team at a glance; `names` is what the customers of the latest changes are called."""

    figures: Figures
    sinks: SinksNow
    latest: tuple[AuditEvent, ...]
    names: Mapping[UUID, str]


async def get_overview(hub: Hub, caller: Caller, latest: int) -> Overview:
    """The team at a glance, with its `latest` changes of customers. Raises Unauthenticated.

    It takes a bounded time however large the team is: figures that are not counted yet say so.
    """
    events = (await walk_events(hub, caller, None, latest, EventFilter(kinds=("customer",)))).items
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        team = caller.team
        sinks = await sink_store.list_sinks(connection, team, None)
        states = await sink_store.list_states(connection, team)
        figures = await count_on(hub, connection, team, tuple(sink.id for sink in sinks))
        names = await store.name_customers(connection, team, {event.subject for event in events})
    failing = [
        sink
        for sink in sinks
        if sink.status == "disabled" or ((state := states.get(sink.id)) is not None and state.failures)
    ]
    paused = sum(sink.status == "paused" for sink in sinks)
    return Overview(figures, SinksNow(len(sinks), len(failing), paused), events, names)


async def name_customers(hub: Hub, caller: Caller, customers: Collection[UUID]) -> Mapping[UUID, str]:
    """What some of the team's customers are called, deleted ones too. Raises Unauthenticated."""
    if not customers:
        return {}
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        return await store.name_customers(connection, caller.team, customers)
