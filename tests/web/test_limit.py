"""Who may ask how often."""

import asyncio
from uuid import UUID

import pytest
from limits.aio.storage import MemoryStorage
from limits.errors import StorageError
from typing_extensions import override

from customerhub.model.error import Full, HubError, RateLimited, Unauthenticated, Unavailable
from customerhub.web.counter import LibraryCounter
from customerhub.web.limit import MAX_WAITING, Limits, RateState
from customerhub.web.window import MemoryWindows

ONE, OTHER = UUID(int=1), UUID(int=2)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def wait_of(limits: Limits, credential: UUID = ONE) -> int:
    """The seconds that a credential is told to wait, 0 where it may ask."""
    try:
        await limits.check_credential(credential)
    except RateLimited as error:
        return error.retry_after
    return 0


async def wrong() -> str:
    """A sign-in with the wrong password."""
    raise Unauthenticated("wrong")


async def right() -> str:
    """A sign-in that succeeds."""
    return "token"


async def outcome(limits: Limits, address: str = "10.0.0.1", login: str = "ola@x.test", *, good: bool = False) -> str:
    """How an attempt ends: `token`, `Unauthenticated`, or `wait N`."""
    try:
        return await limits.try_password(address, login, right if good else wrong)
    except RateLimited as error:
        return f"wait {error.retry_after}"
    except HubError as error:
        return type(error).__name__


async def test_there_is_no_limit_by_default() -> None:
    """A credential may ask as often as it likes unless the seller says otherwise."""
    limits = Limits()
    assert {await wait_of(limits) for _ in range(1000)} == {0}


async def test_a_credential_has_its_limit_and_its_window_moves(clock: Clock) -> None:
    """Three a minute: the fourth waits until the first is a minute old; others are not concerned."""
    limits = Limits(rate_limit="3/minute", clock=clock)
    waits = []
    for _ in range(3):
        waits.append(await wait_of(limits))
        clock.now += 10
    waits.append(await wait_of(limits))
    assert waits == [0, 0, 0, 30]
    assert await wait_of(limits, OTHER) == 0
    clock.now += 29.5
    assert await wait_of(limits) == 1
    clock.now += 0.5
    assert [await wait_of(limits), await wait_of(limits)] == [0, 10]


async def test_several_limits_hold_together(clock: Clock) -> None:
    """`2/second;3/minute` is both."""
    limits = Limits(rate_limit="2/second;3/minute", clock=clock)
    assert [await wait_of(limits) for _ in range(3)] == [0, 0, 1]
    clock.now += 1
    assert [await wait_of(limits), await wait_of(limits)] == [0, 59]


@pytest.mark.parametrize(
    "settings",
    [
        {"rate_limit": "many"},
        {"rate_limit": "3/fortnight"},
        {"rate_limit": "0/minute"},
        {"password_failures": ""},
        {"password_failures": "0.5/minute"},
        {"storage": "memcached://x"},
        {"storage": "redis"},
        {"storage": ""},
    ],
)
def test_a_setting_that_is_none_is_refused_at_the_start(settings: dict[str, str]) -> None:
    """A limit that cannot be read is not taken for none."""
    with pytest.raises(ValueError, match=r"."):
        Limits(**settings)  # type: ignore[arg-type]  # all of these settings are texts


async def test_ten_failures_lock_a_login_at_an_address(clock: Clock) -> None:
    """The eleventh attempt is not even tried; a minute later it is."""
    limits = Limits(clock=clock)
    assert [await outcome(limits) for _ in range(10)] == ["Unauthenticated"] * 10
    assert await outcome(limits, good=True) == "wait 60"
    assert await outcome(limits, login="  OLA@x.test ", good=True) == "wait 60"
    assert await outcome(limits, login="kari@x.test", good=True) == "token"
    assert await outcome(limits, address="10.0.0.2", good=True) == "token"
    clock.now += 60
    assert await outcome(limits, good=True) == "token"


async def test_successes_are_not_counted(clock: Clock) -> None:
    """Who signs in rightly may do so as often as it takes."""
    limits = Limits(clock=clock)
    assert {await outcome(limits, good=True) for _ in range(200)} == {"token"}


async def test_an_address_may_fail_thirty_times(clock: Clock) -> None:
    """Over all logins an address has three times the failures of one, and is then shut out of all of them."""
    limits = Limits(clock=clock)
    failures = [await outcome(limits, login=f"{number}@x.test") for number in range(30)]
    assert failures == ["Unauthenticated"] * 30
    assert await outcome(limits, login="new@x.test", good=True) == "wait 60"


async def test_a_login_may_fail_a_hundred_times_an_hour(clock: Clock) -> None:
    """Guessing from many addresses ends too."""
    limits = Limits(clock=clock)
    failures = [await outcome(limits, address=f"10.0.{number}.1") for number in range(100)]
    assert failures == ["Unauthenticated"] * 100
    assert await outcome(limits, address="10.9.9.9", good=True) == "wait 3600"


async def test_a_network_of_ipv6_is_one_address(clock: Clock) -> None:
    """The 64 bits that belong to one customer count as one; IPv4 in IPv6 clothing is IPv4."""
    limits = Limits(clock=clock)
    for number in range(10):
        await outcome(limits, address=f"2001:db8::{number + 1:x}")
        await outcome(limits, address="::ffff:10.0.0.9")
    assert await outcome(limits, address="2001:db8::ffff", good=True) == "wait 60"
    assert await outcome(limits, address="2001:db8:0:1::1", good=True) == "token"
    assert await outcome(limits, address="10.0.0.9", good=True) == "wait 60"


