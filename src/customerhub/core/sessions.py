"""People signed in with a browser: a random secret in a cookie, of which only a hash is stored."""

import secrets
from datetime import timedelta
from uuid import UUID

from msgspec import Struct

from customerhub.core.access import hash_secret
from customerhub.core.hub import Hub
from customerhub.model.error import Unauthenticated
from customerhub.store import sessions as store
from customerhub.store.access import Login
from customerhub.store.sessions import Membership

__all__ = ["Membership", "Person", "find_person", "new_secret", "sign_out", "start_session"]

# Not every request of a busy session is worth a write.
_SEEN_SECONDS = 60


class Person(Struct, frozen=True):
    """Somebody signed in, and the teams of which they are an active member, by name."""

    login: UUID
    email: str
    memberships: tuple[Membership, ...]


def new_secret() -> str:
    """256 random bits, fit for a cookie."""
    return secrets.token_urlsafe(32)


async def start_session(hub: Hub, login: Login, replaced: str | None) -> str:
    """The secret of a new session for somebody who has just proved who they are; the browser's earlier one ends.

    Always a new secret: one that was there before the sign-in may be known to somebody else. Raises Unauthenticated
    where the password was reset since it was shown.
    """
    secret, now = new_secret(), hub.now()
    expires_at = now + timedelta(seconds=hub.settings.session_seconds)
    async with hub.database.transaction() as connection:
        await store.forget_sessions(connection, now, now - timedelta(seconds=hub.settings.session_idle_seconds))
        if replaced is not None:
            await store.delete_session(connection, hash_secret(replaced))
        if not await store.insert_session(connection, hash_secret(secret), login, now, expires_at):
            raise Unauthenticated("wrong password")
    return secret


async def find_person(hub: Hub, secret: str | None) -> Person | None:
    """Who the session of this secret belongs to; None where it has ended, or never was."""
    if secret is None:
        return None
    secret_hash, now = hash_secret(secret), hub.now()
    seen_after = now - timedelta(seconds=hub.settings.session_idle_seconds)
    async with hub.database.lease() as connection:
        session = await store.find_session(connection, secret_hash, now, seen_after)
        if session is None:
            return None
        if now - session.seen_at >= timedelta(seconds=_SEEN_SECONDS):
            await store.see_session(connection, secret_hash, now)
        return Person(session.login, session.email, await store.list_memberships(connection, session.login))


async def sign_out(hub: Hub, secret: str) -> None:
    """End a session."""
    async with hub.database.lease() as connection:
        await store.delete_session(connection, hash_secret(secret))
