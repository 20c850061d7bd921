"""People signed in with a browser: a random secret in a cookie, of which only a hash is stored."""

import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from customerhub.core.access import hash_secret
from customerhub.core.hub import Hub
from customerhub.core.standing import check_member
from customerhub.core.system import PERMISSIONS, ROLES
from customerhub.model.answer import CONSOLE, Caller
from customerhub.model.catalogue import Catalogue, RoleDetails, User
from customerhub.model.error import NotFound, Unauthenticated
from customerhub.store import access as access_store
from customerhub.store import sessions as store
from customerhub.store.access import Login
from customerhub.store.sessions import Membership

__all__ = [
    "ADMINISTER",
    "Membership",
    "Person",
    "Seat",
    "find_person",
    "new_secret",
    "sign_out",
    "start_session",
    "take_seat",
]

ADMINISTER: Final = "administer"
"""What only administrators of a team may do in a browser: members, credentials, settings, where changes go."""

# Not every request of a busy session is worth a write.
_SEEN_SECONDS = 60


class Person(Struct, frozen=True):
    """Somebody signed in, and the teams of which they are an active member, by name."""

    login: UUID
    email: str
    memberships: tuple[Membership, ...]


class Seat(Struct, frozen=True):
    """A person at work in one team: who they are there, as a caller of use cases, and the team's catalogue."""

    membership: Membership
    caller: Caller
    member: User
    catalogue: Catalogue


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


async def take_seat(hub: Hub, person: Person, team: UUID) -> Seat:
    """The person in a team of theirs; raises NotFound for any other team, Unauthenticated for who was just disabled.

    Administrators may do everything there; members what their role lets them, or what an editor may where they have
    none. The history names the person, and all they do in a browser stands for one credential, without a secret.
    """
    membership = next((one for one in person.memberships if one.team == team), None)
    if membership is None:
        raise NotFound("team", str(team))
    # The same for ever, so that nobody has to look for it.
    credential = uuid5(membership.team_user, CONSOLE)
    caller = Caller(team, credential, membership.team_user, person.email, CONSOLE)
    async with hub.database.lease() as connection:
        if (team, credential) not in hub.consoles:
            await access_store.keep_console(connection, caller, membership.team_user, hub.now())
            hub.consoles.add((team, credential))
        standing = await hub.get_standing(connection, caller)
        catalogue = await hub.catalogue(connection, team, standing.catalogue_version)
    check_member(catalogue, caller)
    member = catalogue.find_user(membership.team_user)
    if member is None:
        raise Unauthenticated("unknown")
    caller = msgspec.structs.replace(caller, name=member.name or person.email, scopes=_find_scopes(member, catalogue))
    return Seat(membership, caller, member, catalogue)


def _find_scopes(member: User, catalogue: Catalogue) -> frozenset[str]:
    if member.role == "admin":
        return frozenset((*PERMISSIONS, ADMINISTER))
    role = catalogue.find_entry("role", member.access_role)
    if role is not None and isinstance(role.details, RoleDetails):
        return frozenset(role.details.permissions)
    return frozenset(ROLES["editor"][1])
