"""PUT: what is sent changes, what is not stays; addresses as wholes, contacts not at all."""

import pytest

from tests.support.count import Json, Partner, address_body
from tests.support.world import World
from tests.support.world import address_body as other_address_body


def told(answer: Json) -> list[tuple[str, str]]:
    """Fields and reasons of an answer's warnings."""
    return [(item["field"], item["reason"]) for item in answer.get("_partnerWarnings", [])]


async def addresses(partner: Partner, world: World, customer: Json) -> list[Json]:
    """All addresses of a customer, as the other door sees them."""
    found: list[Json] = (await world.get(customer["uuid"]))["addresses"]
    return found


async def test_only_what_is_sent_changes(partner: Partner) -> None:
    """One member moves, the others stay, and so does an inactive status."""
    made = await partner.create({**partner.full_body(), "status": "inactive"})
    changed = await partner.put(made["uuid"], customer="Zoë's Bakery Ltd")
    assert changed.pop("updatedAt") > made["updatedAt"]
    assert changed == {**{name: made[name] for name in changed}, "customer": "Zoë's Bakery Ltd"}


@pytest.mark.parametrize("value", [None, "", "  "])
@pytest.mark.parametrize("member", ["mainPhone", "website", "notes", "paymentTerm", "taxNumber"])
async def test_null_and_blank_text_take_away(partner: Partner, member: str, value: str | None) -> None:
    """Both are null when read."""
    made = await partner.create(partner.full_body())
    assert made[member] is not None
    assert (await partner.put(made["uuid"], **{member: value}))[member] is None


async def test_the_whole_object_sent_back_changes_nothing(partner: Partner, world: World) -> None:
    """GET then PUT: 200, the same record and time, and a warning for each member that a PUT cannot set."""
    made = await partner.create(partner.full_body())
    before = await world.fingerprint()
    answer = await partner.api.put(f"/partners/customers/{made['uuid']}", json=made)
    data = answer.json()["data"]
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    assert told(data) == [(name, "internal_only") for name in ("uuid", "id", "contacts", "createdAt", "updatedAt")]
    assert {**data, "_partnerWarnings": None} == {**made, "_partnerWarnings": None}
    again = await partner.api.put(f"/partners/customers/{made['uuid']}", json=data)
    assert again.json()["data"]["updatedAt"] == made["updatedAt"]
    assert await world.fingerprint() == before


async def test_a_customer_of_another_door_goes_round(partner: Partner, world: World) -> None:
    """No email address, two-line addresses, a free-form phone: the whole object sent back is a no-op all the same."""
    full = world.full_body()
    full["addresses"][0]["address_line_2"] = "x" * 255
    full["addresses"][0]["address_line_1"] = "y" * 255
    for body in (world.customer_body(), full):
        made = await world.create(body)
        async with partner.hub.database.lease() as connection:
            await connection.execute(
                "update customer set phone = $3, website = $3 where team = $1 and id = $2",
                world.team.id,
                made["id"],
                "ask for Mara, " * 40,
            )
        shown = await partner.get(made["id"])
        before = await world.fingerprint()
        answer = await partner.api.put(f"/partners/customers/{made['id']}", json=shown)
        assert (answer.status_code, answer.headers["etag"]) == (200, '"1"'), answer.text
        assert await world.fingerprint() == before


async def test_a_shown_member_passes_beside_a_changed_one(partner: Partner, world: World) -> None:
    """A street longer than the limit stays valid while it stands, also when another member of its address changes."""
    address = other_address_body(address_line_1="y" * 255, address_line_2="x" * 255, is_default=True)
    made = await world.create(addresses=[address])
    shown = (await partner.get(made["id"]))["billingAddress"]
    changed = await partner.put(made["id"], billingAddress={**shown, "city": "Bergen"})
    assert changed["billingAddress"] == {**shown, "city": "Bergen"}
    kept = (await world.get(made["id"]))["addresses"][0]
    assert (kept["id"], kept["address_line_2"]) == (made["addresses"][0]["id"], "x" * 255)


@pytest.mark.parametrize("member", ["customer", "email", "status", "taxAutoCalculate", "taxExcluded"])
async def test_null_is_refused_where_there_always_is_a_value(partner: Partner, member: str) -> None:
    """400 with the field, and nothing changes."""
    made = await partner.create()
    answer = await partner.api.put(f"/partners/customers/{made['uuid']}", json={member: None})
    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(member, "not_nullable")]
    assert await partner.get(made["uuid"]) == made


