"""What is to be watched of sinks reads as Prometheus wants it, and says how each of them fares."""

from datetime import timedelta
from uuid import UUID

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from customerhub.core.admin import to_command
from customerhub.core.hub import Hub
from customerhub.core.metrics import get_metrics
from customerhub.core.publisher import publish_until
from customerhub.core.sinks import NewSink, Sink, SinkPatch, SinkProposal, SinkStatus, create_sink
from customerhub.model.answer import Answer
from customerhub.store import sinks as store
from customerhub.store.deliveries import Due, take
from customerhub.store.sinks import SinkState
from tests.support.world import World
from tests.support.writer import make_writer

HIGHEST = 2**62
Samples = dict[tuple[str, str, str | None], float]


async def add(hub: Hub, team: UUID, name: str, status: SinkStatus) -> Sink:
    """A new webhook."""
    made: list[Sink] = []

    def render(sink: Sink) -> Answer:
        made.append(sink)
        return Answer(200)

    patch = SinkPatch(url="https://there.invalid/", name=name, status=status)
    await create_sink(hub, to_command(team), NewSink("webhook", "hub"), lambda _: SinkProposal(patch), render)
    return made[0]


async def read(hub: Hub, team: UUID) -> tuple[Samples, dict[str, str]]:
    """The team's samples by metric, sink's name and outcome, and the types of all metrics."""
    text = (await get_metrics(hub, to_command(team).caller)).decode()
    families = list(text_string_to_metric_families(text))
    samples = {
        (sample.name, sample.labels["name"], sample.labels.get("outcome")): sample.value
        for family in families
        for sample in family.samples
        if sample.labels["team"] == str(team)
    }
    return samples, {family.name: family.type for family in families}


async def test_each_sink_is_told_by_what_waits_and_what_became_of_the_rest(world: World) -> None:
    """Counters end in `_total`, ages are in seconds, and nothing else is told."""
    writer = await make_writer(world)
    hub, team = world.hub, writer.team
    sink = await add(hub, team, "Warehouse", "paused")
    made = [await writer.create() for _ in range(2)]
    async with hub.database.lease() as connection:
        await publish_until(connection, team, HIGHEST)
        async with connection.transaction():
            await take(connection, Due(sink, 0, is_behind=True))
    await writer.create()
    async with hub.database.lease() as connection:
        await publish_until(connection, team, HIGHEST)
        for _ in range(3):
            await store.note_failure(connection, team, sink.id)
        state = SinkState(sink.id, delivered=7, superseded=5, skipped=4, retried=3, dead=2)
        await store.count_outcomes(connection, team, msgspec.structs.replace(state, succeeded_at=hub.now()))
    samples, types = await read(hub, team)
    age = samples.pop(("customerhub_sink_oldest_seconds", "Warehouse", None))
    assert 0 <= age <= (hub.now() - made[0].created_at) / timedelta(seconds=1) + 1
    assert samples == {
        ("customerhub_sink_waiting", "Warehouse", None): 2,
        ("customerhub_sink_behind", "Warehouse", None): 1,
        ("customerhub_sink_failures", "Warehouse", None): 3,
        ("customerhub_sink_up", "Warehouse", None): 1,
        ("customerhub_delivery_retries_total", "Warehouse", None): 3,
        ("customerhub_deliveries_total", "Warehouse", "delivered"): 7,
        ("customerhub_deliveries_total", "Warehouse", "superseded"): 5,
        ("customerhub_deliveries_total", "Warehouse", "skipped"): 4,
        ("customerhub_deliveries_total", "Warehouse", "dead"): 2,
    }
    assert types == {
        **dict.fromkeys(("customerhub_deliveries", "customerhub_delivery_retries"), "counter"),
        **{f"customerhub_sink_{what}": "gauge" for what in ("waiting", "behind", "oldest_seconds", "failures", "up")},
    }


async def test_a_sink_is_down_while_it_rests_or_is_disabled(world: World) -> None:
    """One that its team paused is not; one that has ended is told no more."""
    hub, team = world.hub, world.team.id
    kinds: dict[str, SinkStatus] = {"new": "active", "resting": "active", "paused": "paused", "off": "disabled"}
    sinks = {name: await add(hub, team, name, status) for name, status in kinds.items()}
    async with hub.database.lease() as connection:
        await store.rest(connection, team, sinks["resting"].id, 60)
    samples, _ = await read(hub, team)
    up = {name: value for (metric, name, _), value in samples.items() if metric == "customerhub_sink_up"}
    assert up == {"new": 1, "resting": 0, "paused": 1, "off": 0}
    async with hub.database.lease() as connection:
        await store.delete_sink(connection, sinks["off"], hub.now(), team)
    samples, _ = await read(hub, team)
    assert {name for _, name, _ in samples} == {"new", "resting", "paused"}
