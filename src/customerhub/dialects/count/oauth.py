"""From a person's consent to tokens: the start of an authorization, and tokens for a code or a refresh token."""

import hmac
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import msgspec

from customerhub.core.consent import Wish, seal_wish
from customerhub.core.guarded import Done, Work, write_guarded
from customerhub.core.partners import Tokens, end_if_used, exchange, find_access
from customerhub.core.standing import check_precondition
from customerhub.dialects.count import grants
from customerhub.dialects.count.auth import NAME, verify_client
from customerhub.dialects.count.show import to_time
from customerhub.model.answer import Answer, Caller
from customerhub.model.error import FieldError, Invalid, InvalidGrant, Unauthenticated
from customerhub.store.partners import Client, Kind
from customerhub.web.guards import ignored_header
from customerhub.web.operation import Call, Operation

_SPELLINGS: Final = ("authorize-intiate", "authorize-initiate")
# The names of each member in the vendor's documents and in its clients, and the grant type that goes with each kind.
_GRANT_TYPE: Final = ("grantType", "grant_type")
_CLIENT: Final = (("client_id", "clientId"), ("client_secret", "clientSecret"))
_SECRETS: Final[dict[Kind, tuple[str, ...]]] = {"code": ("code",), "refresh_token": ("refreshToken", "refresh_token")}
_GRANT_TYPES: Final[dict[Kind, str]] = {"code": "authorization_code", "refresh_token": "refresh_token"}


async def start(call: Call) -> Answer:
    """`GET /auth2/authorize-intiate`: 200 with the address at which a person signs in and allows or denies.

    Neither signed nor with a token. Raises Invalid, Unauthenticated for an unknown client.
    """
    values = {name: call.query.getlist(name) for name in ("clientId", "redirectUri", "state")}
    errors = [
        FieldError((name,), "required", "is required, once")
        for name, found in values.items()
        if len(found) != 1 or not found[0]
    ]
    if not errors and len(values["state"][0]) > grants.MAX_STATE:
        errors.append(FieldError(("state",), "too_long", f"must be at most {grants.MAX_STATE} characters"))
    if errors:
        raise Invalid(tuple(errors))
    client_id, redirect_uri, state = (found[0] for found in values.values())
    client, _ = await find_access(call.hub, NAME, client_id, None)
    try:
        sealed = seal_wish(call.hub, Wish(client, redirect_uri, state))
    except Invalid:
        raise Invalid((FieldError(("redirectUri",), "invalid", "Invalid redirect uri"),)) from None
    base_url = call.incoming.base_url(call.hub.settings.public_url)
    # The documents show it flat, and the vendor's clients read it under `data`.
    there = {"redirectUri": f"{base_url}/authorize?request={quote(sealed)}"}
    return _answer({"message": "Redirect the user to sign in", **there, "data": there})


async def grant_access_token(call: Call) -> Answer:
    """`POST /partners/grant-access-token`: 200 with tokens for the code of a consent; signed, without a token."""
    return await _give(call, "code", "Access token granted", grant_type_required=False)


async def refresh_access_token(call: Call) -> Answer:
    """`POST /partners/refresh-user-access-token`: 200 with new tokens; the refresh token sent is dead afterwards."""
    return await _give(call, "refresh_token", "Access token refreshed", grant_type_required=True)


async def _give(call: Call, kind: Kind, message: str, *, grant_type_required: bool) -> Answer:
    client = await verify_client(call.hub, call.incoming)
    body = call.json_object()
    errors: list[FieldError] = []
    secret = _read(body, _SECRETS[kind], errors, is_required=True)
    grant_type = _read(body, _GRANT_TYPE, errors, is_required=grant_type_required)
    if grant_type is not None and grant_type != _GRANT_TYPES[kind]:
        errors.append(FieldError((_sent(body, _GRANT_TYPE),), "invalid_enum", f"must be {_GRANT_TYPES[kind]}"))
    _check_client_fields(call, client, body, errors)
    if errors or secret is None:
        raise Invalid(tuple(errors))
    known = {*_SECRETS[kind], *_GRANT_TYPE, *_CLIENT[0], *_CLIENT[1]}
    call.command.ignored[:] = [name for name in body if name not in known]
    # Which team it will be is only known inside; an idempotency key is the client's own.
    command = replace(call.command, caller=Caller(client.team, client.id, client.id, client.name, NAME))

    async def work(scene: Work) -> Done:
        check_precondition(command.guards, None, is_required=False)
        tokens = await exchange(call.hub, scene.connection, client, kind, secret)
        shown: dict[str, object] = {"message": message, "data": {"result": _show(tokens)}}
        return Done(_answer(shown, call.command.ignored), is_secret=True)

    try:
        return await write_guarded(call.hub, command, work, has_credential=False)
    except InvalidGrant:
        if not command.guards.dry_run:
            await end_if_used(call.hub, client, kind, secret, command.request_id)
        raise


