"""`customerhub team`: make, list and set teams."""

from typing import Annotated

import typer

from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import show, to_lines, to_table
from customerhub.cli.session import with_hub
from customerhub.core.admin import change_settings, create_team, get_team, list_teams
from customerhub.core.hub import Hub
from customerhub.model.catalogue import TeamSettings

TEAM = typer.Option("--team", help="Id or name of the team.")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    teams = group("Teams: whose customers they are.")
    command(teams, "create")(create)
    command(teams, "list")(list_all)
    command(teams, "set")(set_values)
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


def set_values(
    choices: Choices,
    team: Annotated[str, typer.Argument(help="Id or name of the team.")],
    values: Annotated[list[str], typer.Argument(metavar="NAME=VALUE…", help=", ".join(TeamSettings.__struct_fields__))],
) -> None:
    """Change a team's settings and show all of them."""
    wanted = dict(map(_to_pair, values))

    async def work(hub: Hub) -> dict[str, object]:
        settings = await change_settings(hub, await get_team(hub, team), wanted)
        return {name: getattr(settings, name) for name in settings.__struct_fields__}

    settings = with_hub(choices, work)
    show(choices, settings, to_lines(settings))


def _to_pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE")
    return name.strip(), value.strip()
