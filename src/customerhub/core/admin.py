"""What the operator does: teams, users, credentials; every one of them leaves an audit row."""

from collections.abc import Mapping
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from customerhub.core.access import hash_password, store_credential
from customerhub.core.command import Author, Command
from customerhub.core.hub import Hub
from customerhub.core.system import ROLES, SystemRole, furnish_team, to_role_id
from customerhub.core.team_settings import SettingsProposal, SettingsView, update_settings
from customerhub.model.answer import COMMAND_LINE, Answer, Caller
from customerhub.model.catalogue import NOBODY, Catalogue, TeamSettings, User, UserRole
from customerhub.model.change import FieldChange
from customerhub.model.error import FieldError, HubError, Invalid, NotFound, Taken
from customerhub.store import access as store
from customerhub.store import catalogue as catalogue_store
from customerhub.store.access import Credential, Team
from customerhub.store.db import Connection

_REQUEST = COMMAND_LINE
_PRICE_LIST = "default_price_list"


def operator(team: UUID) -> Caller:
    """The person at the command line, as the history shows them."""
    nobody = UUID(int=0)
    return Caller(team, nobody, nobody, "command line", COMMAND_LINE)


def at_command_line(team: UUID) -> Author:
    """The same, for what has no request."""
    return Author(operator(team), _REQUEST)


def to_command(team: UUID) -> Command:
    """A write of the operator's, whose failures are raised."""

    def fail(error: HubError) -> Answer:
        raise error

    return Command(operator(team), _REQUEST, fail)


class NewUser(Struct, frozen=True):
    """A member to be; with a password they can sign in."""

    email: str
    first_name: str
    last_name: str
    password: str | None = None
    phone: str | None = None
    department: str | None = None
    role: UserRole = "member"


async def create_team(hub: Hub, name: str, settings: TeamSettings | None = None) -> Team:
    """Make a team, with what comes with every team. Raises Taken (`name`) and Invalid for a blank name."""
    async with hub.database.transaction() as connection:
        return await insert_team(hub, connection, name, settings or TeamSettings())


async def insert_team(
    hub: Hub, connection: Connection, name: str, settings: TeamSettings, by: Author | None = None
) -> Team:
    """The same inside a transaction, by somebody else than the operator at the command line where one is named."""
    if not name.strip():
        raise Invalid((FieldError(("name",), "blank", "must not be blank"),))
    now = hub.now()
    team = Team(hub.new_id(), name.strip(), settings, 1, now, now)
    try:
        async with connection.transaction():
            await store.insert_team(connection, team)
    except asyncpg.UniqueViolationError as error:
        raise Taken((FieldError(("name",), "name_taken", "another team has this name"),)) from error
    await furnish_team(connection, team.id, now)
    maker, request_id = (by.caller, by.request_id) if by is not None else (operator(team.id), _REQUEST)
    what = (FieldChange("/name", None, team.name),)
    row = catalogue_store.AuditRow("team", team.id, 1, now, "created", request_id, what)
    await catalogue_store.insert_audit(connection, msgspec.structs.replace(maker, team=team.id), row)
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
        teams = await store.list_teams(connection)
    return [{"id": team.id, "name": team.name, "created_at": team.created_at} for team in teams]


async def change_settings(hub: Hub, team: Team, values: Mapping[str, object]) -> TeamSettings:
    """Change some of a team's settings, as texts; an empty `default_price_list` is none.

    Raises what `update_settings` raises, and Invalid for unknown names.
    """
    own = dict(values)
    price_list = _to_price_list(own.pop(_PRICE_LIST)) if _PRICE_LIST in own else NOBODY
    changed: list[TeamSettings] = []

    def decide(before: SettingsView, catalogue: Catalogue) -> SettingsProposal:
        del catalogue
        return SettingsProposal(_merge(before.team.settings, own), price_list)

    def render(view: SettingsView) -> Answer:
        changed.append(view.team.settings)
        return Answer(200)

    await update_settings(hub, to_command(team.id), decide, render)
    return changed[-1]


def _to_price_list(text: object) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        raise Invalid((FieldError((_PRICE_LIST,), "uuid", "must be the id of a price list"),)) from None


def _merge(before: TeamSettings, values: Mapping[str, object]) -> TeamSettings:
    unknown = set(values) - set(TeamSettings.__struct_fields__)
    if unknown:
        raise Invalid(tuple(FieldError((name,), "unknown", "no such setting") for name in sorted(unknown)))
    try:
        return msgspec.convert(msgspec.to_builtins(before) | dict(values), TeamSettings, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid((FieldError(("settings",), "invalid", str(error)),)) from error


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
        role=new.role,
    )
    async with hub.database.transaction() as connection:
        try:
            if user.login is not None:
                await store.insert_login(connection, user.login, new.email, password_hash, now)
            await catalogue_store.insert_user(connection, team.id, user)
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
    by: Author | None = None,
) -> tuple[Credential, str]:
    """Make a credential of one secret; the secret is returned and not kept. A `role` brings its permissions."""
    author = by or at_command_line(team.id)
    if role is not None:
        scopes = (*scopes, *ROLES[role][1])
    async with hub.database.transaction() as connection:
        return await store_credential(
            hub,
            connection,
            msgspec.structs.replace(author.caller, team=team.id),
            name=name,
            prefix=prefix,
            request_id=author.request_id,
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
