"""What POST of a customer promises."""

from typing import Any

import httpx
import pytest

from customerhub.core import admin
from customerhub.dialects.augno.tests.helpers import failure, put_below, read_back, refusal, strange_id
from tests.support.augno import ALL, CUSTOMERS, EXPANDABLE, Account, Json, address_body, full_address_body

REQUIRED = (
    *("name", "default_carrier_id", "default_payment_term_id", "default_shipping_term_id"),
    *("customer_type_group_id", "bill_to_address", "ship_to_address"),
)
OPTIONAL = (
    *("number", "note", "email", "phone", "url", "status", "is_edi_enabled", "commission_policy", "freight_policy"),
    *("default_service_level_id", "default_priority", "default_sales_rep_user_id", "carrier_billing_type"),
    *("carrier_billing_account", "credit_limit", "customer_price_group_ids"),
)
# What a customer is born with.
BORN: Json = {
    "note": None,
    "email": None,
    "phone": None,
    "url": None,
    "status": "normal",
    "is_edi_enabled": False,
    "commission_policy": "commission_exempt",
    "freight_policy": "billed_freight",
    "default_service_level_id": None,
    "default_priority": "normal",
    "default_sales_rep_user_id": None,
    "carrier_billing_type": "sender",
    "carrier_billing_account": None,
    "credit_limit": None,
    "customer_price_group_ids": [],
}


async def create(account: Account, body: object, **headers: str) -> httpx.Response:
    """The answer to a creation, with all parts."""
    return await account.api.post(CUSTOMERS, json=body, params={"include": ALL}, headers=headers)


async def refused(account: Account, body: object) -> tuple[int, str, str | None]:
    """How a creation is refused, which then has made nothing."""
    before = await account.fingerprint()
    answer = await create(account, body)
    assert await account.fingerprint() == before, answer.text
    return refusal(answer)


async def test_everything_that_is_sent_is_read(account: Account) -> None:
    """201 with the customer, and the same in the next reading."""
    body = account.full_body()
    answer = await create(account, body)
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    made = answer.json()
    told = {member: read_back(made, member) for member in body if not member.endswith("_address")}
    sent = {member: body[member] for member in told}
    assert told == {**sent, "credit_limit": body["credit_limit"]["value"]}
    for name in ("bill_to_address", "ship_to_address"):
        address, wanted = made[name], body[name]
        assert {member: address[member] for member in ("name", "phone", "email", "is_drop_ship")} == {
            member: wanted[member] for member in ("name", "phone", "email", "is_drop_ship")
        }
    assert made["bill_to_address"]["id"] != made["ship_to_address"]["id"]
    assert made["created_at"] == made["updated_at"]
    assert await account.get(made["id"]) == made


async def test_what_a_customer_is_born_with(account: Account) -> None:
    """Left out or null, whatever need not be sent has its default; a number is given."""
    for body in (account.customer_body(), account.customer_body(**dict.fromkeys(OPTIONAL))):
        made = (await create(account, body)).json()
        assert {member: read_back(made, member) for member in BORN} == BORN
        assert made["number"][0] == "C"
        assert len(made["number"]) >= len("C00001")
        assert made["notification_preferences"]["accepts_invoice_emails"] is True
        assert (made["is_parent_account"], made["parent_account"], made["child_accounts"]) == (False, None, None)


async def test_numbers_are_given_in_turn(account: Account) -> None:
    """Each next; one that somebody typed is jumped past."""
    first = (await account.create())["number"]
    taken = f"C{int(first[1:]) + 1:05d}"
    await account.create(number=taken)
    assert (await account.create())["number"] == f"C{int(first[1:]) + 2:05d}"


async def test_price_groups_may_be_left_out(account: Account) -> None:
    """The contract says required, its own example leaves them out."""
    body = account.customer_body()
    del body["customer_price_group_ids"]
    assert (await account.create(body, include="price_groups"))["price_groups"]["data"] == []


