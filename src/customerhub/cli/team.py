"""`customerhub team`: make, list and set teams."""

from typing import Annotated

import msgspec
import typer

from customerhub.cli.opened import with_hub
from customerhub.cli.operating import Kept, command_in
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import show, to_lines, to_table
from customerhub.core.admin import change_settings, create_team, get_team, list_teams, to_command
from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.team_settings import get_settings
from customerhub.core.teams import NameProposal, rename_team
from customerhub.model.catalogue import TeamSettings
from customerhub.model.error import FieldError, Invalid
from customerhub.store.access import Team

TEAM = typer.Option("--team", help="Id or name of the team.")
_TEAM = typer.Argument(help="Id or name of the team.")
_NAMES = (*TeamSettings.__struct_fields__, "default_price_list")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    teams = group("Teams: whose customers they are.")
    command(teams, "create")(create)
    command(teams, "list")(list_all)
    command(teams, "show")(show_one)
    command(teams, "set")(set_values)
    command(teams, "rename")(rename)
    app.add_typer(teams, name="team")


def create(choices: Choices, name: Annotated[str, typer.Argument(help="Its name, unique in this hub.")]) -> None:
    """Make a team."""

    async def work(hub: Hub) -> dict[str, object]:
        team = await create_team(hub, name)
        return {"id": team.id, "name": team.name}

    made = with_hub(choices, work)
    show(choices, made, f"made team {made['name']}: {made['id']}")


def list_all(choices: Choices) -> None:
    """List the teams, by name."""
    teams = with_hub(choices, list_teams)
    show(choices, teams, to_table(teams, ("id", "name", "created_at"), "no teams"))


def show_one(choices: Choices, team: Annotated[str, _TEAM]) -> None:
    """Show a team and its settings."""

    async def work(hub: Hub) -> dict[str, object]:
        found = await get_team(hub, team)
        marks = {"id": found.id, "name": found.name, "created_at": found.created_at, "version": found.version}
        return marks | await _get_settings(hub, to_command(found.id))

    found = with_hub(choices, work)
    show(choices, found, to_lines(found))


def rename(
    choices: Choices,
    team: Annotated[str, _TEAM],
    name: Annotated[str, typer.Argument(help="Its new name, unique in this hub.")],
) -> None:
    """Give a team another name."""

    async def work(hub: Hub) -> dict[str, object]:
        order = await command_in(hub, team)
        if not name.strip():
            raise Invalid((FieldError(("name",), "blank", "must not be blank"),))
        kept: Kept[Team] = Kept()
        await rename_team(hub, order, order.caller.team, lambda _: NameProposal(name), kept)
        return {"id": kept.thing.id, "name": kept.thing.name}

    renamed = with_hub(choices, work)
    show(choices, renamed, f"renamed to {renamed['name']}: {renamed['id']}")


def set_values(
    choices: Choices,
    team: Annotated[str, _TEAM],
    values: Annotated[list[str], typer.Argument(metavar="NAME=VALUE…", help=", ".join(_NAMES))],
) -> None:
    """Change a team's settings and show all of them."""
    wanted = dict(map(_to_pair, values))

    async def work(hub: Hub) -> dict[str, object]:
        found = await get_team(hub, team)
        await change_settings(hub, found, wanted)
        return await _get_settings(hub, to_command(found.id))

    settings = with_hub(choices, work)
    show(choices, settings, to_lines(settings))


async def _get_settings(hub: Hub, order: Command) -> dict[str, object]:
    view = await get_settings(hub, order.caller)
    return msgspec.structs.asdict(view.team.settings) | {"default_price_list": view.default_price_list}


def _to_pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE")
    return name.strip(), value.strip()
