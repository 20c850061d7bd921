"""Where it is counted how often limits were used: in this process, in a Redis, or in the database."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from math import ceil, floor
from typing import Final, Protocol

from limits import RateLimitItem
from limits.aio.storage import Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string
from msgspec import Struct

from customerhub.model.error import Busy, Unavailable
from customerhub.store import windows as store
from customerhub.store.db import Connection, Database
from customerhub.store.windows import Counts
from customerhub.web.window import MemoryWindows

DATABASE: Final = "database://"

Key = tuple[RateLimitItem, str, str]
"""A limit, what it is about, and whom."""


class RateState(Struct, frozen=True):
    """What is left of a limit of `limit` requests in a window that is free again in `reset` seconds, at least 1.

    `is_over` where this request was one too many, or the next one would be; `reset` then says when it is not.
    """

    limit: int
    remaining: int
    reset: int
    is_over: bool = False


class Counter(Protocol):
    """Counts uses of limits. Every method raises Unavailable where that cannot be done."""

    async def take(self, key: Key) -> RateState | None:
        """Count one use; or, where that is one too many, count nothing and say how the limit stands."""

    async def take_and_look(self, key: Key) -> RateState:
        """The same, and how the limit stands then."""

    async def look(self, key: Key) -> RateState:
        """How the limit stands."""


def create_counter(storage: str, database: Database | None, clock: Callable[[], float] = time.time) -> Counter:
    """The counter that a setting names: `memory://`, `redis://host` or `database://`, which needs the database.

    Raises ValueError where it names none.
    """
    if storage == DATABASE and database is not None:
        return DatabaseCounter(database, clock)
    return LibraryCounter(_to_storage(storage, clock), clock)


class LibraryCounter:
    """Moving windows of the limits library: exact, in the memory of one process or in a Redis."""

    def __init__(self, storage: Storage, clock: Callable[[], float] = time.time) -> None:
        self._limiter = MovingWindowRateLimiter(storage)
        self._clock = clock

    async def take(self, key: Key) -> RateState | None:
        """Count one use; or, where that is one too many, count nothing and say how the limit stands."""
        try:
            is_taken = await self._limiter.hit(*key)
        except StorageError as error:
            raise Unavailable from error.storage_error
        if is_taken:
            return None
        state = await self.look(key)
        return RateState(state.limit, 0, state.reset, is_over=True)

    async def take_and_look(self, key: Key) -> RateState:
        """The same, and how the limit stands then."""
        refused = await self.take(key)
        if refused is not None:
            return refused
        state = await self.look(key)
        return RateState(state.limit, state.remaining, state.reset)

    async def look(self, key: Key) -> RateState:
        """How the limit stands; free again when the oldest use is as old as the window is long."""
        try:
            window = await self._limiter.get_window_stats(*key)
        except StorageError as error:
            raise Unavailable from error.storage_error
        remaining = max(0, window.remaining)
        return RateState(key[0].amount, remaining, max(1, ceil(window.reset_time - self._clock())), remaining == 0)


class DatabaseCounter:
    """Two windows for each key in the database, for all processes: one statement counts and tells.

    Windows stand still, side by side. What stands in the former one counts as far as it reaches into the time that the
    limit is about, as if it had been spread evenly: a burst at a border passes once. Where what came was not even, more
    than the limit may fall into one length of it, but never twice as much.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def take(self, key: Key) -> RateState | None:
        """Count one use; or, where that is one too many, count nothing and say how the limit stands."""
        state = await self.take_and_look(key)
        return state if state.is_over else None

    async def take_and_look(self, key: Key) -> RateState:
        """The same, and how the limit stands then."""
        item, length = key[0], key[0].get_expiry()
        slot, passed = divmod(self._clock(), length)
        ends_at = datetime.fromtimestamp((slot + 2) * length, UTC)
        share = 1 - passed / length
        name = item.key_for(*key[1:])
        async with self._lease() as connection:
            counts = await store.take(connection, name, int(slot), share=share, limit=item.amount, ends_at=ends_at)
        return _to_state(item, counts, passed, is_over=not counts.is_taken)

    async def look(self, key: Key) -> RateState:
        """How the limit stands."""
        slot, passed = divmod(self._clock(), key[0].get_expiry())
        async with self._lease() as connection:
            counts = await store.look(connection, key[0].key_for(*key[1:]), int(slot))
        return _to_state(key[0], counts, passed)

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[Connection]:
        try:
            async with self._database.lease() as connection:
                yield connection
        except Busy as error:
            # Somebody holds the row: no request is to fail for a count.
            raise Unavailable from error.__cause__


def _to_state(item: RateLimitItem, counts: Counts, passed: float, *, is_over: bool | None = None) -> RateState:
    """What the counts mean `passed` seconds into the running window; None of `is_over` asks whether one more fits."""
    length = item.get_expiry()
    remaining = max(0, floor(item.amount - counts.former * (1 - passed / length) - counts.running))
    if is_over is None:
        is_over = remaining == 0
    wait = _to_wait(item, counts, passed) if is_over else length - passed
    return RateState(item.amount, 0 if is_over else remaining, max(1, ceil(round(wait, 6))), is_over)


def _to_wait(item: RateLimitItem, counts: Counts, passed: float) -> float:
    """Seconds until one more fits: what stands in the former window fades, and then so does the running one."""
    length, room = item.get_expiry(), item.amount - 1
    if counts.former and counts.running <= room:
        return length * (1 - (room - counts.running) / counts.former) - passed
    return 2 * length - passed - length * room / max(1, counts.running)


def _to_storage(text: str, clock: Callable[[], float]) -> Storage:
    if text == "memory://":
        return MemoryWindows(clock)
    scheme, separator, rest = text.partition("://")
    if scheme not in ("redis", "rediss", "redis+unix") or not separator:
        raise ValueError("the storage of rate limits must be memory://, database:// or redis://host")
    try:
        storage = storage_from_string(f"async+{scheme}://{rest}", implementation="redispy", wrap_exceptions=True)
    except ConfigurationError as error:
        raise ValueError("rate limits in Redis need the Python package `redis`") from error
    if not isinstance(storage, Storage):
        raise TypeError(f"{type(storage).__name__} cannot be awaited")
    return storage