def _sent(body: dict[str, object], names: tuple[str, ...]) -> str:
    """The spelling that the client uses, or the first."""
    return next((name for name in names if name in body), names[0])


def _read(
    body: dict[str, object], names: tuple[str, ...], errors: list[FieldError], *, is_required: bool
) -> str | None:
    """The text of a member that has several names; two names with two values contradict each other."""
    place = (_sent(body, names),)
    found = [body[name] for name in names if body.get(name) is not None]
    if not found:
        if is_required:
            errors.append(FieldError(place, "required", "is required"))
        return None
    value = found[0]
    if not isinstance(value, str) or not value:
        errors.append(FieldError(place, "invalid_type", "must be a string that is not empty"))
        return None
    if any(other != value for other in found):
        errors.append(FieldError(place, "ambiguous", f"has two values, as {' and '.join(names)}"))
    return value


def _check_client_fields(call: Call, client: Client, body: dict[str, object], errors: list[FieldError]) -> None:
    """Client fields may be left out; where they stand they must be those of the client that signed."""
    given = [_read(body, names, errors, is_required=False) for names in _CLIENT]
    for value, right in zip(given, (client.client_id, call.hub.vault.decrypt(client.secret)), strict=True):
        if value is not None and not hmac.compare_digest(value.encode("utf-8", "surrogatepass"), right.encode()):
            raise Unauthenticated("invalid_client")


def _show(tokens: Tokens) -> dict[str, str]:
    return {
        "accessToken": tokens.access,
        "refreshToken": tokens.refresh,
        "accessTokenExpiresAt": to_time(tokens.access_expires_at),
        "refreshTokenExpiresAt": to_time(tokens.refresh_expires_at),
        "workspaceId": str(tokens.team.id),
        "workspaceName": tokens.team.name,
    }


def _answer(members: dict[str, object], ignored: Sequence[str] = ()) -> Answer:
    answer = Answer(200, msgspec.json.encode({"status": "success", **members}), (("content-type", "application/json"),))
    named = ignored_header(ignored)
    return answer.with_header("customerhub-ignored", named) if named is not None else answer


OPERATIONS: tuple[Operation, ...] = (
    *(
        Operation(
            method="GET",
            path=f"/auth2/{spelling}",
            name=name,
            summary="Start an authorization",
            description="Send the person to `redirectUri`; they come back to yours with `code` and `state`.",
            handler=start,
            query=grants.StartQuery,
            answer=grants.StartAnswer,
            errors=(401,),
            tags=("Authorization",),
            is_public=True,
        )
        for spelling, name in zip(_SPELLINGS, ("startAuthorization", "startAuthorizationAgain"), strict=True)
    ),
    Operation(
        method="POST",
        path="/partners/grant-access-token",
        name="grantAccessToken",
        summary="Take tokens for a code",
        description="Signed, without an access token. A code is good once and for a minute.",
        handler=grant_access_token,
        body=grants.CodeBody,
        answer=grants.TokensAnswer,
        errors=(401, 403, 429),
        tags=("Authorization",),
        writes=True,
        creates=True,
        is_public=True,
        is_secret=True,
        examples={"body": {"grantType": "authorization_code", "code": "ac_9f27c1d04b"}},
    ),
    Operation(
        method="POST",
        path="/partners/refresh-user-access-token",
        name="refreshUserAccessToken",
        summary="Take new tokens for a refresh token",
        description="Signed, without an access token. A refresh token is good once; used again, all its kin end.",
        handler=refresh_access_token,
        body=grants.RefreshBody,
        answer=grants.TokensAnswer,
        errors=(401, 403, 429),
        tags=("Authorization",),
        writes=True,
        creates=True,
        is_public=True,
        is_secret=True,
        examples={"body": {"grantType": "refresh_token", "refreshToken": "rt_4b81e6c2f0"}},
    ),
)
