"""`customerhub backup`: all of a hub in one file, as one moment has it, while the hub goes on."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import msgspec
import typer

from customerhub.app import create_hub
from customerhub.cli.failure import Refused
from customerhub.cli.files import STANDARD, Target, written
from customerhub.cli.opened import check_usable, is_new, open_database, to_direct
from customerhub.cli.options import Choices, command
from customerhub.cli.output import say, show
from customerhub.core.backup import Backup, count_expected_rows, save_backup
from customerhub.core.hub import Hub
from customerhub.settings import Settings

_MEGABYTE: Final = 1_000_000


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "backup")(backup)


def backup(
    choices: Choices,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Where to, in the place of an older one; - for a pipe.")],
) -> None:
    """Save all that a hub holds into one file, while it goes on; `restore` fills an empty hub with it."""
    settings = choices.to_settings()
    if file == STANDARD and (choices.as_json or sys.stdout.isatty()):
        raise typer.BadParameter("standard output gets the backup: give it to a pipe, and leave --json out")
    if not settings.database_url and is_new(settings.data_dir.expanduser().absolute()):
        raise Refused(f"There is no hub in {settings.data_dir}: nothing was saved.")
    with written(file) as target, open_database(to_direct(settings)) as opened:
        saved = asyncio.run(_save(opened.settings, target, is_quiet=choices.as_json))
    text = to_text("saved", saved, f"{target.size / _MEGABYTE:.1f} MB, to {file}")
    if file == STANDARD:
        say(text)
    else:
        show(choices, {"file": file, "bytes": target.size, **msgspec.to_builtins(saved)}, text)


def to_text(what: str, done: Backup, more: str) -> str:
    """What was saved or restored, for whoever has to know which key it needs."""
    text = f"{what} {sum(done.rows.values()):,} rows of {len(done.rows)} tables, {more}"
    if not done.secret_keys:
        return text
    keys = ", ".join(done.secret_keys)
    return f"{text}\nSecrets in it are encrypted with the secret key {keys}, which is not in it: keep both."


async def _save(settings: Settings, target: Target, *, is_quiet: bool) -> Backup:
    hub = create_hub(settings)
    try:
        async with hub.database.lease() as connection:
            await check_usable(connection)
        with _progress(await _count(hub, is_quiet=is_quiet)) as tell:
            return await save_backup(hub, target.write, tell)
    finally:
        await hub.close()


async def _count(hub: Hub, *, is_quiet: bool) -> int:
    return 0 if is_quiet or not sys.stderr.isatty() else await count_expected_rows(hub)


@contextmanager
def _progress(expected: int) -> Iterator[Callable[[str, int], None]]:
    """A bar on a terminal, as long as the rows that are expected."""
    if not expected:
        yield lambda _table, _rows: None
        return
    with typer.progressbar(length=expected, label="saving", file=sys.stderr) as bar:
        before = ("", 0)

        def tell(table: str, rows: int) -> None:
            nonlocal before
            bar.update(rows - before[1] if table == before[0] else rows)
            before = (table, rows)

        yield tell
