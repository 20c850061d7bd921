"""Merging customers, as its clients see it."""

import httpx
import pytest

from customerhub.core import admin
from customerhub.dialects.augno.tests.helpers import failure, put_below, read_back, refusal, strange_id, to_update
from tests.support.augno import ALL, CUSTOMERS, Account, Json, full_address_body

ADDRESSES = "/v1/sales/addresses"


async def merge(account: Account, target: Json, body: object, **headers: str) -> httpx.Response:
    """A merge and its answer, with all the parts of the target."""
    path = f"{CUSTOMERS}/{target['id']}/actions/merge"
    return await account.api.post(path, json=body, params={"include": ALL}, headers=headers)


def sources(*customers: Json) -> Json:
    """A body that names them."""
    return {"source_customer_ids": [customer["id"] for customer in customers]}


@pytest.fixture
async def others(account: Account) -> list[Json]:
    """Two customers to take in."""
    body = account.full_body()
    body["ship_to_address"] = full_address_body(name="Another dock", locality="Bend")
    return [await account.create(body, include=ALL), await account.create(include=ALL)]


async def test_one_customer_of_several(account: Account, customer: Json, others: list[Json]) -> None:
    """The target's own values stay, the sources are gone for every reader, and their numbers are free."""
    answer = await merge(account, customer, sources(*others))
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    merged = answer.json()
    assert to_update(merged) == to_update(customer)
    assert merged["credit_limit"] == customer["credit_limit"]
    assert merged["updated_at"] > customer["updated_at"]
    assert await account.get(customer["id"]) == merged
    for other in others:
        path = f"{CUSTOMERS}/{other['id']}"
        assert refusal(await account.api.get(path)) == (404, "resource_not_found", "id")
        assert refusal(await account.api.patch(path, json={})) == (404, "resource_not_found", "id")
    rows = (await account.api.get(CUSTOMERS)).json()["data"]
    assert [row["id"] for row in rows] == [customer["id"]]
    freed = await account.patch(customer["id"], number=others[0]["number"], email=read_back(others[0], "email"))
    assert freed["number"] == others[0]["number"]


async def test_what_comes_over(account: Account, others: list[Json]) -> None:
    """What the target lacks of texts that describe it, the price groups, and addresses under their own ids."""
    bare = await account.create(include=ALL)
    full = others[0]
    merged = (await merge(account, bare, sources(*others))).json()
    told = ("email", "phone", "url", "note", "customer_price_group_ids")
    assert {member: read_back(merged, member) for member in told} == {
        member: read_back(full, member) for member in told
    }
    kept = ("name", "number", "status", "bill_to_address_id", "ship_to_address_id", "default_sales_rep_user_id")
    assert {member: read_back(merged, member) for member in kept} == {
        member: read_back(bare, member) for member in kept
    }
    for pointer in ("bill_to_address", "ship_to_address"):
        moved = await account.patch(bare["id"], **{f"{pointer}_id": full[pointer]["id"]})
        assert moved[pointer] == full[pointer]
    rows = (await account.api.get(ADDRESSES)).json()["data"]
    # Two of the target's own and two of the full one; the other source's say what the target's say.
    assert sorted(row["name"] for row in rows) == ["Accounts payable", "Accounts payable", "Another dock", "Dock 3"]
    assert others[1]["bill_to_address"]["id"] not in [row["id"] for row in rows]


async def test_children_come_along(account: Account, customer: Json, others: list[Json]) -> None:
    """Customers below a source stand below the target, and a target below a source takes its place."""
    child, top = await account.create(), await account.create()
    await put_below(account, child, others[0])
    await put_below(account, customer, others[0])
    await put_below(account, others[0], top)
    merged = (await merge(account, customer, sources(others[0]))).json()
    assert merged["parent_account"]["id"] == top["id"]
    assert [row["id"] for row in merged["child_accounts"]["data"]] == [child["id"]]
    assert merged["is_parent_account"] is True
    assert (await account.get(child["id"], "parent_account"))["parent_account"]["id"] == customer["id"]


