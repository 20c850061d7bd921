"""Teams share nothing: what belongs to another team is to every endpoint exactly as what does not exist."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any
from uuid import uuid4

import httpx
import pytest

from customerhub.core import admin
from customerhub.core.access import OPERATOR
from tests.end_to_end.answers import changed_tables, code_of, fields_of, headers_of
from tests.end_to_end.door import Door, Furniture
from tests.end_to_end.doors import DIALECTS, routes_of
from tests.end_to_end.recipes import ID, ROUTES, UUID, Route, nobodys
from tests.end_to_end.recipes_wizcommerce import WizCommerceDoor
from tests.end_to_end.references import references_in
from tests.support.world import Json, World, address_body, contact_body

REQUEST = re.compile(r"re?q_[0-9a-z]{26}")
# But for routes of those who run the hub, to whom no team is foreign.
IN_PATHS = [route for route in ROUTES if "{" in route.operation.path and OPERATOR not in route.operation.permissions]
# What a body can refer to, and what lists can be asked for, is each contract's own: below it is WizCommerce's.
LISTS = [
    route
    for route in routes_of("wizcommerce")
    if route.operation.method == "GET" and not route.operation.path.endswith("}")
]
wizcommerce = pytest.mark.skipif("wizcommerce" not in DIALECTS, reason="the dialect is not installed")


def same(first: httpx.Response, second: httpx.Response) -> bool:
    """Whether two answers are alike in status, headers and body, but for ids, the request's own too."""

    def look(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
        return answer.status_code, headers_of(answer), REQUEST.sub("<id>", ID.sub("<id>", answer.text))

    return look(first) == look(second)


@pytest.mark.parametrize("route", IN_PATHS, ids=str)
async def test_foreign_ids_in_a_path_lead_nowhere(route: Route, door: Door, other_door: Door) -> None:
    """Each id of the path, alone or with the others, taken from another team: the answer of an id that is nobody's."""
    template = route.operation.path
    own, foreign = await door.furnish(template), await other_door.furnish(template)
    body = (await door.cook(route)).body if route.operation.writes else None
    names = [name for name in re.findall(r"\{(\w+)\}", template) if name not in own.words]
    owned = foreign.ids(template)
    unknown = {name: nobodys(owned[name]) for name in names}
    before = await door.fingerprint()
    for takes in product((False, True), repeat=len(names)):
        taken = [name for name, is_taken in zip(names, takes, strict=True) if is_taken]
        if not taken:
            continue
        path, nowhere = (
            template.format_map(own.ids(template) | {name: ids[name] for name in taken}) for ids in (owned, unknown)
        )
        for guards in guards_of(route, foreign):
            answer = await door.send(route, path, body, **guards)
            assert code_of(answer) in door.failures.nowhere, (taken, guards)
            assert same(answer, await door.send(route, nowhere, body, **(guards | other_key(guards)))), (taken, guards)
    assert set(changed_tables(before, await door.fingerprint())) <= (
        {"idempotency_key"} if door.keeps_absence else set()
    )


def other_key(guards: dict[str, str]) -> dict[str, str]:
    """Another key where there is one: a key belongs to one request, and the path is a part of that."""
    return {name: uuid4().hex for name in guards if name == "idempotency_key"}


def guards_of(route: Route, foreign: Furniture) -> list[dict[str, str]]:
    """Guards under which a write might give away that the record is there."""
    if not route.operation.writes:
        return [{}]
    # A creation fits no tag, wherever it is asked for.
    tags = [] if route.operation.creates else [{"if_match": foreign.tag(route.operation.path)}]
    return [
        {},
        *tags,
        {"customerhub_dry_run": "true"},
        {"idempotency_key": uuid4().hex},
    ]


@dataclass(frozen=True)
class Owned:
    """What a body can refer to, all of one team or of none."""

    rep: str
    price_list: str
    address: str
    contact: str
    attribute: str

    @classmethod
    def of(cls, world: World, furniture: Furniture, attribute: str) -> "Owned":
        """What this team has."""
        return cls(
            world.reps[1],
            world.price_lists[1],
            furniture.shared["address_id"],
            furniture.shared["contact_id"],
            attribute,
        )

    @classmethod
    def by_nobody(cls) -> "Owned":
        """What no team has."""
        return cls(*(str(uuid4()) for _ in range(5)))

    def attributes(self) -> list[Json]:
        """A custom value."""
        return [{"name": self.attribute, "value": "yes"}]


# What each body starts from, and how each reference in it is written; `own` is what the team itself has.
BASES: dict[str, Callable[[World], Json]] = {
    "POST /v1/customers": World.customer_body,
    "PATCH /v1/customers/{id}": lambda world: {},
    "POST /v1/customers/{customer_id}/addresses": lambda world: address_body(),
    "POST /v2/customers/{customer_id}/addresses": lambda world: address_body(),
    "PUT /v1/customers/{customer_id}/addresses/{address_id}": lambda world: address_body(),
    "POST /v1/customers/{customer_id}/contacts": lambda world: contact_body(),
    "PUT /v1/customers/{customer_id}/contacts/{contact_id}": lambda world: contact_body(),
}
REFERENCES: dict[str, Callable[[Owned, Owned], Json]] = {
    "assigned_sales_rep_ids": lambda who, own: {"assigned_sales_rep_ids": [own.rep, who.rep]},
    "assigned_price_list_id": lambda who, own: {"assigned_price_list_id": who.price_list},
    "primary_contact_id": lambda who, own: {"primary_contact_id": who.contact},
    "default_billing_address_id": lambda who, own: {"default_billing_address_id": who.address},
    "default_shipping_address_id": lambda who, own: {"default_shipping_address_id": who.address},
    "addresses[].id": lambda who, own: {"addresses": [{"id": who.address, "city": "Narvik"}]},
    "contacts[].id": lambda who, own: {"contacts": [{"id": who.contact, "designation": "Buyer"}]},
    "attributes[].name": lambda who, own: {"attributes": who.attributes()},
    "addresses[].attributes[].name": lambda who, own: {
        "addresses": [address_body(type="shipping", id=own.address, attributes=who.attributes())]
    },
    "contacts[].attributes[].name": lambda who, own: {
        "contacts": [contact_body(id=own.contact, attributes=who.attributes())]
    },
}


CASES = [
    (route, reference)
    for route in routes_of("wizcommerce")
    if route.operation.writes and route.operation.body is not None
    for reference in sorted(references_in(route))
]


@wizcommerce
def test_every_reference_in_a_body_is_tried() -> None:
    """The cases below are found in the wire models: a new reference that nobody wrote a case for fails here."""
    assert {reference for _, reference in CASES} == set(REFERENCES)
    assert {str(route) for route, _ in CASES} == set(BASES)


async def define(world: World, *names: str) -> None:
    """Custom fields of these names for customers, addresses and contacts."""
    for entity, name in product(("customer", "address", "contact"), names):
        body = {"entity": entity, "name": name, "data_type": "text"}
        assert (await world.api.post("/v1/attributes", json=body)).status_code == 201


@pytest.mark.parametrize(("route", "reference"), CASES, ids=str)
async def test_foreign_ids_in_a_body_name_nothing(route: Route, reference: str, door: Door, other_door: Door) -> None:
    """WizCommerce: a reference to another team's is refused as one to nothing; to what the team has: done."""
    template = route.operation.path
    assert isinstance(door, WizCommerceDoor)
    assert isinstance(other_door, WizCommerceDoor)
    world, other_world = door.world, other_door.world
    furniture, others = await door.furnish(), await other_door.furnish()
    await define(world, "Ours")
    await define(other_world, "Theirs")
    own, foreign = Owned.of(world, furniture, "Ours"), Owned.of(other_world, others, "Theirs")
    write, base = REFERENCES[reference], BASES[str(route)](world)
    if reference == "default_shipping_address_id":
        own = await with_shipping_address(world, furniture, own)
    before = await world.fingerprint()
    for guards in ({}, {"customerhub_dry_run": "true"}):
        answer = await door.send(route, furniture.fill(template), base | write(foreign, own), **guards)
        assert code_of(answer) == (400, "VALIDATION_ERROR")
        assert [re.sub(r"\[\d\]", "[]", field) for field in fields_of(answer)] == [
            f"{reference}[]" if reference.endswith("_ids") else reference
        ]
        unknown = base | write(Owned.by_nobody(), own)
        assert same(answer, await door.send(route, furniture.fill(template), unknown, **guards))
    assert await world.fingerprint() == before
    done = await door.send(route, furniture.fill(template), base | write(own, own))
    assert done.status_code == route.operation.status, done.text


async def with_shipping_address(world: World, furniture: Furniture, own: Owned) -> Owned:
    """The same with an address of the other type."""
    addresses = (await world.get(furniture.shared["customer_id"]))["addresses"]
    shipping = next(address["id"] for address in addresses if address["type"] == "shipping")
    return Owned(own.rep, own.price_list, shipping, own.contact, own.attribute)


@pytest.mark.parametrize("route", LISTS, ids=str)
async def test_lists_hold_nothing_foreign(route: Route, door: Door, other_door: Door) -> None:
    """WizCommerce: however a list is asked for, nothing of another team is in it or counted in it."""
    assert isinstance(door, WizCommerceDoor)
    assert isinstance(other_door, WizCommerceDoor)
    world, other_world = door.world, other_door.world
    own, others = await door.furnish(), await other_door.furnish()
    await define(other_world, "Theirs")
    foreign = await other_world.get(others.shared["customer_id"])
    path = own.fill(route.operation.path)
    unfiltered = await world.api.get(path)
    assert unfiltered.status_code == 200, unfiltered.text
    ids = {*other_world.reps, *other_world.price_lists, *UUID.findall(str(foreign)), str(other_world.team.id)}
    ids.discard(str(admin.operator(world.team.id).actor))  # the command line, which belongs to no team
    assert ids & set(UUID.findall(unfiltered.text)) == set()
    assert "Theirs" not in unfiltered.text
    filters = [
        ("reference_ids", foreign["reference_id"]),
        ("reference_ids", foreign["addresses"][0]["reference_id"]),
        ("email", foreign["assigned_sales_reps"][0]["email"]),
    ]
    for name, value in filters:
        found, nothing = [await world.api.get(path, params={name: asked}) for asked in (value, uuid4().hex)]
        assert found.status_code == 200
        assert (found.content, headers_of(found)) == (nothing.content, headers_of(nothing))


@wizcommerce
async def test_teams_may_use_the_same_values(world: World, other_world: World) -> None:
    """WizCommerce: reference ids, numbers, email addresses, names and terms of one team are free in another."""
    body = world.full_body() | {"reference_id": "ERP-1", "email": "post@nordlys.example"}
    del body["display_id"]
    made: list[dict[str, Any]] = []  # Any: decoded JSON
    for team in (world, other_world):
        owned = {"assigned_sales_rep_ids": team.reps, "assigned_price_list_id": team.price_lists[0]}
        made.append(await team.create(body | owned))
        for path, entry in (
            ("/v1/price-lists", {"reference_id": "PL-1", "name": "Retail", "is_default": True}),
            ("/v1/attributes", {"entity": "customer", "name": "Region", "data_type": "text"}),
        ):
            assert (await team.api.post(path, json=entry)).status_code == 201
    assert [shown["display_id"] for shown in made] == ["WC_0000000001"] * 2
    first = await world.get(made[0]["id"])
    assert first == made[0]
    answer = await other_world.api.patch(f"/v1/customers/{made[1]['id']}", json={"payment_term": "net45"})
    assert answer.json()["data"]["payment_term"] == "NET45"
    assert await world.get(made[0]["id"]) == first
