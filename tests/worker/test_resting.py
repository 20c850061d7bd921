"""Sinks that are down, ask for time, want nothing more, or are paused."""

import asyncio

from customerhub.core.outgoing import Outcome, Sink, Told
from customerhub.store import deliveries as store
from customerhub.store import sinks
from tests.support.carriers import DELIVERED
from tests.worker.conftest import Post

AWAY = Outcome("retry", "no answer", is_of_sink=True)


async def test_a_sink_that_fails_at_everything_is_left_alone_for_a_while(post: Post) -> None:
    """Then one delivery at a time tries it, and with the first success all go on; nothing is lost."""
    post.webhook.retries = (0.01,) * 1000
    at_once = most = 0
    is_up = False

    async def answer(_sink: Sink, _told: Told) -> Outcome:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once) if len(post.webhook.told) > 12 else 0
        await asyncio.sleep(0)
        at_once -= 1
        return DELIVERED if is_up else AWAY

    post.webhook.answer = answer
    sink = await post.add_sink()
    for _ in range(8):
        await post.writer.create()
    await post.publish()
    post.work()

    async def has_rested() -> bool:
        return len(post.webhook.told) > 14

    await post.wait_until(has_rested, "it was probed")
    assert most == 1
    async with post.hub.database.lease() as connection:
        state = (await sinks.list_states(connection, sink.team))[sink.id]
    assert state.failures >= 10
    assert state.failing_since is not None
    is_up = True
    await post.wait_for(sink, *["delivered"] * 8)
    async with post.hub.database.lease() as connection:
        state = (await sinks.list_states(connection, sink.team))[sink.id]
    assert (state.failures, state.failing_since, state.resume_at) == (0, None, None)


async def test_who_asks_to_be_left_alone_is_left_alone(post: Post) -> None:
    """`retry_after` holds up all of the sink; that counts as no failure."""

    async def answer(_sink: Sink, _told: Told) -> Outcome:
        return Outcome("retry", "429", retry_after=900, is_of_sink=True)

    post.webhook.answer = answer
    post.webhook.concurrency = 1
    sink = await post.add_sink()
    for _ in range(3):
        await post.writer.create()
    await post.publish()
    worker = post.work()

    async def rests() -> bool:
        async with post.hub.database.lease() as connection:
            state = (await sinks.list_states(connection, sink.team))[sink.id]
        return state.resume_at is not None

    await post.wait_until(rests, "it rests")
    seen = len(post.webhook.told)
    await worker._round()
    assert len(post.webhook.told) == seen == 1
    async with post.hub.database.lease() as connection:
        assert (await sinks.list_states(connection, sink.team))[sink.id].failures == 0
        assert [due for due in await store.list_due(connection) if due.sink.id == sink.id] == []


async def test_a_sink_that_wants_nothing_more_is_disabled_with_a_reason(post: Post) -> None:
    """What waits goes on waiting, also what happens meanwhile; enabled again it gets all of it."""

    async def answer(_sink: Sink, _told: Told) -> Outcome:
        return Outcome("ended", "the receiver answered 410 Gone")

    post.webhook.answer = answer
    sink = await post.add_sink()
    made = await post.writer.create()
    await post.publish()
    post.work()

    async def is_disabled() -> bool:
        return (await post.view(sink)).status == "disabled"

    await post.wait_until(is_disabled, "it is disabled")
    assert (await post.view(sink)).reason == "the receiver answered 410 Gone"
    await post.writer.update(made, name="Birch")
    await post.publish()
    assert await post.statuses(sink) == ["waiting"]
    post.webhook.answer = type(post.webhook)().answer
    again = await post.change_sink(sink, status="active")
    assert (again.status, again.reason, again.version) == ("active", None, 3)
    await post.wait_for(sink, "delivered", "delivered")


async def test_a_sink_that_its_owner_disabled_hears_nothing_of_what_happens_meanwhile(post: Post) -> None:
    """And asking for `active` once more lets one that rests be tried at once."""
    sink = await post.add_sink()
    await post.change_sink(sink, status="disabled")
    await post.writer.create()
    await post.publish()
    again = await post.change_sink(sink, status="active")
    made = await post.writer.create(name="Birch")
    await post.publish()
    async with post.hub.database.lease() as connection:
        await sinks.rest(connection, sink.team, sink.id, 900)
    assert await post.change_sink(sink, status="active") == again
    post.work()
    await post.wait_for(sink, "delivered")
    assert [one.customer for _, one in post.webhook.told] == [made.id]


async def test_days_of_failure_disable_a_sink(post: Post) -> None:
    """With the time since when nothing got through, and what was said last."""

    async def answer(_sink: Sink, _told: Told) -> Outcome:
        return AWAY

    post.webhook.answer = answer
    sink = await post.add_sink()
    async with post.hub.database.lease() as connection:
        await sinks.note_failure(connection, sink.team, sink.id)
    await post.writer.execute("update sink_state set failing_since = now() - interval '6 days' where team = $1")
    await post.writer.create()
    await post.publish()
    post.work()

    async def is_disabled() -> bool:
        return (await post.view(sink)).status == "disabled"

    await post.wait_until(is_disabled, "it is disabled")
    reason = (await post.view(sink)).reason or ""
    assert reason.startswith("nothing got through since 20")
    assert reason.endswith("last: no answer")


async def test_a_paused_sink_is_told_later_or_never(post: Post) -> None:
    """As it was made: what happens meanwhile waits for it, or is nothing to it."""
    holds, lets_go = await post.add_sink(), await post.add_sink(holds=False)
    post.work()
    for sink in (holds, lets_go):
        await post.change_sink(sink, status="paused")
    await post.writer.create()
    await post.publish()
    await post.change_sink(holds, status="active")
    await post.change_sink(lets_go, status="active")
    await post.wait_for(holds, "delivered")
    await post.writer.create(name="Birch")
    await post.publish()
    await post.wait_for(holds, "delivered", "delivered")
    await post.wait_for(lets_go, "delivered")
    assert {one.after.name for sink, one in post.webhook.told if sink.id == lets_go.id} == {"Birch"}
