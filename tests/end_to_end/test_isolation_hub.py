"""The hub's own API: another team's ids in bodies, filters and cursors are those of nobody."""

import copy
import json
from collections.abc import Iterator
from typing import Any, cast
from uuid import uuid4

import pytest
from pydantic import TypeAdapter

from customerhub.core.access import OPERATOR
from tests.end_to_end.answers import code_of, headers_of
from tests.end_to_end.door import Door
from tests.end_to_end.doors import routes_of
from tests.end_to_end.recipes import UUID, Route
from tests.end_to_end.recipes_hub import HubDoor
from tests.end_to_end.test_isolation import same
from tests.support.hub import CUSTOMERS, JSON_PATCH, LIST_AWARE, MERGE_PATCH, Desk, Json

FORMS = ("POST", MERGE_PATCH, LIST_AWARE, JSON_PATCH)
# Places of entries, which are texts as any other in the document.
POINTERS = ("bill_to", "ship_to", "primary_contact")
LISTS = [
    route
    for route in routes_of("hub")
    if (route.operation.method, "{" in route.operation.path) == ("GET", False)
    and OPERATOR not in route.operation.permissions
]
creations = pytest.mark.parametrize(
    "route", [route for route in routes_of("hub") if str(route) == f"POST {CUSTOMERS}"], ids=str
)


def references() -> set[str]:
    """The members of a new customer that refer to something, found in its wire model."""
    body = next(route.operation.body for route in routes_of("hub") if str(route) == f"POST {CUSTOMERS}")
    schema = TypeAdapter(cast("type[object]", body)).json_schema()

    def is_reference(part: Json) -> bool:
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rsplit("/", 1)[1]]
            return "unit" in part.get("properties", {})
        inner = [*part.get("anyOf", ()), *([part["items"]] if "items" in part else [])]
        return part.get("format") == "uuid" or any(map(is_reference, inner))

    return {name for name, part in schema["properties"].items() if is_reference(part)} | {*POINTERS}


def owned_by(desk: Desk, customer: Json) -> dict[str, str]:
    """What a body can refer to, all of it this team's."""
    return {
        "payment_term": desk.payment_terms[1],
        "shipping_term": desk.shipping_terms[1],
        "carrier": desk.carriers[1],
        "service_level": desk.service_levels[0],
        "sales_reps": desk.reps[0],
        "default_sales_rep": desk.reps[0],
        "price_list": desk.price_lists[1],
        "price_groups": desk.pricing_groups[0],
        "type_group": desk.type_groups[1],
        "credit_limit": desk.unit,
        "bill_to": customer["addresses"][0]["id"],
        "ship_to": customer["addresses"][1]["id"],
        "primary_contact": customer["contacts"][0]["id"],
        "parent": customer["id"],
    }


def with_reference(member: str, value: str) -> Json:
    """A patch that refers to something in one member."""
    if member == "credit_limit":
        return {member: {"value": "5.00", "unit": value}}
    return {member: [value] if member in ("sales_reps", "price_groups") else value}


def bodies(patch: Json) -> Iterator[tuple[str, Any]]:
    """The patch in every form, and as a new customer."""
    for form in FORMS:
        steps = [{"op": "replace", "path": f"/{name}", "value": value} for name, value in patch.items()]
        yield form, {"POST": {"name": "A", **patch}, JSON_PATCH: steps}.get(form, patch)


@creations
async def test_foreign_ids_in_a_body_name_nothing(route: Route, door: Door, other_door: Door) -> None:
    """In every form a reference to another team's is refused as one to nothing, by its place; to an own one: done.

    The cases are found in the wire model: a new reference that nobody wrote a case for fails here.
    """
    del route
    assert isinstance(door, HubDoor)
    assert isinstance(other_door, HubDoor)
    desk, other = door.desk, other_door.desk
    customer, theirs = await desk.create(desk.full_body()), await other.create(other.full_body())
    own, foreign = owned_by(desk, customer), owned_by(other, theirs)
    assert set(own) == references()
    before = await desk.fingerprint()
    for member in own:
        ids = (foreign[member], str(uuid4()))
        tried = zip(*(bodies(with_reference(member, one)) for one in ids), strict=True)
        for (form, body), (_, nobodys) in tried:
            answer, unknown = [await send(desk, customer, form, sent) for sent in (body, nobodys)]
            assert code_of(answer) == (422, "invalid"), (member, form, answer.text)
            (error,) = answer.json()["errors"]
            assert error["pointer"].split("/")[1] == member
            assert same(answer, unknown), (member, form)
    assert await desk.fingerprint() == before
    for member, value in own.items():
        # Of the first carrier, which the customer has no more once its carrier is another; nobody is above itself.
        if member not in ("service_level", "parent"):
            done = await send(desk, customer, MERGE_PATCH, with_reference(member, value))
            assert done.status_code == 200, done.text


