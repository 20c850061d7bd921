"""Shipping terms with their amounts and free service levels, carriers with their service levels, units' fractions."""

from typing import Any

import pytest

from customerhub.dialects.augno.tests.helpers import failure, refusal, strange_id
from tests.support.augno import Account, Json

TERMS, CARRIERS, UNITS = "/v1/operations/shipping-terms", "/v1/operations/carriers", "/v1/catalog/units"
WHOLE = {"include": "flat_rate.unit,minimum_order_value.unit,free_shipping_service_levels"}
UNIT = {
    "name": "Sack",
    "abbreviation": "sk",
    "type": "mass",
    "ratio_numerator": "25",
    "ratio_denominator": "1",
    "offset_numerator": "0",
    "offset_denominator": "1",
}


def term_body(**members: object) -> Json:
    """A body that makes a shipping term."""
    return {"name": "Flat", "type": "flat_rate_freight", "free_shipping_service_level_ids": [], **members}


async def make(account: Account, path: str, body: Json, **query: str) -> Json:
    """A new entry, as answered."""
    answer = await account.api.post(path, json=body, params=query)
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


async def test_amounts_of_a_shipping_term_keep_their_digits(account: Account) -> None:
    """As sent and for people; the unit is shown where it is asked for, the service levels too."""
    body = term_body(
        flat_rate={"value": "+0012.50", "unit_id": account.unit},
        minimum_order_value={"value": "1250", "unit_id": account.unit},
        free_shipping_service_level_ids=[
            account.service_levels[1],
            account.service_levels[0],
            account.service_levels[1],
        ],
    )
    made = await make(account, TERMS, body)
    rate = made["flat_rate"]
    assert rate == {
        "id": rate["id"],
        "object": "quantity",
        "value": "12.50",
        "display_value": "$12.50",
        "unit": None,
    }
    assert rate["id"].startswith("qty_")
    assert (made["minimum_order_value"]["value"], made["minimum_order_value"]["display_value"]) == ("1250", "$1,250.00")
    assert made["free_shipping_service_levels"] is None
    whole = (await account.api.get(f"{TERMS}/{made['id']}", params=WHOLE)).json()
    unit = whole["flat_rate"]["unit"]
    assert (unit["id"], unit["object"], unit["owner"]) == (account.unit, "unit", None)
    levels = whole["free_shipping_service_levels"]
    assert (levels["object"], levels["page_info"]["has_next_page"]) == ("list", False)
    assert [level["id"] for level in levels["data"]] == account.service_levels[::-1]
    assert [level["owner"] for level in levels["data"]] == [None, None]
    one = (await account.api.get(f"{TERMS}/{made['id']}", params={"include[]": "flat_rate.unit"})).json()
    assert one["minimum_order_value"]["unit"] is None


async def test_an_amount_keeps_its_id_while_there_is_one(account: Account) -> None:
    """Changed it is the same quantity, with other digits another value; taken away and set again it is a new one."""
    made = await make(account, TERMS, term_body(flat_rate={"value": "12.0", "unit_id": account.unit}))
    path, rate = f"{TERMS}/{made['id']}", made["flat_rate"]["id"]
    body: Json = {"flat_rate": {"value": "12.00", "unit_id": account.unit}}
    other = (await account.api.patch(path, json=body)).json()
    assert (other["flat_rate"]["id"], other["flat_rate"]["value"]) == (rate, "12.00")
    body = {"flat_rate": {"value": "13", "unit_id": account.unit}}
    changed = (await account.api.patch(path, json=body)).json()
    assert (changed["flat_rate"]["id"], changed["flat_rate"]["value"]) == (rate, "13")
    before = await account.fingerprint()
    assert (await account.api.patch(path, json=body)).json() == changed
    assert await account.fingerprint() == before
    cleared = (await account.api.patch(path, json={"flat_rate": None, "type": "free_freight"})).json()
    assert (cleared["flat_rate"], cleared["type"]) == (None, "free_freight")
    again = (await account.api.patch(path, json=body)).json()
    assert again["flat_rate"]["id"] != rate


