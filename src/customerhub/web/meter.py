"""Count requests: by route, how they were answered, how long that took and what failed; a few numbers for each."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from time import monotonic
from typing import Final

from customerhub.core.board import Slot
from customerhub.core.buckets import BOUNDS, BUCKETS
from customerhub.core.plan import (
    BYTES_IN,
    BYTES_OUT,
    DRY_RUNS,
    GONE,
    HISTOGRAM,
    NANOSECONDS,
    REPLAYS,
    ROUTE_CELLS,
    SLICE_CELLS,
    SLICE_SECONDS,
    SLICES,
    WINDOW,
    Plan,
    Route,
)
from customerhub.core.standing import REPLAYED
from customerhub.model.answer import Answer
from customerhub.model.error import HubError
from customerhub.store.statements import list_names
from customerhub.web.dialect import Dialect
from customerhub.web.exchange import Exchange

NO_DIALECT: Final = ""
"""Whose pages, hooks and paths that nobody has are."""
_EMPTY: Final = memoryview(bytes(BUCKETS * 8)).cast("q")


def to_name(error: type) -> str:
    """A kind of failure as it is counted: `precondition_failed`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in error.__name__).lstrip("_")


def _errors(kind: type[HubError] = HubError) -> Iterator[type[HubError]]:
    for one in kind.__subclasses__():
        yield one
        yield from _errors(one)


class Meter:
    """The counts of one process's requests, in its slot; `pages` are methods and paths beside those of the dialects.

    Nothing that a client makes up becomes a name: paths are templates, and methods those of the routes.
    """

    def __init__(self, slot: Slot, dialects: Sequence[Dialect], pages: Iterable[tuple[str, str]] = ()) -> None:
        plan = _to_plan(dialects, pages)
        slot.claim(plan)
        self._cells = slot.cells
        self._in_flight = plan.values.index("in_flight")
        places = {route: plan.first_route + number * ROUTE_CELLS for number, route in enumerate(plan.routes)}
        self._routes: dict[tuple[str, str | None], int] = {}
        for route, place in places.items():
            self._routes[route.method, route.path] = place
            if route.method == "GET":
                self._routes["HEAD", route.path] = place
        self._unmatched = {name: places[Route(name, "", "")] for name in plan.dialects}
        kinds = {kind: plan.errors.index(to_name(kind)) for kind in _errors()}
        self._errors = {
            name: {kind: plan.first_error + row * len(plan.errors) + number for kind, number in kinds.items()}
            for row, name in enumerate(plan.dialects)
        }

    def begin(self) -> None:
        """A request came."""
        self._cells[self._in_flight] += 1

    def end(self) -> None:
        """A request is over, whatever became of it."""
        self._cells[self._in_flight] -= 1

    def observe(self, exchange: Exchange, answer: Answer | None) -> None:
        """Count a request that was answered; None where its client had gone."""
        cells, now, error = self._cells, monotonic(), exchange.error
        name = exchange.dialect.name if exchange.dialect is not None else NO_DIALECT
        place = self._routes.get((exchange.method, exchange.route)) or self._unmatched[name]
        seconds = now - exchange.begun
        cells[place + NANOSECONDS] += int(seconds * 1e9)
        if exchange.sent:
            cells[place + BYTES_OUT] += exchange.sent
        if exchange.body:
            cells[place + BYTES_IN] += len(exchange.body)
        if answer is None:
            cells[place + GONE] += 1
        else:
            cells[place + answer.status // 100] += 1
            cells[place + BYTES_OUT] += len(answer.body)
            if exchange.key is not None and REPLAYED in answer.headers:
                cells[place + REPLAYS] += 1
            if exchange.is_dry_run:
                cells[place + DRY_RUNS] += 1
        bucket = bisect_left(BOUNDS, seconds)
        cells[place + HISTOGRAM + bucket] += 1
        number = int(now) // SLICE_SECONDS
        recent = place + WINDOW + number % SLICES * SLICE_CELLS
        if cells[recent] != number:
            # What stands there is of minutes ago.
            cells[recent + 1 : recent + SLICE_CELLS] = _EMPTY
            cells[recent] = number
        cells[recent + 1 + bucket] += 1
        if error is not None:
            known = self._errors[name].get(type(error))
            if known is not None:
                cells[known] += 1


def _to_plan(dialects: Sequence[Dialect], pages: Iterable[tuple[str, str]]) -> Plan:
    routes = [Route(one.name, operation.method, operation.path) for one in dialects for operation in one.operations]
    routes += (Route(NO_DIALECT, method, path) for method, path in pages)
    names = (*(one.name for one in dialects), NO_DIALECT)
    return Plan(
        # In an order of their own: what a killed process counted goes on only where the next one has the same plan, and
        # sets, of which pages come, have another order in each process.
        routes=tuple(sorted((*routes, *(Route(name, "", "") for name in names)))),
        dialects=names,
        errors=tuple(sorted({to_name(kind) for kind in _errors()})),
        statements=list_names(),
    )
