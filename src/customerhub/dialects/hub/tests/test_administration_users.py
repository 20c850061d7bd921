"""Members of the team through the API: changed, disabled, let in again; felt at once everywhere."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from customerhub.core import access, admin
from customerhub.core.access import sign_in
from customerhub.core.hub import Hub
from customerhub.core.members import PasswordProposal, reset_password
from customerhub.core.sessions import find_person, start_session
from customerhub.dialects.hub.tests.helpers import problem, refusal
from customerhub.model.answer import Answer
from customerhub.model.catalogue import User
from customerhub.model.error import Unauthenticated
from customerhub.store.catalogue import bump_catalogue, lock_entry
from customerhub.store.db import connect
from tests.support.administration import (
    CREDENTIALS,
    PASSWORD,
    ROLES,
    SESSIONS,
    USERS,
    add_credential,
    add_user,
    audits,
    bearer,
    start,
    twin_of,
)
from tests.support.hub import CUSTOMERS, Desk, Json, make_key
from tests.support.waiting import wait_until

DELETE_ROLE = (
    "update catalogue_entry set deleted_at = now(), status = 'inactive', version = version + 1, unique_key = null"
    " where id = $1"
)
WAITS_FOR_ROLE = (
    "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    " and query like '%catalogue_entry%')"
)
OPEN_TRANSACTIONS = (
    "select exists (select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    " and state = 'idle in transaction')"
)


async def can_sign_in(desk: Desk, email: str, password: str) -> bool:
    """Whether this password is the one."""
    try:
        await sign_in(desk.hub, email, password)
    except Unauthenticated:
        return False
    return True


async def join(desk: Desk, other: Desk, user: Json) -> None:
    """Let the login of a member of one team be a member of another too."""
    async with desk.hub.database.lease() as connection:
        await connection.execute(
            "insert into team_user (team, id, login, email, email_key, first_name, last_name, created_at, updated_at,"
            " created_by, updated_by) select $1, $2, login, email, email_key, 'A', 'B', now(), now(), id, id"
            " from team_user where team = $3 and id = $4",
            other.team.id,
            uuid4(),
            desk.team.id,
            UUID(user["id"]),
        )
        await bump_catalogue(connection, other.team.id)


async def test_a_user_is_made_and_changed(desk: Desk) -> None:
    """Each member by its own name; what changed is told apart from what was there, and no password is told."""
    role = (await desk.api.get("/hub/v1/roles")).json()["data"][0]["id"]
    made = await add_user(desk, password=PASSWORD, username="mokafor", phone="+1-503-555-0142")
    assert (made["version"], made["role"], made["status"], made["can_sign_in"]) == (1, "member", "active", True)
    path = f"{USERS}/{made['id']}"
    assert (await desk.api.get(path)).json() == made
    assert (await desk.api.get(path, headers={"if-none-match": '"1"'})).status_code == 304
    email = f"{uuid4().hex}@kestrel.example"
    change = {"email": email, "username": None, "role": "admin", "access_role": role, "first_name": "Mira"}
    done = await desk.api.patch(path, json=change, headers={"if-match": '"1"'})
    assert (done.status_code, done.headers["etag"]) == (200, '"2"')
    assert done.json()["changed"] == ["/email", "/username", "/role", "/access_role"]
    assert done.json()["equal"] == ["/first_name"]
    assert await can_sign_in(desk, email, PASSWORD)
    assert not await can_sign_in(desk, made["email"], PASSWORD)
    [changed, created] = await audits(desk, kind="user", subject=made["id"])
    assert (changed["action"], changed["version"], created["action"]) == ("updated", 2, "created")
    assert {"path": "/email", "old": made["email"], "new": email} in changed["changes"]
    assert PASSWORD not in str([changed, created])
    found = await desk.api.get(USERS, params={"email": email.upper(), "role": "admin", "status": "active"})
    assert [user["id"] for user in found.json()["data"]] == [made["id"]]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("/first_name", "required"), ("/last_name", "required")]),
        ({"first_name": "A", "last_name": "B", "password": PASSWORD}, [("/password", "no_email")]),
        ({"first_name": "A", "last_name": "B", "login": None}, [("/login", "unknown")]),
        (
            {"first_name": "A", "last_name": "B", "role": "owner", "email": "x"},
            [("/role", "enum"), ("/email", "email")],
        ),
        ({"first_name": "A", "last_name": "B", "access_role": str(uuid4())}, [("/access_role", "unknown_id")]),
    ],
)
async def test_wrong_users(desk: Desk, body: Json, errors: list[tuple[str, str]]) -> None:
    """Every fault at once, and nobody is made."""
    before = await desk.fingerprint()
    assert refusal(await desk.api.post(USERS, json=body)) == (422, "invalid", errors)
    assert await desk.fingerprint() == before


async def test_what_is_somebody_s_is_refused(desk: Desk, other_desk: Desk) -> None:
    """An email address within the team, or that signs in anywhere; who signs in keeps an address."""
    one, two = await add_user(desk, password=PASSWORD), await add_user(desk, username="two")
    theirs = await add_user(other_desk, password=PASSWORD)
    before = await desk.fingerprint()
    taken = (409, "taken", [("/email", "email_taken")])
    assert refusal(await desk.api.patch(f"{USERS}/{two['id']}", json={"email": one["email"].upper()})) == taken
    assert refusal(await desk.api.patch(f"{USERS}/{one['id']}", json={"email": theirs["email"]})) == taken
    twice = await desk.api.patch(f"{USERS}/{one['id']}", json={"username": "TWO"})
    assert refusal(twice) == (409, "taken", [("/username", "username_taken")])
    nameless = await desk.api.patch(f"{USERS}/{one['id']}", json={"email": None})
    assert refusal(nameless) == (422, "invalid", [("/email", "no_email")])
    assert await desk.fingerprint() == before


async def test_who_is_disabled_is_out_at_once(desk: Desk) -> None:
    """Sessions end; keys of the member are refused in every process from the next request on, and rise again."""
    user = await add_user(desk, password=PASSWORD)
    path = f"{USERS}/{user['id']}"
    made, secrets = await add_credential(desk, user=user["id"])
    headers, session = bearer(secrets["api_key"]), await start(desk, user["email"])
    customer = await desk.create()

    async def statuses(api: httpx.AsyncClient) -> list[int]:
        one = f"{CUSTOMERS}/{customer['id']}"
        answers = [await api.get(CUSTOMERS, headers=headers), await api.get(one, headers=headers)]
        patched = await api.patch(one, json={"note": "x"}, headers=headers)
        return [answer.status_code for answer in (*answers, patched)]

    async with twin_of(desk) as twin:
        assert [await statuses(api) for api in (desk.api, twin)] == [[200] * 3] * 2
        assert await find_person(desk.hub, session) is not None
        done = await desk.api.post(f"{path}/disable")
        assert (done.json()["user"]["status"], done.json()["changed"]) == ("inactive", ["/status", "/can_sign_in"])
        assert [await statuses(api) for api in (desk.api, twin)] == [[401] * 3] * 2
        assert await find_person(desk.hub, session) is None
        assert (await desk.api.get(SESSIONS)).json()["data"] == []
        for dialect in ("hub", "augno", "wizcommerce", "count"):
            order = {"dialect": dialect, "name": "x", "user": user["id"]}
            assert refusal(await desk.api.post(CREDENTIALS, json=order)) == (409, "conflict", [])
        assert (await desk.api.post(f"{path}/disable")).json()["changed"] == []
        enabled = await desk.api.post(f"{path}/enable")
        assert (enabled.json()["user"]["version"], enabled.json()["user"]["status"]) == (3, "active")
        assert [await statuses(api) for api in (desk.api, twin)] == [[200] * 3] * 2
    assert await find_person(desk.hub, session) is None
    assert [event["action"] for event in await audits(desk, kind="user", subject=user["id"])] == [
        "enabled",
        "disabled",
        "created",
    ]
    assert (await desk.api.get(f"{CREDENTIALS}/{made['id']}")).json()["version"] == 1


async def test_the_last_administrator_stays(desk: Desk) -> None:
    """One who can sign in is neither disabled nor made a member while there is no other."""
    last = await add_user(desk, password=PASSWORD, role="admin")
    await add_user(desk, role="admin")
    path = f"{USERS}/{last['id']}"
    before = await desk.fingerprint()
    for answer in (await desk.api.post(f"{path}/disable"), await desk.api.patch(path, json={"role": "member"})):
        assert refusal(answer) == (409, "conflict", [])
        assert problem(answer)["detail"].startswith("This is the last administrator who can sign in")
    assert await desk.fingerprint() == before
    await add_user(desk, password=PASSWORD, role="admin")
    assert (await desk.api.post(f"{path}/disable")).status_code == 200


async def test_two_administrators_who_disable_each_other_do_not_lock_the_team_out(desk: Desk) -> None:
    """Whoever comes second is refused."""
    admins = [await add_user(desk, password=PASSWORD, role="admin") for _ in range(2)]
    answers = await asyncio.gather(*(desk.api.post(f"{USERS}/{user['id']}/disable") for user in admins))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_password_is_reset(desk: Desk) -> None:
    """To one that is sent, or to one that is made and shown once; sessions end, keys go on, and no key keeps it."""
    user = await add_user(desk, password=PASSWORD)
    path = f"{USERS}/{user['id']}/reset-password"
    _, secrets = await add_credential(desk, user=user["id"])
    session = await start(desk, user["email"])
    sent = await desk.api.post(path, json={"password": "another horse"}, headers={"idempotency-key": "sent"})
    assert (sent.status_code, sent.json()["password"], sent.json()["user"]["version"]) == (200, None, 2)
    assert await find_person(desk.hub, session) is None
    assert await can_sign_in(desk, user["email"], "another horse")
    assert not await can_sign_in(desk, user["email"], PASSWORD)
    made = await desk.api.post(path, json={}, headers={"idempotency-key": "made"})
    assert len(made.json()["password"]) == 20
    assert await can_sign_in(desk, user["email"], made.json()["password"])
    again = await desk.api.post(path, json={}, headers={"idempotency-key": "made"})
    assert refusal(again)[:2] == (410, "key-gone")
    assert refusal(await desk.api.post(path, json={"password": "short"}))[2] == [("/password", "string_too_short")]
    assert (await desk.api.get(CUSTOMERS, headers=bearer(secrets["api_key"]))).status_code == 200
    trail = await audits(desk, kind="user", subject=user["id"])
    assert [event["action"] for event in trail] == ["password_reset", "password_reset", "created"]
    assert made.json()["password"] not in str(trail)


async def test_a_password_makes_a_login(desk: Desk) -> None:
    """For a rep with an email address, and never without one."""
    rep, nameless = await add_user(desk), await add_user(desk, email=None)
    done = await desk.api.post(f"{USERS}/{rep['id']}/reset-password", json={"password": PASSWORD})
    assert done.json()["changed"] == ["/can_sign_in"]
    assert await can_sign_in(desk, rep["email"], PASSWORD)
    refused = await desk.api.post(f"{USERS}/{nameless['id']}/reset-password", json={})
    assert refusal(refused) == (409, "conflict", [])


async def test_a_password_that_was_reset_meanwhile_starts_no_session(desk: Desk) -> None:
    """Checking one takes a while, and the reset has ended the sessions that there were by then."""
    user = await add_user(desk, password=PASSWORD)
    login = await sign_in(desk.hub, user["email"], PASSWORD)
    assert (await desk.api.post(f"{USERS}/{user['id']}/reset-password", json={})).status_code == 200
    with pytest.raises(Unauthenticated):
        await start_session(desk.hub, login, None)
    assert (await desk.api.get(SESSIONS)).json()["data"] == []


async def test_no_transaction_waits_for_a_password_to_be_hashed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes half a second, two at a time: a few of them would hold every connection of the process, and the rows."""
    user = await add_user(desk, password=PASSWORD, role="admin")
    busy: list[bool] = []
    hash_it = access.hash_password

    async def look_and_hash(hub: Hub, password: str) -> str:
        connection = await connect(hub.database.url)
        busy.append(await connection.fetchval(OPEN_TRANSACTIONS))
        await connection.close()
        return await hash_it(hub, password)

    monkeypatch.setattr(access, "hash_password", look_and_hash)
    await add_user(desk, password=PASSWORD)
    done = await desk.api.post(f"{USERS}/{user['id']}/reset-password", json={"password": "another horse"})
    assert (done.status_code, busy) == (200, [False, False])
    assert await can_sign_in(desk, user["email"], "another horse")


