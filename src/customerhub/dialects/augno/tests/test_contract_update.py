"""What PATCH of a customer promises, member by member."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from customerhub.dialects.augno.tests.helpers import failure, patch, read_back, refusal, refused, strange_id, to_update
from tests.support.augno import ALL, CUSTOMERS, EXPANDABLE, Account, Json, full_address_body, uuid_of

CLEARED = (
    *("note", "email", "phone", "url", "default_service_level_id", "default_sales_rep_user_id"),
    *("bill_to_address_id", "ship_to_address_id", "carrier_billing_account", "credit_limit"),
)
CHANGES: Json = {
    "name": "Harbour Lights",
    "note": "Back door.",
    "status": "hold_all",
    "email": "new@harbour.example",
    "phone": "12",
    "url": "http://harbour.example/a?b#c",
    "is_edi_enabled": False,
    "commission_policy": "commission_exempt",
    "freight_policy": "billed_freight",
    "default_priority": "low",
    "carrier_billing_type": "sender",
    "carrier_billing_account": "Z",
}


@pytest.mark.parametrize("member", CHANGES)
async def test_a_member_alone(account: Account, customer: Json, member: str) -> None:
    """It is changed and read back where answers have it; nothing else is touched but the time."""
    changed = await account.patch(customer["id"], **{member: CHANGES[member]})
    assert read_back(changed, member) == CHANGES[member]
    others = {**to_update(changed), member: read_back(customer, member)}
    assert others == to_update(customer)
    assert changed["updated_at"] > customer["updated_at"]
    assert changed["created_at"] == customer["created_at"]
    assert await account.get(customer["id"]) == changed


async def test_references(account: Account, customer: Json) -> None:
    """Carriers, levels, terms, groups and reps are set by id."""
    body = {
        "default_carrier_id": account.carriers[1],
        "default_service_level_id": account.service_levels[1],
        "default_payment_term_id": account.payment_terms[1],
        "default_shipping_term_id": account.shipping_terms[1],
        "default_sales_rep_user_id": account.reps[1],
        "customer_type_group_id": account.type_groups[1],
    }
    changed = await account.patch(customer["id"], **body)
    assert {member: read_back(changed, member) for member in body} == body


@pytest.mark.parametrize("member", CLEARED)
async def test_null_clears(account: Account, customer: Json, member: str) -> None:
    """Ten members take null; the rest of the customer stays."""
    changed = await account.patch(customer["id"], **{member: None})
    assert read_back(changed, member) is None
    assert read_back(customer, member) is not None
    again = await account.patch(customer["id"], **{member: None})
    assert again == changed


async def test_null_elsewhere(account: Account, customer: Json) -> None:
    """Every other member refuses it, by name, and all are told at once."""
    others = [member for member in to_update(customer) if member not in CLEARED]
    for member in others:
        assert await refused(account, customer, {member: None}) == (400, "validation_failed", member)
    answer = await patch(account, customer, dict.fromkeys(others))
    assert failure(answer)["message"] == "; ".join(f"{member}: must not be null" for member in others) + "."


async def test_nothing_to_change(account: Account, customer: Json) -> None:
    """No body, an empty one, the same values and the whole customer leave version and time alone."""
    tag = (await account.api.get(f"{CUSTOMERS}/{customer['id']}")).headers["etag"]
    path = f"{CUSTOMERS}/{customer['id']}"
    limit = {"credit_limit": {"value": "25000.00", "unit_id": account.unit}}
    before = await account.fingerprint()
    requests: list[dict[str, Any]] = [
        {},
        {"content": b"   "},
        {"json": {}},
        {"json": {"name": customer["name"]}},
        {"json": {**to_update(customer), **limit}},
    ]
    for request in requests:
        answer = await account.api.patch(path, params={"include": ALL}, **request)
        assert (answer.status_code, answer.headers["etag"]) == (200, tag)
        assert answer.json() == customer
    assert await account.fingerprint() == before


@pytest.mark.parametrize("body", ["[]", "1", '"x"', "null", "{", '{"name": "a", "name": "b"}', '{"name": NaN}'])
async def test_no_object(account: Account, customer: Json, body: str) -> None:
    """Anything but a JSON object whose members stand once is a broken format."""
    path, headers = f"{CUSTOMERS}/{customer['id']}", {"content-type": "application/json"}
    answer = await account.api.patch(path, content=body, headers=headers)
    assert refusal(answer) == (400, "invalid_format", None)
    assert await account.get(customer["id"]) == customer


async def test_price_groups_are_replaced(account: Account, customer: Json) -> None:
    """The whole set each time, without doubles, read by name; the order it is sent in means nothing."""
    first, second = account.pricing_groups
    member = "customer_price_group_ids"
    assert read_back(customer, member) == [first, second]
    assert await account.patch(customer["id"], **{member: [second, first, second]}) == customer
    one = await account.patch(customer["id"], **{member: [second, second]})
    assert read_back(one, member) == [second]
    none = await account.patch(customer["id"], **{member: []})
    assert none["price_groups"] == {
        "object": "list",
        "page_info": {"next_cursor": None, "prev_cursor": None, "has_next_page": False, "has_prev_page": False},
        "data": [],
    }


async def test_groups_of_the_wrong_type(account: Account, customer: Json) -> None:
    """A group for pricing is no kind of customer, nor the other way round; one bad id fails all."""
    pricing, kind = account.pricing_groups[0], account.type_groups[1]
    assert await refused(account, customer, {"customer_type_group_id": pricing}) == (
        *(400, "validation_failed"),
        "customer_type_group_id",
    )
    answer = await patch(account, customer, {"customer_price_group_ids": [pricing, kind]})
    assert failure(answer)["message"] == (
        "customer_price_group_ids[1]: must name an account group of type pricing_group."
    )
    assert refusal(answer) == (400, "validation_failed", "customer_price_group_ids")
    assert await account.get(customer["id"]) == customer


async def test_unknown_references(account: Account, other_account: Account, customer: Json) -> None:
    """No id at all, another kind's, nobody's and another team's: 400 by name, never 404."""
    foreign = await other_account.create(other_account.full_body(), include=ALL)
    own = to_update(foreign)
    own |= {
        "bill_to_address_id": foreign["bill_to_address"]["id"],
        "customer_price_group_ids": own.pop("customer_price_group_ids"),
    }
    members = [member for member in own if member.endswith("_id")]
    for member in members:
        prefix = own[member].partition("_")[0]
        for wrong in ("", "x", customer["id"], own[member].upper(), f"{prefix}_", strange_id(prefix), own[member]):
            assert await refused(account, customer, {member: wrong}) == (400, "validation_failed", member), wrong
    for wrong in ("", "x", customer["id"], strange_id("acgp"), other_account.pricing_groups[0]):
        found = await refused(account, customer, {"customer_price_group_ids": [account.pricing_groups[0], wrong]})
        assert found == (400, "validation_failed", "customer_price_group_ids")


