"""Imports are run by whoever works: beside a server or alone, once, and on by the next where one is killed or stops."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from customerhub.core.hub import Hub
from customerhub.core.imports import orders, running
from customerhub.core.imports.running import run_import
from customerhub.dialects.forms import find_form
from customerhub.store import imports as store
from customerhub.store.imports import Counts, Import, ImportStatus
from customerhub.worker import imports as work
from customerhub.worker.imports import Importer
from customerhub.worker.run import Worker
from tests.support.imports import Files
from tests.support.office import make_office
from tests.support.process import running_worker
from tests.support.waiting import wait_until

ROWS = 40
ONCE = """
select count(*), count(distinct number), count(distinct name), max(version) from customer
where team = $1 and deleted_at is null
"""


@pytest.fixture
async def files(hub: Hub) -> AsyncIterator[Files]:
    """Somebody of a team who has files."""
    async with make_office(hub) as office:
        yield Files(office)


async def start(files: Files, rows: int = ROWS) -> Import:
    """An import that is to be run."""
    one = await files.stage([(f"Aster {place}",) for place in range(rows)])
    await files.start(one)
    return one


async def now(files: Files, one: Import) -> Import:
    """How far it is."""
    return await orders.get_import(files.office.hub, files.office.caller, one.id)


async def wait_for(files: Files, one: Import, status: ImportStatus = "done", rows: int = 0) -> Import:
    """Until it stands so, with so many rows done."""

    async def stands() -> bool:
        found = await now(files, one)
        return found.status == status and found.counts.done >= rows

    await wait_until(stands, f"the import is {status}", 20)
    return await now(files, one)


async def check_once(files: Files, rows: int = ROWS) -> None:
    """Each row made one customer, and none is missing."""
    async with files.office.hub.database.lease() as connection:
        row = await connection.fetchrow(ONCE, files.office.team.id)
    assert row is not None
    assert tuple(row) == (rows, rows, rows, 1)


async def test_a_worker_runs_what_is_started(files: Files) -> None:
    """Beside a server, told by a hint."""
    worker = Worker(files.office.hub)
    worker.start()
    try:
        one = await start(files)
        done = await wait_for(files, one)
    finally:
        await worker.close()
    assert done.counts == Counts(ROWS, ROWS, 0, 0, 0)
    await check_once(files)


async def test_a_process_that_only_works_runs_it(files: Files, database_url: str, tmp_path: Path) -> None:
    """Also what was started before it was there."""
    one = await start(files)
    async with running_worker(tmp_path / "work.log", database_url):
        done = await wait_for(files, one)
    assert done.counts == Counts(ROWS, ROWS, 0, 0, 0)
    await check_once(files)


class _Killed(BaseException):
    """kill -9: nothing is tidied up behind it."""


async def test_what_a_killed_worker_had_is_taken_over(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not before its claim ends, and then by one; each row is done once."""
    monkeypatch.setattr(running, "GROUP_SIZE", 4)
    monkeypatch.setattr(running, "LEASE_SECONDS", 1.0)

    async def nothing(*_: object) -> None:
        """The dead release no claim."""

    def kill(_: Import) -> None:
        raise _Killed

    hub = files.office.hub
    one = await start(files)
    with monkeypatch.context() as killing:
        killing.setattr(store, "release", nothing)
        with pytest.raises(_Killed):
            await run_import(hub, one.team, one.id, find_form, kill)
    assert await run_import(hub, one.team, one.id, find_form) is None
    left = await now(files, one)
    assert (left.status, left.counts.done) == ("running", 4)
    importers = [Importer(hub), Importer(hub)]
    for importer in importers:
        importer.start()
    try:
        done = await wait_for(files, one)
    finally:
        for importer in importers:
            await importer.close()
    assert done.counts == Counts(ROWS, ROWS, 0, 0, 0)
    await check_once(files)


async def test_whoever_stops_leaves_it_to_the_next(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once: it does not wait for the claim of who has stopped."""
    monkeypatch.setattr(running, "GROUP_SIZE", 2)
    importer = Importer(files.office.hub)
    importer.start()
    try:
        one = await start(files)
        await wait_for(files, one, "running", 2)
    finally:
        await importer.close()
    assert (await now(files, one)).status == "running"
    async with asyncio.timeout(10):
        done = await files.again(one)
    assert (done.status, done.counts) == ("done", Counts(ROWS, ROWS, 0, 0, 0))
    await check_once(files)


async def test_a_fault_of_ours_ends_one_import_alone(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has failed and says so, nothing of it is half there, and the next is run."""
    broken, sound = await start(files), await start(files)

    def find(one: Import) -> Any:  # Any: a form
        if one.id == broken.id:
            raise RuntimeError
        return find_form(one)

    monkeypatch.setattr(work, "find_form", find)
    importer = Importer(files.office.hub)
    importer.start()
    try:
        failed = await wait_for(files, broken, "failed")
        await wait_for(files, sound)
    finally:
        await importer.close()
    assert (failed.reason, failed.counts) == ("a fault of the hub: its log says which", Counts())
    await check_once(files)
    done = await files.run(failed)
    assert done.counts == Counts(ROWS, ROWS, 0, 0, 0)
