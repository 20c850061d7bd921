"""Who may ask: roles, members, and API keys made, renewed and ended through the API itself."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest

from customerhub.dialects.augno.tests.helpers import failure, refusal, strange_id
from tests.support.augno import CUSTOMERS, Account, Json, bearer, uuid_of

KEYS, ROLES, USERS = "/v1/auth/api-keys", "/v1/identity/roles", "/v1/identity/account-users"
USER = {"name": "Tomas Q. Lind", "email": "tomas@harbour.example", "username": "tlind", "password": None}


async def role_of(account: Account, name: str) -> str:
    """The id of a role."""
    rows: list[Json] = (await account.api.get(ROLES, params={"q": name})).json()["data"]
    assert [row["name"] for row in rows] == [name]
    return str(rows[0]["id"])


async def make_key(account: Account, role: str, **members: object) -> Json:
    """A new key of a role, as answered."""
    body = {"role_id": await role_of(account, role), "name": f"{role} key", **members}
    answer = await account.api.post(KEYS, json=body)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


async def ask(
    account: Account, secret: str, method: str = "GET", path: str = CUSTOMERS, **more: object
) -> httpx.Response:
    """A request with another key."""
    return await account.api.request(method, path, headers=bearer(secret), **more)  # type: ignore[arg-type]


async def test_roles_come_with_every_account(account: Account) -> None:
    """Three of them, the system's, with their permissions where these are asked for."""
    rows = (await account.api.get(ROLES, params={"include": "owner,permissions"})).json()["data"]
    by_name = {row["name"]: row for row in rows}
    assert set(by_name) == {"Admin", "Editor", "Viewer"}
    assert {row["owner"]["type"] for row in rows} == {"system"}
    assert (by_name["Admin"]["type"], by_name["Viewer"]["type"]) == ("admin", "user")
    assert {"customers:update", "api_keys:create"} <= set(by_name["Admin"]["permissions"])
    assert "customers:read" in by_name["Viewer"]["permissions"]
    assert {permission.partition(":")[2] for permission in by_name["Viewer"]["permissions"]} == {"read"}
    one = await account.api.get(f"{ROLES}/{by_name['Editor']['id']}")
    assert one.json() == {**by_name["Editor"], "owner": None, "permissions": None}
    assert refusal(await account.api.get(f"{ROLES}/{strange_id('rl')}")) == (404, "resource_not_found", "id")


async def test_a_key_may_do_what_its_role_may(account: Account) -> None:
    """Its secret is shown once; a viewer reads customers and makes none."""
    made = await make_key(account, "Viewer")
    secret, shown = made["api_key_secret"], made["api_key_info"]
    assert secret.startswith("aug_sk_prod_")
    assert len(secret) > 40
    assert shown["redacted_value"] == f"aug_sk_prod_****{secret[-4:]}"
    assert (shown["object"], shown["role"], shown["revoked_at"], shown["expires_at"]) == ("api_key", None, None, None)
    got = await account.api.get(f"{KEYS}/{shown['id']}", params={"include": "role.permissions"})
    role = got.json()["role"]
    assert (role["name"], "customers:read" in role["permissions"]) == ("Viewer", True)
    assert {**got.json(), "role": None} == shown
    assert secret not in got.text
    assert (await ask(account, secret)).status_code == 200
    before = await account.fingerprint()
    refused = await ask(account, secret, "POST", json=account.customer_body())
    assert refusal(refused) == (403, "insufficient_permissions", None)
    assert "customers:create" in failure(refused)["message"]
    assert await account.fingerprint() == before


async def test_a_key_that_may_make_no_keys_makes_none(account: Account) -> None:
    """So that no key climbs."""
    made = await make_key(account, "Editor")
    body = {"role_id": await role_of(account, "Admin"), "name": "Up"}
    before = await account.fingerprint()
    assert (await ask(account, made["api_key_secret"], "POST", KEYS, json=body)).status_code == 403
    assert await account.fingerprint() == before


async def test_a_rotated_key_keeps_its_id(account: Account) -> None:
    """Its old secret is revoked at once, the new one asks; name, role and creation stay."""
    made = await make_key(account, "Viewer", expires_at="2199-01-01T00:00:00+01:00")
    old, info = made["api_key_secret"], made["api_key_info"]
    assert (await ask(account, old)).status_code == 200
    answer = await account.api.post(f"{KEYS}/{info['id']}/actions/rotate", json={})
    assert answer.status_code == 201, answer.text
    new, renewed = answer.json()["api_key_secret"], answer.json()["api_key_info"]
    assert new != old
    assert refusal(await ask(account, old)) == (401, "api_key_revoked", None)
    assert (await ask(account, new)).status_code == 200
    assert {name: renewed[name] for name in ("id", "name", "created_at", "expires_at", "revoked_at")} == {
        "id": info["id"],
        "name": info["name"],
        "created_at": info["created_at"],
        "expires_at": "2198-12-31T23:00:00Z",
        "revoked_at": None,
    }
    later = await account.api.post(f"{KEYS}/{info['id']}/actions/rotate", json={"expires_at": "2198-01-01T00:00:00Z"})
    assert later.json()["api_key_info"]["expires_at"] == "2198-01-01T00:00:00Z"
    rows = (await account.api.get(KEYS, params={"q": info["name"]})).json()["data"]
    assert [row["id"] for row in rows] == [info["id"]]


