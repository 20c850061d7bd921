"""Run an import: group by group in the order of the file, the next being decided while one is written.

Whoever runs it has a claim on it that ends by itself. What a group wrote, what came of its rows and the position are
one transaction: a run that is killed goes on where it was, and does no row twice.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import msgspec
import structlog

from customerhub.core.hub import Hub
from customerhub.core.imports.deciding import GROUP_SIZE, Group, Scene, decide_group
from customerhub.core.imports.forms import FindForm
from customerhub.core.imports.items import Item, count
from customerhub.core.imports.minting import Numbers
from customerhub.core.imports.tidying import forget_rows
from customerhub.core.imports.trying import Ancestors
from customerhub.core.imports.writing import write_group
from customerhub.model.error import Busy, HubError, Invalid, NotFound, PreconditionRequired, Unauthenticated
from customerhub.store import bulk, import_tidying
from customerhub.store import imports as store
from customerhub.store.db import Connection
from customerhub.store.imports import Import, Result, Trial

LEASE_SECONDS: Final = 4.0
"""So long after it was killed somebody else goes on with an import."""
_ATTEMPTS: Final = 20
_PAUSE_SECONDS: Final = 0.25
# As the table grows so many times over, the planner is told.
_LEARNING: Final = 5
# So many decided groups wait to be written.
_AHEAD: Final = 1
_SAMPLE: Final = 500
"""So many rows that a trial would create or change are kept, each with what would change; of refused ones all."""

Progress = Callable[[Import], None]


class _Stopped(Exception):
    """No error: the import is another's, or is not to be run any more."""


class _Undo(Exception):
    """No error: takes back what a trial wrote."""


@dataclass
class _Run:
    scene: Scene
    token: UUID
    ancestors: Ancestors | None
    sample: int = 0
    decided: int = 0
    learns_at: int = GROUP_SIZE

    @property
    def one(self) -> Import:
        return self.scene.one


async def run_import(
    hub: Hub, team: UUID, import_id: UUID, find_form: FindForm, on_progress: Progress | None = None
) -> Import | None:
    """Run an import that was started until it is done, or somebody stops it; as it is then.

    None where somebody else runs it, or it is not to be run. Where whoever started it may not write any more, or its
    mapping does not hold, it has failed, with the reason. Raises Unavailable, and Busy where others hold what it needs
    for long: it is still to be run then.
    """
    token = uuid4()
    async with hub.database.lease() as connection:
        if not await store.claim(connection, team, import_id, token, LEASE_SECONDS):
            return None
        one = await store.find_import(connection, team, import_id)
    if one is None:
        return None
    try:
        await _run(hub, one, token, find_form, on_progress)
    except _Stopped:
        pass
    except (Unauthenticated, Invalid, NotFound, PreconditionRequired) as error:
        await _end(hub, one, token, error)
    finally:
        with suppress(HubError):
            async with hub.database.lease() as connection:
                await store.release(connection, team, import_id, token)
    async with hub.database.lease() as connection:
        return await store.find_import(connection, team, import_id)


async def _run(hub: Hub, one: Import, token: UUID, find_form: FindForm, on_progress: Progress | None) -> None:
    if one.is_trial:
        # What a trial has seen is in the memory of who ran it: the next begins anew.
        one = await _restart_trial(hub, one, token)
    scene = Scene(hub, one, find_form(one), Numbers(hub, one))
    run = _Run(scene, token, Ancestors() if one.is_trial else None)
    ahead = _Ahead(run)
    try:
        while (group := await ahead.take()).items:
            await _write(run, group)
            ahead.settle()
            hub.publisher.wake()
            if on_progress is not None:
                async with hub.database.lease() as connection:
                    now = await store.find_import(connection, one.team, one.id)
                if now is not None:
                    on_progress(now)
    finally:
        await ahead.stop()
    await _finish(hub, one, token)


class _Ahead:
    """Decides groups while those before them are being written: a few, so that neither side waits for the other."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._unwritten: deque[Group] = deque()
        self._decided: asyncio.Queue[Group] = asyncio.Queue(_AHEAD)
        self._task = asyncio.create_task(self._decide())

    async def _decide(self) -> None:
        behind = self._run.one.position
        while True:
            # Of whatever is written meanwhile too: that makes rows careful that need not be, and none bold that must.
            busy = set[tuple[str, object]]().union(*(group.claims for group in self._unwritten))
            group = await _next(self._run, behind, busy)
            self._unwritten.append(group)
            await self._decided.put(group)
            if not group.items:
                return
            behind = group.last_line

    async def take(self) -> Group:
        """The next one, without rows where there are no more. Raises what deciding it raised."""
        coming = asyncio.create_task(self._decided.get())
        try:
            await asyncio.wait((coming, self._task), return_when=asyncio.FIRST_COMPLETED)
            if not coming.done() and self._decided.empty():
                self._task.result()
            return await coming
        finally:
            coming.cancel()

    def settle(self) -> None:
        """The one that was taken last is written."""
        self._unwritten.popleft()

    async def stop(self) -> None:
        """No more of it."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def _next(run: _Run, behind: int, busy: set[tuple[str, object]]) -> Group:
    """The rows behind a line, decided; of a trial with those before them that have a say in it."""
    scene = run.scene
    async with scene.hub.database.lease() as connection:
        rows = await store.list_rows(connection, run.one.team, run.one.id, behind, GROUP_SIZE)
        if run.decided >= run.learns_at and not run.one.is_trial:
            run.learns_at *= _LEARNING
            await bulk.learn(connection)
    run.decided += len(rows)
    return await decide_group(scene, rows, behind, busy)


