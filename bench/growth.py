"""What grows with the data and what must not: `python -m bench.growth`, measured side by side in one run.

The same update at several numbers of customers; page 1,000 of each list beside page 1; a customer with 200 addresses
beside one with two; two workers beside one; the memory of a worker over minutes of load.
"""

import argparse
import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.kept import Endurance, Finding, Growth, keep, read_kept
from bench.load import Crowd
from bench.measure import Sample, ServerLine, alternate
from bench.origin import read_command, read_origin
from bench.page import DOCS, MEASURED, write_page
from bench.pages import FIRST, LAST, PAGE_SIZE, list_requests
from bench.request import Request
from bench.results import Ratio, quantile, to_ratio
from bench.served import Place, heed_ending, make_place, pick_subjects, serving_hub
from bench.verdicts import LIMITS
from bench.workloads import DIALECTS
from customerhub.embedded import Cluster, open_cluster
from customerhub.store.db import connect

_MILLION: Final = 1e6
_FEW_CLIENTS: Final = 4
_WIDE_CUSTOMERS: Final = 200
_WIDE_ADDRESSES: Final = 200
_DIALECT: Final = "wizcommerce"
_UPDATE: Final = "update-nested"


@dataclass(frozen=True)
class Run:
    """How much is measured, where."""

    cluster: Cluster
    log: Path
    rounds: int
    seconds: float

    async def compare(
        self, part: str, lines: Sequence[ServerLine], of: Callable[[Sample], float] = lambda sample: sample.cpu
    ) -> list[Finding]:
        """All lines in turns, the first of them the measure of the others."""
        idle, whole = _read_idle()
        samples = await alternate(lines, self.rounds, self.seconds, self.seconds)
        idle_after, whole_after = _read_idle()
        share = (idle_after - idle) / (whole_after - whole)
        findings = []
        for line, own in zip(lines, samples, strict=True):
            ratio = to_ratio([of(one) for one in own], [of(other) for other in samples[0]])
            limit = LIMITS[part] if line is not lines[0] else None
            findings.append(_to_finding(part, line.subject, own, ratio, limit, share))
        return findings


def _to_finding(
    part: str, name: str, samples: Sequence[Sample], ratio: Ratio, limit: float | None, idle: float
) -> Finding:
    def median(of: Callable[[Sample], float]) -> float:
        return statistics.median(map(of, samples))

    return Finding(
        part,
        name,
        ratio,
        limit,
        server=median(lambda sample: sample.server / sample.count) * _MILLION,
        postgresql=median(lambda sample: sample.database / sample.count) * _MILLION,
        rate=median(lambda sample: sample.rate),
        p50=median(lambda sample: statistics.median(sample.latencies)) * 1000,
        p99=median(lambda sample: quantile(sample.latencies, 0.99)) * 1000,
        idle=idle,
        errors=sum(sample.errors for sample in samples),
    )


def _read_idle() -> tuple[int, int]:
    """Ticks that the machine's cores were idle or waited for a disk, and all their ticks (proc(5), /proc/stat)."""
    ticks = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return ticks[3] + ticks[4], sum(ticks)


@asynccontextmanager
async def clients(place: Place) -> AsyncIterator[tuple[Crowd, range]]:
    """Clients that ask about a place's customers, and which of these there are."""
    subjects = await pick_subjects(place)
    crowd = Crowd(subjects)
    try:
        yield crowd, range(len(subjects))
    finally:
        crowd.close()


def update_of(place: Place) -> Request:
    """The update with a nested address."""
    return DIALECTS[_DIALECT](place.credentials[_DIALECT])[_UPDATE]


async def measure_updates(run: Run, part: str, places: Mapping[str, Place], connections: int) -> list[Finding]:
    """The same update in each of several places."""
    async with AsyncExitStack() as stack:
        lines = []
        for name, place in places.items():
            server = stack.enter_context(serving_hub(place, run.log))
            crowd, subjects = await stack.enter_async_context(clients(place))
            keeper = await connect(place.url)
            stack.push_async_callback(keeper.close)
            request = update_of(place)
            lines.append(
                ServerLine(name, _UPDATE, server, place.server, crowd, request, subjects, connections, keeper=keeper)
            )
        return await run.compare(part, lines)


