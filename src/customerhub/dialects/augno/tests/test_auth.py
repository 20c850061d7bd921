"""Who may ask: keys, versions, accounts, permissions."""

from datetime import timedelta
from uuid import UUID

import pytest

from customerhub.core import admin
from customerhub.core.hub import Hub
from customerhub.core.system import PERMISSIONS
from customerhub.dialects.augno import dialect
from customerhub.dialects.augno.auth import PREFIX, VERSIONS
from customerhub.dialects.augno.tests.helpers import failure, patch, refusal, strange_id
from customerhub.model.error import Invalid
from customerhub.settings import Settings
from customerhub.web.serve import Site
from tests.support.augno import CUSTOMERS, Account, Json, make_account, make_key, to_id


def other_settings(hub: Hub, **values: object) -> Settings:
    """The hub's settings with some changed."""
    return hub.settings.model_copy(update=values)


async def set_scopes(account: Account, *scopes: str) -> None:
    """Give the account's key these permissions alone, as a key with a smaller role has them."""
    async with account.hub.database.transaction() as connection:
        await connection.execute(
            "update credential set scopes = $3 where team = $1 and id = $2",
            account.team.id,
            UUID(str(account.credential["id"])),
            list(scopes),
        )
    account.hub.callers.clear()


async def test_a_key_is_shown_once(account: Account) -> None:
    """Its prefix says what it is; afterwards four characters are known of it."""
    assert account.api_key.startswith(PREFIX)
    listed = await admin.list_credentials(account.hub, account.team)
    assert listed[0]["hint"] == f"{PREFIX}****{account.api_key[-4:]}"


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
async def test_a_key_is_taken(account: Account, scheme: str) -> None:
    """Behind its scheme in any case."""
    answer = await account.api.get(CUSTOMERS, headers={"Authorization": scheme + account.api_key})
    assert answer.status_code == 200


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer x", "Bearer {}x", "Bearer {} {}"])
async def test_no_key(account: Account, customer: Json, value: str) -> None:
    """401 with the scheme to use, whatever is wrong with it, and the same for every route and body."""
    headers = {"Authorization": value.replace("{}", account.api_key)}
    for method, path in (("GET", CUSTOMERS), ("PATCH", f"{CUSTOMERS}/{customer['id']}"), ("POST", CUSTOMERS)):
        answer = await account.api.request(method, path, headers=headers, content=b"{")
        assert refusal(answer) == (401, "invalid_credentials", None)
        assert answer.headers["www-authenticate"] == "Bearer"
        assert failure(answer)["request_log_url"] is None


async def test_a_key_of_another_dialect(account: Account, other_account: Account) -> None:
    """Keys open the door that they were made for."""
    answer = await account.api.get("/v1/customers", headers={"X-API-Key": account.api_key})
    assert answer.status_code == 401
    assert (await account.api.get(CUSTOMERS, headers={"X-API-Key": account.api_key})).status_code == 200
    assert (await other_account.api.get(CUSTOMERS)).json()["data"] == []


@pytest.mark.parametrize("how", ["revoked", "expired"])
async def test_a_key_that_has_ended(account: Account, customer: Json, how: str) -> None:
    """The very next request is told so, before anything else that is wrong with it."""
    credential = UUID(str(account.credential["id"]))
    if how == "revoked":
        await admin.revoke_credential(account.hub, credential)
    else:
        async with account.hub.database.transaction() as connection:
            await connection.execute(
                "update credential set expires_at = $2 where id = $1",
                credential,
                account.hub.now() - timedelta(hours=1),
            )
    path = f"{CUSTOMERS}/{customer['id']}"
    answers = [
        await account.api.get(path),
        await account.api.patch(path, json={"nam": 1}),
        await account.api.patch(path, json={}, headers={"Augno-Version": "9"}),
        await account.api.patch(path, json={}, headers={"Augno-Account": strange_id("ac")}),
        await account.api.get(f"{CUSTOMERS}?limit=0&include=x"),
        await account.api.patch(path, content=b"{"),
    ]
    assert [refusal(answer) for answer in answers] == [(401, f"api_key_{how}", None)] * len(answers)
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}


