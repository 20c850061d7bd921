"""JSON Patch on a customer: places that a customer has, entries by position or by id, tests that stop everything."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from customerhub.dialects.hub.canonical import to_body
from customerhub.dialects.hub.json_patch import MAX_COPIED, patch_customer
from customerhub.dialects.hub.tests.helpers import invalid, problem, refusal, refused
from customerhub.dialects.hub.tests.test_canonical import CUSTOMER
from customerhub.model.error import Invalid
from tests.support.hub import JSON_PATCH, Desk, Json


def add(path: str, value: object) -> Json:
    """One operation."""
    return {"op": "add", "path": path, "value": value}


def replace(path: str, value: object) -> Json:
    """One operation."""
    return {"op": "replace", "path": path, "value": value}


def probe(path: str, value: object) -> Json:
    """One operation, of the kind `test`."""
    return {"op": "test", "path": path, "value": value}


async def steps(desk: Desk, customer: Json, *operations: Json) -> Json:
    """The envelope of a JSON Patch."""
    return await desk.patched(customer, list(operations), JSON_PATCH)


async def test_every_operation(desk: Desk, customer: Json) -> None:
    """One after the other, each on what the one before has made."""
    envelope = await steps(
        desk,
        customer,
        probe("/version", 1),
        probe("/addresses/0/city", "Oslo"),
        replace("/note", "First"),
        {"op": "move", "from": "/note", "path": "/payment_mode"},
        {"op": "copy", "from": "/payment_mode", "path": "/display_name"},
        {"op": "remove", "path": "/email"},
        add("/attributes/A~1b~0", "1"),
        {"op": "remove", "path": "/attributes/Route"},
        replace("/credit_limit/value", "1.0"),
        {"op": "remove", "path": "/price_groups/0"},
        probe("/display_name", "First"),
    )
    after = envelope["customer"]
    assert (after["note"], after["payment_mode"], after["display_name"]) == (None, "First", "First")
    assert (after["email"], after["credit_limit"]["value"]) == (None, "1.0")
    assert after["attributes"] == {"Region": "Nordics", "A/b~": "1"}
    assert after["price_groups"] == desk.pricing_groups[1:]
    assert set(envelope["changed"]) == {
        *("/note", "/payment_mode", "/display_name", "/email", "/credit_limit/value", "/price_groups"),
        *("/attributes/Route", "/attributes/A~1b~0"),
    }
    assert envelope["equal"] == []


async def test_entries_by_position_and_by_id(desk: Desk, customer: Json) -> None:
    """Positions are those of the moment; an id is its entry's wherever that stands by then."""
    hq, dc = customer["addresses"]
    envelope = await steps(
        desk,
        customer,
        add("/addresses/0", {"city": "Voss"}),
        replace(f"/addresses/{hq['id'].upper()}/city", "Bodø"),
        replace("/addresses/2/line2", None),
        probe(f"/addresses/{dc['id']}/line2", None),
        add(f"/addresses/{dc['id']}/attributes/Gate", "4"),
        add("/addresses/-", {"city": "Hamar"}),
        replace("/bill_to", "/addresses/3"),
        replace("/ship_to", "/addresses/0"),
    )
    after = envelope["customer"]
    assert [entry["city"] for entry in after["addresses"]] == ["Bodø", "Bergen", "Voss", "Hamar"]
    assert after["addresses"][1]["line2"] is None
    assert after["addresses"][1]["attributes"] == {"Gate": "4"}
    assert (after["bill_to"], after["ship_to"]) == (after["addresses"][3]["id"], after["addresses"][2]["id"])
    assert set(envelope["changed"]) == {
        *(f"/addresses/{hq['id']}/city", f"/addresses/{dc['id']}/line2", f"/addresses/{dc['id']}/attributes/Gate"),
        *(f"/addresses/{after['addresses'][place]['id']}" for place in (2, 3)),
        *("/bill_to", "/ship_to"),
    }


