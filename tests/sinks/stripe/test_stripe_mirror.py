"""Stripe is made to hold what the hub holds: created on first need, then updated, cleared, and never doubled."""

from uuid import UUID

import pytest

from customerhub.model.customer import Customer
from customerhub.sinks.stripe.carrier import StripeCarrier
from customerhub.sinks.stripe.snapshot import read_fields, to_snapshot
from tests.support.hub import Desk, address_body
from tests.support.integration import Integration, connect
from tests.support.localstripe import DoubleAccount

FULL = {
    "email": "ap@kestrel.example",
    "phone": "+47 22 33 44 55",
    "addresses": [
        address_body(country="no"),
        address_body(type="shipping", name=None, city="Bergen", line2=None, phone="+4755"),
    ],
    "bill_to": "/addresses/0",
    "ship_to": "/addresses/1",
}


async def test_a_customer_is_made_and_then_kept_the_same(either: Integration) -> None:
    """The first change makes the customer in Stripe, whole; further ones update it; the same again sends nothing."""
    customer = await either.create(name="Kestrel", number=f"K-{UUID(int=7)}-{either.sink.id}", **FULL)
    assert (await either.tell(customer)).kind == "delivered"
    found = await either.find(customer)
    assert read_fields(found) == {
        "name": "Kestrel",
        "email": "ap@kestrel.example",
        "phone": "+47 22 33 44 55",
        "address": {
            "line1": "Storgata 8",
            "line2": "Door 2",
            "city": "Oslo",
            "state": "Oslo",
            "postal_code": "0155",
            "country": "NO",
        },
        "shipping": {
            "name": "Ingrid Berg",
            "phone": "+4755",
            "address": {
                "line1": "Storgata 8",
                "line2": None,
                "city": "Bergen",
                "state": "Oslo",
                "postal_code": "0155",
                "country": "NO",
            },
        },
        "metadata": {"customerhub_id": str(customer.id), "customerhub_number": customer.number},
    }
    await either.check_same(customer)
    assert (await either.find_sync(customer)).external_id == found["id"]
    changed = await either.patch(customer, name="Kestrel AS", phone=None)
    assert (await either.tell(changed)).kind == "delivered"
    await either.check_same(changed)
    noted = await either.patch(changed, note="Nothing that Stripe keeps")
    again = await either.tell(noted)
    assert (again.kind, again.reason, again.exchanges) == ("skipped", "Stripe has these values already", ())


async def test_what_is_told_again_is_sent_again(either: Integration) -> None:
    """A repair or a replay sends the snapshot, though nothing changed here: somebody changed Stripe without a word."""
    customer = await either.create(phone="+4722")
    await either.tell(customer)
    await either.account.change((await either.find(customer))["id"], phone="+4799")
    assert (await either.tell(customer)).kind == "delivered"
    await either.check_same(customer)


async def test_what_is_cleared_here_is_cleared_there(either: Integration) -> None:
    """A value that is taken away, an address too, is gone from Stripe; the name and the ids stay."""
    customer = await either.create(**FULL)
    await either.tell(customer)
    cleared = await either.patch(customer, email=None, phone=None, bill_to=None, ship_to=None)
    assert (await either.tell(cleared)).kind == "delivered"
    fields = read_fields(await either.find(cleared))
    assert {field: fields[field] for field in ("email", "phone", "address", "shipping")} == dict.fromkeys(
        ("email", "phone", "address", "shipping")
    )
    await either.check_same(cleared)


async def test_metadata_of_others_stay(integration: Integration) -> None:
    """What somebody else keeps at Stripe's customer is left alone."""
    customer = await integration.create()
    await integration.tell(customer)
    external_id = (await integration.find(customer))["id"]
    await integration.account.change(external_id, metadata={"plan": "gold"}, description="Met at the fair")
    await integration.tell(await integration.patch(customer, phone="+4722"))
    found = await integration.find(customer)
    assert (found["metadata"]["plan"], found["description"], found["phone"]) == ("gold", "Met at the fair", "+4722")


@pytest.mark.parametrize(
    ("members", "left_out"),
    [
        ({"phone": "+47 22 33 44 55 ext. 1234"}, {"phone": "Stripe takes 20 characters at most"}),
        (
            {"addresses": [address_body(country="Norway")], "bill_to": "/addresses/0"},
            {"address.country": "Stripe takes a country by its two letters (ISO 3166-1 alpha-2)"},
        ),
        (
            {
                "addresses": [address_body(type="shipping", name=None, first_name=None, last_name=None, line1=None)],
                "ship_to": "/addresses/0",
            },
            {"shipping": "Stripe takes no shipping address without a line 1"},
        ),
        (
            {"addresses": [address_body(type="shipping", phone="0" * 21)], "ship_to": "/addresses/0"},
            {"shipping.phone": "Stripe takes 20 characters at most"},
        ),
    ],
    ids=["phone", "country", "shipping", "shipping phone"],
)
async def test_what_stripe_would_refuse_is_left_out(
    integration: Integration, members: dict[str, object], left_out: dict[str, str]
) -> None:
    """One value that Stripe takes in no customer is left out, and said so; all others arrive."""
    customer = await integration.create(**{"email": "left@out.example", **members})
    assert (await integration.tell(customer)).kind == "delivered"
    await integration.check_same(customer)
    assert (await integration.find(customer))["email"] == "left@out.example"
    assert (await integration.find_sync(customer)).left_out == left_out