async def _write(run: _Run, group: Group) -> None:
    """One group, again and again while others hold what it needs. Raises Busy, _Stopped."""
    for attempt in range(_ATTEMPTS):
        try:
            if run.ancestors is None:
                await _write_once(run, group)
            else:
                await _try_once(run, group)
        except Busy:
            if attempt == _ATTEMPTS - 1:
                raise
            for item in group.items:
                item.forget()
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return


async def _write_once(run: _Run, group: Group) -> None:
    one = run.one
    async with run.scene.hub.database.transaction() as connection:
        await _hold(run, connection, group)
        await write_group(run.scene, connection, group)
        results = [result for item in group.items for result in to_kept(item)]
        await store.insert_results(connection, one.team, one.id, results, is_trial=False)
        await _advance(run, connection, group)


async def _try_once(run: _Run, group: Group) -> None:
    """The same, taken back; rows before these that have a say in them are done once more, before them."""
    one, scene, ancestors = run.one, run.scene, run.ancestors
    assert ancestors is not None  # noqa: S101 - a trial has them
    await ancestors.join(scene, group)
    with suppress(_Undo):
        async with scene.hub.database.transaction() as connection:
            await _hold(run, connection, group)
            await write_group(scene, connection, group)
            raise _Undo
    ancestors.note(group)
    async with scene.hub.database.transaction() as connection:
        await _hold(run, connection, group)
        await store.insert_results(connection, one.team, one.id, _to_sample(run, group), is_trial=True)
        await _advance(run, connection, group)


def to_kept(item: Item) -> tuple[Result, ...]:
    """What is kept of a row that was done: the history says what changed."""
    return tuple(msgspec.structs.replace(one, changes=()) if one.changes else one for one in item.results)


def _to_sample(run: _Run, group: Group) -> list[Result]:
    """All that was refused, and the first of what would be written, each with what changes."""
    kept: list[Result] = []
    for item in group.items:
        if item.is_extra or item.results[0].outcome == "equal":
            continue
        if item.results[0].outcome != "refused":
            if run.sample == _SAMPLE:
                continue
            run.sample += 1
        kept += item.results
    return kept


async def _hold(run: _Run, connection: Connection, group: Group) -> None:
    """Go on holding the import, where this is the next group of it. Raises _Stopped."""
    one = run.one
    if await store.renew(connection, one.team, one.id, run.token, LEASE_SECONDS) != group.behind:
        raise _Stopped


async def _advance(run: _Run, connection: Connection, group: Group) -> None:
    one, now = run.one, run.scene.hub.now()
    await store.advance(connection, one.team, one.id, group.last_line, count(group.items), now)


async def _restart_trial(hub: Hub, one: Import, token: UUID) -> Import:
    async with hub.database.lease() as connection:
        while await import_tidying.forget_results(connection, one.team, one.id, is_trial=True):
            pass
    async with hub.database.transaction() as connection:
        if await store.renew(connection, one.team, one.id, token, LEASE_SECONDS) is None:
            raise _Stopped
        await store.restart(connection, one.team, one.id)
        found = await store.find_import(connection, one.team, one.id)
    if found is None:
        raise _Stopped
    return found


async def _finish(hub: Hub, one: Import, token: UUID) -> None:
    """All rows are done: rows that were refused stay, to be mended."""
    if not one.is_trial:
        await forget_rows(hub.database.lease, one.team, one.id, keeps_refused=True)
    async with hub.database.transaction() as connection:
        if await store.renew(connection, one.team, one.id, token, LEASE_SECONDS) is None:
            raise _Stopped
        found = await store.find_import(connection, one.team, one.id)
        if found is None:
            raise _Stopped
        if one.is_trial:
            await store.end_trial(connection, one, Trial(hub.now(), found.counts))
        else:
            await store.set_status(connection, one, "done", hub.now())


async def _end(hub: Hub, one: Import, token: UUID, error: HubError) -> None:
    structlog.get_logger().warning("import failed", id=str(one.id), cause=type(error).__name__)
    async with hub.database.transaction() as connection:
        if await store.renew(connection, one.team, one.id, token, LEASE_SECONDS) is not None:
            await store.set_status(connection, one, "failed", hub.now(), to_reason(error))


async def fail_import(hub: Hub, team: UUID, import_id: UUID, reason: str) -> None:
    """End an import that cannot go on, with the reason."""
    async with hub.database.transaction() as connection:
        one = await store.hold_import(connection, team, import_id)
        if one is not None and one.status == "running":
            await store.set_status(connection, one, "failed", hub.now(), reason)


def to_reason(error: HubError) -> str:
    """Why an import cannot go on, for people."""
    if isinstance(error, Unauthenticated):
        told = "the key was revoked, or the member disabled" if error.cause == "revoked" else str(error)
        return f"who started it may write no more: {told}"
    if isinstance(error, PreconditionRequired):
        return "who started it may change customers only by naming their versions, and its rows name none"
    return str(error)
