"""Receivers that fail in every way, workers that are killed: each version is told, in order, under its one id."""

import itertools
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import pytest
from standardwebhooks import Webhook

from customerhub.core.admin import to_command
from customerhub.core.hub import Hub
from customerhub.core.sinks import NewSink, SinkPatch, SinkProposal, create_sink, get_sink, update_sink
from customerhub.model.answer import Answer
from customerhub.sinks import create_carriers
from customerhub.store.sinks import Sink
from customerhub.worker.run import LEASE_SECONDS, Worker
from tests.support.listeners import end_other_sinks
from tests.support.process import HubProcess, running_worker
from tests.support.receiver import Got, Reaction, running_receiver
from tests.support.soak import sized
from tests.support.waiting import wait_until
from tests.support.world import World

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
CUSTOMERS = sized(8, 50)
CHANGES = sized(96, 3000)
KILLS = sized(2, 20)
BUSY = sized(1, 20)
WORKERS = sized(1, 2)
SECONDS = sized(60, 900)
PAUSE = sized(0.5, 3)
# So that retries come within moments; the schedule of the form is days long.
PACE = {"retry_seconds": "0.0002"}
Place = tuple[str, int]


@dataclass
class Weather:
    """A receiver's moods: by chance well, failing, busy, gone in the middle of a request, or silent."""

    chance: random.Random = field(default_factory=lambda: random.Random(6))
    only: str = ""
    hangs: int = 0
    moods: Counter[str] = field(default_factory=Counter)
    taken: set[Place] = field(default_factory=set)
    seen: list[tuple[Place, Got]] = field(default_factory=list)

    def react(self, got: Got) -> Reaction:
        """The answer to one request, verified while its signature counts; what is answered with 200 is taken."""
        place = place_of(got)
        self.seen.append((place, got))
        mood = self.only or self._choose()
        self.moods[mood] += 1
        match mood:
            case "hang" | "drop":
                return Reaction(manner=mood)
            case "fails":
                return Reaction(500)
            case "busy":
                return Reaction(429, (("Retry-After", "1"),))
            case "gone":
                return Reaction(410)
        self.taken.add(place)
        return Reaction(200)

    def _choose(self) -> str:
        if self.hangs:
            self.hangs -= 1
            return "hang"
        if self.moods["busy"] < BUSY and self.chance.random() < 0.05:
            return "busy"
        return self.chance.choices(("fine", "fails", "drop"), (6, 2, 1))[0]


def place_of(got: Got) -> Place:
    """Whose version a request is about; raises where its signature is not right."""
    body = Webhook(SECRET).verify(got.body, got.headers)
    return body["customer"], body["sequence"]


async def add_sink(world: World, url: str) -> Sink:
    """A sink of the operator's, who may name any address."""
    made: list[Sink] = []

    def render(sink: Sink) -> Answer:
        made.append(sink)
        return Answer(200)

    patch = SinkPatch(url=url, name="receiver", secret=SECRET)
    new = NewSink("webhook", "hub", is_trusted=True)
    await create_sink(world.hub, to_command(world.team.id), new, lambda _: SinkProposal(patch), render)
    return made[0]


async def write(world: World, storm: "Storm") -> None:
    """Write on all customers at the same time: made, changed again and again until the storm is over, some ended."""

    async def live(number: int) -> None:
        customer = await world.create()
        path = f"/v1/customers/{customer['id']}"
        for place in itertools.count():
            if place >= CHANGES // CUSTOMERS:
                if storm.is_over:
                    break
                await anyio.sleep(PAUSE)  # enough has changed, but there must be something to tell
            answer = await world.api.patch(path, json={"display_name": f"{number}-{place}"})
            assert answer.status_code == 201, answer.text
        if number % 4 == 0:
            assert (await world.api.delete(path)).status_code == 204

    async with anyio.create_task_group() as tasks:
        for number in range(CUSTOMERS):
            tasks.start_soon(live, number)
    storm.has_written = True


async def find_versions(world: World) -> set[Place]:
    """Every version that the team has."""
    async with world.hub.database.lease() as connection:
        rows = await connection.fetch("select customer, version from change where team = $1", world.team.id)
    return {(str(customer), version) for customer, version in rows}


async def get_time(world: World) -> datetime:
    """The database's."""
    async with world.hub.database.lease() as connection:
        now: datetime = await connection.fetchval("select now()")
    return now


async def free_claims(world: World, killed_at: datetime) -> None:
    """As ten seconds later, when what a dead worker held is anybody's; at full size they are waited for.

    Its last statements may have ended after it did, and its successor takes longer to start than they do.
    """
    async with world.hub.database.lease() as connection:
        await connection.execute(
            "update lane set claimed_until = now() where team = $1 and claimed_until < $2",
            world.team.id,
            killed_at + timedelta(seconds=LEASE_SECONDS + 0.3),
        )


