"""Everything that is counted of a hub, as Prometheus reads it: of all its processes together, and of its database."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector
from typing_extensions import override

from customerhub.core import plan as at
from customerhub.core.buckets import BOUNDS, find_quantile
from customerhub.core.latencies import SHARES, by_dialect
from customerhub.core.metrics import Sinks
from customerhub.core.survey import Survey
from customerhub.core.tally import Tally, Traffic

_ROUTE: Final = ("dialect", "method", "route")
_STATUS_CLASSES: Final = ("gone", "1xx", "2xx", "3xx", "4xx", "5xx")
_BOUNDS: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_LAST: Final = tuple(BOUNDS.index(bound) for bound in _BOUNDS)
_WINDOWS: Final = {"5m": "recent", "start": "counts"}
_COUNTERS: Final = {
    "no_ops": ("customerhub_no_ops", "Writes that found everything as they wanted it."),
    "lost_races": ("customerhub_lost_races", "Attempts to write a customer that somebody else was faster at."),
    "leases": ("customerhub_leases", "Database connections that were asked for."),
    "leases_waited": ("customerhub_leases_waited", "Those that had to be waited for."),
    "logs_dropped": ("customerhub_logs_dropped", "Entries of the request log that were dropped, since too many came."),
}
_TOTALS: Final = {
    "in_flight": ("customerhub_in_flight", "Requests that are being answered."),
    "connections": ("customerhub_connections", "Database connections with which requests may be answered."),
    "connections_in_use": ("customerhub_connections_in_use", "Those that are lent at the moment."),
    "logs_waiting": ("customerhub_logs_waiting", "Entries of the request log that are not written yet."),
    "lanes": ("customerhub_lanes", "Customers of sinks that are being told of."),
}
_PROCESS: Final = {
    "memory_bytes": ("customerhub_process_resident_memory_bytes", "Resident memory.", 1),
    "loop_lag_microseconds": ("customerhub_process_loop_lag_seconds", "The loop at its latest in 15 s.", 1e6),
    "started_microseconds": ("customerhub_process_start_time_seconds", "When it started, in seconds since 1970.", 1e6),
}


class Exposition(Collector):
    """All metrics, as they were counted and read; `survey` is None where the database does not answer."""

    def __init__(self, tally: Tally, survey: Survey | None, version: str) -> None:
        self._tally = tally
        self._survey = survey
        self._version = version

    @override
    def collect(self) -> Iterator[Metric]:
        yield from self._collect_build()
        yield from _collect_requests(self._tally)
        yield from _collect_quantiles(self._tally)
        yield from _collect_failures(self._tally)
        yield from _collect_processes(self._tally)
        yield from _collect_statements(self._tally)
        up = GaugeMetricFamily(
            "customerhub_database_up", "1 where the database answered.", float(self._survey is not None)
        )
        yield up
        if self._survey is not None:
            yield from _collect_survey(self._survey)

    def _collect_build(self) -> Iterator[Metric]:
        found = {"version": self._version}
        if self._survey is not None:
            found |= {"schema": str(self._survey.schema), "postgresql": self._survey.postgresql}
        yield InfoMetricFamily("customerhub_build", "What is running.", found)


def _collect_requests(tally: Tally) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        "customerhub_requests", "Requests by how they were answered.", labels=(*_ROUTE, "status")
    )
    durations = HistogramMetricFamily(
        "customerhub_request_seconds", "From a request's first line to its answer.", labels=_ROUTE
    )
    sizes = {
        at.BYTES_IN: CounterMetricFamily("customerhub_request_bytes", "Bytes of bodies that were read.", labels=_ROUTE),
        at.BYTES_OUT: CounterMetricFamily(
            "customerhub_answer_bytes", "Bytes of bodies that were answered.", labels=_ROUTE
        ),
        at.REPLAYS: CounterMetricFamily("customerhub_replays", "Answers that a key had kept.", labels=_ROUTE),
        at.DRY_RUNS: CounterMetricFamily("customerhub_dry_runs", "Writes that were only tried.", labels=_ROUTE),
    }
    for route, traffic in sorted(tally.routes.items(), key=lambda one: one[0]):
        labels = list(route)
        for status, number in zip(_STATUS_CLASSES, traffic.statuses, strict=True):
            if number:
                requests.add_metric([*labels, status], number)
        durations.add_metric(labels, _to_buckets(traffic), traffic.seconds)
        for place, family in sizes.items():
            if traffic.numbers[place]:
                family.add_metric(labels, traffic.numbers[place])
    yield from (requests, durations, *sizes.values())


def _to_buckets(traffic: Traffic) -> list[tuple[str, float]]:
    sums = list(accumulate(traffic.counts))
    return [*((str(bound), sums[last]) for bound, last in zip(_BOUNDS, _LAST, strict=True)), ("+Inf", sums[-1])]


def _collect_quantiles(tally: Tally) -> Iterator[Metric]:
    routes = GaugeMetricFamily(
        "customerhub_route_quantile_seconds", "p50, p95 and p99 by route.", labels=(*_ROUTE, "window", "quantile")
    )
    dialects = GaugeMetricFamily(
        "customerhub_dialect_quantile_seconds", "p50, p95 and p99 by dialect.", labels=("dialect", "window", "quantile")
    )
    by_route = {tuple(route): traffic for route, traffic in sorted(tally.routes.items(), key=lambda one: one[0])}
    whole = {(name,): traffic for name, traffic in sorted(by_dialect(tally).items())}
    for family, found in ((routes, by_route), (dialects, whole)):
        for labels, traffic in found.items():
            for window, name in _WINDOWS.items():
                for share in SHARES.values():
                    seconds = find_quantile(getattr(traffic, name), share)
                    if seconds is not None:
                        family.add_metric([*labels, window, str(share)], seconds)
    yield from (routes, dialects)


def _collect_failures(tally: Tally) -> Iterator[Metric]:
    refused = CounterMetricFamily("customerhub_refusals", "Failures by their kind.", labels=("dialect", "error"))
    for key, number in sorted(tally.errors.items()):
        refused.add_metric(key, number)
    yield refused


def _collect_processes(tally: Tally) -> Iterator[Metric]:
    for name, (metric, text) in _COUNTERS.items():
        yield CounterMetricFamily(metric, text, tally.counters.get(name, 0))
    waited = tally.counters.get("lease_microseconds", 0) / 1e6
    yield CounterMetricFamily("customerhub_lease_wait_seconds", "How long they were waited for, in all.", waited)
    cpu = tally.counters.get("cpu_microseconds", 0) / 1e6
    yield CounterMetricFamily("customerhub_process_cpu_seconds", "CPU of all these processes, ended ones too.", cpu)
    collections = CounterMetricFamily("customerhub_gc_collections", "Of Python's garbage.", labels=("generation",))
    for generation in ("0", "1", "2"):
        collections.add_metric([generation], tally.counters.get(f"gc_{generation}", 0))
    yield collections
    yield GaugeMetricFamily("customerhub_processes", "Processes that answer, or tell sinks.", len(tally.processes))
    for name, (metric, text) in _TOTALS.items():
        yield GaugeMetricFamily(metric, text, sum(values[name] for values in tally.processes.values()))
    for name, (metric, text, unit) in _PROCESS.items():
        family = GaugeMetricFamily(metric, text, labels=("process",))
        for place, values in tally.processes.items():
            family.add_metric([str(place)], values[name] / unit)
        yield family


def _collect_statements(tally: Tally) -> Iterator[Metric]:
    times = SummaryMetricFamily("customerhub_statement_seconds", "Statements by their names.", labels=("statement",))
    slow = CounterMetricFamily("customerhub_slow_statements", "Those that the log tells of.", labels=("statement",))
    for name, found in sorted(tally.statements.items()):
        times.add_metric([name], found.number, found.seconds)
        if found.slow:
            slow.add_metric([name], found.slow)
    yield from (times, slow)


def _collect_survey(survey: Survey) -> Iterator[Metric]:
    yield GaugeMetricFamily("customerhub_feed_waiting", "Changes that wait for a position.", survey.waiting)
    yield GaugeMetricFamily("customerhub_feed_oldest_seconds", "Age of the oldest of them.", survey.oldest_seconds)
    yield from Sinks(survey.sinks).collect()
