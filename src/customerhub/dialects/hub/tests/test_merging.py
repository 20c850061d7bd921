"""Duplicates, merges with a say in whose values survive, merges taken back, and what old ids lead to."""

from collections.abc import Mapping

import pytest

from customerhub.dialects.hub.routes import OPERATIONS
from customerhub.dialects.hub.tests.helpers import refusal
from tests.support.hub import CUSTOMERS, Desk, Json, address_body

MARKS = ("version", "updated_at", "updated_by")


def path_of(customer: Json, beneath: str = "") -> str:
    """Where a customer is."""
    return f"{CUSTOMERS}/{customer['id']}{beneath}"


async def merge(desk: Desk, target: Json, *sources: Json, **survivors: Json) -> Json:
    """The envelope of a merge."""
    body: Json = {"sources": [source["id"] for source in sources]}
    if survivors:
        body["survivorship"] = {field: survivor["id"] for field, survivor in survivors.items()}
    answer = await desk.api.post(path_of(target, "/merge"), json=body)
    assert answer.status_code == 200, answer.text
    envelope: Json = answer.json()
    assert answer.headers["etag"] == f'"{envelope["customer"]["version"]}"'
    return envelope


def without_marks(customer: Json) -> Json:
    """What a customer says."""
    return {name: value for name, value in customer.items() if name not in MARKS}


async def test_a_merge_and_back(desk: Desk, customer: Json) -> None:
    """The envelope says what came; taken back, both are as they were, in every view; old ids lead on meanwhile."""
    target = await desk.create(name="Target", note="own", attributes={"Region": "West"})
    views = {}
    for api in ("augno", "count", "wizcommerce"):
        for one in (target, customer):
            views[one["id"], api] = (await desk.api.get(path_of(one, f"/views/{api}"))).json()
    survivors = {"number": customer, "note": customer, "email": customer, "standing": target}
    envelope = await merge(desk, target, customer, **survivors)
    merged = envelope["customer"]
    assert (merged["number"], merged["note"], merged["standing"]) == (customer["number"], customer["note"], "normal")
    assert set(envelope["changed"]) >= {"/number", "/note", "/email", "/attributes/Route", "/phone"}
    assert (envelope["equal"], envelope["ignored"]) == (["/standing"], [])
    moved = await desk.api.get(path_of(customer))
    assert (moved.status_code, moved.headers["location"]) == (301, path_of(target))
    answer = await desk.api.post(path_of(target, "/unmerge"), json={"version": 2}, headers={"If-Match": '"2"'})
    back = answer.json()
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    assert list(back) == ["customer", "changed", "equal", "ignored", "restored"]
    assert (back["restored"], set(back["changed"])) == ([customer["id"]], set(envelope["changed"]))
    assert without_marks(back["customer"]) == without_marks(target)
    assert without_marks(await desk.get(customer["id"])) == without_marks(customer)
    for (own, api), before in views.items():
        after = (await desk.api.get(f"{CUSTOMERS}/{own}/views/{api}")).json()
        times = ("updated_at", "updatedAt", "lastUpdated")
        assert {k: v for k, v in after.items() if k not in times} == {k: v for k, v in before.items() if k not in times}
    histories = [(await desk.api.get(path_of(one, "/history"))).json()["data"] for one in (target, customer)]
    assert [[entry["action"] for entry in data] for data in histories] == [
        ["updated", "merged", "created"],
        ["restored", "merged", "created"],
    ]


