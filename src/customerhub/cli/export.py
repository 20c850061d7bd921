"""`customerhub export`: a team's customers in one file, as CSV or JSON Lines, as one moment has them."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from customerhub.cli.files import STANDARD, Target, written
from customerhub.cli.opened import with_hub
from customerhub.cli.operating import command_in, to_id
from customerhub.cli.options import Choices, command
from customerhub.cli.output import say, show
from customerhub.cli.team import TEAM
from customerhub.core.exports import (
    LEFT_OUT,
    CustomerFilter,
    ExportOrder,
    Format,
    View,
    count_customers,
    export_customers,
)
from customerhub.core.hub import Hub
from customerhub.dialects.views import find_canonical_view, find_views
from customerhub.model.answer import Caller
from customerhub.model.customer import Status, email_key


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "export")(export)


def export(
    choices: Choices,
    team: Annotated[str, TEAM],
    *,
    file: Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Where to; - for a pipe.")] = STANDARD,
    form: Annotated[Format, typer.Option("--format", help="csv, or jsonl: an object a line.")] = "csv",
    shape: Annotated[str | None, typer.Option("--shape", help="The API in whose words, by its name.")] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="A time: customers as they were then.")] = None,
    fields: Annotated[str | None, typer.Option("--fields", help="Columns, by name, with commas.")] = None,
    text: Annotated[str | None, typer.Option("--search", help="A part of name, number, email or phone.")] = None,
    status: Annotated[Status | None, typer.Option("--status", help="active or inactive.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="In any case of letters.")] = None,
    created_since: Annotated[str | None, typer.Option("--created-since", help="A time, included.")] = None,
    updated_since: Annotated[str | None, typer.Option("--updated-since", help="A time, included.")] = None,
    ids: Annotated[list[str] | None, typer.Option("--id", help="Id of a customer; repeatable.")] = None,
) -> None:
    """Write a team's customers into one file, while the hub goes on; a file is there when it is whole."""
    if choices.as_json and file == STANDARD:
        raise typer.BadParameter("standard output gets the export: name a file with -o, or leave --json out")
    chosen = CustomerFilter(
        status=status,
        email_key=email_key(email),
        text=text,
        created_from=_to_time(created_since),
        updated_from=_to_time(updated_since),
        ids=tuple(to_id(one, "customer") for one in ids) if ids else None,
    )
    names = tuple(dict.fromkeys(name.strip() for name in fields.split(","))) if fields is not None else None
    order = ExportOrder(_find_view(shape), form, chosen, _to_time(as_of), names)
    order.check()

    async def work(hub: Hub) -> _Told:
        caller = (await command_in(hub, team)).caller
        with written(file) as target, _progress(await _count(hub, caller, order, choices)) as tell:
            told = _Told(target)
            told.count = await export_customers(hub, caller, order, told, tell)
        return told

    told = with_hub(choices, work)
    done = f"exported {told.count:,} customers" + (
        f"; {told.left_out:,} are left out, since nobody knows any more what they were then" if told.left_out else ""
    )
    if file == STANDARD:
        say(done)
    else:
        answer = {"file": file, "customers": told.count, "left_out": told.left_out}
        show(choices, answer, f"{done}, to {file}")


class _Told:
    """Where an export goes from here, and what was told of it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.count = self.left_out = 0

    def add_header(self, name: str, value: str) -> None:
        """Of all that may be told only how many are missing concerns a file."""
        if name == LEFT_OUT:
            self.left_out = int(value)

    async def write(self, piece: bytes) -> None:
        """On to the file. Raises Refused."""
        self._target.write(piece)


def _find_view(name: str | None) -> View:
    view = find_views().get(name) if name is not None else find_canonical_view()
    if view is None:
        known = ", ".join(find_views())
        raise typer.BadParameter(f"{name or 'the canonical shape'} is no shape; there are {known}")
    return view


def _to_time(text: str | None) -> datetime | None:
    """A time; without a zone it is UTC."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r} is no time, such as 2026-03-02T15:04:05Z") from error


async def _count(hub: Hub, caller: Caller, order: ExportOrder, choices: Choices) -> int:
    if choices.as_json or not sys.stderr.isatty():
        return 0
    return await count_customers(hub, caller, order.filter)


@contextmanager
def _progress(expected: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, as long as the customers that are expected."""
    if not expected:
        yield lambda _: None
        return
    columns = (TextColumn("exporting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("exporting", total=expected)
        yield lambda count: progress.advance(task, count)
