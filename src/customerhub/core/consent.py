"""A person lets a partner's application into a team, or does not."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.core.access import hash_secret
from customerhub.core.hub import Hub
from customerhub.core.partners import record_consent, settle_grant
from customerhub.core.redirects import add_query, is_registered
from customerhub.core.sessions import Membership, Person
from customerhub.model.answer import Caller
from customerhub.model.error import FieldError, Forbidden, Invalid, NotFound, SecretKeyError
from customerhub.store import partners as store
from customerhub.store import sessions as sessions_store
from customerhub.store.partners import Client, Grant

# Codes are looked at for a second use so long after their end.
_FORGOTTEN_AFTER = timedelta(days=1)


class _Sealed(Struct, frozen=True):
    """What a browser carries from the partner's start to the consent, encrypted, so that nobody can change it."""

    client_id: str
    redirect_uri: str
    state: str
    until: datetime


class Wish(Struct, frozen=True):
    """What a client asks of a person: access to a team, and where to answer."""

    client: Client
    redirect_uri: str
    state: str


def seal_wish(hub: Hub, wish: Wish) -> str:
    """The wish as text that a URL can carry. Raises Invalid (`redirect_uri`), SecretKeyError.

    Nothing is stored: anybody may ask for one, and most are never looked at again.
    """
    if not is_registered(wish.redirect_uri, wish.client.redirect_uris):
        raise Invalid((FieldError(("redirect_uri",), "invalid", "Invalid redirect uri"),))
    until = hub.now() + timedelta(seconds=hub.settings.consent_seconds)
    sealed = _Sealed(wish.client.client_id, wish.redirect_uri, wish.state, until)
    return hub.vault.encrypt(msgspec.json.encode(sealed).decode()).decode("ascii")


async def read_wish(hub: Hub, text: str) -> Wish:
    """The wish of a living client, as `seal_wish` made it not too long ago. Raises NotFound."""
    try:
        sealed = msgspec.json.decode(hub.vault.open(text.encode("utf-8", "surrogatepass")), type=_Sealed)
    except (SecretKeyError, msgspec.DecodeError):
        raise NotFound("authorization", "") from None
    if sealed.until <= hub.now():
        raise NotFound("authorization", "")
    async with hub.database.lease() as connection:
        client = await store.find_client(connection, sealed.client_id)
    return Wish(_check_wish(client, sealed.redirect_uri), sealed.redirect_uri, sealed.state)


def _check_wish(client: Client | None, redirect_uri: str) -> Client:
    if client is None or client.revoked_at is not None or not is_registered(redirect_uri, client.redirect_uris):
        raise NotFound("authorization", "")
    return client


def choices(wish: Wish, person: Person) -> tuple[Membership, ...]:
    """The teams of a person that this client could be let into: its own only, unless it was made for any."""
    client = wish.client
    return tuple(one for one in person.memberships if client.any_team or one.team == client.team)


async def allow(hub: Hub, wish: Wish, person: Person, team: UUID, request_id: str) -> str:
    """Let the client into a team; where the person is sent with a code. Raises Forbidden, NotFound."""
    now = hub.now()
    code = f"ac_{secrets.token_urlsafe(32)}"
    async with hub.database.transaction() as connection:
        client = _check_wish(await store.lock_client(connection, wish.client.client_id), wish.redirect_uri)
        # What the person was shown may be old: who is a member of what is asked again.
        memberships = await sessions_store.list_memberships(connection, person.login)
        fresh = Person(person.login, person.email, memberships)
        found = [one for one in choices(Wish(client, "", ""), fresh) if one.team == team]
        if not found:
            raise Forbidden("team")
        maker = Caller(team, person.login, found[0].team_user, person.email, "browser")
        credential = await settle_grant(hub, connection, client, maker, request_id)
        grant = Grant(team, credential, hub.new_id(), found[0].team_user)
        await store.forget_codes(connection, now - _FORGOTTEN_AFTER)
        expires_at = now + timedelta(seconds=hub.settings.code_seconds)
        await store.insert_code(connection, grant, client.client_id, hash_secret(code), now, expires_at)
        await record_consent(hub, connection, grant, client, maker, request_id)
    return add_query(wish.redirect_uri, code=code, state=wish.state)


def deny(wish: Wish) -> str:
    """Where the person is sent who does not let the client in; nothing has happened."""
    return add_query(
        wish.redirect_uri, error="access_denied", error_description="The user denied access.", state=wish.state
    )
