"""`/hub/v1/team`: the caller's team, its name and what it decides for itself."""

from typing import Annotated, Any, Final, Literal, Required
from uuid import UUID

import msgspec
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from customerhub.core import team_settings, teams
from customerhub.core.team_settings import SettingsProposal, SettingsView
from customerhub.core.teams import NameProposal
from customerhub.dialects.hub.administration.common import (
    Reading,
    Report,
    Trace,
    read_body,
    respond_written,
    to_command,
    to_id,
)
from customerhub.dialects.hub.answers import respond_record
from customerhub.dialects.hub.canonical import Shown, to_time
from customerhub.dialects.hub.models import Time
from customerhub.dialects.hub.wire import CONFIG, Id, Name
from customerhub.model.answer import Answer
from customerhub.model.catalogue import NOBODY, Catalogue, TeamSettings
from customerhub.store.access import Team
from customerhub.web.operation import Call

EmailPolicy = Literal["unique", "free"]
UnknownMembers = Literal["contract", "ignore", "refuse"]
NullMembers = Literal["refuse", "ignore"]
RateLimit = Annotated[
    str,
    Field(max_length=255, description="Such as `100/minute` or `10/second;1000/hour`; null is the next wider one."),
]


class TeamBody(TypedDict, total=False):
    """What of a team can be changed."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Required[Name]


class SettingsBody(TypedDict, total=False):
    """Settings to change (RFC 7396): what is left out stays, null is the default."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    email_policy: EmailPolicy | None
    unknown_members: UnknownMembers | None
    null_members: NullMembers | None
    free_attributes: bool | None
    relaxed_create: bool | None
    requires_precondition: bool | None
    rate_limit: RateLimit | None
    default_price_list: Id | None


class ShownTeam(TypedDict):
    """A team."""

    id: Id
    version: int
    created_at: Time
    updated_at: Time
    name: str


class ShownSettings(TypedDict):
    """What a team decides for itself; its version is the team's."""

    email_policy: EmailPolicy
    unknown_members: UnknownMembers
    null_members: NullMembers
    free_attributes: bool
    relaxed_create: bool
    requires_precondition: bool
    rate_limit: str | None
    default_price_list: Id | None


class TeamWritten(Report):
    """A team after a write."""

    team: ShownTeam


class SettingsWritten(Report):
    """Settings after a write."""

    settings: ShownSettings


TEAM_CHECK: Final[TypeAdapter[object]] = TypeAdapter(TeamBody)
_CHECK: Final[TypeAdapter[object]] = TypeAdapter(SettingsBody)
_DEFAULTS: Final[dict[str, Any]] = msgspec.structs.asdict(TeamSettings())  # Any: values of several kinds


def to_team(team: Team) -> Shown:
    """A team, without its settings."""
    return {
        "id": str(team.id),
        "version": team.version,
        "created_at": to_time(team.created_at),
        "updated_at": to_time(team.updated_at),
        "name": team.name,
    }


def to_settings(view: SettingsView) -> Shown:
    """What the team decides for itself."""
    shown = msgspec.structs.asdict(view.team.settings)
    default = view.default_price_list
    return shown | {
        "rate_limit": shown["rate_limit"] or None,
        "default_price_list": str(default) if default is not None else None,
    }


async def get(call: Call) -> Answer:
    """`GET /hub/v1/team`: 200, 304."""
    team = await teams.get_team(call.hub, call.caller, call.caller.team)
    return respond_record(call, to_team(team), team.version)


async def update(call: Call) -> Answer:
    """`PATCH /hub/v1/team`: 200 with the team."""
    return await rename(call, call.caller.team)


async def rename(call: Call, team_id: UUID) -> Answer:
    """Give a team the name that the body has."""
    trace = Trace()

    def decide(before: Team) -> NameProposal:
        reading = read_body(call, TeamBody, TEAM_CHECK)
        trace.before, trace.named = to_team(before), tuple(reading.values)
        return NameProposal(reading.values.get("name", ""), reading.errors)

    def render(team: Team) -> Answer:
        return respond_written(call, 200, "team", to_team(team), team.version, trace)

    return await teams.rename_team(call.hub, to_command(call), team_id, decide, render)


async def get_settings(call: Call) -> Answer:
    """`GET /hub/v1/team/settings`: 200, 304."""
    view = await team_settings.get_settings(call.hub, call.caller)
    return respond_record(call, to_settings(view), view.team.version)


async def update_settings(call: Call) -> Answer:
    """`PATCH /hub/v1/team/settings`: 200 with all of them."""
    trace = Trace()

    def decide(before: SettingsView, catalogue: Catalogue) -> SettingsProposal:
        del catalogue
        reading = read_body(call, SettingsBody, _CHECK)
        trace.before, trace.named = to_settings(before), tuple(reading.values)
        return _to_proposal(before, reading)

    def render(view: SettingsView) -> Answer:
        return respond_written(call, 200, "settings", to_settings(view), view.team.version, trace)

    return await team_settings.update_settings(call.hub, to_command(call), decide, render)


def _to_proposal(before: SettingsView, reading: Reading) -> SettingsProposal:
    """The settings as they shall be; null is the default of each."""
    values = dict(reading.values)
    default = to_id(values.pop("default_price_list")) if "default_price_list" in values else NOBODY
    own = {name: _DEFAULTS[name] if value is None else value for name, value in values.items()}
    return SettingsProposal(msgspec.structs.replace(before.team.settings, **own), default, reading.errors)
