"""What the operator does: teams, users, credentials; every one of them leaves an audit row."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from customerhub.core.access import hash_password, store_credential
from customerhub.core.hub import Hub
from customerhub.core.system import ROLES, SystemRole, furnish_team, to_role_id
from customerhub.model.answer import Caller
from customerhub.model.catalogue import TeamSettings, User
from customerhub.model.change import FieldChange
from customerhub.model.error import Conflict, FieldError, Invalid, NotFound, Taken
from customerhub.store import access as store
from customerhub.store import catalogue as catalogue_store
from customerhub.store.access import Credential, Team
from customerhub.store.db import Connection

_REQUEST = "command-line"


def operator(team: UUID) -> Caller:
    """The person at the command line, as the history shows them."""
    nobody = UUID(int=0)
    return Caller(team, nobody, nobody, "command line", "command-line")


class NewUser(Struct, frozen=True):
    """A member to be; with a password they can sign in."""

    email: str
    first_name: str
    last_name: str
    password: str | None = None
    phone: str | None = None
    department: str | None = None
    role: str = "member"


async def create_team(hub: Hub, name: str, settings: TeamSettings | None = None) -> Team:
    """Make a team, with what comes with every team. Raises Taken (`name`) and Invalid for a blank name."""
    if not name.strip():
        raise Invalid((FieldError(("name",), "blank", "must not be blank"),))
    team = Team(hub.new_id(), name.strip(), settings or TeamSettings(), 1)
    now = hub.now()
    async with hub.database.transaction() as connection:
        try:
            await store.insert_team(connection, team, now)
        except asyncpg.UniqueViolationError as error:
            raise Taken((FieldError(("name",), "name_taken", "another team has this name"),)) from error
        await furnish_team(connection, team.id, now)
        await _audit(hub, connection, team.id, "team", team.id, "created", {"name": team.name})
    return team


async def get_team(hub: Hub, id_or_name: str) -> Team:
    """A team by id or by name, ignoring case; raises NotFound."""
    try:
        team_id = UUID(id_or_name)
    except ValueError:
        team_id = None
    async with hub.database.lease() as connection:
        team = await store.find_team(connection, team_id, id_or_name)
    if team is None:
        raise NotFound("team", id_or_name)
    return team


async def list_teams(hub: Hub) -> list[dict[str, object]]:
    """Every team, by name."""
    async with hub.database.lease() as connection:
        rows = await store.list_teams(connection)
    return [{"id": row[0], "name": row[1], "created_at": row[2]} for row in rows]


async def change_settings(hub: Hub, team: Team, values: Mapping[str, object]) -> TeamSettings:
    """Change some of a team's settings. Raises Invalid for unknown names and values, Conflict where the records
    stand against it (an email address of two customers under a policy that forbids that).
    """
    async with hub.database.transaction() as connection:
        before = await store.lock_settings(connection, team.id)
        settings = _merge(before, values)
        if settings.email_policy != before.email_policy:
            try:
                await store.set_email_policy(connection, team.id, is_unique=settings.email_policy == "unique")
            except asyncpg.UniqueViolationError as error:
                raise Conflict("some customers of this team share an email address") from error
        version = await store.update_settings(connection, team.id, settings, hub.now())
        await _audit(hub, connection, team.id, "settings", team.id, "updated", dict(values), version=version)
    return settings


def _merge(before: TeamSettings, values: Mapping[str, object]) -> TeamSettings:
    try:
        settings = msgspec.convert(msgspec.to_builtins(before) | dict(values), TeamSettings, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid((FieldError(("settings",), "invalid", str(error)),)) from error
    unknown = set(values) - set(TeamSettings.__struct_fields__)
    if unknown:
        raise Invalid(tuple(FieldError((name,), "unknown", "no such setting") for name in sorted(unknown)))
    return settings


async def create_user(hub: Hub, team: Team, new: NewUser) -> User:
    """Make a member of a team, and a login if a password is given. Raises Taken (`email`)."""
    password_hash = await hash_password(hub, new.password) if new.password is not None else None
    now, actor = hub.now(), operator(team.id).actor
    user = User(
        id=hub.new_id(),
        email=new.email,
        first_name=new.first_name,
        last_name=new.last_name,
        created_at=now,
        updated_at=now,
        created_by=actor,
        updated_by=actor,
        login=hub.new_id() if password_hash is not None else None,
        phone=new.phone,
        department=new.department,
    )
    async with hub.database.transaction() as connection:
        try:
            if user.login is not None:
                await store.insert_login(connection, user.login, new.email, password_hash, now)
            await catalogue_store.insert_user(connection, team.id, user, role=new.role)
        except asyncpg.UniqueViolationError as error:
            raise Taken((FieldError(("email",), "email_taken", "belongs to somebody else"),)) from error
        await catalogue_store.bump_catalogue(connection, team.id)
        await _audit(hub, connection, team.id, "user", user.id, "created", {"email": user.email})
    return user


async def create_credential(  # noqa: PLR0913 - a credential has that many marks, all named by keyword
    hub: Hub,
    team: Team,
    *,
    dialect: str,
    name: str,
    prefix: str,
    team_user: UUID | None = None,
    scopes: tuple[str, ...] = (),
    requires_precondition: bool = False,
    role: SystemRole | None = None,
    mask: str = "…",
) -> tuple[Credential, str]:
    """Make a credential of one secret; the secret is returned and not kept. A `role` brings its permissions."""
    if role is not None:
        scopes = (*scopes, *ROLES[role][1])
    async with hub.database.transaction() as connection:
        return await store_credential(
            hub,
            connection,
            operator(team.id),
            name=name,
            prefix=prefix,
            request_id=_REQUEST,
            dialect=dialect,
            team_user=team_user,
            scopes=scopes,
            requires_precondition=requires_precondition,
            role=to_role_id(team.id, role) if role is not None else None,
            mask=mask,
        )


async def list_credentials(hub: Hub, team: Team | None) -> list[dict[str, object]]:
    """Every credential of a team, or of all teams; nothing secret in it."""
    async with hub.database.lease() as connection:
        return await store.list_credentials(connection, team.id if team is not None else None)


async def revoke_credential(hub: Hub, credential_id: UUID) -> dict[str, object]:
    """End a credential, with what renews it or what it renews; the very next request with it is refused.

    Raises NotFound; twice is once.
    """
    async with hub.database.transaction() as connection:
        found = await store.find_credential(connection, credential_id)
        if found is None:
            raise NotFound("credential", str(credential_id))
        team, first = found["team"], found["first"]
        assert isinstance(team, UUID)  # noqa: S101 - the column's type
        assert isinstance(first, UUID)  # noqa: S101 - the column's type
        await store.lock_credential(connection, team, first)
        version = await store.revoke_credential(connection, team, first, hub.now())
        if version is not None:
            await _audit(hub, connection, team, "credential", first, "revoked", {}, version=version)
    return {"id": credential_id, "team": team, "name": found["name"], "revoked": True}


async def _audit(
    hub: Hub,
    connection: Connection,
    team: UUID,
    kind: str,
    subject: UUID,
    action: str,
    values: Mapping[str, object],
    *,
    version: int = 1,
) -> None:
    changes = tuple(FieldChange(f"/{name}", None, value) for name, value in values.items())
    row = catalogue_store.AuditRow(kind, subject, version, hub.now(), action, _REQUEST, changes)
    await catalogue_store.insert_audit(connection, operator(team), row)
