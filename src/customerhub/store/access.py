"""Read and write teams, logins and credentials."""

from datetime import datetime
from uuid import UUID

import msgspec
from asyncpg import Record
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
    created_at: datetime
    updated_at: datetime


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

    `renews` is the first credential of the chain of which this is the newest secret. `replaced_at`: since when there is
    a newer one; `rate_limit` is None for the team's.
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
    rate_limit: str | None = None
    replaced_at: datetime | None = None


async def insert_team(connection: Connection, team: Team) -> None:
    """Store a team with its counter. Raises asyncpg.UniqueViolationError for a name that is taken."""
    settings = msgspec.json.encode(team.settings)
    await connection.execute(QUERIES["insert_team"], team.id, team.name, name_key(team.name), settings, team.created_at)
    await connection.execute(QUERIES["insert_counter"], team.id)


async def find_team(connection: Connection, team_id: UUID | None, name: str) -> Team | None:
    """A team by its id or by its name, ignoring case; the id wins."""
    row = await connection.fetchrow(QUERIES["find_team"], team_id, name_key(name))
    return _to_team(row) if row is not None else None


async def list_teams(connection: Connection) -> list[Team]:
    """Every team, by name."""
    return [_to_team(row) for row in await connection.fetch(QUERIES["list_teams"])]


async def lock_team(connection: Connection, team: UUID) -> Team | None:
    """A team as it stands, held until the transaction ends."""
    row = await connection.fetchrow(QUERIES["lock_team"], team)
    return _to_team(row) if row is not None else None


async def update_settings(connection: Connection, team: UUID, settings: TeamSettings, at: datetime) -> None:
    """Store a team's settings as its next version; every process reads them at its next request."""
    await connection.execute(QUERIES["update_settings"], team, msgspec.json.encode(settings), at)


async def rename_team(connection: Connection, team: UUID, name: str, at: datetime) -> None:
    """Store a team's name as its next version. Raises asyncpg.UniqueViolationError for one that is taken."""
    await connection.execute(QUERIES["rename_team"], team, name, name_key(name), at)


async def list_sharing(connection: Connection, team: UUID) -> tuple[int, list[UUID]]:
    """How many live customers share their email address with others, and a few of them."""
    rows = await connection.fetch(QUERIES["list_sharing"], team)
    return (rows[0][1] if rows else 0), [row[0] for row in rows]


def _to_team(row: Record) -> Team:
    return Team(row[0], row[1], msgspec.json.decode(row[2], type=TeamSettings), *row[3:])


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
        credential.rate_limit,
    )
    if secret_hash is not None:
        await connection.execute(QUERIES["insert_lookup"], secret_hash, credential.team, credential.id)


async def keep_console(connection: Connection, member: Caller, team_user: UUID, at: datetime) -> None:
    """Store what a member's browser sessions stand for, unless it is there."""
    values = member.team, member.credential, member.dialect, member.name, team_user, at
    await connection.execute(QUERIES["keep_console"], *values)


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


async def get_operator_standing(connection: Connection, team: UUID) -> Standing | None:
    """What the operator asks a team with; None where there is no such team."""
    version = await connection.fetchval(QUERIES["get_team_standing"], team)
    return Standing(None, None, requires_precondition=False, catalogue_version=version) if version is not None else None


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
    connection: Connection, team: UUID, dialect: str | None, first: UUID | None = None
) -> dict[UUID, list[Credential]]:
    """The credentials of a team by the first of their chain, or one chain; of one dialect or of all (None).

    Each chain has its oldest first.
    """
    chains: dict[UUID, list[Credential]] = {}
    for row in await connection.fetch(QUERIES["list_chains"], team, dialect, first):
        values = dict(row) | {"scopes": tuple(row["scopes"])}
        chains.setdefault(row["renews"] or row["id"], []).append(Credential(team=team, **values))
    return chains


async def revoke_credential(connection: Connection, team: UUID, first: UUID, at: datetime) -> int | None:
    """End a credential with all that renew it; the chain's new version, or None where it had ended before."""
    version, is_ended = await connection.fetchrow(QUERIES["revoke"], team, first, at)
    return version + 1 if is_ended else None


async def replace_credential(connection: Connection, team: UUID, first: UUID, at: datetime, until: datetime) -> None:
    """Let the living secrets of a chain go on until then at the latest, because there is another one."""
    await connection.execute(QUERIES["replace"], team, first, at, until)


async def set_marks(connection: Connection, first: UUID, marked: Credential) -> None:
    """Give what is alive of a chain the marks of this credential: its precondition, its rate limit and its end."""
    await connection.execute(
        QUERIES["set_marks"],
        marked.team,
        first,
        marked.requires_precondition,
        marked.rate_limit,
        marked.expires_at,
    )


async def has_secret(connection: Connection, team: UUID, credential: UUID) -> bool:
    """Whether callers show a secret of the credential's own, and not something that leads to it."""
    return bool(await connection.fetchval(QUERIES["has_secret"], team, credential))


async def set_email_policy(connection: Connection, team: UUID, *, is_unique: bool) -> None:
    """Give every live customer its unique email key, or take it. Raises asyncpg.UniqueViolationError."""
    await connection.execute(QUERIES["set_email_policy"], team, is_unique)
