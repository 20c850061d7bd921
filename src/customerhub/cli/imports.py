"""`customerhub import`: the rows of a file become customers, or change them; each on its own, and none twice."""

import asyncio
import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, get_args
from uuid import UUID

import msgspec
import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from customerhub.cli.failure import Refused
from customerhub.cli.opened import with_hub
from customerhub.cli.options import Choices, command
from customerhub.cli.output import say, show, to_table
from customerhub.cli.team import TEAM
from customerhub.core.admin import get_team, to_command
from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.imports import orders
from customerhub.core.imports.failed import open_failed_rows
from customerhub.core.imports.keys import settle_key
from customerhub.core.imports.running import run_import
from customerhub.dialects.forms import find_form, open_upload
from customerhub.model.answer import Answer
from customerhub.model.error import Invalid
from customerhub.store.imports import EmptyCells, Import, MatchBy, Mode, Options, Outcome, Result

_DONE: Final = Answer(200)
_COLLECTED_AFTER: Final = 50_000
_SHOWN: Final = 20
_WAIT_SECONDS: Final = 0.5
_CHANGES: Final = ("line", "key", "place", "old", "new")
_COLUMNS: Final = ("line", "key", "column", "code", "reason")


class Order(Struct, frozen=True):
    """What was typed: `options` with what was not typed left to the file."""

    file: Path | None
    team: str
    mapping: Mapping[str, str | None]
    shape: str | None
    match_by: str | None
    mode: str | None
    empty_cells: str | None
    sheet: str | None
    is_trial: bool
    resume: UUID | None
    failed_to: Path | None


class Told(Struct, frozen=True):
    """What came of an import, and the first of its rows that are worth looking at."""

    one: Import
    results: tuple[Result, ...]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "import")(import_file)


