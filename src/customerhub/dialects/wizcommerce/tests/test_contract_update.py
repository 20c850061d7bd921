"""PATCH: what merges, what is chosen, what is refused as a whole, and what repeats without effect."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from customerhub.dialects.wizcommerce import wire
from customerhub.dialects.wizcommerce.tests.conftest import Clock
from customerhub.dialects.wizcommerce.tests.field_table import members
from customerhub.dialects.wizcommerce.tests.promises import data, defaults, fields, nothing_stored, patch, patched
from tests.support.world import Json, World, address_body, contact_body


def published_request(world: World, customer: Json) -> Json:
    """A request with every member that the published page of Update Customer has, and the page's own sample values."""
    address: Json = {
        "id": customer["addresses"][1]["id"],
        "reference_id": "ADDR123",
        "first_name": "John",
        "last_name": "Doe",
        "phone": "+14155552671",
        "email": "john.doe@example.com",
        "address_line_1": "123 Main St",
        "address_line_2": "Apt 101",
        "city": "Anytown",
        "state": "CA",
        "country": "US",
        "zip_code": "12345",
        "type": "billing",
        "is_default": True,
        "attributes": [{"name": "1234567890", "value": "red"}],
    }
    contact: Json = {
        "id": customer["contacts"][1]["id"],
        "reference_id": "CUS123",
        "first_name": "John",
        "last_name": "Doe",
        "email": "john.doe@example.com",
        "phone": "+14155552671",
        "designation": "Sales Manager",
        "is_default": True,
        "attributes": [{"name": "1234567890", "value": "red"}],
    }
    return {
        "company_name": "Company Name",
        "display_name": "Customer Display Name",
        "display_id": "1234567890",
        "freight_term": "Cust. Pickup",
        "shipping_method": "DHL",
        "payment_mode": "AMEX",
        "payment_term": "NET30",
        "primary_contact_id": contact["id"],
        "default_shipping_address_id": customer["addresses"][3]["id"],
        "default_billing_address_id": address["id"],
        "reference_id": "CUS123",
        "assigned_sales_rep_ids": list(reversed(world.reps)),
        "assigned_price_list_id": world.price_lists[1],
        "first_name": "John",
        "last_name": "Doe",
        "phone": "+14155552671",
        "email": "john.doe@example.com",
        "addresses": [address],
        "contacts": [contact],
        "attributes": [{"name": "1234567890", "value": "red"}],
    }


async def test_the_published_request_is_answered_and_repeats_without_effect(timed: World, clock: Clock) -> None:
    """Every published member at once: 201 and all of it read back; again: the same record, no new version."""
    body = timed.full_body()
    body["addresses"].append(address_body(type="shipping"))
    customer = await timed.create(body)
    request = published_request(timed, customer)
    assert sorted(request) == members(wire.CustomerEdit)
    assert sorted(request["addresses"][0]) == members(wire.AddressEdit)
    assert sorted(request["contacts"][0]) == members(wire.ContactEdit)
    clock.forward(hours=1)
    first = await patch(timed, customer, **request)
    shown = data(first)
    plain = {name for name, value in request.items() if isinstance(value, str) and not name.endswith("_id")}
    assert {name: shown["name" if name == "company_name" else name] for name in plain} == {
        name: request[name] for name in plain
    }
    assert (shown["display_id"], shown["reference_id"]) == ("1234567890", "CUS123")
    assert [rep["id"] for rep in shown["assigned_sales_reps"]] == request["assigned_sales_rep_ids"]
    assert shown["assigned_price_list"]["id"] == request["assigned_price_list_id"]
    assert defaults(shown) == {"billing": 1, "shipping": 3, "contact": 1}
    for member in ("addresses", "contacts"):
        told = {**shown[member][1], "attributes": [{"name": "1234567890", "value": "red"}]}
        assert told == {**told, **request[member][0]}
    clock.forward(hours=1)
    again = await patch(timed, customer, **request)
    assert (again.content, again.headers["etag"]) == (first.content, '"2"')
    assert await timed.versions(customer["id"]) == [1, 2]


