"""The list-aware form: each list says what becomes of it, and none loses more than it says."""

from typing import Any
from uuid import uuid4

import pytest

from customerhub.dialects.hub.tests.helpers import invalid, refused
from tests.support.hub import LIST_AWARE, MERGE_PATCH, Desk, Json, address_body

MARKS = ("created_at", "updated_at")


async def edit(desk: Desk, customer: Json, **members: object) -> Json:
    """The envelope of a list-aware patch."""
    return await desk.patched(customer, members, LIST_AWARE)


async def edit_addresses(desk: Desk, customer: Json, **edit_members: object) -> Json:
    """The same of one that edits addresses."""
    return await edit(desk, customer, addresses=edit_members)


def said(entry: Json) -> Json:
    """What an entry says, without its marks."""
    return {name: value for name, value in entry.items() if name not in ("id", *MARKS)}


async def test_merge_by_id(desk: Desk, customer: Json) -> None:
    """A found entry changes in what is named; one without an id is added; the others stay."""
    hq, dc = customer["addresses"]
    envelope = await edit_addresses(
        desk,
        customer,
        mode="merge",
        items=[
            {"id": hq["id"].upper(), "city": "Bergen", "line2": None},
            {"line1": "Kaia 1", "attributes": {"a": "b"}},
        ],
    )
    after = envelope["customer"]["addresses"]
    new = next(entry for entry in after if entry["id"] not in (hq["id"], dc["id"]))
    assert envelope["changed"] == [
        f"/addresses/{hq['id']}/line2",
        f"/addresses/{hq['id']}/city",
        f"/addresses/{new['id']}",
    ]
    assert {**after[0], "updated_at": hq["updated_at"]} == {**hq, "city": "Bergen", "line2": None}
    assert after[0]["updated_at"] == envelope["customer"]["updated_at"]
    assert after[1] == dc
    blank = dict.fromkeys(said(hq)) | {"is_drop_ship": False}
    assert said(new) == {**blank, "line1": "Kaia 1", "attributes": {"a": "b"}}


async def test_merge_by_reference(desk: Desk, customer: Json) -> None:
    """An unknown reference is a new entry, and the same patch again changes nothing."""
    items = [{"reference_id": "DC", "city": "Voss"}, {"reference_id": "NEW", "city": "Bodø"}]
    first = await edit_addresses(desk, customer, mode="merge", by="reference_id", items=items)
    after = first["customer"]["addresses"]
    assert [(entry["reference_id"], entry["city"]) for entry in after] == [
        ("HQ", "Oslo"), ("DC", "Voss"), ("NEW", "Bodø"),
    ]  # fmt: skip
    again = await edit_addresses(desk, customer, mode="merge", by="reference_id", items=items)
    assert (again["changed"], again["customer"]) == ([], first["customer"])
    assert again["equal"] == [
        f"/addresses/{after[place]['id']}/{name}" for place in (1, 2) for name in ("reference_id", "city")
    ]


async def test_replace(desk: Desk, customer: Json) -> None:
    """The list is what is sent: a found entry keeps its id, what an item leaves out is none, the others go."""
    hq, dc = customer["addresses"]
    envelope = await edit_addresses(
        desk,
        customer,
        mode="replace",
        by="reference_id",
        items=[{"reference_id": "DC", "type": "shipping"}, address_body(reference_id="X")],
        max_removals=1,
    )
    after = envelope["customer"]["addresses"]
    assert [entry["id"] for entry in after][:1] == [dc["id"]]
    blank = dict.fromkeys(said(dc)) | {"is_drop_ship": False, "attributes": {}}
    assert said(after[0]) == {**blank, "reference_id": "DC", "type": "shipping"}
    assert said(after[1]) == {**address_body(reference_id="X"), "is_drop_ship": False, "attributes": {}}
    assert f"/addresses/{hq['id']}" in envelope["changed"]
    # The pointer to the entry that went moves to the next of its kind.
    assert envelope["customer"]["bill_to"] == after[1]["id"]


