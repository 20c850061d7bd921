"""`/v1/identity/account-users`: members of the account; sales representatives are members."""

from typing import Annotated, Literal, cast, get_args

from pydantic import Field
from starlette.datastructures import QueryParams
from typing_extensions import TypedDict

from customerhub.core import users as core
from customerhub.core.lists import get_catalogue
from customerhub.core.users import UserProposal, UserValues, split_name
from customerhub.dialects.augno.answers import Shown, respond
from customerhub.dialects.augno.ids import ACCOUNT_USER, ROLE, USER, from_id, from_path, to_id
from customerhub.dialects.augno.include import Includes, read_includes
from customerhub.dialects.augno.models import Page
from customerhub.dialects.augno.paging import QueryReader, holds, read_page, to_scope, to_window_page
from customerhub.dialects.augno.parts import to_times
from customerhub.dialects.augno.read import Body, Draft
from customerhub.dialects.augno.resources.family import read, to_model, to_sent
from customerhub.dialects.augno.resources.models import AccountUser, RoleType
from customerhub.dialects.augno.resources.queries import AccountUserListQuery, AccountUserQuery
from customerhub.dialects.augno.resources.shown import to_role, to_role_type
from customerhub.dialects.augno.wire import CONFIG, Email, Name
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue, User
from customerhub.model.page import window
from customerhub.web.operation import Call, Operation

_INCLUDES = ("role", "department")
_ROLE_TYPES: tuple[RoleType, ...] = get_args(RoleType)
_REMOVED = "include_removed"
_TAG = "Account users"


class Preference(TypedDict):
    """Whether a member wants to be told of something."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    notification_type_code: Literal["invoice", "order_acknowledgement", "purchase_order_submission"]
    enabled: bool


class _Required(TypedDict):
    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name | None
    email: Email | None
    username: Name | None
    password: Annotated[str, Field(min_length=8, max_length=1024)] | None
    preferences: Annotated[list[Preference], Field(max_length=100)]


class AccountUserBody(_Required, total=False):
    """A member to make; with a password they can sign in. Nobody is notified by this server, whatever they prefer."""

    role_id: str | None
    department_id: str | None


_BODY = to_model(AccountUserBody)


def to_account_user(user: User, catalogue: Catalogue, includes: Includes) -> Shown:
    """A member of the account; there are no departments here."""
    role = catalogue.find_entry("role", user.access_role) if "role" in includes else None
    return {
        "id": to_id(ACCOUNT_USER, user.id),
        "object": "account_user",
        "name": user.name,
        "email": user.email,
        "username": user.username,
        "image_url": None,
        "status": "active" if user.status == "active" else "disabled",
        "role": to_role(role, catalogue, includes.under("role")) if role is not None else None,
        "department": None,
        "last_used_at": None,
        **to_times(user),
    }


async def list_page(call: Call) -> Answer:
    """`GET /v1/identity/account-users`: 200."""
    # This one only looks as if it asked for a part.
    parts = QueryParams([pair for pair in call.query.multi_items() if pair[0] != _REMOVED])
    includes = read_includes(parts, _INCLUDES)
    reader, scope = QueryReader(call.query), to_scope(call, "account users")
    asked = read_page(reader, scope)
    types = reader.choices("role_type", _ROLE_TYPES)
    reader.flag(_REMOVED)
    reader.check()
    catalogue = await get_catalogue(call.hub, call.caller)
    chosen = (
        user
        for user in catalogue.users()
        if (not types or _is_of(user, types, catalogue)) and holds(asked.text, user.name, user.email, user.username)
    )
    page = window(chosen, asked.position, asked.limit)
    rows = [to_account_user(user, catalogue, includes) for user in page.items]
    return respond(call, 200, to_window_page(scope, rows, page.before, page.after))


def _is_of(user: User, types: tuple[RoleType, ...], catalogue: Catalogue) -> bool:
    """Whether a member has a role of these types; every member may be a customer's sales representative here."""
    role = catalogue.find_entry("role", user.access_role)
    return "sales_rep" in types or (to_role_type(role, catalogue) if role is not None else "user") in types


