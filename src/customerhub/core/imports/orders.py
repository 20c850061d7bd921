"""Use cases of people on imports: stage a file, say how it is read, try it, start it, stop it, see what came of it.

Writes are as all writes: guarded, by a command, answered by `render`; permission is the door's to check.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.core.command import Command
from customerhub.core.guarded import Done, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.imports.forms import FindForm
from customerhub.core.imports.tidying import forget_import
from customerhub.core.standing import check_precondition
from customerhub.model.answer import Answer, Caller
from customerhub.model.error import Conflict, FieldError, HubError, Invalid, NotFound, PreconditionRequired
from customerhub.model.page import Position, Window, created, to_window
from customerhub.store import import_tidying
from customerhub.store import imports as store
from customerhub.store.db import Connection
from customerhub.store.imports import Cells, Counts, FileFormat, Import, MatchBy, Options, Outcome, Result, Row

Render = Callable[[Import], Answer]

MOST_COLUMNS: Final = 1000
# So many rows go to the database at a time, or fewer where they are long: a piece is held in memory.
_PIECE: Final = 500
_PIECE_LENGTH: Final = 4_000_000
_LONGEST_NAME: Final = 255


class Upload(Struct, frozen=True):
    """A file that was read: its columns, its rows in order by their lines, and how they are to be read at first.

    `rows` may raise UnreadableFile in the middle. `digest` is what the same file is known by, `keys` what each of the
    first rows has to find its customer by.
    """

    file_name: str
    format: FileFormat
    columns: tuple[str, ...]
    rows: Iterable[Row]
    options: Options = Options()
    digest: bytes = b""
    keys: tuple[Mapping[MatchBy, str], ...] = ()


class Preview(Struct, frozen=True):
    """An import with its first rows, by the names of its columns."""

    one: Import
    rows: tuple[Row, ...]


async def stage_import(hub: Hub, command: Command, upload: Upload, render: Render) -> Answer:
    """Store a file's rows, to be run later; nothing becomes of them yet. A dry run stores none of them.

    Rows are read in a thread, and written piece by piece before the import can be seen: a killed process leaves rows
    that go by age. Raises Invalid for a file without rows or with too many columns, and what `upload.rows` raises.
    """
    await hub.check_caller(command.caller)
    if not upload.columns or len(upload.columns) > MOST_COLUMNS:
        reason = f"must have from 1 to {MOST_COLUMNS} columns"
        raise Invalid((FieldError(("file",), "columns", reason),))
    one = _to_import(hub, command, upload)
    async with hub.database.lease() as connection:
        await store.insert_import(connection, one)
    try:
        count = await _stage_rows(hub, one, upload.rows)
        if not count:
            raise Invalid((FieldError(("file",), "empty", "has no rows"),))

        async def work(scene: Work) -> Done:
            check_precondition(command.guards, None, is_required=False)
            await store.set_staged(scene.connection, one.team, one.id, count)
            return Done(render(msgspec.structs.replace(one, status="staged", rows=count)))

        answer = await write_guarded(hub, command, work)
    except (HubError, asyncio.CancelledError):
        await _discard(hub, one)
        raise
    async with hub.database.lease() as connection:
        found = await store.find_import(connection, one.team, one.id)
    if found is None:
        # A dry run, or the key has an answer already.
        await _discard(hub, one)
    return answer


def _to_import(hub: Hub, command: Command, upload: Upload) -> Import:
    now = hub.now()
    return Import(
        team=command.caller.team,
        id=hub.new_id(),
        version=1,
        file_name=_to_name(upload.file_name, f"rows.{upload.format}"),
        format=upload.format,
        columns=upload.columns,
        digest=upload.digest,
        options=upload.options,
        status="reading",
        is_trial=False,
        is_kept=True,
        reason=None,
        rows=0,
        position=0,
        counts=Counts(),
        trial=None,
        caller=command.caller,
        created_at=now,
        updated_at=now,
        started_at=None,
        ended_at=None,
    )


def _to_name(told: str, usual: str) -> str:
    """A file's name as it can be kept and shown in a line: clients may send any characters as one."""
    name = "".join(letter if letter.isprintable() else "_" for letter in told.strip())
    return (name or usual)[-_LONGEST_NAME:]


