"""For every body of the table of fields: a full valid request, and how to read back what became of each field."""

import copy
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import httpx

from customerhub.core import admin
from customerhub.model.catalogue import AttributeDetails, PriceListDetails
from customerhub.store.catalogue import get_snapshot
from tests.support.world import Json, World, address_body, contact_body

Steps = tuple[str | int, ...]
# What makes the bodies of tests unique, wherever it stands in them.
MARK = re.compile(r"(?<![+\w])[0-9a-f]{10}\b")
View = Callable[[Json], Awaitable[Json]]


class Absent:
    """A member that is not sent."""


ABSENT = Absent()


@dataclass
class Bench:
    """A request for one body: `where` in it the body stands, how to read it back, what it was before.

    `least` is the smallest valid request for an edit: with it nothing changes but what a cell adds.
    """

    world: World
    method: str
    path: str
    request: Json
    view: View
    where: Steps = ()
    before: Json = field(default_factory=dict)
    least: Json | None = None
    taken: dict[str, Any] = field(default_factory=dict)  # Any: JSON values that belong to another record

    def altered(self, name: str, value: object, also: dict[str, object] | None = None, *, least: bool = False) -> Json:
        """The request with one member of the body set or left out."""
        request = copy.deepcopy(self.least if least and self.least is not None else self.request)
        place: Any = request
        for step in self.where:
            place = place[step]
        if value is ABSENT:
            place.pop(name, None)
        else:
            place[name] = value
        return {**request, **(also or {})}

    async def send(self, request: Json) -> httpx.Response:
        """Send it."""
        return await self.world.api.request(self.method, self.path, json=request)

    def another(self) -> "Bench":
        """The same request for another new record; an edit stays with the record that it has."""
        if self.method != "POST":
            return self
        text = json.dumps(self.request)
        for mark in {*MARK.findall(text)}:
            text = text.replace(mark, uuid4().hex[:10])
        return replace(self, request=json.loads(text))

    def at(self, name: str) -> str:
        """The path that an error gives to a member of the body."""
        text = ""
        for step in (*self.where, name):
            text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
        return text


def to_view(shown: Json) -> Json:
    """A record as shown, with custom values by name."""
    view = dict(shown)
    if "attributes" in view:
        view["attributes"] = {item["name"]: item["value"] for item in view["attributes"]}
    return view


def to_customer_view(shown: Json) -> Json:
    """A customer as shown, by the names of requests."""
    view = to_view(shown)
    view["company_name"] = shown["name"]
    view["assigned_sales_rep_ids"] = [rep["id"] for rep in shown["assigned_sales_reps"]]
    view["assigned_price_list_id"] = shown["assigned_price_list"]["id"]
    for member, kind in (("default_billing_address_id", "billing"), ("default_shipping_address_id", "shipping")):
        view[member] = [a["id"] for a in shown["addresses"] if a["is_default"] and a["type"] == kind]
    view["primary_contact_id"] = [c["id"] for c in shown["contacts"] if c["is_default"]]
    for member in ("default_billing_address_id", "default_shipping_address_id", "primary_contact_id"):
        view[member] = view[member][0] if view[member] else ""
    return view


async def customer_view(shown: Json) -> Json:
    """Read back a customer."""
    return to_customer_view(shown)


def nested_view(member: str, position: int) -> View:
    """Read back a record inside a customer."""

    async def view(shown: Json) -> Json:
        return to_view(shown[member][position])

    return view


async def record_view(shown: Json) -> Json:
    """Read back an address or a contact from its own endpoint."""
    return to_view(shown)


def attribute_view(name: str, *steps: str | int) -> View:
    """Read back the custom value of a name."""

    async def view(shown: Json) -> Json:
        place: Any = shown
        for step in steps:
            place = place[step]
        found = [item for item in place["attributes"] if item["name"] == name]
        return found[0] if found else dict(place["attributes"][-1])

    return view


def price_list_view(world: World) -> View:
    """Read back a price list, from the catalogue what its answer does not show."""

    async def view(shown: Json) -> Json:
        async with world.hub.database.lease() as connection:
            entry = (await get_snapshot(connection, world.team.id)).find_entry("price_list", UUID(shown["id"]))
        assert entry is not None
        assert isinstance(entry.details, PriceListDetails)
        return shown | {"is_default": entry.details.is_default, "priority": entry.details.priority}

    return view


