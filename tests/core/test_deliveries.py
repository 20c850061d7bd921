"""What is on its way to sinks is found and sent once more, in pieces, and in nobody's way."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

import msgspec
import pytest
from typing_extensions import override

from customerhub.core import deliveries as core
from customerhub.core.admin import to_command
from customerhub.core.command import Command
from customerhub.core.deliveries import Replay, Replayed
from customerhub.core.hub import Hub
from customerhub.core.outgoing import Sink, Verdict
from customerhub.core.publisher import publish_until
from customerhub.core.sinks import NewSink, SinkPatch, SinkProposal, create_sink, update_sink
from customerhub.model.answer import Answer, Guards, IdempotencyKey
from customerhub.model.error import Invalid, NotFound
from customerhub.store import deliveries as store
from customerhub.store.deliveries import DeliveryStatus, Due, Lane
from tests.support.carriers import FakeCarrier
from tests.support.waiting import wait_until
from tests.support.world import World
from tests.support.writer import Writer, make_writer

HIGHEST = 2**62
# Of this database alone: others have theirs on the same server.
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"


@dataclass
class Office:
    """A team with a paused webhook, to which nothing goes by itself."""

    writer: Writer
    sink: Sink

    @property
    def hub(self) -> Hub:
        """The process."""
        return self.writer.hub

    def command(self, **guards: object) -> Command:
        """A write under guards."""
        return replace(to_command(self.writer.team), guards=Guards(**guards))  # type: ignore[arg-type]

    async def fill(self, number: int) -> None:
        """So many customers are made, and the sink is to hear of them."""
        for _ in range(number):
            await self.writer.create()
        async with self.hub.database.lease() as connection:
            await publish_until(connection, self.writer.team, HIGHEST)
            async with connection.transaction():
                await store.take(connection, Due(self.sink, 0, is_behind=True))

    async def settle(self, status: DeliveryStatus) -> None:
        """Whatever waited has come to this."""
        async with self.hub.database.lease() as connection:
            await connection.execute(
                "update delivery set status = $3, settled_at = now() "
                "where team = $1 and sink = $2 and status = 'waiting'",
                self.writer.team,
                self.sink.id,
                status,
            )

    async def replay(self, order: Replay, **guards: object) -> Replayed:
        """Send it once more, and what came of it."""
        seen: list[Replayed] = []

        def render(replayed: Replayed) -> Answer:
            seen.append(replayed)
            return Answer(200, msgspec.json.encode((replayed.count, replayed.next)))

        await core.replay(self.hub, self.command(**guards), self.sink.id, lambda _: order, render)
        return seen[-1]

    async def statuses(self) -> list[str]:
        """Of all deliveries, the oldest first."""
        found = await core.list_deliveries(self.hub, self.writer.caller, self.sink.id, None, 1000)
        return [str(one.status) for one in found][::-1]


@pytest.fixture
async def office(world: World) -> Office:
    """An office."""
    writer, made = await make_writer(world), list[Sink]()
    patch = SinkPatch(url="https://there.invalid/", status="paused")
    await create_sink(
        world.hub, to_command(writer.team), NewSink("webhook", "hub"), lambda _: SinkProposal(patch), to_seen(made)
    )
    return Office(writer, made[0])


def to_seen(seen: list[Sink]) -> Callable[[Sink], Answer]:
    """An answer that leaves what it would show."""

    def render(sink: Sink) -> Answer:
        seen.append(sink)
        return Answer(200)

    return render


async def test_a_replay_stops_after_so_many_and_says_where(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks on from there has all of it in the end, each once; the last piece says that it is the last."""
    monkeypatch.setattr(core, "MOST_REPLAYED", 2)
    await office.fill(5)
    await office.settle("delivered")
    pieces = [await office.replay(Replay())]
    while (after := pieces[-1].next) is not None:
        pieces.append(await office.replay(Replay(first=after)))
    assert [(one.count, one.is_complete, one.next) for one in pieces] == [
        (2, False, 3),
        (2, False, 5),
        (1, True, None),
    ]
    assert [one.sink.version for one in pieces] == [2, 3, 4]
    assert await office.statuses() == ["waiting"] * 5


