"""For every write of administration through the hub's own API a request that changes something, and others."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import uuid4

from tests.end_to_end.recipes import Recipe
from tests.support.administration import CREDENTIALS, PASSWORD, ROLES, SESSIONS, USERS, add_credential, add_user, start
from tests.support.hub import Desk, Json

TEAM: Final = "/hub/v1/team"
SETTINGS: Final = f"{TEAM}/settings"
TEAMS: Final = "/hub/v1/teams"
# Routes whose answers hold what is shown once, as they are asked here.
SECRETS: Final = frozenset((f"POST {CREDENTIALS}", f"POST {CREDENTIALS}/{{id}}/rotate", f"POST {TEAMS}"))

Make = Callable[[Desk], Awaitable[Recipe]]


async def make_user(desk: Desk) -> str:
    """A member."""
    return str((await add_user(desk))["id"])


async def make_role(desk: Desk) -> str:
    """A role that nobody has."""
    body = {"name": f"Role {uuid4().hex[:10]}", "permissions": ["customers:read"]}
    return str((await desk.api.post(ROLES, json=body)).json()["role"]["id"])


async def make_credential(desk: Desk) -> str:
    """A key that nobody uses."""
    return str((await add_credential(desk))[0]["id"])


async def make_session(desk: Desk) -> str:
    """Somebody signed in."""
    user = await add_user(desk, password=PASSWORD)
    await start(desk, user["email"])
    listed = await desk.api.get(SESSIONS, params={"user": user["id"]})
    return str(listed.json()["data"][0]["id"])


async def get_team(desk: Desk) -> str:
    """The team itself."""
    return str(desk.team.id)


# By the part of a path that tells them: how a record of each kind is made.
MAKERS: Final[Mapping[str, Callable[[Desk], Awaitable[str]]]] = {
    "/users/": make_user,
    "/roles/": make_role,
    "/credentials/": make_credential,
    "/sessions/": make_session,
    "/teams/": get_team,
}


def to_user_body() -> Json:
    """A member with everything."""
    mark = uuid4().hex[:10]
    return {
        "first_name": "Mira",
        "last_name": "Okafor",
        "email": f"{mark}@kestrel.example",
        "username": mark,
        "phone": "+1-503-555-0142",
        "department": "Sales",
        "role": "admin",
    }


async def _rename_own(desk: Desk) -> Recipe:
    del desk
    return _naming(TEAM, '"1"')


async def _rename_any(desk: Desk) -> Recipe:
    return _naming(f"{TEAMS}/{desk.team.id}", '"1"')


async def _create_team(desk: Desk) -> Recipe:
    del desk
    return _naming(TEAMS, None)


def _naming(path: str, tag: str | None) -> Recipe:
    body, other = ({"name": f"Team {uuid4()}"} for _ in range(2))
    return Recipe(path=path, tag=tag, body=body, other=other, wrong={"name": " "}, wrong_field="name")


async def _settings(desk: Desk) -> Recipe:
    body = {"free_attributes": True, "rate_limit": "1000000/hour", "default_price_list": desk.price_lists[0]}
    return Recipe(
        path=SETTINGS,
        tag='"1"',
        body=body,
        other=body | {"relaxed_create": True},
        wrong=body | {"rate_limit": "many"},
        wrong_field="rate_limit",
    )


async def _create_user(desk: Desk) -> Recipe:
    del desk
    body = to_user_body()
    return Recipe(path=USERS, body=body, other=to_user_body(), wrong=body | {"email": "nobody"}, wrong_field="email")


async def _update_user(desk: Desk) -> Recipe:
    body = to_user_body()
    return Recipe(
        path=f"{USERS}/{await make_user(desk)}",
        tag='"1"',
        body=body,
        other=body | {"phone": None},
        wrong=body | {"email": "nobody"},
        wrong_field="email",
    )


async def _disable(desk: Desk) -> Recipe:
    return Recipe(path=f"{USERS}/{await make_user(desk)}/disable", tag='"1"')


async def _enable(desk: Desk) -> Recipe:
    path = f"{USERS}/{await make_user(desk)}"
    assert (await desk.api.post(f"{path}/disable")).status_code == 200
    return Recipe(path=f"{path}/enable", tag='"2"')


async def _reset_password(desk: Desk) -> Recipe:
    return Recipe(
        path=f"{USERS}/{await make_user(desk)}/reset-password",
        tag='"1"',
        body={"password": "another horse"},
        other={"password": "a third horse"},
        wrong={"password": "short"},
        wrong_field="password",
    )


async def _end_sessions(desk: Desk) -> Recipe:
    user = await add_user(desk, password=PASSWORD)
    await start(desk, user["email"])
    return Recipe(path=f"{USERS}/{user['id']}/end-sessions", tag='"1"')


async def _create_role(desk: Desk) -> Recipe:
    del desk
    body = {"name": f"Role {uuid4().hex[:10]}", "description": "For tills", "permissions": ["customers:read"]}
    return Recipe(
        path=ROLES,
        body=body,
        other=body | {"name": f"Role {uuid4().hex[:10]}"},
        wrong=body | {"name": " "},
        wrong_field="name",
    )


async def _update_role(desk: Desk) -> Recipe:
    body = {"description": "For tills", "permissions": ["customers:read", "customers:update"]}
    return Recipe(
        path=f"{ROLES}/{await make_role(desk)}",
        tag='"1"',
        body=body,
        other=body | {"permissions": []},
        wrong=body | {"description": ""},
        wrong_field="description",
    )


async def _delete_role(desk: Desk) -> Recipe:
    return Recipe(path=f"{ROLES}/{await make_role(desk)}", tag='"1"', is_final=True)


async def _create_credential(desk: Desk) -> Recipe:
    body = {
        "dialect": "hub",
        "name": "Till",
        "user": desk.reps[0],
        "scopes": ["write"],
        "requires_precondition": False,
        "rate_limit": "1000/hour",
        "expires_at": "2099-03-02T15:04:05Z",
    }
    return Recipe(
        path=CREDENTIALS,
        body=body,
        other=body | {"name": "Another"},
        wrong=body | {"scopes": ["root"]},
        wrong_field="scopes",
    )


async def _update_credential(desk: Desk) -> Recipe:
    body = {"requires_precondition": True, "rate_limit": "1000/hour"}
    return Recipe(
        path=f"{CREDENTIALS}/{await make_credential(desk)}",
        tag='"1"',
        body=body,
        other=body | {"rate_limit": None},
        wrong=body | {"rate_limit": "many"},
        wrong_field="rate_limit",
    )


async def _rotate(desk: Desk) -> Recipe:
    return Recipe(
        path=f"{CREDENTIALS}/{await make_credential(desk)}/rotate",
        tag='"1"',
        body={"overlap_seconds": 60},
        other={"overlap_seconds": 0},
        wrong={"overlap_seconds": -1},
        wrong_field="overlap_seconds",
    )


async def _revoke(desk: Desk) -> Recipe:
    return Recipe(path=f"{CREDENTIALS}/{await make_credential(desk)}/revoke", tag='"1"')


async def _end_session(desk: Desk) -> Recipe:
    return Recipe(path=f"{SESSIONS}/{await make_session(desk)}", tag='"1"', is_final=True)


RECIPES: Final[Mapping[str, Make]] = {
    f"PATCH {TEAM}": _rename_own,
    f"PATCH {SETTINGS}": _settings,
    f"POST {TEAMS}": _create_team,
    f"PATCH {TEAMS}/{{id}}": _rename_any,
    f"POST {USERS}": _create_user,
    f"PATCH {USERS}/{{id}}": _update_user,
    f"POST {USERS}/{{id}}/disable": _disable,
    f"POST {USERS}/{{id}}/enable": _enable,
    f"POST {USERS}/{{id}}/reset-password": _reset_password,
    f"POST {USERS}/{{id}}/end-sessions": _end_sessions,
    f"POST {ROLES}": _create_role,
    f"PATCH {ROLES}/{{id}}": _update_role,
    f"DELETE {ROLES}/{{id}}": _delete_role,
    f"POST {CREDENTIALS}": _create_credential,
    f"PATCH {CREDENTIALS}/{{id}}": _update_credential,
    f"POST {CREDENTIALS}/{{id}}/rotate": _rotate,
    f"POST {CREDENTIALS}/{{id}}/revoke": _revoke,
    f"DELETE {SESSIONS}/{{id}}": _end_session,
}
