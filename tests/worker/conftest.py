"""A team with a sink, and a worker that tells it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from customerhub.core.admin import to_command
from customerhub.core.hub import Hub
from customerhub.core.publisher import publish_until
from customerhub.core.sinks import NewSink, SinkPatch, SinkProposal, get_sink, update_sink
from customerhub.model.answer import Answer
from customerhub.store import deliveries as store
from customerhub.store.deliveries import Delivery, Due
from customerhub.store.sinks import Sink, SinkKind, list_sinks
from customerhub.worker.run import Worker
from tests.support.carriers import FakeCarrier
from tests.support.listeners import add_sink, end_other_sinks
from tests.support.waiting import wait_until
from tests.support.world import World
from tests.support.writer import Writer, make_writer

HIGHEST = 2**62


@dataclass
class Post:
    """A team whose changes are told: who writes, how sinks are told, who tells them."""

    writer: Writer
    webhook: FakeCarrier
    mirror: FakeCarrier
    workers: list[Worker] = field(default_factory=list)

    @property
    def hub(self) -> Hub:
        """The process."""
        return self.writer.hub

    async def add_sink(self, kind: SinkKind = "webhook", *, holds: bool = True, **fields: object) -> Sink:
        """A new sink of the team."""
        patch = SinkPatch(**{"url": "https://there.test/", "name": kind, **fields})  # type: ignore[arg-type]
        return await add_sink(self.hub, self.writer.team, NewSink(kind, "hub", holds), patch)

    async def change_sink(self, sink: Sink, **fields: object) -> Sink:
        """Some of it is otherwise."""
        seen: list[Sink] = []

        def render(after: Sink) -> Answer:
            seen.append(after)
            return Answer(200)

        patch = SinkPatch(**fields)  # type: ignore[arg-type]
        await update_sink(self.hub, to_command(sink.team), sink.id, lambda _: SinkProposal(patch), render)
        return seen[0]

    async def publish(self) -> None:
        """All changes have positions, and all active sinks their deliveries."""
        async with self.hub.database.lease() as connection:
            await publish_until(connection, self.writer.team, HIGHEST)
            for sink in await list_sinks(connection, self.writer.team):
                if sink.status == "active":
                    async with connection.transaction():
                        await store.take(connection, Due(sink, 0, is_behind=True))

    def work(self) -> Worker:
        """One more worker, at work."""
        worker = Worker(self.hub)
        worker.start()
        self.workers.append(worker)
        return worker

    async def deliveries(self, sink: Sink) -> list[Delivery]:
        """All of a sink's, the oldest first."""
        async with self.hub.database.lease() as connection:
            found = await store.list_deliveries(connection, sink.team, sink.id, HIGHEST, 1000)
        return found[::-1]

    async def statuses(self, sink: Sink) -> list[str]:
        """What became of them."""
        return [one.status for one in await self.deliveries(sink)]

    async def wait_for(self, sink: Sink, *statuses: str) -> None:
        """Until its deliveries stand so."""

        async def stands() -> bool:
            return await self.statuses(sink) == list(statuses)

        await wait_until(stands, f"deliveries are {statuses}")

    async def wait_until(self, condition: Callable[[], Awaitable[bool]], what: str) -> None:
        """Until it is so."""
        await wait_until(condition, what)

    async def view(self, sink: Sink) -> Sink:
        """The sink as it stands."""
        return (await get_sink(self.hub, to_command(sink.team).caller, sink.id)).sink


@pytest.fixture
async def post(world: World) -> AsyncIterator[Post]:
    """Retries come a hundred times as soon as usual."""
    writer = await make_writer(world)
    await end_other_sinks(writer.hub, writer.team)
    writer.hub.settings = writer.hub.settings.model_copy(update={"retry_seconds": 0.05})
    webhook, mirror = FakeCarrier(), FakeCarrier(is_mirror=True)
    writer.hub.carriers = {"webhook": webhook, "stripe": mirror}
    post = Post(writer, webhook, mirror)
    yield post
    for worker in post.workers:
        await worker.close()
    writer.hub.carriers = {}