async def test_removing_entries(desk: Desk, customer: Json) -> None:
    """By position or id, and whole lists by an empty one; each is told by its id."""
    first, second = customer["contacts"]
    envelope = await steps(desk, customer, {"op": "remove", "path": f"/contacts/{second['id']}"})
    assert envelope["changed"] == ["/primary_contact", f"/contacts/{second['id']}"]
    envelope = await steps(desk, customer, {"op": "remove", "path": "/contacts/0"}, replace("/addresses", []))
    assert (envelope["customer"]["contacts"], envelope["customer"]["addresses"]) == ([], [])
    assert f"/contacts/{first['id']}" in envelope["changed"]


async def test_copying_an_entry(desk: Desk, customer: Json) -> None:
    """A copy has the id of what it was copied from, and is refused until that is taken out of it."""
    copied = {"op": "copy", "from": "/addresses/0", "path": "/addresses/-"}
    assert await refused(desk, customer, [copied], JSON_PATCH) == invalid(("/addresses/2/id", "repeated"))
    names = ("id", "created_at", "updated_at", "reference_id")
    envelope = await steps(
        desk, customer, copied, *({"op": "remove", "path": f"/addresses/2/{name}"} for name in names)
    )
    after = envelope["customer"]["addresses"]
    assert len(after) == 3
    assert after[2]["line1"] == after[0]["line1"]
    assert after[2]["id"] != after[0]["id"]


async def test_what_is_named_and_equal(desk: Desk, customer: Json) -> None:
    """Without a version; tests alone name nothing."""
    hq = customer["addresses"][0]
    before = await desk.fingerprint()
    envelope = await steps(
        desk, customer, probe("/name", customer["name"]), replace("/note", customer["note"]),
        replace("/addresses/0/city", "Oslo"), replace("/sales_reps/0", desk.reps[0]),
    )  # fmt: skip
    assert (envelope["changed"], envelope["customer"]) == ([], customer)
    assert envelope["equal"] == ["/note", f"/addresses/{hq['id']}/city", "/sales_reps"]
    assert (await steps(desk, customer, probe("/name", customer["name"])))["equal"] == []
    assert await desk.fingerprint() == before


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("/name", "Other"),
        ("/version", "1"),
        ("/is_edi_enabled", 1),
        ("/addresses/7/city", "Oslo"),
        (f"/addresses/{UUID(int=7)}/city", "Oslo"),
        ("/attributes/None", None),
        ("/deleted_at", ""),
    ],
)
async def test_a_test_stops_everything(desk: Desk, customer: Json, path: str, value: object) -> None:
    """409 with the operation that failed; nothing of the patch is done, and a key does not keep it."""
    before = await desk.fingerprint()
    operations = [replace("/note", "x"), probe(path, value)]
    answer = await desk.patch(customer, operations, JSON_PATCH, idempotency_key="k")
    assert refusal(answer) == (409, "test-failed", [("/1", "test_failed")])
    assert problem(answer)["detail"] == f"/1 found another value at {path}"
    assert await desk.fingerprint() == before


@pytest.mark.parametrize(
    ("operation", "errors"),
    [
        (5, [("/0", "type")]),
        ({"path": "/note"}, [("/0/op", "required")]),
        ({"op": "append", "path": "/note", "value": "x"}, [("/0/op", "enum")]),
        ({"op": ["add"], "path": "/note", "value": "x"}, [("/0/op", "type")]),
        ({"op": "add", "path": "/note"}, [("/0/value", "required")]),
        ({"op": "add", "value": "x"}, [("/0/path", "required")]),
        ({"op": "add", "path": 5, "value": "x"}, [("/0/path", "type")]),
        ({"op": "add", "path": "note", "value": "x"}, [("/0/path", "pointer")]),
        ({"op": "add", "path": "/attributes/~2", "value": "x"}, [("/0/path", "pointer")]),
        ({"op": "move", "path": "/note"}, [("/0/from", "required")]),
    ],
)
async def test_operations_that_are_none(
    desk: Desk, customer: Json, operation: object, errors: list[tuple[str, str]]
) -> None:
    """400 with everything that is missing, and nothing is done."""
    found = await refused(desk, customer, [operation, replace("/note", "x")], JSON_PATCH)
    assert found == (400, "malformed-patch", errors)


