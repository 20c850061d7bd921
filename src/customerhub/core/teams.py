"""Use cases on teams as a whole: their names, and what only the operator of the hub may do with them."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from customerhub.core.access import OPERATOR, check_power
from customerhub.core.admin import insert_team
from customerhub.core.command import Author, Command
from customerhub.core.guarded import Done, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.standing import check_precondition
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import TeamSettings
from customerhub.model.change import FieldChange
from customerhub.model.error import FieldError, Invalid, NotFound, Taken
from customerhub.store import access as store
from customerhub.store.access import Team
from customerhub.store.catalogue import AuditRow, insert_audit

Made = Mapping[str, object]
# Makes a credential of a team, and says what its owner needs of it.
MakeCredential = Callable[[Hub, Team, Author], Awaitable[Made]]


class NameProposal(Struct, frozen=True):
    """What a door makes of a request for a team's name, and the errors it found."""

    name: str
    errors: tuple[FieldError, ...] = ()


async def list_teams(hub: Hub, caller: Caller) -> list[Team]:
    """Every team of the hub, by name; raises Unauthenticated, Forbidden for all but the operator."""
    check_power(caller, (OPERATOR,))
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        return await store.list_teams(connection)


async def get_team(hub: Hub, caller: Caller, team_id: UUID | None) -> Team:
    """The caller's team, or for the operator any; raises Unauthenticated, Forbidden, NotFound."""
    if team_id != caller.team:
        check_power(caller, (OPERATOR,))
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        team = await store.find_team(connection, team_id, "")
    if team is None:
        raise NotFound("team", str(team_id))
    return team


async def create_team(
    hub: Hub,
    command: Command,
    decide: Callable[[], NameProposal],
    make: MakeCredential,
    render: Callable[[Team, Made], Answer],
) -> Answer:
    """Make a team with its first credential, which `render` gets this once.

    Raises Forbidden for all but the operator, Invalid and Taken (`name`), and what every guarded write raises.
    """
    check_power(command.caller, (OPERATOR,))

    async def work(scene: Work) -> Done:
        check_precondition(command.guards, None, is_required=False)
        proposal = decide()
        if proposal.errors:
            raise Invalid(proposal.errors)
        team = await insert_team(hub, scene.connection, proposal.name, TeamSettings(), command.author)
        return Done(render(team, await make(hub.on(scene.connection), team, command.author)), is_secret=True)

    return await write_guarded(hub, command, work)


async def rename_team(
    hub: Hub,
    command: Command,
    team_id: UUID | None,
    decide: Callable[[Team], NameProposal],
    render: Callable[[Team], Answer],
) -> Answer:
    """Give the caller's team, or for the operator any, another name.

    Raises Forbidden, NotFound, Invalid and Taken (`name`), and what every guarded write raises.
    """
    if team_id != command.caller.team:
        check_power(command.caller, (OPERATOR,))

    async def work(scene: Work) -> Done:
        before = await store.lock_team(scene.connection, team_id) if team_id is not None else None
        if before is None:
            raise NotFound("team", str(team_id))
        check_precondition(command.guards, before.version, is_required=scene.requires_precondition)
        proposal = decide(before)
        if proposal.errors:
            raise Invalid(proposal.errors)
        name, now = proposal.name.strip(), hub.now()
        if name == before.name:
            return Done(render(before))
        try:
            async with scene.connection.transaction():
                await store.rename_team(scene.connection, before.id, name, now)
        except asyncpg.UniqueViolationError as error:
            raise Taken((FieldError(("name",), "name_taken", "another team has this name"),)) from error
        what = (FieldChange("/name", before.name, name),)
        row = AuditRow("team", before.id, before.version + 1, now, "updated", command.request_id, what)
        await insert_audit(scene.connection, msgspec.structs.replace(command.caller, team=before.id), row)
        return Done(render(msgspec.structs.replace(before, name=name, version=before.version + 1, updated_at=now)))

    return await write_guarded(hub, command, work)
