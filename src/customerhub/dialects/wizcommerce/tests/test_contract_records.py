"""Addresses and contacts at their own endpoints: what POST adds, what PUT wipes, what DELETE leaves behind."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from customerhub.dialects.wizcommerce import routes
from customerhub.dialects.wizcommerce.tests.conftest import Clock
from customerhub.dialects.wizcommerce.tests.promises import data, defaults, fields, nothing_stored, patched
from tests.support.world import Json, World, address_body, contact_body

BOTH = pytest.mark.parametrize(("member", "make"), [("addresses", address_body), ("contacts", contact_body)])


def test_updates_answer_201_everywhere() -> None:
    """Every PATCH and PUT answers 201 as the contract says, every DELETE 204."""
    statuses = {operation.method: set[int]() for operation in routes.OPERATIONS}
    for operation in routes.OPERATIONS:
        statuses[operation.method].add(operation.status)
    assert (statuses["PATCH"], statuses["PUT"], statuses["DELETE"]) == ({201}, {201}, {204})


@BOTH
async def test_a_new_record_is_the_customers_next_version(world: World, member: str, make: Any) -> None:
    """It stands last, the customer's tag and time move, everything else of the customer stays."""
    customer = await world.create(world.full_body())
    answer = await world.api.post(f"/v1/customers/{customer['id']}/{member}", json=make())
    made = data(answer)
    assert (answer.headers["etag"], made["is_default"]) == ('"2"', False)
    after = await world.get(customer["id"])
    assert after[member] == [*customer[member], made]
    untouched = set(customer) - {member, "updated_at"}
    assert {name: after[name] for name in untouched} == {name: customer[name] for name in untouched}


@BOTH
async def test_the_single_record_is_the_one_in_the_customer(world: World, member: str, make: Any) -> None:
    """Read at its own endpoint it is as it stands in the customer, with the customer's tag."""
    customer = await world.create(world.full_body())
    for record in customer[member]:
        answer = await world.api.get(f"/v1/customers/{customer['id']}/{member}/{record['id']}")
        assert (data(answer, 200), answer.headers["etag"]) == (record, '"1"')


@BOTH
async def test_put_wipes_what_it_does_not_name(timed: World, clock: Clock, member: str, make: Any) -> None:
    """The least body leaves nothing of the rest but id, times of birth and the mark; again it changes nothing."""
    customer = await timed.create(timed.full_body())
    record = customer[member][0]
    required = {"addresses": ("reference_id", "address_line_1", "city", "type"), "contacts": ("reference_id",)}
    body = {name: make()[name] for name in (*required[member], *(["first_name", "email"] * (member == "contacts")))}
    path = f"/v1/customers/{customer['id']}/{member}/{record['id']}"
    clock.forward(hours=1)
    after = data(await timed.api.put(path, json=body))
    kept = {"id", "customer_id", "status", "is_default", "created_at"} & set(record)
    assert {name: after[name] for name in kept} == {name: record[name] for name in kept}
    assert after["updated_at"] > record["updated_at"]
    rest = set(after) - kept - set(body) - {"updated_at", "attributes"}
    assert {after[name] for name in rest} == {""}
    assert after["attributes"] == []
    async with nothing_stored(timed):
        assert data(await timed.api.put(path, json=body)) == after


@BOTH
async def test_put_needs_what_post_needs(world: World, member: str, make: Any) -> None:
    """An address without a street is no address: refused by every member that is missing, nothing wiped."""
    customer = await world.create(world.full_body())
    path = f"/v1/customers/{customer['id']}/{member}"
    required = {"addresses": {"reference_id", "address_line_1", "city", "type"}}
    async with nothing_stored(world):
        for answer in (
            await world.api.put(f"{path}/{customer[member][0]['id']}", json={}),
            await world.api.post(path, json={}),
        ):
            assert set(fields(answer)) == required.get(member, {"reference_id", "first_name", "email"})


@BOTH
async def test_a_mark_is_taken_and_given_up_at_the_record_itself(world: World, member: str, make: Any) -> None:
    """POST and PUT with `is_default` true take it, false gives it up, left out keeps it."""
    customer = await world.create(world.full_body())
    key = "billing" if member == "addresses" else "contact"
    path = f"/v1/customers/{customer['id']}/{member}"
    made = data(await world.api.post(path, json=make(is_default=True)))
    place = len(customer[member])
    assert defaults(await world.get(customer["id"])) == {**defaults(customer), key: place}
    body = make()
    assert data(await world.api.put(f"{path}/{made['id']}", json=body))["is_default"] is True
    data(await world.api.put(f"{path}/{customer[member][0]['id']}", json={**make(), "is_default": True}))
    assert defaults(await world.get(customer["id"])) == defaults(customer)
    data(await world.api.put(f"{path}/{customer[member][0]['id']}", json={**make(), "is_default": False}))
    given_up = {name: value for name, value in defaults(customer).items() if name != key}
    assert defaults(await world.get(customer["id"])) == given_up


