"""Who may ask: secrets to callers, passwords to logins, new credentials."""

import asyncio
import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime
from functools import cache, partial
from typing import Final
from uuid import UUID

import argon2

from customerhub.core.hub import Hub
from customerhub.model.answer import COMMAND_LINE, Caller
from customerhub.model.change import FieldChange
from customerhub.model.error import Conflict, FieldError, Forbidden, Unauthenticated
from customerhub.store import access as store
from customerhub.store.access import Credential, Login
from customerhub.store.catalogue import AuditRow, insert_audit
from customerhub.store.db import Connection
from customerhub.store.members import hold_user

OPERATOR: Final = "operator"
"""The power over all teams of a hub: asked for by name, included in no other."""

_REMEMBERED = 10_000
_HASHER = argon2.PasswordHasher()


def hash_secret(secret: str) -> bytes:
    """What is stored of a secret: SHA-256; enough for 256 random bits, and the only thing that is ever compared."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


async def find_caller(hub: Hub, dialect: str, secret: str) -> Caller:
    """The caller of a secret; raises Unauthenticated for an unknown one.

    Callers are remembered by the process, so whether the credential still is alive is asked again by every use
    case's own first query.
    """
    place = (dialect, hash_secret(secret))
    caller = hub.callers.get(place)
    if caller is None:
        async with hub.database.lease() as connection:
            caller = await store.find_caller(connection, place[1], dialect)
        if caller is None:
            raise Unauthenticated("unknown")
        if len(hub.callers) >= _REMEMBERED:
            hub.callers.clear()
        hub.callers[place] = caller
    return caller


async def hash_password(hub: Hub, password: str) -> str:
    """The argon2id hash of a password, made in one of two threads."""
    return await asyncio.get_running_loop().run_in_executor(hub.hashing, _HASHER.hash, password)


def find_end_errors(expires_at: datetime | None, now: datetime) -> tuple[FieldError, ...]:
    """What is wrong with the end of a credential to be."""
    if expires_at is None or expires_at > now:
        return ()
    return (FieldError(("expires_at",), "past", "must lie in the future"),)


class Hashes:
    """The hashes of one request's passwords: each is made once, and while no transaction is open."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._made: dict[str, str] = {}

    def find(self, password: str) -> str | None:
        """The hash, if it has been made."""
        return self._made.get(password)

    async def make(self, password: str) -> None:
        """Make the hash."""
        self._made[password] = await hash_password(self._hub, password)


async def sign_in(hub: Hub, email: str, password: str) -> Login:
    """The login of an email address; raises Unauthenticated alike for unknown addresses and wrong passwords."""
    async with hub.database.lease() as connection:
        login = await store.find_login(connection, email)
    stored = login.password_hash if login is not None else None
    loop = asyncio.get_running_loop()
    is_right = await loop.run_in_executor(hub.hashing, partial(_verify, stored, password))
    if login is None or not is_right:
        raise Unauthenticated("wrong password")
    return login


def _verify(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one; where none is stored it takes as long to say no."""
    try:
        _HASHER.verify(stored or _nobody(), password)
    except argon2.exceptions.VerificationError:
        return False
    return stored is not None


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe(32))


def has_power(caller: Caller, permission: str) -> bool:
    """Whether somebody may do this; the person at the command line may all."""
    return caller.dialect == COMMAND_LINE or permission in caller.scopes


def check_power(caller: Caller, permissions: Iterable[str]) -> None:
    """Raise Forbidden where somebody would hand on, or take, what they may not do themselves; the operator may all."""
    for permission in permissions:
        if not has_power(caller, permission):
            raise Forbidden(permission)


def make_secret(prefix: str, mask: str) -> tuple[str, str]:
    """A new secret, 256 random bits behind `prefix`, and what may be shown of it again."""
    secret = prefix + secrets.token_urlsafe(32)
    return secret, f"{prefix}{mask}{secret[-4:]}"


async def check_active(connection: Connection, team: UUID, team_user: UUID | None) -> None:
    """Raise Conflict for a member who is disabled; one who is not stays so until the transaction ends."""
    if team_user is not None and not await hold_user(connection, team, team_user):
        raise Conflict("this user is disabled")


async def store_credential(  # noqa: PLR0913 - a credential has that many marks, all named by keyword
    hub: Hub,
    connection: Connection,
    maker: Caller,
    *,
    name: str,
    prefix: str,
    request_id: str,
    dialect: str | None = None,
    team_user: UUID | None = None,
    scopes: tuple[str, ...] = (),
    requires_precondition: bool = False,
    expires_at: datetime | None = None,
    role: UUID | None = None,
    mask: str = "…",
) -> tuple[Credential, str]:
    """Make a credential of the maker's team and, if no other is named, dialect; with an audit row.

    Raises Conflict for a member who is disabled.

    The secret is returned and only its hash is kept, with a hint for people: `prefix`, `mask` and the end of it.
    """
    await check_active(connection, maker.team, team_user)
    secret, hint = make_secret(prefix, mask)
    credential = Credential(
        team=maker.team,
        id=hub.new_id(),
        dialect=dialect or maker.dialect,
        name=name,
        created_at=hub.now(),
        team_user=team_user,
        scopes=scopes,
        requires_precondition=requires_precondition,
        hint=hint,
        expires_at=expires_at,
        role=role,
    )
    await store.insert_credential(connection, credential, hash_secret(secret))
    what = [FieldChange("/name", None, name), FieldChange("/dialect", None, credential.dialect)]
    if role is None and scopes:
        what.append(FieldChange("/scopes", None, scopes))
    row = AuditRow("credential", credential.id, 1, credential.created_at, "created", request_id, tuple(what))
    await insert_audit(connection, maker, row)
    return credential, secret
