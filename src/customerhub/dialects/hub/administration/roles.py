"""`/hub/v1/roles`: named sets of permissions for keys and members of APIs that know such; some come with every team."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Required, cast

import msgspec
from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from customerhub.core import catalogue as core
from customerhub.core.access import check_power
from customerhub.core.catalogue import EntryProposal, EntryValues, values_of
from customerhub.core.lists import get_catalogue
from customerhub.core.system import PERMISSIONS
from customerhub.dialects.hub.administration.common import (
    Reading,
    Report,
    Trace,
    get_id,
    list_rows,
    read_body,
    respond_written,
    to_command,
    to_marks,
)
from customerhub.dialects.hub.answers import VERSION, respond_record
from customerhub.dialects.hub.canonical import Shown
from customerhub.dialects.hub.models import Time
from customerhub.dialects.hub.wire import CONFIG, Id, Name, Text
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue, CatalogueEntry, RoleDetails
from customerhub.model.error import FieldError
from customerhub.web.operation import Call

ROLES: Final = f"{VERSION}/roles"
# One of PERMISSIONS; a type checker cannot read them off the table.
Permission = Annotated[str, Field(json_schema_extra={"enum": list(PERMISSIONS)})]


class RoleBody(TypedDict, total=False):
    """What of a role to change; what is left out stays, null is none."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name
    description: Text | None
    permissions: Annotated[list[Permission], Field(max_length=200)]


class NewRoleBody(RoleBody, total=False):
    """A role to make."""

    name: Required[Name]  # type: ignore[misc] # narrows what a change leaves out
    permissions: Required[Annotated[list[Permission], Field(max_length=200)]]  # type: ignore[misc]


class ShownRole(TypedDict):
    """A role; one that comes with every team is nobody's to change."""

    id: Id
    version: int
    created_at: Time
    updated_at: Time
    created_by: Id
    updated_by: Id
    name: str
    description: str | None
    permissions: list[str]
    is_system: bool


class RoleWritten(Report):
    """A role after a write."""

    role: ShownRole


_CHANGE: Final[TypeAdapter[object]] = TypeAdapter(RoleBody)
_CREATION: Final[TypeAdapter[object]] = TypeAdapter(NewRoleBody)


def to_role(role: CatalogueEntry) -> Shown:
    """A role, member for member."""
    assert isinstance(role.details, RoleDetails)  # noqa: S101 - of its kind
    return {
        "id": str(role.id),
        "version": role.version,
        **to_marks(role),
        "name": role.name,
        "description": role.description,
        "permissions": list(role.details.permissions),
        "is_system": role.is_system,
    }


async def list_page(call: Call) -> Answer:
    """`GET /hub/v1/roles`: 200 with a page, the newest first."""
    catalogue = await get_catalogue(call.hub, call.caller)
    return list_rows(call, "roles", catalogue.entries("role"), to_role)


async def get(call: Call) -> Answer:
    """`GET /hub/v1/roles/{id}`: 200, 304."""
    role, _ = await core.get_entry(call.hub, call.caller, "role", get_id(call, "role"))
    return respond_record(call, to_role(role), role.version)


async def create(call: Call) -> Answer:
    """`POST /hub/v1/roles`: 201 with the role."""

    def decide(catalogue: Catalogue) -> EntryProposal:
        del catalogue
        return _to_proposal(call, EntryValues("", details=RoleDetails()), read_body(call, NewRoleBody, _CREATION))

    def render(role: CatalogueEntry) -> Answer:
        return respond_written(call, 201, "role", to_role(role), role.version, Trace())

    return await core.create_entry(call.hub, to_command(call), "role", decide, render)


async def update(call: Call) -> Answer:
    """`PATCH /hub/v1/roles/{id}`: 200 with the role; keys that were made with it keep what they were given."""
    trace = Trace()

    def decide(before: CatalogueEntry, catalogue: Catalogue) -> EntryProposal:
        del catalogue
        reading = read_body(call, RoleBody, _CHANGE)
        trace.before, trace.named = to_role(before), tuple(reading.values)
        return _to_proposal(call, values_of(before), reading)

    def render(role: CatalogueEntry) -> Answer:
        return respond_written(call, 200, "role", to_role(role), role.version, trace)

    return await core.update_entry(call.hub, to_command(call), "role", get_id(call, "role"), decide, render)


async def delete(call: Call) -> Answer:
    """`DELETE /hub/v1/roles/{id}`: 200 with the role as it was last; not while a member or a living key has it."""

    def render(role: CatalogueEntry) -> Answer:
        shown = to_role(role)
        return respond_written(call, 200, "role", shown, role.version, Trace(shown))

    role_id = get_id(call, "role")
    return await core.delete_entry(call.hub, to_command(call), "role", role_id, render, keeps_in_use=True)


def _to_proposal(call: Call, before: EntryValues, reading: Reading) -> EntryProposal:
    """A role as it shall be; nobody gives it what they may not do themselves."""
    values: Mapping[str, Any] = reading.values  # Any: JSON, checked
    errors = list(reading.errors)
    own = {name: values[name] for name in ("name", "description") if name in values}
    if "permissions" in values:
        sent = cast("list[str]", values["permissions"])
        errors += (
            FieldError(("permissions", place), "enum", "is no permission")
            for place, permission in enumerate(sent)
            if permission not in PERMISSIONS
        )
        if not errors:
            check_power(to_command(call).caller, sent)
        own["details"] = RoleDetails(tuple(permission for permission in PERMISSIONS if permission in sent))
    return EntryProposal(msgspec.structs.replace(before, **own), tuple(errors))
