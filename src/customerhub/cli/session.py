"""`customerhub session`: who is signed in with a browser."""

from typing import Annotated

import msgspec
import typer

from customerhub.cli.opened import with_hub
from customerhub.cli.operating import Kept, command_in, to_id
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import show, to_table
from customerhub.cli.team import TEAM
from customerhub.core.hub import Hub
from customerhub.core.members import SignedIn, end_session, list_sessions

_COLUMNS = ("id", "email", "created_at", "seen_at", "expires_at")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    sessions = group("Sessions: who is signed in with a browser.")
    command(sessions, "list")(list_all)
    command(sessions, "end")(end)
    app.add_typer(sessions, name="session")


def list_all(choices: Choices, team: Annotated[str, TEAM]) -> None:
    """List the sessions of a team's members, the newest first."""

    async def work(hub: Hub) -> list[dict[str, object]]:
        found = await list_sessions(hub, (await command_in(hub, team)).caller)
        ordered = sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)
        return [msgspec.structs.asdict(session) for session in ordered]

    sessions = with_hub(choices, work)
    show(choices, sessions, to_table(sessions, _COLUMNS, "nobody is signed in"))


def end(
    choices: Choices, session: Annotated[str, typer.Argument(metavar="ID", help="Its id.")], team: Annotated[str, TEAM]
) -> None:
    """End a session."""

    async def work(hub: Hub) -> SignedIn:
        order, session_id = await command_in(hub, team), to_id(session, "session")
        gone: Kept[SignedIn] = Kept()
        await end_session(hub, order, session_id, gone)
        return gone.thing

    ended = with_hub(choices, work)
    show(choices, msgspec.structs.asdict(ended), f"ended a session of {ended.email}: {ended.id}")