async def test_service_levels_of_a_shipping_term_are_replaced(account: Account) -> None:
    """The whole list; null takes all away; a deleted one stays where it is and is no new one."""
    made = await make(account, TERMS, term_body(free_shipping_service_level_ids=account.service_levels[:1]))
    path = f"{TERMS}/{made['id']}"

    async def patch(levels: list[str] | None) -> list[str]:
        answer = await account.api.patch(path, json={"free_shipping_service_level_ids": levels}, params=WHOLE)
        assert answer.status_code == 200, answer.text
        return [level["id"] for level in answer.json()["free_shipping_service_levels"]["data"]]

    assert await patch(account.service_levels[1:]) == account.service_levels[1:]
    gone = f"{CARRIERS}/{account.carriers[1]}/service-levels/{account.service_levels[1]}"
    assert (await account.api.delete(gone)).status_code == 200
    assert await patch(account.service_levels[1:]) == account.service_levels[1:]
    assert await patch(None) == []
    answer = await account.api.patch(path, json={"free_shipping_service_level_ids": account.service_levels[1:]})
    assert refusal(answer) == (400, "validation_failed", "free_shipping_service_level_ids")


@pytest.mark.parametrize(
    ("amount", "code", "param"),
    [
        ({}, "missing_field", "flat_rate.value"),
        ({"value": "1"}, "missing_field", "flat_rate.unit_id"),
        ({"value": 1, "unit_id": "UNIT"}, "invalid_format", "flat_rate.value"),
        ({"value": "one", "unit_id": "UNIT"}, "invalid_format", "flat_rate.value"),
        ({"value": "-1", "unit_id": "UNIT"}, "validation_failed", "flat_rate.value"),
        ({"value": "1." + "0" * 13, "unit_id": "UNIT"}, "validation_failed", "flat_rate.value"),
        ({"value": "1", "unit_id": "un_nonsense"}, "validation_failed", "flat_rate.unit_id"),
        ({"value": "1", "unit_id": "MASS"}, "validation_failed", "flat_rate.unit_id"),
        ({"value": "1", "unit_id": "UNIT", "colour": 1}, "parameter_unknown", "flat_rate.colour"),
        ("1.00", "invalid_format", "flat_rate"),
    ],
)
async def test_a_wrong_amount_is_refused(account: Account, amount: Any, code: str, param: str) -> None:
    """With the member inside it as `param`; nothing is written."""
    mass = await make(account, UNITS, UNIT)
    ids = {"UNIT": account.unit, "MASS": mass["id"]}
    sent = {name: ids.get(value, value) for name, value in amount.items()} if isinstance(amount, dict) else amount
    made = await make(account, TERMS, term_body())
    before = await account.fingerprint()
    assert refusal(await account.api.post(TERMS, json=term_body(name="Other", flat_rate=sent))) == (400, code, param)
    answer = await account.api.patch(f"{TERMS}/{made['id']}", json={"flat_rate": sent})
    assert refusal(answer) == (400, code, param)
    assert await account.fingerprint() == before


async def test_all_that_a_shipping_term_refers_to_wrongly_is_told(account: Account) -> None:
    """References and plain members in one failure, in the order of the body."""
    body = term_body(
        free_shipping_service_level_ids=[account.service_levels[0], "crop_nonsense"],
        type="red",
        flat_rate={"value": "1", "unit_id": strange_id("un")},
    )
    found = failure(await account.api.post(TERMS, json=body))
    assert found["param"] == "type"
    assert "free_shipping_service_level_ids[1]" in found["message"]
    assert "flat_rate.unit_id" in found["message"]


