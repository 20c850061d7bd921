"""What is changed in Stripe comes in: signed, once, fetched fresh, by "Stripe", without an echo."""

from typing import Any
from uuid import uuid4

import httpx
import msgspec
import pytest

from customerhub.core.admin import revoke_credential, to_command
from customerhub.core.sinks import SinkPatch, SinkProposal, update_sink
from customerhub.model.answer import Answer
from customerhub.sinks.stripe.carrier import StripeCarrier
from tests.support.fingerprint import take_fingerprint
from tests.support.hub import Desk, address_body
from tests.support.integration import WEBHOOK_SECRET, Integration, connect
from tests.support.localstripe import DoubleAccount
from tests.support.messages import DONE, history, send, synced, told


async def test_a_change_in_stripe_comes_in_by_its_name(door: httpx.AsyncClient, integration: Integration) -> None:
    """What differs from what was written is taken, fresh from Stripe; the history says who; nothing is sent back."""
    customer, external_id = await synced(integration, phone="+4722", note="Ours alone")
    await integration.account.change(external_id, phone="+4799", email="new@kestrel.example")
    assert told(await send(door, integration, external_id)) == DONE
    after = await integration.read(customer.id)
    assert (after.version, after.name, after.phone, after.email, after.note) == (
        2,
        customer.name,
        "+4799",
        "new@kestrel.example",
        "Ours alone",
    )
    assert (await history(integration, customer))[1] == {
        "version": 2,
        "by": "Stripe",
        "through": "stripe",
        "paths": ["/email", "/phone"],
    }
    outcome = await integration.tell(after)
    assert (outcome.kind, outcome.exchanges) == ("skipped", ())
    await integration.check_same(after)


async def test_the_echo_of_our_own_write_is_nothing(door: httpx.AsyncClient, integration: Integration) -> None:
    """Stripe tells what the hub has just written there: no version, no event."""
    customer, external_id = await synced(integration, phone="+4722")
    before = await integration.find_sync(customer)
    assert told(await send(door, integration, external_id)) == DONE
    assert (await integration.read(customer.id)).version == 1
    assert await integration.find_sync(customer) == before


async def test_a_message_counts_once(door: httpx.AsyncClient, integration: Integration) -> None:
    """The same message again does nothing, though Stripe has something new by then; another one does."""
    customer, external_id = await synced(integration)
    await integration.account.change(external_id, phone="+4791")
    assert told(await send(door, integration, external_id, event="evt_1")) == DONE
    await integration.account.change(external_id, phone="+4792")
    assert told(await send(door, integration, external_id, event="evt_1")) == DONE
    assert (await integration.read(customer.id)).phone == "+4791"
    assert told(await send(door, integration, external_id, event="evt_2")) == DONE
    assert (await integration.read(customer.id)).phone == "+4792"


async def test_a_message_that_failed_may_come_again(
    door: httpx.AsyncClient, integration: Integration, account: DoubleAccount
) -> None:
    """Stripe cannot be asked: 503, nothing is remembered, and the same message does its work later."""
    customer, external_id = await synced(integration)
    await account.change(external_id, phone="+4799")
    await account.befall("unavailable", on="retrieve")
    before = await take_fingerprint(integration.hub)
    failed = await send(door, integration, external_id, event="evt_1")
    assert told(failed) == (503, {"status": 503, "detail": "Stripe cannot be asked at the moment."})
    assert await take_fingerprint(integration.hub) == before
    assert told(await send(door, integration, external_id, event="evt_1")) == DONE
    assert (await integration.read(customer.id)).phone == "+4799"


@pytest.mark.parametrize("forgery", [{"secret": "whsec_other"}, {"age": 301}], ids=["signature", "age"])
async def test_only_stripe_may_knock(
    door: httpx.AsyncClient, integration: Integration, account: DoubleAccount, forgery: dict[str, Any]
) -> None:
    """Signed by somebody else, or too long ago: refused before anything is asked or written."""
    _, external_id = await synced(integration)
    await account.change(external_id, phone="+4799")
    before, asked = await take_fingerprint(integration.hub), len(await account.requests())
    answer = await send(door, integration, external_id, **forgery)
    assert told(answer) == (
        400,
        {"status": 400, "detail": "The signature is not this integration's, or too old."},
    )
    assert answer.headers["content-type"] == "application/problem+json"
    assert await take_fingerprint(integration.hub) == before
    assert len(await account.requests()) == asked


