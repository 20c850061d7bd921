"""Change members of teams, and look after the sessions of those who can sign in."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.catalogue import User
from customerhub.model.customer import email_key, name_key
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("members.sql")
_decode_user = msgspec.json.Decoder(User).decode


class SignedIn(Struct, frozen=True):
    """A session of a member: its id is made of what is stored, and nobody gets in with it."""

    id: UUID
    team_user: UUID
    email: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


async def lock_user(connection: Connection, team: UUID, user_id: UUID) -> User | None:
    """A member as they stand, held until the transaction ends."""
    row = await connection.fetchval(QUERIES["lock_user"], team, user_id)
    return _decode_user(row) if row is not None else None


async def hold_user(connection: Connection, team: UUID, user_id: UUID) -> bool:
    """Whether a member is active; if so nobody disables them before the transaction ends."""
    return bool(await connection.fetchval(QUERIES["hold_user"], team, user_id))


async def lock_admins(connection: Connection, team: UUID) -> frozenset[UUID]:
    """The team's administrators who can sign in, who stay that until the transaction ends."""
    return frozenset(row[0] for row in await connection.fetch(QUERIES["lock_admins"], team))


async def update_user(connection: Connection, team: UUID, user: User) -> None:
    """Store the next version of a member who is locked. Raises asyncpg.UniqueViolationError."""
    await connection.execute(
        QUERIES["update_user"],
        team,
        user.id,
        user.version - 1,
        user.login,
        user.email,
        email_key(user.email),
        user.first_name,
        user.last_name,
        user.phone,
        user.department,
        user.username,
        name_key(user.username) if user.username is not None else None,
        user.access_role,
        user.role,
        user.status,
        user.updated_at,
        user.updated_by,
    )


async def find_taken(connection: Connection, team: UUID, user: User) -> tuple[str, ...]:
    """The fields whose unique value somebody else has; an email address also where it signs in to another team."""
    row = await connection.fetchrow(
        QUERIES["find_taken_by_others"],
        team,
        user.id,
        email_key(user.email),
        name_key(user.username) if user.username is not None else None,
        user.login,
    )
    return tuple(field for field, taken in row.items() if taken) if row is not None else ()


async def set_login_email(connection: Connection, login: UUID, email: str, at: datetime) -> None:
    """Let somebody sign in by another email address. Raises asyncpg.UniqueViolationError."""
    await connection.execute(QUERIES["set_login_email"], login, email, email_key(email), at)


async def is_shared(connection: Connection, team: UUID, login: UUID) -> bool:
    """Whether a login is a member of another team too."""
    return bool(await connection.fetchval(QUERIES["is_shared"], team, login))


async def end_sessions(connection: Connection, login: UUID) -> int:
    """End every session of a login; how many there were."""
    return int(await connection.fetchval(QUERIES["end_sessions"], login))


async def list_sessions(connection: Connection, team: UUID, at: datetime, seen_after: datetime) -> list[SignedIn]:
    """The living sessions of a team's members, in no order."""
    return [SignedIn(*row) for row in await connection.fetch(QUERIES["list_sessions"], team, at, seen_after)]


async def delete_session(connection: Connection, team: UUID, session: UUID) -> bool:
    """End a session of a member; False where somebody was faster."""
    return await connection.fetchval(QUERIES["delete_session"], team, session) is not None
