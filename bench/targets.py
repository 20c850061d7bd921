"""What the hub is meant to cost, as ratios of lines of one run, and whether it does."""

from collections.abc import Mapping, Sequence
from typing import Final

from bench.measure import Sample
from bench.options import MAIN, PEER
from bench.results import Judged, quantile, to_cpu_ratio, to_ratio
from bench.run import HALF, Measured
from bench.stage import EMPTY, FIRST, FLOOR, REPEATED

Samples = Mapping[tuple[str, str], Sequence[Sample]]
_UPDATE: Final = (FIRST, MAIN)


def judge(measured: Measured) -> list[Judged]:
    """Every target of which both sides were measured."""
    found = measured.samples
    judged = []
    if {_UPDATE, (FLOOR, MAIN)} <= found.keys():
        floor, update = found[FLOOR, MAIN], found[_UPDATE]
        cpu, rate = to_cpu_ratio(update, floor), to_ratio([one.rate for one in update], [one.rate for one in floor])
        judged.append(Judged.of("CPU of an update with a nested address, to the floor's", cpu, 2.5))
        judged.append(Judged.of("the same update's requests a second, to the floor's", rate, 0.4, is_least=True))
    if (PEER, MAIN) in found and _UPDATE in found:
        ratio = to_cpu_ratio(found[PEER, MAIN], found[_UPDATE])
        judged.append(
            Judged.of("CPU of the same update in FastAPI + SQLAlchemy, to the hub's", ratio, 8, is_least=True)
        )
    judged += [
        Judged.of(f"CPU of a {workload} to the update's", to_cpu_ratio(found[FIRST, workload], found[_UPDATE]), 1)
        for workload in REPEATED
        if {(FIRST, workload), _UPDATE} <= found.keys()
    ]
    parts = ((FLOOR, "select"), (EMPTY, "get"))
    if {*parts, (FIRST, "get")} <= found.keys():
        rows, answers = (found[part] for part in parts)
        sums = [row.cpu + answer.cpu for row, answer in zip(rows, answers, strict=True)]
        ratio = to_ratio([sample.cpu for sample in found[FIRST, "get"]], sums)
        judged.append(Judged.of("CPU of a get, to the row's under pgbench and an empty answer's", ratio, 3))
    if HALF in measured.curve:
        samples = measured.curve[HALF]
        highest, middle = ([quantile(one.latencies, part) for one in samples] for part in (0.99, 0.5))
        judged.append(Judged.of("p99 to p50 at half load", to_ratio(highest, middle), 3))
    return judged
