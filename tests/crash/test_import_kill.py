"""kill -9 in the middle of an import: no row is lost, and none is done twice."""

import asyncio
import csv
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import msgspec
import pytest

from customerhub.core import admin
from customerhub.core.hub import Hub
from tests.support.fixtures import SECRET_KEY
from tests.support.soak import sized
from tests.support.waiting import wait_until

ROWS = sized(1_200, 100_000)
WRONG_EVERY = 100
KILLS = sized(1, 2)
MEMORY = 200_000
COUNTS = """
select count(*), count(distinct c.number), count(*) filter (where h.version = 1),
    min(c.version), max(c.version)
from customer c join change h on h.team = $1 and h.customer = c.id
where c.team = $1
"""
DONE = "select coalesce(max(done), 0) from import where team = $1"


def write_file(path: Path) -> None:
    """A file in which every hundredth row is wrong."""
    with path.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(("Company", "Number", "Email", "Phone", "Street", "City", "Postal code", "Country"))
        for place in range(ROWS):
            email = "nonsense" if place % WRONG_EVERY == 0 else f"buyer{place}@c{place}.example"
            phone = f"+1503{place:07d}"
            writer.writerow(
                (f"Company {place}", f"K{place:07d}", email, phone, f"{place} Main St", "Oslo", f"{place:05d}", "NO")
            )


async def begin(url: str, team: str, path: Path) -> Process:
    """The command, as a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CUSTOMERHUB_")}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "customerhub", "import", str(path), "--team", team, "--match", "number", "--json"),
        *("--database-url", url),
        env=kept | {"CUSTOMERHUB_SECRET_KEY": SECRET_KEY},
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=DEVNULL,
    )


def memory_of(process: Process) -> int:
    """The most that a process has had in memory so far, in kilobytes; 0 where it is gone."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


@pytest.mark.soak
async def test_a_killed_import_does_each_row_once(hub: Hub, database_url: str, tmp_path: Path) -> None:
    """Killed twice, and begun again by the same command: exactly the right rows are in, exactly the wrong are told."""
    team = await admin.create_team(hub, f"Team {uuid4()}")
    path = tmp_path / "customers.csv"
    write_file(path)

    async def done() -> int:
        async with hub.database.lease() as connection:
            return int(await connection.fetchval(DONE, team.id))

    def has_done(rows: int) -> Callable[[], object]:
        async def ask() -> bool:
            return await done() >= rows

        return ask

    for kill in range(1, KILLS + 1):
        process = await begin(database_url, str(team.id), path)
        await wait_until(has_done(ROWS * kill // (KILLS + 2)), "some rows are done", 600)  # type: ignore[arg-type]
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL
        assert await done() < ROWS
    process = await begin(database_url, str(team.id), path)
    peak = 0
    reading = asyncio.create_task(process.communicate())
    while not reading.done():
        peak = max(peak, memory_of(process))
        await asyncio.wait((reading,), timeout=0.1)
    told = msgspec.json.decode((await reading)[0])
    assert process.returncode == 1
    wrong = len(range(0, ROWS, WRONG_EVERY))
    assert (told["status"], told["created"], told["refused"]) == ("done", ROWS - wrong, wrong)
    assert 0 < peak < MEMORY
    async with hub.database.lease() as connection:
        row = await connection.fetchrow(COUNTS, team.id)
        assert row is not None
        assert tuple(row) == (ROWS - wrong, ROWS - wrong, ROWS - wrong, 1, 1)
        lines = await connection.fetch(
            "select line from import_result where team = $1 and outcome = 'refused' order by line", team.id
        )
        waiting = await connection.fetchval("select count(*) from customer_search where team = $1", team.id)
    assert [line[0] for line in lines] == [place + 2 for place in range(0, ROWS, WRONG_EVERY)]
    assert waiting == ROWS - wrong
