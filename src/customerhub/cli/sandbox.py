"""`customerhub reset` and `customerhub fixture`: put a sandbox's data back, or save it to put it back later."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from customerhub.cli.failure import Refused
from customerhub.cli.opened import OpenDatabase, with_hub
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import show, to_table
from customerhub.core import fixtures
from customerhub.core.admin import list_teams
from customerhub.core.fixtures import START, Fixture
from customerhub.core.hub import Hub
from customerhub.core.sandbox import Marker, find_marker, put_marker
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.store.migrate import applied

T = TypeVar("T")

_NAME = typer.Argument(metavar="NAME", help="Letters, digits, - and _.")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    command(app, "reset")(reset)
    saved = group("Fixtures: states of a sandbox under names.")
    command(saved, "save")(save)
    command(saved, "load")(load)
    command(saved, "list")(list_all)
    app.add_typer(saved, name="fixture")


def reset(
    choices: Choices,
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="A fixture to go back to instead.")] = START,
) -> None:
    """Put all data of a sandbox back to its start; a server that runs on it goes on with that."""
    load(choices, name)


def save(choices: Choices, name: Annotated[str, _NAME]) -> None:
    """Save the present data of a sandbox; `start` is what a reset goes back to."""

    async def work(hub: Hub) -> Fixture:
        return await fixtures.save_fixture(hub, name)

    saved = _with_sandbox(choices, work)
    show(choices, _to_row(saved), f"saved {_to_text(saved)}")


def load(choices: Choices, name: Annotated[str, _NAME]) -> None:
    """Put the data of a fixture in the place of all that the sandbox has."""

    async def work(hub: Hub) -> Fixture:
        return await fixtures.load_fixture(hub, name)

    loaded = _with_sandbox(choices, work)
    show(choices, _to_row(loaded), f"loaded {_to_text(loaded)}")


def list_all(choices: Choices) -> None:
    """List the fixtures of a sandbox, by name."""

    async def work(hub: Hub) -> list[dict[str, object]]:
        return [_to_row(one) for one in fixtures.list_fixtures(hub)]

    rows = _with_sandbox(choices, work)
    show(choices, rows, to_table(rows, ("name", "teams", "customers", "saved_at"), "no fixtures"))


def _to_row(fixture: Fixture) -> dict[str, object]:
    teams, customers = (fixture.rows.get(table, 0) for table in ("team", "customer"))
    return {"name": fixture.name, "teams": teams, "customers": customers, "saved_at": fixture.saved_at}


def _to_text(fixture: Fixture) -> str:
    counts = (_to_count(fixture.rows.get(table, 0), table) for table in ("team", "customer"))
    return f"{fixture.name}: {', '.join(counts)}"


def _to_count(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _with_sandbox(choices: Choices, work: Callable[[Hub], Awaitable[T]]) -> T:
    """Run a use case on a sandbox; Refused everywhere else, before anything is started."""
    directory = to_place(choices, choices.to_settings())
    if find_marker(directory) is None:
        raise Refused(f"{directory} is no sandbox: `customerhub serve --sandbox` makes one.")
    choices.chosen["data_dir"] = directory
    return with_hub(choices, work)


def to_place(choices: Choices, settings: Settings) -> Path:
    """The directory of the sandbox that is meant, absolute. Raises Refused for a sandbox on an external database."""
    if settings.database_url:
        raise Refused("A sandbox keeps its database in a directory of its own: leave out the database URL.")
    chosen = choices.chosen.get("data_dir")
    place = chosen if isinstance(chosen, Path) else settings.sandbox_dir
    return place.expanduser().absolute()


def to_served(choices: Choices, settings: Settings) -> Settings:
    """The settings to serve with: a sandbox has a place of its own. Raises Refused for what does not go together."""
    if not settings.sandbox:
        if settings.seed is not None:
            raise Refused("A seed is for a sandbox: add --sandbox.")
        return settings
    if settings.seed is not None and settings.workers > 1:
        raise Refused("A seed is for one process: leave out --workers.")
    return settings.model_copy(update={"data_dir": to_place(choices, settings)})


def claim(wanted: Settings, opened: OpenDatabase) -> Settings:
    """Make the opened directory a sandbox where that is wanted, and be sure that it is none where it is not.

    Raises Refused for a hub that was made as the other of the two.
    """
    if opened.cluster is None:
        return opened.settings
    directory = opened.cluster.data_directory
    marker = find_marker(directory)
    if not wanted.sandbox:
        if marker is not None:
            raise Refused(f"{directory} is a sandbox: serve it with --sandbox.")
        return opened.settings
    if marker is None and asyncio.run(_holds_a_hub(opened.settings.database_url)):
        raise Refused(f"{directory} is no sandbox but a hub's own: name another directory with --data-dir.")
    put_marker(directory, Marker(wanted.seed))
    return opened.settings.model_copy(update={"sandbox": True, "seed": wanted.seed})


async def _holds_a_hub(url: str) -> bool:
    database = Database(url, size=1)
    try:
        async with database.lease() as connection:
            return await applied(connection) > 0
    finally:
        await database.close()


async def keep_start(hub: Hub, teams_before: int) -> None:
    """Save the start of a sandbox: when it is new, and when starting has made a team."""
    if fixtures.find_fixture(hub, START) is None or len(await list_teams(hub)) > teams_before:
        await fixtures.save_fixture(hub, START)