def definition_view(world: World, *steps: str | int) -> View:
    """Read back a definition from the catalogue, as the request would say it."""

    async def view(shown: Json) -> Json:
        async with world.hub.database.lease() as connection:
            snapshot = await get_snapshot(connection, world.team.id)
        entry = snapshot.find_entry("attribute_definition", UUID(shown["id"]))
        assert entry is not None
        details = entry.details
        assert isinstance(details, AttributeDetails)
        options = [{"label": option.label, "value": option.value} for option in details.options]
        configuration = {
            "default_value": details.default_value,
            "options": options,
            "show_label": details.show_label,
        }
        is_set = configuration != {"default_value": None, "options": [], "show_label": False}
        place: Any = {
            **shown,
            "configuration": configuration if is_set else {},
            "priority": details.priority,
            "is_mandatory": details.is_mandatory,
        }
        for step in steps:
            place = place[step]
        assert isinstance(place, dict)
        return place

    return view


async def post_customer(world: World, where: Steps = (), view: View = customer_view) -> Bench:
    """`POST /v1/customers`; the second address and contact are the ones that are tried."""
    request = world.full_body()
    if where:
        # The first of them must not claim a mark that a cell gives to the second.
        first = request[str(where[0])][0]
        del first["is_default"]
        taken = {"reference_id": first["reference_id"]}
    else:
        other = await world.create(world.full_body())
        taken = {name: other[name] for name in ("reference_id", "display_id", "email")}
    return Bench(world, "POST", "/v1/customers", request, view, where, taken=taken)


async def patch_customer(world: World, where: Steps = (), view: View = customer_view) -> Bench:
    """`PATCH /v1/customers/{id}`: every member with another value than the record has."""
    other, shown = await world.create(world.full_body()), await world.create(world.full_body())
    first, second, third = shown["addresses"]
    request: Json = world.full_body() | {
        "payment_term": "NET15",
        "freight_term": "Collect",
        "shipping_method": "Post",
        "payment_mode": "Wire",
        "display_name": "Nordlys Bergen",
        "first_name": "Nora",
        "last_name": "Dahl",
        "phone": "+4799887766",
        "assigned_sales_rep_ids": [world.reps[1]],
        "assigned_price_list_id": world.price_lists[1],
        "attributes": [{"name": "Region", "value": "Benelux"}, {"name": "Tier", "value": "2"}],
        "addresses": [address_body(id=a["id"], type=a["type"], city="Hamar") for a in (second, first)],
        "contacts": [contact_body(id=c["id"], first_name="Nora") for c in reversed(shown["contacts"])],
    }
    for member in ("addresses", "contacts"):
        del request[member][0]["reference_id"]
    taken: Json = {name: other[name] for name in ("reference_id", "display_id", "email")}
    taken |= {"addresses": other["addresses"][0]["id"], "contacts": other["contacts"][0]["id"]}
    least: Json | None = {}
    if not where:
        request["default_billing_address_id"] = third["id"]
        request["primary_contact_id"] = shown["contacts"][1]["id"]
    elif where[0] == "attributes":
        taken, least = {"name": "Region"}, None
    else:
        listed = second if where[0] == "addresses" else shown["contacts"][1]
        taken |= {name: listed[name] for name in ("id", "reference_id")}
        least = {str(where[0]): [{"id": item["id"]} for item in request[str(where[0])]]}
    path = f"/v1/customers/{shown['id']}"
    return Bench(world, "PATCH", path, request, view, where, await view(shown), least, taken)


async def nested_record(world: World, method: str, member: str, view: View = record_view) -> Bench:
    """An address or a contact at its own endpoint; PUT takes the first one, which is a default."""
    shown = await world.create(world.full_body())
    first, second = shown[member][:2]
    make = address_body if member == "addresses" else contact_body
    request: Json = make(
        first_name="Nora",
        last_name="Dahl",
        email="nora@nordlys.example",
        phone="+4799887766",
        attributes=[{"name": "Dock", "value": "9"}, {"name": "Gate", "value": "2"}],
    )
    texts = {"address_line_2": "2nd floor", "state": "Viken"} if member == "addresses" else {"designation": "Buyer"}
    request |= texts
    path = f"/v1/customers/{shown['id']}/{member}"
    path = path if method == "POST" else f"{path}/{first['id']}"
    where: Steps = () if view is record_view else ("attributes", 1)
    taken = {"reference_id": second["reference_id"], "name": "Dock"}
    return Bench(world, method, path, request, view, where, to_view(first), None, taken)


