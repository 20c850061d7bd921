"""`customerhub user`: members of teams; sales reps are users, and with a password they can sign in."""

import sys
from collections.abc import Mapping
from typing import Annotated

import msgspec
import typer

from customerhub.cli.failure import Refused
from customerhub.cli.opened import with_hub
from customerhub.cli.operating import Kept, command_in, find_user, to_id
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import say, show, to_lines, to_table
from customerhub.cli.team import TEAM
from customerhub.core import members
from customerhub.core.admin import NewUser, create_user, get_team
from customerhub.core.hub import Hub
from customerhub.core.members import PasswordProposal, values_of
from customerhub.core.users import UserProposal
from customerhub.model.catalogue import User
from customerhub.model.customer import Status
from customerhub.store.catalogue import get_snapshot

_SHOWN = ("id", "email", "first_name", "last_name", "phone", "department", "role", "status", "can_sign_in")
_VALUES = ("first_name", "last_name", "email", "username", "phone", "department", "role", "access_role")
_USER = typer.Argument(metavar="USER", help="Id or email of the user.")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    users = group("Users: members of a team, such as its sales reps.")
    command(users, "create")(create)
    command(users, "list")(list_all)
    command(users, "update")(update)
    command(users, "disable")(disable)
    command(users, "enable")(enable)
    command(users, "reset-password")(give_password)
    command(users, "end-sessions")(end)
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


def update(
    choices: Choices,
    user: Annotated[str, _USER],
    team: Annotated[str, TEAM],
    values: Annotated[list[str], typer.Argument(metavar="NAME=VALUE…", help=f"{', '.join(_VALUES)}; empty is none.")],
) -> None:
    """Change a user; what is not named stays."""
    wanted = dict(map(_to_pair, values))

    async def work(hub: Hub) -> dict[str, object]:
        order = await command_in(hub, team)
        found = await find_user(hub, order, user)

        def decide(before: User) -> UserProposal:
            return UserProposal(msgspec.structs.replace(values_of(before), **_to_values(wanted)))

        kept: Kept[User] = Kept()
        await members.update_user(hub, order, found.id, lambda before, _: decide(before), kept)
        return _to_shown(kept.thing)

    shown = with_hub(choices, work)
    show(choices, shown, to_lines(shown))


def disable(choices: Choices, user: Annotated[str, _USER], team: Annotated[str, TEAM]) -> None:
    """Disable a user: sessions and the power of the user's credentials end at once."""
    _set_status(choices, user, team, "inactive")


def enable(choices: Choices, user: Annotated[str, _USER], team: Annotated[str, TEAM]) -> None:
    """Enable a user: credentials that were not revoked can be used again."""
    _set_status(choices, user, team, "active")


def _set_status(choices: Choices, user: str, team: str, status: Status) -> None:
    async def work(hub: Hub) -> dict[str, object]:
        order = await command_in(hub, team)
        found = await find_user(hub, order, user)
        kept: Kept[User] = Kept()
        await members.set_status(hub, order, found.id, status, lambda _, after: kept(after))
        return _to_shown(kept.thing)

    shown = with_hub(choices, work)
    show(choices, shown, f"{shown['email'] or shown['id']} is {shown['status']}")


def give_password(
    choices: Choices,
    user: Annotated[str, _USER],
    team: Annotated[str, TEAM],
    *,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from a line.")] = False,
) -> None:
    """Give a user another password; without one on standard input it is made and printed, this once."""
    sent = _read_password() if password_stdin else None
    if sent == "":
        raise Refused("The password is empty.")

    async def work(hub: Hub) -> dict[str, object]:
        order = await command_in(hub, team)
        found = await find_user(hub, order, user)
        kept: Kept[User] = Kept()
        await members.reset_password(hub, order, found.id, lambda _: PasswordProposal(sent), kept)
        [password] = kept.more
        return _to_shown(kept.thing) | ({"password": password} if password is not None else {})

    shown = with_hub(choices, work)
    if "password" in shown and not choices.as_json:
        say("Keep this: it is not shown again.")
    show(choices, shown, to_lines(shown))


def end(choices: Choices, user: Annotated[str, _USER], team: Annotated[str, TEAM]) -> None:
    """End every session of a user."""

    async def work(hub: Hub) -> int:
        order = await command_in(hub, team)
        found = await find_user(hub, order, user)
        kept: Kept[int] = Kept()
        await members.end_sessions(hub, order, found.id, lambda _, count: kept(count))
        return kept.thing

    count = with_hub(choices, work)
    show(choices, {"ended": count}, f"ended {count} session{'' if count == 1 else 's'}")


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


def _to_pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or name.strip() not in _VALUES:
        raise typer.BadParameter(f"{text!r} is not NAME=VALUE, of {', '.join(_VALUES)}")
    return name.strip(), value.strip()


def _to_values(wanted: Mapping[str, str]) -> dict[str, object]:
    """What was typed, as a user has it."""
    values: dict[str, object] = {name: value or None for name, value in wanted.items()}
    for name in ("first_name", "last_name"):
        if name in wanted:
            values[name] = wanted[name]
    if values.get("access_role") is not None:
        values["access_role"] = to_id(wanted["access_role"], "role")
    if "role" in wanted and wanted["role"] not in ("member", "admin"):
        raise typer.BadParameter("role is member or admin")
    return values


def _to_shown(user: User) -> dict[str, object]:
    values = msgspec.structs.asdict(user) | {"can_sign_in": user.login is not None}
    return {name: values[name] for name in _SHOWN}
