"""What was asked and what was changed: request logs and audit events, as clients of this API read them."""

import json
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from customerhub.dialects.augno.tests.helpers import failure, refusal, strange_id
from customerhub.web.serve import Site
from tests.support.augno import CUSTOMERS, Account, Json, bearer, make_account, to_id
from tests.support.world import World

LOGS, EVENTS, GROUPS = "/v1/core/request-logs", "/v1/core/audit-events", "/v1/sales/account-groups"
WHOLE = {"include": "account,actor.role.permissions,query_json,request_body_json,response_body_json"}


async def listed(account: Account, path: str, **query: Any) -> list[Json]:
    """Rows of a list."""
    answer = await account.api.get(path, params=query)
    assert answer.status_code == 200, answer.text
    rows: list[Json] = answer.json()["data"]
    return rows


async def test_a_request_is_found_by_its_id(account: Account) -> None:
    """The id on the answer is the id of the log, which says what was asked and answered."""
    body = {"name": "Chefs", "type": "pricing_group"}
    headers = {"Idempotency-Key": "log-me", "User-Agent": "kestrel/1", "Referer": "https://kestrel.example/"}
    asked = await account.api.post(GROUPS, json=body, headers=headers, params={"a": "1"})
    log_id = asked.headers["request-id"]
    assert log_id.startswith("rq_")
    shown = (await account.api.get(f"{LOGS}/{log_id}")).json()
    assert shown["latency_us"] > 0
    assert {
        name: value for name, value in shown.items() if name not in ("latency_us", "occurred_at", "created_at")
    } == {
        "id": log_id,
        "object": "request_log",
        "method": "POST",
        "host": "hub",
        "path": GROUPS,
        "normalized_route": GROUPS,
        "query_json": None,
        "status_code": 201,
        "api_version": "1.0.forge-preview.1",
        "identity_type": "api_key",
        "client_ip": "127.0.0.1",
        "user_agent": "kestrel/1",
        "referrer": "https://kestrel.example/",
        "error_code": None,
        "error_message": None,
        "account": None,
        "actor": None,
        "idempotency_key": "log-me",
        "request_body_json": None,
        "response_body_json": None,
    }


async def test_parts_of_a_log_are_shown_where_asked_for(account: Account) -> None:
    """Account, actor with its role and permissions, the query as JSON; no bodies while the server keeps none."""
    asked = await account.api.get(GROUPS, params={"q": "x", "tag[]": ["1", "2"]})
    shown = (await account.api.get(f"{LOGS}/{asked.headers['request-id']}", params=WHOLE)).json()
    assert (shown["account"]["id"], shown["account"]["name"]) == (to_id("ac", account.team.id), account.team.name)
    actor = shown["actor"]
    assert (actor["object"], actor["type"], actor["name"]) == ("actor", "api_key", "test key")
    assert actor["id"].startswith("apke_")
    assert actor["handle"] == f"aug_sk_prod_****{account.api_key[-4:]}"
    assert (actor["role"]["name"], "customers:update" in actor["role"]["permissions"]) == ("Admin", True)
    assert json.loads(shown["query_json"]) == {"q": "x", "tag[]": ["1", "2"]}
    assert (shown["request_body_json"], shown["response_body_json"]) == (None, None)
    [row] = await listed(account, LOGS, include="actor.role", normalized_route=GROUPS)
    assert row["actor"] == {**actor, "role": {**actor["role"], "permissions": None}}
    refused = await account.api.get(LOGS, params={"include": "query_json"})
    assert refusal(refused) == (400, "parameter_invalid", "include[]")


async def test_the_link_in_a_failure_opens_its_log(account: Account) -> None:
    """With the code and the message that the client was told."""
    refused = await account.api.post(GROUPS, json={"name": "Chefs"})
    found = failure(refused)
    link = urlsplit(found["request_log_url"])
    assert link.path == f"{LOGS}/{refused.headers['request-id']}"
    shown = (await account.api.get(link.path)).json()
    assert (shown["status_code"], shown["error_code"], shown["error_message"]) == (
        400,
        "missing_field",
        found["message"],
    )