@pytest.mark.parametrize("allowed", [None, 0, 1])
async def test_replace_takes_no_more_than_it_says(desk: Desk, customer: Json, allowed: int | None) -> None:
    """Without a number none may go; the refusal says how many would."""
    body: Json = {"addresses": {"mode": "replace", "items": []}}
    if allowed is not None:
        body["addresses"]["max_removals"] = allowed
    assert await refused(desk, customer, body, LIST_AWARE) == invalid(("/addresses/max_removals", "max_removals"))
    answer = await desk.patch(customer, body, LIST_AWARE)
    reason = f"this would take away 2 addresses, and {allowed or 0} is allowed"
    assert answer.json()["errors"][0]["detail"] == f"{reason}; send an edit with max_removals 2 if that is meant"
    body["addresses"]["max_removals"] = 2
    assert (await desk.patched(customer, body, LIST_AWARE))["customer"]["addresses"] == []


async def test_a_plain_array_takes_nothing_away(desk: Desk, customer: Json) -> None:
    """It is a replacement with no removals allowed; in a merge patch an array is all there is to be."""
    hq, dc = customer["addresses"]
    assert await refused(desk, customer, {"addresses": [hq]}, LIST_AWARE) == invalid(("/addresses", "max_removals"))
    envelope = await edit(desk, customer, addresses=[{**hq, "city": "Voss"}, dc, address_body(reference_id="N")])
    assert [entry["city"] for entry in envelope["customer"]["addresses"]] == ["Voss", "Bergen", "Oslo"]
    envelope = await desk.patched(customer, {"addresses": []}, MERGE_PATCH)
    assert envelope["customer"]["addresses"] == []


async def test_remove(desk: Desk, customer: Json) -> None:
    """By id or by reference, as keys or as objects; one that is gone is gone, and told as equal."""
    first, second = customer["contacts"]
    for items in ([first["id"]], [{"id": first["id"]}]):
        envelope = await edit(desk, customer, contacts={"mode": "remove", "items": items})
        assert envelope["customer"]["contacts"] == [second]
        place = f"/contacts/{first['id']}"
        told = (envelope["changed"], envelope["equal"])
        assert told == (([place], []) if items == [first["id"]] else ([], [place]))
    envelope = await edit(
        desk, customer, contacts={"mode": "remove", "by": "reference_id", "items": ["B", "nobody"], "max_removals": 1}
    )
    assert envelope["customer"]["contacts"] == []
    assert (envelope["customer"]["primary_contact"], envelope["equal"]) == (None, ["/contacts/nobody"])


async def test_remove_bounded(desk: Desk, customer: Json) -> None:
    """Even removals that are named may be bounded."""
    items = [entry["id"] for entry in customer["contacts"]]
    body = {"contacts": {"mode": "remove", "items": items, "max_removals": 1}}
    assert await refused(desk, customer, body, LIST_AWARE) == invalid(("/contacts/max_removals", "max_removals"))


async def test_an_entry_is_known_by_what_it_says(desk: Desk, customer: Json) -> None:
    """An item without an id that says exactly what an entry says is that entry, each once."""
    said_so = [said(entry) for entry in customer["addresses"]]
    for mode in ("merge", "replace"):
        envelope = await edit_addresses(desk, customer, mode=mode, items=said_so[::-1])
        assert (envelope["changed"], envelope["customer"]) == ([], customer)
    body = {"addresses": {"mode": "merge", "items": [{**said_so[0], "reference_id": None}] * 2}}
    after = (await desk.patched(customer, body, LIST_AWARE))["customer"]["addresses"]
    assert len(after) == 4
    assert (await desk.patched(customer, body, LIST_AWARE))["changed"] == []


async def test_pointers_to_new_entries(desk: Desk, customer: Json) -> None:
    """By the place of the item in the edit, in either spelling."""
    for place in ("/addresses/0", "/addresses/items/0"):
        items = [{"city": f"Voss {place}"}]
        envelope = await edit(desk, customer, addresses={"mode": "merge", "items": items}, bill_to=place)
        named = next(a for a in envelope["customer"]["addresses"] if a["id"] == envelope["customer"]["bill_to"])
        assert named["city"] == f"Voss {place}"