async def measure_pages(run: Run, place: Place) -> list[Finding]:
    """Page 1,000 of each dialect's list beside its page 1, as far as there are so many."""
    findings = []
    last = min(LAST, place.customers // PAGE_SIZE)
    async with AsyncExitStack() as stack:
        server = stack.enter_context(serving_hub(place, run.log))
        crowd, subjects = await stack.enter_async_context(clients(place))
        for dialect, pair in (await list_requests(place, server.port, last)).items():
            lines = [
                ServerLine(
                    f"{dialect}, page {number:,}", "list", server, place.server, crowd, request, subjects, _FEW_CLIENTS
                )
                for number, request in zip((FIRST, last), pair, strict=True)
            ]
            findings += await run.compare("pages", lines)
    return findings


async def measure_workers(run: Run, place: Place, workers: Sequence[int], connections: int) -> list[Finding]:
    """The update with so many workers, by its rate: how much of the machine was idle says what that can show."""
    async with AsyncExitStack() as stack:
        crowd, subjects = await stack.enter_async_context(clients(place))
        lines = []
        for number in workers:
            server = stack.enter_context(serving_hub(place, run.log, workers=number))
            request = update_of(place)
            lines.append(
                ServerLine(f"workers: {number}", _UPDATE, server, place.server, crowd, request, subjects, connections)
            )
        return await run.compare("workers", lines, lambda sample: sample.rate)


async def measure_memory(run: Run, place: Place, minutes: float, connections: int) -> Endurance:
    """Memory of one worker under updates and pages of lists in turns, sampled after each slice."""
    samples: list[Sample] = []
    times: list[float] = []
    async with AsyncExitStack() as stack:
        server = stack.enter_context(serving_hub(place, run.log))
        crowd, subjects = await stack.enter_async_context(clients(place))
        pages = [pair[0] for pair in (await list_requests(place, server.port, FIRST)).values()]
        lines = [
            ServerLine("memory", "mixed", server, place.server, crowd, request, subjects, connections)
            for request in (update_of(place), *pages)
        ]
        started = time.monotonic()
        for line in itertools.cycle(lines):
            samples.append(await line.run(run.seconds))
            times.append((time.monotonic() - started) / 60)
            if times[-1] >= minutes:
                break
    sizes = [sample.memory / _MILLION for sample in samples]
    half = len(sizes) // 2
    slope = statistics.linear_regression(times[half:], sizes[half:]).slope if half else 0.0
    count, errors = (sum(values) for values in zip(*((one.count, one.errors) for one in samples), strict=True))
    return Endurance(times[-1], sizes, count, errors, slope * (times[-1] - times[half]))


async def measure(chosen: argparse.Namespace, directory: Path) -> tuple[list[Finding], Endurance | None]:
    """All that was chosen."""
    sizes: list[int] = sorted(chosen.sizes)
    with open_cluster(directory / "data") as cluster:
        run = Run(cluster, directory / "log", chosen.rounds, chosen.seconds)
        places = {f"{size:,} customers": await make_place(cluster, f"size_{size}", size) for size in sizes}
        largest = places[f"{sizes[-1]:,} customers"]
        findings = await measure_updates(run, "sizes", places, chosen.connections)
        findings += await measure_pages(run, largest)
        wide = {
            f"{number} addresses": await make_place(cluster, f"wide_{number}", _WIDE_CUSTOMERS, addresses=number)
            for number in (2, _WIDE_ADDRESSES)
        }
        findings += await measure_updates(run, "addresses", wide, _FEW_CLIENTS)
        findings += await measure_workers(run, largest, (1, 2), chosen.connections)
        endurance = await measure_memory(run, largest, chosen.minutes, chosen.connections) if chosen.minutes else None
    return findings, endurance


def to_table(findings: Sequence[Finding], endurance: Endurance | None) -> str:
    """What was found, for people."""
    names = ("ratio", "limit", "hub µs", "PostgreSQL µs", "req/s", "p50 ms", "p99 ms", "idle")
    table = [f"{'':35}" + "".join(f"{name:>14}" for name in names)]
    for one in findings:
        limit = f"{one.limit:.2f}" if one.limit is not None else ""
        figures = (f"{one.server:.0f}", f"{one.postgresql:.0f}", f"{one.rate:.0f}")
        times = (f"{one.p50:.2f}", f"{one.p99:.2f}", f"{one.idle:.0%}")
        row = "".join(f"{value:>14}" for value in (f"{one.ratio.value:.3f}", limit, *figures, *times))
        table.append(f"{one.part:10} {one.name:24}{row}" + (f"  {one.errors} errors" if one.errors else ""))
    if endurance is not None:
        first, last, most = (f"{size:.0f} MB" for size in (endurance.samples[0], endurance.samples[-1], endurance.most))
        table += [
            f"memory     {first} at first, {last} at last, {most} at most; {endurance.growth:+.1f} MB in the",
            f"{'':11}second half of {endurance.minutes:.0f} minutes, {endurance.requests:,} requests",
            f"{'':11}{endurance.errors} errors",
        ]
    return "\n".join(table)


def main() -> None:
    """Measure, print, and write down where asked to."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="Numbers of customers."
    )
    parser.add_argument("--rounds", type=int, default=7, help="Slices of each that count.")
    parser.add_argument("--seconds", type=float, default=4, help="Length of a slice.")
    parser.add_argument("--connections", type=int, default=32, help="Clients that update.")
    parser.add_argument("--minutes", type=float, default=5, help="Of load while memory is sampled; 0 leaves that out.")
    parser.add_argument("--write", action="store_true", help="Also keep what is found, and write docs/performance.md.")
    chosen = parser.parse_args()
    heed_ending()
    with tempfile.TemporaryDirectory() as directory:
        findings, endurance = asyncio.run(measure(chosen, Path(directory)))
    if chosen.write:
        keep(MEASURED, Growth(read_origin(read_command("bench.growth")), findings, endurance))
        write_page(DOCS, read_kept(MEASURED))
    sys.stdout.write(to_table(findings, endurance) + "\n")


if __name__ == "__main__":
    main()
