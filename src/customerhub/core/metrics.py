"""What is to be watched of sinks, as Prometheus reads it: of every team, from the database at the moment of asking."""

from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from typing_extensions import override

from customerhub.core.hub import Hub
from customerhub.model.answer import Caller
from customerhub.store.sinks import Reading, survey

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
"""Of what `get_metrics` returns (Prometheus text format 0.0.4)."""
_SINK: Final = ("team", "sink", "kind", "name")
_OUTCOMES: Final = ("delivered", "superseded", "skipped", "dead")


class Sinks(Collector):
    """The metrics of sinks as they were read."""

    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings

    @override
    def collect(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("customerhub_sink_waiting", "Deliveries that wait for the sink.", labels=_SINK)
        behind = GaugeMetricFamily(
            "customerhub_sink_behind", "Changes that the sink has no deliveries of yet.", labels=_SINK
        )
        oldest = GaugeMetricFamily(
            "customerhub_sink_oldest_seconds", "Age of the oldest event that the sink was not told of.", labels=_SINK
        )
        failures = GaugeMetricFamily(
            "customerhub_sink_failures", "Failures in a row of telling the sink anything.", labels=_SINK
        )
        up = GaugeMetricFamily(
            "customerhub_sink_up", "1 unless the sink is disabled, or rests after failures.", labels=_SINK
        )
        settled = CounterMetricFamily(
            "customerhub_deliveries", "Deliveries by what became of them.", labels=(*_SINK, "outcome")
        )
        retries = CounterMetricFamily(
            "customerhub_delivery_retries", "Attempts that failed and were, or will be, made again.", labels=_SINK
        )
        for reading in self._readings:
            labels = (str(reading.team), str(reading.sink), reading.kind, reading.name)
            waiting.add_metric(labels, reading.waiting)
            behind.add_metric(labels, reading.behind)
            oldest.add_metric(labels, max(reading.oldest_seconds, 0))
            failures.add_metric(labels, reading.failures)
            up.add_metric(labels, float(reading.status != "disabled" and not reading.is_resting))
            retries.add_metric(labels, reading.retried)
            for outcome in _OUTCOMES:
                settled.add_metric((*labels, outcome), getattr(reading, outcome))
        yield from (waiting, behind, oldest, failures, up, settled, retries)


async def get_metrics(hub: Hub, caller: Caller) -> bytes:
    """The sinks of every team in the text format of Prometheus; raises Unauthenticated."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        readings = await survey(connection)
    registry = CollectorRegistry()
    registry.register(Sinks(readings))
    return generate_latest(registry)