async def test_a_value_that_cannot_follow_takes_the_old_one_along(integration: Integration) -> None:
    """Stripe holds no phone rather than one that is not the customer's any more."""
    customer = await integration.create(phone="+4722334455")
    await integration.tell(customer)
    await integration.tell(await integration.patch(customer, phone="call 22 33 44 55 and ask for Ingrid"))
    assert (await integration.find(customer))["phone"] is None
    healed = await integration.patch(customer, phone="+4799")
    await integration.tell(healed)
    await integration.check_same(healed)
    assert (await integration.find_sync(customer)).left_out == {}


@pytest.mark.parametrize("is_new", [True, False], ids=["created", "updated"])
async def test_a_value_that_only_stripe_knows_to_refuse_is_left_out(
    integration: Integration, account: DoubleAccount, *, is_new: bool
) -> None:
    """A field that Stripe names as the reason is left out with its words, and the rest is sent once more."""
    customer = await integration.create(phone="+4722")
    if not is_new:
        await integration.tell(customer)
        customer = await integration.patch(customer, name="Renamed", phone="+4723")
    await account.befall("refused", on="create" if is_new else "update", message="No such prefix", param="phone")
    assert (await integration.tell(customer)).kind == "delivered"
    found = await integration.find(customer)
    assert (found["name"], found["phone"]) == (customer.name, None)
    sync = await integration.find_sync(customer)
    assert (sync.left_out, sync.error) == ({"phone": "Stripe says: No such prefix"}, None)


async def test_a_deleted_customer_stays_in_stripe(integration: Integration) -> None:
    """Nothing is deleted over there, and nothing is sent any more; one that Stripe never knew is not made."""
    known, unknown = await integration.create(), await integration.create()
    await integration.tell(known)
    for customer in (known, unknown):
        answer = await integration.desk.api.delete(f"/hub/v1/customers/{customer.id}")
        assert answer.status_code in (200, 204)
        outcome = await integration.tell(await integration.read(customer.id))
        assert (outcome.kind, outcome.exchanges) == ("skipped", ())
    assert [found["name"] for found in await integration.account.list_all()] == [known.name]


def erased(customer: Customer) -> Customer:
    """What an erasure leaves of a customer."""
    return Customer(
        customer.team,
        customer.id,
        customer.version + 1,
        customer.created_at,
        customer.updated_at,
        customer.created_by,
        customer.updated_by,
        name="",
        number="",
        deleted_at=customer.updated_at,
    )


async def test_an_erased_customer_is_emptied_in_stripe(desk: Desk, carrier: StripeCarrier, either: Integration) -> None:
    """All values go over there, Stripe's own fields too, but for the id; one that Stripe never knew is not made."""
    owned = await connect(desk, carrier, either.account, ownership={"phone": "stripe"})
    customer = await owned.create(**FULL)
    await owned.tell(customer)
    gone = erased(customer)
    assert (await owned.tell(gone)).kind == "delivered"
    assert read_fields(await owned.find(customer)) == to_snapshot(gone).fields
    sync = await owned.find_sync(customer)
    assert (sync.written, sync.left_out, sync.error) == (to_snapshot(gone).fields, {}, None)
    never = await owned.create()
    assert (await owned.tell(erased(never))).kind == "skipped"
    assert await owned.account.find(never.id) == []


async def test_what_a_former_connection_made_is_found_again(
    desk: Desk, carrier: StripeCarrier, integration: Integration
) -> None:
    """A team that connects anew goes on with the customers that it has in Stripe."""
    customer = await integration.create(phone="+4722")
    await integration.tell(customer)
    before = await integration.find(customer)
    again = await connect(desk, carrier, integration.account)
    renamed = await again.patch(customer, name="Renamed")
    assert (await again.tell(renamed)).kind == "delivered"
    assert (await again.find(renamed))["id"] == before["id"]
    await again.check_same(renamed)


async def test_what_a_former_connection_has_just_made_is_found_too(
    desk: Desk, carrier: StripeCarrier, integration: Integration, account: DoubleAccount
) -> None:
    """Stripe's search knows what was made only after a while: a team that connects anew at once has no one twice."""
    await account.ask("PUT", "", {"search_lag": 60})
    customer = await integration.create(phone="+4722")
    await integration.tell(customer)
    before = await integration.find(customer)
    again = await connect(desk, carrier, account)
    renamed = await again.patch(customer, name="Renamed")
    assert (await again.tell(renamed)).kind == "delivered"
    assert (await again.find(renamed))["id"] == before["id"]
    await again.check_same(renamed)


async def test_the_key_is_asked_for_one_customer(integration: Integration, account: DoubleAccount) -> None:
    """Verifying lists one customer and changes nothing; a wrong key is told in Stripe's words, without the key."""
    verdict = await integration.carrier.verify(integration.hub, integration.sink)
    assert (verdict.is_good, verdict.reason) == (True, "")
    assert [request["operation"] for request in await account.requests()] == ["list"]
    await account.ask("PUT", "", {"is_locked_out": True})
    verdict = await integration.carrier.verify(integration.hub, integration.sink)
    assert (verdict.is_good, verdict.reason) == (
        False,
        "The provided key does not have the required permissions.",
    )
    assert verdict.exchange is not None
    assert account.api_key not in repr(verdict)