async def test_a_login_of_two_teams_is_nobody_s_alone(desk: Desk, other_desk: Desk) -> None:
    """An administrator of one team takes over nobody's way into another; the operator may. Disabling is of one team."""
    user = await add_user(desk, password=PASSWORD)
    await join(desk, other_desk, user)
    before = await desk.fingerprint()
    path = f"{USERS}/{user['id']}"
    for answer in (
        await desk.api.post(f"{path}/reset-password", json={"password": "another horse"}),
        await desk.api.patch(path, json={"email": f"{uuid4().hex}@x.example"}),
    ):
        assert refusal(answer) == (409, "conflict", [])
    assert await desk.fingerprint() == before
    operator = bearer((await make_key(desk.hub, desk.team, scopes=("operator",)))["api_key"])
    done = await desk.api.post(f"{path}/reset-password", json={"password": "another horse"}, headers=operator)
    assert done.status_code == 200, done.text
    kept: list[str | None] = []

    def render(_: User, password: str | None) -> Answer:
        kept.append(password)
        return Answer(200)

    again = PasswordProposal(PASSWORD)
    await reset_password(desk.hub, admin.to_command(desk.team.id), UUID(user["id"]), lambda _: again, render)
    assert (kept, await can_sign_in(desk, user["email"], PASSWORD)) == ([None], True)
    assert (await desk.api.post(f"{path}/disable")).status_code == 200
    person = await find_person(desk.hub, await start(desk, user["email"]))
    assert person is not None
    assert [membership.team for membership in person.memberships] == [other_desk.team.id]


