"""Members of the team: who they are, what they may do, whether they can sign in."""

from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from customerhub.console.desk import PREFIX, Desk, signed_in
from customerhub.console.paging import to_position, to_token
from customerhub.console.reader import NOTHING, Reader, Refusal, attempt
from customerhub.core import members
from customerhub.core import users as core
from customerhub.core.members import PasswordProposal, SignedIn, values_of
from customerhub.core.sessions import ADMINISTER
from customerhub.core.users import UserProposal, UserValues
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue, User, UserRole
from customerhub.model.customer import Status, name_key
from customerhub.model.page import window
from customerhub.web.screens import Screen

USERS: Final = f"{PREFIX}/{{team}}/users"
_KIND: Final = "user"
_PER_PAGE: Final = 100
_ROLES: Final[tuple[UserRole, ...]] = ("member", "admin")
_STATUSES: Final[tuple[Status, ...]] = ("active", "inactive")
_SHORTEST_PASSWORD: Final = 8
_LONGEST_PASSWORD: Final = 1024


async def list_page(desk: Desk) -> Answer:
    """`GET /console/{team}/users?q=&status=&after=`: the newest first."""
    query = desk.visit.query
    text, status = query.get("q", "").strip(), query.get("status", "active")
    chosen = (
        user
        for user in desk.catalogue.users()
        if (status not in _STATUSES or user.status == status) and _is_meant(user, name_key(text))
    )
    scope = f"users {desk.team}"
    position = to_position(scope, query.get("after"))
    found = window(chosen, position, _PER_PAGE)
    after = to_token(scope, found.after)
    return desk.render(
        "users.html",
        rows=[(user, desk.catalogue.name_of("role", user.access_role)) for user in found.items],
        q=text,
        wanted=status,
        statuses=[("all", "all"), ("active", "active"), ("inactive", "disabled")],
        older=desk.url("users", q=text or None, status=status, after=after) if after else None,
        is_first=position is None,
    )


def _is_meant(user: User, text: str) -> bool:
    return any(text in name_key(value) for value in (user.name, user.email, user.department) if value) or not text


async def show_new(desk: Desk) -> Answer:
    """`GET …/users/new`: the form of a member to be."""
    return await _render_new(desk, NOTHING)


async def _render_new(desk: Desk, refusal: Refusal) -> Answer:
    return desk.render(
        "user_new.html",
        refusal.status,
        values=desk.form,
        refusal=refusal,
        errors=refusal.errors,
        roles=_list_roles(desk, None),
    )


def _list_roles(desk: Desk, now: UUID | None) -> list[tuple[str, str]]:
    """Roles that can be chosen, and the one that is there."""
    roles = [role for role in desk.catalogue.entries("role") if role.status == "active" or role.id == now]
    named = sorted((name_key(role.name), str(role.id), role.name) for role in roles)
    return [("", "none: what members may do"), *((role_id, name) for _, role_id, name in named)]


async def create(desk: Desk) -> Answer:
    """`POST …/users/new`: one more member; with a password they can sign in."""
    reader = Reader(desk)
    values = _read_values(reader, UserValues())
    password = _read_password(desk, reader)
    if not values.first_name and not reader.found():
        reader.refuse("first_name", "is required", "required")

    def decide(catalogue: Catalogue) -> UserProposal:
        del catalogue
        # Of a password without an address that could be read nobody says that it needs one.
        wanted = password if not reader.found() else None
        return UserProposal(msgspec.structs.replace(values, password=wanted), reader.found())

    def render(user: User) -> Answer:
        return desk.go("users", user.id)

    return await attempt(core.create_user(desk.hub, desk.command(), decide, render), partial(_render_new, desk))


def _read_values(reader: Reader, before: UserValues) -> UserValues:
    return msgspec.structs.replace(
        before,
        first_name=reader.text("first_name") or "",
        last_name=reader.text("last_name") or "",
        email=reader.email("email"),
        phone=reader.text("phone"),
        department=reader.text("department"),
        role=reader.choice("role", _ROLES, "member"),
        access_role=reader.id("access_role"),
    )


def _read_password(desk: Desk, reader: Reader) -> str | None:
    """A password exactly as it was typed; None for none."""
    password = desk.form.get("password", "")
    if password and not _SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD:
        reader.refuse("password", f"must have {_SHORTEST_PASSWORD} to {_LONGEST_PASSWORD} characters", "password")
    return password or None


