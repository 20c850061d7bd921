"""Limits that all processes count together, in the database or in a Redis: by the clock, to the request."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from limits import parse

from customerhub.core.housekeeping import Housekeeper
from customerhub.core.hub import Hub
from customerhub.model.error import RateLimited, Unavailable
from customerhub.store.db import Database
from customerhub.web.counter import DATABASE, DatabaseCounter, Key, RateState, create_counter
from customerhub.web.limit import Limits
from tests.support.servers import running_redis

ONE = UUID(int=1)
# The beginning of a minute, and of an hour.
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC).timestamp()


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def counter(hub: Hub, clock: Clock) -> DatabaseCounter:
    return DatabaseCounter(hub.database, clock)


def new_key(limit: str) -> Key:
    """A limit that nobody has used."""
    return (parse(limit), "test", uuid4().hex)


async def passes(counter: DatabaseCounter, key: Key) -> bool:
    """Whether one more use is counted."""
    return await counter.take(key) is None


async def test_a_use_counts_and_says_what_is_left(counter: DatabaseCounter, clock: Clock) -> None:
    """Three a minute: the fourth is refused and not counted, and is told when the first of the window fade."""
    key = new_key("3/minute")
    assert await counter.look(key) == RateState(3, 3, 60)
    states = []
    for _ in range(4):
        states.append(await counter.take_and_look(key))
        clock.now += 10
    assert states == [
        RateState(3, 2, 60),
        RateState(3, 1, 50),
        RateState(3, 0, 40),
        # At 60 s the three begin to fade; at 80 s two of them are left, and one more fits.
        RateState(3, 0, 50, is_over=True),
    ]
    clock.now = NOON + 79.9
    assert await counter.take(key) == RateState(3, 0, 1, is_over=True)
    clock.now = NOON + 80
    assert await passes(counter, key)
    assert await counter.look(key) == RateState(3, 0, 20, is_over=True)
    clock.now = NOON + 1000
    assert await counter.look(key) == RateState(3, 3, 20)


async def test_a_burst_at_a_border_passes_once(counter: DatabaseCounter, clock: Clock) -> None:
    """Ten in the last second of a window leave room for none in the first of the next."""
    key = new_key("10/minute")
    clock.now = NOON + 59
    assert [await passes(counter, key) for _ in range(11)] == [True] * 10 + [False]
    clock.now = NOON + 60
    assert not await passes(counter, key)
    clock.now = NOON + 90
    assert [await passes(counter, key) for _ in range(6)] == [True] * 5 + [False]


async def test_a_process_whose_clock_is_behind_counts_as_well(counter: DatabaseCounter, clock: Clock) -> None:
    """It adds to the newest window, and takes nothing back."""
    key = new_key("2/minute")
    assert await passes(counter, key)
    clock.now = NOON - 0.5
    assert [await passes(counter, key) for _ in range(2)] == [True, False]
    clock.now = NOON
    assert not await passes(counter, key)


async def test_a_clock_that_is_behind_lets_no_second_burst_pass(counter: DatabaseCounter, clock: Clock) -> None:
    """Nine of ten at the end of a window and one at the beginning of the next: to whoever thinks that it has not begun
    yet the nine count as well.
    """
    key = new_key("10/minute")
    clock.now = NOON + 59.5
    assert [await passes(counter, key) for _ in range(9)] == [True] * 9
    clock.now = NOON + 60
    assert await passes(counter, key)
    clock.now = NOON + 59.5
    assert not await passes(counter, key)


async def test_a_limit_may_be_any_number(counter: DatabaseCounter) -> None:
    """Also one that is as good as none."""
    assert await counter.take_and_look(new_key("9999999999/minute")) == RateState(9_999_999_999, 9_999_999_998, 60)


async def test_of_many_at_once_no_more_pass_than_may(hub: Hub, clock: Clock) -> None:
    """Forty at the same moment, over connections of two processes: exactly ten pass."""
    other = hub.database.beside(4)
    key = new_key("10/hour")
    counters = [DatabaseCounter(database, clock) for database in (hub.database, other)]
    passed = await asyncio.gather(*(passes(counters[number % 2], key) for number in range(40)))
    await other.close()
    assert sum(passed) == 10


async def test_what_counts_no_more_is_swept(counter: DatabaseCounter, hub: Hub, clock: Clock) -> None:
    """A window stays until nothing of it reaches into the limit's time, and the housekeeper then takes it away."""
    key, later = new_key("5/minute"), new_key("5/hour")
    for each in (key, later):
        await counter.take(each)

    async def kept() -> set[str]:
        keys = [each[0].key_for(*each[1:]) for each in (key, later)]
        async with hub.database.lease() as connection:
            rows = await connection.fetch("select key from rate_window where key = any ($1)", keys)
        return {row[0] for row in rows}

    keeper = Housekeeper(hub.database, hub.settings, lambda: datetime.fromtimestamp(clock.now, UTC))
    clock.now = NOON + 120
    await keeper.sweep()
    assert len(await kept()) == 2
    clock.now = NOON + 121
    await keeper.sweep()
    assert await kept() == {later[0].key_for(*later[1:])}


async def test_a_lost_database_counts_nothing() -> None:
    """The counter says so, and the limits then let requests pass but no passwords."""
    lost = Database("postgresql:///none?host=/nonexistent&user=nobody")
    with pytest.raises(Unavailable):
        await create_counter(DATABASE, lost).take(new_key("1/minute"))
    limits = Limits(rate_limit="1/minute", storage=DATABASE, database=lost)
    for _ in range(2):
        await limits.check_credential(ONE)
    with pytest.raises(Unavailable):
        await limits.try_password("10.0.0.1", "ola", lambda: asyncio.sleep(0))


async def test_a_count_that_somebody_holds_fails_no_request(hub: Hub) -> None:
    """Whoever cannot count in time lets the request pass, but no password."""
    hasty = Database(hub.database.url, patience=0.1)
    limits = Limits(rate_limit="1/hour", storage=DATABASE, database=hasty)
    credential = uuid4()
    await limits.check_credential(credential)
    with pytest.raises(RateLimited):
        await limits.check_credential(credential)
    async with hub.database.transaction(keep=False) as connection:
        await connection.execute("lock table rate_window")
        await limits.check_credential(credential)
        with pytest.raises(Unavailable):
            await limits.try_password("10.0.0.1", "ola", lambda: asyncio.sleep(0))
    await hasty.close()


async def test_two_processes_share_a_redis() -> None:
    """A real Redis counts for both; once it is gone, requests pass and passwords do not."""
    async with running_redis() as url:
        one, other = (Limits(rate_limit="3/hour", storage=url) for _ in range(2))
        for limits in (one, other, one):
            await limits.check_credential(ONE)
        for limits in (one, other):
            with pytest.raises(RateLimited) as refused:
                await limits.check_credential(ONE)
            assert 3590 <= refused.value.retry_after <= 3600
    await one.check_credential(ONE)
    with pytest.raises(Unavailable):
        await other.try_password("10.0.0.1", "ola", lambda: asyncio.sleep(0))
