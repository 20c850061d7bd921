"""`/v1/auth/api-keys`: keys made, renewed and ended by those who have one."""

import re
from datetime import UTC, datetime
from typing import Annotated, Required, get_args

from msgspec import UNSET
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from customerhub.core import api_keys as core
from customerhub.core.api_keys import ApiKey, ApiKeyProposal, ApiKeyValues, RenewalProposal
from customerhub.dialects.augno import models
from customerhub.dialects.augno.answers import Shown, respond, to_time, to_time_or_none
from customerhub.dialects.augno.auth import MASK, PREFIX
from customerhub.dialects.augno.ids import API_KEY, NOBODY, ROLE, from_id, from_path, to_id
from customerhub.dialects.augno.include import Includes, read_includes
from customerhub.dialects.augno.paging import QueryReader, holds, read_page, to_scope, to_window_page
from customerhub.dialects.augno.read import Body, Draft
from customerhub.dialects.augno.resources.family import read, to_model, to_sent
from customerhub.dialects.augno.resources.models import ApiKey as ShownApiKey
from customerhub.dialects.augno.resources.models import NewApiKey
from customerhub.dialects.augno.resources.queries import ApiKeyListQuery, ApiKeyQuery, KeyStatus
from customerhub.dialects.augno.resources.shown import to_role
from customerhub.dialects.augno.wire import CONFIG, Name
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.page import window
from customerhub.web.operation import Call, Operation

_INCLUDES = ("role", "role.permissions")
_STATUSES: tuple[KeyStatus, ...] = get_args(KeyStatus)
_TAG = "API keys"
_KEYS = "/v1/auth/api-keys"
# RFC 3339, 5.6.
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


def _find_time(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC) if _TIME.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def _time(text: str) -> str:
    if _find_time(text) is None:
        raise PydanticCustomError("type", "must be a time with its zone, for example 2027-03-02T15:04:05Z")
    return text


Time = Annotated[str, AfterValidator(_time)]


class ApiKeyBody(TypedDict, total=False):
    """A key to make; without an end it lives until it is revoked."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    role_id: Required[str]
    name: Required[Name]
    expires_at: Time


class RotationBody(TypedDict, total=False):
    """When the new secret ends, if not as the old one."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    expires_at: Time


_BODY, _ROTATION = to_model(ApiKeyBody), to_model(RotationBody)


def to_api_key(key: ApiKey, catalogue: Catalogue, includes: Includes) -> Shown:
    """A key, without its secret."""
    role = catalogue.find_entry("role", key.role) if "role" in includes else None
    return {
        "id": to_id(API_KEY, key.id),
        "object": "api_key",
        "name": key.name,
        "redacted_value": key.hint,
        "role": to_role(role, catalogue, includes.under("role")) if role is not None else None,
        "created_at": to_time(key.created_at),
        "updated_at": to_time(key.updated_at),
        "last_used_at": to_time_or_none(key.last_used_at),
        "expires_at": to_time_or_none(key.expires_at),
        "revoked_at": to_time_or_none(key.revoked_at),
    }


async def list_page(call: Call) -> Answer:
    """`GET /v1/auth/api-keys`: 200; those that have ended are among them."""
    includes = read_includes(call.query, _INCLUDES)
    reader, scope = QueryReader(call.query), to_scope(call, "API keys")
    asked = read_page(reader, scope)
    statuses = reader.choices("statuses", _STATUSES)
    reader.check()
    keys, catalogue = await core.list_api_keys(call.hub, call.caller)
    now = call.hub.now()
    chosen = (
        key for key in keys if (not statuses or key.status(now) in statuses) and holds(asked.text, key.name, key.hint)
    )
    page = window(chosen, asked.position, asked.limit)
    rows = [to_api_key(key, catalogue, includes) for key in page.items]
    return respond(call, 200, to_window_page(scope, rows, page.before, page.after))


async def get(call: Call) -> Answer:
    """`GET /v1/auth/api-keys/{id}`: 200."""
    includes = read_includes(call.query, _INCLUDES)
    key, catalogue = await core.get_api_key(call.hub, call.caller, from_path(call.path["id"], API_KEY))
    return respond(call, 200, to_api_key(key, catalogue, includes), key.version)


