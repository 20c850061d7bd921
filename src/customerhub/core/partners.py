"""Partner applications: made, known by what they show, given access to teams, and ended."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from customerhub.core.access import check_active, hash_secret
from customerhub.core.admin import at_command_line, operator
from customerhub.core.command import Author
from customerhub.core.hub import Hub
from customerhub.core.redirects import find_target
from customerhub.core.secrets import seal
from customerhub.model.answer import COMMAND_LINE, Caller
from customerhub.model.change import FieldChange
from customerhub.model.error import FieldError, Invalid, InvalidGrant, NotFound, Unauthenticated
from customerhub.store import access as access_store
from customerhub.store import partners as store
from customerhub.store.access import Credential, Team
from customerhub.store.catalogue import AuditRow, insert_audit
from customerhub.store.db import Connection
from customerhub.store.partners import Access, Client, Grant, Kind

_REQUEST = COMMAND_LINE
_NAMES: dict[Kind, str] = {"code": "authorization code", "refresh_token": "refresh token"}
# Nobody is told that a token has expired any more so long after it did.
_FORGOTTEN_AFTER = timedelta(days=30)


class NewClient(Struct, frozen=True):
    """A client to be; `team_user` is who its first tokens act for, if they act for somebody.

    `by` is who makes it, None for the operator at the command line.
    `is_lasting`: its first access token lives as long as the refresh token, for people who play with it by hand.
    """

    dialect: str
    name: str
    redirect_uris: tuple[str, ...] = ()
    any_team: bool = False
    team_user: UUID | None = None
    requires_precondition: bool = False
    is_lasting: bool = False
    by: Author | None = None


class Tokens(Struct, frozen=True):
    """What a client is given for one team, in clear; shown once."""

    team: Team
    access: str
    refresh: str
    access_expires_at: datetime
    refresh_expires_at: datetime


class MadeClient(Struct, frozen=True):
    """A new client, with its secret in clear and tokens for its own team."""

    client_id: str
    secret: str
    credential: UUID
    tokens: Tokens


async def create_client(hub: Hub, team: Team, new: NewClient) -> MadeClient:
    """Make a client of a team, with access to it.

    Raises Invalid (`redirect_uris`), Conflict for a member who is disabled, SecretKeyError.
    """
    errors = tuple(
        FieldError(("redirect_uris", position), "invalid", "must be http or https, without user, query, or fragment")
        for position, uri in enumerate(new.redirect_uris)
        if find_target(uri) is None
    )
    if errors:
        raise Invalid(errors)
    author = new.by or at_command_line(team.id)
    now, maker, request_id = hub.now(), author.caller, author.request_id
    client_id, secret = f"ptn_{secrets.token_hex(8)}", f"cs_{secrets.token_urlsafe(32)}"
    async with hub.database.transaction() as connection:
        await check_active(connection, team.id, new.team_user)
        client = Client(
            team=team.id,
            client_id=client_id,
            id=hub.new_id(),
            dialect=new.dialect,
            name=new.name,
            secret=await seal(connection, hub.vault, secret, now),
            redirect_uris=new.redirect_uris,
            any_team=new.any_team,
            requires_precondition=new.requires_precondition,
        )
        await store.insert_client(connection, client, now)
        what = FieldChange("/name", None, new.name), FieldChange("/dialect", None, new.dialect)
        await insert_audit(connection, maker, AuditRow("client", client.id, 1, now, "created", request_id, what))
        credential = await settle_grant(hub, connection, client, maker, request_id)
        grant = Grant(team.id, credential, hub.new_id(), new.team_user or credential)
        await record_consent(hub, connection, grant, client, maker, request_id)
        return MadeClient(
            client_id, secret, credential, await _issue(hub, connection, grant, is_lasting=new.is_lasting)
        )


async def find_access(hub: Hub, dialect: str, client_id: str, token: str | None) -> tuple[Client, Access | None]:
    """A living client of this dialect, and what the access token stands for, if it is one of this client's.

    Asked of the database every time, so that an end is felt at once. Raises Unauthenticated (`invalid_client`).
    """
    token_hash = hash_secret(token) if token is not None else None
    async with hub.database.lease() as connection:
        client, access = await store.find_access(connection, client_id, token_hash)
    return _check_living(client, dialect), access


def _check_living(client: Client | None, dialect: str) -> Client:
    if client is None or client.dialect != dialect or client.revoked_at is not None:
        raise Unauthenticated("invalid_client")
    return client


async def settle_grant(hub: Hub, connection: Connection, client: Client, maker: Caller, request_id: str) -> UUID:
    """The credential that the client has in the maker's team, made if there is none; the client is new or locked."""
    found = await store.find_grant(connection, maker.team, client.client_id)
    if found is not None:
        return found
    credential = Credential(
        team=maker.team,
        id=hub.new_id(),
        dialect=client.dialect,
        name=client.name,
        created_at=hub.now(),
        requires_precondition=client.requires_precondition,
        hint=client.client_id,
    )
    await access_store.insert_credential(connection, credential, None)
    await store.insert_grant(connection, maker.team, credential.id, client.client_id, credential.created_at)
    what = FieldChange("/name", None, client.name), FieldChange("/dialect", None, client.dialect)
    row = AuditRow("credential", credential.id, 1, credential.created_at, "created", request_id, what)
    await insert_audit(connection, maker, row)
    return credential.id


