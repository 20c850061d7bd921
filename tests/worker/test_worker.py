"""What is told to sinks, in which order, how often, and what stands in nobody's way."""

import asyncio
from collections import defaultdict
from uuid import UUID, uuid4

import msgspec
import pytest

from customerhub.core.admin import to_command
from customerhub.core.outgoing import Outcome, Sink, Told
from customerhub.core.sinks import get_sink
from customerhub.model.change import FieldChange
from customerhub.store import deliveries as store
from customerhub.store import sinks
from customerhub.worker import run
from customerhub.worker.run import Worker
from tests.support.carriers import DELIVERED
from tests.worker.conftest import Post

REFUSED = Outcome("refused", "the name is too long")


def versions(told: list[tuple[Sink, Told]]) -> list[tuple[str, int]]:
    """What was told, as type and sequence number."""
    return [(one.type, one.version) for _, one in told]


async def test_a_webhook_hears_of_every_version_in_order(post: Post) -> None:
    """With the record before and after it, what changed, who did it, under an id of its own."""
    sink = await post.add_sink()
    made = await post.writer.create(name="Aster")
    changed = await post.writer.update(made, name="Birch")
    gone = await post.writer.delete(changed)
    await post.publish()
    post.work()
    await post.wait_for(sink, "delivered", "delivered", "delivered")
    told = [one for _, one in post.webhook.told]
    assert versions(post.webhook.told) == [("customer.created", 1), ("customer.updated", 2), ("customer.deleted", 3)]
    assert [(one.before, one.after) for one in told] == [(None, made), (made, changed), (changed, gone)]
    assert told[1].changes == (FieldChange("/name", "Aster", "Birch"),)
    assert {(one.actor, one.actor_name, one.dialect) for one in told} == {
        (post.writer.caller.actor, post.writer.caller.name, post.writer.caller.dialect)
    }
    assert [one.position for one in told] == [1, 2, 3]
    assert len({one.delivery for one in told}) == 3
    assert [one.id for one in await post.deliveries(sink)] == [one.delivery for one in told]


async def test_a_mirror_hears_of_the_newest_state_alone(post: Post) -> None:
    """What was on its way before it is superseded."""
    sink = await post.add_sink("stripe")
    made = await post.writer.create()
    for name in ("Birch", "Cedar"):
        made = await post.writer.update(made, name=name)
    await post.publish()
    post.work()
    await post.wait_for(sink, "superseded", "superseded", "delivered")
    ((_, told),) = post.mirror.told
    assert (told.version, told.before, told.after) == (3, None, made)


async def test_a_failed_delivery_is_tried_again_under_its_id(post: Post) -> None:
    """Later ones of the same customer wait for it; those of others do not."""
    fails = {"Aster": 2}

    async def answer(_: Sink, told: Told) -> Outcome:
        fails[told.after.name] = fails.get(told.after.name, 0) - 1
        return Outcome("retry", "500") if fails[told.after.name] >= 0 else DELIVERED

    post.webhook.answer = answer
    sink = await post.add_sink()
    made = await post.writer.create(name="Aster")
    await post.writer.update(made, name="Birch")
    await post.writer.create(name="Cedar")
    await post.publish()
    post.work()
    await post.wait_for(sink, "delivered", "delivered", "delivered")
    own = [one for _, one in post.webhook.told if one.customer == made.id]
    assert [(one.version, one.attempt) for one in own] == [(1, 1), (1, 2), (1, 3), (2, 1)]
    assert len({one.delivery for one in own}) == 2
    first = (await post.deliveries(sink))[0]
    async with post.hub.database.lease() as connection:
        attempts = await store.list_attempts(connection, sink.team, sink.id, first)
    assert [(one.number, one.outcome, one.reason) for one in attempts] == [
        (1, "retry", "500"),
        (2, "retry", "500"),
        (3, "delivered", None),
    ]
    assert msgspec.json.decode(attempts[2].exchanges or b"")[0]["status"] == 200