async def test_a_carrier_needs_its_code_said(account: Account) -> None:
    """`code` and `account_number` may be null and must be there; a code is one of eight and never changes."""
    body = {"name": "Harbour", "code": "freight_collect", "account_number": "77"}
    made = await make(account, CARRIERS, body)
    assert (made["code"], made["account_number"]) == ("freight_collect", "77")
    for name, value, code in (("code", "dhl", "validation_failed"), ("account_number", "", "validation_failed")):
        answer = await account.api.post(CARRIERS, json={**body, "name": "Other", name: value})
        assert refusal(answer) == (400, code, name)
    path = f"{CARRIERS}/{made['id']}"
    assert refusal(await account.api.patch(path, json={"code": "ups"})) == (400, "parameter_unknown", "code")


async def test_a_service_level_lives_in_its_carrier(account: Account) -> None:
    """Requests say `code`, answers `service_level_token`; below another carrier it is not found."""
    ups, fedex = (f"{CARRIERS}/{carrier}/service-levels" for carrier in account.carriers)
    body = {"name": "Two day", "code": "two_day", "is_default": False}
    answer = await account.api.post(ups, json=body)
    made = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (201, '"1"')
    assert {name: made[name] for name in list(made)[1:7]} == {
        "object": "service_level",
        "name": "Two day",
        "service_level_token": "two_day",
        "customer_portal_visibility": "visible",
        "is_default": False,
        "owner": None,
    }
    path = f"{ups}/{made['id']}"
    assert (await account.api.get(path)).json() == made
    changed = (await account.api.patch(path, json={"code": "2d", "customer_portal_visibility": "hidden"})).json()
    assert (changed["service_level_token"], changed["customer_portal_visibility"]) == ("2d", "hidden")
    rows = (await account.api.get(ups, params={"q": "2D"})).json()["data"]
    assert changed["id"] in [row["id"] for row in rows]
    assert [row["id"] for row in (await account.api.get(fedex)).json()["data"]] == account.service_levels[1:]
    before = await account.fingerprint()
    for wrong in (f"{fedex}/{made['id']}", f"{CARRIERS}/{strange_id('cr')}/service-levels/{made['id']}"):
        for method in ("GET", "PATCH", "DELETE"):
            answer = await account.api.request(method, wrong, json={"name": "Mine"})
            assert refusal(answer) == (404, "resource_not_found", "id")
    nowhere = f"{CARRIERS}/{strange_id('cr')}/service-levels"
    assert (await account.api.get(nowhere)).status_code == 404
    assert (await account.api.post(nowhere, json=body)).status_code == 404
    assert await account.fingerprint() == before
    assert (await account.api.delete(path)).json() == {}
    assert (await account.api.get(path)).status_code == 404


async def test_a_code_belongs_to_one_service_level_of_a_carrier(account: Account) -> None:
    """409 naming `code`; names may repeat, and another carrier may have the code."""
    ups, fedex = (f"{CARRIERS}/{carrier}/service-levels" for carrier in account.carriers)
    body = {"name": "Two day", "code": "two_day", "is_default": False}
    await make(account, ups, body)
    await make(account, fedex, body)
    second = await make(account, ups, {**body, "code": "other"})
    before = await account.fingerprint()
    for answer in (
        await account.api.post(ups, json=body),
        await account.api.patch(f"{ups}/{second['id']}", json={"code": "Two_Day"}),
    ):
        assert refusal(answer) == (409, "resource_exists", "code")
    assert await account.fingerprint() == before