async def test_the_failures_are_a_setting(clock: Clock) -> None:
    """Fewer may be allowed, over another time."""
    limits = Limits(password_failures="2/hour", clock=clock)
    assert [await outcome(limits) for _ in range(3)] == ["Unauthenticated", "Unauthenticated", "wait 3600"]


async def test_a_burst_of_guesses_is_not_let_through_together(clock: Clock) -> None:
    """Attempts at the same moment cannot all pass before the first has failed: at most one is over the limit."""
    limits = Limits(clock=clock)
    tried = running = most = 0

    async def slowly() -> str:
        nonlocal tried, running, most
        tried, running = tried + 1, running + 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        raise Unauthenticated("wrong")

    ends = await asyncio.gather(
        *(limits.try_password("10.0.0.1", "ola@x.test", slowly) for _ in range(60)), return_exceptions=True
    )
    assert (most, tried in (10, 11)) == (2, True)
    assert [type(end) for end in ends].count(RateLimited) == 60 - tried


async def test_too_many_waiting_is_busy() -> None:
    """Attempts that would wait behind a crowd are turned away, and the crowd is still served."""
    limits = Limits()
    gate = asyncio.Event()

    async def held() -> str:
        await gate.wait()
        return "token"

    crowd = [
        asyncio.create_task(limits.try_password(f"10.0.0.{number}", f"{number}", held))
        for number in range(MAX_WAITING + 2)
    ]
    for _ in range(20):
        await asyncio.sleep(0)
    with pytest.raises(Full):
        await limits.try_password("10.1.1.1", "late", held)
    gate.set()
    assert await asyncio.gather(*crowd) == ["token"] * (MAX_WAITING + 2)


class Lost(MemoryWindows):
    """A storage that does not answer."""

    @override
    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        raise StorageError(OSError())

    @override
    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        raise StorageError(OSError())


async def test_a_lost_redis_lets_requests_pass_and_passwords_not() -> None:
    """Where nothing can be counted, the API goes on, but nobody may guess passwords."""
    limits = Limits(rate_limit="1/minute")
    limits._counter = LibraryCounter(Lost())
    assert [await wait_of(limits), await wait_of(limits)] == [0, 0]
    with pytest.raises(Unavailable):
        await limits.try_password("10.0.0.1", "ola", right)


async def test_windows_do_not_pile_up(clock: Clock) -> None:
    """Keys that nobody asks for any more are forgotten, so that made-up logins do not fill the memory."""
    windows = MemoryWindows(clock)
    for number in range(10_000):
        clock.now += 1
        assert await windows.acquire_entry(f"key {number}", 5, 60)
    assert len(windows._windows) <= 1024
    assert windows._windows.keys() == windows._expiries.keys()
    assert await windows.get_moving_window("key 9999", 5, 60) == (clock.now, 1)
    assert await windows.get_moving_window("key 0", 5, 60) == (clock.now, 0)


async def test_windows_can_be_cleared(clock: Clock) -> None:
    """One key, or all."""
    windows = MemoryWindows(clock)
    await windows.acquire_entry("a", 1, 60)
    await windows.acquire_entry("b", 1, 60)
    assert not await windows.acquire_entry("b", 1, 60)
    assert not await windows.acquire_entry("new", 1, 60, amount=2)
    await windows.clear("a")
    assert (await windows.acquire_entry("a", 1, 60), await windows.acquire_entry("b", 1, 60)) == (True, False)
    assert await windows.reset() == 2
    assert await windows.acquire_entry("b", 1, 60)


def test_the_windows_are_what_the_library_takes() -> None:
    """They are a storage of the library, so its strategies work on them."""
    assert issubclass(MemoryWindows, MemoryStorage)


async def test_an_address_is_told_what_is_left(clock: Clock) -> None:
    """Two a second: what is left counts down, the third is over, and the window moves; others are not concerned."""
    limits = Limits(address_rate_limit="2/second", clock=clock)
    assert limits.counts_addresses
    states = [await limits.count_address("10.0.0.1") for _ in range(3)]
    assert states == [RateState(2, 1, 1), RateState(2, 0, 1), RateState(2, 0, 1, is_over=True)]
    assert await limits.count_address("10.0.0.2") == RateState(2, 1, 1)
    clock.now += 1
    assert await limits.count_address("10.0.0.1") == RateState(2, 1, 1)


async def test_the_nearest_of_several_limits_is_told(clock: Clock) -> None:
    """The limit with the least left is the one that matters; seconds are whole and at least one."""
    limits = Limits(address_rate_limit="3/second;4/hour", clock=clock)
    states = []
    for _ in range(3):
        states.append(await limits.count_address("10.0.0.1"))
        clock.now += 0.75
    assert states == [RateState(3, 2, 1), RateState(3, 1, 1), RateState(4, 1, 3599)]


async def test_a_network_of_ipv6_has_one_limit(clock: Clock) -> None:
    """Whoever has one address of a network has them all."""
    limits = Limits(address_rate_limit="1/minute", clock=clock)
    states = [await limits.count_address(address) for address in ("2001:db8::1", "2001:db8::2", "2001:db8:1::1")]
    assert [state is not None and state.is_over for state in states] == [False, True, False]


async def test_addresses_are_not_counted_by_default() -> None:
    """An office behind one address is not slowed down unless the seller says so."""
    assert not Limits().counts_addresses


async def test_a_lost_count_of_addresses_lets_pass() -> None:
    """What cannot be counted is not refused, and no number is made up for it."""
    limits = Limits(address_rate_limit="1/minute")
    limits._counter = LibraryCounter(Lost())
    assert [await limits.count_address("10.0.0.1") for _ in range(2)] == [None, None]