async def test_logs_are_filtered_and_walked(account: Account) -> None:
    """By method, status, route, time and text; the newest first, page by page and back."""
    path = f"{GROUPS}/{account.type_groups[0]}"
    for number in range(3):
        await account.api.patch(path, json={"name": f"Round {number}"})
    await account.api.get(f"{GROUPS}/nonsense")
    patched = await listed(account, LOGS, method="PATCH", status_code="200")
    assert [(row["path"], row["normalized_route"]) for row in patched] == [(path, f"{GROUPS}/{{id}}")] * 3
    missed = await listed(account, LOGS, **{"status_codes[]": ["404", "410"], "methods[]": "GET"})
    assert [row["path"] for row in missed] == [f"{GROUPS}/nonsense"]
    assert await listed(account, LOGS, q="NONSENSE", method="GET", status_code="404") == missed
    assert await listed(account, LOGS, normalized_route=f"{GROUPS}/{{id}}", status_code="404") == missed
    assert await listed(account, LOGS, start_date="2199-01-01T00:00:00Z") == []
    first = (await account.api.get(LOGS, params={"method": "PATCH", "limit": 2})).json()
    cursor = first["page_info"]["next_cursor"]
    second = (await account.api.get(LOGS, params={"method": "PATCH", "limit": 2, "cursor": cursor})).json()
    assert first["data"] + second["data"] == patched
    back = second["page_info"]["prev_cursor"]
    assert (await account.api.get(LOGS, params={"method": "PATCH", "limit": 2, "cursor": back})).json() == first
    for name, value in (("status_code", "4xx"), ("status_codes", "9999"), ("method", "SING"), ("start_date", "now")):
        assert refusal(await account.api.get(LOGS, params={name: value})) == (400, "parameter_invalid", name)


async def test_logs_of_other_accounts_are_not_found(account: Account, other_account: Account) -> None:
    """Nor are those that are none; whoever may not read logs is told so."""
    theirs = (await other_account.api.get(GROUPS)).headers["request-id"]
    for wrong in (theirs, strange_id("rq"), "nonsense"):
        assert refusal(await account.api.get(f"{LOGS}/{wrong}")) == (404, "resource_not_found", "id")
    assert theirs not in [row["id"] for row in await listed(account, LOGS)]
    viewer = next(row["id"] for row in await listed(account, "/v1/identity/roles", q="Viewer"))
    made = (await account.api.post("/v1/auth/api-keys", json={"role_id": viewer, "name": "Viewer"})).json()
    for path in (LOGS, f"{LOGS}/{theirs}", EVENTS, f"{EVENTS}/x", f"{EVENTS}/resource-types"):
        answer = await account.api.get(path, headers=bearer(made["api_key_secret"]))
        assert refusal(answer) == (403, "insufficient_permissions", None)


async def test_no_log_has_what_is_secret(account: Account) -> None:
    """Making a key leaves its secret in no log and in no event."""
    viewer = next(row["id"] for row in await listed(account, "/v1/identity/roles", q="Viewer"))
    asked = await account.api.post("/v1/auth/api-keys", json={"role_id": viewer, "name": "Quiet"})
    made = asked.json()
    log = await account.api.get(f"{LOGS}/{asked.headers['request-id']}", params=WHOLE)
    events = await account.api.get(EVENTS, params={"resource_types[]": "api_key", "include": "actor,changes,metadata"})
    assert made["api_key_info"]["id"] in events.text
    assert made["api_key_secret"] not in log.text + events.text


async def test_a_change_is_an_event(account: Account) -> None:
    """With who made it, what it was before and after in the words of requests, and the request it came with."""
    customer = await account.create(account.full_body())
    answer = await account.api.patch(
        f"{CUSTOMERS}/{customer['id']}",
        json={"note": None, "default_carrier_id": account.carriers[1], "status": "hold_all"},
        headers={"Idempotency-Key": "hold-them"},
    )
    rows = await listed(account, EVENTS, resource_id=customer["id"], **{"resource_types[]": "customer"})
    assert [row["action"] for row in rows] == ["update", "create"]
    event = rows[0]
    assert event == {
        "id": event["id"],
        "object": "audit_event",
        "action": "update",
        "resource_type": "customer",
        "resource_id": customer["id"],
        "actor": None,
        "changes": None,
        "metadata": None,
        "request_id": answer.headers["request-id"],
        "idempotency_key": "hold-them",
        "source_ip": "127.0.0.1",
        "occurred_at": answer.json()["updated_at"],
        "created_at": answer.json()["updated_at"],
    }
    assert (await account.api.get(f"{EVENTS}/{event['id']}")).json() == event
    whole = (await account.api.get(f"{EVENTS}/{event['id']}", params={"include": "actor,changes,metadata"})).json()
    assert whole["metadata"] == {"version": 2, "api": "augno"}
    assert (whole["actor"]["type"], whole["actor"]["name"], whole["actor"]["role"]) == ("api_key", "test key", None)
    changes = {change["field"]: (change["old_value"], change["new_value"]) for change in whole["changes"]["data"]}
    assert changes == {
        "note": ("Ships on Tuesdays.", None),
        "default_carrier_id": (account.carriers[0], account.carriers[1]),
        "default_service_level_id": (account.service_levels[0], None),
        "status": ("preferred", "hold_all"),
    }