async def test_members_not_sent_stay(world: World) -> None:
    """Only what is named changes: at the top, in the nested record that is named, and in no other."""
    customer = await world.create(world.full_body())
    third = customer["addresses"][2]
    after = await patched(world, customer, phone="+4755010203", addresses=[{"id": third["id"], "city": "Bodø"}])
    expected = {**customer, "phone": "+4755010203", "updated_at": after["updated_at"]}
    changed = {**third, "city": "Bodø", "updated_at": after["addresses"][2]["updated_at"]}
    assert after == {**expected, "addresses": [*customer["addresses"][:2], changed]}


@pytest.mark.parametrize("member", ["addresses", "contacts"])
async def test_a_nested_item_must_name_a_record_of_this_customer(world: World, member: str) -> None:
    """No id, an unknown id, another customer's id, the same id twice: refused by the place, nothing is made of it."""
    customer, other = await world.create(world.full_body()), await world.create(world.full_body())
    own = {"id": customer[member][0]["id"]}
    ids: list[Json] = [{}, {"id": str(uuid4())}, {"id": "x"}, {"id": other[member][0]["id"]}, own, {"id": ""}]
    items = [own, *({**item, "first_name": "Nora"} for item in ids)]
    async with nothing_stored(world):
        answer = await patch(world, customer, **{member: items})
    assert fields(answer) == [f"{member}[{place}].id" for place in range(1, 7)]


async def test_a_list_of_reps_replaces_the_whole_list(world: World) -> None:
    """In the order sent, each once; an unknown rep is refused by its place."""
    customer = await world.create()
    first, second = world.reps
    after = await patched(world, customer, assigned_sales_rep_ids=[second, first, second])
    assert [rep["id"] for rep in after["assigned_sales_reps"]] == [second, first]
    after = await patched(world, customer, assigned_sales_rep_ids=[first])
    assert [rep["id"] for rep in after["assigned_sales_reps"]] == [first]
    async with nothing_stored(world):
        answer = await patch(world, customer, assigned_sales_rep_ids=[second, str(uuid4()), "x"])
    assert fields(answer) == ["assigned_sales_rep_ids[1]", "assigned_sales_rep_ids[2]"]


async def test_choosing_a_default_demotes_the_former_one(world: World) -> None:
    """By id members or by flags: one default of each type and one contact, the others lose the mark."""
    customer = await world.create(world.full_body())
    assert defaults(customer) == {"billing": 0, "shipping": 1, "contact": 0}
    billing, contact = customer["addresses"][2]["id"], customer["contacts"][1]["id"]
    by_id = await patched(world, customer, default_billing_address_id=billing, primary_contact_id=contact)
    assert defaults(by_id) == {"billing": 2, "shipping": 1, "contact": 1}
    flags = {"addresses": [{"id": customer["addresses"][0]["id"], "is_default": True}]}
    flags["contacts"] = [{"id": customer["contacts"][0]["id"], "is_default": True}]
    assert defaults(await patched(world, customer, **flags)) == defaults(customer)


async def test_a_default_can_be_given_up(world: World) -> None:
    """`is_default` false on the default leaves none of its kind; on another one it says what is so already."""
    customer = await world.create(world.full_body())
    items = [{"id": address["id"], "is_default": False} for address in customer["addresses"]]
    contacts = [{"id": contact["id"], "is_default": False} for contact in customer["contacts"]]
    assert defaults(await patched(world, customer, addresses=items[2:], contacts=contacts[1:])) == defaults(customer)
    assert defaults(await patched(world, customer, addresses=items[:1], contacts=contacts[:1])) == {"shipping": 1}