async def test_sessions_are_seen_and_ended(desk: Desk, other_desk: Desk) -> None:
    """One, or all of a member; what has run out is in no list, and another team sees nothing."""
    user, other = await add_user(desk, password=PASSWORD), await add_user(desk, password=PASSWORD)
    secrets = [await start(desk, user["email"]) for _ in range(2)]
    kept = await start(desk, other["email"])
    listed = (await desk.api.get(SESSIONS)).json()["data"]
    assert [(row["user"], row["email"]) for row in listed][1:] == [(user["id"], user["email"])] * 2
    assert not any(secret in str(listed) for secret in secrets)
    assert (await other_desk.api.get(SESSIONS)).json()["data"] == []
    of_user = (await desk.api.get(SESSIONS, params={"user": user["id"]})).json()["data"]
    path = f"{SESSIONS}/{of_user[0]['id']}"
    before = await desk.fingerprint()
    assert refusal(await other_desk.api.delete(path))[:2] == (404, "not-found")
    assert await desk.fingerprint() == before
    assert (await desk.api.delete(path)).json()["session"] == of_user[0]
    assert refusal(await desk.api.delete(path))[:2] == (404, "not-found")
    assert [await find_person(desk.hub, secret) is None for secret in secrets] == [False, True]
    ended = await desk.api.post(f"{USERS}/{user['id']}/end-sessions")
    assert (ended.json()["ended"], ended.json()["user"]["version"]) == (1, 2)
    assert (await desk.api.post(f"{USERS}/{user['id']}/end-sessions")).json()["ended"] == 0
    assert [await find_person(desk.hub, secret) is None for secret in (*secrets, kept)] == [True, True, False]
    [event] = await audits(desk, kind="session")
    assert (event["subject"], event["action"]) == (of_user[0]["id"], "ended")
    now = desk.hub.now
    desk.hub.now = lambda: now() + timedelta(hours=2)
    assert (await desk.api.get(SESSIONS)).json()["data"] == []