async def test_the_service_level_follows_the_carrier(account: Account, customer: Json) -> None:
    """Another carrier alone drops the level; sent together they must fit; a level alone must be the carrier's."""
    first, second = account.carriers
    level, other = account.service_levels
    pair = ("default_carrier_id", "default_service_level_id")
    wrong = (400, "validation_failed", "default_service_level_id")
    assert await refused(account, customer, dict(zip(pair, (second, level), strict=True))) == wrong
    assert await refused(account, customer, {pair[1]: other}) == wrong
    moved = await account.patch(customer["id"], **{pair[0]: second})
    assert [read_back(moved, member) for member in pair] == [second, None]
    fitted = await account.patch(customer["id"], **dict(zip(pair, (first, level), strict=True)))
    assert [read_back(fitted, member) for member in pair] == [first, level]
    same = await account.patch(customer["id"], **{pair[0]: first})
    assert same == fitted
    cleared = await account.patch(customer["id"], **dict(zip(pair, (second, None), strict=True)))
    assert [read_back(cleared, member) for member in pair] == [second, None]


async def test_retired_references_stay(account: Account, customer: Json) -> None:
    """What is inactive is refused as a new value and kept where it is set."""
    other = await account.create(account.customer_body(default_payment_term_id=account.payment_terms[1]), include=ALL)
    async with account.hub.database.transaction() as connection:
        await connection.execute(
            "update catalogue_entry set status = 'inactive' where team = $1 and id = any ($2::uuid[])",
            account.team.id,
            [uuid_of(account.payment_terms[0]), uuid_of(account.unit)],
        )
        await connection.execute(
            "update team set catalogue_version = catalogue_version + 1 where id = $1", account.team.id
        )
    member = "default_payment_term_id"
    assert await refused(account, other, {member: account.payment_terms[0]}) == (400, "validation_failed", member)
    limit = {"credit_limit": {"value": "1", "unit_id": account.unit}}
    assert await refused(account, other, limit) == (400, "validation_failed", "credit_limit.unit_id")
    kept = await account.patch(customer["id"], name="New name", **{member: account.payment_terms[0]}, **limit)
    assert kept["defaults"]["payment_term"]["status"] == "inactive"
    assert (kept["name"], kept["credit_limit"]["display_value"]) == ("New name", "$1.00")


