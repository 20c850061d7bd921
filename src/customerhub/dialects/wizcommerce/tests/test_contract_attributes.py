"""Custom fields: what a definition makes of the values that customers, addresses and contacts may have."""

from typing import Any

import pytest

from customerhub.core import admin
from customerhub.dialects.wizcommerce.tests.promises import data, fields, nothing_stored, patch, patched
from tests.support.world import Json, World, address_body, contact_body

# A fitting and an unfitting value of each type; None where any text fits.
TYPES: dict[str, tuple[list[str], list[str]]] = {
    "text": (["x", "  "], []),
    "long_text": (["x\ny"], []),
    "file": (["https://files.example/1.pdf"], []),
    "html": (["<b>x</b>"], []),
    "number": (["12", "-12.50", "0"], ["x", "1,5", "1e3", ".5", " 1", "NaN", "\N{ARABIC-INDIC DIGIT ONE}"]),
    "percentage": (["12.5", "100"], ["12 %", "x"]),
    "date_only": (["2025-03-04", "2024-02-29"], ["2025-02-29", "04.03.2025", "20250304", "2025-03-04T00:00:00Z"]),
    "email": (["ola@nordmann.test"], ["ola", "a@b@c.example"]),
    "checkbox": (["true", "false"], ["True", "yes", "1"]),
    "phone_e164": (["+4722334455"], ["22334455", "+47 22"]),
    "url": (
        ["https://nordlys.example/x?y", "HTTP://a.b"],
        ["nordlys.example", "ftp://a.b", "https://", "js:1"],
    ),
    "select": (["N", "S"], ["n", "North", "N,S", "N "]),
    "multi_select": (["N", "N,S", "S, N"], ["N;S", "N,", "x", "N,x"]),
}
OPTIONS = [{"label": "North", "value": "N"}, {"label": "South", "value": "S"}]


async def define(world: World, name: str, data_type: str = "text", entity: str = "customer", **members: object) -> None:
    """Define a custom field, with two options where it needs some."""
    body: Json = {"entity": entity, "name": name, "data_type": data_type, **members}
    if data_type in ("select", "multi_select"):
        body["configuration"] = {"options": OPTIONS, **body.get("configuration", {})}
    data(await world.api.post("/v1/attributes", json=body))


def values_of(shown: Json) -> Json:
    """Custom values by name."""
    return {item["name"]: item["value"] for item in shown["attributes"]}


@pytest.mark.parametrize("data_type", TYPES)
async def test_values_fit_the_type_of_their_definition(world: World, data_type: str) -> None:
    """What fits is stored as sent, empty text as well; what does not is refused by the value's place."""
    await define(world, "Field", data_type)
    customer = await world.create()
    fitting, unfitting = TYPES[data_type]
    for value in (*fitting, ""):
        after = await patched(world, customer, attributes=[{"name": "Field", "value": value}])
        assert values_of(after) == {"Field": value}
    async with nothing_stored(world):
        for value in unfitting:
            answer = await patch(world, customer, attributes=[{"name": "Field", "value": value}])
            assert fields(answer) == ["attributes[0].value"], value


async def test_without_definitions_any_name_is_taken(world: World) -> None:
    """A team that defined nothing for an entity has free names there."""
    await define(world, "Region", entity="contact")
    customer = await world.create(attributes=[{"name": "Anything", "value": "x"}])
    assert values_of(customer) == {"Anything": "x"}


@pytest.mark.parametrize(
    ("entity", "place"), [("customer", ""), ("address", "addresses[0]."), ("contact", "contacts[0].")]
)
async def test_where_there_are_definitions_other_names_are_refused(world: World, entity: str, place: str) -> None:
    """A slip of the pen makes no new field; what was there before may stay; a team may allow the rest."""

    def request(name: str, value: str = "x") -> Json:
        values = [{"name": name, "value": value}]
        if entity == "customer":
            return {"attributes": values}
        member = place.partition("[")[0]
        return {member: [{"id": customer[member][0]["id"], "attributes": values}]}

    old = [{"name": "Old", "value": "x"}]
    body = world.customer_body(
        attributes=old, addresses=[address_body(attributes=old)], contacts=[contact_body(attributes=old)]
    )
    customer = await world.create(body)
    await define(world, "Region", entity=entity)
    await patched(world, customer, **request("Region"))
    async with nothing_stored(world):
        assert fields(await patch(world, customer, **request("region"))) == [f"{place}attributes[0].name"]
        assert fields(await patch(world, customer, **request("Old", "y"))) == [f"{place}attributes[0].name"]
        await patched(world, customer, **request("Old"))
    await admin.change_settings(world.hub, world.team, {"free_attributes": "true"})
    await patched(world, customer, **request("region"))


async def test_a_name_stands_once_in_a_request(world: World) -> None:
    """Twice in one list, at the top or inside: the second one is named."""
    customer = await world.create(world.full_body())
    twice = [{"name": "Region", "value": "x"}, {"name": "Region", "value": "x"}]
    async with nothing_stored(world):
        answer = await patch(world, customer, attributes=twice)
        nested = await patch(world, customer, contacts=[{"id": customer["contacts"][0]["id"], "attributes": twice}])
    assert fields(answer) == ["attributes[1].name"]
    assert fields(nested) == ["contacts[0].attributes[1].name"]