async def test_old_ids_lead_on_over_any_number_of_merges(desk: Desk) -> None:
    """Every route beneath a merged customer is 301 to the same of the last one, until that is taken back."""
    first, second, third = [await desk.create() for _ in range(3)]
    await merge(desk, second, first)
    await merge(desk, third, second)
    for beneath in ("", "/duplicates", "/views/count"):
        answer = await desk.api.get(path_of(first, beneath))
        assert (answer.status_code, answer.json()) == (301, {"merged_into": third["id"]})
        assert answer.headers["location"] == path_of(third, beneath)
        assert 301 in documented("GET", f"{CUSTOMERS}/{{id}}{beneath.replace('count', '{dialect}')}")
    for beneath in ("/merge", "/unmerge"):
        body = {"sources": [third["id"]]} if beneath == "/merge" else {"version": 2}
        answer = await desk.api.post(path_of(second, beneath), json=body)
        assert (answer.status_code, answer.headers["location"]) == (301, path_of(third, beneath))
        assert 301 in documented("POST", f"{CUSTOMERS}/{{id}}{beneath}")
    assert (await desk.api.post(path_of(third, "/unmerge"), json={"version": 2})).status_code == 200
    assert (await desk.api.get(path_of(first))).headers["location"] == path_of(second)
    assert (await desk.api.post(path_of(second, "/unmerge"), json={"version": 2})).status_code == 200
    assert (await desk.api.get(path_of(first))).status_code == 200


def documented(method: str, path: str) -> Mapping[int, str]:
    """What a route says it answers that is neither success nor failure."""
    (operation,) = (one for one in OPERATIONS if (one.method, one.path) == (method, path))
    return operation.others


async def test_a_preview_changes_nothing(desk: Desk, customer: Json) -> None:
    """A dry run answers what would be, with what would change."""
    target = await desk.create(name="Target")
    body = {"sources": [customer["id"]], "survivorship": {"credit_limit": customer["id"]}}
    before = await desk.fingerprint()
    tried = await desk.api.post(path_of(target, "/merge"), json=body, headers={"Customerhub-Dry-Run": "true"})
    assert await desk.fingerprint() == before
    envelope = await merge(desk, target, customer, credit_limit=customer)
    assert tried.json()["changed"] == envelope["changed"]
    assert without_marks(tried.json()["customer"]) == without_marks(envelope["customer"])
    assert envelope["customer"]["credit_limit"] == customer["credit_limit"]


async def test_what_cannot_be_merged(desk: Desk, other_desk: Desk, customer: Json) -> None:
    """Every wrong place at once, and nothing happens."""
    target, gone, foreign = await desk.create(), await desk.create(), await other_desk.create()
    await desk.api.delete(path_of(gone))
    own = target["id"]
    refusals: list[tuple[Json, list[tuple[str, str]]]] = [
        ({"sources": []}, [("/sources", "length")]),
        ({}, [("/sources", "required")]),
        ({"sources": [own], "more": 1}, [("/more", "unknown")]),
        ({"sources": ["x", None]}, [("/sources/0", "uuid"), ("/sources/1", "not_nullable")]),
        (
            {"sources": [own, customer["id"], gone["id"], foreign["id"]]},
            [("/sources/0", "is_target"), ("/sources/2", "unknown_id"), ("/sources/3", "unknown_id")],
        ),
        (
            {"sources": [customer["id"]], "survivorship": {"name": gone["id"], "id": own, "addresses": own}},
            [
                ("/survivorship/name", "not_merged"),
                ("/survivorship/id", "unknown_field"),
                ("/survivorship/addresses", "unknown_field"),
            ],
        ),
    ]
    before = await desk.fingerprint()
    for body, errors in refusals:
        answer = await desk.api.post(path_of(target, "/merge"), json=body)
        status, kind, found = refusal(answer)
        assert (status, kind, sorted(found)) == (422, "invalid", sorted(errors)), body
    stale = await desk.api.post(path_of(target, "/merge"), json=refusals[0][0], headers={"If-Match": '"9"'})
    assert refusal(stale)[:2] == (412, "stale")
    for body, errors in (
        ({"version": 1}, [("/version", "not_a_merge")]),
        ({"version": 7}, [("/version", "unknown_version")]),
        ({"version": 1, "prefer": "theirs"}, [("/prefer", "enum")]),
    ):
        answer = await desk.api.post(path_of(target, "/unmerge"), json=body)
        assert refusal(answer) == (422, "invalid", errors)
    assert await desk.fingerprint() == before