async def get(call: Call) -> Answer:
    """`GET /v1/identity/account-users/{id}`: 200."""
    includes = read_includes(call.query, _INCLUDES)
    user, catalogue = await core.get_user(call.hub, call.caller, from_path(call.path["id"], ACCOUNT_USER, USER))
    return respond(call, 200, to_account_user(user, catalogue, includes), user.version)


async def create(call: Call) -> Answer:
    """`POST /v1/identity/account-users`: 201."""
    includes = read_includes(call.query, _INCLUDES)
    seen = Catalogue(0)

    def decide(catalogue: Catalogue) -> UserProposal:
        nonlocal seen
        seen = catalogue
        draft = read(call, _BODY, catalogue, None)
        values = _to_values(draft, to_sent(draft), catalogue)
        call.command.ignored[:] = draft.ignored
        return UserProposal(values, draft.found())

    def render(user: User) -> Answer:
        return respond(call, 201, to_account_user(user, seen, includes), user.version)

    return await core.create_user(call.hub, call.command, decide, render)


def _to_values(draft: Draft, sent: Body, catalogue: Catalogue) -> UserValues:
    """What is kept of a member; preferences have no effect, which the answer says."""
    first_name, last_name = split_name(str(sent.get("name") or ""))
    role = from_id(sent.get("role_id"), ROLE)
    if sent.get("role_id") is not None and catalogue.find_live("role", role) is None:
        draft.refuse(("role_id",), "unknown_id", "names no role of this account")
    if sent.get("department_id") is not None:
        draft.refuse(("department_id",), "unknown_id", "names no department of this account")
    if not any(draft.value.get(name) for name in ("name", "email", "username")):
        draft.refuse(("name",), "nobody", "must be there where there is neither an email address nor a username")
    for position, preference in enumerate(cast("list[Body]", sent.get("preferences") or [])):
        draft.ignored.append(f"preferences[{position}]")
        known = ("notification_type_code", "enabled")
        draft.note_unknown(known, catalogue.settings, ("preferences", position), preference)
    return UserValues(
        first_name=first_name,
        last_name=last_name,
        email=cast("str | None", sent.get("email")),
        username=cast("str | None", sent.get("username")),
        password=cast("str | None", sent.get("password")),
        access_role=role,
    )


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/v1/identity/account-users",
        name="listAccountUsers",
        summary="List account users",
        description=(
            "The newest first. `q` looks into name, email address and username. Every member may be a sales "
            "representative, so `role_type=sales_rep` leaves nobody out. Nobody is ever removed."
        ),
        handler=list_page,
        query=AccountUserListQuery,
        answer=Page[AccountUser],
        tags=(_TAG,),
        permissions=("account_users:read",),
    ),
    Operation(
        method="POST",
        path="/v1/identity/account-users",
        name="createAccountUser",
        summary="Create an account user",
        description="Nobody is written to. `preferences` are taken and have no effect; there are no departments.",
        handler=create,
        status=201,
        body=AccountUserBody,
        query=AccountUserQuery,
        answer=AccountUser,
        errors=(409,),
        tags=(_TAG,),
        writes=True,
        creates=True,
        permissions=("account_users:create",),
        is_secret=True,
        examples={
            "body": {
                "name": "Tomas Lind",
                "email": "tomas.lind@harbour.example",
                "username": "tlind",
                "password": None,
                "preferences": [],
            }
        },
    ),
    Operation(
        method="GET",
        path="/v1/identity/account-users/{id}",
        name="getAccountUser",
        summary="Get an account user",
        handler=get,
        query=AccountUserQuery,
        answer=AccountUser,
        errors=(404,),
        tags=(_TAG,),
        permissions=("account_users:read",),
    ),
)
