r"""Exports beside `\copy … to` of the same customers, in turns in one run: `python -m bench.exports`.

The measure is what a database's own client needs to write all columns of the team's rows to a file. An export goes the
whole way: over HTTP, to a client that writes it to a file too.
"""

import argparse
import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

from bench.machine import read_own_memory
from bench.served import Place, Server, heed_ending, make_place, serving_hub
from customerhub.dialects.views import find_views
from customerhub.embedded import open_cluster

_PATH: Final = "/hub/v1/exports/customers"
_LIMIT: Final = 1 / 3
_MEGABYTE: Final = 1_000_000
_PIECE: Final = 1 << 18
Line = tuple[str, Callable[[], float]]


def copy_out(place: Place, target: Path) -> float:
    """Seconds that psql takes for the rows as they are."""
    psql = place.cluster.binary_directory / "psql"
    statement = f"\\copy (select * from customer where team = '{place.team.id}') to '{target}'"  # noqa: S608
    started = time.perf_counter()
    subprocess.run((psql, place.url, "-qc", statement), check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def export(place: Place, server: Server, target: Path, form: str, shape: str) -> float:
    """Seconds that an export takes, from the request to the last byte in a file."""
    headers = {"Authorization": f"Bearer {place.credentials['hub']['api_key']}"}
    started = time.perf_counter()
    connection = HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request("GET", f"{_PATH}?format={form}&shape={shape}", headers=headers)
    answer = connection.getresponse()
    if answer.status != HTTPStatus.OK:
        raise RuntimeError(answer.read().decode())
    with target.open("wb") as file:
        while piece := answer.read(_PIECE):
            file.write(piece)
    connection.close()
    return time.perf_counter() - started


async def measure(directory: Path, customers: int, rounds: int) -> str:
    """The table of what was found."""
    with open_cluster(directory / "data") as cluster:
        place = await make_place(cluster, "bench", customers)
        with serving_hub(place, directory / "log") as server:
            memory = read_own_memory(server.process).resident
            canonical = next(view.name for view in find_views().values() if view.is_canonical)
            target = directory / "out"
            lines: list[Line] = [("\\copy … to", partial(copy_out, place, target))]
            for form in ("jsonl", "csv"):
                lines += [
                    (f"{name} {form}", partial(export, place, server, target, form, name))
                    for name in (canonical, *(one for one in find_views() if one != canonical))
                ]
            taken: dict[str, list[float]] = {name: [] for name, _ in lines}
            for number in range(rounds + 1):
                for name, run in lines:
                    seconds = await asyncio.to_thread(run)
                    # The first round is for caches to fill.
                    if number:
                        taken[name].append(seconds)
            grown = read_own_memory(server.process).resident - memory
    return _to_table(taken, customers, canonical, grown)


def _to_table(taken: dict[str, list[float]], customers: int, canonical: str, grown: int) -> str:
    """The ratio is of rates: how much of the measure's an export has."""
    (_, measure_of), *_ = taken.items()
    rows = [f"{customers:,} customers{'':14}{'customers/s':>14}{'ratio':>8}{'limit':>8}"]
    for name, seconds in taken.items():
        ratio = statistics.median(own / one for own, one in zip(measure_of, seconds, strict=True))
        limit = f"{_LIMIT:.2f}" if name.startswith(f"{canonical} ") else ""
        rows.append(f"{name:32}{customers / statistics.median(seconds):>14,.0f}{ratio:>8.2f}{limit:>8}")
    return "\n".join((*rows, f"memory of the server grew by {grown / _MEGABYTE:.0f} MB"))


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.exports", description=__doc__)
    parser.add_argument("--customers", type=int, default=100_000, help="How many the team has.")
    parser.add_argument("--rounds", type=int, default=5, help="Runs of each that count.")
    chosen = parser.parse_args()
    heed_ending()
    with tempfile.TemporaryDirectory() as directory:
        sys.stdout.write(asyncio.run(measure(Path(directory), chosen.customers, chosen.rounds)) + "\n")


if __name__ == "__main__":
    main()