@pytest.mark.parametrize("name", ["Augno-Version", "OpenMRP-Version"])
async def test_versions(account: Account, name: str) -> None:
    """Three are spoken, none named means the first, an empty header is none."""
    for version in (*VERSIONS, ""):
        assert (await account.api.get(CUSTOMERS, headers={name: version})).status_code == 200
    for version in ("1.0.forge", "1.0.forge-preview.4", "2", "x"):
        answer = await account.api.get(CUSTOMERS, headers={name: version})
        assert refusal(answer) == (400, "api_version_invalid", "Augno-Version")
        assert all(spoken in failure(answer)["message"] for spoken in (version, *VERSIONS))
    both = {"Augno-Version": VERSIONS[0], "OpenMRP-Version": "x"}
    assert refusal(await account.api.get(CUSTOMERS, headers=both))[1] == "api_version_invalid"


async def test_a_hub_may_want_the_version_named(account: Account) -> None:
    """Then a request without it is refused."""
    account.hub.settings = other_settings(account.hub, require_api_version=True)
    assert refusal(await account.api.get(CUSTOMERS)) == (400, "api_version_required", "Augno-Version")
    answer = await account.api.get(CUSTOMERS, headers={"OpenMRP-Version": VERSIONS[1]})
    assert answer.status_code == 200


@pytest.mark.parametrize("name", ["Augno-Account", "OpenMRP-Account"])
async def test_accounts(account: Account, other_account: Account, customer: Json, name: str) -> None:
    """The key's own account or none; another's is forbidden."""
    for own in (to_id("ac", account.team.id), ""):
        assert (await account.api.get(CUSTOMERS, headers={name: own})).status_code == 200
    foreign = (to_id("ac", other_account.team.id), customer["id"], "x", str(account.team.id))
    for wrong in foreign:
        answer = await account.api.get(CUSTOMERS, headers={name: wrong})
        assert refusal(answer) == (403, "insufficient_permissions", None)


async def test_permissions(account: Account, customer: Json) -> None:
    """Each route asks for its own, merging for two; what is missing is named, and nothing is done."""
    path, body = f"{CUSTOMERS}/{customer['id']}", {"source_customer_ids": [customer["id"]]}
    requests: dict[str, list[tuple[str, str, object]]] = {
        "customers:read": [("GET", CUSTOMERS, None), ("GET", path, None)],
        "customers:create": [("POST", CUSTOMERS, {})],
        "customers:update": [("PATCH", path, {"name": "x"}), ("POST", f"{path}/actions/merge", body)],
        "customers:delete": [("DELETE", path, None), ("POST", f"{path}/actions/merge", body)],
    }
    for permission, asked in requests.items():
        await set_scopes(account, *(set(PERMISSIONS) - {permission}))
        before = await account.fingerprint()
        for method, place, sent in asked:
            answer = await account.api.request(method, place, json=sent)
            assert refusal(answer) == (403, "insufficient_permissions", None)
            assert failure(answer)["message"] == f"This API key lacks {permission}."
        assert await account.fingerprint() == before


async def test_permission_is_asked_before_a_replay(account: Account, customer: Json) -> None:
    """A key that may no longer write is not told again what it wrote."""
    headers = {"Idempotency-Key": "one"}
    assert (await patch(account, customer, {"note": "x"}, **headers)).status_code == 200
    await set_scopes(account, "customers:read")
    answer = await patch(account, customer, {"note": "x"}, **headers)
    assert refusal(answer) == (403, "insufficient_permissions", None)
    await set_scopes(account, "customers:update")
    assert (await patch(account, customer, {"note": "x"}, **headers)).headers["idempotent-replayed"] == "true"


def test_every_route_asks_for_a_permission() -> None:
    """One that a role can have."""
    for operation in dialect.operations:
        assert operation.permissions, operation.name
        assert set(operation.permissions) <= set(PERMISSIONS)


async def test_a_key_that_writes_only_with_a_tag(hub: Hub, site: Site) -> None:
    """428 without one; reading and creating need none."""
    async with make_account(hub, site, requires_precondition=True) as account:
        made = await account.create()
        path = f"{CUSTOMERS}/{made['id']}"
        for answer in (await account.api.patch(path, json={"name": "x"}), await account.api.delete(path)):
            assert refusal(answer) == (428, "parameter_missing", "If-Match")
        assert await account.get(made["id"], "") == made
        answer = await account.api.patch(path, json={"name": "x"}, headers={"If-Match": '"1"'})
        assert answer.json()["name"] == "x"


async def test_credentials_of_partners_are_refused(hub: Hub, account: Account) -> None:
    """Applications of partners are unknown here."""
    with pytest.raises(Invalid):
        await make_key(hub, account.team, any_team=True)
