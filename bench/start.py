"""How soon a hub answers, and what it takes: `python -m bench.start`, medians of several rounds.

From starting `customerhub serve` to its first answer on `/readyz`, on an empty data directory and on one that is
there; what `customerhub --help` takes; the memory of a hub that has just started; the size of what is installed.
"""

import argparse
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

import customerhub
from bench.kept import Installed, Medians, Start, keep, read_kept
from bench.machine import Memory, cpu_seconds, read_memory, read_own_memory
from bench.origin import read_command, read_origin
from bench.page import DOCS, MEASURED, write_page
from bench.verdicts import EMPTY_SECONDS, EXISTING_SECONDS

PROGRAM: Final = Path(sys.executable).with_name("customerhub")
_PATIENCE_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.002
_MEGABYTE: Final = 1_000_000
_LARGEST: Final = 8


@dataclass(frozen=True)
class Taken:
    """What one start took: until the first answer, and processor time of the hub and its PostgreSQL until then."""

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Started(Taken):
    """The same of a hub, with the memory of its own process and with that of its PostgreSQL."""

    own: Memory
    tree: Memory


def main() -> None:
    """Measure, print a table, and write JSON where that was asked for."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--rounds", type=int, default=5, help="starts of each kind, at least one")
    options.add_argument("--write", action="store_true", help="also keep what is found, and write docs/performance.md")
    chosen = options.parse_args()
    found = measure(max(chosen.rounds, 1), read_command("bench.start"))
    if chosen.write:
        keep(MEASURED, found)
        write_page(DOCS, read_kept(MEASURED))
    sys.stdout.write(to_table(found))


def measure(rounds: int, command: str) -> Start:
    """All figures."""
    with tempfile.TemporaryDirectory(prefix="customerhub-start-") as name:
        place = Path(name)
        empty = [start_hub(place / f"empty-{number}") for number in range(rounds)]
        for number in range(1, rounds):
            shutil.rmtree(place / f"empty-{number}")
        existing = [start_hub(place / "empty-0") for _ in range(rounds)]
    shown = [ask_for_help() for _ in range(rounds)]
    sizes = installed_sizes("customerhub")
    largest = dict(sorted(sizes.items(), key=lambda one: -one[1])[:_LARGEST])
    return Start(
        origin=read_origin(command),
        rounds=rounds,
        empty=to_medians(empty),
        existing=to_medians(existing),
        help=to_medians(shown),
        own=existing[-1].own,
        with_postgresql=existing[-1].tree,
        installed=Installed(sum(sizes.values()), len(sizes), largest),
    )


def to_medians(found: Sequence[Taken]) -> Medians:
    """The median of each figure, and the fastest and the slowest start."""
    seconds = [one.seconds for one in found]
    return Medians(
        seconds=round(statistics.median(seconds), 3),
        cpu_seconds=round(statistics.median(one.cpu_seconds for one in found), 3),
        fastest=round(min(seconds), 3),
        slowest=round(max(seconds), 3),
    )


def start_hub(data: Path) -> Started:
    """Start a hub on a data directory, wait for its first answer, look at it, and stop it."""
    port = free_port()
    command = [str(PROGRAM), "serve", "--data-dir", str(data), "--port", str(port)]
    begun = time.monotonic()
    with subprocess.Popen(
        command, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=data.parent
    ) as hub:
        try:
            wait_until_ready(port, lambda: hub.poll() is None)
            seconds = time.monotonic() - begun
            cpu, tree, own = cpu_seconds(hub.pid), read_memory(hub.pid), read_own_memory(hub.pid)
        finally:
            hub.send_signal(signal.SIGTERM)
    return Started(seconds, cpu, own, tree)


def wait_until_ready(port: int, lives: Callable[[], bool]) -> None:
    """Ask until the hub says that it is ready. Raises RuntimeError where it ends or takes too long."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while lives() and time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == HTTPStatus.OK:
                return
        except (OSError, HTTPException):
            time.sleep(_POLL_SECONDS)
        finally:
            connection.close()
    raise RuntimeError("the hub did not become ready")


def ask_for_help() -> Taken:
    """What the shortest command takes."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run([PROGRAM, "--help"], env=clean_environment(), stdout=subprocess.DEVNULL, check=True)
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begun
    return Taken(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def clean_environment() -> dict[str, str]:
    """The environment without settings of the hub."""
    return {name: value for name, value in os.environ.items() if not name.startswith("CUSTOMERHUB_")}


def installed_sizes(name: str) -> dict[str, int]:
    """Bytes of a distribution and of all that it needs to run here, by name; compiled files count too."""
    sizes: dict[str, int] = {}
    wanted = [(name, frozenset[str]())]
    for one, extras in wanted:
        found = distribution(one)
        if to_key(one) not in sizes:
            sizes[to_key(one)] = own_size() if one == name else size_of(found)
        for line in found.requires or ():
            needed = Requirement(line)
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                pair = needed.name, frozenset(needed.extras)
                if pair not in wanted:
                    wanted.append(pair)
    return sizes


def to_key(name: str) -> str:
    """The name that all spellings share (the packaging guide's normalised name)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def size_of(found: Distribution) -> int:
    """Bytes of the files that were installed."""
    paths = (Path(str(found.locate_file(file))) for file in found.files or ())
    return sum(path.stat().st_size for path in paths if path.is_file())


def own_size() -> int:
    """Bytes of the package itself, without its tests: where it is worked on it is not copied when it is installed."""
    root = Path(customerhub.__file__).parent
    files = (path for path in root.rglob("*") if path.is_file() and "tests" not in path.relative_to(root).parts)
    return sum(path.stat().st_size for path in files)


def to_table(found: Start) -> str:
    """The figures for people."""
    targets = {"serve, empty directory": EMPTY_SECONDS, "serve, existing directory": EXISTING_SECONDS}
    lines = [f"{'start':<28}{'seconds':>9}{'fastest':>9}{'slowest':>9}{'CPU s':>8}{'target':>8}"]
    for title, one in zip((*targets, "--help"), (found.empty, found.existing, found.help), strict=True):
        columns = f"{one.seconds:>9.2f}{one.fastest:>9.2f}{one.slowest:>9.2f}{one.cpu_seconds:>8.2f}"
        target = f"{targets[title]} s" if title in targets else ""
        lines.append(f"{title:<28}{columns}{target:>8}")
    own, tree, installed = found.own.proportional, found.with_postgresql.proportional, found.installed
    lines.append(f"memory: {own / _MEGABYTE:.0f} MB, with PostgreSQL {tree / _MEGABYTE:.0f} MB")
    lines.append(f"installed: {installed.bytes / _MEGABYTE:.0f} MB in {installed.packages} packages, of which")
    lines += [f"  {name:<26}{size / _MEGABYTE:>7.1f} MB" for name, size in installed.largest.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
