"""The age of the history is bounded: what is too old goes, and what is left leads to every later state."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from customerhub.core.housekeeping import Housekeeper
from customerhub.model.customer import Customer
from customerhub.model.error import HistoryGone
from customerhub.settings import Settings
from customerhub.store.db import Database
from tests.support.world import World
from tests.support.writer import START, Clock, Writer, make_writer

ROWS = "select count(*) from {} where team = $1"


@pytest.fixture
async def writer(world: World) -> Writer:
    """Somebody of the team, under whose clock each step takes minutes."""
    world.hub.now = Clock()
    return await make_writer(world)


async def count(writer: Writer, table: str) -> int:
    """How many rows the team has in a table."""
    async with writer.hub.database.lease() as connection:
        found = await connection.fetchval(ROWS.format(table), writer.team)
    assert isinstance(found, int)
    return found


async def write(writer: Writer, versions: int, **fields: object) -> list[Customer]:
    """A customer at each of its versions."""
    states = [await writer.create(**fields)]
    for place in range(1, versions):
        states.append(await writer.update(states[-1], note=f"note {place}"))
    return states


@asynccontextmanager
async def keeper_at(url: str, when: datetime, **settings: float) -> AsyncIterator[Housekeeper]:
    """A housekeeper whose clock stands there."""
    database = Database(url, size=1)
    yield Housekeeper(database, Settings.model_validate(settings), lambda: when)
    await database.close()


async def test_the_newest_of_what_is_too_old_stays_whole(
    database_url: str, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before it nothing is known any more; from it on every state is as it was, and can be gone back to."""
    monkeypatch.setattr("customerhub.store.folding.PIECE", 2)
    states = await write(writer, 7, email="a@aster.example")
    others = [await write(writer, 1), await write(writer, 2)]
    until = states[4].updated_at + timedelta(days=10)
    for _ in range(2):
        async with keeper_at(database_url, until, history_days=10) as keeper:
            await keeper.sweep()
    assert [entry.version for entry in await writer.history(states[0])] == [7, 6, 5, 4]
    for state in states[3:]:
        assert repr(await writer.at(state, state.version)) == repr(state)
        assert await writer.at(state, state.updated_at) == state
    for when in (1, 3, states[2].updated_at, START - timedelta(days=1)):
        with pytest.raises(HistoryGone):
            await writer.at(states[0], when)
    with pytest.raises(HistoryGone):
        await writer.revert(states[0], 3)
    assert (await writer.revert(states[0], 4)).note == "note 3"
    assert [[entry.version for entry in await writer.history(states[0])] for states in others] == [[1], [2, 1]]


async def test_the_feed_leads_to_the_same_records(database_url: str, writer: Writer) -> None:
    """Read from the beginning it has the whole record where what came before is gone; positions are as they were."""
    states = await write(writer, 5)
    before = {entry.entry.version: entry.position for entry in (await writer.feed()).entries}
    async with keeper_at(database_url, states[3].updated_at + timedelta(days=1), history_days=1) as keeper:
        await keeper.sweep()
    entries = (await writer.feed()).entries
    assert {entry.entry.version: entry.position for entry in entries} == {n: before[n] for n in (3, 4, 5)}
    assert [change.path for change in entries[0].entry.changes] == [""]
    assert await count(writer, "feed") == await count(writer, "change") == 3


async def test_what_waits_gets_its_position_first(
    database_url: str, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Piece by piece; no position is given to what is gone: the feed has no gap that it did not have."""
    monkeypatch.setattr("customerhub.store.feed.PIECE", 2)
    states = await write(writer, 4)
    assert await count(writer, "feed_waiting") == 4
    async with keeper_at(database_url, states[-1].updated_at + timedelta(days=2), history_days=1) as keeper:
        await keeper.sweep()
    assert [(one.position, one.entry.version) for one in (await writer.feed()).entries] == [(4, 4)]
    assert (await writer.update(states[-1], note="x")).version == 5
    assert [(one.position, one.entry.version) for one in (await writer.feed(4)).entries] == [(5, 5)]


async def test_everything_is_kept_where_nothing_bounds_it(database_url: str, writer: Writer) -> None:
    """However old it is: a bound is the operator's wish."""
    states = await write(writer, 3)
    before = await writer.fingerprint()
    async with keeper_at(database_url, states[-1].updated_at + timedelta(days=80)) as keeper:
        await keeper.sweep()
    # Keys and windows of other tests in this database are as old by then, and have bounds of their own.
    bounded = {"idempotency_key": None, "rate_window": None}
    assert {**await writer.fingerprint(), **bounded} == {**before, **bounded}


async def test_a_team_whose_feed_somebody_holds_waits(database_url: str, writer: Writer) -> None:
    """The next sweep does it."""
    states = await write(writer, 3)
    await writer.feed()
    when = states[-1].updated_at + timedelta(days=2)
    async with writer.hub.database.transaction() as connection:
        await connection.execute("select from feed_counter where team = $1 for update", writer.team)
        async with keeper_at(database_url, when, history_days=1) as keeper:
            await keeper.sweep()
    assert await count(writer, "change") == 3
    async with keeper_at(database_url, when, history_days=1) as keeper:
        await keeper.sweep()
    assert await count(writer, "change") == 1


async def test_an_erased_record_stays_as_it_was_left(database_url: str, writer: Writer) -> None:
    """There is nothing to fold what came before it into."""
    states = await write(writer, 3)
    erase = "update change set changes = '[{\"path\": \"\"}]', action = 'erased' where team = $1 and customer = $2"
    await writer.execute(erase, states[0].id)
    async with keeper_at(database_url, states[-1].updated_at + timedelta(days=2), history_days=1) as keeper:
        await keeper.sweep()
    assert await count(writer, "change") == 3


async def test_old_events_go(database_url: str, writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their age, piece by piece; the changes that they told of stay."""
    monkeypatch.setattr("customerhub.store.housekeeping.PIECE", 2)
    await writer.execute("update team set has_sinks = true where id = $1")
    states = await write(writer, 6)
    async with keeper_at(database_url, states[4].updated_at + timedelta(days=3), event_days=3) as keeper:
        await keeper.sweep()
    assert (await count(writer, "event"), await count(writer, "change")) == (2, 6)