async def test_deleted_references_stay(account: Account, customer: Json) -> None:
    """A carrier that is gone is still shown where it is set, with its level, and can be set nowhere else."""
    other = await account.create(account.customer_body(default_carrier_id=account.carriers[1]), include=ALL)
    assert (await account.api.delete(f"/v1/operations/carriers/{account.carriers[0]}")).status_code == 200
    shown = (await account.get(customer["id"]))["freight_preferences"]
    assert shown["carrier"]["id"] == account.carriers[0]
    assert shown["carrier"]["deleted_at"] is not None
    assert shown["service_level"] == customer["freight_preferences"]["service_level"] | {
        "updated_at": shown["service_level"]["updated_at"]
    }
    body = {"default_carrier_id": account.carriers[0]}
    assert await refused(account, other, body) == (400, "validation_failed", "default_carrier_id")
    level = {"default_service_level_id": account.service_levels[0]}
    changed = await account.patch(customer["id"], name="New name", **body, **level)
    assert changed["freight_preferences"] == shown


async def test_the_rep_by_either_id(account: Account, customer: Json) -> None:
    """A user's id and that of its membership mean the same person; a user is shown."""
    member, first = "default_sales_rep_user_id", account.reps[0]
    as_member = first.replace("us_", "acus_")
    assert await account.patch(customer["id"], **{member: as_member}) == customer
    changed = await account.patch(customer["id"], **{member: account.reps[1].replace("us_", "acus_")})
    assert changed["defaults"]["sales_rep"]["id"] == account.reps[1]
    assert changed["defaults"]["sales_rep"]["name"] == "Ravi Okafor"


async def test_addresses(account: Account, customer: Json) -> None:
    """The pointers may name any address of the customer's own, and no other customer's."""
    bill_to, ship_to = (customer[name]["id"] for name in ("bill_to_address", "ship_to_address"))
    swapped = await account.patch(customer["id"], bill_to_address_id=ship_to, ship_to_address_id=bill_to)
    assert (swapped["bill_to_address"]["id"], swapped["ship_to_address"]["id"]) == (ship_to, bill_to)
    one = await account.patch(customer["id"], bill_to_address_id=bill_to)
    assert one["bill_to_address"] == one["ship_to_address"] == customer["bill_to_address"]
    cleared = await account.patch(customer["id"], bill_to_address_id=None)
    assert (cleared["bill_to_address"], cleared["ship_to_address"]) == (None, customer["bill_to_address"])
    back = await account.patch(customer["id"], bill_to_address_id=bill_to, ship_to_address_id=ship_to)
    assert {**back, "updated_at": ""} == {**customer, "updated_at": ""}
    other = await account.create(account.full_body(), include=ALL)
    body = {"bill_to_address_id": other["bill_to_address"]["id"]}
    assert await refused(account, customer, body) == (400, "validation_failed", "bill_to_address_id")


async def test_an_address_of_nobody(account: Account, other_account: Account, customer: Json) -> None:
    """One that was made by itself comes to the customer that names it, with its id; to none of another team."""
    made = (await account.api.post("/v1/sales/addresses", json=full_address_body(name="Annex"))).json()
    foreign = await other_account.create(include=ALL)
    body = {"ship_to_address_id": made["id"]}
    assert await refused(other_account, foreign, body) == (400, "validation_failed", "ship_to_address_id")
    changed = await account.patch(customer["id"], **body)
    assert changed["ship_to_address"] == {**made, "geolocation": None}
    placed = (await account.api.get(f"/v1/sales/addresses/{made['id']}")).json()
    assert placed == made
    other = await account.create(include=ALL)
    assert await refused(account, other, body) == (400, "validation_failed", "ship_to_address_id")
    await account.patch(customer["id"], ship_to_address_id=customer["ship_to_address"]["id"])
    again = await account.patch(customer["id"], **body)
    assert again["ship_to_address"] == changed["ship_to_address"]


async def test_numbers_and_addresses_that_are_taken(account: Account, customer: Json) -> None:
    """409, told not to be tried again; what the customer has itself it may keep."""
    other = await account.create(account.full_body(), include=ALL)
    for member, spelling in (("number", str), ("email", str.upper)):
        before = await account.fingerprint()
        answer = await patch(account, customer, {member: spelling(read_back(other, member))})
        assert refusal(answer) == (409, "resource_exists", member)
        assert answer.headers["x-should-retry"] == "false"
        assert await account.fingerprint() == before
        own = await account.patch(customer["id"], **{member: read_back(customer, member)})
        assert own == customer
    number = read_back(other, "number")
    assert read_back(await account.patch(customer["id"], number=number.swapcase()), "number") == number.swapcase()


async def test_who_pays_the_carrier(account: Account, customer: Json) -> None:
    """The account number stays when the type goes back, and a third party may come without one."""
    sender = await account.patch(customer["id"], carrier_billing_type="sender")
    assert sender["freight_preferences"]["billing_account"] == "W77-20931"
    await account.patch(customer["id"], carrier_billing_account=None)
    third = await account.patch(customer["id"], carrier_billing_type="third_party")
    assert third["freight_preferences"]["billing_account"] is None


