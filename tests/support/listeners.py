"""Sinks that are told of everything there was, and whose log then has all of it."""

from uuid import UUID

from customerhub.core.admin import to_command
from customerhub.core.hub import Hub
from customerhub.core.outgoing import Exchange, Outcome, Sink, Told
from customerhub.core.publisher import publish_until
from customerhub.core.sinks import NewSink, SinkPatch, SinkProposal, create_sink
from customerhub.model.answer import Answer
from customerhub.store import deliveries as store
from customerhub.store.syncs import Sync, put_sync
from customerhub.worker.run import Worker
from tests.support.carriers import FakeCarrier
from tests.support.waiting import wait_until

HIGHEST = 2**62


async def end_other_sinks(hub: Hub, team: UUID) -> None:
    """What the teams of other tests have left to be told is nobody's business any more."""
    async with hub.database.lease() as connection:
        await connection.execute("update sink set deleted_at = now() where deleted_at is null and team <> $1", team)


async def add_sink(hub: Hub, team: UUID, new: NewSink, patch: SinkPatch) -> Sink:
    """A new sink of a team."""
    made: list[Sink] = []

    def render(sink: Sink) -> Answer:
        made.append(sink)
        return Answer(200)

    await create_sink(hub, to_command(team), new, lambda _: SinkProposal(patch), render)
    return made[0]


async def tell_everybody(hub: Hub, team: UUID, customer: UUID, words: tuple[str, ...]) -> None:
    """Let a webhook be told of the team's whole past, and a mirror know the customer; both say these words of whom they
    belong to.
    """
    said = " ".join(words)

    async def answer(_sink: Sink, told: Told) -> Outcome:
        record = repr((told.before, told.after, told.changes)).lower()
        heard = said if any(word.lower() in record for word in words) else ""
        exchange = Exchange("POST", "https://there.test/", body=f"{told.after.name} {heard}", answer=heard)
        return Outcome("refused", heard[:400], (exchange,))

    async with hub.database.lease() as connection:
        # Events are told, and what was before there was a sink has none.
        await connection.execute(
            "insert into event (team, customer, version, type, at) "
            "select c.team, c.customer, c.version, 'customer.' || c.action, c.at from change c where c.team = $1 "
            "on conflict do nothing",
            team,
        )
        await publish_until(connection, team, HIGHEST)
    sink = await add_sink(hub, team, NewSink("webhook", "hub"), SinkPatch(url="https://there.test/", name="Told"))
    hub.carriers = {"webhook": FakeCarrier(answer=answer)}
    values = dict.fromkeys(("name", "note"), said)
    known = Sync(customer, "there", 1, values, values, {"body": said, "key": "k"}, said)
    async with hub.database.transaction() as connection:
        await put_sync(connection, team, sink.id, known, hub.now())
        await store.replay(connection, sink, 0, HIGHEST, (), 1000)
    worker = Worker(hub)
    worker.start()

    async def is_told() -> bool:
        async with hub.database.lease() as connection:
            return (await store.get_depths(connection, team))[sink.id][0] == 0

    await wait_until(is_told, "all of it is told")
    await worker.close()
    hub.carriers = {}