async def test_what_stands_in_the_way_is_named(desk: Desk, customer: Json) -> None:
    """409 with a pointer for each place, until the caller says what stands."""
    target = await desk.create(name="Target")
    await merge(desk, target, customer)
    address = customer["addresses"][0]["id"]
    await desk.patched(target, {"phone": "5", "attributes": {"Region": "South"}, "bill_to": address})
    answer = await desk.api.post(path_of(target, "/unmerge"), json={"version": 2})
    places = ["/phone", "/attributes/Region", "/bill_to"]
    assert refusal(answer) == (409, "in-the-way", [(place, "changed_since") for place in places])
    answer = await desk.api.post(path_of(target, "/unmerge"), json={"version": 2, "prefer": "current"})
    there = answer.json()["customer"]
    assert (there["phone"], there["attributes"], there["bill_to"]) == ("5", {"Region": "South"}, None)
    assert without_marks(await desk.get(customer["id"])) == without_marks(customer)


@pytest.fixture
async def alike(desk: Desk) -> list[Json]:
    """Customers that share this and that."""
    place = [address_body(postal_code="0155")]
    return [
        await desk.create(name="Nordlys A/S", tax_number="NO 987 654 321", phone="22 33 44 55", addresses=place),
        await desk.create(name="NORDLYS AS", tax_number="no987654321", addresses=place),
        await desk.create(name="Other", phone="+4722334455"),
        await desk.create(name="Nobody", email="nobody@nordlys.example"),
    ]


async def test_candidates_have_their_reasons(desk: Desk, alike: list[Json]) -> None:
    """The likeliest first; empty values are nothing that one shares; a merged or deleted customer is nobody's."""
    one, two, three, nobody = alike
    answer = await desk.api.get(path_of(one, "/duplicates"))
    names = ("id", "name", "number", "reference_id", "email", "phone", "status")
    tax, place = (
        {"reason": "tax_number", "value": "no987654321"},
        {"reason": "name_and_postal_code", "value": "nordlys as, 0155"},
    )
    phone = {"reason": "phone", "value": "+4722334455"}
    assert answer.json() == {
        "data": [
            {"customer": {name: two[name] for name in names}, "reasons": [tax, place]},
            {"customer": {name: three[name] for name in names}, "reasons": [phone]},
        ],
        "common": [],
        "next": None,
    }
    assert (await desk.api.get(path_of(nobody, "/duplicates"))).json()["data"] == []
    assert refusal(await desk.api.get(path_of(one, "/duplicates?limit=1")))[:2] == (400, "query")
    pages: list[Json] = []
    query = {"limit": "1"}
    while True:
        page = (await desk.api.get("/hub/v1/duplicates", params=query)).json()
        pages += page["data"]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    found = {group["reason"]: (group["value"], {member["id"] for member in group["customers"]}) for group in pages}
    assert found == {
        "tax_number": (tax["value"], {one["id"], two["id"]}),
        "name_and_postal_code": (place["value"], {one["id"], two["id"]}),
        "phone": (phone["value"], {one["id"], three["id"]}),
    }
    assert [group["count"] for group in pages] == [2, 2, 2]
    await merge(desk, one, two)
    await desk.api.delete(path_of(three))
    assert (await desk.api.get("/hub/v1/duplicates")).json() == {"data": [], "next": None}
    await desk.api.post(path_of(one, "/unmerge"), json={"version": 2})
    await desk.api.post(path_of(three, "/restore"))
    assert len((await desk.api.get("/hub/v1/duplicates")).json()["data"]) == 3


async def test_duplicates_stay_within_the_team(desk: Desk, other_desk: Desk, alike: list[Json]) -> None:
    """What another team has in common with ours is nobody's business; neither are its cursors."""
    await other_desk.create(name="Nordlys A/S", tax_number="NO 987 654 321")
    answer = await other_desk.api.get(path_of(alike[0], "/duplicates"))
    assert refusal(answer)[:2] == (404, "not-found")
    assert (await other_desk.api.get("/hub/v1/duplicates")).json()["data"] == []
    cursor = (await desk.api.get("/hub/v1/duplicates", params={"limit": "1"})).json()["next"]
    answer = await other_desk.api.get("/hub/v1/duplicates", params={"after": cursor})
    assert refusal(answer)[:2] == (400, "query")
