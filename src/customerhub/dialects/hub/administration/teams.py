"""`/hub/v1/teams`: every team of the hub, for those who run it."""

from collections.abc import Mapping
from typing import Annotated, Final, Required

from pydantic import Field, JsonValue, TypeAdapter
from typing_extensions import TypedDict

from customerhub.core import teams as core
from customerhub.core.command import Author
from customerhub.core.hub import Hub
from customerhub.core.teams import NameProposal
from customerhub.dialects.hub.administration.common import (
    Report,
    Trace,
    get_id,
    list_rows,
    read_body,
    respond_written,
    to_command,
)
from customerhub.dialects.hub.administration.credentials import to_secrets
from customerhub.dialects.hub.administration.team import ShownTeam, rename, to_team
from customerhub.dialects.hub.answers import VERSION, respond_record
from customerhub.dialects.hub.keys import make_key
from customerhub.dialects.hub.wire import CONFIG, Name
from customerhub.model.answer import Answer
from customerhub.store.access import Team
from customerhub.web.dialect import CredentialOrder
from customerhub.web.operation import Call

TEAMS: Final = f"{VERSION}/teams"
_FIRST_KEY: Final = "first key"


class NewTeamBody(TypedDict, total=False):
    """A team to make, with a first key of this API that may administer it."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Required[Name]


class TeamListQuery(TypedDict, total=False):
    """Which page of teams."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=1000)]


class NewTeam(Report):
    """A new team, and its first key, which is here once."""

    team: ShownTeam
    secrets: dict[str, JsonValue]


_CHECK: Final[TypeAdapter[object]] = TypeAdapter(NewTeamBody)


async def list_page(call: Call) -> Answer:
    """`GET /hub/v1/teams`: 200 with a page, the newest first."""
    return list_rows(call, "teams", await core.list_teams(call.hub, call.caller), to_team)


async def get(call: Call) -> Answer:
    """`GET /hub/v1/teams/{id}`: 200, 304."""
    team = await core.get_team(call.hub, call.caller, get_id(call, "team"))
    return respond_record(call, to_team(team), team.version)


async def create(call: Call) -> Answer:
    """`POST /hub/v1/teams`: 201 with the team and its first key, this once."""

    def decide() -> NameProposal:
        reading = read_body(call, NewTeamBody, _CHECK)
        return NameProposal(reading.values.get("name", ""), reading.errors)

    async def make(hub: Hub, team: Team, author: Author) -> Mapping[str, object]:
        return await make_key(hub, team, CredentialOrder(name=_FIRST_KEY, by=author))

    def render(team: Team, made: Mapping[str, object]) -> Answer:
        secrets = to_secrets(made)
        return respond_written(call, 201, "team", to_team(team), team.version, Trace(), secrets=secrets)

    return await core.create_team(call.hub, to_command(call), decide, make, render)


async def update(call: Call) -> Answer:
    """`PATCH /hub/v1/teams/{id}`: 200 with the team by its new name."""
    return await rename(call, get_id(call, "team"))