async def create(call: Call) -> Answer:
    """`POST /v1/auth/api-keys`: 201 with the secret, this once."""
    includes = read_includes(call.query, _INCLUDES)
    seen = Catalogue(0)

    def decide(catalogue: Catalogue) -> ApiKeyProposal:
        nonlocal seen
        seen = catalogue
        draft = read(call, _BODY, catalogue, None)
        call.command.ignored[:] = draft.ignored
        sent = to_sent(draft)
        role = from_id(sent.get("role_id"), ROLE)
        if "role_id" in sent and catalogue.find_live("role", role) is None:
            draft.refuse(("role_id",), "unknown_id", "names no role of this account")
        values = ApiKeyValues(str(sent.get("name", "")), role or NOBODY, _to_end(call, draft, sent))
        return ApiKeyProposal(values, draft.found())

    def render(key: ApiKey, secret: str) -> Answer:
        return _respond_once(call, key, secret, to_api_key(key, seen, includes))

    return await core.create_api_key(call.hub, call.command, decide, render, prefix=PREFIX, mask=MASK)


async def rotate(call: Call) -> Answer:
    """`POST /v1/auth/api-keys/{id}/actions/rotate`: 201 with the new secret; the old one is good no more."""
    includes = read_includes(call.query, _INCLUDES)
    seen = Catalogue(0)

    def decide(catalogue: Catalogue) -> RenewalProposal:
        nonlocal seen
        seen = catalogue
        draft = read(call, _ROTATION, catalogue, None)
        call.command.ignored[:] = draft.ignored
        expires_at = _to_end(call, draft, to_sent(draft))
        return RenewalProposal(expires_at if expires_at is not None else UNSET, draft.found())

    def render(key: ApiKey, secret: str) -> Answer:
        return _respond_once(call, key, secret, to_api_key(key, seen, includes))

    key_id = from_path(call.path["id"], API_KEY)
    return await core.rotate_api_key(call.hub, call.command, key_id, render, prefix=PREFIX, mask=MASK, decide=decide)


async def revoke(call: Call) -> Answer:
    """`DELETE /v1/auth/api-keys/{id}`: 200 with an empty object; twice is once, since the key stays readable."""
    key_id = from_path(call.path["id"], API_KEY)
    return await core.revoke_api_key(call.hub, call.command, key_id, lambda _: respond(call, 200, {}))


def _to_end(call: Call, draft: Draft, sent: Body) -> datetime | None:
    found = _find_time(str(sent["expires_at"])) if "expires_at" in sent else None
    if found is not None and found <= call.hub.now():
        draft.refuse(("expires_at",), "past", "must lie in the future")
    return found


def _respond_once(call: Call, key: ApiKey, secret: str, shown: Shown) -> Answer:
    return respond(call, 201, {"api_key_secret": secret, "api_key_info": shown}, key.version)


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path=_KEYS,
        name="listApiKeys",
        summary="List API keys",
        description="The newest first, those that have ended among them. `q` looks into name and redacted value.",
        handler=list_page,
        query=ApiKeyListQuery,
        answer=models.Page[ShownApiKey],
        tags=(_TAG,),
        permissions=("api_keys:read",),
    ),
    Operation(
        method="POST",
        path=_KEYS,
        name="createApiKey",
        summary="Create an API key",
        description="Its secret is in this answer and nowhere else. A key can be given no role that may do more.",
        handler=create,
        status=201,
        body=ApiKeyBody,
        query=ApiKeyQuery,
        answer=NewApiKey,
        tags=(_TAG,),
        writes=True,
        creates=True,
        permissions=("api_keys:create",),
        is_secret=True,
        examples={"body": {"role_id": "rl_4k0w6h2m8t1c5x9z3q7v0b4d6f", "name": "Warehouse sync"}},
    ),
    Operation(
        method="GET",
        path=f"{_KEYS}/{{id}}",
        name="getApiKey",
        summary="Get an API key",
        handler=get,
        query=ApiKeyQuery,
        answer=ShownApiKey,
        errors=(404,),
        tags=(_TAG,),
        permissions=("api_keys:read",),
    ),
    Operation(
        method="POST",
        path=f"{_KEYS}/{{id}}/actions/rotate",
        name="rotateApiKey",
        summary="Rotate an API key",
        description="The key keeps its id, name and role; the very next use of its old secret fails.",
        handler=rotate,
        status=201,
        body=RotationBody,
        body_required=False,
        query=ApiKeyQuery,
        answer=NewApiKey,
        errors=(404, 409),
        tags=(_TAG,),
        writes=True,
        permissions=("api_keys:update",),
        is_secret=True,
        examples={"body": {}},
    ),
    Operation(
        method="DELETE",
        path=f"{_KEYS}/{{id}}",
        name="revokeApiKey",
        summary="Revoke an API key",
        description="It stays readable, with `revoked_at`. The key that asks may be the one that ends.",
        handler=revoke,
        answer=models.Nothing,
        errors=(404,),
        tags=(_TAG,),
        writes=True,
        takes_key=False,
        permissions=("api_keys:delete",),
    ),
)
