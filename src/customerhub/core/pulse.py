"""Once a second a process writes down how it fares, where those who watch the hub look."""

import asyncio
import gc
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog

from customerhub.core.hub import Hub
from customerhub.core.plan import COUNTERS, MICROSECONDS, NUMBER, SLOW, STATEMENT_CELLS
from customerhub.store.statements import Statements

_BEAT_SECONDS: Final = 1.0
# Most look every fifteen seconds: what was worst since then is what they want to see.
_BEATS_REMEMBERED: Final = 15
_MEMORY: Final = Path("/proc/self/statm")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Pulse:
    """What one process tells of itself, from `start` to `close`; `lanes` says how many its worker has.

    The hub's slot has its plan by then. What was counted there by a process before goes on from where it stood.
    """

    def __init__(self, hub: Hub, lanes: Callable[[], int] = int) -> None:
        self._hub = hub
        self._lanes = lanes
        self._cells = hub.slot.cells
        plan = hub.slot.plan
        self._places = {name: place for place, name in enumerate(plan.values)}
        self._statements = {
            name: plan.first_statement + number * STATEMENT_CELLS for number, name in enumerate(plan.statements)
        }
        self._before = self._cells[: plan.first_route].tolist()
        self._cells[self._places["started_microseconds"]] = time.time_ns() // 1000
        self._lags: deque[float] = deque(maxlen=_BEATS_REMEMBERED)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the loop that runs."""
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(_tell_of_end)

    async def close(self) -> None:
        """Tell a last time, and stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self.beat(0)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        lag = 0.0
        while True:
            self.beat(lag)
            due = loop.time() + _BEAT_SECONDS
            await asyncio.sleep(_BEAT_SECONDS)
            lag = loop.time() - due

    def beat(self, lag: float) -> None:
        """Write everything down; `lag` is how many seconds late the loop came to it."""
        self._lags.append(max(lag, 0))
        hub = self._hub
        database, leases = hub.database, hub.database.leases
        values = {
            "cpu_microseconds": time.process_time_ns() // 1000,
            **{f"gc_{number}": found["collections"] for number, found in enumerate(gc.get_stats())},
            "leases": leases.number,
            "leases_waited": leases.waited,
            "lease_microseconds": int(leases.seconds * 1e6),
            "no_ops": hub.noted.no_ops,
            "lost_races": hub.noted.lost_races,
            "logs_dropped": hub.recorder.dropped,
            "connections": database.size,
            "connections_in_use": database.in_use,
            "logs_waiting": hub.recorder.waiting,
            "lanes": self._lanes(),
            "loop_lag_microseconds": int(max(self._lags) * 1e6),
            "memory_bytes": _read_memory(),
        }
        for name, value in values.items():
            place = self._places[name]
            self._cells[place] = value + (self._before[place] if name in COUNTERS else 0)
        if database.statements is not None:
            self._write_statements(database.statements)

    def _write_statements(self, statements: Statements) -> None:
        for name, times in statements.by_name().items():
            place = self._statements[name]
            for offset, value in ((NUMBER, times.number), (MICROSECONDS, int(times.seconds * 1e6)), (SLOW, times.slow)):
                self._cells[place + offset] = value + self._before[place + offset]


def _read_memory() -> int:
    """The process's resident bytes; 0 where the system does not tell."""
    with suppress(OSError):
        return int(_MEMORY.read_bytes().split()[1]) * _PAGE
    return 0


def _tell_of_end(task: asyncio.Task[None]) -> None:
    """A fault of ours ends the watching but not the process."""
    if not task.cancelled() and (fault := task.exception()) is not None:
        structlog.get_logger().error("pulse ended", exc_info=fault)