async def record_consent(
    hub: Hub, connection: Connection, grant: Grant, client: Client, maker: Caller, request_id: str
) -> None:
    """Keep in the history who let the client in."""
    what = FieldChange("/client_id", None, client.client_id), FieldChange("/credential", None, str(grant.credential))
    await insert_audit(connection, maker, AuditRow("consent", grant.family, 1, hub.now(), "created", request_id, what))


async def exchange(hub: Hub, connection: Connection, client: Client, kind: Kind, secret: str) -> Tokens:
    """Tokens for a code or a refresh token, which is then used up. Raises InvalidGrant.

    Of several requests with one secret the database lets one through.
    """
    secret_hash, now = hash_secret(secret), hub.now()
    team = await store.lock_grant(connection, kind, secret_hash, client.client_id)
    if team is None or not (client.any_team or team == client.team):
        raise InvalidGrant(_NAMES[kind])
    grant = await store.take(connection, kind, team, secret_hash, now)
    if grant is None or not await store.is_alive(connection, grant):
        raise InvalidGrant(_NAMES[kind])
    await store.forget_tokens(connection, grant, now - _FORGOTTEN_AFTER)
    return await _issue(hub, connection, grant)


async def end_if_used(hub: Hub, client: Client, kind: Kind, secret: str, request_id: str) -> None:
    """End every token of a consent whose code or refresh token comes a second time: one of two has stolen it."""
    secret_hash, now = hash_secret(secret), hub.now()
    async with hub.database.transaction() as connection:
        team = await store.lock_grant(connection, kind, secret_hash, client.client_id)
        family = await store.find_used(connection, kind, team, secret_hash) if team is not None else None
        if team is None or family is None or not await store.revoke_family(connection, team, family, now):
            return
        maker = Caller(team, client.id, client.id, client.name, client.dialect)
        what = (FieldChange("/reason", None, f"a used {_NAMES[kind]} came again"),)
        await insert_audit(connection, maker, AuditRow("consent", family, 2, now, "revoked", request_id, what))


async def _issue(hub: Hub, connection: Connection, grant: Grant, *, is_lasting: bool = False) -> Tokens:
    now, settings = hub.now(), hub.settings
    life = settings.refresh_token_seconds if is_lasting else settings.access_token_seconds
    team = await access_store.find_team(connection, grant.team, "")
    if team is None:
        raise NotFound("team", str(grant.team))
    tokens = Tokens(
        team=team,
        access=f"at_{secrets.token_urlsafe(32)}",
        refresh=f"rt_{secrets.token_urlsafe(32)}",
        access_expires_at=now + timedelta(seconds=life),
        refresh_expires_at=now + timedelta(seconds=settings.refresh_token_seconds),
    )
    await store.insert_token(connection, grant, "access", hash_secret(tokens.access), now, tokens.access_expires_at)
    await store.insert_token(connection, grant, "refresh", hash_secret(tokens.refresh), now, tokens.refresh_expires_at)
    return tokens


async def revoke_client(hub: Hub, client_id: str) -> dict[str, object]:
    """End a client and its access to every team; the very next request is refused. Raises NotFound; twice is once."""
    now = hub.now()
    async with hub.database.transaction() as connection:
        client = await store.lock_client(connection, client_id)
        if client is None:
            raise NotFound("credential", client_id)
        version = await store.revoke_client(connection, client, now)
        if version is not None:
            row = AuditRow("client", client.id, version, now, "revoked", _REQUEST, ())
            await insert_audit(connection, operator(client.team), row)
        for team, credential in await store.list_grants(connection, client_id):
            ended = await access_store.revoke_credential(connection, team, credential, now)
            if ended is not None:
                row = AuditRow("credential", credential, ended, now, "revoked", _REQUEST, ())
                await insert_audit(connection, operator(team), row)
    return {"id": client_id, "team": client.team, "name": client.name, "revoked": True}