async def test_contacts_are_left_alone(partner: Partner) -> None:
    """Whatever the array holds: 200 with a warning; what is no array is 400."""
    made = await partner.create(partner.full_body())
    for contacts in ([], [5], [{"firstName": "X"}]):
        data = await partner.put(made["uuid"], contacts=contacts)
        assert told(data) == [("contacts", "internal_only")]
        assert (data["contacts"], data["updatedAt"]) == (made["contacts"], made["updatedAt"])
    wrongs: tuple[object, ...] = (None, {}, "x")
    for wrong in wrongs:
        answer = await partner.api.put(f"/partners/customers/{made['uuid']}", json={"contacts": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "contacts")


async def test_an_address_is_replaced_whole_and_in_place(partner: Partner, world: World) -> None:
    """Members left out turn null; id, reference, names, phone, email and custom values stay."""
    full = world.full_body()
    made = await world.create(full)
    changed = await partner.put(made["id"], billingAddress={"street": "1 New Road", "country": "New Zealand"})
    assert changed["billingAddress"] == {
        "street": "1 New Road",
        "city": None,
        "state": None,
        "zipCode": None,
        "country": "New Zealand",
    }
    before, after = made["addresses"][0], (await world.get(made["id"]))["addresses"][0]
    seen = {"address_line_1", "address_line_2", "city", "state", "zip_code", "country", "updated_at"}
    assert {k: v for k, v in after.items() if k not in seen} == {k: v for k, v in before.items() if k not in seen}
    assert (await world.get(made["id"]))["addresses"][1:] == made["addresses"][1:]


@pytest.mark.parametrize("nothing", [None, {}, {"street": "", "city": "  ", "country": None}])
async def test_no_address_clears_the_pointer_and_keeps_the_address(
    partner: Partner, world: World, nothing: Json | None
) -> None:
    """The address stays for the other systems, and the same object names it again."""
    made = await partner.create(partner.full_body())
    kept = await addresses(partner, world, made)
    cleared = await partner.put(made["uuid"], billingAddress=nothing)
    assert (cleared["billingAddress"], cleared["shippingAddress"]) == (None, made["shippingAddress"])
    assert [a["id"] for a in await addresses(partner, world, made)] == [a["id"] for a in kept]
    again = await partner.put(made["uuid"], billingAddress=made["billingAddress"])
    assert again["billingAddress"] == made["billingAddress"]
    assert await addresses(partner, world, made) == kept


async def test_another_object_after_null_is_a_new_address(partner: Partner, world: World) -> None:
    """Nothing that the customer has reads so."""
    made = await partner.create(billingAddress=address_body())
    await partner.put(made["uuid"], billingAddress=None)
    await partner.put(made["uuid"], billingAddress=address_body(city="York"))
    assert [(a["city"], a["is_default"]) for a in await addresses(partner, world, made)] == [
        ("Whitby", False),
        ("York", True),
    ]


async def share(partner: Partner, world: World) -> Json:
    """A customer whose pointers name one address, with a name that only the other door sees."""
    made = await world.create(addresses=[other_address_body(first_name="Kari", is_default=True)])
    shown = await partner.get(made["id"])
    return await partner.put(made["id"], shippingAddress=shown["billingAddress"])


async def test_an_address_of_both_pointers_is_copied(partner: Partner, world: World) -> None:
    """The other pointer keeps it as it is; the copy has its names and not its reference."""
    shared = await share(partner, world)
    assert len(await addresses(partner, world, shared)) == 1
    changed = await partner.put(shared["uuid"], shippingAddress=address_body())
    assert changed["billingAddress"] == shared["billingAddress"]
    assert changed["shippingAddress"] == address_body()
    first, second = await addresses(partner, world, shared)
    assert (first["type"], first["first_name"], first["is_default"]) == ("billing", "Kari", True)
    assert (second["type"], second["first_name"], second["reference_id"]) == ("shipping", "Kari", "")
    assert second["is_default"] is True


async def test_an_address_of_both_pointers_set_alike_stays_one(partner: Partner, world: World) -> None:
    """Nobody needs it as it was, so it is changed in place."""
    shared = await share(partner, world)
    new = address_body()
    changed = await partner.put(shared["uuid"], billingAddress=new, shippingAddress=new)
    assert (changed["billingAddress"], changed["shippingAddress"]) == (new, new)
    assert len(await addresses(partner, world, shared)) == 1


async def test_an_address_of_both_pointers_set_apart_becomes_two(partner: Partner, world: World) -> None:
    """And none is left over."""
    shared = await share(partner, world)
    one, two = address_body(), address_body(city="York")
    changed = await partner.put(shared["uuid"], billingAddress=one, shippingAddress=two)
    assert (changed["billingAddress"], changed["shippingAddress"]) == (one, two)
    assert len(await addresses(partner, world, shared)) == 2


async def test_pointers_may_change_places(partner: Partner) -> None:
    """An address that is being changed is not taken for one that reads so."""
    one, two = address_body(), address_body(city="York")
    made = await partner.create(billingAddress=one, shippingAddress=two)
    swapped = await partner.put(made["uuid"], billingAddress=two, shippingAddress=one)
    assert (swapped["billingAddress"], swapped["shippingAddress"]) == (two, one)
    await partner.put(made["uuid"], billingAddress=None)
    moved = await partner.put(made["uuid"], billingAddress=one, shippingAddress=two)
    assert (moved["billingAddress"], moved["shippingAddress"]) == (one, two)


async def test_a_street_has_two_lines(partner: Partner, world: World) -> None:
    """Split at the first line feed; without one the second line is cleared."""
    made = await partner.create(billingAddress={"street": "a\nb\nc"})
    (address,) = await addresses(partner, world, made)
    assert (address["address_line_1"], address["address_line_2"]) == ("a", "b\nc")
    await partner.put(made["uuid"], billingAddress={"street": "a"})
    (address,) = await addresses(partner, world, made)
    assert (address["address_line_1"], address["address_line_2"]) == ("a", "")


async def test_a_name_given_elsewhere_is_the_customer_here(partner: Partner, world: World) -> None:
    """And the other way round."""
    made = await partner.create()
    await world.api.patch(f"/v1/customers/{made['uuid']}", json={"company_name": "Renamed", "payment_term": "NET9"})
    shown = await partner.get(made["uuid"])
    assert (shown["customer"], shown["paymentTerm"]) == ("Renamed", "NET9")
    await partner.put(made["uuid"], customer="Back", paymentTerm="net9")
    other = await world.get(made["uuid"])
    assert (other["name"], other["payment_term"]) == ("Back", "NET9")


async def test_wrong_fields_come_before_a_missing_customer(partner: Partner) -> None:
    """The contract orders its checks: id, JSON, fields, then the record."""
    path = "/partners/customers/b3d1f0a2-6c47-4e1b-9f58-2a7c0d9e4b16"
    wrong = await partner.api.put(path, json={"status": "paused"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "validation_error")
    broken = await partner.api.put(path, content=b"{", headers={"content-type": "application/json"})
    assert (broken.status_code, broken.json()["code"]) == (400, "invalid_json")
    missing = await partner.api.put(path, json={"status": "inactive"})
    assert (missing.status_code, missing.json()["code"]) == (404, "customer_not_found")


async def test_guards_of_an_update(partner: Partner) -> None:
    """Tag, key and dry run as everywhere, with the codes of this contract."""
    made = await partner.create()
    path = f"/partners/customers/{made['uuid']}"
    stale = await partner.api.put(path, json={"customer": "x"}, headers={"If-Match": '"9"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    tried = await partner.api.put(path, json={"customer": "x"}, headers={"Customerhub-Dry-Run": "true"})
    assert (tried.status_code, tried.json()["data"]["customer"]) == (200, "x")
    assert await partner.get(made["uuid"]) == made
    done = await partner.api.put(path, json={"customer": "x"}, headers={"Idempotency-Key": "k"})
    replayed = await partner.api.put(path, json={"customer": "x"}, headers={"Idempotency-Key": "k"})
    assert (done.headers["etag"], replayed.content) == ('"2"', done.content)
    other = await partner.api.put(path, json={"customer": "y"}, headers={"Idempotency-Key": "k"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    assert (await partner.get(made["uuid"]))["customer"] == "x"
