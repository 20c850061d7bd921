"""What tells sinks of changes: finds what is due, claims it, works it off; beside requests or in a process alone.

Imports are run beside it (`imports.py`).
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final
from uuid import UUID, uuid4

import asyncpg
import msgspec
import structlog

from customerhub.core.hub import Hub
from customerhub.model.error import Busy, Unavailable
from customerhub.store import deliveries as store
from customerhub.store import sinks
from customerhub.store.db import HELD_BY_OTHERS, Connection
from customerhub.store.deliveries import CHANNEL, Due, Lane
from customerhub.store.sinks import SinkState
from customerhub.worker.deliver import Deliverer
from customerhub.worker.imports import Importer
from customerhub.worker.retry import MANY_FAILURES

# What a killed process had claimed is free again after this; whoever lives renews in time.
LEASE_SECONDS: Final = 10.0
_RENEWAL_SECONDS: Final = 3.0
# So long before a claim ends that could not be renewed whoever works on it stops: the next to claim it may begin then.
_SAFETY_SECONDS: Final = 1.0
_WATCH_SECONDS: Final = 0.25
# What no hint told of is found this soon.
_POLL_SECONDS: Final = 1.0
# Never more rounds than this makes, however many hints there are.
_ROUND_SECONDS: Final = 0.02
_LONGEST_PAUSE: Final = 5.0
# So many customers of all sinks are told of at the same time at most; a sink that fails has but one of them.
_MOST_AT_ONCE: Final = 400
# From here on each sink has one of them: many that hang at the same moment must not take them all.
_PLENTY: Final = _MOST_AT_ONCE // 2
_CONNECTIONS: Final = 3
# So long whoever is being told may take once the process stops; what is not finished is done again by somebody else.
_DRAIN_SECONDS: Final = 5.0
_AWAY: Final = (Unavailable, Busy, asyncpg.exceptions.PostgresError, OSError)


class Worker:
    """What one process does for sinks, on connections of its own, from `start` to `close`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._database = hub.database.beside(_CONNECTIONS)
        # Claims are renewed however long the others wait for something.
        self._keeping = hub.database.beside(1)
        self._listening = hub.database.direct(1)
        self._deliverer = Deliverer(hub, self._database, self._note, self._remind)
        self._importer = Importer(hub)
        self._woken = asyncio.Event()
        self._lanes: dict[asyncio.Task[None], Lane] = {}
        # Until when each claim lasts at least, by the clock of the loop.
        self._claims: dict[Lane, float] = {}
        self._at_work: dict[UUID, int] = defaultdict(int)
        self._counts: dict[tuple[UUID, UUID], dict[str, int]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._is_put_off = False

    def start(self) -> None:
        """Begin, in the loop that runs."""
        steps = (self._keep, self._flush, self._listen)
        repeated = (self._repeat(self._watch, _WATCH_SECONDS), *(self._repeat(step, _POLL_SECONDS) for step in steps))
        self._loops = [asyncio.create_task(work) for work in (self._run(), *repeated)]
        for task in self._loops:
            task.add_done_callback(_tell_of_end)
        self._importer.start()

    @property
    def lanes(self) -> int:
        """How many customers of sinks are being told of."""
        return len(self._lanes)

    def wake(self) -> None:
        """Something may be due; never waits."""
        self._woken.set()

    def _hear(self) -> None:
        self.wake()
        self._importer.wake()

    def _remind(self, seconds: float) -> None:
        if seconds < _POLL_SECONDS:
            asyncio.get_running_loop().call_later(seconds, self.wake)

    async def close(self) -> None:
        """Stop: what is being told is finished if that is quick, and claims of the rest end by themselves."""
        await self._importer.close()
        await _end(self._loops[:1])
        if self._lanes:
            await asyncio.wait(self._lanes, timeout=_DRAIN_SECONDS)
        await _end([*self._lanes, *self._loops[1:]])
        self._loops = []
        with suppress(*_AWAY):
            await self._flush()
        for database in (self._listening, self._keeping, self._database):
            await database.close()

    async def _run(self) -> None:
        pause = _ROUND_SECONDS
        while True:
            self._woken.clear()
            try:
                await self._round()
            except Exception as error:  # noqa: BLE001 - told; one bad round must not be the last one
                self._tell_once(error)
                pause = min(pause * 2, _LONGEST_PAUSE)
                await asyncio.sleep(pause)
                continue
            self._is_put_off = False
            pause = _ROUND_SECONDS
            await asyncio.sleep(_ROUND_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._woken.wait()

    async def _round(self) -> None:
        """Claim what is due of every sink, as much as it and the process may have at once."""
        async with self._database.lease() as connection:
            for due in await store.list_due(connection):
                # Somebody holds its lanes, an erasure perhaps; other sinks do not wait for that.
                with suppress(*HELD_BY_OTHERS):
                    await self._serve(connection, due)

    async def _serve(self, connection: Connection, due: Due) -> None:
        room = self._find_room(due)
        if room <= 0:
            return
        if due.is_behind:
            await self._take(connection, due)
        # By a clock that ran before the server's did.
        until = asyncio.get_running_loop().time() + LEASE_SECONDS
        for lane in await store.claim(connection, due.sink.team, due.sink.id, uuid4(), room, LEASE_SECONDS):
            self._begin(due, lane, until)

    async def _take(self, connection: Connection, due: Due) -> None:
        async with connection.transaction():
            if await store.take(connection, due) >= store.WINDOW:
                # There is more where that came from.
                self.wake()

    def _find_room(self, due: Due) -> int:
        carrier = self._hub.carriers.get(due.sink.kind)
        if carrier is None:
            return 0
        # Of a sink that fails at everything only one is tried at a time, whoever else waits for it.
        is_one = due.failures >= MANY_FAILURES or len(self._lanes) >= _PLENTY
        most = 1 if is_one else carrier.concurrency
        return min(most - self._at_work[due.sink.id], _MOST_AT_ONCE - len(self._lanes))

    def _begin(self, due: Due, lane: Lane, until: float) -> None:
        task = asyncio.create_task(self._work(due, lane))
        self._lanes[task] = lane
        self._claims[lane] = until
        self._at_work[lane.sink] += 1
        task.add_done_callback(self._end_lane)

    def _end_lane(self, task: asyncio.Task[None]) -> None:
        lane = self._lanes.pop(task)
        del self._claims[lane]
        self._at_work[lane.sink] -= 1
        if not self._at_work[lane.sink]:
            del self._at_work[lane.sink]
        # There is room for the next.
        self.wake()

    async def _work(self, due: Due, lane: Lane) -> None:
        try:
            await self._deliverer.work(due, lane)
        except _AWAY as error:
            self._tell_once(error)
        except Exception:  # noqa: BLE001 - logged; one lane's fault must not end the process
            # The claim ends by itself, and the lane is tried again; nobody else waits for it.
            structlog.get_logger().exception("lane failed", sink=str(lane.sink), customer=str(lane.customer))

    async def _repeat(self, step: Callable[[], Awaitable[None]], seconds: float) -> None:
        """Do something again and again, whatever comes of it: without renewals nobody's claim would last."""
        while True:
            try:
                await step()
            except _AWAY:
                pass  # whoever looks for what is due tells of it
            except Exception as error:  # noqa: BLE001 - told; what failed once may go well the next time
                self._tell_once(error)
            await asyncio.sleep(seconds)

    async def _keep(self) -> None:
        """Renew claims that are still worked on; those that could not be renewed once more in a second."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        lanes = [lane for lane, until in self._claims.items() if until - now <= LEASE_SECONDS - _RENEWAL_SECONDS]
        if not lanes:
            return
        async with self._keeping.lease() as connection:
            until = loop.time() + LEASE_SECONDS
            for lane in await store.renew(connection, lanes, LEASE_SECONDS):
                if lane in self._claims:
                    self._claims[lane] = until

    async def _watch(self) -> None:
        """Stop whoever works on a claim that ends: what they still say could arrive after what the next one says."""
        end = asyncio.get_running_loop().time() + _SAFETY_SECONDS
        lost = [task for task, lane in self._lanes.items() if self._claims[lane] <= end]
        for task in lost:
            task.cancel()
        if lost:
            structlog.get_logger().warning("claims lost", number=len(lost))

    async def _listen(self) -> None:
        """Hear the hints of other processes; without them everything is found by looking each second."""
        async with self._listening.lease() as connection:
            is_lost = asyncio.Event()
            connection.add_termination_listener(partial(_set, is_lost))
            await connection.add_listener(CHANNEL, lambda *_: self._hear())
            await is_lost.wait()

    def _note(self, team: UUID, sink: UUID, outcome: str, count: int) -> None:
        counts = self._counts.setdefault((team, sink), {})
        counts[outcome] = counts.get(outcome, 0) + count

    async def _flush(self) -> None:
        """Write down what became of deliveries since the last time."""
        counted, self._counts = self._counts, {}
        if not counted:
            return
        try:
            async with self._database.transaction() as connection:
                for (team, sink), counts in sorted(counted.items()):
                    now = self._hub.now() if counts.get("delivered") else None
                    state = msgspec.structs.replace(SinkState(sink, succeeded_at=now), **counts)
                    await sinks.count_outcomes(connection, team, state)
        except _AWAY:
            for (team, sink), counts in counted.items():
                for outcome, count in counts.items():
                    self._note(team, sink, outcome, count)
            raise

    def _tell_once(self, error: Exception) -> None:
        if not isinstance(error, _AWAY):
            structlog.get_logger().error("deliveries wait for a fault of ours", exc_info=error)
        elif not self._is_put_off:
            structlog.get_logger().warning("deliveries wait", cause=type(error.__cause__ or error).__name__)
        self._is_put_off = True


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _set(event: asyncio.Event, _connection: object) -> None:
    event.set()


def _tell_of_end(task: asyncio.Task[None]) -> None:
    """A fault of ours ends the loop but not the process."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        structlog.get_logger().error("worker ended", exc_info=fault)
