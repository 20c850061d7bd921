"""Whether what grows and what starts keeps to its targets."""

from typing import Final

from bench.kept import Endurance, Finding, Growth, Medians, Start
from bench.results import Judged, Ratio

# By part of what grows: what a line may be at most, to the first of its part; of the rate of workers at least.
LIMITS: Final = {"sizes": 1.15, "pages": 2.0, "addresses": 10.0, "workers": 1.7}
_NAMES: Final = {
    "sizes": "CPU of an update with {0}, to that with {1}",
    "pages": "CPU of a list, {0}, to {1}",
    "addresses": "CPU of an update with {0}, to that with {1}",
    "workers": "requests a second, {0}, to {1}",
}
_MEMORY_MB: Final = 120
# Less is what an allocator does of itself.
_GROWTH_MB: Final = 1
EMPTY_SECONDS: Final = 6
EXISTING_SECONDS: Final = 2


def judge_growth(growth: Growth) -> list[Judged]:
    """Each line that stands beside another, and the memory of a worker."""
    judged: list[Judged] = []
    first: Finding | None = None
    for finding in growth.findings:
        if finding.limit is None:
            first = finding
        elif first is not None:
            name = _NAMES[finding.part].format(finding.name, first.name)
            judged.append(Judged.of(name, finding.ratio, finding.limit, is_least=finding.part == "workers"))
    return judged + (_judge_memory(growth.endurance) if growth.endurance is not None else [])


def _judge_memory(endurance: Endurance) -> list[Judged]:
    most = Ratio(endurance.most, min(endurance.samples), endurance.most)
    grown = Ratio(endurance.growth, endurance.growth, endurance.growth)
    load = f"{endurance.minutes:.0f} minutes of load"
    return [
        Judged.of(f"memory of a worker in {load}", most, _MEMORY_MB, unit="MB"),
        Judged.of(f"what it grew by in the second half of {load}", grown, _GROWTH_MB, unit="MB"),
    ]


def judge_start(start: Start) -> list[Judged]:
    """How soon a hub answers."""
    return [
        Judged.of("`serve` on an empty directory, to its first answer", _range(start.empty), EMPTY_SECONDS, unit="s"),
        Judged.of("the same on an existing one", _range(start.existing), EXISTING_SECONDS, unit="s"),
    ]


def _range(found: Medians) -> Ratio:
    return Ratio(found.seconds, found.fastest, found.slowest)