async def test_a_circle(account: Account, customer: Json, others: list[Json]) -> None:
    """409 where the target would come to stand above itself, and nothing has happened."""
    await put_below(account, others[1], others[0])
    await put_below(account, customer, others[1])
    await put_below(account, others[0], await account.create())
    before = await account.fingerprint()
    answer = await merge(account, customer, sources(others[0]))
    assert refusal(answer) == (409, "resource_conflict", "id")
    assert answer.headers["x-should-retry"] == "false"
    assert await account.fingerprint() == before


async def test_doubles_are_one(account: Account, customer: Json, others: list[Json]) -> None:
    """A source may be named twice."""
    answer = await merge(account, customer, sources(others[0], others[0], others[0]))
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')


async def test_what_cannot_be_merged(
    account: Account, other_account: Account, customer: Json, others: list[Json]
) -> None:
    """The target itself, strangers, deleted ones and what is no id are refused together, and nothing happens."""
    foreign = await other_account.create()
    gone = await account.create()
    await account.api.delete(f"{CUSTOMERS}/{gone['id']}")
    param = "source_customer_ids"
    before = await account.fingerprint()
    for wrong in (customer["id"], foreign["id"], gone["id"], strange_id("ac"), "x", others[0]["id"].upper()):
        body = {param: [others[0]["id"], wrong]}
        answer = await merge(account, customer, body)
        assert refusal(answer) == (400, "validation_failed", param), wrong
        assert failure(answer)["message"].startswith(f"{param}[1]: ")
    answer = await merge(account, customer, {param: [customer["id"], "x", others[0]["id"], gone["id"]]})
    assert [part[: len(param) + 3] for part in failure(answer)["message"].split("; ")] == [
        f"{param}[{place}]" for place in (0, 1, 3)
    ]
    assert await account.fingerprint() == before


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "missing_field", "source_customer_ids"),
        ({"source_customer_ids": None}, "validation_failed", "source_customer_ids"),
        ({"source_customer_ids": "ac_1"}, "invalid_format", "source_customer_ids"),
        ({"source_customer_ids": [1]}, "invalid_format", "source_customer_ids"),
        ({"source_customer_ids": [None]}, "validation_failed", "source_customer_ids"),
        ({"source_customer_ids": []}, "validation_failed", "source_customer_ids"),
        ({"source_customer_ids": ["ac_1"], "target": "x"}, "parameter_unknown", "target"),
        ([], "invalid_format", None),
    ],
)
async def test_broken_bodies(account: Account, customer: Json, body: object, code: str, param: str | None) -> None:
    """The list is needed and must hold ids."""
    before = await account.fingerprint()
    assert refusal(await merge(account, customer, body)) == (400, code, param)
    assert await account.fingerprint() == before


async def test_at_most_a_hundred(account: Account, customer: Json) -> None:
    """More are refused at once."""
    body = {"source_customer_ids": [strange_id("ac") for _ in range(101)]}
    answer = await merge(account, customer, body)
    assert refusal(answer) == (400, "validation_failed", "source_customer_ids")
    assert "100" in failure(answer)["message"]


async def test_no_such_target(account: Account, others: list[Json]) -> None:
    """404, and the sources stay."""
    before = await account.fingerprint()
    for wire_id in (strange_id("ac"), "x"):
        answer = await merge(account, {"id": wire_id}, sources(*others))
        assert refusal(answer) == (404, "resource_not_found", "id")
    assert await account.fingerprint() == before


async def test_a_dry_run_shows_the_result(account: Account, customer: Json, others: list[Json]) -> None:
    """The same answer but for its time, and nothing has happened; a stale tag is 412."""
    before = await account.fingerprint()
    dry = await merge(account, customer, sources(*others), **{"Customerhub-Dry-Run": "true"})
    stale = await merge(account, customer, sources(*others), **{"If-Match": '"9"'})
    assert refusal(stale) == (412, "resource_conflict", "If-Match")
    assert await account.fingerprint() == before
    done = await merge(account, customer, sources(*others), **{"If-Match": '"1"'})
    assert {**dry.json(), "updated_at": ""} == {**done.json(), "updated_at": ""}


async def test_a_lenient_team(account: Account, customer: Json, others: list[Json]) -> None:
    """What it does not know is named and ignored here too."""
    await admin.change_settings(account.hub, account.team, {"unknown_members": "ignore"})
    answer = await merge(account, customer, {**sources(others[0]), "reason": "double"})
    assert (answer.status_code, answer.headers["customerhub-ignored"]) == (200, "reason")
