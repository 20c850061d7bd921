"""Claims, and everybody who writes deliveries at the same moment: nothing is lost, late, or told in a wrong order."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

import asyncpg
import pytest

from customerhub.core.admin import to_command
from customerhub.core.housekeeping import Housekeeper
from customerhub.core.outgoing import Outcome, Sink, Told
from customerhub.core.publisher import publish_until
from customerhub.core.sinks import delete_sink
from customerhub.model.answer import Answer
from customerhub.model.error import Busy, SecretKeyError, Unavailable
from customerhub.store import deliveries as store
from customerhub.store import sinks
from customerhub.store.deliveries import Due
from customerhub.worker import deliver, run
from customerhub.worker.run import Worker
from customerhub.worker.told import find_told
from tests.support.carriers import DELIVERED
from tests.worker.conftest import HIGHEST, Post


async def place(post: Post) -> None:
    """All changes have positions, and no sink has deliveries of them."""
    async with post.hub.database.lease() as connection:
        await publish_until(connection, post.writer.team, HIGHEST)


async def test_whoever_cannot_renew_a_claim_stops_before_it_ends(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it would still say could arrive after what the next one to claim it says."""
    seen: list[str] = []

    async def answer(_sink: Sink, told: Told) -> Outcome:
        seen.append(f"began {told.attempt}")
        if len(seen) == 1:
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("stopped")
        return DELIVERED

    async def renew(*_: object) -> None:
        raise Unavailable

    monkeypatch.setattr(run, "LEASE_SECONDS", 1.5)
    monkeypatch.setattr(store, "renew", renew)
    post.webhook.answer = answer
    sink = await post.add_sink()
    await post.writer.create()
    await post.publish()
    post.work()
    await post.wait_for(sink, "delivered")
    assert seen == ["began 1", "stopped", "began 1"]


async def test_a_claim_is_renewed_while_others_hold_lanes(post: Post) -> None:
    """One that is held by somebody is left out, and none of the others waits for it."""
    sink = await post.add_sink()
    for _ in range(2):
        await post.writer.create()
    await post.publish()
    async with post.hub.database.lease() as connection:
        held, free = await store.claim(connection, sink.team, sink.id, uuid4(), 2, 10)
    async with post.hub.database.transaction() as holder, post.hub.database.lease() as connection:
        assert await store.hold_lane(holder, held)
        assert await store.renew(connection, (held, free), 10) == {free}
    async with post.hub.database.lease() as connection:
        assert await store.renew(connection, (held, free), 10) == {held, free}