async def rotate(integration: Integration, patch: SinkPatch) -> None:
    """Give the integration other secrets."""
    order = to_command(integration.sink.team)
    await update_sink(integration.hub, order, integration.sink.id, lambda _: SinkProposal(patch), lambda _: Answer(200))


async def test_a_former_secret_goes_on_for_a_while(door: httpx.AsyncClient, integration: Integration) -> None:
    """While one signing secret follows another either will do; then only the new one."""
    _, external_id = await synced(integration)
    keys = {"api_key": integration.account.api_key, "webhook_secret": "whsec_newer"}
    for overlap, status in ((3600.0, 200), (0.0, 400)):
        keys["webhook_secret"] += "r"
        await rotate(integration, SinkPatch(secret=msgspec.json.encode(keys).decode(), overlap_seconds=overlap))
        former = WEBHOOK_SECRET if overlap else "whsec_newerr"
        assert (await send(door, integration, external_id, secret=former)).status_code == status
        assert (await send(door, integration, external_id, secret=keys["webhook_secret"])).status_code == 200


async def test_an_unsigned_message_and_an_unknown_integration_are_refused(
    door: httpx.AsyncClient, integration: Integration
) -> None:
    """No signature is 400; an integration that there is none is 404, whatever its id looks like."""
    path = "/stripe/webhook"
    unsigned = await door.post(f"{path}/{integration.sink.id}", json={"id": "evt_1", "type": "customer.updated"})
    assert unsigned.status_code == 400
    for unknown in (uuid4(), "none"):
        assert told(await door.post(f"{path}/{unknown}", json={})) == (
            404,
            {"status": 404, "detail": "There is no such integration."},
        )


async def test_what_is_nothing_to_us_is_received(
    door: httpx.AsyncClient, integration: Integration, account: DoubleAccount
) -> None:
    """Other customers and other events are taken with 200, so that Stripe does not tell them again."""
    _, external_id = await synced(integration)
    asked = len(await account.requests())
    assert told(await send(door, integration, "cus_unknown")) == DONE
    assert told(await send(door, integration, external_id, "customer.created")) == DONE
    assert told(await send(door, integration, external_id, "invoice.paid")) == DONE
    assert len(await account.requests()) == asked


async def test_a_deletion_in_stripe_deletes_nothing_here(door: httpx.AsyncClient, integration: Integration) -> None:
    """The record stays as it is; whoever looks at the integration sees what happened."""
    customer, external_id = await synced(integration)
    await integration.account.delete(external_id)
    assert told(await send(door, integration, external_id, "customer.deleted")) == DONE
    assert await integration.read(customer.id) == customer
    sync = await integration.find_sync(customer)
    assert (sync.error, sync.external_id) == ("Stripe has no such customer any more", external_id)
    assert (await integration.tell(customer)).kind == "delivered"
    assert (await integration.find(customer))["id"] != external_id


async def test_addresses_come_in_where_they_belong(door: httpx.AsyncClient, integration: Integration) -> None:
    """An address that Stripe changed is changed in place; its id and what Stripe does not know of it stay."""
    customer, external_id = await synced(
        integration,
        addresses=[address_body(reference_id="HQ", attributes={"Dock": "3"}), address_body(type="shipping")],
        bill_to="/addresses/0",
        ship_to="/addresses/1",
    )
    lines = {"line1": "Storgata 9", "line2": "", "city": "Oslo", "state": "Oslo", "postal_code": "0156"}
    shipping = {"name": "Gate 4", "phone": "+4755", "address": {"line1": "Kai 1", "city": "Bergen"}}
    await integration.account.change(external_id, address={**lines, "country": "NO"}, shipping=shipping)
    assert told(await send(door, integration, external_id)) == DONE
    after = await integration.read(customer.id)
    billing, goods = (after.find_address(pointer) for pointer in (after.bill_to, after.ship_to))
    assert billing is not None
    assert goods is not None
    assert (billing.id, billing.reference_id, billing.attributes[0].value, billing.name) == (
        customer.bill_to,
        "HQ",
        "3",
        "Accounts payable",
    )
    assert (billing.line1, billing.line2, billing.postal_code) == ("Storgata 9", None, "0156")
    assert (goods.id, goods.name, goods.phone, goods.line1, goods.city, goods.country) == (
        customer.ship_to,
        "Gate 4",
        "+4755",
        "Kai 1",
        "Bergen",
        None,
    )
    await integration.check_same(after)


