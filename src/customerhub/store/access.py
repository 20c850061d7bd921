"""Read and write teams, logins and credentials."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.answer import Caller
from customerhub.model.catalogue import TeamSettings
from customerhub.model.customer import email_key, name_key
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("access.sql")


class Team(Struct, frozen=True):
    """A tenant."""

    id: UUID
    name: str
    settings: TeamSettings
    version: int


class Standing(Struct, frozen=True):
    """Whether a credential is alive, and which snapshot its team is at."""

    revoked_at: datetime | None
    expires_at: datetime | None
    requires_precondition: bool
    catalogue_version: int


class Login(Struct, frozen=True):
    """Somebody who can sign in, and the team where they have been a member the longest (None: in none)."""

    id: UUID
    email: str
    password_hash: str | None
    team: UUID | None
    team_user: UUID | None
    first_name: str | None
    last_name: str | None


class Credential(Struct, frozen=True):
    """A way to ask, of one team and one dialect; `hint` is the part of the secret that may be shown again.

    `renews` is the first credential of the chain of which this is the newest secret.
    """

    team: UUID
    id: UUID
    dialect: str
    name: str
    created_at: datetime
    team_user: UUID | None = None
    scopes: tuple[str, ...] = ()
    requires_precondition: bool = False
    hint: str = ""
    expires_at: datetime | None = None
    role: UUID | None = None
    renews: UUID | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    version: int = 1


async def insert_team(connection: Connection, team: Team, at: datetime) -> None:
    """Store a team with its counter. Raises asyncpg.UniqueViolationError for a name that is taken."""
    settings = msgspec.json.encode(team.settings)
    await connection.execute(QUERIES["insert_team"], team.id, team.name, name_key(team.name), settings, at)
    await connection.execute(QUERIES["insert_counter"], team.id)


async def find_team(connection: Connection, team_id: UUID | None, name: str) -> Team | None:
    """A team by its id or by its name, ignoring case; the id wins."""
    row = await connection.fetchrow(QUERIES["find_team"], team_id, name_key(name))
    return Team(row[0], row[1], msgspec.json.decode(row[2], type=TeamSettings), row[3]) if row is not None else None


async def list_teams(connection: Connection) -> list[tuple[UUID, str, datetime]]:
    """Id, name and birth of every team, by name."""
    return [(row[0], row[1], row[2]) for row in await connection.fetch(QUERIES["list_teams"])]


async def lock_settings(connection: Connection, team: UUID) -> TeamSettings:
    """A team's settings as they stand, held until the transaction ends."""
    return msgspec.json.decode(await connection.fetchval(QUERIES["lock_settings"], team), type=TeamSettings)


async def update_settings(connection: Connection, team: UUID, settings: TeamSettings, at: datetime) -> int:
    """Store a team's settings and return its new version; every process reads them at its next request."""
    return int(await connection.fetchval(QUERIES["update_settings"], team, msgspec.json.encode(settings), at))


async def insert_login(
    connection: Connection, login_id: UUID, email: str, password_hash: str | None, at: datetime
) -> None:
    """Store a login. Raises asyncpg.UniqueViolationError where the email address has one."""
    await connection.execute(QUERIES["insert_login"], login_id, email, email_key(email), password_hash, at)


async def find_login(connection: Connection, email: str) -> Login | None:
    """The active login of an email address, ignoring case."""
    row = await connection.fetchrow(QUERIES["find_login"], email_key(email))
    return Login(*row) if row is not None else None


async def set_password(connection: Connection, login_id: UUID, password_hash: str, at: datetime) -> None:
    """Store another password."""
    await connection.execute(QUERIES["set_password"], login_id, password_hash, at)


async def insert_credential(connection: Connection, credential: Credential, secret_hash: bytes | None) -> None:
    """Store a credential and the way to find it by its secret, if it has one of its own."""
    await connection.execute(
        QUERIES["insert_credential"],
        credential.team,
        credential.id,
        credential.dialect,
        credential.name,
        credential.team_user,
        list(credential.scopes),
        credential.requires_precondition,
        credential.hint,
        credential.created_at,
        credential.expires_at,
        credential.role,
        credential.renews,
    )
    if secret_hash is not None:
        await connection.execute(QUERIES["insert_lookup"], secret_hash, credential.team, credential.id)


async def find_caller(connection: Connection, secret_hash: bytes, dialect: str) -> Caller | None:
    """Who a secret belongs to, alive or not."""
    row = await connection.fetchrow(QUERIES["find_credential"], secret_hash, dialect)
    if row is None:
        return None
    return Caller(row[0], row[1], row[2], row[3], dialect, frozenset(row[4]))


async def get_standing(connection: Connection, caller: Caller) -> Standing | None:
    """The state of the caller's credential now; None where it is gone."""
    row = await connection.fetchrow(QUERIES["get_standing"], caller.team, caller.credential)
    return Standing(*row) if row is not None else None


async def list_credentials(connection: Connection, team: UUID | None) -> list[dict[str, object]]:
    """Every credential of a team, or of all, the oldest first; nothing secret in it."""
    return [dict(row) for row in await connection.fetch(QUERIES["list_credentials"], team)]


async def find_credential(connection: Connection, credential_id: UUID) -> dict[str, object] | None:
    """Team and name of one credential, and the first of the chain that it belongs to."""
    row = await connection.fetchrow(QUERIES["find_credential_by_id"], credential_id)
    return dict(row) if row is not None else None


async def lock_credential(connection: Connection, team: UUID, first: UUID) -> bool:
    """Take a chain of credentials until the transaction ends; False where none begins with this one."""
    return await connection.fetchval(QUERIES["lock_credential"], team, first) is not None


async def list_chains(
    connection: Connection, team: UUID, dialect: str, first: UUID | None = None
) -> dict[UUID, list[Credential]]:
    """The credentials of a team and dialect by the first of their chain, or one chain; each chain oldest first."""
    chains: dict[UUID, list[Credential]] = {}
    for row in await connection.fetch(QUERIES["list_chains"], team, dialect, first):
        values = dict(row) | {"scopes": tuple(row["scopes"])}
        chains.setdefault(row["renews"] or row["id"], []).append(Credential(team=team, dialect=dialect, **values))
    return chains


async def revoke_credential(connection: Connection, team: UUID, first: UUID, at: datetime) -> int | None:
    """End a credential with all that renew it; the chain's new version, or None where it had ended before."""
    version, is_ended = await connection.fetchrow(QUERIES["revoke"], team, first, at)
    return version + 1 if is_ended else None


async def set_email_policy(connection: Connection, team: UUID, *, is_unique: bool) -> None:
    """Give every live customer its unique email key, or take it. Raises asyncpg.UniqueViolationError."""
    await connection.execute(QUERIES["set_email_policy"], team, is_unique)