async def test_a_loop_that_fails_goes_on(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours ends no renewing: every claim that is made later would be lost."""
    faults = 2

    async def renew(*_: object) -> set[store.Lane]:
        nonlocal faults
        faults -= 1
        if faults >= 0:
            raise ValueError("what nobody thought of")
        goes_on.set()
        return set()

    goes_on = asyncio.Event()

    async def answer(_sink: Sink, _told: Told) -> Outcome:
        await goes_on.wait()
        return DELIVERED

    monkeypatch.setattr(run, "_RENEWAL_SECONDS", 0.0)
    monkeypatch.setattr(run, "_POLL_SECONDS", 0.05)
    monkeypatch.setattr(store, "renew", renew)
    post.webhook.answer = answer
    sink = await post.add_sink()
    await post.writer.create()
    await post.publish()
    post.work()
    await post.wait_for(sink, "delivered")


async def test_a_sink_whose_lanes_are_held_delays_no_other(post: Post) -> None:
    """An erasure may hold them for a while: this one gets more later, and the others now."""
    held, free = await post.add_sink(name="held", types=("customer.created",)), await post.add_sink(name="free")
    made = await post.writer.create()
    await post.publish()
    await post.writer.execute("update sink set types = '{}' where team = $1 and id = $2", held.id)
    await post.writer.update(made, name="Birch")
    await place(post)
    held = await post.view(held)
    worker = Worker(post.hub)
    post.workers.append(worker)
    async with post.hub.database.transaction() as holder:
        await holder.execute("select from lane where team = $1 and sink = $2 for update", held.team, held.id)
        async with post.hub.database.lease() as connection:
            with pytest.raises(asyncpg.LockNotAvailableError):
                async with connection.transaction():
                    await store.take(connection, Due(held, 0, is_behind=True))
        await worker._round()
        await post.wait_for(free, "delivered", "delivered")
        assert await post.statuses(held) == ["waiting"]
    await worker._round()
    await post.wait_for(held, "delivered", "delivered")


async def test_who_replays_and_who_takes_from_the_feed_take_turns(post: Post) -> None:
    """They write lanes and deliveries the other way round: each would wait for the other."""
    sink = await post.add_sink("stripe")
    made = await post.writer.create()
    await place(post)
    async with post.hub.database.transaction() as first, post.hub.database.transaction() as second:
        assert await store.replay(first, sink, 0, HIGHEST, ()) == (1, 1)
        assert await store.take(second, Due(sink, 0, is_behind=True)) == 0
    async with post.hub.database.transaction() as first, post.hub.database.transaction() as second:
        assert await store.enqueue(first, sink.team, sink.id, (made.id,), post.hub.now()) == 1
        assert await store.take(second, Due(sink, 0, is_behind=True)) == 0
    async with post.hub.database.transaction() as connection:
        assert await store.take(connection, Due(sink, 0, is_behind=True)) == 1
    assert await post.statuses(sink) == ["waiting"]


async def test_a_sink_that_has_ended_gets_nothing_more(post: Post) -> None:
    """Neither from somebody who looked before, nor is a failure counted that comes after."""
    sink = await post.add_sink()
    await post.writer.create()
    await place(post)
    await delete_sink(post.hub, to_command(sink.team), sink.id, lambda _: Answer(200))
    async with post.hub.database.transaction() as connection:
        assert await store.take(connection, Due(sink, 0, is_behind=True)) == 0
        assert await sinks.note_failure(connection, sink.team, sink.id) is None
        assert await store.list_deliveries(connection, sink.team, sink.id, HIGHEST, 10) == []


async def test_what_a_sink_that_has_ended_leaves_is_tidied_up(post: Post) -> None:
    """Lanes in which something waits go with it, and the very many others piece by piece later."""
    sink, other = await post.add_sink(), await post.add_sink()
    made = await post.writer.create()
    await post.publish()
    post.work()
    for one in (sink, other):
        await post.wait_for(one, "delivered")
    await post.change_sink(sink, status="paused")
    await post.writer.create()
    await place(post)
    async with post.hub.database.transaction() as connection:
        assert await store.take(connection, Due(sink, 0, is_behind=True)) == 1
    await delete_sink(post.hub, to_command(sink.team), sink.id, lambda _: Answer(200))

    async def list_lanes() -> set[tuple[UUID, UUID]]:
        async with post.hub.database.lease() as connection:
            return set(await connection.fetch("select sink, customer from lane where team = $1", sink.team))

    assert {customer for one, customer in await list_lanes() if one == sink.id} == {made.id}
    await Housekeeper(post.hub.database, post.hub.settings, lambda: datetime.now(UTC)).sweep()
    assert {one for one, _ in await list_lanes()} == {other.id}
    async with post.hub.database.lease() as connection:
        assert (sink.team, sink.id) not in await store.list_ended(connection)


async def test_what_is_asked_for_once_more_is_not_tidied_up(post: Post) -> None:
    """Also where whoever tidies up found it a moment before."""
    sink = await post.add_sink()
    await post.writer.create()
    await post.publish()
    post.work()
    await post.wait_for(sink, "delivered")
    (told,) = await post.deliveries(sink)
    later = datetime.now(UTC) + timedelta(days=1)
    await post.change_sink(sink, status="paused")

    tidier: list[int] = []

    async def tidy_up() -> int:
        async with post.hub.database.lease() as connection:
            tidier.append(connection.get_server_pid())
            return await store.delete_old_deliveries(connection, sink.team, later)

    async def is_waiting() -> bool:
        async with post.hub.database.lease() as connection:
            return bool(tidier and await connection.fetchval("select cardinality(pg_blocking_pids($1))", tidier[0]))

    async with post.hub.database.transaction() as connection:
        assert await store.replay_some(connection, sink.team, sink.id, (told.id,)) == 1
        tidying = asyncio.create_task(tidy_up())
        await post.wait_until(is_waiting, "it waits for the replay")
    assert await tidying == 0
    assert await post.statuses(sink) == ["waiting"]


async def test_a_sink_that_is_changed_meanwhile_is_told_as_it_is_now(post: Post) -> None:
    """The second of two deliveries goes where the sink leads by then."""

    async def answer(sink: Sink, told: Told) -> Outcome:
        if told.version == 1:
            await post.change_sink(sink, url="https://elsewhere.test/")
        return DELIVERED

    post.webhook.answer = answer
    sink = await post.add_sink()
    await post.writer.update(await post.writer.create(), name="Birch")
    await post.publish()
    post.work()
    await post.wait_for(sink, "delivered", "delivered")
    assert [one.url for one, _ in post.webhook.told] == ["https://there.test/", "https://elsewhere.test/"]


async def test_what_cannot_be_told_for_a_fault_of_ours_is_a_dead_letter_in_the_end(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its tries; what comes behind it goes on."""

    async def fail(*values: object, is_mirror: bool) -> Told | None:
        told = await find_told(*values, is_mirror=is_mirror)  # type: ignore[arg-type]
        if told is not None and told.version == 1:
            raise ValueError("what nobody thought of")
        return told

    monkeypatch.setattr(deliver, "find_told", fail)
    sink = await post.add_sink()
    await post.writer.update(await post.writer.create(), name="Birch")
    await post.publish()
    post.work()
    await post.wait_for(sink, "dead", "delivered")
    assert [(one.attempts, one.reason) for one in await post.deliveries(sink)] == [
        (4, "a fault of the hub's own; its log says more"),
        (1, None),
    ]


async def test_what_was_told_is_settled_though_somebody_holds_the_sink(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or it would be told again for a count that could not be written."""

    async def note_success(*_: object) -> None:
        raise Busy

    monkeypatch.setattr(sinks, "note_success", note_success)
    sink = await post.add_sink()
    async with post.hub.database.lease() as connection:
        await sinks.note_failure(connection, sink.team, sink.id)
    await post.writer.create()
    await post.publish()
    post.work()
    await post.wait_for(sink, "delivered")
    assert len(post.webhook.told) == 1


async def test_a_secret_that_cannot_be_read_is_a_failure_of_the_sink(post: Post) -> None:
    """Which then rests, and says why at each attempt."""

    async def answer(_sink: Sink, _told: Told) -> Outcome:
        raise SecretKeyError("another key")

    post.webhook.answer = answer
    sink = await post.add_sink()
    await post.writer.create()
    await post.publish()
    post.work()
    await post.wait_for(sink, "dead")
    async with post.hub.database.lease() as connection:
        assert (await sinks.list_states(connection, sink.team))[sink.id].failures == 4
    assert [one.reason for one in await post.deliveries(sink)] == ["its secret cannot be read with the hub's key"]


async def test_where_many_are_told_each_sink_has_one_place(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that hang together would take all of them, and the others nobody would tell."""
    goes_on = asyncio.Event()

    async def answer(_sink: Sink, _told: Told) -> Outcome:
        await goes_on.wait()
        return DELIVERED

    monkeypatch.setattr(run, "_PLENTY", 1)
    post.webhook.answer = answer
    both = await post.add_sink(name="one"), await post.add_sink(name="other")
    for _ in range(3):
        await post.writer.create()
    await post.publish()
    worker = Worker(post.hub)
    post.workers.append(worker)
    for _ in range(3):
        await worker._round()

    async def is_idle(sink: Sink) -> bool:
        return not worker._at_work[sink.id]

    assert sorted(worker._at_work[sink.id] for sink in both) == [1, 3]
    goes_on.set()
    for sink in both:
        await post.wait_until(partial(is_idle, sink), "it is told of those")


async def test_what_is_no_change_is_told_of_like_changes(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same hint, from the connection of its own that bounds how many there are."""
    monkeypatch.setattr(run, "_POLL_SECONDS", 3600.0)
    sink = await post.add_sink("stripe")
    made = await post.writer.create()
    await post.publish()
    post.hub.publisher.start()
    post.work()
    await post.wait_for(sink, "delivered")
    async with post.hub.database.transaction() as connection:
        await store.enqueue(connection, sink.team, sink.id, (made.id,), post.hub.now())
    post.hub.publisher.announce()

    async def is_told() -> bool:
        return len(post.mirror.told) == 2

    await post.wait_until(is_told, "it is told once more")