async def test_an_address_of_both_is_copied_and_a_cleared_one_let_go(
    door: httpx.AsyncClient, integration: Integration
) -> None:
    """Where bill-to and ship-to are one address, a change of one leaves the other; a cleared one is named no more."""
    customer, external_id = await synced(
        integration, addresses=[address_body()], bill_to="/addresses/0", ship_to="/addresses/0"
    )
    await integration.account.change(external_id, address={"line1": "Kai 1", "city": "Bergen"})
    assert told(await send(door, integration, external_id)) == DONE
    after = await integration.read(customer.id)
    assert after.ship_to == customer.ship_to != after.bill_to
    assert [address.line1 for address in after.addresses] == ["Storgata 8", "Kai 1"]
    await integration.check_same(after)
    await integration.account.change(external_id, address="", shipping="")
    assert told(await send(door, integration, external_id)) == DONE
    cleared = await integration.read(customer.id)
    assert (cleared.bill_to, cleared.ship_to, len(cleared.addresses)) == (None, None, 2)


async def waiting(integration: Integration) -> int:
    """How many deliveries wait for the integration."""
    async with integration.hub.database.lease() as connection:
        count = await connection.fetchval(
            "select count(*) from delivery where team = $1 and sink = $2 and status = 'waiting'",
            integration.sink.team,
            integration.sink.id,
        )
    return int(count)


async def test_the_owner_of_a_field_wins(
    door: httpx.AsyncClient, desk: Desk, carrier: StripeCarrier, account: DoubleAccount
) -> None:
    """The hub's own field is written back, Stripe's own is never written over, and the others take either's change."""
    owned = await connect(desk, carrier, account, ownership={"name": "hub", "phone": "stripe"})
    customer, external_id = await synced(owned, name="Kestrel", phone="+4722", email="a@kestrel.example")
    changed = await owned.patch(customer, phone="+4700", name="Kestrel AS")
    await owned.tell(changed)
    found = await owned.find(customer)
    assert (found["name"], found["phone"]) == ("Kestrel AS", "+4722")
    await account.change(external_id, name="Falcon", phone="+4799", email="b@kestrel.example")
    assert told(await send(door, owned, external_id)) == DONE
    after = await owned.read(customer.id)
    assert (after.name, after.phone, after.email) == ("Kestrel AS", "+4799", "b@kestrel.example")
    assert await waiting(owned) == 1
    assert (await owned.tell(after)).kind == "delivered"
    await owned.check_same(after)


async def test_where_both_changed_a_field_the_hub_wins(door: httpx.AsyncClient, integration: Integration) -> None:
    """Neither knew of the other's change: the hub's value stays, and goes out again."""
    customer, external_id = await synced(integration, phone="+4722", email="a@kestrel.example")
    await integration.account.change(external_id, phone="+4799", email="b@kestrel.example")
    await integration.patch(customer, phone="+4700")
    assert told(await send(door, integration, external_id)) == DONE
    after = await integration.read(customer.id)
    assert (after.phone, after.email) == ("+4700", "b@kestrel.example")
    assert await waiting(integration) == 1
    assert (await integration.tell(after)).kind == "delivered"
    await integration.check_same(after)


async def test_what_the_record_cannot_take_is_refused_and_told(
    door: httpx.AsyncClient, integration: Integration
) -> None:
    """An email address that another customer has stays theirs; the reason stands beside the customer."""
    await integration.create(email="taken@kestrel.example")
    customer, external_id = await synced(integration, email="own@kestrel.example")
    await integration.account.change(external_id, email="taken@kestrel.example")
    assert told(await send(door, integration, external_id)) == DONE
    assert await integration.read(customer.id) == customer
    assert ((await integration.find_sync(customer)).error or "").startswith("a change in Stripe was refused: ")
    renamed = await integration.patch(customer, name="Renamed")
    assert (await integration.tell(renamed)).kind == "delivered"
    await integration.check_same(renamed)