async def test_what_never_gets_through_is_a_dead_letter_and_can_be_replayed(post: Post) -> None:
    """After the last try, or at once where the other side will never take it; then the next one goes on."""

    async def answer(_: Sink, told: Told) -> Outcome:
        return {1: REFUSED, 2: Outcome("retry", "500")}.get(told.version, DELIVERED)

    post.webhook.answer = answer
    sink = await post.add_sink()
    made = await post.writer.create()
    await post.writer.update(await post.writer.update(made, name="Birch"), name="Cedar")
    await post.publish()
    worker = post.work()
    await post.wait_for(sink, "dead", "dead", "delivered")
    found = await post.deliveries(sink)
    assert [(one.attempts, one.reason) for one in found] == [(1, "the name is too long"), (4, "500"), (1, None)]
    post.webhook.answer = type(post.webhook)().answer
    async with post.hub.database.lease() as connection:
        assert await store.replay_some(connection, sink.team, sink.id, None) == 2
    worker.wake()
    await post.wait_for(sink, "delivered", "delivered", "delivered")
    assert [one.id for one in await post.deliveries(sink)] == [one.id for one in found]
    assert [(one.version, one.attempt) for _, one in post.webhook.told[-2:]] == [(1, 2), (2, 5)]


async def test_a_new_sink_can_be_told_of_what_was_before_it(post: Post) -> None:
    """From any position of the feed to any other; and what it has had already, once more."""
    first = await post.add_sink()
    made = await post.writer.create()
    for name in ("Birch", "Cedar"):
        made = await post.writer.update(made, name=name)
    await post.publish()
    second = await post.add_sink()
    post.work()
    await post.wait_for(first, "delivered", "delivered", "delivered")
    async with post.hub.database.lease() as connection:
        assert await store.replay(connection, second, 1, 3, ()) == (2, 3)
        assert await store.replay(connection, second, 3, 9, ()) == (0, None)
    await post.wait_for(second, "delivered", "delivered")
    assert [one.version for sink, one in post.webhook.told if sink.id == second.id] == [2, 3]


async def test_a_dead_or_slow_sink_delays_no_other(post: Post) -> None:
    """One that hangs has its own places, and all the others go on."""
    hangs = asyncio.Event()

    async def answer(sink: Sink, _: Told) -> Outcome:
        if sink.name == "slow":
            await hangs.wait()
        return DELIVERED

    post.webhook.answer = answer
    slow, quick = await post.add_sink(name="slow"), await post.add_sink(name="quick")
    for _ in range(6):
        await post.writer.create()
    await post.publish()
    post.work()
    await post.wait_for(quick, *["delivered"] * 6)
    assert await post.statuses(slow) == ["waiting"] * 6
    assert sum(sink.id == slow.id for sink, _ in post.webhook.told) == post.webhook.concurrency
    hangs.set()
    await post.wait_for(slow, *["delivered"] * 6)


async def test_a_sink_hears_only_of_the_types_it_asked_for(post: Post) -> None:
    """The others are no deliveries of its."""
    sink = await post.add_sink(types=("customer.deleted",))
    made = await post.writer.create()
    await post.writer.delete(made)
    await post.publish()
    assert [(one.type, one.version) for one in await post.deliveries(sink)] == [("customer.deleted", 2)]


async def test_what_a_killed_worker_had_claimed_is_free_again(post: Post) -> None:
    """When its claim has ended, and not before; who comes back too late writes nothing."""
    sink = await post.add_sink()
    await post.writer.create()
    await post.publish()
    async with post.hub.database.lease() as connection:
        (lane,) = await store.claim(connection, sink.team, sink.id, uuid4(), 4, 10)
        assert await store.claim(connection, sink.team, sink.id, uuid4(), 4, 10) == []
    await post.writer.execute("update lane set claimed_until = now() where team = $1")
    post.work()
    await post.wait_for(sink, "delivered")
    async with post.hub.database.transaction() as connection:
        assert not await store.hold_lane(connection, lane)