@pytest.mark.parametrize(
    "path",
    [
        *("", "/", "/nick", "/team", "/name/0", "/credit_limit/id", "/credit_limit_unit", "/sales_reps/x"),
        *("/addresses/01", "/addresses/x/city", "/addresses/0/nick", "/addresses/0/city/x", "/attributes/a/b"),
        *("/addresses/0/attributes/a/b", "/contacts/0/city", "/contacts/-/x"),
    ],
)
async def test_places_that_no_customer_has(desk: Desk, customer: Json, path: str) -> None:
    """422 for each of them, whatever is done there."""
    operations = [replace(path, "x"), probe(path, "x"), {"op": "copy", "from": path, "path": "/note"}]
    found = await refused(desk, customer, operations, JSON_PATCH)
    assert found == invalid(("/0/path", "unknown"), ("/1/path", "unknown"), ("/2/from", "unknown"))


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/attributes/Nick"},
        replace("/attributes/Nick", "x"),
        replace("/addresses/2/city", "x"),
        add("/addresses/3", {}),
        {"op": "remove", "path": "/addresses/-"},
        {"op": "remove", "path": f"/contacts/{uuid4()}"},
        {"op": "copy", "from": "/attributes/Nick", "path": "/note"},
        {"op": "move", "from": "/addresses", "path": "/addresses/0/attributes"},
    ],
)
async def test_operations_that_fail(desk: Desk, customer: Json, operation: Json) -> None:
    """422 with the operation, and nothing is done."""
    assert await refused(desk, customer, [replace("/note", "x"), operation], JSON_PATCH) == invalid(("/1/path", "path"))


async def test_an_entry_is_not_added_at_another(desk: Desk, customer: Json) -> None:
    """Where an id stands there is one already: it can be replaced, and new ones go to a position."""
    at = f"/addresses/{customer['addresses'][0]['id']}"
    assert await refused(desk, customer, [add(at, {})], JSON_PATCH) == invalid(("/0/path", "path"))
    envelope = await steps(desk, customer, replace(at, {"city": "Voss", "id": customer["addresses"][0]["id"]}))
    assert [entry["city"] for entry in envelope["customer"]["addresses"]] == ["Voss", "Bergen"]
    assert envelope["customer"]["addresses"][0]["line1"] is None


@pytest.mark.parametrize(
    ("operations", "errors"),
    [
        ([{"op": "remove", "path": "/name"}], [("/name", "not_nullable")]),
        ([{"op": "remove", "path": "/addresses"}], [("/addresses", "not_nullable")]),
        ([{"op": "remove", "path": "/attributes"}], [("/attributes", "not_nullable")]),
        ([{"op": "remove", "path": "/version"}], [("/version", "read_only")]),
        ([replace("/id", str(uuid4())), replace("/note", {"a": 1})], [("/id", "read_only"), ("/note", "type")]),
        ([add("/contacts/-", {"x": 1, "email": "x"})], [("/contacts/2/email", "email"), ("/contacts/2/x", "unknown")]),
        ([replace("/credit_limit", {"value": "5"})], [("/credit_limit/unit", "required")]),
        ([add("/sales_reps/-", "x")], [("/sales_reps/2", "uuid")]),
    ],
)  # fmt: skip
async def test_values_are_checked_at_the_end(
    desk: Desk, customer: Json, operations: list[Json], errors: list[tuple[str, str]]
) -> None:
    """By their places in the record, as it would be."""
    found = await refused(desk, customer, operations, JSON_PATCH)
    assert (found[:2], sorted(found[2])) == ((422, "invalid"), sorted(errors))


async def test_so_many_operations(desk: Desk, customer: Json) -> None:
    """A thousand and no more."""
    operations = [replace("/note", str(number)) for number in range(1001)]
    found = await refused(desk, customer, operations, JSON_PATCH)
    assert found == (400, "malformed-patch", [("", "too_long")])
    assert (await steps(desk, customer, *operations[1:]))["customer"]["note"] == "1000"


def test_copies_of_copies_end() -> None:
    """Thirty that each double what is there would be a thousand million values."""
    shown: Any = to_body(CUSTOMER)
    doubling: list[object] = [{"op": "copy", "from": "/attributes", "path": f"/attributes/{n}"} for n in range(30)]
    with pytest.raises(Invalid) as raised:
        patch_customer(shown, doubling)
    assert [error.code for error in raised.value.errors] == ["too_large"]
    assert MAX_COPIED == 100_000
