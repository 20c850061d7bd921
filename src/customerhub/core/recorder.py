"""Leave word of a request beside it: the request log, and when credentials were used; written in the background."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from customerhub.core.entry import Entry, to_log
from customerhub.core.housekeeping import Housekeeper
from customerhub.model.answer import Caller
from customerhub.model.error import Busy, Unavailable
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.store.housekeeping import note_uses
from customerhub.store.request_logs import insert_logs

MOST_SUCCESSES: Final = 5_000
"""With so many entries waiting, those of successes are dropped."""
MOST_ENTRIES: Final = 20_000
"""With so many, no error is promised an entry any more; what was promised still is kept."""
MOST_BODY: Final = 262_144
"""So many bytes of a body are kept."""
MOST_WAITING_BODIES: Final = 64 * 1_048_576
"""With so many bytes of bodies waiting, entries go without."""

_FIRST_ERROR: Final = 400
_GATHER_SECONDS: Final = 0.15
_USE_SECONDS: Final = 60.0
_MOST_CREDENTIALS: Final = 10_000
# More rows at once would keep the loop from its requests for longer than a request takes.
_BATCH: Final = 50
_FLUSH_SECONDS: Final = 2.0
_CLOSE_SECONDS: Final = 3.0
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
# What is wrong with the entry and not with the server: the same entry would be refused for ever.
_REFUSED: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


class Recorder:
    """What one process knows of its requests and has not written yet.

    Started, it writes on a connection of its own until it is closed; before and after, it takes nothing.
    """

    def __init__(self, database: Database, settings: Settings, now: Callable[[], datetime]) -> None:
        self._database = database
        self._keeps_logs = settings.request_logs
        self._now = now
        self._housekeeper = Housekeeper(database, settings, now)
        self._entries: deque[Entry] = deque()
        self._body_bytes = 0
        self._last_uses: dict[UUID, float] = {}
        self._uses: dict[tuple[UUID, UUID], datetime] = {}
        self._taken = self._settled = self._dropped = 0
        self.dropped = 0
        self._filled, self._urgent, self._progress = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_closing = False
        self._is_waiting = False
        # Whether what is left here will be written, and whether that is more than uses; asked by every request.
        self.is_running = False
        self.takes_logs = False

    @property
    def promises_logs(self) -> bool:
        """Whether a failure may be told where its entry will stand."""
        return self.takes_logs and len(self._entries) < MOST_ENTRIES

    @property
    def waiting(self) -> int:
        """How many entries are not written yet; `dropped` is how many never will be."""
        return len(self._entries)

    def start(self) -> None:
        """Begin to write, in the loop that runs."""
        self._tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._housekeeper.run())]
        for task in self._tasks:
            task.add_done_callback(self._tell_of_end)
        self.is_running, self.takes_logs = True, self._keeps_logs

    def record(self, entry: Entry) -> None:
        """Take one entry; never waits. Failures are never dropped while they are promised an entry."""
        if not self.takes_logs:
            return
        waiting = len(self._entries)
        is_error = entry.status >= _FIRST_ERROR
        # Twice: a failure may have been promised its entry just before the queue was full.
        if waiting >= MOST_SUCCESSES and (not is_error or waiting >= 2 * MOST_ENTRIES):
            self._dropped += 1
            self.dropped += 1
            return
        if entry.request_body is not None or entry.response_body is not None:
            self._weigh_bodies(entry)
        self._entries.append(entry)
        self._taken += 1
        self._filled.set()
        if is_error or waiting >= _BATCH:
            self._urgent.set()

    def note_use(self, caller: Caller, started: float) -> None:
        """Note that a credential was used, once a minute; `started` is of the clock `monotonic`."""
        if started - self._last_uses.get(caller.credential, -_USE_SECONDS) < _USE_SECONDS or not self.is_running:
            return
        if len(self._last_uses) >= _MOST_CREDENTIALS:
            self._last_uses.clear()
        self._last_uses[caller.credential] = started
        self._uses[caller.team, caller.credential] = self._now()
        self._filled.set()

    def forget(self) -> None:
        """Note the next use of every credential, however short ago the last one was."""
        self._last_uses.clear()

    def _weigh_bodies(self, entry: Entry) -> None:
        for name in ("request_body", "response_body"):
            body: bytes | None = getattr(entry, name)
            if body is not None:
                setattr(entry, name, body[:MOST_BODY] if self._body_bytes < MOST_WAITING_BODIES else None)
        self._body_bytes += _count_bytes(entry)

    async def flush(self) -> None:
        """Wait until all that was taken so far is written; not for longer than two seconds."""
        target = self._taken
        deadline = monotonic() + _FLUSH_SECONDS
        with suppress(TimeoutError):
            while self._settled < target and self.is_running:
                self._urgent.set()
                async with asyncio.timeout(deadline - monotonic()):
                    await self._progress.wait()

    async def close(self) -> None:
        """Write what is left, for three seconds at most, and let go of the connection for good."""
        if not self._tasks:
            return
        self._is_closing = True
        self.is_running = self.takes_logs = False
        self._filled.set()
        self._urgent.set()
        writer, keeper = self._tasks
        keeper.cancel()
        await asyncio.wait([writer], timeout=_CLOSE_SECONDS)
        writer.cancel()
        await asyncio.gather(writer, keeper, return_exceptions=True)
        self._tasks = []
        if self._entries:
            structlog.get_logger().error("request log entries lost", entries=len(self._entries))
        await self._database.close()

    async def _run(self) -> None:
        pause = _FIRST_PAUSE
        while self._entries or self._uses or not self._is_closing:
            await self._gather()
            try:
                await self._write()
            except (Unavailable, Busy, asyncpg.exceptions.PostgresError) as error:
                if not self._is_waiting:
                    structlog.get_logger().warning("request log waits", cause=type(error.__cause__ or error).__name__)
                self._is_waiting = True
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE
                self._is_waiting = False
                self._tell_of_dropped()

    async def _gather(self) -> None:
        """Wait until there is something, and then for more of it to come, unless somebody waits for it."""
        await self._filled.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GATHER_SECONDS):
                await self._urgent.wait()

    async def _write(self) -> None:
        """Write what has gathered; what cannot be written stays, in its order."""
        self._filled.clear()
        self._urgent.clear()
        try:
            while self._uses:
                await self._write_uses()
            # What comes meanwhile gathers for the next time: many small writes cost more than few larger ones.
            remaining = len(self._entries)
            while remaining > 0:
                remaining -= await self._write_batch()
        finally:
            if self._entries or self._uses:
                self._filled.set()

    async def _write_batch(self) -> int:
        batch = [self._entries.popleft() for _ in range(min(len(self._entries), _BATCH))]
        try:
            async with self._database.lease() as connection:
                await self._insert(connection, batch)
        except BaseException:
            self._entries.extendleft(reversed(batch))
            raise
        self._settled += len(batch)
        self._body_bytes -= sum(map(_count_bytes, batch))
        self._housekeeper.written |= {entry.caller.team for entry in batch}
        self._progress.set()
        self._progress = asyncio.Event()
        return len(batch)

    async def _insert(self, connection: asyncpg.Connection, batch: Sequence[Entry]) -> None:
        """Store the batch; where the server refuses it each entry by itself, without those that it refuses."""
        try:
            await insert_logs(connection, [to_log(entry) for entry in batch])
        except _REFUSED:
            for entry in batch:
                try:
                    await insert_logs(connection, [to_log(entry)])
                except _REFUSED as error:
                    structlog.get_logger().error("request log entry refused", sqlstate=error.sqlstate)

    async def _write_uses(self) -> None:
        uses, self._uses = self._uses, {}
        async with self._database.lease() as connection:
            await note_uses(connection, ((*credential, at) for credential, at in uses.items()))

    def _tell_of_end(self, task: asyncio.Task[None]) -> None:
        """A fault of ours ends the writing but not the process; from then on nothing is taken or promised."""
        if not task.cancelled() and (fault := task.exception()) is not None:
            if task is self._tasks[0]:
                self.is_running = self.takes_logs = False
            structlog.get_logger().error("recorder ended", exc_info=fault)

    def _tell_of_dropped(self) -> None:
        if self._dropped:
            structlog.get_logger().warning("request log entries dropped", entries=self._dropped)
            self._dropped = 0


def _count_bytes(entry: Entry) -> int:
    return len(entry.request_body or b"") + len(entry.response_body or b"")
