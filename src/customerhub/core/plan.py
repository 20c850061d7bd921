"""What a process counts, and where in its memory each count stands; written beside the counts, so that others know."""

from typing import Final, NamedTuple

from msgspec import Struct

from customerhub.core.buckets import BUCKETS

WINDOW_SECONDS: Final = 300
"""So far back the latest latencies go; up to a tenth more, since they are counted in slices."""
SLICE_SECONDS: Final = 30
SLICES: Final = WINDOW_SECONDS // SLICE_SECONDS + 1

# What stands where in a route's counts. Answers by the first digit of their status; none was given where the client
# had gone.
GONE: Final = 0
STATUSES: Final = 6
NANOSECONDS, BYTES_IN, BYTES_OUT, REPLAYS, DRY_RUNS = range(STATUSES, STATUSES + 5)
HISTOGRAM: Final = STATUSES + 5
WINDOW: Final = HISTOGRAM + BUCKETS
SLICE_CELLS: Final = 1 + BUCKETS
ROUTE_CELLS: Final = WINDOW + SLICES * SLICE_CELLS

# What stands where in a statement's counts.
NUMBER, MICROSECONDS, SLOW = range(3)
STATEMENT_CELLS: Final = 3

COUNTERS: Final = (
    "cpu_microseconds",
    "gc_0",
    "gc_1",
    "gc_2",
    "leases",
    "leases_waited",
    "lease_microseconds",
    "no_ops",
    "lost_races",
    "logs_dropped",
)
"""What only grows as long as a process lives, and after that goes on with the next one at its place."""
GAUGES: Final = (
    "in_flight",
    "connections",
    "connections_in_use",
    "logs_waiting",
    "lanes",
    "loop_lag_microseconds",
    "memory_bytes",
    "started_microseconds",
)
"""What is so at the moment, and is no more once the process is gone."""


class Route(NamedTuple):
    """A path's template with its method; of requests for no route of a dialect both are empty, of pages the dialect."""

    dialect: str
    method: str
    path: str


class Plan(Struct, frozen=True):
    """What is counted: by route, by dialect and kind of failure, by statement's name, and for the whole process."""

    routes: tuple[Route, ...] = ()
    dialects: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    values: tuple[str, ...] = (*COUNTERS, *GAUGES)

    @property
    def first_error(self) -> int:
        """The place of the first dialect's first kind of failure."""
        return len(self.values)

    @property
    def first_statement(self) -> int:
        """The place of the first statement's counts."""
        return self.first_error + len(self.dialects) * len(self.errors)

    @property
    def first_route(self) -> int:
        """The place of the first route's counts."""
        return self.first_statement + len(self.statements) * STATEMENT_CELLS

    @property
    def size(self) -> int:
        """How many counts there are."""
        return self.first_route + len(self.routes) * ROUTE_CELLS