async def show(desk: Desk) -> Answer:
    """`GET …/users/{id}`: one member, and what can be done."""
    return await _show(desk, NOTHING)


async def _show(desk: Desk, refusal: Refusal) -> Answer:
    user, _ = await core.get_user(desk.hub, desk.caller, _get_id(desk))
    is_edit = refusal.keeps_form and desk.visit.path.endswith("/edit")
    sessions = [one for one in await members.list_sessions(desk.hub, desk.caller) if one.team_user == user.id]
    shown = {name: getattr(user, name) for name in ("first_name", "last_name", "email", "phone", "department", "role")}
    shown["access_role"] = str(user.access_role or "")
    return desk.render(
        "user.html",
        refusal.status,
        user=user,
        values=desk.form if is_edit else shown,
        sessions=sorted(sessions, key=_seen, reverse=True),
        roles=_list_roles(desk, user.access_role),
        is_me=user.id == desk.seat.member.id,
        refusal=refusal,
        errors=refusal.errors,
        base=desk.url("users", user.id),
    )


def _seen(session: SignedIn) -> tuple[object, UUID]:
    return session.seen_at, session.id


def _get_id(desk: Desk) -> UUID:
    return desk.get_id(kind=_KIND)


async def update(desk: Desk) -> Answer:
    """`POST …/edit`: who they are and what they may do."""
    reader = Reader(desk)

    def decide(before: User, catalogue: Catalogue) -> UserProposal:
        del catalogue
        return UserProposal(_read_values(reader, values_of(before)), reader.found())

    write = members.update_user(
        desk.hub, desk.command(version=reader.version()), _get_id(desk), decide, partial(_go, desk)
    )
    return await attempt(write, partial(_show, desk))


def _go(desk: Desk, *users: User) -> Answer:
    """Back to the member's page, as they are now."""
    return desk.go("users", users[-1].id)


async def set_status(desk: Desk) -> Answer:
    """`POST …/status`: disabled or enabled; sessions end, and what their credentials can do."""
    reader = Reader(desk)
    status = reader.choice("status", _STATUSES, "active")
    write = members.set_status(
        desk.hub, desk.command(version=reader.version()), _get_id(desk), status, partial(_go, desk)
    )
    return await attempt(write, partial(_show, desk))


async def reset_password(desk: Desk) -> Answer:
    """`POST …/password`: another password, the one that was typed or one that is made and shown this once."""
    reader = Reader(desk)
    password = _read_password(desk, reader)

    def decide(before: User) -> PasswordProposal:
        del before
        return PasswordProposal(password, reader.found())

    def render(user: User, made: str | None) -> Answer:
        if made is None:
            return desk.go("users", user.id)
        return desk.render(
            "secret.html",
            title=f"The password of {user.name or user.email}",
            told=f"{user.email} signs in with it.",
            secrets=[("password", made)],
            back=desk.url("users", user.id),
        )

    command = desk.command(version=reader.version())
    write = members.reset_password(desk.hub, command, _get_id(desk), decide, render)
    return await attempt(write, partial(_show, desk))


async def end_sessions(desk: Desk) -> Answer:
    """`POST …/sessions`: wherever they are signed in, they no longer are."""
    reader = Reader(desk)

    def render(user: User, count: int) -> Answer:
        del count
        return desk.go("users", user.id)

    command = desk.command(version=reader.version())
    return await attempt(members.end_sessions(desk.hub, command, _get_id(desk), render), partial(_show, desk))


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    USERS: {"GET": signed_in(list_page, permission=ADMINISTER)},
    f"{USERS}/new": {
        "GET": signed_in(show_new, permission=ADMINISTER),
        "POST": signed_in(create, permission=ADMINISTER),
    },
    f"{USERS}/{{id}}": {"GET": signed_in(show, permission=ADMINISTER)},
    f"{USERS}/{{id}}/edit": {"POST": signed_in(update, permission=ADMINISTER)},
    f"{USERS}/{{id}}/status": {"POST": signed_in(set_status, permission=ADMINISTER)},
    f"{USERS}/{{id}}/password": {"POST": signed_in(reset_password, permission=ADMINISTER)},
    f"{USERS}/{{id}}/sessions": {"POST": signed_in(end_sessions, permission=ADMINISTER)},
}