async def test_a_revoked_key_ends_and_stays_readable(account: Account) -> None:
    """Twice is once; it cannot be rotated any more; the key that asks may be the one that ends."""
    made = await make_key(account, "Admin")
    path = f"{KEYS}/{made['api_key_info']['id']}"
    own = await ask(account, made["api_key_secret"], "DELETE", path)
    assert (own.status_code, own.json()) == (200, {})
    assert refusal(await ask(account, made["api_key_secret"])) == (401, "api_key_revoked", None)
    revoked = (await account.api.get(path)).json()
    assert revoked["revoked_at"] is not None
    before = await account.fingerprint()
    assert (await account.api.delete(path)).json() == {}
    assert refusal(await account.api.post(f"{path}/actions/rotate")) == (409, "resource_conflict", "id")
    assert await account.fingerprint() == before
    for status, is_there in (("revoked", True), ("active", False), ("active,revoked", True), ("expired", False)):
        rows = (await account.api.get(KEYS, params={"statuses": status})).json()["data"]
        assert (made["api_key_info"]["id"] in [row["id"] for row in rows]) == is_there
    wrong = await account.api.get(KEYS, params={"statuses[]": "dead"})
    assert refusal(wrong) == (400, "parameter_invalid", "statuses[]")


async def test_the_answer_with_a_secret_is_not_kept(account: Account) -> None:
    """The same key of idempotency makes no second API key and says that the secret is gone."""
    body = {"role_id": await role_of(account, "Viewer"), "name": "Once"}
    headers = {"Idempotency-Key": "make-one-key"}
    first = await account.api.post(KEYS, json=body, headers=headers)
    assert first.status_code == 201
    before = await account.fingerprint()
    again = await account.api.post(KEYS, json=body, headers=headers)
    assert refusal(again)[:2] == (410, "resource_gone")
    assert failure(again)["type"] == "idempotency_error"
    assert await account.fingerprint() == before


