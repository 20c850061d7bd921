"""What the rounds of a line come down to: medians, quantiles, ratios of neighbouring rounds, and the noise in them."""

import statistics
from collections.abc import Sequence
from typing import Final, Self

import msgspec

from bench.measure import Sample

_MILLI: Final = 1e3
_MICRO: Final = 1e6
_MEGABYTE: Final = 1e6


class Line(msgspec.Struct, frozen=True):
    """A line over all its rounds: medians, but for errors, which are added up.

    Times are in ms, CPU in µs a request, memory in MB. `noise` is the half of the middle half of the rounds' CPU, as a
    part of their median.
    """

    subject: str
    workload: str
    rounds: int
    requests: int
    rate: float
    p50: float
    p95: float
    p99: float
    server: float
    database: float
    cpu: float
    noise: float
    memory: float
    errors: int


class Ratio(msgspec.Struct, frozen=True):
    """One line to another: the median of neighbouring rounds, and the lowest and the highest of them."""

    value: float
    lowest: float
    highest: float


class Judged(msgspec.Struct, frozen=True):
    """A target: what was measured, in `unit`, and what it may be at most, or must be at least."""

    target: str
    measured: Ratio
    limit: float
    is_least: bool
    is_met: bool
    unit: str

    @classmethod
    def of(cls, target: str, measured: Ratio, limit: float, *, is_least: bool = False, unit: str = "×") -> Self:
        """With whether the median keeps to the limit."""
        is_met = measured.value >= limit if is_least else measured.value <= limit
        return cls(target, measured, limit, is_least, is_met, unit)


def quantile(values: Sequence[float], part: float) -> float:
    """The value that this part of the values does not pass; 0 of no values."""
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def to_line(subject: str, workload: str, samples: Sequence[Sample]) -> Line:
    """What a line's rounds come down to."""

    def median(values: Sequence[float]) -> float:
        return statistics.median(values)

    cpus = [sample.cpu * _MICRO for sample in samples]
    latencies = {
        name: median([quantile(sample.latencies, part) for sample in samples]) * _MILLI
        for name, part in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }
    return Line(
        subject=subject,
        workload=workload,
        rounds=len(samples),
        requests=sum(sample.count for sample in samples),
        rate=median([sample.rate for sample in samples]),
        **latencies,
        server=median([sample.server / sample.count for sample in samples]) * _MICRO,
        database=median([sample.database / sample.count for sample in samples]) * _MICRO,
        cpu=median(cpus),
        noise=to_noise(cpus),
        memory=median([sample.memory for sample in samples]) / _MEGABYTE,
        errors=sum(sample.errors for sample in samples),
    )


def to_noise(values: Sequence[float]) -> float:
    """Half of the middle half of the values, as a part of their median."""
    return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / statistics.median(values)


def to_ratio(values: Sequence[float], others: Sequence[float]) -> Ratio:
    """Values to others of the same rounds. Raises ValueError where one of them has more."""
    ratios = [value / other for value, other in zip(values, others, strict=True)]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def to_cpu_ratio(samples: Sequence[Sample], others: Sequence[Sample]) -> Ratio:
    """CPU of a request to that of another line."""
    return to_ratio([sample.cpu for sample in samples], [other.cpu for other in others])
