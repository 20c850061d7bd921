"""The list of customers: filters, cursors, and what is refused."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from customerhub.dialects.augno.tests.helpers import put_below, refusal, strange_id
from tests.support.augno import CUSTOMERS, Account, Json, full_address_body

Query = Mapping[str, Any] | str


async def page(account: Account, query: Query = "") -> Json:
    """A page of customers, as answered."""
    if isinstance(query, str):
        answer = await account.api.get(f"{CUSTOMERS}?{query}")
    else:
        answer = await account.api.get(CUSTOMERS, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers.get("etag") is None
    found: Json = answer.json()
    return found


async def names(account: Account, query: Query = "") -> list[str]:
    """The names on a page."""
    return [row["name"] for row in (await page(account, query))["data"]]


async def refused(account: Account, query: Query) -> tuple[int, str, str | None]:
    """How a query is refused."""
    if isinstance(query, str):
        return refusal(await account.api.get(f"{CUSTOMERS}?{query}"))
    return refusal(await account.api.get(CUSTOMERS, params=query))


async def make(account: Account, name: str, **members: object) -> Json:
    """A customer of this name."""
    return await account.create(account.customer_body(name=name, **members))


async def test_newest_first_both_ways(account: Account) -> None:
    """Cursors lead from page to page and back, each customer once; ends say so."""
    made = [await make(account, str(number)) for number in range(5)]
    wanted = [row["name"] for row in reversed(made)]
    assert await names(account) == wanted
    first = await page(account, {"limit": 2})
    assert [row["name"] for row in first["data"]] == wanted[:2]
    assert first["object"] == "list"
    assert first["data"][0] == made[4]
    assert (first["page_info"]["prev_cursor"], first["page_info"]["has_prev_page"]) == (None, False)
    second = await page(account, {"limit": 2, "cursor": first["page_info"]["next_cursor"]})
    third = await page(account, {"limit": 2, "cursor": second["page_info"]["next_cursor"]})
    assert [row["name"] for row in second["data"] + third["data"]] == wanted[2:]
    assert second["page_info"]["has_prev_page"] is second["page_info"]["has_next_page"] is True
    assert third["page_info"]["next_cursor"] is None
    assert third["page_info"]["has_next_page"] is False
    back = await page(account, {"limit": 2, "cursor": third["page_info"]["prev_cursor"]})
    assert back["data"] == second["data"]
    start = await page(account, {"limit": 2, "cursor": back["page_info"]["prev_cursor"]})
    assert start["data"] == first["data"]
    assert start["page_info"]["prev_cursor"] is None


async def test_cursors_are_of_one_list(account: Account, other_account: Account) -> None:
    """What is no cursor of this list of this team is refused."""
    for one in (account, other_account):
        for _ in range(2):
            await one.create()
    foreign = (await page(other_account, {"limit": 1}))["page_info"]["next_cursor"]
    own = (await page(account, {"limit": 1}))["page_info"]["next_cursor"]
    for wrong in ("x", foreign, own[:-1], own + "A", own.swapcase(), strange_id("ac")):
        assert await refused(account, {"cursor": wrong}) == (400, "parameter_invalid", "cursor")
    assert await names(account, {"cursor": ""}) == await names(account)


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "1.0", "", "+5", "٣", "1e2"])
async def test_limits(account: Account, limit: str) -> None:
    """From 1 to 1000, and nothing is bent into that."""
    assert await refused(account, {"limit": limit}) == (400, "parameter_invalid", "limit")


async def test_no_customers(account: Account) -> None:
    """An empty page."""
    assert await page(account, {"limit": 1000}) == {
        "object": "list",
        "page_info": {"next_cursor": None, "prev_cursor": None, "has_next_page": False, "has_prev_page": False},
        "data": [],
    }


async def test_filters_by_reference(account: Account) -> None:
    """Each with any of its values, all of them together; ids of nothing find nobody."""
    one = account.full_body()
    two = account.customer_body(
        name="two",
        default_carrier_id=account.carriers[1],
        default_service_level_id=account.service_levels[1],
        default_payment_term_id=account.payment_terms[1],
        default_shipping_term_id=account.shipping_terms[1],
        customer_type_group_id=account.type_groups[1],
        customer_price_group_ids=[account.pricing_groups[1]],
        default_sales_rep_user_id=account.reps[1],
    )
    await account.create({**one, "name": "one"})
    await account.create(two)
    for name, ids in (
        ("customer_group_ids", account.type_groups),
        ("sales_rep_ids", account.reps),
        ("shipping_term_ids", account.shipping_terms),
        ("payment_term_ids", account.payment_terms),
        ("carrier_ids", account.carriers),
        ("service_level_ids", account.service_levels),
    ):
        first, second = ids
        assert await names(account, {name: first}) == ["one"]
        assert await names(account, {f"{name}[]": [second]}) == ["two"]
        assert await names(account, {name: f"{first},{second}"}) == ["two", "one"]
        assert await names(account, {f"{name}[]": [first, "x"]}) == ["one"]
        assert await names(account, {name: strange_id("ac")}) == []
        assert await names(account, {name: ""}) == ["two", "one"]
    first, second = account.pricing_groups
    assert await names(account, {"pricing_group_ids": first}) == ["one"]
    assert await names(account, {"pricing_group_ids[]": [second]}) == ["two", "one"]
    assert await names(account, {"sales_rep_ids": account.reps[0].replace("us_", "acus_")}) == ["one"]
    assert await names(account, {"carrier_ids": account.carriers[0], "sales_rep_ids": account.reps[1]}) == []


async def test_filters_by_word(account: Account) -> None:
    """Statuses and policies, in every spelling of a list; a word that there is none of is refused."""
    await make(account, "a", status="hold_all", commission_policy="commission_applied")
    await make(account, "b", status="hold_shipment", freight_policy="free_freight")
    await make(account, "c")
    for query in (
        "status_codes[]=hold_all&status_codes[]=hold_shipment",
        "status_codes=hold_all,hold_shipment",
        "status_codes=hold_all&status_codes=hold_shipment",
        "status_codes%5B%5D=hold_all,hold_shipment",
    ):
        assert await names(account, query) == ["b", "a"]
    assert await names(account, "commission_status_codes=commission_applied") == ["a"]
    assert await names(account, "freight_status_codes[]=free_freight") == ["b"]
    assert await names(account, "freight_status_codes=billed_freight&status_codes=normal") == ["c"]
    wrong = (400, "parameter_invalid")
    assert await refused(account, "status_codes=hold") == (*wrong, "status_codes")
    assert await refused(account, "status_codes[]=normal,Normal") == (*wrong, "status_codes[]")
    assert await refused(account, "commission_status_codes=exempt") == (*wrong, "commission_status_codes")
    assert await refused(account, "freight_status_codes=free") == (*wrong, "freight_status_codes")


async def test_parents(account: Account) -> None:
    """Those with customers below them, or those without."""
    parent, child = await make(account, "parent"), await make(account, "child")
    await put_below(account, child, parent)
    assert await names(account, "is_parent_account=true") == ["parent"]
    assert await names(account, "is_parent_account=false") == ["child"]
    assert await refused(account, "is_parent_account=yes") == (400, "parameter_invalid", "is_parent_account")


async def test_places_are_of_one_address(account: Account) -> None:
    """City, state and postal code must all be those of one and the same address, exactly."""
    body = {
        "bill_to_address": full_address_body(locality="Portland", state="OR", postal_code="97209"),
        "ship_to_address": full_address_body(locality="Seattle", state="WA", postal_code="98101"),
    }
    await make(account, "both", **body)
    assert await names(account, "city=Portland&state=OR&postal_code=97209") == ["both"]
    assert await names(account, "city=Seattle") == ["both"]
    assert await names(account, "city=Portland&state=WA") == []
    assert await names(account, "city=portland") == []
    assert await names(account, "city=Port") == []
    assert await names(account, "city=") == ["both"]


async def test_times(account: Account) -> None:
    """Both ends are included; a time needs its zone."""
    moment = datetime(2026, 3, 2, 15, 4, 5, tzinfo=UTC)
    for day in range(3):
        account.hub.now = lambda day=day: moment + timedelta(days=day)  # type: ignore[misc]
        await make(account, str(day))
    assert await names(account, {"start_date": "2026-03-03T15:04:05Z"}) == ["2", "1"]
    assert await names(account, {"end_date": "2026-03-03T15:04:05Z"}) == ["1", "0"]
    window = {"start_date": "2026-03-03T16:04:05+01:00", "end_date": "2026-03-03T15:04:05.000Z"}
    assert await names(account, window) == ["1"]
    assert await names(account, "start_date=2026-03-03T16:04:05.000001+01:00") == ["2"]
    assert await names(account, "start_date=") == ["2", "1", "0"]
    for wrong in ("2026-03-03", "2026-03-03T15:04:05", "now", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+23:00"):
        assert await refused(account, {"end_date": wrong}) == (400, "parameter_invalid", "end_date"), wrong


async def test_searching(account: Account) -> None:
    """A part of name, number, email address or phone, ignoring case; nothing is a wildcard."""
    made = await account.create(account.full_body())
    await make(account, "100% sure_thing")
    for text in (made["name"][8:].upper(), made["number"], "KESTREL.example", "555-0142"):
        assert await names(account, {"q": text}) == [made["name"]], text
    assert await names(account, {"q": "0% s"}) == ["100% sure_thing"]
    for text in ("ships on", "Portland", "%", "_", "zzz"):
        assert await names(account, {"q": text}) == (["100% sure_thing"] if text in "%_" else [])
    assert await refused(account, {"q": "x" * 256}) == (400, "parameter_invalid", "q")
    assert await refused(account, "q=%00") == (400, "parameter_invalid", "q")


async def test_everything_wrong_is_told(account: Account) -> None:
    """One parameter stands first, the message has all; what nobody asks for is left alone."""
    answer = await account.api.get(f"{CUSTOMERS}?status_codes=x&limit=0&trace=1&cursor=c")
    assert refusal(answer)[:2] == (400, "parameter_invalid")
    message = answer.json()["error"]["message"]
    assert all(name in message for name in ("status_codes", "limit", "cursor"))
    assert await names(account, "trace=1&page=2&sort=name") == []


async def test_pages_keep_their_filters(account: Account) -> None:
    """A cursor goes with the same filters from page to page."""
    for number in range(4):
        await make(account, str(number), status="preferred" if number % 2 else "normal")
    first = await page(account, {"status_codes": "preferred", "limit": 1})
    cursor = quote(first["page_info"]["next_cursor"])
    assert await names(account, f"status_codes=preferred&limit=1&cursor={cursor}") == ["1"]


async def test_a_team_sees_its_own(account: Account, other_account: Account) -> None:
    """And nothing of another's, nor what is deleted."""
    await other_account.create()
    gone = await account.create()
    await account.api.delete(f"{CUSTOMERS}/{gone['id']}")
    assert await names(account) == []
