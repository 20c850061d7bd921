"""Use cases on members of a team through the API: get one, make one."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

import asyncpg
from msgspec import Struct

from customerhub.core.access import Hashes, check_power
from customerhub.core.command import Command
from customerhub.core.guarded import Done, Later, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.lists import get_catalogue
from customerhub.core.standing import check_precondition
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import Catalogue, RoleDetails, User, UserRole
from customerhub.model.change import FieldChange
from customerhub.model.error import FieldError, Invalid, NotFound, Taken
from customerhub.store import access as access_store
from customerhub.store import catalogue as store
from customerhub.store.db import Connection


class UserValues(Struct, frozen=True):
    """All that a caller decides of a new member; with a password they can sign in by their email address."""

    first_name: str = ""
    last_name: str = ""
    email: str | None = None
    username: str | None = None
    password: str | None = None
    phone: str | None = None
    department: str | None = None
    access_role: UUID | None = None
    role: UserRole = "member"


class UserProposal(Struct, frozen=True):
    """What a door makes of a request for a member: the values, and the errors it found, with its own paths."""

    values: UserValues
    errors: tuple[FieldError, ...] = ()


def split_name(name: str) -> tuple[str, str]:
    """First and last name of one in one piece; `User.name` makes the very same piece of them again.

    The last word is the last name; a single word is a first name.
    """
    first, space, last = name.rpartition(" ")
    return (first, last) if space and first and last else (name, "")


async def get_user(hub: Hub, caller: Caller, user_id: UUID | None) -> tuple[User, Catalogue]:
    """A member of the team, and the catalogue; raises Unauthenticated, NotFound."""
    catalogue = await get_catalogue(hub, caller)
    user = catalogue.find_user(user_id)
    if user is None:
        raise NotFound("user", str(user_id))
    return user, catalogue


async def create_user(
    hub: Hub,
    command: Command,
    decide: Callable[[Catalogue], UserProposal],
    render: Callable[[User], Answer],
) -> Answer:
    """Make a member of the caller's team, and a login if a password is given.

    Raises Invalid (`access_role`, `password`), Forbidden where the role may do what the caller may not, Taken (`email`,
    `username`) and what every guarded write raises.
    """
    hashes = Hashes(hub)

    async def work(scene: Work) -> Done | Later | None:
        check_precondition(command.guards, None, is_required=False)
        values = check_values(decide(scene.catalogue), command.caller, scene.catalogue)
        if not await hold_role(scene, command, values.access_role):
            return None
        hashed = hashes.find(values.password) if values.password is not None else None
        if values.password is not None and hashed is None:
            return Later(partial(hashes.make, values.password))
        user = _to_user(hub, command, values)
        try:
            async with scene.connection.transaction():
                await _insert(scene.connection, command.caller.team, user, hashed)
        except asyncpg.UniqueViolationError as error:
            taken = await store.find_taken_user(scene.connection, command.caller.team, user)
            if not taken:
                return None
            reason = "belongs to somebody else"
            raise Taken(tuple(FieldError((field,), f"{field}_taken", reason) for field in taken)) from error
        row = store.AuditRow("user", user.id, 1, user.created_at, "created", command.request_id, _to_changes(user))
        await store.insert_audit(scene.connection, command.caller, row)
        await store.bump_catalogue(scene.connection, command.caller.team)
        return Done(render(user))

    return await write_guarded(hub, command, work)


def check_values(
    proposal: UserProposal, caller: Caller, catalogue: Catalogue, before: UUID | None = None
) -> UserValues:
    """The values of a member to be, or of one who has the role `before`; raises Invalid and Forbidden."""
    values, errors = proposal.values, list(proposal.errors)
    role = catalogue.find_live("role", values.access_role)
    if values.access_role not in (None, before) and role is None:
        errors.append(FieldError(("access_role",), "unknown_id", "no such role"))
    if values.password is not None and values.email is None:
        errors.append(FieldError(("password",), "no_email", "is of no use without an email address to sign in with"))
    if errors:
        raise Invalid(tuple(errors))
    if role is not None and role.id != before and isinstance(role.details, RoleDetails):
        check_power(caller, role.details.permissions)
    return values


async def hold_role(scene: Work, command: Command, role: UUID | None) -> bool:
    """Keep a role that somebody is to have from being deleted meanwhile; False where that has just happened."""
    return role is None or await store.hold_entries(scene.connection, command.caller.team, {role}) == {role}


def _to_user(hub: Hub, command: Command, values: UserValues) -> User:
    moment = hub.moment(command.caller)
    return User(
        id=hub.new_id(),
        email=values.email,
        first_name=values.first_name,
        last_name=values.last_name,
        created_at=moment.now,
        updated_at=moment.now,
        created_by=moment.actor,
        updated_by=moment.actor,
        login=hub.new_id() if values.password is not None else None,
        phone=values.phone,
        department=values.department,
        username=values.username,
        access_role=values.access_role,
        role=values.role,
    )


async def _insert(connection: Connection, team: UUID, user: User, password_hash: str | None) -> None:
    if user.login is not None and user.email is not None:
        await access_store.insert_login(connection, user.login, user.email, password_hash, user.created_at)
    await store.insert_user(connection, team, user)


def _to_changes(user: User) -> tuple[FieldChange, ...]:
    fields = ("email", "username", "first_name", "last_name", "phone", "department", "access_role")
    pairs = ((field, getattr(user, field)) for field in fields)
    changes = tuple(FieldChange(f"/{field}", None, value) for field, value in pairs if value)
    return (*changes, FieldChange("/role", None, user.role)) if user.role != "member" else changes