async def test_several_wrong_members(account: Account, customer: Json) -> None:
    """The first in the body's order is the parameter, the message names all, checks and references alike."""
    body = {
        "default_carrier_id": strange_id("cr"),
        "status": "Normal",
        "nam": 1,
        "email": "nobody",
        "credit_limit": {"value": "x", "unit_id": "y"},
    }
    answer = await patch(account, customer, body)
    assert refusal(answer) == (400, "validation_failed", "default_carrier_id")
    assert failure(answer)["message"] == (
        "default_carrier_id: no such carrier; status: must be normal, preferred, hold_shipment or hold_all; "
        "nam: is not a member of this request; email: must be an email address such as ap@example.com; "
        "credit_limit.value: must be a decimal number in a string."
    )
    turned = dict(reversed(body.items()))
    assert refusal(await patch(account, customer, turned)) == (400, "invalid_format", "credit_limit.value")


@pytest.mark.parametrize("wire_id", ["x", "", "ac_", "ac_0", "AC_", "ac_8zzzzzzzzzzzzzzzzzzzzzzzzz", "ad_", "%00"])
async def test_no_such_customer(account: Account, other_account: Account, customer: Json, wire_id: str) -> None:
    """Malformed, unknown, foreign and deleted ids are one and the same 404."""
    foreign = await other_account.create()
    path = f"{CUSTOMERS}/{wire_id or strange_id('ac')}"
    if wire_id == "ad_":
        path = f"{CUSTOMERS}/{customer['id'].replace('ac_', 'ad_')}"
    for gone in (path, f"{CUSTOMERS}/{foreign['id']}"):
        answer = await account.api.patch(gone, json={"name": "x"})
        assert refusal(answer)[:2] == (404, "resource_not_found")
        assert refusal(answer)[2] == (None if wire_id == "%00" and gone == path else "id")
    assert (await other_account.api.get(f"{CUSTOMERS}/{foreign['id']}")).json() == foreign


async def test_other_methods(account: Account, customer: Json) -> None:
    """PUT is not a method of the path, and the answer says which are."""
    answer = await account.api.put(f"{CUSTOMERS}/{customer['id']}", json={})
    assert refusal(answer) == (405, "method_not_allowed", None)
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "PATCH", "DELETE"}


async def test_headers_and_times(account: Account, customer: Json) -> None:
    """JSON that nobody caches, an id of the request, a tag of the version, times in UTC to the microsecond."""
    answer = await account.api.patch(f"{CUSTOMERS}/{customer['id']}", json={"name": "Other"})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["request-id"].startswith("rq_")
    assert answer.headers["etag"] == '"2"'
    moments = [datetime.fromisoformat(answer.json()[name]) for name in ("created_at", "updated_at")]
    assert [moment.tzinfo for moment in moments] == [UTC, UTC]
    assert moments[0] < moments[1]
    assert answer.json()["updated_at"].endswith("Z")


async def test_whole_seconds_have_no_fraction(account: Account) -> None:
    """A time is told with microseconds where there are any, and without a point where there are none."""
    account.hub.now = lambda: datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC)
    made = await account.create()
    assert (made["created_at"], made["updated_at"]) == ("2026-03-02T15:04:05Z", "2026-03-02T15:04:05Z")
    changed = await account.patch(made["id"], name="Other")
    assert changed["updated_at"] == "2026-03-02T15:04:05.000001Z"


async def test_guards(account: Account, customer: Json) -> None:
    """A dry run answers and changes nothing, a stale tag is 412, the right one lets through."""
    before = await account.fingerprint()
    dry = await patch(account, customer, {"name": "Dry"}, **{"Customerhub-Dry-Run": "true"})
    assert (dry.status_code, dry.json()["name"]) == (200, "Dry")
    stale = await patch(account, customer, {"name": "Stale"}, **{"If-Match": '"7"'})
    assert refusal(stale) == (412, "resource_conflict", "If-Match")
    assert await account.fingerprint() == before
    fresh = await patch(account, customer, {"name": "Fresh"}, **{"If-Match": '"1"'})
    assert (fresh.status_code, fresh.headers["etag"]) == (200, '"2"')


async def test_without_include_nothing_is_expanded(account: Account, customer: Json) -> None:
    """A changed email shows no trace of itself unless its part is asked for."""
    answer: httpx.Response = await account.api.patch(f"{CUSTOMERS}/{customer['id']}", json={"email": "a@b.example"})
    assert [answer.json()[name] for name in EXPANDABLE] == [None] * len(EXPANDABLE)
    assert read_back(await account.get(customer["id"]), "email") == "a@b.example"
