"""What a run found, as one record: its lines, its targets, its noise, and where and with what it was measured."""

import statistics
from typing import Final

import msgspec

from bench.options import MAIN, Options
from bench.origin import Origin, read_origin
from bench.results import Judged, Line, Ratio, quantile, to_line, to_ratio
from bench.run import AGAIN, Measured
from bench.stage import FIRST, FLOOR
from bench.targets import judge

_PARTS: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


class Report(msgspec.Struct, frozen=True):
    """A run: `chance` is the CPU of two lines that are the same to each other, `curve` ms by load, per quantile."""

    origin: Origin
    customers: int
    rounds: int
    lines: list[Line]
    targets: list[Judged]
    ratios: dict[str, Ratio]
    chance: Ratio | None
    curve: dict[str, list[tuple[float, float]]]


def to_report(measured: Measured, options: Options, command: str, postgresql: str) -> Report:
    """What there is to tell of a run."""
    found = measured.samples
    floor = found.get((FLOOR, MAIN))
    ratios = {
        subject: to_ratio([sample.cpu for sample in samples], [sample.cpu for sample in floor])
        for (subject, workload), samples in found.items()
        if floor is not None and workload == MAIN and subject != FLOOR
    }
    return Report(
        origin=read_origin(command, postgresql),
        customers=options.customers,
        rounds=options.rounds,
        lines=[to_line(*names, samples) for names, samples in found.items()],
        targets=judge(measured),
        ratios={subject: ratio for subject, ratio in ratios.items() if subject != AGAIN},
        chance=ratios.get(AGAIN),
        curve=to_curve(measured),
    )


def to_curve(measured: Measured) -> dict[str, list[tuple[float, float]]]:
    """Requests a second and ms, by quantile."""
    return {
        name: [
            (
                statistics.median(sample.rate for sample in samples),
                statistics.median(quantile(sample.latencies, part) for sample in samples) * 1000,
            )
            for samples in measured.curve.values()
        ]
        for name, part in _PARTS.items()
        if measured.curve
    }


def to_noise(report: Report) -> float:
    """The noise of the line that matters most, as a part of its CPU."""
    return next((line.noise for line in report.lines if (line.subject, line.workload) == (FIRST, MAIN)), 0.0)