async def test_a_replay_ends_where_it_was_to_end(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where that is the last position of a piece."""
    monkeypatch.setattr(core, "MOST_REPLAYED", 2)
    await office.fill(4)
    await office.settle("skipped")
    replayed = await office.replay(Replay(first=2, last=3))
    assert (replayed.count, replayed.is_complete, replayed.next) == (2, True, None)
    assert await office.statuses() == ["skipped", "waiting", "waiting", "skipped"]


async def test_dead_letters_are_replayed_the_oldest_first(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same request goes on where there are more than go at a time."""
    monkeypatch.setattr(core, "MOST_REPLAYED", 2)
    await office.fill(3)
    await office.settle("dead")
    first = await office.replay(Replay(dead=True))
    assert (first.count, first.is_complete, first.next) == (2, False, None)
    assert await office.statuses() == ["waiting", "waiting", "dead"]
    last = await office.replay(Replay(dead=True))
    assert (last.count, last.is_complete) == (1, True)


async def test_what_waits_is_tried_at_once_and_does_not_count(office: Office) -> None:
    """Nothing of the sink changes by it."""
    await office.fill(1)
    async with office.hub.database.lease() as connection:
        later = "update lane set due_at = now() + interval '1 day' where team = $1 returning customer"
        customer = await connection.fetchval(later, office.writer.team)
        replayed = await office.replay(Replay())
        due = "select due_at <= now() from lane where team = $1 and customer = $2"
        assert await connection.fetchval(due, office.writer.team, customer)
    assert (replayed.count, replayed.sink.version) == (0, 1)


async def test_a_replay_under_a_key_is_done_once(office: Office) -> None:
    """A dry run counts what would go, and leaves it as it is."""
    await office.fill(2)
    await office.settle("dead")
    tried = await office.replay(Replay(dead=True), dry_run=True)
    assert (tried.count, await office.statuses()) == (2, ["dead", "dead"])
    key = IdempotencyKey("one", bytes(32))
    assert (await office.replay(Replay(dead=True), key=key)).count == 2
    await office.settle("dead")

    def render(_: Replayed) -> Answer:
        raise AssertionError

    again = await core.replay(office.hub, office.command(key=key), office.sink.id, lambda _: Replay(dead=True), render)
    assert (again.body, await office.statuses()) == (b"[2,null]", ["dead", "dead"])


async def test_what_is_no_delivery_to_the_sink_is_not_replayed(office: Office) -> None:
    """None of the others are either."""
    await office.fill(1)
    await office.settle("dead")
    (known,) = await core.list_deliveries(office.hub, office.writer.caller, office.sink.id, None, 10)
    with pytest.raises(Invalid) as refused:
        await office.replay(Replay(ids=(known.id, uuid4())))
    assert [(error.path, error.code) for error in refused.value.errors] == [(("deliveries", 1), "unknown_id")]
    assert await office.statuses() == ["dead"]


async def test_a_replay_and_whoever_tells_the_sink_do_not_wait_for_each_other(office: Office) -> None:
    """Both hold the customer's lane before the delivery: the one that comes second waits, and then both are done."""
    await office.fill(1)
    await office.settle("dead")
    async with office.hub.database.lease() as reader, office.hub.database.transaction() as teller:
        (delivery,) = await store.list_deliveries(teller, office.writer.team, office.sink.id, HIGHEST, 10)
        lane = Lane(office.writer.team, office.sink.id, delivery.customer, office.sink.id)
        await store.hold_lane(teller, lane)
        replaying = asyncio.create_task(office.replay(Replay(dead=True)))

        async def is_waiting() -> bool:
            return bool(await reader.fetchval(WAITING))

        await wait_until(is_waiting, "the replay waits for the lane")
        await teller.execute("update delivery set reason = 'once more' where team = $1", office.writer.team)
    assert (await replaying).count == 1
    assert await office.statuses() == ["waiting"]


async def test_a_sink_is_tried_outside_any_transaction(office: Office) -> None:
    """It can be changed meanwhile, and is then tried as it is now; what was tried before does not count."""
    tried: list[Sink] = []

    class Slow(FakeCarrier):
        @override
        async def verify(self, hub: Hub, sink: Sink) -> Verdict:
            tried.append(sink)
            if len(tried) == 1:
                patch = SinkPatch(url="https://elsewhere.invalid/")
                await update_sink(hub, office.command(), sink.id, lambda _: SinkProposal(patch), to_seen([]))
            return Verdict(is_good=len(tried) > 1)

    office.hub.carriers = {"webhook": Slow()}
    verdicts: list[tuple[str, bool]] = []

    def render(sink: Sink, verdict: Verdict) -> Answer:
        verdicts.append((sink.url, verdict.is_good))
        return Answer(200)

    await core.verify_sink(office.hub, office.command(), office.sink.id, render)
    assert [sink.url for sink in tried] == ["https://there.invalid/", "https://elsewhere.invalid/"]
    assert verdicts == [("https://elsewhere.invalid/", True)]
    office.hub.carriers = {}


async def test_another_team_s_sink_is_nobody_s(office: Office, other_world: World) -> None:
    """Whatever is asked of it, in the same words."""
    await office.fill(1)
    other = await make_writer(other_world)
    (delivery,) = await core.list_deliveries(office.hub, office.writer.caller, office.sink.id, None, 10)
    for sink in (office.sink.id, None):
        for asked in (
            core.list_deliveries(office.hub, other.caller, sink, None, 10),
            core.get_delivery(office.hub, other.caller, sink, delivery.id),
            core.list_synced(office.hub, other.caller, sink, None, 10),
            core.replay(office.hub, to_command(other.team), sink, lambda _: Replay(), lambda _: Answer(200)),
            core.verify_sink(office.hub, to_command(other.team), sink, lambda *_: Answer(200)),
        ):
            with pytest.raises(NotFound) as refused:
                await asked
            assert (refused.value.kind, refused.value.id) == ("sink", str(sink))
    with pytest.raises(NotFound):
        await core.get_delivery(office.hub, office.writer.caller, office.sink.id, uuid4())
