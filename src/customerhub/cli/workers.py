"""Several processes that answer requests on one port: started, started again when they die, stopped together."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Final

from customerhub.cli.failure import Refused
from customerhub.cli.process import DRAIN_SECONDS, READY, STOP_SIGNALS
from customerhub.core.board import Board, Slot
from customerhub.settings import Settings
from customerhub.web.log import get_logger

_FIRST_PAUSE: Final = 0.1
_LONGEST_PAUSE: Final = 10.0
# A worker that lived so long was no failed start: the next one may come at once.
_STEADY_SECONDS: Final = 30.0
# What a worker that was told to stop gets before it is killed: two seconds before its drain and five after it, in which
# those who come and those who are told of changes are done with, and some to spare.
_KILL_AFTER_SECONDS: Final = DRAIN_SECONDS + 10.0


async def run_workers(settings: Settings, on_ready: Callable[[], None], board: Board) -> None:
    """Keep `settings.workers` processes alive until a signal; they count on the board.

    A second Ctrl-C ends them at once. Raises Refused where one does not start at first.
    """
    stopping = asyncio.Event()
    places = [_Place(settings, stopping, board) for _ in range(settings.workers)]

    def stop() -> None:
        stopping.set()
        for place in places:
            place.stop()

    def handle(number: signal.Signals) -> None:
        if number == signal.SIGINT and stopping.is_set():
            for place in places:
                place.hurry()
        stop()

    for number in STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, handle, number)
    lives = [asyncio.create_task(place.live()) for place in places]
    try:
        are_ready = await asyncio.gather(*(place.is_ready for place in places))
        if not stopping.is_set():
            if not all(are_ready):
                raise Refused("A worker did not start; the lines above say why.")
            on_ready()
            await stopping.wait()
    finally:
        stop()
        await asyncio.gather(*lives)


class _Place:
    """The place of one worker, filled again whenever it falls empty."""

    def __init__(self, settings: Settings, stopping: asyncio.Event, board: Board) -> None:
        self._board = board
        self._order = settings.model_dump_json().encode() + b"\n"
        self._kill_after = settings.leaving_seconds + _KILL_AFTER_SECONDS
        self._stopping = stopping
        self._process: Process | None = None
        self._log = get_logger()
        self.is_ready: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    async def live(self) -> None:
        """Run one worker after the other until told to stop; give up if the very first one does not get ready."""
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            started = time.monotonic()
            code = await self._run_one()
            if not self.is_ready.done():
                self.is_ready.set_result(False)
                return
            if self._stopping.is_set():
                return
            if time.monotonic() - started >= _STEADY_SECONDS:
                pause = _FIRST_PAUSE
            self._log.warning("a worker ended and is started again", exit_code=code, pause_seconds=pause)
            await self._rest(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _run_one(self) -> int:
        """Start a worker and wait until it has ended; its exit code, a signal as a negative number."""
        slot = self._board.take()
        try:
            return await self._run_in(slot)
        finally:
            slot.release()

    async def _run_in(self, slot: Slot) -> int:
        descriptor = self._board.descriptor
        if descriptor is None:
            raise ValueError("workers count on a board that they share")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "customerhub.cli.worker",
            *map(str, (descriptor, self._board.places, slot.place)),
            pass_fds=(descriptor,),
            stdin=PIPE,
            stdout=PIPE,
            start_new_session=True,  # a terminal's Ctrl-C is for the parent, which stops the workers in order
        )
        self._process = process
        if process.stdin is not None and process.stdout is not None:
            process.stdin.write(self._order)
            if self._stopping.is_set():
                self.stop()
            if await process.stdout.readline() == READY and not self.is_ready.done():
                self.is_ready.set_result(True)
        return await process.wait()

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    def stop(self) -> None:
        """Tell the worker to stop, and kill it where it does not; nobody need wait for it to get ready any more."""
        if not self.is_ready.done():
            self.is_ready.set_result(False)
        process = self._process
        if process is None or process.returncode is not None or process.stdin is None:
            return
        process.stdin.close()
        asyncio.get_running_loop().call_later(self._kill_after, _kill, process)

    def hurry(self) -> None:
        """Hand on the second Ctrl-C, which a worker that is stopping takes as one that is alone does."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)


def _kill(process: Process) -> None:
    if process.returncode is None:
        process.kill()
