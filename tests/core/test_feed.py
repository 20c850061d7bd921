"""The feed: every change of a team once, in one order without gaps, whoever writes and whoever is killed meanwhile."""

import asyncio
import contextlib
import random
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from customerhub.app import create_hub
from customerhub.core.hub import Hub
from customerhub.core.publisher import Published, Publisher, publish
from customerhub.embedded import Cluster
from customerhub.model.error import Busy, Invalid
from customerhub.model.history import FeedEntry
from customerhub.settings import Settings
from customerhub.store import feed as store
from customerhub.store.db import Database, connect
from customerhub.store.feed import Turn
from customerhub.store.migrate import migrate
from tests.support.databases import empty_database
from tests.support.soak import sized
from tests.support.waiting import wait_until
from tests.support.world import World
from tests.support.writer import Writer, make_writer

WRITES = sized(50, 3000)
KILLS = sized(3, 60)
Versions = list[tuple[UUID, int]]


@pytest.fixture
async def writer(world: World) -> Writer:
    """Somebody of the team."""
    return await make_writer(world)


@pytest.fixture
async def second(world: World, database_url: str) -> AsyncIterator[Hub]:
    """Another hub on the same database."""
    hub = create_hub(Settings(database_url=database_url))
    yield hub
    await hub.close()


def told(entries: tuple[FeedEntry, ...]) -> Versions:
    """Which changes these are."""
    return [(entry.entry.customer, entry.entry.version) for entry in entries]


async def test_the_feed_has_every_change_at_its_position(writer: Writer, other_world: World) -> None:
    """From 1 on without gaps, each as the history has it; nobody else's; from any position on, piece by piece."""
    one, two = await writer.create(), await writer.create()
    await writer.update(one, note="x")
    await writer.delete(two)
    await (await make_writer(other_world)).create()
    feed = await writer.feed()
    assert [entry.position for entry in feed.entries] == [1, 2, 3, 4]
    assert told(feed.entries) == [(one.id, 1), (two.id, 1), (one.id, 2), (two.id, 2)]
    assert [entry.entry.action for entry in feed.entries] == ["created", "created", "updated", "deleted"]
    history = [*await writer.history(one), *await writer.history(two)]
    assert sorted(map(repr, history)) == sorted(repr(entry.entry) for entry in feed.entries)
    assert feed.next == 4
    walked: list[FeedEntry] = []
    after = 0
    while entries := (await writer.feed(after, 3)).entries:
        walked += entries
        after = entries[-1].position
    assert tuple(walked) == feed.entries
    assert await writer.feed(4) == type(feed)((), 4)


async def test_an_acknowledged_write_is_in_the_feed_at_once(writer: Writer) -> None:
    """Also where nobody publishes: who reads a feed publishes what waits."""
    assert not writer.hub.publisher.is_running
    assert (await writer.feed()).entries == ()
    for place in range(5):
        made = await writer.create()
        assert told((await writer.feed(place)).entries) == [(made.id, 1)]


async def test_a_position_that_nothing_has_is_refused(writer: Writer) -> None:
    """Whoever has one read another database: what they miss would never come."""
    await writer.create()
    for after in (2, 99, 2**63 - 1, 2**80):
        with pytest.raises(Invalid) as caught:
            await writer.feed(after)
        assert [(error.path, error.code) for error in caught.value.errors] == [(("after",), "unknown_position")]
    with pytest.raises(Invalid):
        await writer.feed(-1)


async def test_what_is_committed_late_is_not_skipped(writer: Writer, second: Hub) -> None:
    """It stands behind what was committed before it, though it is older; a dry run is in no feed."""
    late, other = await writer.create(), await writer.create()
    start = (await writer.feed()).next
    other_writer = Writer(second, writer.caller)
    async with second.database.transaction() as connection:
        inside = Writer(second.on(connection), writer.caller)
        await inside.update(late, note="late")
        await writer.update(other, note="early")
        await writer.under(dry_run=True).update(other, note="never")
        assert told((await writer.feed(start)).entries) == [(other.id, 2)]
    feed = await writer.feed(start)
    assert [(entry.position, *place) for entry, place in zip(feed.entries, told(feed.entries), strict=True)] == [
        (start + 1, other.id, 2),
        (start + 2, late.id, 2),
    ]
    assert feed.entries[1].entry.at < feed.entries[0].entry.at
    assert await other_writer.feed(start) == feed


async def test_the_first_to_publish_keeps_nobody_waiting(writer: Writer, other_world: World, database_url: str) -> None:
    """A team's counter is made outside of the transaction that holds it: others go on to the next team at once."""
    await writer.create()
    other = await make_writer(other_world)
    await other.create()
    slow = await connect(database_url)
    try:
        async with slow.transaction():
            assert await store.claim(slow, writer.team, waits=False) is None
            async with writer.hub.database.lease() as connection:
                assert await publish(connection, writer.team, waits=False) == Published(1, has_sinks=False)
            assert await store.claim(slow, writer.team, waits=False) == Turn(2, has_sinks=False)
            async with writer.hub.database.lease() as connection:
                assert await publish(connection, writer.team, waits=False) == Published(0, has_sinks=False)
                assert await publish(connection, other.team, waits=False) == Published(1, has_sinks=False)
    finally:
        await slow.close()


