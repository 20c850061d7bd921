"""How fast a file of customers comes in: `python -m bench.imports`, beside COPY of the same rows.

One server, one database, the same indexes, several rounds in turn: a CSV file is read, staged and imported as
`customerhub import` does it; then the customers and changes that came of it are taken out, the tables are emptied, and
they come in again by COPY, customer and change one after the other. What an import writes beside them (what is searched
for, the duplicates' keys, the feed, what came of each row) is in its time, and not in that of COPY; reading and staging
are told by themselves. The ratio is that of the medians.
"""

import argparse
import asyncio
import csv
import gc
import os
import resource
import tempfile
import time
from collections.abc import Awaitable
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median
from typing import Final, TypeVar
from uuid import UUID

import uvloop

from customerhub.core import admin
from customerhub.core.hub import Hub
from customerhub.core.imports import orders
from customerhub.core.imports.running import run_import
from customerhub.dialects.forms import find_form, open_upload
from customerhub.embedded import open_cluster
from customerhub.model.answer import Answer
from customerhub.settings import Settings
from customerhub.store.db import Connection, Database, connect
from customerhub.store.imports import Import
from customerhub.store.migrate import migrate

_DATABASE: Final = "bench"
_TABLES: Final = ("customer", "change")
_EMPTY: Final = "truncate customer, change, customer_search, duplicate_key, feed_waiting cascade"
_SERVERS: Final = "select pid from pg_stat_activity where datname = current_database() and pid is not null"
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_COLUMNS: Final = "select attname from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped"
_KEY: Final = "YmVuY2hlcyBoYXZlIGEga2V5IG9mIHRoZWlyIG93biE="
_WRONG_EVERY: Final = 100
_HEADER: Final = (
    *("name", "number", "reference_id", "email", "phone", "website", "note", "payment_term", "bill_to.line1"),
    *("bill_to.city", "bill_to.state", "bill_to.postal_code", "bill_to.country", "primary_contact.first_name"),
    *("primary_contact.last_name", "primary_contact.email", "primary_contact.phone", "attributes.Region"),
    "attributes.Tier",
)
_TERMS: Final = ("Net 30", "Net 60", "Prepaid", "Net 14")
_FIRST: Final = ("Anna", "Bjorn", "Carla", "Dmitri", "Elif", "Femi", "Grace", "Hiro", "Ines", "Jonas", "Kim")
_LAST: Final = ("Hansen", "García", "Müller", "Okafor", "Sato", "Novak", "Rossi", "Dubois", "Smith", "Kaya", "Lind")
_CITIES: Final = (
    *(("Portland", "OR", "972", "US"), ("Austin", "TX", "787", "US"), ("Toronto", "ON", "M5V", "CA")),
    *(("Oslo", "", "01", "NO"), ("Berlin", "BE", "101", "DE"), ("San Francisco", "CA", "941", "US")),
    *(("Lyon", "", "690", "FR"), ("Boston", "MA", "021", "US")),
)

Made = TypeVar("Made")


@dataclass
class Round:
    """Seconds of each step of a round for so many rows, of which so many came in."""

    rows: int
    created: int
    staged: float
    run: float
    processor: float
    server: float
    copied: float
    copying: float

    @property
    def ratio(self) -> float:
        """The rate of the import, without staging, in that of COPY."""
        return self.share(self.run)

    def share(self, seconds: float) -> float:
        """The rate of so many seconds for all rows in that of COPY."""
        return (self.copied / self.created) / (seconds / self.rows)


@dataclass
class Figures:
    """All rounds, and how long it takes to import the same file once more, where nothing is to be changed."""

    rounds: list[Round]
    again: float

    def to_text(self) -> str:
        """A line for each step, and the ratio."""
        one = Round(*(median(values) for values in zip(*map(astuple, self.rounds), strict=True)))
        lines = [
            f"rows {int(one.rows):,}, of which {int(one.created):,} came in; {len(self.rounds)} rounds, medians",
            _to_line("read and staged", one.staged, one.rows),
            _to_line("imported", one.run, one.rows),
            _to_line("of which this process computed", one.processor, one.rows),
            _to_line("of which the server computed", one.server, one.rows),
            _to_line("imported again, nothing to change", self.again, one.rows),
            _to_line("COPY of the same customers and changes", one.copied, one.created),
            _to_line("of which the server computed", one.copying, one.created),
            f"rate of the import, without staging, in that of COPY: {one.ratio:.2f}",
            f"of each round: {', '.join(f'{each.ratio:.2f}' for each in self.rounds)}",
            f"with staging: {one.share(one.run + one.staged):.2f}",
            f"most memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB",
        ]
        return "\n".join(lines)


def _to_line(what: str, seconds: float, rows: int) -> str:
    return f"{what}: {seconds:.1f} s, {rows / seconds:,.0f} rows/s, {seconds / rows * 1e6:.0f} µs a row"