async def test_what_the_record_can_take_is_taken_beside_what_it_cannot(
    door: httpx.AsyncClient, integration: Integration
) -> None:
    """Somebody saves a page at Stripe's: of its changes only those are lost that the record refuses, each with why."""
    await integration.create(email="taken@kestrel.example")
    customer, external_id = await synced(
        integration, email="own@kestrel.example", phone="+4722", addresses=[address_body()], bill_to="/addresses/0"
    )
    address = {"line1": "Kai 1", "city": "C" * 4000}
    await integration.account.change(
        external_id, email="taken@kestrel.example", phone="+4799", name="Renamed", address=address
    )
    assert told(await send(door, integration, external_id)) == DONE
    after = await integration.read(customer.id)
    assert (after.name, after.phone, after.email, after.addresses) == (
        "Renamed",
        "+4799",
        "own@kestrel.example",
        customer.addresses,
    )
    told_why = "a change in Stripe was refused: address.city: must be at most 255 characters"
    assert (await integration.find_sync(customer)).error == told_why
    assert (await integration.tell(after)).kind == "delivered"
    await integration.check_same(after)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"name": "N" * 256}, "name: must be at most 255 characters"),
        ({"email": "a@" + "k" * 250 + ".example"}, "email: must be an email address of at most 254 characters"),
        (
            {"shipping": {"name": "Gate 4", "address": {"line1": "K" * 256}}},
            "shipping.address.line1: must be at most 255 characters",
        ),
    ],
    ids=["name", "email", "shipping"],
)
async def test_the_rules_of_the_record_are_kept(
    door: httpx.AsyncClient, integration: Integration, change: dict[str, Any], why: str
) -> None:
    """What the hub's own API would not take does not come in from Stripe either, where there is room for more."""
    customer, external_id = await synced(integration, email="own@kestrel.example")
    await integration.account.change(external_id, **change)
    assert told(await send(door, integration, external_id)) == DONE
    assert await integration.read(customer.id) == customer
    assert (await integration.find_sync(customer)).error == f"a change in Stripe was refused: {why}"


async def test_what_no_text_of_ours_can_hold_is_taken_without_it(
    door: httpx.AsyncClient, integration: Integration
) -> None:
    """A NUL, which no record keeps, is no reason to fail at a message for ever."""
    customer, external_id = await synced(integration, name="Kestrel")
    await integration.account.change(external_id, name="Kes\0trel AS")
    assert told(await send(door, integration, external_id)) == DONE
    assert (await integration.read(customer.id)).name == "Kestrel AS"


async def test_a_customer_who_lost_its_name_gets_it_back(door: httpx.AsyncClient, integration: Integration) -> None:
    """A record always has a name: cleared in Stripe, it is written back."""
    customer, external_id = await synced(integration, name="Kestrel")
    await integration.account.change(external_id, name="")
    assert told(await send(door, integration, external_id)) == DONE
    assert await integration.read(customer.id) == customer
    assert (await integration.tell(customer)).kind == "delivered"
    await integration.check_same(customer)


async def test_nothing_comes_in_for_a_customer_who_is_deleted_here(
    door: httpx.AsyncClient, integration: Integration
) -> None:
    """Deleted in the hub, it stays as it was, whatever Stripe says."""
    customer, external_id = await synced(integration)
    await integration.desk.api.delete(f"/hub/v1/customers/{customer.id}")
    deleted, sync = await integration.read(customer.id), await integration.find_sync(customer)
    await integration.account.change(external_id, phone="+4799")
    assert told(await send(door, integration, external_id)) == DONE
    assert await integration.read(customer.id) == deleted
    assert await integration.find_sync(customer) == sync


async def test_a_revoked_integration_changes_nothing(door: httpx.AsyncClient, integration: Integration) -> None:
    """Its credential, which has its name and its id, can be ended like any other."""
    customer, external_id = await synced(integration)
    await integration.account.change(external_id, phone="+4791")
    await send(door, integration, external_id)
    await revoke_credential(integration.hub, integration.sink.id)
    await integration.account.change(external_id, phone="+4792")
    assert (await send(door, integration, external_id)).status_code == 403
    assert (await integration.read(customer.id)).phone == "+4791"
