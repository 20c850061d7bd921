"""`customerhub user`: members of teams; sales reps are users, and with a password they can sign in."""

import sys
from typing import Annotated

import msgspec
import typer

from customerhub.cli.failure import Refused
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import show, to_table
from customerhub.cli.session import with_hub
from customerhub.cli.team import TEAM
from customerhub.core.admin import NewUser, create_user, get_team
from customerhub.core.hub import Hub
from customerhub.model.catalogue import User
from customerhub.store.catalogue import get_snapshot

_SHOWN = ("id", "email", "first_name", "last_name", "phone", "department", "status", "can_sign_in")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    users = group("Users: members of a team, such as its sales reps.")
    command(users, "create")(create)
    command(users, "list")(list_all)
    app.add_typer(users, name="user")


def create(
    choices: Choices,
    team: Annotated[str, TEAM],
    email: Annotated[str, typer.Option("--email", help="Unique in the team; with a password, in this hub.")],
    first_name: Annotated[str, typer.Option("--first-name", help="First name.")],
    last_name: Annotated[str, typer.Option("--last-name", help="Last name.")],
    password: Annotated[str | None, typer.Option("--password", help="Lets them sign in; others may see it.")] = None,
    *,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read a password from a line.")] = False,
    phone: Annotated[str | None, typer.Option("--phone", help="Telephone number.")] = None,
    department: Annotated[str | None, typer.Option("--department", help="Department.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="An administrator of the team.")] = False,
) -> None:
    """Make a user."""
    if password is not None and password_stdin:
        raise typer.BadParameter("give --password or --password-stdin, not both")
    secret = _read_password() if password_stdin else password
    if secret == "":
        raise Refused("The password is empty.")
    new = NewUser(
        email=email.strip(),
        first_name=first_name,
        last_name=last_name,
        password=secret,
        phone=phone,
        department=department,
        role="admin" if admin else "member",
    )

    async def work(hub: Hub) -> dict[str, object]:
        return _to_shown(await create_user(hub, await get_team(hub, team), new))

    made = with_hub(choices, work)
    show(choices, made, f"made user {made['email']}: {made['id']}")


def list_all(choices: Choices, team: Annotated[str, TEAM]) -> None:
    """List a team's users, by name."""

    async def work(hub: Hub) -> list[dict[str, object]]:
        users = await list_users(hub, team)
        return [_to_shown(user) for user in sorted(users, key=lambda user: (user.last_name, user.first_name, user.id))]

    users = with_hub(choices, work)
    show(choices, users, to_table(users, _SHOWN, "no users"))


async def list_users(hub: Hub, team: str) -> tuple[User, ...]:
    """The users of a team, in no order; raises NotFound."""
    found = await get_team(hub, team)
    async with hub.database.lease() as connection:
        return (await get_snapshot(connection, found.id)).users()


def _read_password() -> str:
    """The first line of standard input; raises Refused where there is none."""
    line = sys.stdin.readline()
    if not line:
        raise Refused("There is no password on standard input.")
    return line.rstrip("\r\n")


def _to_shown(user: User) -> dict[str, object]:
    values = msgspec.structs.asdict(user) | {"can_sign_in": user.login is not None}
    return {name: values[name] for name in _SHOWN}
