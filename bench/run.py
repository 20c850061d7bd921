"""One run of the benchmark: which lines there are, in what groups they take turns, and how the load is raised."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bench.measure import Line, Sample, alternate
from bench.options import MAIN, PEER
from bench.stage import EMPTY, FIRST, FLOOR, REPEATED, Stage

# The very same line a second time: what chance makes of equal things.
AGAIN: Final = f"{FLOOR}, once more"
HALF: Final = 0.5
# The loads of the latency curve, as parts of what was answered at most.
LOADS: Final = (0.1, 0.25, HALF, 0.7, 0.85)
_CURVE_ROUNDS: Final = 3
# Fewer of the floor's transactions than this may be lost to others that write the same customer.
_LEAST_WRITTEN: Final = 0.98
_COUNT: Final = "select (select count(*) from change), (select count(*) from idempotency_key)"


@dataclass
class Measured:
    """Samples of each line, by who was measured at what, and of the main one by load."""

    samples: dict[tuple[str, str], list[Sample]] = field(default_factory=dict)
    curve: dict[float, list[Sample]] = field(default_factory=dict)


async def measure(stage: Stage) -> Measured:
    """Run all lines that were asked for. What is compared takes turns; so does the rest, in shorter rounds."""
    options = stage.options
    compared, rest = to_lines(stage)
    measured = Measured()
    for lines, rounds, seconds in (
        (compared, options.rounds, options.seconds),
        (rest, options.other_rounds, options.other_seconds),
    ):
        samples = await alternate(lines, rounds, seconds, min(seconds, options.warm_seconds))
        names = ((line.subject, line.workload) for line in lines)
        measured.samples |= dict(zip(names, samples, strict=True))
    if options.has_curve and (FIRST, MAIN) in measured.samples:
        most = statistics.median(sample.rate for sample in measured.samples[FIRST, MAIN])
        lines = [stage.dialect(FIRST, MAIN, rate=most * load) for load in LOADS]
        samples = await alternate(lines, _CURVE_ROUNDS, options.seconds, options.warm_seconds / 2)
        measured.curve = dict(zip(LOADS, samples, strict=True))
    return measured


def to_lines(stage: Stage) -> tuple[Sequence[Line], Sequence[Line]]:
    """The lines that targets compare, and all others."""
    options = stage.options
    compared: list[Line] = []
    rest: list[Line] = []
    if MAIN in options.workloads:
        compared += [stage.floor(), stage.floor(subject=AGAIN)]
        compared += [stage.dialect(dialect, MAIN) for dialect in options.dialects]
        compared += [stage.dialect(FIRST, workload) for workload in REPEATED if workload in options.workloads]
        compared += [stage.other(subject, MAIN) for subject in stage.others]
        rest += [stage.floor("bare-update"), stage.floor("eight")]
    if "get" in options.workloads:
        compared += [stage.floor("select"), stage.other(EMPTY, "get"), stage.dialect(FIRST, "get")]
        rest += [stage.other(PEER, "get")] if options.has_peer else []
    known = {(line.subject, line.workload) for line in compared}
    rest += [
        stage.dialect(dialect, workload)
        for workload in options.workloads
        for dialect in options.dialects
        if workload in stage.requests[dialect] and (dialect, workload) not in known
    ]
    return compared, rest


async def check_floor(stage: Stage) -> None:
    """See that the floor does what it says: a change and a key for each transaction.

    Raises RuntimeError where it does not.
    """
    before = await stage.fetch_from_floor(_COUNT)
    run = stage.floor().run_once(1)
    after = await stage.fetch_from_floor(_COUNT)
    for name, then, now in zip(("changes", "keys"), before, after, strict=True):
        if not _LEAST_WRITTEN * run.transactions <= now - then <= run.transactions or run.errors:
            raise RuntimeError(f"{run.transactions} transactions of the floor wrote {now - then} {name}")
