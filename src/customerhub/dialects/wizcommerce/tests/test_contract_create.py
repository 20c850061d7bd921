"""POST /v1/customers: what is required, what is made, what must be unique; and what a team may decide otherwise."""

from uuid import UUID, uuid4

import pytest

from customerhub.core import admin
from customerhub.dialects.wizcommerce.tests.conftest import Clock
from customerhub.dialects.wizcommerce.tests.promises import data, defaults, fields, nothing_stored, patch
from tests.support.world import Json, World, address_body, contact_body


async def post(world: World, **members: object) -> Json:
    """The customer after a creation that must be accepted."""
    return data(await world.api.post("/v1/customers", json=members))


async def test_reference_reps_price_list_and_a_name_are_required(world: World) -> None:
    """Each one that is missing is named, and nothing is stored."""
    body = world.customer_body()
    required = ("reference_id", "assigned_sales_rep_ids", "assigned_price_list_id", "company_name")
    async with nothing_stored(world):
        assert fields(await world.api.post("/v1/customers", json={})) == list(required)
        for name in required:
            least = {member: value for member, value in body.items() if member != name}
            assert fields(await world.api.post("/v1/customers", json=least)) == [name]


async def test_one_name_fills_the_other(world: World) -> None:
    """A company without a display name shows its name as both, and the other way about."""
    body = world.customer_body()
    made = await post(world, **body)
    assert (made["name"], made["display_name"]) == (body["company_name"], body["company_name"])
    body = world.customer_body(display_name="Nordlys Oslo")
    del body["company_name"]
    made = await post(world, **body)
    assert (made["name"], made["display_name"]) == ("Nordlys Oslo", "Nordlys Oslo")


async def test_nested_records_are_made_with_their_defaults(world: World) -> None:
    """In the order sent, each with an id of its own and the one mark that was asked for."""
    body = world.full_body()
    made = await post(world, **body)
    for member in ("addresses", "contacts"):
        assert [item["reference_id"] for item in made[member]] == [item["reference_id"] for item in body[member]]
        assert len({item["id"] for item in made[member]}) == len(body[member])
    assert {address["customer_id"] for address in made["addresses"]} == {made["id"]}
    assert defaults(made) == {"billing": 0, "shipping": 1, "contact": 0}
    assert defaults(await world.create(addresses=[address_body()], contacts=[contact_body()])) == {}


async def test_nested_records_of_a_creation_are_checked_like_any(world: World) -> None:
    """Missing members, two of one reference, two marks of one kind: all named at once by their places."""
    first, second = address_body(is_default=True), address_body(is_default=True)
    second["reference_id"] = first["reference_id"]
    del second["city"]
    third = address_body(reference_id=first["reference_id"], is_default=True)
    people = [{"reference_id": "C-1"}, contact_body(is_default=True), contact_body(is_default=True)]
    async with nothing_stored(world):
        body = world.customer_body(addresses=[first, second, third], contacts=people)
        answer = await world.api.post("/v1/customers", json=body)
    assert fields(answer) == [
        "addresses[1].city",
        "addresses[2].reference_id",
        "addresses[2].is_default",
        "contacts[0].first_name",
        "contacts[0].email",
        "contacts[2].is_default",
    ]


async def test_display_ids_are_counted_and_never_given_twice(world: World) -> None:
    """`WC_` and ten digits per team; one that was typed is skipped, that of a deleted customer is not given again."""
    first = await world.create()
    typed = await world.create(display_id="WC_0000000002")
    await world.api.delete(f"/v1/customers/{first['id']}")
    made = [await world.create() for _ in range(2)]
    shown = [customer["display_id"] for customer in (first, typed, *made)]
    assert shown == ["WC_0000000001", "WC_0000000002", "WC_0000000003", "WC_0000000004"]


@pytest.mark.parametrize("member", ["reference_id", "display_id", "email"])
async def test_what_must_be_unique_is_refused_by_its_field(world: World, other_world: World, member: str) -> None:
    """400 and not 409, on POST and PATCH, also against an inactive customer; another team has its own."""
    customer, other = await world.create(world.full_body()), await world.create(world.full_body())
    taken = {member: customer[member]}
    await world.api.delete(f"/v1/customers/{customer['id']}")
    async with nothing_stored(world):
        # With a number of its own, since a refused creation may use up one of the counter's.
        body = {**world.customer_body(display_id=uuid4().hex), **taken}
        answer = await world.api.post("/v1/customers", json=body)
        assert fields(answer) == fields(await patch(world, other, **taken)) == [member]
        assert [detail["reason"] for detail in answer.json()["details"]] == ["belongs to another customer of this team"]
    assert (await other_world.create(**taken))[member] == customer[member]


async def test_an_email_is_the_same_in_any_spelling(world: World) -> None:
    """Case and the blanks around it make no other address, but it is kept as it was typed."""
    customer = await world.create(email=" Ola@Nordmann.Example ")
    assert customer["email"] == "Ola@Nordmann.Example"
    answer = await world.api.post("/v1/customers", json=world.customer_body(email="oLA@nordmann.example"))
    assert fields(answer) == ["email"]


