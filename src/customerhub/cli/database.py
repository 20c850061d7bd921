"""`customerhub migrate`: bring the database to this version's schema."""

import asyncio

import typer

from customerhub.cli.opened import check_usable, open_database
from customerhub.cli.options import Choices, command
from customerhub.cli.output import show
from customerhub.core.duplicates import fill_duplicates
from customerhub.core.search import fill_search
from customerhub.core.system import bring_up
from customerhub.store.db import Database
from customerhub.store.migrate import applied


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    command(app, "migrate")(migrate_database)


def migrate_database(choices: Choices) -> None:
    """Bring the database to this version's schema and say what was done."""
    with open_database(choices.to_settings()) as opened:
        done, version = asyncio.run(migrate_at(opened.settings.session_url, mends_search=True))
    text = "\n".join(f"applied {name}" for name in done) or f"nothing to do: the database is at migration {version}"
    show(choices, {"applied": done, "version": version}, text)


async def migrate_at(url: str, *, mends_search: bool = False) -> tuple[list[str], int]:
    """Apply what is missing; the names of the files, and the number of the newest. Raises Refused, Unavailable.

    Teams of older versions get what comes with every team. `mends_search`: customers that no search finds, or whose
    duplicates are not found, are looked for though nothing was missing, which reads them all.
    """
    database = Database(url, size=1)
    try:
        async with database.lease() as connection:
            await check_usable(connection)
            done = await bring_up(connection)
            if mends_search and not done:
                await fill_search(connection)
                await fill_duplicates(connection)
            return done, await applied(connection)
    finally:
        await database.close()