async def test_a_default_must_be_an_own_record_of_its_type(world: World) -> None:
    """Another type, another customer, nobody: refused by the member."""
    customer, other = await world.create(world.full_body()), await world.create(world.full_body())
    members = ("default_billing_address_id", "default_shipping_address_id", "primary_contact_id")
    wrong = (customer["addresses"][1], customer["addresses"][0], customer["addresses"][0])
    foreign = (other["addresses"][0], other["addresses"][1], other["contacts"][0])
    async with nothing_stored(world):
        for records in (wrong, foreign, [{"id": str(uuid4())}] * 3, [{"id": "x"}] * 3):
            request = {member: record["id"] for member, record in zip(members, records, strict=True)}
            assert fields(await patch(world, customer, **request)) == list(members)


async def test_contradicting_defaults_are_refused(world: World) -> None:
    """Two marks of one kind, or a member that says another one than the flags: no silent winner."""
    customer = await world.create(world.full_body())
    first, shipping, third = (address["id"] for address in customer["addresses"])
    yes, no = {"is_default": True}, {"is_default": False}
    people = [contact["id"] for contact in customer["contacts"]]
    requests: list[tuple[Json, list[str]]] = [
        ({"addresses": [{"id": first, **yes}, {"id": third, **yes}]}, ["addresses[1].is_default"]),
        (
            {"addresses": [{"id": first, **yes}, {"id": shipping, **yes, "type": "billing"}]},
            ["addresses[1].is_default"],
        ),
        ({"default_billing_address_id": third, "addresses": [{"id": first, **yes}]}, ["addresses[0].is_default"]),
        ({"default_billing_address_id": third, "addresses": [{"id": third, **no}]}, ["addresses[0].is_default"]),
        ({"contacts": [{"id": people[0], **yes}, {"id": people[1], **yes}]}, ["contacts[1].is_default"]),
        ({"primary_contact_id": people[1], "contacts": [{"id": people[0], **yes}]}, ["contacts[0].is_default"]),
    ]
    async with nothing_stored(world):
        for request, named in requests:
            assert fields(await patch(world, customer, **request)) == named


async def test_nested_edits_come_before_defaults(world: World) -> None:
    """One request turns a shipping address into the default billing address; its old mark is gone."""
    customer = await world.create(world.full_body())
    shipping = customer["addresses"][1]["id"]
    request = {"default_billing_address_id": shipping, "addresses": [{"id": shipping, "type": "billing"}]}
    assert defaults(await patched(world, customer, **request)) == {"billing": 1, "contact": 0}


async def test_all_errors_are_told_at_once_in_the_order_of_the_request(world: World) -> None:
    """Three wrong fields among right ones give exactly three details, and nothing is stored of the right ones."""
    customer = await world.create(world.full_body())
    request = {
        "first_name": "Nora",
        "contacts": [{"id": customer["contacts"][0]["id"], "designation": "x" * 51, "first_name": "Nora"}],
        "assigned_price_list_id": str(uuid4()),
        "addresses": [{"id": customer["addresses"][0]["id"]}, {"id": customer["addresses"][1]["id"], "phone": "22"}],
        "payment_term": "NET90",
    }
    async with nothing_stored(world):
        answer = await patch(world, customer, **request)
    assert fields(answer) == ["contacts[0].designation", "assigned_price_list_id", "addresses[1].phone"]
    assert answer.json()["details"] == [
        {"field": "contacts[0].designation", "reason": "must be at most 50 characters"},
        {"field": "assigned_price_list_id", "reason": "no such price list"},
        {"field": "addresses[1].phone", "reason": "must be E.164, for example +4722334455"},
    ]


async def test_a_request_that_changes_nothing_writes_nothing(timed: World, clock: Clock) -> None:
    """`{}` and the record as it was read, with all that only answers have: the same bytes, the same tag."""
    customer = await timed.create(timed.full_body())
    answer = await timed.api.get(f"/v1/customers/{customer['id']}")
    clock.forward(days=1)
    async with nothing_stored(timed):
        for request in ({}, customer, {**customer, "company_name": customer["name"]}):
            again = await patch(timed, customer, **request)
            assert (again.status_code, again.content, again.headers["etag"]) == (201, answer.content, '"1"')