@pytest.mark.parametrize("what", ["a new user", "a user", "a key"])
async def test_nobody_gets_a_role_that_is_being_deleted(desk: Desk, what: str) -> None:
    """Whoever begins to have it waits for what becomes of it, and is told that there is none."""
    role = (await desk.api.post(ROLES, json={"name": "Till", "permissions": ["customers:read"]})).json()["role"]
    user = await add_user(desk)
    _, secrets = await add_credential(desk, dialect="augno")
    theirs, keys = bearer(secrets["api_key"]), "/v1/auth/api-keys"
    wire_id = next(row["id"] for row in await _roles(desk, theirs) if row["name"] == "Till")
    requests = {
        "a new user": lambda: desk.api.post(
            USERS, json={"first_name": "A", "last_name": "B", "access_role": role["id"]}
        ),
        "a user": lambda: desk.api.patch(f"{USERS}/{user['id']}", json={"access_role": role["id"]}),
        "a key": lambda: desk.api.post(keys, json={"name": "Till", "role_id": wire_id}, headers=theirs),
    }
    connection = await connect(desk.hub.database.url)
    async with connection.transaction():
        await lock_entry(connection, desk.team.id, UUID(role["id"]))
        await connection.execute(DELETE_ROLE, UUID(role["id"]))
        await bump_catalogue(connection, desk.team.id)
        asked = asyncio.create_task(requests[what]())
        await wait_until(lambda: _is_waiting(desk), "the request waits for the role")
    await connection.close()
    assert (await asked).status_code == (400 if what == "a key" else 422)
    assert [row["access_role"] for row in (await desk.api.get(USERS)).json()["data"] if row["access_role"]] == []


async def _roles(desk: Desk, headers: dict[str, str]) -> list[Json]:
    found: list[Json] = (await desk.api.get("/v1/identity/roles", headers=headers)).json()["data"]
    return found


async def _is_waiting(desk: Desk) -> bool:
    async with desk.hub.database.lease() as connection:
        return bool(await connection.fetchval(WAITS_FOR_ROLE))


async def test_foreign_users_are_not_there(desk: Desk, other_desk: Desk) -> None:
    """Whatever is asked of another team's member is the 404 of one that never was."""
    theirs = (await add_user(other_desk))["id"]
    before = await desk.fingerprint()
    for user_id in (theirs, str(uuid4()), "nobody"):
        path = f"{USERS}/{user_id}"
        answers = [await desk.api.get(path), await desk.api.patch(path, json={"phone": "1"})]
        answers += [
            await desk.api.post(f"{path}/{action}", json={})
            for action in ("disable", "enable", "reset-password", "end-sessions")
        ]
        assert {refusal(answer)[:2] for answer in answers} == {(404, "not-found")}
    assert await desk.fingerprint() == before
    assert (await admin.get_team(desk.hub, str(desk.team.id))).version == 1