async def test_custom_values(desk: Desk, customer: Json) -> None:
    """Merged plainly or as an edit, replaced within bounds, taken away by name."""
    assert customer["attributes"] == {"Region": "Nordics", "Route": "7"}
    steps: list[tuple[Json, Json]] = [
        ({"Region": None, "A/b~": "1"}, {"Route": "7", "A/b~": "1"}),
        ({"mode": "merge", "items": {"Route": None, "mode": "x"}}, {"A/b~": "1", "mode": "x"}),
        (
            {"mode": "replace", "items": {"Region": "West", "A/b~": "2"}, "max_removals": 1},
            {"Region": "West", "A/b~": "2"},
        ),
        ({"mode": "remove", "items": ["A/b~", "gone"]}, {"Region": "West"}),
        ({"mode": "remove", "items": {"Region": None}, "max_removals": 1}, {}),
        ({"mode": "free text", "items": "are values here"}, {"mode": "free text", "items": "are values here"}),
    ]
    changed: list[list[str]] = []
    for sent, expected in steps:
        envelope = await edit(desk, customer, attributes=sent)
        assert envelope["customer"]["attributes"] == expected
        changed.append(sorted(envelope["changed"]))
    assert changed == [
        ["/attributes/A~1b~0", "/attributes/Region"],
        ["/attributes/Route", "/attributes/mode"],
        ["/attributes/A~1b~0", "/attributes/Region", "/attributes/mode"],
        ["/attributes/A~1b~0"],
        ["/attributes/Region"],
        ["/attributes/items", "/attributes/mode"],
    ]


async def test_custom_values_of_entries(desk: Desk, customer: Json) -> None:
    """In the same forms, inside an item."""
    hq = customer["addresses"][0]
    for sent, expected in (
        ({"Gate": "1"}, {"Dock": "3", "Gate": "1"}),
        ({"mode": "remove", "items": ["Dock"]}, {"Gate": "1"}),
    ):
        envelope = await edit_addresses(desk, customer, mode="merge", items=[{"id": hq["id"], "attributes": sent}])
        assert envelope["customer"]["addresses"][0]["attributes"] == expected


async def test_sets(desk: Desk, customer: Json) -> None:
    """Ids join at the end and leave; what is there already, or gone already, changes nothing."""
    one, two = desk.reps
    envelope = await edit(desk, customer, sales_reps={"remove": [one, str(uuid4())], "add": [two.upper()]})
    assert (envelope["customer"]["sales_reps"], envelope["changed"]) == ([two], ["/sales_reps"])
    envelope = await edit(desk, customer, sales_reps={"add": [one, one]}, price_groups={"add": desk.pricing_groups})
    assert (envelope["customer"]["sales_reps"], envelope["equal"]) == ([two, one], ["/price_groups"])
    envelope = await edit(desk, customer, price_groups=desk.pricing_groups[::-1], sales_reps=[two, one, two])
    assert (envelope["changed"], envelope["equal"]) == ([], ["/price_groups", "/sales_reps"])


