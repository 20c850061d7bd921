"""`/hub/v1/credentials`: the keys and applications of every API of this hub that act for the team."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Final, Literal, Required
from uuid import UUID

from pydantic import Field, JsonValue, TypeAdapter
from typing_extensions import TypedDict

from customerhub.core import credentials as core
from customerhub.core.access import OPERATOR
from customerhub.core.command import Author
from customerhub.core.credentials import (
    MOST_OVERLAP_SECONDS,
    CreationProposal,
    KeyShape,
    MarksProposal,
    Pass,
    RotationProposal,
)
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
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
)
from customerhub.dialects.hub.administration.team import RateLimit
from customerhub.dialects.hub.answers import VERSION, respond
from customerhub.dialects.hub.canonical import Shown, to_value
from customerhub.dialects.hub.models import Time
from customerhub.dialects.hub.paging import QueryReader, find_time
from customerhub.dialects.hub.wire import CONFIG, Id, Name
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.error import FieldError
from customerhub.store.access import Team
from customerhub.web.dialect import CredentialOrder, Dialect
from customerhub.web.operation import Call

CREDENTIALS: Final = f"{VERSION}/credentials"
_LONGEST_NAME: Final = 255
_STATUSES: Final = ("active", "expired", "revoked")
# What a dialect says of a credential that is no secret, and shown otherwise.
_PLAIN: Final = ("id", "name", "scopes", "team_id")
CredentialStatus = Literal["active", "expired", "revoked"]


class NewCredentialBody(TypedDict, total=False):
    """A credential to make; `scopes` are for APIs whose keys have some, `redirect_uris` for partners' applications."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    dialect: Required[str]
    name: Required[Name]
    user: Annotated[Id | None, Field(description="The member that it belongs to, and acts as.")]
    scopes: Annotated[list[Annotated[str, Field(max_length=255)]], Field(max_length=20)]
    requires_precondition: bool
    redirect_uris: Annotated[list[Annotated[str, Field(max_length=2048)]], Field(max_length=20)]
    any_team: Annotated[bool, Field(description="For applications: members of every team may let it in.")]
    rate_limit: RateLimit | None
    expires_at: Annotated[str | None, Field(json_schema_extra={"format": "date-time"})]


class CredentialBody(TypedDict, total=False):
    """What of a credential to change; what is left out stays."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    requires_precondition: bool
    rate_limit: RateLimit | None


class RotationBody(TypedDict, total=False):
    """For how many seconds the old secret goes on beside the new one."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    overlap_seconds: Annotated[int, Field(ge=0, le=MOST_OVERLAP_SECONDS)]