async def test_everything_that_is_written_has_its_event(account: Account) -> None:
    """Made, changed, deleted, renewed and revoked: each in this API's words, with the id that the record has."""
    group = (await account.api.post(GROUPS, json={"name": "Chefs", "type": "pricing_group"})).json()["id"]
    await account.api.patch(f"{GROUPS}/{group}", json={"freight_policy": "free_freight"})
    await account.api.delete(f"{GROUPS}/{group}")
    address = {"name": "Dock", "is_drop_ship": False, "country": "US"}
    place = (await account.api.post("/v1/sales/addresses", json=address)).json()["id"]
    viewer = next(row["id"] for row in await listed(account, "/v1/identity/roles", q="Viewer"))
    made = (await account.api.post("/v1/auth/api-keys", json={"role_id": viewer, "name": "Key"})).json()
    key = made["api_key_info"]["id"]
    await account.api.post(f"/v1/auth/api-keys/{key}/actions/rotate")
    await account.api.delete(f"/v1/auth/api-keys/{key}")
    body: Json = {"name": "Tom", "email": None, "username": None, "password": None, "preferences": []}
    member = (await account.api.post("/v1/identity/account-users", json=body)).json()["id"]

    async def story(record: str, **query: Any) -> list[tuple[str, str]]:
        rows = await listed(account, EVENTS, resource_id=record, **query)
        return [(row["resource_type"], row["action"]) for row in rows]

    assert await story(group) == [("account_group", action) for action in ("delete", "update", "create")]
    assert await story(place) == [("address", "create")]
    assert await story(key) == [("api_key", action) for action in ("delete", "update", "create")]
    assert await story(member) == [("account_user", "create")]
    assert await story(member, q="TEST KEY") == [("account_user", "create")]
    assert await story(group, action="update") == [("account_group", "update")]
    assert await story(group, action="archive") == []
    assert await story(group, **{"resource_types[]": "carrier"}) == []
    assert await story("nonsense") == []
    [update] = await listed(account, EVENTS, resource_id=group, action="update", include="changes")
    assert update["changes"]["data"] == [
        {"field": "freight_policy", "old_value": "billed_freight", "new_value": "free_freight"}
    ]


async def test_of_a_merge_one_is_changed_and_the_others_are_gone(account: Account) -> None:
    """The target's event is an update, a source's a deletion that says where it went."""
    target, source = await account.create(), await account.create()
    body = {"source_customer_ids": [source["id"]]}
    merged = await account.api.post(f"{CUSTOMERS}/{target['id']}/actions/merge", json=body)
    assert merged.status_code == 200, merged.text
    rows = await listed(account, EVENTS, action="delete", include="changes", **{"resource_types[]": "customer"})
    assert [(row["action"], row["resource_id"]) for row in rows] == [("delete", source["id"])]
    changes = {change["field"]: change["new_value"] for change in rows[0]["changes"]["data"]}
    assert changes["merged_into"] == target["id"]
    rows = await listed(account, EVENTS, action="update", resource_id=target["id"])
    assert [row["resource_id"] for row in rows] == [target["id"]]


