"""`customerhub restore`: an empty hub filled with a backup, whichever PostgreSQL either of them is on."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Annotated

import msgspec
import typer

from customerhub.app import create_hub
from customerhub.cli.backup import to_text
from customerhub.cli.files import STANDARD, Source
from customerhub.cli.opened import OpenDatabase, check_usable, open_database, to_direct
from customerhub.cli.options import Choices, command
from customerhub.cli.output import show
from customerhub.core.backup import Backup, load_backup
from customerhub.core.sandbox import tell_servers


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "restore")(restore)


def restore(
    choices: Choices,
    file: Annotated[str, typer.Argument(metavar="FILE", help="What `backup` has made; - is standard input.")],
) -> None:
    """Fill an empty hub with a backup: a new data directory, or an empty database. All of it, or nothing."""
    settings = choices.to_settings()
    if file == STANDARD and sys.stdin.isatty():
        raise typer.BadParameter("standard input is to be the backup, and it is a terminal")
    with closing(Source(file)) as source, open_database(to_direct(settings)) as opened:
        is_quiet = choices.as_json or not sys.stderr.isatty()
        loaded = asyncio.run(_load(opened, source.pieces() if is_quiet else _with_bar(source)))
    text = to_text("restored", loaded, f"as they were at {loaded.saved_at.isoformat(timespec='seconds')}")
    show(choices, {"file": file, **msgspec.to_builtins(loaded)}, text)


async def _load(opened: OpenDatabase, pieces: Iterator[bytes]) -> Backup:
    hub = create_hub(opened.settings)
    try:
        async with hub.database.lease() as connection:
            await check_usable(connection)
        loaded = await load_backup(hub, pieces)
        if opened.settings.sandbox:
            tell_servers(opened.settings.data_dir)
        return loaded
    finally:
        await hub.close()


def _with_bar(source: Source) -> Iterator[bytes]:
    """The pieces of the file, with a bar as long as it; indexes are made after its end."""
    if source.size is None:
        yield from source.pieces()
        return
    with typer.progressbar(length=source.size, label="restoring", file=sys.stderr) as bar:
        for piece in source.pieces():
            yield piece
            bar.update(len(piece))