def import_file(
    choices: Choices,
    team: Annotated[str, TEAM],
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="CSV, JSON Lines or XLSX.")] = None,
    *,
    maps: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=MEMBER", help="Where a column goes; after = nothing: not read."),
    ] = None,
    mapping: Annotated[Path | None, typer.Option("--mapping", help="A JSON file: columns and their members.")] = None,
    shape: Annotated[
        str | None,
        typer.Option("--shape", help="The API in whose form rows are; empty for mapped columns."),
    ] = None,
    match: Annotated[str | None, typer.Option("--match", help="email, number, reference_id or id.")] = None,
    mode: Annotated[str | None, typer.Option("--mode", help="create, update or both.")] = None,
    empty: Annotated[str | None, typer.Option("--empty", help="What an empty cell does: keep or clear.")] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="The sheet of a workbook; else the first.")] = None,
    resume: Annotated[str | None, typer.Option("--resume", help="The id of an import to go on with.")] = None,
    failed_to: Annotated[
        Path | None, typer.Option("--failed-to", help="Where to put the rows that were refused, ready to mend.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
) -> None:
    """Import a file, row by row; interrupted, the same command goes on. Exit code 1 where rows were refused."""
    order = Order(
        file=file,
        team=team,
        mapping={**_read_mapping(mapping), **dict(_split(one) for one in maps or ())},
        shape=shape,
        match_by=_check("--match", match, get_args(MatchBy)),
        mode=_check("--mode", mode, get_args(Mode)),
        empty_cells=_check("--empty", empty, get_args(EmptyCells)),
        sheet=sheet,
        is_trial=dry_run,
        resume=_to_id(resume),
        failed_to=failed_to,
    )
    if (file is None) == (order.resume is None):
        raise typer.BadParameter("name a file, or an import to go on with")
    if order.shape and order.mapping:
        raise typer.BadParameter("rows in the form of an API have no mapping", param_hint="--shape")
    told = with_hub(choices, lambda hub: _import(hub, order, is_quiet=choices.as_json))
    show(choices, _to_json(told), _to_text(told))
    if told.one.status == "failed":
        raise Refused(f"The import failed: {told.one.reason}.")
    if _counts(told)["refused"]:
        sys.exit(1)


async def _import(hub: Hub, order: Order, *, is_quiet: bool) -> Told:
    team = await get_team(hub, order.team)
    write = to_command(team.id)
    with _collecting_rarely():
        one = await _find_or_stage(hub, write, order)
        try:
            await _start(hub, write, one, order)
            one = await _run(hub, one, write, is_quiet=is_quiet)
        except asyncio.CancelledError:
            await _stop(hub, write, one, order)
            raise
    outcomes: tuple[Outcome, ...] = ("created", "changed", "refused") if order.is_trial else ("refused",)
    results = await orders.list_results(
        hub, write.caller, one.id, is_trial=order.is_trial, outcomes=outcomes, limit=_SHOWN
    )
    if order.failed_to is not None:
        _, pieces = await open_failed_rows(hub, write.caller, one.id, is_trial=order.is_trial)
        order.failed_to.write_bytes(b"".join([piece async for piece in pieces]))
    if order.is_trial:
        await orders.delete_import(hub, write, one.id, _ignore)
    return Told(one, tuple(results))


async def _find_or_stage(hub: Hub, write: Command, order: Order) -> Import:
    """The import to go on with: the one that is named, one of the same file that was begun, or a new one."""
    if order.resume is not None:
        return await orders.get_import(hub, write.caller, order.resume)
    if order.file is None or not order.file.is_file():
        raise Refused(f"There is no file {order.file}.")
    made: list[Import] = []
    # What is mapped is no view, whatever its columns are called.
    shape = "" if order.shape is None and order.mapping else order.shape
    with order.file.open("rb") as file, open_upload(file, order.file.name, sheet=order.sheet, shape=shape) as opened:
        found = await settle_key(hub, write.caller, opened)
        upload = msgspec.structs.replace(found, options=_choose(found.options, order))
        begun = None if order.is_trial else await orders.find_unfinished(hub, write.caller, upload.digest)
        if begun is not None and begun.options == upload.options:
            say(f"goes on with import {begun.id} behind line {begun.position}")
            return begun
        await orders.stage_import(hub, write, upload, _keep(made))
    return made[-1]


def _choose(found: Options, order: Order) -> Options:
    """What was typed before what the file says of itself."""
    chosen = {name: value for name in ("match_by", "mode", "empty_cells") if (value := getattr(order, name))}
    mapping = {**found.mapping, **order.mapping}
    key = order.match_by
    if key is not None and not found.shape and key not in mapping.values():
        # Otherwise each row would make a customer.
        raise Refused(f"No column goes to {key}: say which one holds it, as --map COLUMN={key}.")
    return msgspec.structs.replace(found, mapping=mapping, **chosen)


async def _start(hub: Hub, write: Command, one: Import, order: Order) -> None:
    if one.status == "running":
        return
    try:
        await orders.start_import(hub, write, one.id, find_form, _ignore, is_trial=order.is_trial)
    except Invalid:
        if order.resume is None:
            # It could never be run as it is, and the same command brings it again.
            await orders.delete_import(hub, write, one.id, _ignore)
        raise


async def _run(hub: Hub, one: Import, write: Command, *, is_quiet: bool) -> Import:
    with _progress(one, is_quiet=is_quiet) as tell:
        while True:
            # None where somebody else runs it: a worker, or somebody who was killed, for as long as the claim lasts.
            done = await run_import(hub, one.team, one.id, find_form, tell)
            now = done or await orders.get_import(hub, write.caller, one.id)
            tell(now)
            if now.status != "running":
                return now
            await asyncio.sleep(_WAIT_SECONDS)


async def _stop(hub: Hub, write: Command, one: Import, order: Order) -> None:
    """Let nobody else go on with what somebody has interrupted."""
    if (await orders.get_import(hub, write.caller, one.id)).status == "running":
        await orders.pause_import(hub, write, one.id, _ignore)
    if order.is_trial:
        await orders.delete_import(hub, write, one.id, _ignore)
        say("stopped; nothing was done")
    else:
        say(f"stopped; the same command goes on with it, or --resume {one.id}")


@contextmanager
def _collecting_rarely() -> Iterator[None]:
    """Rows come and go without circles: a collector that looks for some every few rows takes a tenth of the time."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER, 50, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


@contextmanager
def _progress(one: Import, *, is_quiet: bool) -> Iterator[Callable[[Import], None]]:
    """A bar on a terminal."""
    if is_quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    parts = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*parts, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("importing", total=one.rows, completed=one.counts.done)
        yield lambda now: bar.update(task, completed=now.counts.done)


def _to_json(told: Told) -> dict[str, object]:
    one = told.one
    return {"id": one.id, "status": one.status, "rows": one.rows, **_counts(told), "results": told.results}


def _counts(told: Told) -> dict[str, int]:
    one = told.one
    counts = one.trial.counts if one.trial is not None and one.status == "staged" else one.counts
    return {name: getattr(counts, name) for name in ("created", "changed", "equal", "refused")}


def _to_text(told: Told) -> str:
    """One line of counts, what the first rows would change, and the first rows that were refused."""
    counted = ", ".join(f"{count} {name}" for name, count in _counts(told).items())
    trial = " (dry run, nothing was written)" if told.one.status == "staged" else ""
    lines = [f"{told.one.rows} rows of {told.one.file_name}{trial}: {counted}"]
    changes = [row for one in told.results if one.outcome == "changed" for row in _to_change_rows(one)]
    if changes:
        lines += [to_table(changes, _CHANGES, ""), ""]
    refused = [one for one in told.results if one.outcome == "refused"]
    if refused:
        # What no column of the file holds is told by its place in the customer.
        places = [one.column_name or one.pointer or None for one in refused]
        rows = [
            {"line": one.line, "key": one.key, "column": place, "code": one.code, "reason": one.reason}
            for one, place in zip(refused, places, strict=True)
        ]
        lines.append(to_table(rows, _COLUMNS, ""))
    return "\n".join(lines).rstrip("\n")


def _to_change_rows(one: Result) -> Iterator[dict[str, object]]:
    for change in one.changes:
        old, new = (msgspec.json.encode(value).decode() for value in (change.old, change.new))
        yield {"line": one.line, "key": one.key, "place": change.path[1:] or "all of it", "old": old, "new": new}


def _keep(made: list[Import]) -> Callable[[Import], Answer]:
    def render(one: Import) -> Answer:
        made.append(one)
        return _DONE

    return render


def _ignore(_: Import) -> Answer:
    return _DONE


def _split(text: str) -> tuple[str, str | None]:
    column, sign, member = text.rpartition("=")
    if not sign:
        raise typer.BadParameter(f"{text!r} is not COLUMN=MEMBER")
    return column.strip(), member.strip() or None


def _read_mapping(path: Path | None) -> dict[str, str | None]:
    if path is None:
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str | None])
    except (OSError, msgspec.DecodeError) as error:
        raise typer.BadParameter(f"{path}: {error}") from error


def _check(option: str, value: str | None, allowed: tuple[str, ...]) -> str | None:
    if value is not None and value not in allowed:
        raise typer.BadParameter(f"must be one of {', '.join(allowed)}", param_hint=option)
    return value


def _to_id(text: str | None) -> UUID | None:
    try:
        return UUID(text) if text is not None else None
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no UUID") from error