async def test_a_value_that_stays_keeps_its_birth(world: World) -> None:
    """Names not sent stay whole; a new value keeps id and birth of the name; a new name stands last."""
    customer = await world.create(attributes=[{"name": "A", "value": "1"}, {"name": "B", "value": "1"}])
    first, second = customer["attributes"]
    values = [{"name": "C", "value": "1"}, {"name": "B", "value": "2"}]
    after = (await patched(world, customer, attributes=values))["attributes"]
    assert after[0] == first
    kept = ("id", "name", "created_by", "created_at")
    assert {name: after[1][name] for name in kept} == {name: second[name] for name in kept}
    assert [(item["name"], item["value"]) for item in after] == [("A", "1"), ("B", "2"), ("C", "1")]
    assert await patched(world, customer, attributes=[]) == await world.get(customer["id"])


@pytest.mark.parametrize(("member", "make"), [("addresses", address_body), ("contacts", contact_body)])
async def test_a_new_record_has_what_is_mandatory(world: World, member: str, make: Any) -> None:
    """By its default where there is one; without one the record must name it; an old record need not."""
    customer = await world.create(world.customer_body() | {member: [make()]})
    entity = {"addresses": "address", "contacts": "contact"}[member]
    await define(world, "Tier", entity=entity, is_mandatory=True, configuration={"default_value": "basic"})
    await define(world, "Dock", "number", entity=entity, is_mandatory=True)
    await define(world, "Gate", "number", entity=entity, is_mandatory=True)
    path = f"/v1/customers/{customer['id']}/{member}"
    async with nothing_stored(world):
        refused = await world.api.post(path, json=make())
        nested = await world.api.post("/v1/customers", json=world.customer_body(**{member: [make()]}))
    assert (fields(refused), fields(nested)) == (["attributes"], [f"{member}[0].attributes"])
    assert refused.json()["details"][0]["reason"] == "must hold what is mandatory: Dock, Gate"
    values = [{"name": "Dock", "value": "3"}, {"name": "Gate", "value": ""}]
    made = data(await world.api.post(path, json=make(attributes=values)))
    assert values_of(made) == {"Dock": "3", "Gate": "", "Tier": "basic"}
    old = customer[member][0]
    async with nothing_stored(world):
        assert data(await world.api.put(f"{path}/{old['id']}", json=old)) == old
        assert fields(await world.api.put(f"{path}/{made['id']}", json=make())) == ["attributes"]


async def test_a_new_customer_has_what_is_mandatory(world: World) -> None:
    """The same at the top; a customer from before the definition is edited without it."""
    customer = await world.create()
    await define(world, "Size", "number", is_mandatory=True)
    assert fields(await world.api.post("/v1/customers", json=world.customer_body())) == ["attributes"]
    made = await world.create(attributes=[{"name": "Size", "value": "3"}])
    assert values_of(made) == {"Size": "3"}
    assert values_of(await patched(world, customer, phone="+12")) == {}


async def test_defaults_of_any_json_are_shown_as_text(world: World) -> None:
    """A number, a truth, several options: on a record it is always text."""
    given: dict[str, tuple[str, object]] = {
        "Number": ("number", 12.5),
        "Whole": ("number", 3),
        "Check": ("checkbox", True),
        "Some": ("multi_select", ["N", "S"]),
    }
    for name, (data_type, value) in given.items():
        await define(world, name, data_type, is_mandatory=True, configuration={"default_value": value})
    assert values_of(await world.create()) == {"Number": "12.5", "Whole": "3", "Check": "true", "Some": "N,S"}


async def test_a_definition_is_refused_by_what_is_wrong_with_it(world: World) -> None:
    """A select without options, a default that does not fit, a name that is there in any spelling."""
    await define(world, "Region")
    base = {"entity": "customer", "name": "New", "data_type": "select"}
    async with nothing_stored(world):
        assert fields(await world.api.post("/v1/attributes", json=base)) == ["configuration.options"]
        choice = {**base, "configuration": {"options": OPTIONS, "default_value": "West"}}
        assert fields(await world.api.post("/v1/attributes", json=choice)) == ["configuration.default_value"]
        again = {**base, "data_type": "text", "name": " REGION"}
        assert fields(await world.api.post("/v1/attributes", json=again)) == ["name"]
    await define(world, "Region", entity="contact")


async def test_definitions_are_listed_by_entity_and_priority(world: World) -> None:
    """By priority, those without one last, then by creation; of one entity or of all."""
    await define(world, "Late")
    await define(world, "Second", priority=2)
    await define(world, "First", priority=1)
    await define(world, "Other", entity="address")
    listed = {}
    for query in ("", "?entity=customer", "?entity=order"):
        rows = (await world.api.get(f"/v1/attributes{query}")).json()["data"]
        listed[query] = [row["name"] for row in rows]
    assert listed == {
        "": ["First", "Second", "Late", "Other"],
        "?entity=customer": ["First", "Second", "Late"],
        "?entity=order": [],
    }
    assert fields(await world.api.get("/v1/attributes?entity=nobody")) == ["entity"]
