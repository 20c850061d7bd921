"""Use cases on members of a team: change, disable and enable them, give them a password, end their sessions.

A member who is disabled keeps their credentials, which say no from the very next request on, and their sessions end.
A team that has administrators who can sign in keeps one: nobody locks everybody out by mistake.
"""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from customerhub.core.access import OPERATOR, Hashes, has_power
from customerhub.core.command import Command
from customerhub.core.guarded import Done, Later, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.standing import check_precondition
from customerhub.core.users import UserProposal, UserValues, check_values, hold_role
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import Catalogue, User
from customerhub.model.change import FieldChange
from customerhub.model.customer import Status
from customerhub.model.error import Conflict, FieldError, Invalid, NotFound, Taken
from customerhub.store import access as access_store
from customerhub.store import members as store
from customerhub.store.catalogue import AuditRow, bump_catalogue, insert_audit
from customerhub.store.members import SignedIn

__all__ = ["SignedIn"]

_VALUES = ("first_name", "last_name", "email", "username", "phone", "department", "access_role", "role")
_SHARED = "this login is a member of other teams too: only the operator of the hub may change it"
_PASSWORD_BYTES = 15


class PasswordProposal(Struct, frozen=True):
    """What a door makes of a request for another password, None for one to be made, and the errors it found."""

    password: str | None = None
    errors: tuple[FieldError, ...] = ()


def values_of(user: User) -> UserValues:
    """What is decided of a member so far."""
    return UserValues(**{name: getattr(user, name) for name in _VALUES})


async def update_user(
    hub: Hub,
    command: Command,
    user_id: UUID | None,
    decide: Callable[[User, Catalogue], UserProposal],
    render: Callable[[User], Answer],
) -> Answer:
    """Change a member; nothing is written where nothing differs. Who can sign in does so by the new email address.

    Raises NotFound, Invalid (`access_role`, `email`), Forbidden where the role may do what the caller may not, Taken
    (`email`, `username`), Conflict for the last administrator, and for a login that other teams have too; and what
    every guarded write raises.
    """

    async def work(scene: Work) -> Done | None:
        before = await _lock(command, scene, user_id)
        proposal = decide(before, scene.catalogue)
        values = check_values(proposal, command.caller, scene.catalogue, before.access_role)
        after = _next(hub, command, before, **{name: getattr(values, name) for name in _VALUES})
        changes = tuple(_differences(before, after))
        if not changes:
            return Done(render(before))
        if after.access_role != before.access_role and not await hold_role(scene, command, after.access_role):
            return None
        await _check_administrators(command, scene, before, after)
        if before.login is not None and after.email != before.email:
            if after.email is None:
                raise Invalid((FieldError(("email",), "no_email", "is what this user signs in with"),))
            await _check_own(command, scene, before.login)
        await _store(command, scene, after, "updated", changes, moves_login=after.email != before.email)
        return Done(render(after))

    return await write_guarded(hub, command, work)


async def set_status(
    hub: Hub, command: Command, user_id: UUID | None, status: Status, render: Callable[[User, User], Answer]
) -> Answer:
    """Disable a member (`inactive`), whose sessions and whose credentials' power end at once, or enable them again.

    `render` gets the member before and after. Twice is once. Raises NotFound, Conflict for the last administrator, and
    what every guarded write raises.
    """

    async def work(scene: Work) -> Done:
        before = await _lock(command, scene, user_id)
        if before.status == status:
            return Done(render(before, before))
        after = _next(hub, command, before, status=status)
        await _check_administrators(command, scene, before, after)
        if status == "inactive" and before.login is not None:
            await store.end_sessions(scene.connection, before.login)
        action = "enabled" if status == "active" else "disabled"
        await _store(command, scene, after, action, tuple(_differences(before, after)))
        return Done(render(before, after))

    return await write_guarded(hub, command, work)


async def reset_password(
    hub: Hub,
    command: Command,
    user_id: UUID | None,
    decide: Callable[[User], PasswordProposal],
    render: Callable[[User, str | None], Answer],
) -> Answer:
    """Give a member another password, and a login if they had none; their sessions end, their credentials go on.

    `render` gets the password where it was made here, this once. Raises NotFound, Invalid, Conflict for a member
    without an email address and for a login that other teams have too, Taken (`email`) where that address signs in
    elsewhere, and what every guarded write raises.
    """
    made = secrets.token_urlsafe(_PASSWORD_BYTES)
    hashes = Hashes(hub)

    async def work(scene: Work) -> Done | Later:
        before = await _lock(command, scene, user_id)
        proposal = decide(before)
        if proposal.errors:
            raise Invalid(proposal.errors)
        if before.email is None:
            raise Conflict("this user has no email address to sign in with")
        password = proposal.password if proposal.password is not None else made
        hashed = hashes.find(password)
        if hashed is None:
            return Later(partial(hashes.make, password))
        after = _next(hub, command, before, login=before.login or hub.new_id())
        if before.login is None:
            await _insert_login(scene, after, hashed)
        else:
            await _check_own(command, scene, before.login)
            await access_store.set_password(scene.connection, before.login, hashed, after.updated_at)
            await store.end_sessions(scene.connection, before.login)
        await _store(command, scene, after, "password_reset", tuple(_differences(before, after)))
        is_made = proposal.password is None
        return Done(render(after, password if is_made else None), is_secret=is_made)

    return await write_guarded(hub, command, work)