async def test_events_of_every_door_are_listed(world: World, site: Site) -> None:
    """What was done through another API is there, as far as this one has a word for it."""
    made = await world.create()
    async with make_account(world.hub, site, world.team) as account:
        [row] = await listed(account, EVENTS, resource_types="customer", include="actor,metadata")
        whole = await listed(account, EVENTS)
    assert (row["resource_id"], row["metadata"]["version"]) == (to_id("ac", UUID(made["id"])), 1)
    assert row["metadata"]["api"] != "augno"
    assert (row["actor"]["type"], row["actor"]["name"], row["actor"]["handle"]) == ("api_key", "test key", None)
    async with world.hub.database.lease() as connection:
        kinds = {row[0] for row in await connection.fetch("select kind from audit where team = $1", world.team.id)}
    assert "price_list" in kinds
    assert "price_list" not in {row["resource_type"] for row in whole}


async def test_events_are_filtered_and_walked(account: Account, other_account: Account) -> None:
    """By who did it and when; page by page and back; another account's are not among them."""
    await other_account.create()
    customers = [await account.create() for _ in range(3)]
    types = {"resource_types": "customer"}
    rows = await listed(account, EVENTS, include="actor", **types)
    assert [row["resource_id"] for row in rows] == [customer["id"] for customer in customers[::-1]]
    key = rows[0]["actor"]["id"]
    assert len(await listed(account, EVENTS, actor_id=key, **types)) == 3
    assert await listed(account, EVENTS, actor_id=strange_id("us"), **types) == []
    assert await listed(account, EVENTS, q=customers[1]["id"][3:].upper(), **types, include="actor") == rows[1:2]
    at = rows[1]["occurred_at"]
    between = await listed(account, EVENTS, start_date=at, end_date=at, **types)
    assert [row["id"] for row in between] == [rows[1]["id"]]
    first = (await account.api.get(EVENTS, params={**types, "limit": 2})).json()
    second = await account.api.get(EVENTS, params={**types, "limit": 2, "cursor": first["page_info"]["next_cursor"]})
    assert [row["id"] for row in first["data"] + second.json()["data"]] == [row["id"] for row in rows]
    back = second.json()["page_info"]["prev_cursor"]
    assert (await account.api.get(EVENTS, params={**types, "limit": 2, "cursor": back})).json() == first
    for name, value in (("resource_types[]", "colour"), ("action", "sing"), ("end_date", "2026-01-01")):
        assert refusal(await account.api.get(EVENTS, params={name: value})) == (400, "parameter_invalid", name)


async def test_what_a_key_did_is_found_whichever_secret_it_had(account: Account) -> None:
    """By the id that it keeps when it is rotated; its logs name it too."""
    admin = next(row["id"] for row in await listed(account, "/v1/identity/roles", q="Admin"))
    made = (await account.api.post("/v1/auth/api-keys", json={"role_id": admin, "name": "ERP"})).json()
    key, secret, groups = made["api_key_info"]["id"], made["api_key_secret"], list[str]()
    for name in ("Before", "After"):
        body = {"name": name, "type": "pricing_group"}
        answer = await account.api.post(GROUPS, json=body, headers=bearer(secret))
        groups.insert(0, answer.json()["id"])
        log = await account.api.get(f"{LOGS}/{answer.headers['request-id']}", params={"include": "actor"})
        assert (log.json()["actor"]["id"], log.json()["actor"]["name"]) == (key, "ERP")
        secret = (await account.api.post(f"/v1/auth/api-keys/{key}/actions/rotate")).json()["api_key_secret"]
    rows = await listed(account, EVENTS, actor_id=key, include="actor")
    assert [(row["resource_id"], row["actor"]["id"]) for row in rows] == [(group, key) for group in groups]


async def test_events_of_other_accounts_are_not_found(account: Account, other_account: Account) -> None:
    """Nor are those that are none."""
    await other_account.create()
    theirs = (await listed(other_account, EVENTS))[0]["id"]
    for wrong in (theirs, strange_id("ae"), "nonsense"):
        assert refusal(await account.api.get(f"{EVENTS}/{wrong}")) == (404, "resource_not_found", "id")


async def test_the_resource_types_of_events_are_listed(account: Account) -> None:
    """Words, in a list with nothing before and behind it; each of them is a filter."""
    answer = (await account.api.get(f"{EVENTS}/resource-types")).json()
    assert (answer["object"], answer["page_info"]["has_next_page"]) == ("list", False)
    assert {"customer", "address", "account_group", "api_key", "account"} <= set(answer["data"])
    for name in answer["data"]:
        assert {row["resource_type"] for row in await listed(account, EVENTS, resource_types=name)} <= {name}