async def test_a_limit_is_merged(desk: Desk, customer: Json) -> None:
    """Its amount alone, keeping the unit and the digits; null takes it away."""
    envelope = await edit(desk, customer, credit_limit={"value": "25000.0"})
    assert envelope["customer"]["credit_limit"] == {"value": "25000.0", "unit": desk.unit}
    assert (envelope["changed"], envelope["equal"]) == (["/credit_limit/value"], [])
    envelope = await edit(desk, customer, credit_limit=None)
    assert envelope["changed"] == ["/credit_limit/value", "/credit_limit/unit"]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"addresses": {"mode": "swap", "items": []}}, [("/addresses/mode", "enum")]),
        ({"addresses": {"items": []}}, [("/addresses/mode", "required")]),
        ({"addresses": {"mode": "merge"}}, [("/addresses/items", "required")]),
        ({"addresses": {"mode": "merge", "items": {}}}, [("/addresses/items", "type")]),
        ({"addresses": {"mode": "merge", "items": [], "by": "name"}}, [("/addresses/by", "enum")]),
        ({"addresses": {"mode": "merge", "items": [], "x": 1}}, [("/addresses/x", "unknown")]),
        ({"addresses": {"mode": "replace", "items": [], "max_removals": -1}}, [("/addresses/max_removals", "type")]),
        ({"addresses": {"mode": "replace", "items": [], "max_removals": True}}, [("/addresses/max_removals", "type")]),
        ({"contacts": {"mode": "merge", "items": [{"id": "x"}]}}, [("/contacts/items/0/id", "uuid")]),
        ({"contacts": {"mode": "merge", "items": [{"id": str(uuid4())}]}}, [("/contacts/items/0/id", "unknown_id")]),
        ({"contacts": {"mode": "merge", "by": "reference_id", "items": [{}]}},
         [("/contacts/items/0/reference_id", "required")]),
        ({"contacts": {"mode": "remove", "items": [5, "x", {"id": 1, "email": 2}]}},
         [("/contacts/items/0", "type"), ("/contacts/items/1", "uuid"), ("/contacts/items/2", "type")]),
        ({"attributes": {"mode": "replace"}}, [("/attributes/items", "type")]),
        ({"attributes": {"mode": "replace", "items": {}}}, [("/attributes/max_removals", "max_removals")]),
        ({"attributes": {"mode": "swap", "items": {}}}, [("/attributes/mode", "enum")]),
        ({"attributes": {"mode": "merge", "items": {"A": 5}, "x": 1}},
         [("/attributes/items/A", "type"), ("/attributes/x", "unknown")]),
        ({"attributes": {"mode": "remove", "items": ["Region", 5]}}, [("/attributes/items/1", "type")]),
        ({"attributes": {"mode": "remove", "items": {"Region": "West"}}}, [("/attributes/items/Region", "type")]),
        ({"sales_reps": {"add": "x", "remove": [5]}}, [("/sales_reps/add", "type"), ("/sales_reps/remove/0", "uuid")]),
        ({"sales_reps": {"put": []}}, [("/sales_reps/put", "unknown")]),
        ({"credit_limit": {"amount": "5"}}, [("/credit_limit/amount", "unknown")]),
    ],
)  # fmt: skip
async def test_edits_that_are_none(desk: Desk, customer: Json, body: Json, errors: list[tuple[str, str]]) -> None:
    """Refused by their places, and nothing is changed."""
    assert await refused(desk, customer, body, LIST_AWARE) == invalid(*errors)


async def test_entries_that_stand_against_each_other(desk: Desk, customer: Json) -> None:
    """Named twice, or with a reference that another entry has."""
    hq, dc = customer["addresses"]
    twice = [{"id": hq["id"], "city": "A"}, {"id": hq["id"], "city": "B"}]
    body: Json = {"addresses": {"mode": "merge", "items": twice}}
    assert await refused(desk, customer, body, LIST_AWARE) == invalid(("/addresses/items/1/id", "repeated"))
    body = {"addresses": {"mode": "merge", "items": [{"id": dc["id"], "reference_id": "HQ"}]}}
    assert await refused(desk, customer, body, LIST_AWARE) == invalid(("/addresses/items/0/reference_id", "taken"))
    swapped = [{"id": hq["id"], "reference_id": "DC"}, {"id": dc["id"], "reference_id": "HQ"}]
    envelope = await edit_addresses(desk, customer, mode="merge", items=swapped)
    assert [entry["reference_id"] for entry in envelope["customer"]["addresses"]] == ["DC", "HQ"]
    body = {"addresses": {"mode": "merge", "by": "reference_id", "items": [{"reference_id": "HQ", "id": hq["id"]}]}}
    assert await refused(desk, customer, body, LIST_AWARE) == invalid(("/addresses/items/0/id", "read_only"))


async def test_marks_of_entries(desk: Desk, customer: Json) -> None:
    """Sent as they stand they pass, in an entry that changes too; former ones say that somebody else has changed it."""
    hq = customer["addresses"][0]
    item: dict[str, Any] = {**hq, "city": "Voss"}
    await edit_addresses(desk, customer, mode="merge", items=[item])
    body = {"addresses": {"mode": "merge", "items": [{**item, "city": "Bodø"}]}}
    assert await refused(desk, customer, body, LIST_AWARE) == invalid(("/addresses/items/0/updated_at", "read_only"))
    body = {"addresses": {"mode": "merge", "items": [{"id": hq["id"], "created_at": None}]}}
    assert await refused(desk, customer, body, LIST_AWARE) == invalid(("/addresses/items/0/created_at", "read_only"))
