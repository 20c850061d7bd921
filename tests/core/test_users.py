"""Members of a team through the API: made once, known by every door, told apart by email address and username."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from customerhub.core import admin, system, users
from customerhub.core.access import sign_in
from customerhub.core.hub import Hub
from customerhub.core.users import UserProposal, UserValues, split_name
from customerhub.model.answer import IfMatch
from customerhub.model.catalogue import User
from customerhub.model.error import FieldError, Forbidden, Invalid, NotFound, PreconditionFailed, Taken
from tests.support.office import Office, keep, key, make_caller, make_office, refused


@pytest.fixture
async def office(hub: Hub) -> AsyncIterator[Office]:
    """A team and somebody who may do everything in it."""
    async with make_office(hub) as made:
        yield made


async def make(office: Office, guards: dict[str, Any] | None = None, **values: Any) -> User:  # Any: Guards, UserValues
    """A new member."""
    made: list[User] = []
    order = UserValues(**{"first_name": "Mira", "last_name": "Okafor", **values})
    await users.create_user(office.hub, office.command(**(guards or {})), lambda _: UserProposal(order), keep(made))
    return made[-1]


def address() -> str:
    """An email address that nobody has."""
    return f"{uuid4().hex}@northbound.example"


async def test_a_member_is_known_at_once(office: Office) -> None:
    """What was sent is what is stored, told in the history, and can be a customer's sales rep."""
    role = system.to_role_id(office.team.id, "viewer")
    email = address()
    user = await make(office, email=email, username="mokafor", phone="1", department="Sales", access_role=role)
    assert user == User(
        id=user.id,
        email=email,
        first_name="Mira",
        last_name="Okafor",
        created_at=user.created_at,
        updated_at=user.created_at,
        created_by=office.caller.actor,
        updated_by=office.caller.actor,
        phone="1",
        department="Sales",
        username="mokafor",
        access_role=role,
    )
    assert user.name == "Mira Okafor"
    assert (await users.get_user(office.hub, office.caller, user.id))[0] == user
    assert (await office.customer(sales_reps=(user.id,))).default_sales_rep == user.id
    assert await office.audits("user") == [(user.id, 1, "created")]


async def test_with_a_password_they_can_sign_in(office: Office) -> None:
    """By email address and password; the password is stored nowhere, and one that could not be used is refused."""
    email = address()
    user = await make(office, email=email, password="correct horse")
    login = await sign_in(office.hub, email.upper(), "correct horse")
    assert (login.id, login.team, login.team_user) == (user.login, office.team.id, user.id)
    async with office.hub.database.lease() as connection:
        for table in ("login", "team_user", "audit"):
            statement = f"select count(*) from {table} t where t::text like '%correct horse%'"  # noqa: S608 - tables of ours
            assert await connection.fetchval(statement) == 0
    failure = await refused(Invalid, make(office, username="nobody", password="correct horse"), office)
    assert failure.errors == (
        FieldError(("password",), "no_email", "is of no use without an email address to sign in with"),
    )


async def test_an_email_address_and_a_username_are_one_members(office: Office) -> None:
    """Both are compared ignoring case, both are told at once, and another team may have the same."""
    email = address()
    await make(office, email=email, username="Mokafor")
    failure = await refused(Taken, make(office, email=email.upper(), username="mokafor"), office)
    assert [(error.path, error.code) for error in failure.errors] == [
        (("email",), "email_taken"),
        (("username",), "username_taken"),
    ]
    failure = await refused(Taken, make(office, email=address(), username="MOKAFOR"), office)
    assert [error.path for error in failure.errors] == [("username",)]
    async with make_office(office.hub) as other:
        assert (await make(other, email=email, username="Mokafor")).email == email
    for _ in range(2):
        assert (await make(office, email=None, username=None)).email is None


async def test_an_address_that_somebody_signs_in_with_is_taken(office: Office) -> None:
    """A second login of one address cannot be, whichever team the first is in; without a password there is none."""
    email = address()
    async with make_office(office.hub) as other:
        await admin.create_user(office.hub, other.team, admin.NewUser(email, "Ola", "Nordmann", "correct horse"))
    failure = await refused(Taken, make(office, email=email, password="battery staple"), office)
    assert failure.errors == (FieldError(("email",), "email_taken", "belongs to somebody else"),)
    assert (await make(office, email=email)).login is None


async def test_of_many_with_one_username_one_is_made(office: Office) -> None:
    """Eight at the same moment: one member, seven refusals."""
    outcomes = await asyncio.gather(*(make(office, username="mokafor") for _ in range(8)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(Taken) == 7, outcomes
    assert [user.username for user in (await office.catalogue()).users()] == ["mokafor"]


async def test_a_role_is_one_of_the_team_and_within_the_callers(office: Office) -> None:
    """An unknown role is refused, and one that may do what the caller may not."""
    failure = await refused(Invalid, make(office, access_role=system.to_role_id(uuid4(), "viewer")), office)
    assert failure.errors == (FieldError(("access_role",), "unknown_id", "no such role"),)
    editor = replace(office, caller=await make_caller(office.hub, office.team, "editor"))
    admins = system.to_role_id(office.team.id, "admin")
    assert (await refused(Forbidden, make(editor, access_role=admins), office)).permission == "account_users:create"
    assert (await make(editor, access_role=system.to_role_id(office.team.id, "viewer"))).access_role is not None


async def test_the_usual_guards_hold(office: Office) -> None:
    """A key makes one member of two requests, a dry run none, and a new member has no version to be named."""
    guards = {"key": key("once")}
    await make(office, guards, username="mokafor")
    command = office.command(**guards)
    values = UserProposal(UserValues(username="mokafor"))
    answer = await users.create_user(office.hub, command, lambda _: values, keep([]))
    assert answer.headers == (("idempotent-replayed", "true"),)
    assert len((await office.catalogue()).users()) == 1
    before = await office.fingerprint()
    await make(office, {"dry_run": True}, username="other", email=address(), password="correct horse")
    assert await office.fingerprint() == before
    await refused(PreconditionFailed, make(office, {"if_match": IfMatch(any_version=True)}), office)
    await refused(NotFound, users.get_user(office.hub, office.caller, uuid4()), office)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Mira Okafor", ("Mira", "Okafor")),
        ("Ana Maria de la Cruz", ("Ana Maria de la", "Cruz")),
        ("Cher", ("Cher", "")),
        ("Mira  Okafor", ("Mira ", "Okafor")),
        (" Mira", (" Mira", "")),
        ("Mira ", ("Mira ", "")),
        (" ", (" ", "")),
    ],
)
def test_a_name_comes_back_as_it_was(name: str, parts: tuple[str, str]) -> None:
    """Whatever was sent as one name is shown as that name."""
    assert split_name(name) == parts
    assert " ".join(part for part in parts if part) == name
