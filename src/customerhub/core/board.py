"""Where the processes of one hub count: memory that all of them share, a place for each, and anybody may add it up.

A count is one number at a fixed place, so that counting costs no lock, no file and no message, and a process that is
killed in the middle of it takes nothing along: its counts stay, and whoever gets its place next goes on with them.
"""

import mmap
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Final, Self

import msgspec

from customerhub.core.plan import GAUGES, Plan

_CELL: Final = 8
# Of each place; what is never written takes no memory.
_PLACE_BYTES: Final = 16 * 1_048_576
_PLAN_BYTES: Final = 262_144
_HEAD_CELLS: Final = 2
_PROCESS, _PLAN_LENGTH = range(_HEAD_CELLS)
_FIRST_CELL: Final = (_HEAD_CELLS * _CELL + _PLAN_BYTES) // _CELL


class Board:
    """The memory of `places` processes; `descriptor` is that of its file, None where no other process can have it."""

    def __init__(self, places: int, descriptor: int | None = None) -> None:
        self.places = places
        self.descriptor = descriptor
        size = places * _PLACE_BYTES
        self._memory = mmap.mmap(-1 if descriptor is None else descriptor, size)
        self._all = memoryview(self._memory)

    @classmethod
    def shared(cls, places: int) -> Self:
        """A new one, for the processes that get its descriptor; it is gone with the last of them."""
        descriptor = _create_file()
        os.truncate(descriptor, places * _PLACE_BYTES)
        return cls(places, descriptor)

    def slot(self, place: int) -> "Slot":
        """One process's part, to be written by that process alone."""
        return Slot(self, place, self._all[place * _PLACE_BYTES : (place + 1) * _PLACE_BYTES])

    def slots(self) -> list["Slot"]:
        """Those that somebody has ever counted in."""
        return [slot for slot in map(self.slot, range(self.places)) if slot.has_plan]

    def take(self) -> "Slot":
        """A place that no process has, kept for one that is about to start; raises ValueError where there is none."""
        for slot in map(self.slot, range(self.places)):
            if not slot.is_taken:
                slot.reserve()
                return slot
        raise ValueError("every place is taken")


class Slot:
    """One process's part of a board: a plan, and its numbers as `cells` (64 bits each)."""

    def __init__(self, board: Board, place: int, memory: memoryview) -> None:
        self.board = board
        self.place = place
        self._head = memory[: _HEAD_CELLS * _CELL].cast("q")
        self._plan_bytes = memory[_HEAD_CELLS * _CELL : _HEAD_CELLS * _CELL + _PLAN_BYTES]
        self.cells = memory[_FIRST_CELL * _CELL :].cast("q")

    @property
    def is_taken(self) -> bool:
        """Whether a process has it, or will have."""
        return self._head[_PROCESS] != 0

    @property
    def is_running(self) -> bool:
        """Whether a process counts here: what it says of itself is so."""
        return self._head[_PROCESS] > 0

    @property
    def has_plan(self) -> bool:
        """Whether anything was ever counted here."""
        return self._head[_PLAN_LENGTH] != 0

    @property
    def _stored(self) -> bytes:
        return bytes(self._plan_bytes[: self._head[_PLAN_LENGTH]])

    @cached_property
    def plan(self) -> Plan:
        """What is counted here."""
        return msgspec.json.decode(self._stored, type=Plan) if self.has_plan else Plan()

    def reserve(self) -> None:
        """Keep it for a process that is about to start."""
        self._head[_PROCESS] = -os.getpid()

    def release(self) -> None:
        """Its process is gone: what it counted stays."""
        self._head[_PROCESS] = 0

    def claim(self, plan: Plan) -> None:
        """Count by this plan, in this process. What another process counted by the same one goes on, otherwise it is
        forgotten. Raises ValueError for a plan that has no room.
        """
        encoded = msgspec.json.encode(plan)
        if len(encoded) > _PLAN_BYTES or plan.size > len(self.cells):
            raise ValueError("there is more to count than there is room")
        if encoded != self._stored:
            if self.has_plan:
                self.cells[: self.plan.size] = memoryview(bytes(self.plan.size * _CELL)).cast("q")
            self._plan_bytes[: len(encoded)] = encoded
            self._head[_PLAN_LENGTH] = len(encoded)
        self.__dict__.pop("plan", None)
        for name in GAUGES:
            self.cells[plan.values.index(name)] = 0
        self._head[_PROCESS] = os.getpid()


def _create_file() -> int:
    """A descriptor of a file without a name, in memory where that can be had.

    Not by every Linux: a Python that was built for an old libc lacks the call, and a container may forbid it.
    """
    if sys.platform == "linux" and hasattr(os, "memfd_create"):
        with suppress(OSError):
            return os.memfd_create("customerhub")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


@contextmanager
def create_board(workers: int) -> Iterator[Board]:
    """One for a process alone, or for so many."""
    if workers == 1:
        yield Board(1)
        return
    board = Board.shared(workers)
    try:
        yield board
    finally:
        if board.descriptor is not None:
            os.close(board.descriptor)


def private_slot() -> Slot:
    """The only place of a board that no other process has."""
    return Board(1).slot(0)