async def end_sessions(
    hub: Hub, command: Command, user_id: UUID | None, render: Callable[[User, int], Answer]
) -> Answer:
    """End every session of a member; `render` gets how many there were. Nothing is written where there was none.

    Raises NotFound and what every guarded write raises.
    """

    async def work(scene: Work) -> Done:
        before = await _lock(command, scene, user_id)
        count = await store.end_sessions(scene.connection, before.login) if before.login is not None else 0
        if not count:
            return Done(render(before, 0))
        after = _next(hub, command, before)
        await _store(command, scene, after, "sessions_ended", (FieldChange("/sessions", count, 0),))
        return Done(render(after, count))

    return await write_guarded(hub, command, work)


async def list_sessions(hub: Hub, caller: Caller) -> list[SignedIn]:
    """Who of the team is signed in, in no order; raises Unauthenticated."""
    now = hub.now()
    seen_after = now - timedelta(seconds=hub.settings.session_idle_seconds)
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        return await store.list_sessions(connection, caller.team, now, seen_after)


async def end_session(
    hub: Hub, command: Command, session_id: UUID | None, render: Callable[[SignedIn], Answer]
) -> Answer:
    """End one session of a member; twice is NotFound. Sessions have one version, 1."""

    async def work(scene: Work) -> Done | None:
        now = hub.now()
        seen_after = now - timedelta(seconds=hub.settings.session_idle_seconds)
        sessions = await store.list_sessions(scene.connection, command.caller.team, now, seen_after)
        found = next((session for session in sessions if session.id == session_id), None)
        if found is None:
            raise NotFound("session", str(session_id))
        check_precondition(command.guards, 1, is_required=scene.requires_precondition)
        if not await store.delete_session(scene.connection, command.caller.team, found.id):
            return None
        change = (FieldChange("/user", found.team_user, None),)
        row = AuditRow("session", found.id, 1, now, "ended", command.request_id, change)
        await insert_audit(scene.connection, command.caller, row)
        return Done(render(found))

    return await write_guarded(hub, command, work)


async def _lock(command: Command, scene: Work, user_id: UUID | None) -> User:
    """A member, whom nobody else changes, and the administrators, who stay what they are; raises NotFound."""
    # The administrators first, always: two who disable each other would wait for one another otherwise.
    await store.lock_admins(scene.connection, command.caller.team)
    user = await store.lock_user(scene.connection, command.caller.team, user_id) if user_id is not None else None
    if user is None:
        raise NotFound("user", str(user_id))
    check_precondition(command.guards, user.version, is_required=scene.requires_precondition)
    return user


async def _check_administrators(command: Command, scene: Work, before: User, after: User) -> None:
    """Raise Conflict where the last administrator who can sign in would cease to be one."""
    if after.role == "admin" and after.status == "active":
        return
    admins = await store.lock_admins(scene.connection, command.caller.team)
    if admins == {before.id}:
        raise Conflict("this is the last administrator who can sign in: make another one first")


async def _check_own(command: Command, scene: Work, login: UUID) -> None:
    """Raise Conflict where a login is somebody's of another team too: theirs is not ours to take over."""
    if not has_power(command.caller, OPERATOR) and await store.is_shared(scene.connection, command.caller.team, login):
        raise Conflict(_SHARED)


def _next(hub: Hub, command: Command, before: User, **values: object) -> User:
    return msgspec.structs.replace(
        before,
        version=before.version + 1,
        updated_at=max(hub.now(), before.updated_at),
        updated_by=command.caller.actor,
        **values,
    )


def _differences(before: User, after: User) -> Iterator[FieldChange]:
    for name in (*_VALUES, "status", "login"):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield FieldChange(f"/{name}", old, new)


async def _insert_login(scene: Work, user: User, password_hash: str) -> None:
    assert user.login is not None  # noqa: S101 - just given
    assert user.email is not None  # noqa: S101 - asked before
    try:
        async with scene.connection.transaction():
            await access_store.insert_login(scene.connection, user.login, user.email, password_hash, user.updated_at)
    except asyncpg.UniqueViolationError as error:
        raise Taken((FieldError(("email",), "email_taken", "signs in somebody else"),)) from error


async def _store(
    command: Command,
    scene: Work,
    after: User,
    action: str,
    changes: tuple[FieldChange, ...],
    *,
    moves_login: bool = False,
) -> None:
    """Write the next version of a member, and what of it belongs to their login."""
    connection, team = scene.connection, command.caller.team
    try:
        async with connection.transaction():
            await store.update_user(connection, team, after)
            if moves_login and after.login is not None and after.email is not None:
                await store.set_login_email(connection, after.login, after.email, after.updated_at)
    except asyncpg.UniqueViolationError as error:
        taken = await store.find_taken(connection, team, after)
        reason = "belongs to somebody else"
        raise Taken(tuple(FieldError((field,), f"{field}_taken", reason) for field in taken or ("email",))) from error
    row = AuditRow("user", after.id, after.version, after.updated_at, action, command.request_id, changes)
    await insert_audit(connection, command.caller, row)
    await bump_catalogue(connection, team)