async def test_a_carrier_shows_its_service_levels_where_asked_for(account: Account) -> None:
    """As a list, the newest first; they go with it."""
    path = f"{CARRIERS}/{account.carriers[0]}"
    level = await make(account, f"{path}/service-levels", {"name": "Slow", "code": "slow", "is_default": False})
    shown = (await account.api.get(path, params={"include": "service_levels"})).json()
    assert shown["service_levels"]["data"][0] == level
    assert [row["id"] for row in shown["service_levels"]["data"]] == [level["id"], account.service_levels[0]]
    assert shown["owner"] is None
    rows = (await account.api.get(CARRIERS, params={"include": "service_levels", "q": "8x41"})).json()["data"]
    assert [len(row["service_levels"]["data"]) for row in rows] == [1, 2]
    assert (await account.api.delete(path)).status_code == 200
    assert (await account.api.get(f"{path}/service-levels")).status_code == 404
    customer = await account.api.post(
        "/v1/sales/customers",
        json=account.customer_body(default_carrier_id=account.carriers[1], default_service_level_id=level["id"]),
    )
    assert refusal(customer) == (400, "validation_failed", "default_service_level_id")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("ratio_numerator", "0", "validation_failed"),
        ("ratio_denominator", "-1", "validation_failed"),
        ("offset_denominator", "0.0", "validation_failed"),
        ("offset_numerator", "none", "invalid_format"),
        ("ratio_numerator", 25, "invalid_format"),
        ("ratio_numerator", "1" * 31, "validation_failed"),
        ("type", "speed", "validation_failed"),
        ("abbreviation", "", "validation_failed"),
        ("abbreviation", "a" * 33, "validation_failed"),
    ],
)
async def test_a_wrong_unit_is_refused(account: Account, name: str, value: object, code: str) -> None:
    """Fractions are decimals in strings, of which ratios and denominators are more than nothing."""
    before = await account.fingerprint()
    assert refusal(await account.api.post(UNITS, json={**UNIT, name: value})) == (400, code, name)
    assert await account.fingerprint() == before


async def test_digits_of_a_unit_are_as_sent(account: Account) -> None:
    """No exponent, no plus, no leading zeros, every trailing one; other digits are another value."""
    made = await make(account, UNITS, {**UNIT, "ratio_numerator": "+0025.00", "offset_numerator": "-1e2"})
    assert (made["ratio_numerator"], made["offset_numerator"]) == ("25.00", "-100")
    path = f"{UNITS}/{made['id']}"
    same = await account.api.patch(path, json={"ratio_numerator": "25.00", "offset_numerator": "-100"})
    assert (same.json(), same.headers["etag"]) == (made, '"1"')
    other = await account.api.patch(path, json={"ratio_numerator": "25.0"})
    assert (other.json()["ratio_numerator"], other.headers["etag"]) == ("25.0", '"2"')
    refused = await account.api.patch(path, json={"type": "volume"})
    assert refusal(refused) == (400, "parameter_unknown", "type")


@pytest.mark.parametrize(
    ("path", "prefix", "codes", "code", "name"),
    [
        ("/v1/sales/priorities", "pi", {"low", "normal", "high"}, "high", "High"),
        (
            "/v1/sales/account-statuses",
            "acss",
            {"normal", "preferred", "hold_shipment", "hold_all"},
            "hold_shipment",
            "Hold shipment",
        ),
    ],
    ids=("priorities", "statuses"),
)
async def test_fixed_sets_are_read_by_id_and_by_code(
    account: Account, other_account: Account, path: str, prefix: str, codes: set[str], code: str, name: str
) -> None:
    """The same record either way, of the system; nothing else can be done with them."""
    rows = (await account.api.get(path)).json()["data"]
    assert {row["code"] for row in rows} == codes
    by_code = (await account.api.get(f"{path}/{code}")).json()
    assert (by_code["code"], by_code["name"], by_code["owner"]) == (code, name, None)
    assert by_code["id"].startswith(f"{prefix}_")
    by_id = await account.api.get(f"{path}/{by_code['id']}", params={"include": "owner.account"})
    assert by_id.json() == {**by_code, "owner": {"object": "owner", "type": "system", "account": None}}
    theirs = (await other_account.api.get(f"{path}/{code}")).json()
    assert theirs["id"] != by_code["id"]
    for wrong in (theirs["id"], "HIGH", strange_id(prefix)):
        assert refusal(await account.api.get(f"{path}/{wrong}")) == (404, "resource_not_found", "id")
    assert (await account.api.post(path, json={})).status_code == 405
    assert (await account.api.patch(f"{path}/{code}", json={})).status_code == 405
    first = (await account.api.get(path, params={"limit": 1})).json()
    rest = await account.api.get(path, params={"cursor": first["page_info"]["next_cursor"]})
    assert first["data"] + rest.json()["data"] == rows