async def test_all_that_is_taken_is_told_at_once(world: World) -> None:
    """Three values of another customer give three details, in the order of the request."""
    taken = await world.create(world.full_body())
    body = world.customer_body(**{name: taken[name] for name in ("email", "display_id", "reference_id")})
    async with nothing_stored(world):
        assert fields(await world.api.post("/v1/customers", json=body)) == ["reference_id", "email", "display_id"]


async def test_a_team_may_share_email_addresses(world: World) -> None:
    """Under the policy `free` two customers have one address; back to `unique` only once they do not."""
    await admin.change_settings(world.hub, world.team, {"email_policy": "free"})
    first = await world.create(email="post@nordlys.example")
    second = await world.create(email="post@nordlys.example")
    assert (first["email"], second["email"]) == ("post@nordlys.example", "post@nordlys.example")


async def test_a_relaxed_team_needs_no_reps_and_no_price_list(world: World) -> None:
    """The team's default list is taken, and the user behind the key is the rep; a key of nobody leaves none."""
    await admin.change_settings(world.hub, world.team, {"relaxed_create": "true"})
    least = {"reference_id": "ERP-1", "company_name": "Nordlys"}
    made = await post(world, **least)
    assert "assigned_price_list" not in made
    assert made["assigned_sales_reps"] == []
    await world.api.patch(f"/v1/price-lists/{world.price_lists[1]}", json={"is_default": True})
    email = f"ola@{uuid4().hex}.example"
    await admin.create_user(world.hub, world.team, admin.NewUser(email, "Ola", "Nordmann", "correct horse"))
    token = (await world.api.post("/auth/token", json={"email": email, "password": "correct horse"})).json()
    headers = {"X-API-Key": token["access_token"]}
    made = data(await world.api.post("/v1/customers", json={**least, "reference_id": "ERP-2"}, headers=headers))
    assert made["assigned_price_list"]["id"] == world.price_lists[1]
    assert [rep["id"] for rep in made["assigned_sales_reps"]] == [token["user"]["id"]]


async def test_a_team_may_have_null_ignored(world: World) -> None:
    """Null then counts as absent: it is no value where one is required, and keeps where one is there."""
    await admin.change_settings(world.hub, world.team, {"null_members": "ignore"})
    required = dict.fromkeys(("reference_id", "assigned_sales_rep_ids", "assigned_price_list_id", "company_name"))
    answer = await world.api.post("/v1/customers", json=required)
    assert sorted(fields(answer)) == sorted(required)
    body = world.full_body()
    body["addresses"][0]["phone"] = None
    customer = await post(world, **{**body, "display_name": None})
    assert customer["display_name"] == body["company_name"]
    nulls: Json = dict.fromkeys(body)
    nulls["addresses"] = [{"id": customer["addresses"][0]["id"], "city": None}]
    async with nothing_stored(world):
        again = await patch(world, customer, **nulls)
    assert data(again) == customer


async def test_a_team_may_have_unknown_members_refused(world: World) -> None:
    """At every depth; what only answers have is still ignored, so that a record can be sent back."""
    await admin.change_settings(world.hub, world.team, {"unknown_members": "refuse"})
    customer = await world.create(world.full_body())
    assert data(await patch(world, customer, **customer)) == customer
    async with nothing_stored(world):
        item = {"id": customer["addresses"][0]["id"], "line1": "x", "attributes": [{"name": "a", "value": "", "x": 1}]}
        answer = await patch(world, customer, companyName="x", addresses=[item], attributes=[], status="active")
    assert fields(answer) == ["companyName", "addresses[0].line1", "addresses[0].attributes[0].x"]
    definition = {"entity": "customer", "name": "Size", "data_type": "text", "configuration": {"max": 1}, "x": None}
    assert fields(await world.api.post("/v1/attributes", json=definition)) == ["configuration.max", "x"]


async def test_a_creation_is_one_change_and_one_event(timed: World, clock: Clock) -> None:
    """With a sink: one event for each version, whatever changed in it, and none for a request that changed nothing."""
    async with timed.hub.database.lease() as connection:
        await connection.execute("update team set has_sinks = true where id = $1", timed.team.id)
        customer = await timed.create(timed.full_body())
        address, contact = customer["addresses"][0]["id"], customer["contacts"][1]["id"]
        clock.forward(hours=1)
        for _ in range(2):
            nested = {"addresses": [{"id": address, "city": "Bodø"}], "contacts": [{"id": contact, "phone": "+12"}]}
            data(await patch(timed, customer, payment_mode="Wire", **nested))
        events = await connection.fetch(
            "select type, version from event where team = $1 and customer = $2 order by version",
            timed.team.id,
            UUID(customer["id"]),
        )
        paths = await connection.fetchval(
            """
            select array_agg(c ->> 'path' order by c ->> 'path') from change, jsonb_array_elements(changes) as c
            where team = $1 and customer = $2 and version = 2
            """,
            timed.team.id,
            UUID(customer["id"]),
        )
    assert [tuple(event) for event in events] == [("customer.created", 1), ("customer.updated", 2)]
    assert paths == [f"/addresses/{address}/city", f"/contacts/{contact}/phone", "/payment_mode"]