async def price_list(world: World, method: str) -> Bench:
    """A price list with every member."""
    mark = uuid4().hex[:10]
    request: Json = {
        "reference_id": f"PL-{mark}",
        "name": "Wholesale North",
        "description": "New",
        "status": "active",
        "is_default": False,
        "priority": 2,
    }
    view = price_list_view(world)
    first = {**request, "reference_id": f"OLD-{mark}", "name": "Old", "description": "Old", "priority": 1}
    answer = await world.api.post("/v1/price-lists", json={**first, "is_default": True})
    assert answer.status_code == 201, answer.text
    taken = {"reference_id": f"OLD-{mark}"}
    if method == "POST":
        return Bench(world, method, "/v1/price-lists", request, view, taken=taken)
    del request["reference_id"]
    path = f"/v1/price-lists/{answer.json()['data']['id']}"
    return Bench(world, method, path, request, view, (), await view(answer.json()["data"]), {}, taken)


async def definition(world: World, *where: str | int) -> Bench:
    """A custom field with every member."""
    mark = uuid4().hex[:10]
    request: Json = {
        "entity": "customer",
        "name": f"Region {mark}",
        "data_type": "text",
        "configuration": {
            "default_value": "",
            "options": [{"label": "North", "value": "N"}, {"label": "South", "value": "S"}],
            "show_label": True,
        },
        "priority": 1,
        "is_mandatory": True,
    }
    other = {"entity": "customer", "name": f"Taken {mark}", "data_type": "text"}
    answer = await world.api.post("/v1/attributes", json=other)
    assert answer.status_code == 201, answer.text
    return Bench(
        world, "POST", "/v1/attributes", request, definition_view(world, *where), where, taken={"name": f"tAKEN {mark}"}
    )


async def token(world: World) -> Bench:
    """Signing in; there is no record to read back."""
    email = f"ola@{uuid4().hex}.example"
    await admin.create_user(world.hub, world.team, admin.NewUser(email, "Ola", "Nordmann", "correct horse"))

    async def view(shown: Json) -> Json:
        return shown

    return Bench(world, "POST", "/auth/token", {"email": email, "password": "correct horse"}, view)


MakeBench = Callable[[World], Awaitable[Bench]]
BENCHES: dict[str, list[MakeBench]] = {
    "POST customer": [post_customer],
    "POST customer: addresses[]": [lambda w: post_customer(w, ("addresses", 1), nested_view("addresses", 1))],
    "POST customer: contacts[]": [lambda w: post_customer(w, ("contacts", 1), nested_view("contacts", 1))],
    "PATCH customer": [patch_customer],
    "PATCH customer: addresses[]": [lambda w: patch_customer(w, ("addresses", 1), nested_view("addresses", 0))],
    "PATCH customer: contacts[]": [lambda w: patch_customer(w, ("contacts", 1), nested_view("contacts", 0))],
    "POST address": [lambda w: nested_record(w, "POST", "addresses")],
    "PUT address": [lambda w: nested_record(w, "PUT", "addresses")],
    "POST contact": [lambda w: nested_record(w, "POST", "contacts")],
    "PUT contact": [lambda w: nested_record(w, "PUT", "contacts")],
    "any attributes[]": [
        lambda w: patch_customer(w, ("attributes", 1), attribute_view("Tier")),
        lambda w: nested_record(w, "POST", "addresses", attribute_view("Gate")),
        lambda w: nested_record(w, "PUT", "contacts", attribute_view("Gate")),
    ],
    "POST price list": [lambda w: price_list(w, "POST")],
    "PATCH price list": [lambda w: price_list(w, "PATCH")],
    "POST attribute": [definition],
    "POST attribute: configuration": [lambda w: definition(w, "configuration")],
    "POST attribute: configuration.options[]": [lambda w: definition(w, "configuration", "options", 0)],
    "POST token": [token],
}