@pytest.mark.parametrize(
    ("members", "code", "param"),
    [
        ({"role_id": "rl_nonsense"}, "validation_failed", "role_id"),
        ({"role_id": None}, "validation_failed", "role_id"),
        ({"name": ""}, "validation_failed", "name"),
        ({"expires_at": "tomorrow"}, "invalid_format", "expires_at"),
        ({"expires_at": "2199-01-01"}, "invalid_format", "expires_at"),
        ({"expires_at": "2199-13-01T00:00:00Z"}, "invalid_format", "expires_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "validation_failed", "expires_at"),
        ({"scopes": []}, "parameter_unknown", "scopes"),
    ],
)
async def test_a_wrong_key_is_refused(account: Account, members: Json, code: str, param: str) -> None:
    """Nothing is made."""
    body = {"role_id": await role_of(account, "Viewer"), "name": "Key", **members}
    before = await account.fingerprint()
    assert refusal(await account.api.post(KEYS, json=body)) == (400, code, param)
    assert await account.fingerprint() == before


async def test_keys_of_other_accounts_are_not_found(account: Account, other_account: Account) -> None:
    """To read, to rotate, to revoke."""
    theirs = (await make_key(other_account, "Viewer"))["api_key_info"]["id"]
    before = await account.fingerprint()
    for wrong in (theirs, strange_id("apke"), "nonsense"):
        for method, path in (("GET", wrong), ("DELETE", wrong), ("POST", f"{wrong}/actions/rotate")):
            answer = await account.api.request(method, f"{KEYS}/{path}", json={})
            assert refusal(answer) == (404, "resource_not_found", "id")
    assert await account.fingerprint() == before


async def test_an_expired_key_is_told_apart(account: Account) -> None:
    """In the list, and by the failure that it gets."""
    made = await make_key(account, "Viewer", expires_at="2199-01-01T00:00:00Z")
    key = uuid_of(made["api_key_info"]["id"])
    async with account.hub.database.lease() as connection:
        past = datetime.now(UTC) - timedelta(seconds=1)
        statement = "update credential set expires_at = $3 where team = $1 and id = $2"
        await connection.execute(statement, account.team.id, key, past)
    rows = (await account.api.get(KEYS, params={"statuses": "expired"})).json()["data"]
    assert [row["id"] for row in rows] == [made["api_key_info"]["id"]]
    assert refusal(await ask(account, made["api_key_secret"])) == (401, "api_key_expired", None)


async def test_a_member_is_made_and_read(account: Account) -> None:
    """201 with every member; the first and the last name are one here; by either kind of id."""
    body: Json = {**USER, "preferences": [], "role_id": await role_of(account, "Editor"), "department_id": None}
    answer = await account.api.post(USERS, json=body, params={"include": "role,department"})
    made = answer.json()
    assert answer.status_code == 201, answer.text
    assert {name: made[name] for name in list(made)[1:10] if name != "role"} == {
        "object": "account_user",
        "name": "Tomas Q. Lind",
        "email": "tomas@harbour.example",
        "username": "tlind",
        "image_url": None,
        "status": "active",
        "department": None,
        "last_used_at": None,
    }
    assert made["role"]["name"] == "Editor"
    assert "customerhub-ignored" not in answer.headers
    for path in (made["id"], made["id"].replace("acus_", "us_")):
        assert (await account.api.get(f"{USERS}/{path}")).json() == {**made, "role": None}
    user = UUID(int=uuid_of(made["id"]).int)
    async with account.hub.database.lease() as connection:
        row = await connection.fetchrow("select * from team_user where team = $1 and id = $2", account.team.id, user)
    assert row is not None
    assert (row["first_name"], row["last_name"], row["login"]) == ("Tomas Q.", "Lind", None)


async def test_preferences_of_a_member_have_no_effect(account: Account) -> None:
    """Which the answer says; wrong ones are refused all the same."""
    preference = {"notification_type_code": "invoice", "enabled": True}
    answer = await account.api.post(USERS, json={**USER, "preferences": [preference]})
    assert (answer.status_code, answer.headers["customerhub-ignored"]) == (201, "preferences[0]")
    before = await account.fingerprint()
    for wrong, code, param in (
        ({**preference, "enabled": 1}, "invalid_format", "preferences.enabled"),
        ({**preference, "colour": 1}, "parameter_unknown", "preferences.colour"),
        ({"enabled": True}, "missing_field", "preferences.notification_type_code"),
    ):
        body = {**USER, "email": None, "username": None, "preferences": [wrong]}
        assert refusal(await account.api.post(USERS, json=body)) == (400, code, param)
    assert await account.fingerprint() == before


@pytest.mark.parametrize(
    ("members", "status", "code", "param"),
    [
        ({"email": "TOMAS@harbour.example", "username": None}, 409, "resource_exists", "email"),
        ({"email": None, "username": "TLind"}, 409, "resource_exists", "username"),
        ({"email": "nobody"}, 400, "validation_failed", "email"),
        ({"role_id": "rl_nonsense"}, 400, "validation_failed", "role_id"),
        ({"department_id": "dp_1"}, 400, "validation_failed", "department_id"),
        ({"password": "short"}, 400, "validation_failed", "password"),
        ({"password": "long enough", "email": None}, 400, "validation_failed", "password"),
        ({"name": None, "email": None, "username": None}, 400, "validation_failed", "name"),
        ({"preferences": None}, 400, "validation_failed", "preferences"),
        ({"name": 7}, 400, "invalid_format", "name"),
    ],
)
async def test_a_wrong_member_is_refused(account: Account, members: Json, status: int, code: str, param: str) -> None:
    """Nobody is made."""
    await account.api.post(USERS, json={**USER, "preferences": []})
    body: Json = {"name": "Other", "email": "o@harbour.example", "username": "o", "password": None, "preferences": []}
    before = await account.fingerprint()
    assert refusal(await account.api.post(USERS, json={**body, **members})) == (status, code, param)
    assert await account.fingerprint() == before


async def test_members_are_listed_and_filtered(account: Account) -> None:
    """By what they are called and by the type of their role; each may be a sales representative."""
    role = await role_of(account, "Admin")
    made = (await account.api.post(USERS, json={**USER, "preferences": [], "role_id": role})).json()
    everybody = [made["id"], *(rep.replace("us_", "acus_") for rep in account.reps[::-1])]

    async def ids(**query: str) -> list[str]:
        answer = await account.api.get(USERS, params=query)
        assert answer.status_code == 200, answer.text
        return [row["id"] for row in answer.json()["data"]]

    assert await ids() == everybody
    assert await ids(include_removed="true", role_type="sales_rep") == everybody
    assert await ids(role_type="admin") == everybody[:1]
    assert await ids(role_type="user") == everybody[1:]
    assert await ids(role_type="scanner") == []
    assert await ids(q="TLIND") == everybody[:1]
    assert await ids(q="okafor", limit="1") == everybody[1:2]
    wrong = await account.api.get(USERS, params={"include_removed": "maybe"})
    assert refusal(wrong) == (400, "parameter_invalid", "include_removed")
    assert (await account.api.get(f"{USERS}/{strange_id('acus')}")).status_code == 404
    customer = await account.create(account.customer_body(default_sales_rep_user_id=made["id"]), "defaults.sales_rep")
    assert customer["defaults"]["sales_rep"]["id"] == made["id"].replace("acus_", "us_")
