"""Read and write partner applications: clients, their grants, codes and tokens."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("partners.sql")

Kind = Literal["code", "refresh_token"]


class Client(Struct, frozen=True):
    """A partner's application; `secret` is encrypted, `team` is its own."""

    team: UUID
    client_id: str
    id: UUID
    dialect: str
    name: str
    secret: bytes
    redirect_uris: tuple[str, ...]
    any_team: bool
    requires_precondition: bool
    revoked_at: datetime | None = None


class Grant(Struct, frozen=True):
    """A credential that a client has in a team, the consent it came from, and who gave it (the credential: nobody)."""

    team: UUID
    credential: UUID
    family: UUID
    actor: UUID


class Access(Struct, frozen=True):
    """What an access token stands for; `is_ended` covers its own end and that of its grant and of who gave it."""

    team: UUID
    credential: UUID
    actor: UUID
    expires_at: datetime
    is_ended: bool


async def insert_client(connection: Connection, client: Client, at: datetime) -> None:
    """Store a client."""
    await connection.execute(
        QUERIES["insert_client"],
        client.team,
        client.client_id,
        client.id,
        client.dialect,
        client.name,
        client.secret,
        list(client.redirect_uris),
        client.any_team,
        client.requires_precondition,
        at,
    )


async def find_client(connection: Connection, client_id: str) -> Client | None:
    """A client, alive or not."""
    row = await connection.fetchrow(QUERIES["find_client"], client_id)
    return _to_client(tuple(row)) if row is not None else None


async def lock_client(connection: Connection, client_id: str) -> Client | None:
    """A client, alive or not, held until the transaction ends."""
    row = await connection.fetchrow(QUERIES["lock_client"], client_id)
    return _to_client(tuple(row)) if row is not None else None


def _to_client(row: tuple[object, ...]) -> Client:
    values = dict(zip(Client.__struct_fields__, row, strict=True))
    return Client(**values | {"redirect_uris": tuple(row[6])})  # type: ignore[arg-type] # the columns' types


async def find_access(
    connection: Connection, client_id: str, token_hash: bytes | None
) -> tuple[Client | None, Access | None]:
    """A client, alive or not, and what its access token stands for; a token of another client stands for nothing."""
    row = await connection.fetchrow(QUERIES["find_access"], client_id, token_hash)
    if row is None:
        return None, None
    values = tuple(row)
    size = len(Client.__struct_fields__)
    access = Access(*values[size:]) if values[size] is not None else None
    return _to_client(values[:size]), access


async def revoke_client(connection: Connection, client: Client, at: datetime) -> int | None:
    """End a client; its new version, or None where it had ended before."""
    version = await connection.fetchval(QUERIES["revoke_client"], client.team, client.client_id, at)
    return int(version) if version is not None else None


async def list_grants(connection: Connection, client_id: str) -> list[tuple[UUID, UUID]]:
    """Team and id of every credential that a client has and that is alive."""
    return [(row[0], row[1]) for row in await connection.fetch(QUERIES["list_grants"], client_id)]


async def find_grant(connection: Connection, team: UUID, client_id: str) -> UUID | None:
    """The credential that a client has in a team and that is alive."""
    row = await connection.fetchrow(QUERIES["find_grant"], team, client_id)
    return row[0] if row is not None else None


async def insert_grant(connection: Connection, team: UUID, credential: UUID, client_id: str, at: datetime) -> None:
    """Make a credential one of a client."""
    await connection.execute(QUERIES["insert_grant"], team, credential, client_id, at)


async def insert_code(
    connection: Connection, grant: Grant, client_id: str, code_hash: bytes, at: datetime, expires_at: datetime
) -> None:
    """Store what a client may take tokens with, once."""
    await connection.execute(
        QUERIES["insert_code"],
        grant.team,
        code_hash,
        client_id,
        grant.credential,
        grant.family,
        grant.actor,
        at,
        expires_at,
    )


async def forget_codes(connection: Connection, before: datetime) -> None:
    """Drop codes that expired before a time."""
    await connection.execute(QUERIES["forget_codes"], before)


async def lock_grant(connection: Connection, kind: Kind, secret_hash: bytes, client_id: str) -> UUID | None:
    """The team of a client's code or refresh token; its tokens are made and ended by nobody else meanwhile."""
    row = await connection.fetchrow(QUERIES[f"lock_grant_of_{kind}"], secret_hash, client_id)
    return row[0] if row is not None else None


async def take(connection: Connection, kind: Kind, team: UUID, secret_hash: bytes, at: datetime) -> Grant | None:
    """Use a code or refresh token, whose grant is locked; None where it was used, revoked or is too old."""
    row = await connection.fetchrow(QUERIES[f"take_{kind}"], team, secret_hash, at)
    return Grant(*row) if row is not None else None


async def find_used(connection: Connection, kind: Kind, team: UUID, secret_hash: bytes) -> UUID | None:
    """The family of a code or refresh token that was used before."""
    row = await connection.fetchrow(QUERIES[f"find_used_{kind}"], team, secret_hash)
    return row[0] if row is not None else None


async def is_alive(connection: Connection, grant: Grant) -> bool:
    """Whether the grant, and the member who gave it, still are."""
    return bool(await connection.fetchval(QUERIES["is_grant_alive"], grant.team, grant.credential, grant.actor))


async def insert_token(
    connection: Connection, grant: Grant, kind: str, token_hash: bytes, at: datetime, expires_at: datetime
) -> None:
    """Store an `access` or `refresh` token."""
    await connection.execute(
        QUERIES["insert_token"],
        grant.team,
        token_hash,
        kind,
        grant.credential,
        grant.family,
        grant.actor,
        at,
        expires_at,
    )


async def revoke_family(connection: Connection, team: UUID, family: UUID, at: datetime) -> int:
    """End every token of one consent; how many were alive."""
    return int(await connection.fetchval(QUERIES["revoke_family"], team, family, at))


async def forget_tokens(connection: Connection, grant: Grant, before: datetime) -> None:
    """Drop tokens of one consent that expired before a time."""
    await connection.execute(QUERIES["forget_tokens"], grant.team, grant.family, before)