async def send(desk: Desk, customer: Json, form: str, body: object) -> Any:
    """One request in one of the forms."""
    if form == "POST":
        return await desk.api.post(CUSTOMERS, json=body)
    return await desk.patch(customer, body, form)


@creations
async def test_foreign_entries_are_none_of_a_customer_s(route: Route, door: Door, other_door: Door) -> None:
    """An address or a contact of another team's, or of another customer's, is as one of nobody's."""
    del route
    assert isinstance(door, HubDoor)
    assert isinstance(other_door, HubDoor)
    desk, other = door.desk, other_door.desk
    customer, sibling = await desk.create(desk.full_body()), await desk.create(desk.full_body())
    theirs = await other.create(other.full_body())
    before = await desk.fingerprint()
    for member in ("addresses", "contacts"):
        strangers = [theirs[member][0]["id"], sibling[member][0]["id"], str(uuid4())]
        for make in (entry_body, whole_list, merged_list, removal_step):
            answers = [await send(desk, customer, *make(member, one, customer)) for one in strangers]
            assert {answer.status_code for answer in answers} == {422}
            assert all(same(answer, answers[0]) for answer in answers), (member, make)
        removed = [
            await send(desk, customer, LIST_AWARE, {member: {"mode": "remove", "items": [one]}}) for one in strangers
        ]
        assert {answer.status_code for answer in removed} == {200}
        assert all(answer.json()["changed"] == [] for answer in removed)
    assert await desk.fingerprint() == before


def entry_body(member: str, one: str, _: Json) -> tuple[str, Any]:
    """An entry of a new customer."""
    return "POST", {"name": "A", member: [{"id": one}]}


def whole_list(member: str, one: str, customer: Json) -> tuple[str, Any]:
    """One more in an array that is put in place of all."""
    return MERGE_PATCH, {member: [*copy.deepcopy(customer[member]), {"id": one}]}


def merged_list(member: str, one: str, _: Json) -> tuple[str, Any]:
    """One that is changed."""
    return LIST_AWARE, {member: {"mode": "merge", "items": [{"id": one, "first_name": "Eve"}]}}


def removal_step(member: str, one: str, _: Json) -> tuple[str, Any]:
    """One that is taken away."""
    return JSON_PATCH, [{"op": "remove", "path": f"/{member}/{one}"}]


@pytest.mark.parametrize("route", LISTS, ids=str)
async def test_lists_hold_nothing_foreign(route: Route, door: Door, other_door: Door) -> None:
    """Whole lists have no id of another team, nor any value of its customers."""
    assert isinstance(door, HubDoor)
    assert isinstance(other_door, HubDoor)
    theirs = await other_door.desk.create(other_door.desk.full_body())
    await door.desk.create(door.desk.full_body())
    ids = {*UUID.findall(json.dumps(theirs)), str(other_door.team.id), *other_door.desk.carriers, *other_door.desk.reps}
    for query in ({}, {"q": theirs["name"]}):
        answer = await door.desk.api.get(route.operation.path, params=query)
        if not answer.is_success:
            # It knows no such parameter, or needs one.
            assert answer.status_code == 400, answer.text
            continue
        assert ids & set(UUID.findall(answer.text)) == set()
        assert theirs["number"] not in answer.text


@creations
async def test_filters_find_nothing_foreign(route: Route, door: Door, other_door: Door) -> None:
    """Asked for another team's id, reference, address or actor a list is as empty as for nobody's."""
    del route
    assert isinstance(door, HubDoor)
    assert isinstance(other_door, HubDoor)
    desk = door.desk
    customer = await desk.create(desk.full_body())
    theirs = await other_door.desk.create(other_door.desk.full_body())
    history = f"{CUSTOMERS}/{customer['id']}/history"
    filters = {
        (CUSTOMERS, "ids"): (theirs["id"], str(uuid4())),
        (CUSTOMERS, "reference_ids"): (theirs["reference_id"], "ERP-nobody"),
        (CUSTOMERS, "email"): (theirs["email"], "nobody@kestrel.example"),
        (history, "actor"): (theirs["created_by"], str(uuid4())),
    }
    for (path, name), asked in filters.items():
        found, nothing = [await desk.api.get(path, params={name: value}) for value in asked]
        assert (found.json(), found.content) == ({"data": [], "next": None}, nothing.content)
        assert headers_of(found) == headers_of(nothing)
