"""Roles, the audit trail, and all teams of the hub."""

from datetime import timedelta
from uuid import uuid4

import pytest

from customerhub.core.system import PERMISSIONS, to_role_id
from customerhub.dialects.hub.tests.helpers import refusal
from tests.support.administration import AUDIT, CREDENTIALS, ROLES, add_credential, add_user, audits, bearer
from tests.support.hub import CUSTOMERS, Desk, make_key

TEAMS = "/hub/v1/teams"


async def test_a_role_is_made_changed_and_deleted(desk: Desk) -> None:
    """Its permissions stand in one order; not while somebody has it; its name is free again."""
    body = {"name": "Till", "permissions": ["customers:update", "customers:read"]}
    made = await desk.api.post(ROLES, json=body)
    role = made.json()["role"]
    assert (made.status_code, role["permissions"], role["is_system"]) == (
        201,
        ["customers:read", "customers:update"],
        False,
    )
    path = f"{ROLES}/{role['id']}"
    assert refusal(await desk.api.post(ROLES, json=body | {"name": "TILL"})) == (
        409,
        "taken",
        [("/name", "name_taken")],
    )
    done = await desk.api.patch(path, json={"description": "Tills", "name": "Till"})
    assert (done.json()["changed"], done.json()["equal"]) == (["/description"], ["/name"])
    user = await add_user(desk, access_role=role["id"])
    assert refusal(await desk.api.delete(path))[:2] == (409, "conflict")
    await desk.api.patch(f"/hub/v1/users/{user['id']}", json={"access_role": None})
    assert (await desk.api.delete(path)).json()["role"]["version"] == 3
    assert refusal(await desk.api.get(path))[:2] == (404, "not-found")
    assert (await desk.api.post(ROLES, json=body)).status_code == 201
    assert [event["action"] for event in await audits(desk, kind="role", subject=role["id"])] == [
        "deleted",
        "updated",
        "created",
    ]


async def test_roles_of_every_team_are_nobody_s_to_change(desk: Desk) -> None:
    """And no role has a permission that there is not."""
    path = f"{ROLES}/{to_role_id(desk.team.id, 'viewer')}"
    before = await desk.fingerprint()
    for answer in (await desk.api.patch(path, json={"name": "x"}), await desk.api.delete(path)):
        assert refusal(answer)[:2] == (409, "conflict")
    wrong = await desk.api.post(ROLES, json={"name": "x", "permissions": ["customers:read", "operator", 1]})
    assert refusal(wrong)[2] == [("/permissions/2", "type")]
    wrong = await desk.api.post(ROLES, json={"name": "x", "permissions": ["customers:read", "operator"]})
    assert refusal(wrong)[2] == [("/permissions/1", "enum")]
    assert await desk.fingerprint() == before
    listed = (await desk.api.get(ROLES)).json()["data"]
    assert sorted(role["name"] for role in listed) == ["Admin", "Editor", "Viewer"]
    assert max((role["permissions"] for role in listed), key=len) == list(PERMISSIONS)


async def test_the_audit_trail_has_everything(desk: Desk, other_desk: Desk) -> None:
    """Customers and all else, the newest first, page by page; by kind, subject, actor and time; nothing foreign."""
    started = desk.hub.now()
    customer = await desk.create()
    user = await add_user(desk)
    made, _ = await add_credential(desk)
    await other_desk.create()
    since = started.isoformat()
    trail = await audits(desk, since=since)
    assert [(event["kind"], event["subject"], event["action"]) for event in trail] == [
        ("credential", made["id"], "created"),
        ("user", user["id"], "created"),
        ("customer", customer["id"], "created"),
    ]
    assert {"path": "/scopes", "old": None, "new": ["read", "write", "admin"]} in trail[0]["changes"]
    assert trail[2]["changes"][0]["new"]["name"] == customer["name"]
    page = (await desk.api.get(AUDIT, params={"limit": "2", "since": since})).json()
    rest = (await desk.api.get(AUDIT, params={"after": page["next"], "since": since})).json()
    assert [*page["data"], *rest["data"]] == trail
    assert await audits(desk, kind="user,customer", since=since) == trail[1:]
    assert await audits(desk, subject=user["id"]) == [trail[1]]
    assert (await audits(desk, actor=desk.credential["id"], since=since)) == trail
    assert await audits(desk, until=(started - timedelta(days=1)).isoformat()) == []
    assert refusal(await desk.api.get(AUDIT, params={"actor": "x", "kinds": "y"}))[:2] == (400, "query")


async def test_the_operator_looks_after_all_teams(desk: Desk, other_desk: Desk) -> None:
    """Makes one with a key that may administer it, and names it; the new team's trail says who."""
    operator = await make_key(desk.hub, desk.team, name="operator's key", scopes=("operator",))
    headers = bearer(operator["api_key"])
    name = f"Team {uuid4()}"
    made = await desk.api.post(TEAMS, json={"name": name}, headers={**headers, "idempotency-key": "one"})
    assert made.status_code == 201, made.text
    team, key = made.json()["team"], made.json()["secrets"]["api_key"]
    again = await desk.api.post(TEAMS, json={"name": name}, headers={**headers, "idempotency-key": "one"})
    assert refusal(again)[:2] == (410, "key-gone")
    twice = await desk.api.post(TEAMS, json={"name": name.upper()}, headers=headers)
    assert refusal(twice) == (409, "taken", [("/name", "name_taken")])
    theirs = bearer(key)
    assert (await desk.api.get("/hub/v1/team", headers=theirs)).json() == team
    [credential] = (await desk.api.get(CREDENTIALS, headers=theirs)).json()["data"]
    assert (credential["name"], credential["scopes"]) == ("first key", ["read", "write", "admin"])
    assert (await desk.api.post(CUSTOMERS, json={"name": "A"}, headers=theirs)).status_code == 201
    path = f"{TEAMS}/{team['id']}"
    renamed = await desk.api.patch(path, json={"name": f"{name} AS"}, headers={**headers, "if-match": '"1"'})
    assert (renamed.json()["team"]["name"], renamed.json()["changed"]) == (f"{name} AS", ["/name"])
    assert (await desk.api.get(path, headers=headers)).json() == renamed.json()["team"]
    listed = (await desk.api.get(TEAMS, headers=headers)).json()["data"]
    assert {team["id"], str(desk.team.id), str(other_desk.team.id)} <= {row["id"] for row in listed}
    trail = (await desk.api.get(AUDIT, params={"kind": "team"}, headers=theirs)).json()["data"]
    assert [(event["action"], event["actor"]["name"]) for event in trail] == [
        ("updated", "operator's key"),
        ("created", "operator's key"),
    ]
    missing = await desk.api.get(f"{TEAMS}/{uuid4()}", headers=headers)
    assert refusal(missing)[:2] == (404, "not-found")


@pytest.mark.parametrize("method", ["GET", "POST", "GET one", "PATCH one"])
async def test_teams_of_the_hub_are_the_operator_s_alone(desk: Desk, other_desk: Desk, method: str) -> None:
    """Whatever a team's key may, it learns nothing of other teams."""
    verb, _, one = method.partition(" ")
    before = await desk.fingerprint()
    for team in (desk.team.id, other_desk.team.id, uuid4()):
        path = f"{TEAMS}/{team}" if one else TEAMS
        answer = await desk.api.request(verb, path, json=None if verb == "GET" else {"name": "x"})
        assert refusal(answer) == (403, "forbidden", [])
    assert await desk.fingerprint() == before
