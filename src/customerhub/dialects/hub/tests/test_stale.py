"""Somebody was faster: what became of the record since, beside what was asked."""

from typing import Any
from uuid import UUID

import pytest

from customerhub.dialects.hub.compare import to_difference
from customerhub.dialects.hub.tests.helpers import problem, refusal
from customerhub.model.customer import Address, Attribute, Customer
from tests.support.hub import CUSTOMERS, JSON_PATCH, LIST_AWARE, MERGE_PATCH, Desk, Json
from tests.support.strategies import ACTOR, START, TEAM

ID, OTHER = UUID(int=1), UUID(int=2)
BASE = Customer(TEAM, ID, 1, START, START, ACTOR, ACTOR, "Kestrel", "C00001", note="a", phone="1")


def with_values(customer: Customer = BASE, **values: Any) -> Customer:
    """Another record that differs in these fields, and in its marks."""
    fields = {field: getattr(customer, field) for field in customer.__struct_fields__}
    return Customer(**{**fields, "version": 2, "updated_by": OTHER, **values})


def told(base: Customer, mine: Customer, theirs: Customer) -> dict[str, tuple[object, object, object]]:
    """Each place with its three values."""
    found = to_difference(base, mine, theirs)
    assert all(list(one) == ["path", "base", "mine", "theirs"] for one in found)
    return {one["path"]: (one["base"], one["mine"], one["theirs"]) for one in found}


def test_places_where_either_differs() -> None:
    """With all three values, whoever moved it; marks of versions are no difference."""
    assert told(BASE, with_values(), with_values()) == {}
    assert told(BASE, with_values(note="b", email="x"), with_values(note="c", phone=None)) == {
        "/note": ("a", "b", "c"),
        "/email": (None, "x", None),
        "/phone": ("1", "1", None),
    }
    assert told(BASE, with_values(note="b"), with_values(note="b")) == {"/note": ("a", "b", "b")}


def test_entries_are_told_by_their_ids() -> None:
    """A value inside one is its own place; an entry that is new or gone is one place, whatever was changed in it."""
    one, two = Address(ID, START, START, city="Oslo", line1="x"), Address(OTHER, START, START, city="Voss")
    attribute = Attribute(ID, "A/b", "1", ACTOR, ACTOR, START, START)
    base = with_values(addresses=(one,), attributes=(attribute,))
    moved = Address(ID, START, START, city="Bodø", line1="x", attributes=(attribute,))
    mine = with_values(base, addresses=(moved, two), attributes=())
    found = told(base, mine, with_values(base, addresses=(one,)))
    assert found[f"/addresses/{ID}/city"] == ("Oslo", "Bodø", "Oslo")
    assert found[f"/addresses/{ID}/attributes/A~1b"] == (None, "1", None)
    assert found["/attributes/A~1b"] == ("1", None, "1")
    base_value, mine_value, theirs_value = found[f"/addresses/{OTHER}"]
    assert (base_value, theirs_value) == (None, None)
    assert mine_value["city"] == "Voss"  # type: ignore[index] # it is a whole entry
    gone = told(base, mine, with_values(base, addresses=()))
    assert [path for path in gone if str(ID) in path] == [f"/addresses/{ID}"]
    assert gone[f"/addresses/{ID}"][1]["city"] == "Bodø"  # type: ignore[index] # it is a whole entry
    assert gone[f"/addresses/{ID}"][2] is None


@pytest.mark.parametrize("form", [MERGE_PATCH, LIST_AWARE, JSON_PATCH])
async def test_a_stale_patch(desk: Desk, customer: Json, form: str) -> None:
    """412 with base, mine and theirs of every place; nothing is done, and a key does not keep it."""
    now = (await desk.patched(customer, {"note": "Theirs", "phone": None}))["customer"]
    before = await desk.fingerprint()
    body: Any = {"note": "Mine", "attributes": {"Region": "West"}}
    if form == JSON_PATCH:
        body = [
            {"op": "replace", "path": "/note", "value": "Mine"},
            {"op": "replace", "path": "/attributes/Region", "value": "West"},
        ]
    answer = await desk.patch(customer, body, form, if_match='"1"', idempotency_key="k")
    assert refusal(answer) == (412, "stale", [])
    found = problem(answer)
    assert found["current"] == now["version"] == 2
    assert found["difference"] == [
        {"path": "/note", "base": "Ships on Tuesdays.", "mine": "Mine", "theirs": "Theirs"},
        {"path": "/attributes/Region", "base": "Nordics", "mine": "West", "theirs": "Nordics"},
        {"path": "/phone", "base": customer["phone"], "mine": customer["phone"], "theirs": None},
    ]
    assert await desk.fingerprint() == before
    done = await desk.patch(customer, body, form, if_match='"2"', idempotency_key="k")
    assert (done.status_code, "idempotent-replayed" in done.headers) == (200, False)


async def test_a_stale_request_of_another_kind(desk: Desk, customer: Json) -> None:
    """Deleting and reverting ask nothing of values: mine is what was read. A view's update does."""
    await desk.patched(customer, {"note": "Theirs"})
    path, headers = f"{CUSTOMERS}/{customer['id']}", {"If-Match": '"1"'}
    base = "Ships on Tuesdays."
    for answer in (
        await desk.api.delete(path, headers=headers),
        await desk.api.post(f"{path}/revert", json={"version": 1}, headers=headers),
    ):
        assert problem(answer)["difference"] == [{"path": "/note", "base": base, "mine": base, "theirs": "Theirs"}]
    answer = await desk.api.patch(f"{path}/views/count", json={"notes": "Mine"}, headers=headers)
    assert problem(answer)["difference"] == [{"path": "/note", "base": base, "mine": "Mine", "theirs": "Theirs"}]


@pytest.mark.parametrize("tag", ['"9"', 'W/"1"', '"x"'])
async def test_without_a_former_version(desk: Desk, customer: Json, tag: str) -> None:
    """Where the tag names none there is no difference to tell."""
    await desk.patched(customer, {"note": "Theirs"})
    found = problem(await desk.patch(customer, {"note": "Mine"}, if_match=tag))
    assert (found["current"], found["difference"]) == (2, [])


async def test_what_cannot_be_read_is_only_late(desk: Desk, customer: Json) -> None:
    """A request whose values are wrong is told that it is stale, and no more."""
    await desk.patched(customer, {"note": "Theirs"})
    bodies: list[tuple[Any, str]] = [([], MERGE_PATCH), ([{"op": "test", "path": "/note", "value": 1}], JSON_PATCH)]
    for body, form in bodies:
        found = problem(await desk.patch(customer, body, form, if_match='"1"'))
        assert (found["current"], found["difference"]) == (2, [])
    found = problem(await desk.patch(customer, {"note": 5, "phone": "7"}, if_match='"1"'))
    assert [one["path"] for one in found["difference"]] == ["/phone", "/note"]


async def test_nothing_is_told_of_a_new_record(desk: Desk) -> None:
    """There is none to match yet."""
    answer = await desk.api.post(CUSTOMERS, json={"name": "A"}, headers={"If-Match": '"1"'})
    found = problem(answer)
    assert (answer.status_code, found["current"], found["difference"]) == (412, None, [])
