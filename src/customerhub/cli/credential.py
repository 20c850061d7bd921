"""`customerhub credential`: make, list and revoke what callers of a dialect show."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

import typer

from customerhub.cli.opened import with_hub
from customerhub.cli.operating import Kept, to_id
from customerhub.cli.options import Choices, command, group
from customerhub.cli.output import say, show, to_lines, to_table
from customerhub.cli.team import TEAM
from customerhub.cli.user import list_users
from customerhub.core.admin import get_team, list_credentials, revoke_credential, to_command
from customerhub.core.command import Command
from customerhub.core.credentials import (
    MOST_OVERLAP_SECONDS,
    KeyShape,
    MarksProposal,
    Pass,
    RotationProposal,
    mark_credential,
    rotate_credential,
)
from customerhub.core.hub import Hub
from customerhub.core.partners import revoke_client
from customerhub.dialects.base import find_dialects
from customerhub.model.customer import email_key
from customerhub.model.error import NotFound
from customerhub.store.access import find_credential
from customerhub.web.dialect import CredentialOrder, Dialect

_COLUMNS = ("id", "team_name", "dialect", "name", "hint", "requires_precondition", "created_at", "revoked_at")


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    credentials = group("Credentials: what callers of a dialect show; the secret is printed once and not kept.")
    command(credentials, "create")(create)
    command(credentials, "list")(list_all)
    command(credentials, "revoke")(revoke)
    command(credentials, "rotate")(rotate)
    command(credentials, "set")(set_marks)
    app.add_typer(credentials, name="credential")


def create(
    choices: Choices,
    dialect: Annotated[str, typer.Argument(help="For which API.")],
    team: Annotated[str, TEAM],
    name: Annotated[str | None, typer.Option("--name", help="What the history calls its owner.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="Email of the user it belongs to.")] = None,
    redirect_uri: Annotated[
        list[str] | None, typer.Option("--redirect-uri", help="Where a partner may send people back to; repeatable.")
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="What it may do, where keys of the API may do more or less; repeatable."),
    ] = None,
    *,
    any_team: Annotated[
        bool, typer.Option("--any-team", help="Members of every team may let this partner in, not only of this one.")
    ] = False,
    precondition_required: Annotated[
        bool, typer.Option("--precondition-required", help="Each of its updates must carry If-Match.")
    ] = False,
) -> None:
    """Make a credential and print it, this once."""
    spoken = _get_dialect(dialect)

    async def work(hub: Hub) -> Mapping[str, object]:
        owner = await _get_user(hub, team, user) if user is not None else None
        order = CredentialOrder(
            name=name or user or f"{spoken.name} credential",
            team_user=owner,
            requires_precondition=precondition_required,
            redirect_uris=tuple(redirect_uri or ()),
            any_team=any_team,
            scopes=tuple(scope or ()),
        )
        return await spoken.create_credential(hub, await get_team(hub, team), order)

    made = with_hub(choices, work)
    if not choices.as_json:
        say("Keep this: it is not shown again.")
    show(choices, made, to_lines(made))


def list_all(
    choices: Choices, team: Annotated[str | None, typer.Option("--team", help="Id or name; all teams without.")] = None
) -> None:
    """List credentials, the oldest first; nothing secret in it."""

    async def work(hub: Hub) -> list[dict[str, object]]:
        return await list_credentials(hub, await get_team(hub, team) if team is not None else None)

    found = with_hub(choices, work)
    show(choices, found, to_table(found, _COLUMNS, "no credentials"))


def revoke(
    choices: Choices,
    credential: Annotated[str, typer.Argument(metavar="ID", help="Its id, or a partner's client id.")],
) -> None:
    """End a credential: the very next request with it is refused."""

    async def work(hub: Hub) -> dict[str, object]:
        try:
            credential_id = UUID(credential)
        except ValueError:
            return await revoke_client(hub, credential)
        return await revoke_credential(hub, credential_id)

    done = with_hub(choices, work)
    show(choices, done, f"revoked {done['name']}: {done['id']}")


def rotate(
    choices: Choices,
    credential: Annotated[str, typer.Argument(metavar="ID", help="Its id.")],
    overlap: Annotated[
        int,
        typer.Option("--overlap-seconds", min=0, max=MOST_OVERLAP_SECONDS, help="So long the old secret goes on."),
    ] = 0,
) -> None:
    """Give a credential another secret and print it, this once; the old one is refused from the next request on."""

    async def work(hub: Hub) -> dict[str, object]:
        order, credential_id = await _command_of(hub, credential)
        kept: Kept[Pass] = Kept()
        await rotate_credential(hub, order, credential_id, lambda _: RotationProposal(overlap), _find_shape, kept)
        rotated, [secret] = kept.thing, kept.more
        until = rotated.previous_until if overlap else None
        return {"id": rotated.id, "name": rotated.name, "previous_until": until, "api_key": secret}

    made = with_hub(choices, work)
    if not choices.as_json:
        say("Keep this: it is not shown again.")
    show(choices, made, to_lines(made))


def set_marks(
    choices: Choices,
    credential: Annotated[str, typer.Argument(metavar="ID", help="Its id.")],
    rate_limit: Annotated[
        str | None, typer.Option("--rate-limit", help="As 100/minute; empty is the team's limit.")
    ] = None,
    *,
    precondition_required: Annotated[
        bool | None,
        typer.Option("--precondition-required/--no-precondition-required", help="Whether updates must carry If-Match."),
    ] = None,
) -> None:
    """Say how often a credential may ask, and whether its updates must carry If-Match."""

    async def work(hub: Hub) -> dict[str, object]:
        order, credential_id = await _command_of(hub, credential)

        def decide(before: Pass) -> MarksProposal:
            return MarksProposal(
                before.requires_precondition if precondition_required is None else precondition_required,
                before.rate_limit if rate_limit is None else rate_limit,
            )

        kept: Kept[Pass] = Kept()
        await mark_credential(hub, order, credential_id, decide, kept)
        names = ("id", "name", "requires_precondition", "rate_limit")
        return {name: getattr(kept.thing, name) for name in names}

    marked = with_hub(choices, work)
    show(choices, marked, to_lines(marked))


async def _command_of(hub: Hub, credential: str) -> tuple[Command, UUID]:
    """A write of the operator's in the team of a credential, and the id that the credential goes by."""
    credential_id = to_id(credential, "credential")
    async with hub.database.lease() as connection:
        found = await find_credential(connection, credential_id)
    if found is None:
        raise NotFound("credential", credential)
    return to_command(UUID(str(found["team"]))), UUID(str(found["first"]))


def _find_shape(name: str) -> KeyShape | None:
    form = next((dialect.key_form for dialect in find_dialects() if dialect.name == name), None)
    return KeyShape(form.prefix, form.mask) if form is not None else None


def _get_dialect(name: str) -> Dialect:
    """The dialect of this name; a wrong one is a wrong use of the command."""
    dialects = {dialect.name: dialect for dialect in find_dialects()}
    if name not in dialects:
        raise typer.BadParameter(f"no dialect {name!r}; there are: {', '.join(dialects) or 'none'}")
    return dialects[name]


async def _get_user(hub: Hub, team: str, email: str) -> UUID:
    """The id of the team's user with this email address; raises NotFound."""
    for user in await list_users(hub, team):
        if email_key(user.email) == email_key(email):
            return user.id
    raise NotFound("user", email)