@pytest.mark.parametrize("member", REQUIRED)
async def test_required_members(account: Account, member: str) -> None:
    """Absent it is a missing field, null a broken rule."""
    body = account.customer_body()
    assert await refused(account, {**body, member: None}) == (400, "validation_failed", member)
    del body[member]
    assert await refused(account, body) == (400, "missing_field", member)


async def test_no_body_at_all(account: Account) -> None:
    """The first missing member is the parameter, the message names all."""
    answer = await account.api.post(CUSTOMERS)
    assert refusal(answer)[:2] == (400, "missing_field")
    assert {part.partition(":")[0] for part in failure(answer)["message"].split("; ")} == set(REQUIRED)


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("name", None, "validation_failed"),
        ("name", " ", "validation_failed"),
        ("name", 5, "invalid_format"),
        ("is_drop_ship", None, "validation_failed"),
        ("is_drop_ship", "true", "invalid_format"),
        ("country", "USA", "validation_failed"),
        ("country", "", "validation_failed"),
        ("country", "U1", "validation_failed"),
        ("phone", "", "validation_failed"),
        ("email", "nobody", "validation_failed"),
        ("street_line_1", "x" * 256, "validation_failed"),
        ("street", "x", "parameter_unknown"),
        ("id", "ad_1", "parameter_unknown"),
    ],
)
async def test_broken_addresses(account: Account, member: str, value: object, code: str) -> None:
    """What is wrong in an address is told by its path, for either of the two."""
    for name in ("bill_to_address", "ship_to_address"):
        body = account.customer_body(**{name: full_address_body(**{member: value})})
        assert await refused(account, body) == (400, code, f"{name}.{member}")


async def test_incomplete_addresses(account: Account) -> None:
    """Name, country and whether it is a drop shipment are needed; the rest may be null."""
    for member in ("name", "country", "is_drop_ship"):
        body = account.customer_body()
        del body["bill_to_address"][member]
        assert await refused(account, body) == (400, "missing_field", f"bill_to_address.{member}")
    others = ("phone", "email", "street_line_1", "street_line_2", "locality", "state", "postal_code")
    made = await account.create(
        account.customer_body(bill_to_address=address_body(**dict.fromkeys(others))), include="bill_to_address"
    )
    assert (made["bill_to_address"]["phone"], made["bill_to_address"]["email"]) == (None, None)


async def test_references(account: Account, other_account: Account) -> None:
    """Unknown ones are 400 by name; a level must be of the carrier that is sent with it."""
    for member, wrong in (
        ("default_carrier_id", strange_id("cr")),
        ("default_payment_term_id", other_account.payment_terms[0]),
        ("default_shipping_term_id", "x"),
        ("customer_type_group_id", account.pricing_groups[0]),
        ("customer_price_group_ids", [account.type_groups[0]]),
        ("default_service_level_id", account.service_levels[1]),
        ("default_sales_rep_user_id", other_account.reps[0]),
    ):
        assert await refused(account, account.customer_body(**{member: wrong})) == (400, "validation_failed", member)


async def test_what_is_taken(account: Account) -> None:
    """409, told not to be tried again."""
    body = account.full_body()
    await account.create(body)
    for member in ("number", "email"):
        before = await account.fingerprint()
        # With a number of its own, since the counter does not go back.
        answer = await create(account, {**account.customer_body(number="other"), member: body[member]})
        assert refusal(answer) == (409, "resource_exists", member)
        assert answer.headers["x-should-retry"] == "false"
        assert await account.fingerprint() == before


async def test_unknown_members(account: Account) -> None:
    """They are refused, at every depth, unless the team has them ignored: then the answer names them."""
    limit = {"value": "1", "unit_id": account.unit, "id": "q"}
    body = {"nickname": "x", "credit_limit": limit, **account.customer_body()}
    body["ship_to_address"]["street"] = "x"
    assert await refused(account, body) == (400, "parameter_unknown", "nickname")
    await admin.change_settings(account.hub, account.team, {"unknown_members": "ignore"})
    answer = await create(account, body)
    assert answer.status_code == 201
    assert answer.headers["customerhub-ignored"] == "nickname, credit_limit.id, ship_to_address.street"
    again = await account.api.patch(f"{CUSTOMERS}/{answer.json()['id']}", json={"nick name": 1, "name": "Other"})
    assert (again.json()["name"], again.headers["customerhub-ignored"]) == ("Other", "nick%20name")
    await admin.change_settings(account.hub, account.team, {"unknown_members": "refuse"})
    assert await refused(account, body) == (400, "parameter_unknown", "nickname")