@dataclass
class Storm:
    """Workers that are killed in the middle of their work, again and again, while the receiver is silent."""

    world: World
    database_url: str
    log: Path
    weather: Weather
    has_written: bool = False
    is_over: bool = False

    async def run(self) -> None:
        """Until so many workers were killed, all that was written is told, and the last workers are stopped."""
        async with AsyncExitStack() as stack:

            async def start() -> HubProcess:
                return await stack.enter_async_context(running_worker(self.log, self.database_url, **PACE))

            workers = [await start() for _ in range(WORKERS)]
            for kill in range(KILLS):
                await self._wait_for_requests(CHANGES // (KILLS + 2))
                self.weather.hangs = 2
                await wait_until(self._is_silent, "somebody waits for the receiver", SECONDS)
                await workers[kill % WORKERS].kill()
                killed_at = await get_time(self.world)
                workers[kill % WORKERS] = await start()
                if WORKERS == 1:
                    await free_claims(self.world, killed_at)
            self.is_over = True
            await wait_until(self._is_done, "everything is told", SECONDS)
            for worker in workers:
                assert await worker.stop() == 0

    async def _wait_for_requests(self, count: int) -> None:
        goal = self.weather.moods.total() + count

        async def has_come() -> bool:
            return self.weather.moods.total() >= goal

        await wait_until(has_come, "requests", SECONDS)

    async def _is_silent(self) -> bool:
        return self.weather.hangs == 0

    async def _is_done(self) -> bool:
        """Whether all is told and known to be: a worker that stops leaves nothing behind."""
        async with self.world.hub.database.lease() as connection:
            waiting = await connection.fetchval(
                "select count(*) from change c where c.team = $1 and not exists (select from delivery d "
                "where d.team = $1 and d.customer = c.customer and d.version = c.version and d.status = 'delivered')",
                self.world.team.id,
            )
        return self.has_written and bool(waiting == 0)


def check_order(seen: list[tuple[Place, Got]]) -> None:
    """The first time that a version is told it is the next one; however often, it has one id and one body."""
    last: dict[str, int] = {}
    ids: dict[Place, str] = {}
    bodies: dict[Place, bytes] = {}
    for place, request in seen:
        customer, sequence = place
        if place not in ids:
            assert sequence == last.get(customer, 0) + 1
            last[customer] = sequence
        assert ids.setdefault(place, request.headers["webhook-id"]) == request.headers["webhook-id"]
        assert bodies.setdefault(place, request.body) == request.body
        assert json.loads(request.body)["id"] == request.headers["webhook-id"]
    assert len(set(ids.values())) == len(ids)


@pytest.mark.soak
async def test_every_version_is_told_whatever_happens(world: World, database_url: str, tmp_path: Path) -> None:
    """No event is lost, none is out of its customer's order, each has one id, and every signature is verified."""
    weather = Weather()
    await end_other_sinks(world.hub, world.team.id)
    async with running_receiver(weather.react) as receiver:
        sink = await add_sink(world, receiver.url)
        storm = Storm(world, database_url, tmp_path / "work.log", weather)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(storm.run)
            await write(world, storm)
        check_order(weather.seen)
        assert {place for place, _ in weather.seen} == weather.taken == await find_versions(world)
        assert weather.moods["hang"] == 2 * KILLS
        assert min(weather.moods[mood] for mood in ("fails", "busy", "drop")) > 0
        assert (await find_sink(world, sink)).status == "active"


async def test_a_receiver_that_is_gone_is_told_nothing_more(world: World) -> None:
    """410 disables the sink with a reason that its owner sees; what waits is told once it is enabled again."""
    weather = Weather(only="gone")
    await end_other_sinks(world.hub, world.team.id)
    async with running_receiver(weather.react) as receiver, working(world.hub):
        sink = await add_sink(world, receiver.url)
        customer = await world.create()

        async def is_disabled() -> bool:
            return (await find_sink(world, sink)).status == "disabled"

        await wait_until(is_disabled, "the sink is disabled")
        assert (await find_sink(world, sink)).reason == "the receiver answered 410 Gone"
        assert len(receiver.got) == 1
        weather.only = "fine"
        await enable(world, sink)

        async def is_told() -> bool:
            return weather.taken == {(customer["id"], 1)}

        await wait_until(is_told, "what waited is told")
        check_order(weather.seen)


@asynccontextmanager
async def working(hub: Hub) -> AsyncIterator[None]:
    """The hub of the test tells sinks itself."""
    hub.carriers = create_carriers()
    hub.publisher.start()
    worker = Worker(hub)
    worker.start()
    try:
        yield
    finally:
        await worker.close()
        for carrier in hub.carriers.values():
            await carrier.close()
        hub.carriers = {}


async def find_sink(world: World, sink: Sink) -> Sink:
    """A sink as it stands."""
    return (await get_sink(world.hub, to_command(world.team.id).caller, sink.id)).sink


async def enable(world: World, sink: Sink) -> None:
    """Tell a sink again."""
    proposal = SinkProposal(SinkPatch(status="active"))
    await update_sink(world.hub, to_command(world.team.id), sink.id, lambda _: proposal, lambda _: Answer(200))
