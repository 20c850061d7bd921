"""What all processes of a hub have counted, added up by what it is about."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import add
from time import monotonic
from typing import NamedTuple

from customerhub.core import plan as at
from customerhub.core.board import Board, Slot
from customerhub.core.buckets import BUCKETS
from customerhub.core.plan import GAUGES, Plan, Route


class Traffic:
    """Requests of one route, or of several together: counts of buckets since the start and of the last minutes."""

    __slots__ = ("counts", "numbers", "recent")

    def __init__(self) -> None:
        self.numbers = [0] * at.HISTOGRAM
        self.counts = [0] * BUCKETS
        self.recent = [0] * BUCKETS

    @property
    def statuses(self) -> list[int]:
        """How many were answered with 1xx to 5xx; the first number is of those whose clients had gone."""
        return self.numbers[: at.STATUSES]

    @property
    def seconds(self) -> float:
        """How long all of them took together."""
        return self.numbers[at.NANOSECONDS] / 1e9

    def add(self, other: "Traffic") -> None:
        """Both together."""
        self.numbers = _add(self.numbers, other.numbers)
        self.counts = _add(self.counts, other.counts)
        self.recent = _add(self.recent, other.recent)


class StatementTimes(NamedTuple):
    """How often a statement was made, for how many seconds in all, and how often it was slow."""

    number: int = 0
    seconds: float = 0
    slow: int = 0

    def and_(self, other: "StatementTimes") -> "StatementTimes":
        """Both together."""
        return StatementTimes(self.number + other.number, self.seconds + other.seconds, self.slow + other.slow)


class Tally(NamedTuple):
    """A whole hub's counts; `processes` has the values of each process that lives, by its place."""

    routes: Mapping[Route, Traffic]
    errors: Mapping[tuple[str, str], int]
    statements: Mapping[str, StatementTimes]
    counters: Mapping[str, int]
    processes: Mapping[int, Mapping[str, int]]


def take_tally(board: Board, clock: Callable[[], float] = monotonic) -> Tally:
    """Everything that was ever counted on the board, until now."""
    routes: dict[Route, Traffic] = {}
    errors: dict[tuple[str, str], int] = {}
    statements: dict[str, StatementTimes] = {}
    counters: dict[str, int] = {}
    processes: dict[int, Mapping[str, int]] = {}
    slice_number = int(clock()) // at.SLICE_SECONDS
    for slot in board.slots():
        plan = slot.plan
        for route, traffic in _read_routes(slot, plan, slice_number):
            routes.setdefault(route, Traffic()).add(traffic)
        for key, number in _read_errors(slot, plan):
            errors[key] = errors.get(key, 0) + number
        for name, times in _read_statements(slot, plan):
            statements[name] = statements.get(name, StatementTimes()).and_(times)
        values = dict(zip(plan.values, slot.cells[: len(plan.values)].tolist(), strict=True))
        for name, value in values.items():
            if name not in GAUGES:
                counters[name] = counters.get(name, 0) + value
        if slot.is_running:
            processes[slot.place] = values
    return Tally(routes, errors, statements, counters, processes)


def _read_routes(slot: Slot, plan: Plan, slice_number: int) -> Iterator[tuple[Route, Traffic]]:
    """Routes that were asked for at all."""
    cells, start = slot.cells, plan.first_route
    for route in plan.routes:
        numbers = cells[start : start + at.HISTOGRAM].tolist()
        if any(numbers[: at.STATUSES]):
            traffic = Traffic()
            traffic.numbers = numbers
            traffic.counts = cells[start + at.HISTOGRAM : start + at.WINDOW].tolist()
            for position in range(at.SLICES):
                first = start + at.WINDOW + position * at.SLICE_CELLS
                if slice_number - at.SLICES < cells[first] <= slice_number:
                    traffic.recent = _add(traffic.recent, cells[first + 1 : first + at.SLICE_CELLS].tolist())
            yield route, traffic
        start += at.ROUTE_CELLS


def _read_errors(slot: Slot, plan: Plan) -> Iterator[tuple[tuple[str, str], int]]:
    place = plan.first_error
    for dialect in plan.dialects:
        for error in plan.errors:
            if slot.cells[place]:
                yield (dialect, error), slot.cells[place]
            place += 1


def _read_statements(slot: Slot, plan: Plan) -> Iterator[tuple[str, StatementTimes]]:
    place = plan.first_statement
    for name in plan.statements:
        number, microseconds, slow = slot.cells[place : place + at.STATEMENT_CELLS]
        if number:
            yield name, StatementTimes(number, microseconds / 1e6, slow)
        place += at.STATEMENT_CELLS


def _add(one: Iterable[int], other: Iterable[int]) -> list[int]:
    return list(map(add, one, other))
