"""Give changes their positions in the feeds of their teams, and let those know who wait for them or are to be told.

A position is given after the change was committed, by whoever holds the counter of its team: so a feed has no gap, and
what was committed late stands behind what was committed before it and not somewhere in between. Every process tries;
for one team one of them does it at a time, and what a killed one has begun the next one finds as it was.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from uuid import UUID

import asyncpg
import structlog
from msgspec import Struct

from customerhub.model.error import Busy, Unavailable
from customerhub.store import feed as store
from customerhub.store.db import Connection, Database
from customerhub.store.deliveries import announce

# Never more rounds than this makes, however many changes there are: each finds the more of them. It also bounds how
# often this process tells others that there is something to send: a NOTIFY holds up everybody's commits for a moment.
_ROUND_SECONDS: Final = 0.05
# What nobody told of is found this soon: by other processes, or told of before it was committed.
_POLL_SECONDS: Final = 0.5
# The same while somebody waits for positions that another process may give.
_WATCH_SECONDS: Final = 0.1
_LONGEST_PAUSE: Final = 2.0
_FIRST: Final = UUID(int=0)


class Published(Struct, frozen=True):
    """How many changes got their positions, and whether the team has sinks that are to be told of them."""

    changes: int
    has_sinks: bool


class Publisher:
    """What one process does for feeds, on a connection of its own, from `start` to `close`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._woken = asyncio.Event()
        self._watchers: dict[UUID, dict[asyncio.Event, int]] = {}
        self._task: asyncio.Task[None] | None = None
        self.is_closing = False
        self._is_put_off = False
        self._behind = _FIRST
        self._has_news = False
        self._announced_at = 0.0

    @property
    def is_running(self) -> bool:
        """Whether positions are given without anybody asking."""
        return self._task is not None and not self._task.done()

    def start(self) -> None:
        """Begin, in the loop that runs."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(_tell_of_end)

    def wake(self) -> None:
        """Something was written; never waits."""
        self._woken.set()

    def announce(self) -> None:
        """Something is to be sent that is no change: those who send hear of it as they hear of changes; never waits."""
        self._has_news = True
        self._woken.set()

    async def watch(self, team: UUID, after: int, seconds: float) -> None:
        """Wait until the team's feed may have something after this position, but no longer than `seconds`."""
        if self.is_closing:
            return
        if not self.is_running:
            await asyncio.sleep(min(seconds, _WATCH_SECONDS))
            return
        news = asyncio.Event()
        watchers = self._watchers.setdefault(team, {})
        watchers[news] = after
        if len(self._watchers) == 1 == len(watchers):
            # The pause may be one in which nobody was waiting.
            self._woken.set()
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await news.wait()
        finally:
            watchers.pop(news, None)
            if not watchers and self._watchers.get(team) is watchers:
                del self._watchers[team]

    def let_go(self) -> None:
        """Let nobody wait any more: the process is about to stop."""
        self.is_closing = True
        for watchers in self._watchers.values():
            for news in watchers:
                news.set()

    async def close(self) -> None:
        """Stop, and let go of everybody and of the connection."""
        self.let_go()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        await self._database.close()

    async def _run(self) -> None:
        pause = _ROUND_SECONDS
        while True:
            try:
                is_full = await self._round()
            except (Unavailable, Busy, asyncpg.exceptions.PostgresError) as error:
                if not self._is_put_off:
                    structlog.get_logger().warning("feed waits", cause=type(error.__cause__ or error).__name__)
                self._is_put_off = True
                pause = min(pause * 2, _LONGEST_PAUSE)
                await asyncio.sleep(pause)
                continue
            self._is_put_off = False
            pause = _ROUND_SECONDS
            # First the pause that bounds how often, then the one that somebody may end.
            await asyncio.sleep(0 if is_full else _ROUND_SECONDS)
            # What others are to hear of, and was too soon for, goes out with the next round.
            if not is_full and not self._has_news:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_WATCH_SECONDS if self._watchers else _POLL_SECONDS):
                        await self._woken.wait()

    async def _round(self) -> bool:
        """One piece for every team that has changes waiting; whether more may wait."""
        self._woken.clear()
        async with self._database.lease() as connection:
            teams = await store.list_waiting_teams(connection, self._behind)
            # Of very many teams some at a time, and then those behind them: no team waits for ever.
            has_more = len(teams) == store.MOST_TEAMS
            is_full = self._behind != _FIRST or has_more
            self._behind = teams[-1] if has_more else _FIRST
            for team in teams:
                published = await publish(connection, team, waits=False)
                is_full |= published.changes >= store.PIECE
                self._has_news |= published.has_sinks
            if self._has_news and time.monotonic() - self._announced_at >= _ROUND_SECONDS:
                self._announced_at, self._has_news = time.monotonic(), False
                await announce(connection)
            if self._watchers:
                self._tell(await store.list_next(connection, self._watchers))
        return is_full

    def _tell(self, positions: Mapping[UUID, int]) -> None:
        for team, position in positions.items():
            for news, after in self._watchers.get(team, {}).items():
                # Also where the feed is shorter than that: then its data was put back.
                if position - 1 != after:
                    news.set()


async def publish(connection: Connection, team: UUID, *, waits: bool) -> Published:
    """Give a piece of the team's waiting changes their positions.

    While somebody else does it there are none; with `waits` that is waited for.
    """
    published = await _publish(connection, team, waits=waits)
    if published is None:
        # Perhaps there is no counter yet; whoever made it first may be at it already, and is waited for then.
        await store.add_counter(connection, team)
        published = await _publish(connection, team, waits=waits)
    return published or Published(0, has_sinks=False)


async def _publish(connection: Connection, team: UUID, *, waits: bool) -> Published | None:
    async with connection.transaction():
        turn = await store.claim(connection, team, waits=waits)
        if turn is None:
            return None
        count = await store.publish(connection, team, turn)
        return Published(count, turn.has_sinks and count > 0)


async def publish_until(connection: Connection, team: UUID, position: int) -> None:
    """Give positions to all changes of the team that were committed before, or up to this one: of a long backlog only
    what is asked for.
    """
    is_full = await store.is_waiting(connection, team, position)
    while is_full:
        is_full = (await publish(connection, team, waits=True)).changes >= store.PIECE
        is_full = is_full and await store.is_waiting(connection, team, position)


def _tell_of_end(task: asyncio.Task[None]) -> None:
    """A fault of ours ends the publishing but not the process; readers of a feed still publish what they find."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        structlog.get_logger().error("publisher ended", exc_info=fault)
