"""`/hub/v1/users`: members of the team, who they are, whether they may, and how they sign in."""

from typing import Annotated, Any, Final, Required

import msgspec
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from customerhub.core import members
from customerhub.core import users as core
from customerhub.core.lists import get_catalogue
from customerhub.core.members import PasswordProposal, values_of
from customerhub.core.users import UserProposal, UserValues
from customerhub.dialects.hub.administration.common import (
    Reading,
    Report,
    Trace,
    get_id,
    list_rows,
    read_body,
    respond_written,
    to_command,
    to_id,
    to_marks,
)
from customerhub.dialects.hub.answers import VERSION, respond_record
from customerhub.dialects.hub.canonical import Shown, to_value
from customerhub.dialects.hub.models import Time
from customerhub.dialects.hub.paging import QueryReader
from customerhub.dialects.hub.wire import CONFIG, Email, Id, Text
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue, User, UserRole
from customerhub.model.customer import Status, email_key
from customerhub.web.operation import Call

USERS: Final = f"{VERSION}/users"
_LONGEST_EMAIL: Final = 320
_STATUSES: Final = ("active", "inactive")
_ROLES: Final = ("member", "admin")
Password = Annotated[str, Field(min_length=8, max_length=1024)]


class _Values(TypedDict, total=False):
    __pydantic_config__ = CONFIG  # type: ignore[misc]
    first_name: Text
    last_name: Text
    email: Email | None
    username: Text | None
    phone: Text | None
    department: Text | None
    role: UserRole
    access_role: Annotated[Id | None, Field(description="A role of the team.")]


class NewUserBody(_Values, total=False):
    """A member to make; with a password they can sign in by their email address."""

    first_name: Required[Text]  # type: ignore[misc] # narrows what a change leaves out
    last_name: Required[Text]  # type: ignore[misc]
    password: Password | None


class UserBody(_Values, total=False):
    """What of a member to change; what is left out stays, null is none."""


class PasswordBody(TypedDict, total=False):
    """Another password; left out or null, one is made and shown once."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    password: Password | None


class UserListQuery(TypedDict, total=False):
    """Which members; all filters must hold."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=1000)]
    status: Status
    role: UserRole
    email: Annotated[str, Field(description="In any case of letters.")]


class ShownUser(TypedDict):
    """A member of the team."""

    id: Id
    version: int
    created_at: Time
    updated_at: Time
    created_by: Id
    updated_by: Id
    first_name: str
    last_name: str
    email: str | None
    username: str | None
    phone: str | None
    department: str | None
    role: UserRole
    access_role: Id | None
    status: Status
    can_sign_in: bool


class UserWritten(Report):
    """A member after a write."""

    user: ShownUser


class PasswordWritten(UserWritten):
    """A member with another password, which is here once if it was made by the hub."""

    password: str | None


class SessionsEnded(UserWritten):
    """A member, and how many sessions of theirs were ended."""

    ended: int


_CREATION: Final[TypeAdapter[object]] = TypeAdapter(NewUserBody)
_CHANGE: Final[TypeAdapter[object]] = TypeAdapter(UserBody)
_PASSWORD: Final[TypeAdapter[object]] = TypeAdapter(PasswordBody)


def to_user(user: User) -> Shown:
    """A member, member for member."""
    names = ("first_name", "last_name", "email", "username", "phone", "department", "role", "access_role", "status")
    return {
        "id": str(user.id),
        "version": user.version,
        **to_marks(user),
        **{name: to_value(getattr(user, name)) for name in names},
        "can_sign_in": user.login is not None and user.status == "active",
    }


async def list_page(call: Call) -> Answer:
    """`GET /hub/v1/users`: 200 with a page, the newest first; those that are disabled among them."""
    reader = QueryReader(call.query, tuple(UserListQuery.__annotations__))
    status = reader.choice("status", _STATUSES, "") if "status" in call.query else ""
    role = reader.choice("role", _ROLES, "") if "role" in call.query else ""
    email = email_key(reader.text("email", _LONGEST_EMAIL))
    catalogue = await get_catalogue(call.hub, call.caller)
    chosen = (
        user
        for user in catalogue.users()
        if status in ("", user.status) and role in ("", user.role) and email in (None, email_key(user.email))
    )
    return list_rows(call, "users", chosen, to_user, reader)


async def get(call: Call) -> Answer:
    """`GET /hub/v1/users/{id}`: 200, 304."""
    user, _ = await core.get_user(call.hub, call.caller, get_id(call, "user"))
    return respond_record(call, to_user(user), user.version)


async def create(call: Call) -> Answer:
    """`POST /hub/v1/users`: 201 with the member."""

    def decide(catalogue: Catalogue) -> UserProposal:
        del catalogue
        reading = read_body(call, NewUserBody, _CREATION)
        return UserProposal(_to_values(UserValues(), reading), reading.errors)

    def render(user: User) -> Answer:
        return respond_written(call, 201, "user", to_user(user), user.version, Trace())

    return await core.create_user(call.hub, to_command(call), decide, render)


async def update(call: Call) -> Answer:
    """`PATCH /hub/v1/users/{id}`: 200 with the member."""
    trace = Trace()

    def decide(before: User, catalogue: Catalogue) -> UserProposal:
        del catalogue
        reading = read_body(call, UserBody, _CHANGE)
        trace.before, trace.named = to_user(before), tuple(reading.values)
        return UserProposal(_to_values(values_of(before), reading), reading.errors)

    def render(user: User) -> Answer:
        return respond_written(call, 200, "user", to_user(user), user.version, trace)

    return await members.update_user(call.hub, to_command(call), get_id(call, "user"), decide, render)


def _to_values(before: UserValues, reading: Reading) -> UserValues:
    values: dict[str, Any] = dict(reading.values)  # Any: JSON, checked
    if "access_role" in values:
        values["access_role"] = to_id(values["access_role"])
    return msgspec.structs.replace(before, **values)


async def disable(call: Call) -> Answer:
    """`POST /hub/v1/users/{id}/disable`: 200; sessions and the power of the member's credentials end at once."""
    return await _set_status(call, "inactive")


async def enable(call: Call) -> Answer:
    """`POST /hub/v1/users/{id}/enable`: 200; the member's credentials that were not revoked can be used again."""
    return await _set_status(call, "active")


async def _set_status(call: Call, status: Status) -> Answer:
    def render(before: User, user: User) -> Answer:
        return respond_written(call, 200, "user", to_user(user), user.version, Trace(to_user(before)))

    return await members.set_status(call.hub, to_command(call), get_id(call, "user"), status, render)


async def reset_password(call: Call) -> Answer:
    """`POST /hub/v1/users/{id}/reset-password`: 200, with the password where the hub made it."""
    trace = Trace()

    def decide(before: User) -> PasswordProposal:
        reading = read_body(call, PasswordBody, _PASSWORD)
        trace.before = to_user(before)
        return PasswordProposal(reading.values.get("password"), reading.errors)

    def render(user: User, password: str | None) -> Answer:
        return respond_written(call, 200, "user", to_user(user), user.version, trace, password=password)

    return await members.reset_password(call.hub, to_command(call), get_id(call, "user"), decide, render)


async def end_sessions(call: Call) -> Answer:
    """`POST /hub/v1/users/{id}/end-sessions`: 200 with their number."""

    def render(user: User, count: int) -> Answer:
        shown = to_user(user)
        return respond_written(call, 200, "user", shown, user.version, Trace(shown), ended=count)

    return await members.end_sessions(call.hub, to_command(call), get_id(call, "user"), render)