def write_file(path: Path, rows: int) -> None:
    """Customers with an address, a contact and custom values each; every hundredth is wrong."""
    with path.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(_HEADER)
        for place in range(rows):
            writer.writerow(_to_row(place))


def _to_row(place: int) -> tuple[str, ...]:
    email = "nonsense" if place % _WRONG_EVERY == 0 else f"buyer{place}@company{place}.example"
    city, state, code, country = _CITIES[place % len(_CITIES)]
    first, last = _FIRST[place % len(_FIRST)], _LAST[place // 7 % len(_LAST)]
    return (
        *(f"{last} & {first} {place} Ltd", f"K{place:07d}", f"ERP-{place}", email, f"+1503{place:07d}"),
        *(f"https://www.company{place}.example", f"Met at fair {place % 40}; asks for samples of line {place % 900}."),
        *(_TERMS[place % len(_TERMS)], f"{place} Main Street", city, state, f"{code}{place % 100:02d}", country),
        *(first, last, f"{first.lower()}.{place}@company{place}.example", f"+1971{place:07d}"),
        *(f"Region {place % 12}", f"Tier {place % 4}"),
    )


async def measure(url: str, path: Path, rows: int, rounds: int) -> Figures:
    """All of it, on one database that is empty before each round."""
    # As the command does it.
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    connection = await connect(url)
    await migrate(connection)
    hub = Hub(Database(url), Settings(secret_key=_KEY))
    team = await admin.create_team(hub, "Bench")
    made = [await _measure_round(hub, team.id, connection, path, rows) for _ in range(rounds)]
    again = await _measure_again(hub, team.id, path)
    await hub.close()
    await connection.close()
    return Figures(made, again)


async def _measure_round(hub: Hub, team: UUID, connection: Connection, path: Path, rows: int) -> Round:
    await _empty(connection)
    staged, one = await _timed(_stage(hub, team, path))
    before, server = time.process_time(), await _server_time(connection)
    run, done = await _timed(_run(hub, one))
    processor, server = time.process_time() - before, await _server_time(connection) - server
    copied, copying = await _copy(connection, path.parent)
    return Round(rows, done.counts.created, staged, run, processor, server, copied, copying)


async def _measure_again(hub: Hub, team: UUID, path: Path) -> float:
    """Seconds for the same file where all of it is there."""
    _, one = await _timed(_stage(hub, team, path))
    again, unchanged = await _timed(_run(hub, one))
    if unchanged.counts.created or unchanged.counts.changed:
        raise RuntimeError(unchanged.counts)
    return again


async def _empty(connection: Connection) -> None:
    await connection.execute(_EMPTY)
    await connection.execute("checkpoint")


async def _timed(work: Awaitable[Made]) -> tuple[float, Made]:
    gc.collect()
    started = time.perf_counter()
    made = await work
    return time.perf_counter() - started, made


async def _stage(hub: Hub, team: UUID, path: Path) -> Import:
    made: list[Import] = []

    def keep(one: Import) -> Answer:
        made.append(one)
        return Answer(200)

    command = admin.to_command(team)
    with path.open("rb") as opened, open_upload(opened, path.name) as upload:
        await orders.stage_import(hub, command, upload, keep)
    await orders.start_import(hub, command, made[-1].id, find_form, keep)
    return made[-1]


async def _run(hub: Hub, one: Import) -> Import:
    done = await run_import(hub, one.team, one.id, find_form)
    if done is None or done.status != "done":
        raise RuntimeError(done)
    return done


async def _server_time(connection: Connection) -> float:
    """Seconds that the server's processes for this database have computed so far."""
    pids = [row[0] for row in await connection.fetch(_SERVERS)]
    return sum(map(_time_of, pids)) / _TICKS


def _time_of(pid: int) -> int:
    """Ticks that a process has computed, for itself and in the kernel."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


async def _copy(connection: Connection, directory: Path) -> tuple[float, float]:
    """Seconds, and how many of them the server computed, for the same rows in the same tables with the same indexes."""
    columns = {table: [row[0] for row in await connection.fetch(_COLUMNS, table)] for table in _TABLES}
    for table in _TABLES:
        await connection.copy_from_table(table, output=str(directory / table), columns=columns[table], timeout=600)
    await _empty(connection)
    started, server = time.perf_counter(), await _server_time(connection)
    for table in _TABLES:
        await connection.copy_to_table(table, source=str(directory / table), columns=columns[table], timeout=600)
    return time.perf_counter() - started, await _server_time(connection) - server


def main() -> None:
    """Measure, and say it."""
    parser = argparse.ArgumentParser(prog="python -m bench.imports", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    rows: int = arguments.rows
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        path = Path(temporary) / "customers.csv"
        write_file(path, rows)
        with open_cluster(Path(temporary) / "data") as cluster:
            cluster.create_database(_DATABASE)
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                figures = runner.run(measure(cluster.url(_DATABASE), path, rows, arguments.rounds))
    print(figures.to_text())  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