async def test_a_relaxed_team(account: Account) -> None:
    """It needs a name alone; what is sent is checked all the same."""
    await admin.change_settings(account.hub, account.team, {"relaxed_create": True})
    made = (await create(account, {"name": "Bare", "default_carrier_id": None})).json()
    assert [made[name] for name in ("name", "type", "bill_to_address", "ship_to_address")] == ["Bare", *[None] * 3]
    assert made["freight_preferences"]["carrier"] is None
    assert await refused(account, {}) == (400, "missing_field", "name")
    assert await refused(account, {"name": "x", "default_carrier_id": 5}) == (
        *(400, "invalid_format"),
        "default_carrier_id",
    )
    assert await refused(account, {"name": "x", "bill_to_address": {}}) == (
        *(400, "missing_field"),
        "bill_to_address.name",
    )
    level: dict[str, Any] = {"name": "x", "default_service_level_id": account.service_levels[0]}
    assert await refused(account, level) == (400, "validation_failed", "default_service_level_id")


async def test_a_team_may_have_nulls_ignored(account: Account) -> None:
    """Then a null where none may stand is as if it had been left out; where one may stand it still clears."""
    await admin.change_settings(account.hub, account.team, {"null_members": "ignore"})
    made = await account.create(account.full_body(), include=ALL)
    changed = await account.patch(made["id"], name=None, status=None, customer_price_group_ids=None, note=None)
    assert {**changed, "updated_at": ""} == {**made, "note": None, "updated_at": ""}
    body = {**account.customer_body(), "default_carrier_id": None}
    assert await refused(account, body) == (400, "missing_field", "default_carrier_id")


async def test_a_dry_run_makes_nothing(account: Account) -> None:
    """It answers as if it did; `If-Match` names nothing here."""
    before = await account.fingerprint()
    dry = await create(account, account.customer_body(), **{"Customerhub-Dry-Run": "true"})
    assert (dry.status_code, dry.json()["object"]) == (201, "customer")
    named = await create(account, account.customer_body(), **{"If-Match": '"1"'})
    assert refusal(named) == (412, "resource_conflict", "If-Match")
    assert await account.fingerprint() == before


async def test_without_include_nothing_is_expanded(account: Account) -> None:
    """As everywhere."""
    made = await account.create(account.full_body())
    assert [made[name] for name in EXPANDABLE] == [None] * len(EXPANDABLE)


async def test_deleting(account: Account) -> None:
    """200 with an empty object; then it is gone, and its number and address are free; twice is 404."""
    body = account.full_body()
    made = await account.create(body)
    path = f"{CUSTOMERS}/{made['id']}"
    answer = await account.api.delete(path, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.content, answer.headers.get("etag")) == (200, b"{}", None)
    assert refusal(await account.api.get(path)) == (404, "resource_not_found", "id")
    assert refusal(await account.api.delete(path)) == (404, "resource_not_found", "id")
    assert (await account.create(body))["id"] != made["id"]


async def test_a_parent_cannot_go(account: Account) -> None:
    """409, told not to be tried again, as long as a customer is below it."""
    parent, child = await account.create(), await account.create()
    await put_below(account, child, parent)
    before = await account.fingerprint()
    answer = await account.api.delete(f"{CUSTOMERS}/{parent['id']}")
    assert refusal(answer) == (409, "resource_conflict", "id")
    assert answer.headers["x-should-retry"] == "false"
    assert await account.fingerprint() == before
    assert (await account.api.delete(f"{CUSTOMERS}/{child['id']}")).status_code == 200
    assert (await account.api.delete(f"{CUSTOMERS}/{parent['id']}")).status_code == 200