@BOTH
async def test_a_removed_record_is_gone_and_its_mark_moves_on(world: World, member: str, make: Any) -> None:
    """404 afterwards, in the customer no more, its reference free; the first left of its kind is the default."""
    customer = await world.create(world.full_body())
    first, heir = customer[member][0], customer[member][2 if member == "addresses" else 1]
    path = f"/v1/customers/{customer['id']}/{member}"
    answer = await world.api.delete(f"{path}/{first['id']}")
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (204, b"", '"2"')
    after = await world.get(customer["id"])
    assert first["id"] not in {record["id"] for record in after[member]}
    assert {record["id"]: record["is_default"] for record in after[member]}[heir["id"]] is True
    assert defaults(after)["shipping"] == (0 if member == "addresses" else 1)
    async with nothing_stored(world):
        assert (await world.api.delete(f"{path}/{first['id']}")).status_code == 404
    data(await world.api.post(path, json=make(reference_id=first["reference_id"])))


async def test_the_last_of_a_kind_leaves_no_default(world: World) -> None:
    """The only shipping address removed: there is no default shipping address, and billing is as it was."""
    customer = await world.create(world.full_body())
    path = f"/v1/customers/{customer['id']}/addresses/{customer['addresses'][1]['id']}"
    assert (await world.api.delete(path)).status_code == 204
    assert defaults(await world.get(customer["id"])) == {"billing": 0, "contact": 0}


async def test_version_2_answers_without_status(world: World) -> None:
    """The same body, the same record; only `status` is not in the answer."""
    customer = await world.create()
    made = data(await world.api.post(f"/v2/customers/{customer['id']}/addresses", json=address_body()))
    (shown,) = (await world.get(customer["id"]))["addresses"]
    assert shown == {**made, "status": "active"}
    assert "status" not in made


@BOTH
async def test_custom_values_of_a_record_merge_by_patch_and_not_by_put(world: World, member: str, make: Any) -> None:
    """A value that stays keeps its id and birth; PATCH adds and changes by name, PUT takes away what it lacks."""
    body = make(attributes=[{"name": "Dock", "value": "3"}, {"name": "Gate", "value": "1"}])
    customer = await world.create(world.customer_body() | {member: [body]})
    record = customer[member][0]
    dock, gate = record["attributes"]
    values = [{"name": "Gate", "value": "2"}, {"name": "Lift", "value": ""}]
    (after,) = (await patched(world, customer, **{member: [{"id": record["id"], "attributes": values}]}))[member]
    assert after["attributes"][0] == dock
    assert after["attributes"][1] == {**gate, "value": "2", "updated_at": after["attributes"][1]["updated_at"]}
    assert (after["attributes"][2]["name"], after["attributes"][2]["value"]) == ("Lift", "")
    path = f"/v1/customers/{customer['id']}/{member}/{record['id']}"
    after = data(await world.api.put(path, json={**body, "attributes": [{"name": "Dock", "value": "3"}]}))
    assert after["attributes"] == [dock]


async def test_an_address_without_a_type_keeps_its_look(world: World) -> None:
    """One that came through another door is billing while bills go to it, and also when they leave it."""
    customer = await world.create(world.full_body())
    async with world.hub.database.lease() as connection:
        await connection.execute(
            "update customer set addresses = addresses #- '{0,type}' where team = $1 and id = $2",
            world.team.id,
            UUID(customer["id"]),
        )
    assert await world.get(customer["id"]) == customer
    chosen = await patched(world, customer, default_billing_address_id=customer["addresses"][2]["id"])
    assert [address["type"] for address in chosen["addresses"]] == ["billing", "shipping", "billing"]
    assert defaults(chosen)["billing"] == 2


@BOTH
async def test_records_are_found_under_their_own_customer_only(
    world: World, other_world: World, member: str, make: Any
) -> None:
    """Under another customer, another team's, an unknown id, no id at all: 404 with one same body, nothing changed."""
    customer, other = await world.create(world.full_body()), await world.create(world.full_body())
    foreign = await other_world.create(other_world.full_body())
    pairs = [
        (other["id"], customer[member][0]["id"]),
        (foreign["id"], foreign[member][0]["id"]),
        (customer["id"], str(uuid4())),
        (customer["id"], "x"),
        (str(uuid4()), customer[member][0]["id"]),
    ]
    bodies: set[bytes] = set()
    async with nothing_stored(world):
        for owner, record in pairs:
            path = f"/v1/customers/{owner}/{member}/{record}"
            sent: Json = make()
            answers = (
                await world.api.get(path),
                await world.api.put(path, json=sent),
                await world.api.delete(path),
            )
            assert [answer.status_code for answer in answers] == [404, 404, 404]
            bodies |= {answer.content for answer in answers}
    assert bodies == {b'{"code":"NOT_FOUND","message":"No such record","details":[]}'}