class CredentialListQuery(TypedDict, total=False):
    """Which credentials; all filters must hold."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=1000)]
    dialect: str
    status: CredentialStatus
    user: Id


class ShownCredential(TypedDict):
    """A credential; of a secret only its end is shown again."""

    id: Id
    version: int
    created_at: Time
    dialect: str
    name: str
    hint: str
    user: Id | None
    role: Id | None
    scopes: list[str]
    requires_precondition: bool
    rate_limit: str | None
    status: CredentialStatus
    last_used_at: Time | None
    expires_at: Time | None
    revoked_at: Time | None
    previous_until: Annotated[Time | None, Field(description="Until then a secret that was replaced goes on.")]


class CredentialWritten(Report):
    """A credential after a write."""

    credential: ShownCredential


class NewCredential(CredentialWritten):
    """A new credential, with what its owner needs, which is here once."""

    secrets: dict[str, JsonValue]


_CREATION: Final[TypeAdapter[object]] = TypeAdapter(NewCredentialBody)
_CHANGE: Final[TypeAdapter[object]] = TypeAdapter(CredentialBody)
_ROTATION: Final[TypeAdapter[object]] = TypeAdapter(RotationBody)


def to_credential(call: Call, credential: Pass) -> Shown:
    """A credential, member for member."""
    now = call.hub.now()
    until = credential.previous_until
    names = ("dialect", "name", "hint", "user", "role", "scopes", "requires_precondition", "rate_limit")
    return {
        "id": str(credential.id),
        "version": credential.version,
        "created_at": to_value(credential.created_at),
        **{name: to_value(getattr(credential, name)) for name in names},
        "status": credential.status(now),
        "last_used_at": to_value(credential.last_used_at),
        "expires_at": to_value(credential.expires_at),
        "revoked_at": to_value(credential.revoked_at),
        "previous_until": to_value(until) if until is not None and until > now else None,
    }


async def list_page(call: Call) -> Answer:
    """`GET /hub/v1/credentials`: 200 with a page, the newest first; those that have ended among them."""
    reader = QueryReader(call.query, tuple(CredentialListQuery.__annotations__))
    dialect = reader.text("dialect", _LONGEST_NAME)
    status = reader.choice("status", _STATUSES, "") if "status" in call.query else ""
    users = reader.uuids("user")
    now = call.hub.now()
    chosen = (
        credential
        for credential in await core.list_credentials(call.hub, call.caller)
        if dialect in (None, credential.dialect)
        and status in ("", credential.status(now))
        and (users is None or str(credential.user) in users)
    )
    return list_rows(call, "credentials", chosen, lambda row: to_credential(call, row), reader)


async def get(call: Call) -> Answer:
    """`GET /hub/v1/credentials/{id}`: 200, 304."""
    credential = await core.get_credential(call.hub, call.caller, get_id(call, "credential"))
    # Whole in any case: that a credential ends, or when it was used, moves no version.
    return respond(call, 200, to_credential(call, credential), credential.version)


async def create(call: Call) -> Answer:
    """`POST /hub/v1/credentials`: 201 with the secrets, this once."""
    orders: list[tuple[Dialect, CredentialOrder]] = []

    def decide(catalogue: Catalogue) -> CreationProposal:
        reading = read_body(call, NewCredentialBody, _CREATION)
        errors = (*reading.errors, *_find_errors(reading, catalogue))
        if errors:
            return CreationProposal(errors=errors)
        orders[:] = [(_dialects()[reading.values["dialect"]], _to_order(reading.values))]
        ends = reading.values.get("expires_at")
        return CreationProposal(
            rate_limit=reading.values.get("rate_limit"),
            expires_at=find_time(ends) if ends is not None else None,
            # An application of every team is nothing that a team can give.
            needs=(OPERATOR,) if reading.values.get("any_team") else (),
        )

    async def make(hub: Hub, team: Team, author: Author) -> Mapping[str, object]:
        dialect, order = orders[-1]
        return await dialect.create_credential(hub, team, replace(order, by=author))

    def render(credential: Pass, made: Mapping[str, object]) -> Answer:
        shown = to_credential(call, credential)
        return respond_written(call, 201, "credential", shown, credential.version, Trace(), secrets=to_secrets(made))

    return await core.create_credential(call.hub, to_command(call), decide, make, render)


async def rotate(call: Call) -> Answer:
    """`POST /hub/v1/credentials/{id}/rotate`: 200 with the new secret, this once."""
    trace = Trace()

    def decide(before: Pass) -> RotationProposal:
        reading = read_body(call, RotationBody, _ROTATION)
        trace.before = to_credential(call, before)
        return RotationProposal(reading.values.get("overlap_seconds", 0), reading.errors)

    def render(credential: Pass, secret: str) -> Answer:
        shown = to_credential(call, credential)
        secrets = {"api_key": secret}
        return respond_written(call, 200, "credential", shown, credential.version, trace, secrets=secrets)

    credential_id = get_id(call, "credential")
    return await core.rotate_credential(call.hub, to_command(call), credential_id, decide, _find_shape, render)


async def update(call: Call) -> Answer:
    """`PATCH /hub/v1/credentials/{id}`: 200 with the credential."""
    trace = Trace()

    def decide(before: Pass) -> MarksProposal:
        reading = read_body(call, CredentialBody, _CHANGE)
        trace.before, trace.named = to_credential(call, before), tuple(reading.values)
        return MarksProposal(
            reading.values.get("requires_precondition", before.requires_precondition),
            reading.values.get("rate_limit", before.rate_limit),
            reading.errors,
        )

    def render(credential: Pass) -> Answer:
        return respond_written(call, 200, "credential", to_credential(call, credential), credential.version, trace)

    return await core.mark_credential(call.hub, to_command(call), get_id(call, "credential"), decide, render)


async def revoke(call: Call) -> Answer:
    """`POST /hub/v1/credentials/{id}/revoke`: 200; the very next request with it is refused."""

    def render(before: Pass, credential: Pass) -> Answer:
        shown = to_credential(call, credential)
        return respond_written(call, 200, "credential", shown, credential.version, Trace(to_credential(call, before)))

    return await core.revoke_credential(call.hub, to_command(call), get_id(call, "credential"), render)


def to_secrets(made: Mapping[str, object]) -> Shown:
    """Of what a dialect says of a new credential all that its record does not show."""
    return {name: value for name, value in made.items() if name not in _PLAIN}


def _find_errors(reading: Reading, catalogue: Catalogue) -> list[FieldError]:
    """What only the hub can tell of a body: which APIs and members there are, and what is a time."""
    values, errors = reading.values, list[FieldError]()
    if "dialect" in values and values["dialect"] not in _dialects():
        errors.append(FieldError(("dialect",), "enum", f"must be one of {', '.join(_dialects())}"))
    if values.get("user") is not None and catalogue.find_user(UUID(values["user"])) is None:
        errors.append(FieldError(("user",), "unknown_id", "names no user of this team"))
    if values.get("expires_at") is not None and find_time(values["expires_at"]) is None:
        errors.append(FieldError(("expires_at",), "time", "must be a time with its zone: 2027-03-02T15:04:05Z"))
    return errors


def _to_order(values: Mapping[str, Any]) -> CredentialOrder:  # Any: JSON, checked
    return CredentialOrder(
        name=values["name"],
        team_user=to_id(values.get("user")),
        requires_precondition=values.get("requires_precondition", False),
        redirect_uris=tuple(values.get("redirect_uris", ())),
        any_team=values.get("any_team", False),
        scopes=tuple(values.get("scopes", ())),
    )


def _find_shape(dialect: str) -> KeyShape | None:
    form = _dialects()[dialect].key_form if dialect in _dialects() else None
    return KeyShape(form.prefix, form.mask) if form is not None else None


@cache
def _dialects() -> dict[str, Dialect]:
    return {dialect.name: dialect for dialect in find_dialects()}
