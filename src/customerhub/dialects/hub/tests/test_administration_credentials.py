"""Credentials of every API through this one: made, rotated with and without an overlap, marked, ended."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from customerhub.core import admin
from customerhub.dialects.hub.administration.credentials import CREDENTIALS
from customerhub.dialects.hub.tests.helpers import problem, refusal
from tests.support.administration import add_credential, audits, bearer, twin_of
from tests.support.hub import CUSTOMERS, Desk, Json, make_key

LISTS = {
    "hub": (CUSTOMERS, "Authorization", "Bearer "),
    "augno": ("/v1/sales/customers", "Authorization", "Bearer "),
    "wizcommerce": ("/v1/customers", "X-API-Key", ""),
}


async def status_of(api: httpx.AsyncClient, key: str, dialect: str = "hub") -> int:
    """What a list of customers answers whoever has the key."""
    path, header, scheme = LISTS[dialect]
    return (await api.get(path, headers={header: scheme + key})).status_code


@pytest.mark.parametrize("dialect", LISTS)
async def test_a_key_of_any_api_is_made_and_rotated(desk: Desk, dialect: str) -> None:
    """Shown once; the old secret is refused from the next request on, in every process; the history names the maker."""
    made, secrets = await add_credential(desk, dialect=dialect, name="Till", expires_at="2099-03-02T15:04:05Z")
    assert list(secrets) == ["api_key"]
    assert (made["dialect"], made["name"], made["status"], made["revoked_at"]) == (dialect, "Till", "active", None)
    assert (made["expires_at"], made["hint"][-4:]) == ("2099-03-02T15:04:05Z", secrets["api_key"][-4:])
    path = f"{CREDENTIALS}/{made['id']}"
    assert (await desk.api.get(path)).json() == made
    async with twin_of(desk) as twin:
        assert [await status_of(api, secrets["api_key"], dialect) for api in (desk.api, twin)] == [200, 200]
        rotated = await desk.api.post(f"{path}/rotate", json={}, headers={"if-match": f'"{made["version"]}"'})
        new = rotated.json()["secrets"]["api_key"]
        assert rotated.json()["changed"] == ["/hint"]
        assert rotated.json()["credential"] == made | {
            "version": made["version"] + 1,
            "hint": rotated.json()["credential"]["hint"],
            "last_used_at": rotated.json()["credential"]["last_used_at"],
        }
        assert new.removesuffix(new[-43:]) == secrets["api_key"].removesuffix(secrets["api_key"][-43:])
        for api in (desk.api, twin):
            assert [await status_of(api, key, dialect) for key in (secrets["api_key"], new)] == [401, 200]
        assert (await desk.api.post(f"{path}/revoke")).json()["credential"]["status"] == "revoked"
        assert [await status_of(api, new, dialect) for api in (desk.api, twin)] == [401, 401]
    trail = await audits(desk, kind="credential", subject=made["id"])
    assert [event["action"] for event in trail] == ["revoked", "rotated", "updated", "created"]
    assert {(event["actor"]["name"], event["dialect"]) for event in trail} == {("test key", "hub")}
    assert not any(key in str(trail) for key in (secrets["api_key"], new))


async def test_an_overlap_lets_both_secrets_work(desk: Desk) -> None:
    """For as long as was asked; one version each time; the end of the credential is the end of both."""
    made, secrets = await add_credential(desk)
    path, old = f"{CREDENTIALS}/{made['id']}", secrets["api_key"]
    done = await desk.api.post(f"{path}/rotate", json={"overlap_seconds": 60})
    shown, new = done.json()["credential"], done.json()["secrets"]["api_key"]
    assert (shown["version"], done.json()["changed"]) == (2, ["/hint", "/previous_until"])
    assert [await status_of(desk.api, key) for key in (old, new)] == [200, 200]
    now = desk.hub.now
    desk.hub.now = lambda: now() + timedelta(seconds=61)
    assert [await status_of(desk.api, key) for key in (old, new)] == [401, 200]
    assert (await desk.api.get(path)).json()["previous_until"] is None
    third = await desk.api.post(f"{path}/rotate", json={"overlap_seconds": 604_800})
    newest = third.json()["secrets"]["api_key"]
    marked = await desk.api.patch(path, json={"requires_precondition": True})
    assert (marked.json()["credential"]["version"], marked.headers["etag"]) == (4, '"4"')
    assert (await desk.api.get(path)).headers["etag"] == '"4"'
    assert [await status_of(desk.api, key) for key in (old, new, newest)] == [401, 200, 200]
    for key in (new, newest):
        assert (
            await desk.api.delete(f"{CUSTOMERS}/{(await desk.create())['id']}", headers=bearer(key))
        ).status_code == 428
    ended = await desk.api.post(f"{path}/revoke")
    assert (ended.json()["credential"]["version"], ended.json()["credential"]["previous_until"]) == (5, None)
    assert [await status_of(desk.api, key) for key in (old, new, newest)] == [401, 401, 401]
    assert (await desk.api.post(f"{path}/revoke")).json()["changed"] == []
    assert refusal(await desk.api.post(f"{path}/rotate", json={}))[:2] == (409, "conflict")
    [event, *_] = await audits(desk, kind="credential", subject=made["id"])
    assert (event["action"], event["version"]) == ("revoked", 5)


@pytest.mark.parametrize("overlap", [0, 3600])
async def test_of_many_rotations_at_once_all_are_in_one_chain(desk: Desk, overlap: int) -> None:
    """They take turns: without an overlap one secret lives, with one all of them."""
    made, _ = await add_credential(desk)
    path = f"{CREDENTIALS}/{made['id']}/rotate"
    answers = await asyncio.gather(*(desk.api.post(path, json={"overlap_seconds": overlap}) for _ in range(4)))
    assert sorted(answer.json()["credential"]["version"] for answer in answers) == [2, 3, 4, 5]
    alive = [await status_of(desk.api, answer.json()["secrets"]["api_key"]) for answer in answers]
    assert sorted(alive) == ([200] * 4 if overlap else [200, 401, 401, 401])


async def test_a_partner_s_application_is_made_and_ended(desk: Desk) -> None:
    """With its secret and tokens; it renews its tokens by itself, so that here there is nothing to rotate."""
    uris = ["https://crm.example/cb"]
    made, secrets = await add_credential(desk, dialect="count", name="CRM", redirect_uris=uris)
    assert {"client_id", "client_secret", "access_token", "refresh_token"} <= set(secrets)
    assert made["hint"] == secrets["client_id"]
    path = f"{CREDENTIALS}/{made['id']}"
    refused = await desk.api.post(f"{path}/rotate", json={})
    assert refusal(refused) == (409, "conflict", [])
    assert (await desk.api.post(f"{path}/revoke")).json()["credential"]["status"] == "revoked"
    assert [event["action"] for event in await audits(desk, kind="client")] == ["created"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (422, "invalid", [("/dialect", "required"), ("/name", "required")])),
        ({"dialect": "morse", "name": "x"}, (422, "invalid", [("/dialect", "enum")])),
        ({"dialect": "hub", "name": "x", "scopes": ["root"]}, (422, "invalid", [("/scopes", "enum")])),
        ({"dialect": "augno", "name": "x", "scopes": ["read"]}, (422, "invalid", [("/scopes", "unknown")])),
        ({"dialect": "hub", "name": "x", "any_team": False, "key": 1}, (422, "invalid", [("/key", "unknown")])),
        ({"dialect": "hub", "name": "x", "user": str(uuid4())}, (422, "invalid", [("/user", "unknown_id")])),
        ({"dialect": "hub", "name": "x", "rate_limit": "many"}, (422, "invalid", [("/rate_limit", "rate_limit")])),
        ({"dialect": "hub", "name": "x", "expires_at": "soon"}, (422, "invalid", [("/expires_at", "time")])),
        (
            {"dialect": "hub", "name": "x", "expires_at": "2020-01-01T00:00:00Z"},
            (422, "invalid", [("/expires_at", "past")]),
        ),
        ({"dialect": "hub", "name": "x", "scopes": ["operator"]}, (403, "forbidden", [])),
        ({"dialect": "count", "name": "x", "any_team": True}, (403, "forbidden", [])),
    ],
)
async def test_orders_that_are_refused(desk: Desk, body: Json, expected: tuple[int, str, list[Any]]) -> None:
    """What is wrong, and what its maker could not do themselves; nothing is made."""
    before = await desk.fingerprint()
    assert refusal(await desk.api.post(CREDENTIALS, json=body)) == expected
    assert await desk.fingerprint() == before


async def test_nobody_gets_hold_of_the_operator_s_power(desk: Desk) -> None:
    """A team's administrator may end the operator's key, and neither make nor rotate one; the operator may."""
    operator = await make_key(desk.hub, desk.team, scopes=("operator",))
    assert operator["scopes"] == ["read", "write", "admin", "operator"]
    path = f"{CREDENTIALS}/{operator['id']}"
    before = await desk.fingerprint()
    refused = await desk.api.post(f"{path}/rotate", json={"overlap_seconds": 60})
    assert refusal(refused)[:2] == (403, "forbidden")
    assert problem(refused)["detail"] == "The credential lacks the scope operator."
    assert await desk.fingerprint() == before
    headers = bearer(operator["api_key"])
    body = {"dialect": "hub", "name": "second", "scopes": ["operator"]}
    made = await desk.api.post(CREDENTIALS, json=body, headers=headers)
    assert made.json()["credential"]["scopes"] == ["read", "write", "admin", "operator"]
    assert (await desk.api.post(f"{path}/rotate", json={}, headers=headers)).status_code == 200
    assert (await desk.api.post(f"{path}/revoke")).status_code == 200


async def test_a_secret_is_kept_by_no_key(desk: Desk) -> None:
    """A repeated request makes no second credential, and is told that the answer is gone."""
    order, once = {"dialect": "hub", "name": "x"}, {"idempotency-key": "once"}
    made = await desk.api.post(CREDENTIALS, json=order, headers=once)
    before = await desk.fingerprint()
    assert refusal(await desk.api.post(CREDENTIALS, json=order, headers=once))[:2] == (410, "key-gone")
    assert await desk.fingerprint() == before
    tried = await desk.api.post(CREDENTIALS, json=order, headers={"customerhub-dry-run": "true"})
    assert await desk.fingerprint() == before
    assert await status_of(desk.api, tried.json()["secrets"]["api_key"]) == 401
    assert await status_of(desk.api, made.json()["secrets"]["api_key"]) == 200


async def test_a_credential_has_a_limit_of_its_own(desk: Desk) -> None:
    """Instead of the team's, in every process from its second request on; null is the team's again."""
    made, secrets = await add_credential(desk, rate_limit="1/hour")
    path, key = f"{CREDENTIALS}/{made['id']}", secrets["api_key"]
    # The team's other key tells the process.
    await desk.api.get(CUSTOMERS)
    assert [await status_of(desk.api, key) for _ in range(2)] == [200, 429]
    changed = await desk.api.patch(path, json={"rate_limit": "3/hour"})
    assert (changed.json()["changed"], changed.json()["credential"]["rate_limit"]) == (["/rate_limit"], "3/hour")
    await desk.api.get(CUSTOMERS)
    assert [await status_of(desk.api, key) for _ in range(4)] == [200, 200, 200, 429]
    rotated = (await desk.api.post(f"{path}/rotate", json={})).json()
    assert rotated["credential"]["rate_limit"] == "3/hour"
    await desk.api.get(CUSTOMERS)
    assert [await status_of(desk.api, rotated["secrets"]["api_key"]) for _ in range(4)] == [200, 200, 200, 429]
    await desk.api.patch(path, json={"rate_limit": None})
    await desk.api.get(CUSTOMERS)
    assert await status_of(desk.api, rotated["secrets"]["api_key"]) == 200
    [last, *_] = await audits(desk, kind="credential", subject=made["id"])
    assert last["changes"] == [{"path": "/rate_limit", "old": "3/hour", "new": None}]


async def test_a_key_that_is_rotated_through_its_own_api_keeps_its_limit(desk: Desk) -> None:
    """Otherwise whoever is held back would only have to ask for another secret."""
    made, secrets = await add_credential(desk, dialect="augno", rate_limit="3/hour")
    theirs, keys = bearer(secrets["api_key"]), "/v1/auth/api-keys"
    await desk.api.get(CUSTOMERS)
    [key] = [row for row in (await desk.api.get(keys, headers=theirs)).json()["data"] if row["name"] == made["name"]]
    done = await desk.api.post(f"{keys}/{key['id']}/actions/rotate", json={}, headers=theirs)
    assert done.status_code == 201, done.text
    await desk.api.get(CUSTOMERS)
    secret = done.json()["api_key_secret"]
    assert [await status_of(desk.api, secret, "augno") for _ in range(4)] == [200, 200, 200, 429]


async def test_credentials_are_listed(desk: Desk, other_desk: Desk) -> None:
    """The newest first, by API, state and member; a foreign one is the 404 of one that never was."""
    made = [(await add_credential(desk, dialect=dialect))[0] for dialect in LISTS]
    await admin.revoke_credential(desk.hub, (await add_credential(desk))[0]["id"])
    page = (await desk.api.get(CREDENTIALS, params={"limit": 2})).json()
    rest = (await desk.api.get(CREDENTIALS, params={"after": page["next"]})).json()
    assert [row["id"] for row in (*page["data"], *rest["data"])][1:4] == [one["id"] for one in reversed(made)]
    assert "hub_" not in str([row for row in page["data"] if row["dialect"] != "hub"])
    found = (await desk.api.get(CREDENTIALS, params={"dialect": "augno", "status": "active"})).json()["data"]
    assert [row["id"] for row in found] == [made[1]["id"]]
    assert refusal(await desk.api.get(CREDENTIALS, params={"status": "dead"}))[:2] == (400, "query")
    before = await desk.fingerprint()
    for credential in (other_desk.credential["id"], str(uuid4()), "x"):
        path = f"{CREDENTIALS}/{credential}"
        answers = [await desk.api.get(path), await desk.api.patch(path, json={"rate_limit": None})]
        answers += [await desk.api.post(f"{path}/{action}", json={}) for action in ("rotate", "revoke")]
        assert {refusal(answer)[:2] for answer in answers} == {(404, "not-found")}
    assert await desk.fingerprint() == before