async def _stage_rows(hub: Hub, one: Import, rows: Iterable[Row]) -> int:
    iterator: Iterator[Row] = iter(rows)
    count = 0
    while True:
        piece = await asyncio.to_thread(_take, iterator)
        if not piece:
            return count
        async with hub.database.lease() as connection:
            await store.insert_rows(connection, one.team, one.id, piece)
        count += len(piece)


def _take(rows: Iterator[Row]) -> list[Row]:
    piece: list[Row] = []
    length = 0
    for row in rows:
        piece.append(row)
        length += _measure(row.cells)
        if len(piece) == _PIECE or length >= _PIECE_LENGTH:
            break
    return piece


def _measure(cells: Cells | None) -> int:
    """About how many characters a row has."""
    values: Iterable[object] = cells.values() if isinstance(cells, dict) else cells or ()
    return sum(len(value) if isinstance(value, (str, list, dict)) else 1 for value in values)


async def _discard(hub: Hub, one: Import) -> None:
    await forget_import(hub.database.lease, one.team, one.id)
    async with hub.database.lease() as connection:
        await import_tidying.delete_unseen(connection, one.team, one.id)


async def get_import(hub: Hub, caller: Caller, import_id: UUID | None) -> Import:
    """An import of the team. Raises Unauthenticated, NotFound."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        return await _get(connection, caller.team, import_id)


async def get_preview(hub: Hub, caller: Caller, import_id: UUID | None, limit: int = 20) -> Preview:
    """An import with its first rows, as long as they are kept. Raises Unauthenticated, NotFound."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        one = await _get(connection, caller.team, import_id)
        return Preview(one, tuple(await store.list_rows(connection, one.team, one.id, -1, limit)))


async def list_imports(hub: Hub, caller: Caller, position: Position | None, limit: int) -> Window[Import]:
    """A page of the team's imports, the newest first. Raises Unauthenticated."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        found = await store.list_imports(connection, caller.team, position, limit + 1)
    return to_window(found, position, limit, created)


async def find_unfinished(hub: Hub, caller: Caller, digest: bytes) -> Import | None:
    """The newest import of the same file, begun by the same door, that is not at its end."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        return await store.find_unfinished(connection, caller.team, digest, caller.dialect)


