"""What `POST /hub/v1/customers` makes, and what it refuses."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from customerhub.core.catalogue import EntryValues
from customerhub.dialects.hub.canonical import MEMBERS
from customerhub.dialects.hub.tests.helpers import invalid, problem, refusal
from customerhub.model.catalogue import UnitDetails
from tests.support.augno import add_entry, to_command
from tests.support.hub import CUSTOMERS, Desk, Json

# What a customer is born with, but for what makes it that one.
BORN: Json = {
    "version": 1,
    "name": "Kestrel",
    "number": "C00001",
    "display_name": None,
    "reference_id": None,
    "first_name": None,
    "last_name": None,
    "email": None,
    "phone": None,
    "website": None,
    "note": None,
    "status": "active",
    "standing": "normal",
    "payment_term": None,
    "shipping_term": None,
    "carrier": None,
    "service_level": None,
    "payment_mode": None,
    "sales_reps": [],
    "default_sales_rep": None,
    "price_list": None,
    "price_groups": [],
    "type_group": None,
    "priority": "normal",
    "commission_policy": "commission_exempt",
    "freight_policy": "billed_freight",
    "is_edi_enabled": False,
    "carrier_billing_type": "sender",
    "carrier_billing_account": None,
    "credit_limit": None,
    "accepts_invoice_emails": True,
    "tax_number": None,
    "tax_excluded": False,
    "tax_auto_calculate": False,
    "addresses": [],
    "contacts": [],
    "attributes": {},
    "bill_to": None,
    "ship_to": None,
    "primary_contact": None,
    "parent": None,
    "deleted_at": None,
    "merged_into": None,
}


async def test_a_name_is_enough(desk: Desk) -> None:
    """Everything else is as a customer is born: every member there, null where there is none."""
    answer = await desk.api.post(CUSTOMERS, json={"name": "Kestrel"})
    assert answer.status_code == 201
    envelope = answer.json()
    made = envelope["customer"]
    assert (envelope["changed"], envelope["equal"], envelope["ignored"]) == ([""], [], [])
    assert answer.headers["location"] == f"{CUSTOMERS}/{made['id']}"
    assert answer.headers["etag"] == '"1"'
    assert UUID(made["id"]).version == 4
    assert made["created_at"] == made["updated_at"]
    actor = str((await desk.caller()).actor)
    marks = {name: made[name] for name in ("id", "created_at", "updated_at")}
    assert made == {**BORN, **marks, "created_by": actor, "updated_by": actor}
    assert list(made) == list(MEMBERS)
    assert await desk.get(made["id"]) == made


async def test_everything_is_made_as_it_is_sent(desk: Desk) -> None:
    """Every member is read as it was sent; entries get ids, in the order sent, and pointers name them."""
    body = desk.full_body()
    parent = await desk.create()
    made = await desk.create({**body, "parent": parent["id"]})
    for member in ("addresses", "contacts"):
        marks = ("id", "created_at", "updated_at")
        blank = {"addresses": {"is_drop_ship": False}, "contacts": {}}[member]
        assert [{name: value for name, value in entry.items() if name not in marks} for entry in made[member]] == [
            {**dict.fromkeys(made[member][0].keys() - set(marks)), **blank, "attributes": {}, **entry}
            for entry in body[member]
        ]
    assert made["bill_to"] == made["addresses"][0]["id"]
    assert made["ship_to"] == made["addresses"][1]["id"]
    assert made["primary_contact"] == made["contacts"][1]["id"]
    assert made["parent"] == parent["id"]
    pointers = ("addresses", "contacts", "bill_to", "ship_to", "primary_contact")
    plain = {member: value for member, value in body.items() if member not in pointers}
    assert {member: made[member] for member in plain} == plain


async def test_a_term_by_its_name(desk: Desk) -> None:
    """Is found, ignoring case, or made along with the customer."""
    body = {"name": "A", "payment_term": {"name": "PAYMENT_TERM  1"}, "carrier": {"name": "Own truck"}}
    made = await desk.create(body)
    assert made["payment_term"] == desk.payment_terms[0]
    again = await desk.create({"name": "B", "carrier": {"name": "OWN TRUCK"}})
    assert again["carrier"] == made["carrier"]


async def test_explicit_nulls_are_kept(desk: Desk) -> None:
    """A null says that there is none, where leaving it out would choose one."""
    made = await desk.create({"name": "A", "sales_reps": desk.reps, "default_sales_rep": None})
    assert (made["sales_reps"], made["default_sales_rep"]) == (desk.reps, None)
    made = await desk.create({"name": "A", "sales_reps": desk.reps})
    assert made["default_sales_rep"] == desk.reps[0]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("/name", "required")]),
        ({"name": "A", "nick": None}, [("/nick", "unknown")]),
        ({"name": "A", "id": str(uuid4()), "version": 1}, [("/id", "read_only"), ("/version", "read_only")]),
        ({"name": "A", "addresses": [{"id": str(uuid4())}]}, [("/addresses/0/id", "unknown_id")]),
        ({"name": "A", "addresses": [{"created_at": "x"}]}, [("/addresses/0/created_at", "read_only")]),
        ({"name": "A", "addresses": {"mode": "merge", "items": []}}, [("/addresses", "type")]),
        ({"name": "A", "sales_reps": {"add": []}}, [("/sales_reps", "type")]),
        ({"name": "A", "bill_to": "/addresses/0"}, [("/bill_to", "pointer")]),
        ({"name": "A", "contacts": [{}], "bill_to": "/contacts/0"}, [("/bill_to", "pointer")]),
        ({"name": "A", "credit_limit": {"value": "5"}}, [("/credit_limit/unit", "required")]),
        ({"name": "A", "credit_limit": {"value": "5", "unit": None}}, [("/credit_limit/unit", "not_nullable")]),
        ({"name": "A", "contacts": [{"reference_id": "a"}, {"reference_id": "a"}]},
         [("/contacts/0/reference_id", "taken"), ("/contacts/1/reference_id", "taken")]),
        ({"a/b~": 1, "name": 5, "email": "x"}, [("/a~1b~0", "unknown"), ("/name", "type"), ("/email", "email")]),
    ],
)  # fmt: skip
async def test_what_is_refused(desk: Desk, body: Json, errors: list[tuple[str, str]]) -> None:
    """All that is wrong at once, by its place in the request and in its order, and nothing is made."""
    before = await desk.fingerprint()
    answer = await desk.api.post(CUSTOMERS, json=body)
    assert refusal(answer) == invalid(*errors)
    assert await desk.fingerprint() == before


async def test_a_limit_is_money(desk: Desk, other_desk: Desk) -> None:
    """A unit of another kind is refused, and so is one of another team."""
    command = to_command(await desk.caller())
    kilogram = await add_entry(desk.hub, command, "unit", EntryValues("Kilo", details=UnitDetails("mass", "kg")))
    for unit, code in ((kilogram, "wrong_type"), (other_desk.reps[0], "unknown_id")):
        body = {"name": "A", "credit_limit": {"value": "5", "unit": str(unit)}}
        assert refusal(await desk.api.post(CUSTOMERS, json=body)) == invalid(("/credit_limit/unit", code))


async def test_references_of_another_team_lead_nowhere(desk: Desk, other_desk: Desk) -> None:
    """Every one of them is refused by its own place."""
    stranger = await other_desk.create(other_desk.full_body())
    names = ("payment_term", "shipping_term", "carrier", "price_list", "type_group", "default_sales_rep", "parent")
    body: dict[str, Any] = {"name": "A", **{name: stranger[name] for name in names}, "parent": stranger["id"]}
    body |= {"sales_reps": [desk.reps[0], other_desk.reps[0]], "price_groups": stranger["price_groups"][:1]}
    found = refusal(await desk.api.post(CUSTOMERS, json=body))
    places = {*(f"/{name}" for name in names), "/sales_reps/1", "/price_groups/0"}
    assert found[:2] == (422, "invalid")
    assert {(place, "unknown_id") for place in places} == set(found[2])


@pytest.mark.parametrize("member", ["email", "number", "reference_id"])
async def test_what_is_taken(desk: Desk, customer: Json, member: str) -> None:
    """Another customer's is 409 and named."""
    before = await desk.fingerprint()
    answer = await desk.api.post(CUSTOMERS, json={"name": "A", member: customer[member]})
    assert refusal(answer) == (409, "taken", [(f"/{member}", f"{member}_taken")])
    assert problem(answer)["detail"] == f"/{member} belongs to another customer of this team"
    assert (await desk.fingerprint())["customer"] == before["customer"]


async def test_definitions_hold(desk: Desk) -> None:
    """Where the team has defined custom values of a kind, others are refused, and so are those that do not fit."""
    async with desk.hub.database.transaction() as connection:
        await connection.execute(
            "insert into catalogue_entry (team, id, kind, name, unique_key, details, created_at, updated_at,"
            " created_by, updated_by) values ($1, $2, 'attribute_definition', 'Opened', 'customer/opened',"
            ' \'{"entity": "customer", "data_type": "date_only"}\', now(), now(), $2, $2)',
            desk.team.id,
            uuid4(),
        )
        await connection.execute(
            "update team set catalogue_version = catalogue_version + 1 where id = $1", desk.team.id
        )
    body = {"name": "A", "attributes": {"Opened": "soon", "Else": "x"}, "addresses": [{"attributes": {"Else": "x"}}]}
    found = refusal(await desk.api.post(CUSTOMERS, json=body))
    assert found == invalid(("/attributes/Opened", "wrong_type"), ("/attributes/Else", "undefined"))
    made = await desk.create({"name": "A", "attributes": {"Opened": "2025-03-04"}})
    assert made["attributes"] == {"Opened": "2025-03-04"}