async def test_what_came_through_another_door_may_be_sent_back(world: World) -> None:
    """A phone and a country in a form of their own pass as they were read, also by PUT; changed they must be right."""
    customer = await world.create(world.full_body())
    async with world.hub.database.lease() as connection:
        await connection.execute(
            """
            update customer set phone = '22 33 44 55',
                addresses = jsonb_set(addresses, '{0}', addresses -> 0 || '{"country": "Norge", "phone": "22"}')
            where team = $1 and id = $2
            """,
            world.team.id,
            UUID(customer["id"]),
        )
    shown = await world.get(customer["id"])
    assert (shown["phone"], shown["addresses"][0]["country"]) == ("22 33 44 55", "Norge")
    async with nothing_stored(world):
        assert await patched(world, customer, **shown) == shown
        address = shown["addresses"][0]
        path = f"/v1/customers/{customer['id']}/addresses/{address['id']}"
        assert data(await world.api.put(path, json=address)) == address
        assert fields(await patch(world, customer, phone="22 33 44 56")) == ["phone"]


async def test_name_is_read_and_company_name_is_written(world: World) -> None:
    """`name` in a request has no effect; a display name of its own stays, one that nobody gave follows."""
    customer = await world.create(company_name="Nordlys AS")
    assert (customer["name"], customer["display_name"]) == ("Nordlys AS", "Nordlys AS")
    assert await patched(world, customer, name="Other") == customer
    after = await patched(world, customer, company_name="Fjordglass AS")
    assert (after["name"], after["display_name"]) == ("Fjordglass AS", "Fjordglass AS")
    after = await patched(world, customer, display_name="Glass", company_name="Fjordglass SA")
    after = await patched(world, customer, company_name="Fjord")
    assert (after["name"], after["display_name"]) == ("Fjord", "Glass")


async def test_a_term_is_found_ignoring_case_and_made_where_it_is_new(world: World) -> None:
    """The first spelling stays; a refused request leaves no new term behind."""
    customer, other = await world.create(payment_term="NET45"), await world.create()
    assert (await patched(world, other, payment_term="net45"))["payment_term"] == "NET45"
    async with nothing_stored(world):
        assert fields(await patch(world, other, payment_term="NET46", phone="x")) == ["phone"]
    assert (await patched(world, customer, payment_term="Net46 "))["payment_term"] == "Net46"
    assert (await patched(world, customer, payment_term=""))["payment_term"] == ""


@pytest.mark.parametrize(("member", "make"), [("addresses", address_body), ("contacts", contact_body)])
async def test_a_reference_stands_once_within_its_customer(world: World, member: str, make: Any) -> None:
    """Another record's reference is refused in PATCH, POST and PUT; two may swap theirs; another customer's is free."""
    customer, other = await world.create(world.full_body()), await world.create(world.full_body())
    first, second = customer[member][:2]
    path = f"/v1/customers/{customer['id']}/{member}"
    taken = first["reference_id"]
    async with nothing_stored(world):
        items = [{"id": second["id"], "reference_id": taken}]
        assert fields(await patch(world, customer, **{member: items})) == [f"{member}[0].reference_id"]
        assert fields(await world.api.post(path, json=make(reference_id=taken))) == ["reference_id"]
        assert fields(await world.api.put(f"{path}/{second['id']}", json=make(reference_id=taken))) == ["reference_id"]
    swapped = [{"id": first["id"], "reference_id": second["reference_id"]}, *items]
    after = await patched(world, customer, **{member: swapped})
    assert [item["reference_id"] for item in after[member][:2]] == [second["reference_id"], taken]
    foreign = other[member][0]["reference_id"]
    data(await world.api.post(path, json=make(reference_id=foreign)))


async def test_two_requests_for_different_members_both_count(world: World) -> None:
    """The later request does not bring back what it read before the earlier one."""
    customer = await world.create(world.full_body())
    await patched(world, customer, phone="+4755010203")
    after = await patched(world, customer, payment_term="NET90")
    assert (after["phone"], after["payment_term"]) == ("+4755010203", "NET90")