async def get_file_names(hub: Hub, caller: Caller, ids: Sequence[UUID]) -> dict[UUID, str]:
    """What the files of imports were called, also of those that were taken away: for histories."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        return await store.get_names(connection, caller.team, ids)


async def change_options(
    hub: Hub,
    command: Command,
    import_id: UUID | None,
    decide: Callable[[Import], Options],
    find_form: FindForm,
    render: Render,
) -> Answer:
    """Say how the rows of an import are read, as long as none of them was written.

    Raises Invalid for a mapping or a shape that does not hold, Conflict once it was started, NotFound, and what
    `write_guarded` raises.
    """

    async def change(one: Import, scene: Work) -> None:
        _check_status(one, ("staged",), "it was started")
        options = decide(one)
        find_form(msgspec.structs.replace(one, options=options))
        await store.update_options(scene.connection, one, options, hub.now())

    return await _change(hub, command, import_id, change, render)


async def start_import(
    hub: Hub, command: Command, import_id: UUID | None, find_form: FindForm, render: Render, *, is_trial: bool = False
) -> Answer:
    """Let an import be run, by whichever worker comes first; in whose name is the caller's.

    A trial writes nothing but what it found. One that is paused, failed or cancelled goes on where it was, but is not
    tried. Raises Invalid, Conflict for one that is done or that runs, NotFound, what `write_guarded` raises, and
    PreconditionRequired where the caller must name the versions that they change, and rows that may change customers
    name none: only views with the version do that are matched by id.
    """

    async def change(one: Import, scene: Work) -> None:
        _check_status(
            one, ("staged",) if is_trial else ("staged", "paused", "failed", "cancelled"), f"it is {one.status}"
        )
        if not one.is_kept:
            raise Conflict("its rows are not kept any more: send the file again")
        form = find_form(one)
        if scene.requires_precondition and one.options.mode != "create" and not form.names_versions:
            raise PreconditionRequired
        if one.status == "staged":
            await store.begin(scene.connection, one, command.caller, hub.now(), is_trial=is_trial)
        else:
            await store.resume(scene.connection, one, command.caller, hub.now())

    answer = await _change(hub, command, import_id, change, render)
    hub.publisher.announce()
    return answer


async def pause_import(hub: Hub, command: Command, import_id: UUID | None, render: Render) -> Answer:
    """Let an import rest behind the rows that are done; a trial is given up. Raises as `start_import`."""

    async def change(one: Import, scene: Work) -> None:
        _check_status(one, ("running",), f"it is {one.status}")
        await store.set_status(scene.connection, one, "staged" if one.is_trial else "paused", hub.now())

    return await _change(hub, command, import_id, change, render)


async def cancel_import(hub: Hub, command: Command, import_id: UUID | None, render: Render) -> Answer:
    """End an import behind the rows that are done, which stay; a trial is given up. Raises as `start_import`."""

    async def change(one: Import, scene: Work) -> None:
        _check_status(one, ("staged", "running", "paused", "failed"), f"it is {one.status}")
        await store.set_status(scene.connection, one, "staged" if one.is_trial else "cancelled", hub.now())

    return await _change(hub, command, import_id, change, render)


async def delete_import(hub: Hub, command: Command, import_id: UUID | None, render: Render) -> Answer:
    """Take an import away with its rows; what it wrote stays, and the history names its file.

    Raises Conflict while it runs, NotFound, and what `write_guarded` raises.
    """
    removed: list[Import] = []

    async def change(one: Import, scene: Work) -> None:
        _check_status(one, ("staged", "paused", "done", "failed", "cancelled"), "it runs: pause or cancel it first")
        await store.remove(scene.connection, one, hub.now())
        removed[:] = [one]

    answer = await _change(hub, command, import_id, change, render, is_last=True)
    if removed and not command.guards.dry_run:
        await forget_import(hub.database.lease, removed[0].team, removed[0].id)
    return answer


async def list_results(
    hub: Hub,
    caller: Caller,
    import_id: UUID | None,
    *,
    is_trial: bool,
    outcomes: Sequence[Outcome] = store.OUTCOMES,
    behind: tuple[int, int] = (-1, 0),
    limit: int = 100,
) -> list[Result]:
    """What came of rows behind a line and number, in the order of the file; of the last trial, or of the run.

    A row that was refused has one result for each of its errors. Raises Unauthenticated, NotFound.
    """
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        one = await _get(connection, caller.team, import_id)
        return await store.list_results(
            connection, one, is_trial=is_trial, behind=behind, limit=limit, outcomes=outcomes
        )


async def _change(
    hub: Hub,
    command: Command,
    import_id: UUID | None,
    change: Callable[[Import, Work], Awaitable[None]],
    render: Render,
    *,
    is_last: bool = False,
) -> Answer:
    async def work(scene: Work) -> Done:
        team = command.caller.team
        one = await store.hold_import(scene.connection, team, import_id) if import_id is not None else None
        if one is None:
            raise NotFound("import", str(import_id or ""))
        check_precondition(command.guards, one.version, is_required=scene.requires_precondition)
        await change(one, scene)
        after = one if is_last else await store.find_import(scene.connection, team, one.id)
        return Done(render(after or one))

    return await write_guarded(hub, command, work)


async def _get(connection: Connection, team: UUID, import_id: UUID | None) -> Import:
    one = await store.find_import(connection, team, import_id) if import_id is not None else None
    if one is None:
        raise NotFound("import", str(import_id or ""))
    return one


def _check_status(one: Import, allowed: Sequence[str], reason: str) -> None:
    if one.status not in allowed:
        raise Conflict(f"this import cannot do that: {reason}")


def to_cells(cells: Cells | None, columns: Sequence[str]) -> dict[str, object]:
    """A row's cells by the names of the columns; nothing where they are gone."""
    if cells is None:
        return {}
    return dict(cells) if isinstance(cells, dict) else dict(zip(columns, cells, strict=False))
