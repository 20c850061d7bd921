"""Read and write the sessions of people signed in with a browser."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from customerhub.store.access import Login
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("sessions.sql")


class Membership(Struct, frozen=True):
    """A team that a person belongs to, and who they are there."""

    team: UUID
    name: str
    team_user: UUID


class Session(Struct, frozen=True):
    """A living session."""

    login: UUID
    email: str
    seen_at: datetime


async def insert_session(
    connection: Connection, secret_hash: bytes, login: Login, at: datetime, expires_at: datetime
) -> bool:
    """Store a session; False where the login has another password since it was read."""
    values = secret_hash, login.id, at, expires_at, login.password_hash
    return await connection.fetchval(QUERIES["insert_session"], *values) is not None


async def find_session(
    connection: Connection, secret_hash: bytes, at: datetime, seen_after: datetime
) -> Session | None:
    """The living session of a secret, of a login that is active."""
    row = await connection.fetchrow(QUERIES["find_session"], secret_hash, at, seen_after)
    return Session(*row) if row is not None else None


async def see_session(connection: Connection, secret_hash: bytes, at: datetime) -> None:
    """Note that a session was used."""
    await connection.execute(QUERIES["see_session"], secret_hash, at)


async def delete_session(connection: Connection, secret_hash: bytes) -> None:
    """End a session; nothing where there is none."""
    await connection.execute(QUERIES["delete_session"], secret_hash)


async def forget_sessions(connection: Connection, at: datetime, seen_after: datetime) -> None:
    """Drop the sessions that have ended."""
    await connection.execute(QUERIES["forget_sessions"], at, seen_after)


async def list_memberships(connection: Connection, login: UUID) -> tuple[Membership, ...]:
    """The teams of which a person is an active member, by name."""
    return tuple(Membership(*row) for row in await connection.fetch(QUERIES["list_memberships"], login))