async def test_a_long_backlog_is_published_piece_by_piece(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader has the pieces published that it reads, and no more; a publisher does the rest, of every team."""
    monkeypatch.setattr(store, "PIECE", 2)
    monkeypatch.setattr(store, "MOST_TEAMS", 1)
    one = await writer.create()
    for place in range(8):
        await writer.update(one, note=f"{place}")
    assert [entry.entry.version for entry in (await writer.feed(0, 3)).entries] == [1, 2, 3]
    async with writer.hub.database.lease() as connection:
        assert await store.find_next(connection, writer.team) == 5
        assert await store.is_waiting(connection, writer.team)
        assert not await store.is_waiting(connection, writer.team, 4)
    writer.hub.publisher.start()

    async def is_published() -> bool:
        async with writer.hub.database.lease() as connection:
            return await store.find_next(connection, writer.team) == 10

    await wait_until(is_published, "all of it has its positions")
    assert [entry.position for entry in (await writer.feed()).entries] == list(range(1, 10))


async def test_a_killed_publisher_leaves_no_gap(writer: Writer, database_url: str) -> None:
    """What it had begun is as if it had not: the next one gives the same positions."""
    made = [await writer.create() for _ in range(3)]
    killed = await connect(database_url)
    try:
        await store.add_counter(killed, writer.team)
        transaction = killed.transaction()
        await transaction.start()
        turn = await store.claim(killed, writer.team, waits=False)
        assert turn == Turn(1, has_sinks=False)
        assert await store.publish(killed, writer.team, turn) == 3
        async with writer.hub.database.lease() as connection:
            assert await publish(connection, writer.team, waits=False) == Published(0, has_sinks=False)
            assert writer.team in await store.list_waiting_teams(connection, UUID(int=0))
    finally:
        killed.terminate()
    feed = await writer.feed()
    assert [(entry.position, entry.entry.customer) for entry in feed.entries] == list(
        enumerate((one.id for one in made), 1)
    )


async def test_a_reader_does_not_wait_for_ever_for_a_publisher(writer: Writer, database_url: str) -> None:
    """One that hangs with the counter in its hand costs a reader the patience of the settings, and no more."""
    impatient = create_hub(Settings(database_url=database_url, patience_seconds=0.2))
    await writer.create()
    await writer.feed()
    await writer.create()
    async with writer.hub.database.transaction() as connection:
        await store.claim(connection, writer.team, waits=True)
        with pytest.raises(Busy):
            await Writer(impatient, writer.caller).feed()
    assert len((await Writer(impatient, writer.caller).feed()).entries) == 2
    await impatient.close()


async def test_a_reader_waits_for_news(writer: Writer, second: Hub) -> None:
    """From the same process and from another one, without holding a connection; and for as long as was asked."""
    hub = writer.hub
    hub.publisher.start()
    made = await writer.create()
    after = (await writer.feed()).next
    for who in (writer, Writer(second, writer.caller)):
        readers = [asyncio.create_task(writer.feed(after, wait=30)) for _ in range(20)]
        await wait_until(lambda: is_watched(hub, writer.team, 20), "twenty readers wait")
        await who.update(made, note=str(after))
        started = time.monotonic()
        feeds = await asyncio.gather(*readers)
        assert time.monotonic() - started < 10
        after += 1
        assert [(feed.next, told(feed.entries)) for feed in feeds] == [(after, [(made.id, after)])] * 20
    started = time.monotonic()
    assert (await writer.feed(after, wait=0.3)).entries == ()
    assert 0.3 <= time.monotonic() - started < 5
    assert hub.publisher._watchers == {}


async def is_watched(hub: Hub, team: UUID, number: int) -> bool:
    """Whether so many readers of the team's feed wait in this process."""
    return len(hub.publisher._watchers.get(team, {})) == number


async def test_readers_are_let_go_when_the_process_stops(writer: Writer) -> None:
    """With nothing, so that they ask another process; and nobody begins to wait any more."""
    hub = writer.hub
    hub.publisher.start()
    reader = asyncio.create_task(writer.feed(wait=60))
    await wait_until(lambda: is_watched(hub, writer.team, 1), "the reader waits")
    hub.publisher.let_go()
    assert (await asyncio.wait_for(reader, 10)).entries == ()
    assert (await asyncio.wait_for(writer.feed(wait=60), 10)).entries == ()


async def test_a_reader_that_goes_leaves_nothing_behind(writer: Writer) -> None:
    """Whoever hangs up is forgotten."""
    hub = writer.hub
    hub.publisher.start()
    reader = asyncio.create_task(writer.feed(wait=60))
    await wait_until(lambda: is_watched(hub, writer.team, 1), "the reader waits")
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    assert hub.publisher._watchers == {}


async def test_a_started_publisher_publishes_by_itself(writer: Writer, second: Hub, database_url: str) -> None:
    """What its own process writes, and what another one writes that has no publisher."""
    writer.hub.publisher.start()
    for place, who in enumerate((writer, Writer(second, writer.caller)), 1):
        await who.create()

        async def is_published(position: int = place) -> bool:
            async with second.database.lease() as connection:
                return await store.find_next(connection, writer.team) == position + 1

        await wait_until(is_published, "the change has its position")


async def test_a_publisher_outlives_its_database(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost connection is told once, and opened again."""
    publisher = writer.hub.publisher
    publisher.start()
    await writer.create()

    async def is_idle() -> bool:
        async with writer.hub.database.lease() as connection:
            return not await store.is_waiting(connection, writer.team)

    await wait_until(is_idle, "the change is published")
    connection = await publisher._database._idle.get()
    if connection is not None:
        connection.terminate()
    publisher._database._idle.put_nowait(connection)
    await writer.create()
    await wait_until(is_idle, "the next one too")
    assert publisher.is_running


async def test_changes_of_older_databases_are_published(cluster: Cluster) -> None:
    """In the order of time, each team's from 1 on; what is written afterwards goes on from there."""
    async with empty_database(cluster) as url:
        connection = await connect(url)
        await migrate(connection, up_to=4)
        teams = [UUID(int=1), UUID(int=2)]
        for team in teams:
            await connection.execute(
                "insert into team (id, name, name_key, created_at, updated_at) values ($1, $2, $2, now(), now())",
                team,
                str(team),
            )
        await connection.execute(
            "insert into change (team, customer, version, at, action, actor, actor_name, credential, dialect, "
            "request_id, changes) select $1, $2, v, now() - v * interval '1 minute', 'updated', $2, '', $2, '', '', "
            "'[]' from generate_series(1, 5) v",
            teams[0],
            UUID(int=9),
        )
        await migrate(connection)
        entries = await store.get_page(connection, teams[0], 0, 10)
        assert [(entry.position, entry.entry.version) for entry in entries] == list(enumerate((5, 4, 3, 2, 1), 1))
        assert [await store.find_next(connection, team) for team in teams] == [6, 1]
        assert await store.list_waiting_teams(connection, UUID(int=0)) == []
        await connection.close()


async def follow(url: str, team: UUID, found: Versions, until: asyncio.Event) -> None:
    """Read the feed from its beginning as its table has it, publishing nothing, until told to stop and all is read."""
    connection = await connect(url)
    while True:
        # Asked first: what is published between the two questions is still to be read.
        is_last = until.is_set() and not await store.is_waiting(connection, team)
        entries = await store.get_page(connection, team, len(found), 7)
        assert [entry.position for entry in entries] == list(range(len(found) + 1, len(found) + 1 + len(entries)))
        found += told(entries)
        if not entries and is_last:
            break
        await asyncio.sleep(0.001)
    await connection.close()


@contextlib.asynccontextmanager
async def publishing(url: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that publishes; gone afterwards by kill -9."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.publish", url), stdin=DEVNULL, stdout=PIPE
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.soak
async def test_each_change_is_told_once_in_order_whoever_is_killed(
    writer: Writer, second: Hub, database_url: str
) -> None:
    """Four writers on two hubs, publishers that are killed again and again, and somebody who reads along."""
    customers = [await writer.create(name=f"Aster {place}") for place in range(5)]
    chance, written, done = random.Random(11), 0, asyncio.Event()
    found: Versions = []

    async def write(who: Writer) -> None:
        nonlocal written
        for _ in range(WRITES):
            customer = chance.choice(customers)
            if chance.random() < 0.2:
                await who.create()
            else:
                await who.update(customer, note=f"{chance.random()}")
            written += 1

    async def kill() -> None:
        for _ in range(KILLS):
            async with publishing(database_url), publishing(database_url):
                before = written

                async def has_grown(before: int = before) -> bool:
                    return written > before + 3 or done.is_set()

                await wait_until(has_grown, "somebody writes", 60)

    follower = asyncio.create_task(follow(database_url, writer.team, found, done))
    writers = [Writer(hub, writer.caller) for hub in (writer.hub, second) for _ in range(2)]
    killer = asyncio.create_task(kill())
    await asyncio.gather(*(write(who) for who in writers))
    done.set()
    await killer
    publisher = Publisher(Database(database_url, size=1))
    publisher.start()
    await asyncio.wait_for(follower, 60)
    await publisher.close()
    async with writer.hub.database.lease() as connection:
        changes = [
            (row[0], row[1])
            for row in await connection.fetch("select customer, version from change where team = $1", writer.team)
        ]
    assert len(found) == len(changes) == 5 + 4 * WRITES
    assert set(found) == set(changes)
    versions: dict[UUID, int] = {}
    for customer, version in found:
        assert version == versions.get(customer, 0) + 1
        versions[customer] = version