async def test_workers_tell_each_version_once_and_each_customer_in_order(post: Post) -> None:
    """Three workers at one sink: nobody dies, so nothing is told twice."""
    post.webhook.concurrency = 3
    sink = await post.add_sink()
    for _ in range(3):
        post.work()
    post.hub.publisher.start()
    made = [await post.writer.create() for _ in range(5)]
    for turn in range(8):
        for place, customer in enumerate(made):
            made[place] = await post.writer.update(customer, name=f"Turn {turn}")
    await post.wait_for(sink, *["delivered"] * 45)
    told: dict[UUID, list[int]] = defaultdict(list)
    for _, one in post.webhook.told:
        told[one.customer].append(one.version)
    assert told == {customer.id: list(range(1, 10)) for customer in made}


async def test_counts_say_what_became_of_deliveries(post: Post) -> None:
    """Of all workers together, also of one that has stopped."""

    async def answer(_: Sink, told: Told) -> Outcome:
        return REFUSED if told.version == 2 else Outcome("retry", "x") if told.attempt == 1 else DELIVERED

    post.webhook.answer = answer
    sink = await post.add_sink()
    await post.writer.update(await post.writer.create(), name="Birch")
    await post.publish()
    worker = post.work()
    await post.wait_for(sink, "delivered", "dead")
    post.workers.remove(worker)
    await worker.close()
    async with post.hub.database.lease() as connection:
        state = (await sinks.list_states(connection, sink.team))[sink.id]
    assert (state.delivered, state.retried, state.dead, state.skipped, state.superseded) == (1, 1, 1, 0, 0)
    assert state.succeeded_at is not None


async def test_an_ended_sink_is_told_nothing_more(post: Post) -> None:
    """What was on its way is settled, and nothing of it is due."""
    sink = await post.add_sink()
    await post.writer.create()
    await post.publish()
    await post.writer.execute("update sink set deleted_at = now() where team = $1 and id = $2", sink.id)
    worker = Worker(post.hub)
    await worker._round()
    assert post.webhook.told == []
    await worker.close()


async def test_what_a_sink_is_behind_costs_nobody_anything(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes nothing gets so many deliveries and no more; the rest stays in the feed until it goes on."""
    monkeypatch.setattr(store, "WINDOW", 3)
    post.webhook.retries = (3600,)
    is_up = False

    async def answer(_sink: Sink, _told: Told) -> Outcome:
        return DELIVERED if is_up else Outcome("retry", "500")

    post.webhook.answer = answer
    sink = await post.add_sink()
    for _ in range(9):
        await post.writer.create()
    for _ in range(4):
        await post.publish()
    assert await post.statuses(sink) == ["waiting"] * 3
    view = await get_sink(post.hub, to_command(sink.team).caller, sink.id)
    assert (view.waiting, view.behind, view.state.taken) == (3, 6, 3)
    assert view.oldest == (await post.deliveries(sink))[0].at
    is_up = True
    post.work()
    await post.wait_for(sink, *["delivered"] * 9)
    assert [one.position for _, one in sorted(post.webhook.told, key=lambda told: told[1].position)] == list(
        range(1, 10)
    )


async def test_what_another_process_publishes_is_told_at_once(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a hint, long before anybody would look."""
    monkeypatch.setattr(run, "_POLL_SECONDS", 3600.0)
    sink = await post.add_sink()
    post.work()
    made = await post.writer.create()
    post.hub.publisher.start()
    await post.wait_for(sink, "delivered")
    await post.writer.update(made, name="Birch")
    await post.wait_for(sink, "delivered", "delivered")


async def test_what_is_asked_for_once_more_meanwhile_is_told_once_more(post: Post) -> None:
    """A repair that comes while the customer is being told is not lost."""
    is_under_way, goes_on = asyncio.Event(), asyncio.Event()

    async def answer(_sink: Sink, _told: Told) -> Outcome:
        is_under_way.set()
        await goes_on.wait()
        return DELIVERED

    post.mirror.answer = answer
    sink = await post.add_sink("stripe")
    made = await post.writer.create()
    await post.publish()
    post.work()
    await is_under_way.wait()
    async with post.hub.database.lease() as connection:
        assert await store.enqueue(connection, sink.team, sink.id, (made.id,), post.hub.now()) == 1
    goes_on.set()
    await post.wait_for(sink, "delivered")
    assert [one.attempt for _, one in post.mirror.told] == [1, 2]
