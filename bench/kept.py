"""What the three commands found, as records that are kept as JSON beside the page that is written of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from bench.machine import Memory
from bench.origin import Origin
from bench.report import Report
from bench.results import Ratio

_REPORT: Final = "bench.json"
_GROWTH: Final = "growth.json"
_START: Final = "start.json"
_Record = TypeVar("_Record")


class Finding(msgspec.Struct, frozen=True):
    """One line of what grows: medians of its rounds, and their ratio to the line that it stands beside.

    CPU is in µs of a request, times are in ms; `idle` is the share of the machine's time that nobody used in the part,
    clients and other programs included. The first line of a part has no limit: the others are measured by it.
    """

    part: str
    name: str
    ratio: Ratio
    limit: float | None
    server: float
    postgresql: float
    rate: float
    p50: float
    p99: float
    idle: float
    errors: int


class Endurance(msgspec.Struct, frozen=True):
    """A worker under load: megabytes of its own at each sample, and what a line through the second half says.

    `growth` is in megabytes over that half, `requests` is how many were answered.
    """

    minutes: float
    samples: list[float]
    requests: int
    errors: int
    growth: float

    @property
    def most(self) -> float:
        """The most that it ever had."""
        return max(self.samples)


class Growth(msgspec.Struct, frozen=True):
    """What `python -m bench.growth` found."""

    origin: Origin
    findings: list[Finding]
    endurance: Endurance | None


class Medians(msgspec.Struct, frozen=True):
    """Starts of one kind: medians of seconds and of processor seconds, and the fastest and the slowest in seconds."""

    seconds: float
    cpu_seconds: float
    fastest: float
    slowest: float


class Installed(msgspec.Struct, frozen=True):
    """Bytes of what is installed, of all packages and of the largest."""

    bytes: int
    packages: int
    largest: dict[str, int]


class Start(msgspec.Struct, frozen=True):
    """What `python -m bench.start` found: three kinds of starts, and bytes of a hub that has just started."""

    origin: Origin
    rounds: int
    empty: Medians
    existing: Medians
    help: Medians
    own: Memory
    with_postgresql: Memory
    installed: Installed


@dataclass(frozen=True)
class Kept:
    """What is kept in a directory of each of the three; None is what was not measured yet."""

    report: Report | None
    growth: Growth | None
    start: Start | None


def keep(directory: Path, found: Report | Growth | Start) -> None:
    """Write a record down, in the place of the last of its kind."""
    names = {Report: _REPORT, Growth: _GROWTH, Start: _START}
    directory.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(found))
    (directory / names[type(found)]).write_bytes(text + b"\n")


def read_kept(directory: Path) -> Kept:
    """All that is kept. Raises msgspec.ValidationError where a record is of another shape than now."""
    return Kept(
        _find(directory / _REPORT, Report), _find(directory / _GROWTH, Growth), _find(directory / _START, Start)
    )


def _find(file: Path, kind: type[_Record]) -> _Record | None:
    return msgspec.json.decode(file.read_bytes(), type=kind) if file.exists() else None
