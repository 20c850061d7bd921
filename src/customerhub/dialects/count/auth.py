"""How a COUNT caller is known: a signing client, its signature, and the token that names the team."""

from collections.abc import Mapping
from typing import Final

from customerhub.core.hub import Hub
from customerhub.core.partners import NewClient, create_client, find_access
from customerhub.dialects.count.show import to_time
from customerhub.dialects.count.signing import find_distance, is_signed_by, to_base_strings
from customerhub.model.answer import Caller
from customerhub.model.error import Forbidden, Malformed, Unauthenticated
from customerhub.store.access import Team
from customerhub.store.partners import Access, Client
from customerhub.web.dialect import CredentialOrder, Incoming

NAME: Final = "count"

_SIGNING: Final = ("x-client-id", "x-signature", "x-timestamp")
_UNSIGNED: Final = ("GET", "HEAD", "DELETE")


async def authenticate(hub: Hub, incoming: Incoming) -> Caller:
    """The caller of a signed request with a bearer token, the cheapest and least telling check first.

    Raises Unauthenticated (`missing_credentials`, `invalid_client`, `timestamp_out_of_range`, `invalid_signature`,
    `invalid_token`, `token_expired`), Forbidden where the client may not serve the token's team, RateLimited, and
    Malformed for a body that no signature covers.
    """
    token = _to_token(incoming.headers.getlist("authorization"))
    client, access = await _verify(hub, incoming, token)
    if token is None:
        raise Unauthenticated("missing_credentials")
    if access is None or access.is_ended:
        raise Unauthenticated("invalid_token")
    if access.expires_at <= hub.now():
        raise Unauthenticated("token_expired")
    if access.team != client.team and not client.any_team:
        raise Forbidden("team")
    if incoming.has_body and incoming.method in _UNSIGNED:
        raise Malformed(f"{incoming.method} takes no body, since the signature would not cover it")
    return Caller(access.team, access.credential, access.actor, client.name, NAME)


async def verify_client(hub: Hub, incoming: Incoming) -> Client:
    """The client that signed a request without a token; raises as `authenticate` does."""
    client, _ = await _verify(hub, incoming, None)
    return client


async def _verify(hub: Hub, incoming: Incoming, token: str | None) -> tuple[Client, Access | None]:
    """The client behind a valid signature; a failure counts against the address, and never a request that is valid."""
    try:
        client, access = await _check_signature(hub, incoming, token)
    except Unauthenticated:
        await incoming.limits.count_failure(incoming.client_address)
        raise
    # Here and not after the token is known, so that a client's limit holds whatever token it sends.
    await incoming.limits.check_credential(client.id)
    return client, access


async def _check_signature(hub: Hub, incoming: Incoming, token: str | None) -> tuple[Client, Access | None]:
    sent = [incoming.headers.getlist(name) for name in _SIGNING]
    if not all(len(values) == 1 and values[0] for values in sent):
        raise Unauthenticated("missing_credentials")
    client_id, signature, timestamp = (values[0] for values in sent)
    client, access = await find_access(hub, NAME, client_id, token)
    now = hub.clients_now()
    distance = find_distance(timestamp, now)
    if distance is None or distance > hub.settings.signature_seconds:
        raise Unauthenticated("timestamp_out_of_range", {"serverTime": f"{now:%Y-%m-%dT%H:%M:%S}.{now:%f}"[:23] + "Z"})
    base_strings = to_base_strings(incoming.method, incoming.raw_path, timestamp, incoming.body)
    if not is_signed_by(hub.vault.decrypt(client.secret), signature, base_strings):
        raise Unauthenticated("invalid_signature")
    return client, access


def _to_token(lines: list[str]) -> str | None:
    """The token of `Authorization: Bearer <token>` (RFC 6750, 2.1); the scheme in any case."""
    if len(lines) != 1:
        return None
    scheme, _, token = lines[0].partition(" ")
    return token.strip(" ") or None if scheme.lower() == "bearer" else None


async def create_credential(hub: Hub, team: Team, order: CredentialOrder) -> Mapping[str, object]:
    """A signing client with tokens for its own team; the secret and the tokens are shown this once."""
    new = NewClient(
        dialect=NAME,
        name=order.name,
        redirect_uris=order.redirect_uris,
        any_team=order.any_team,
        team_user=order.team_user,
        requires_precondition=order.requires_precondition,
        is_lasting=order.is_lasting,
        by=order.by,
    )
    made = await create_client(hub, team, new)
    return {
        "id": str(made.credential),
        "name": order.name,
        "client_id": made.client_id,
        "client_secret": made.secret,
        "access_token": made.tokens.access,
        "refresh_token": made.tokens.refresh,
        "access_token_expires_at": to_time(made.tokens.access_expires_at),
        "refresh_token_expires_at": to_time(made.tokens.refresh_expires_at),
        "team_id": str(team.id),
    }
