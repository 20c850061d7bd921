"""An update or a creation of which nobody knows what became of it: what the hub has is what Stripe has in the end."""

import asyncio
from typing import Any

import msgspec
import pytest

from customerhub.sinks.stripe.api import Api, Record
from customerhub.sinks.stripe.snapshot import read_fields
from tests.support.integration import Integration
from tests.support.localstripe import DoubleAccount
from tests.support.messages import synced


async def waiting(integration: Integration) -> int:
    """How many deliveries wait for the integration."""
    async with integration.hub.database.lease() as connection:
        count = await connection.fetchval(
            "select count(*) from delivery where team = $1 and sink = $2 and status = 'waiting'",
            integration.sink.team,
            integration.sink.id,
        )
    return int(count)


async def test_what_may_have_arrived_is_taken_back(integration: Integration, account: DoubleAccount) -> None:
    """Stripe took a value whose answer was lost, and then the hub has the former one again: that is sent."""
    customer, _ = await synced(integration, phone="+4722")
    changed = await integration.patch(customer, phone="+4733")
    await account.befall("dropped_after", on="update")
    assert (await integration.tell(changed)).kind == "retry"
    back = await integration.patch(changed, phone="+4722")
    assert (await integration.tell(back)).kind == "delivered"
    await integration.check_same(back)


async def test_what_a_dead_process_sent_is_taken_back(
    integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same where nobody was left to note the failure."""
    customer, _ = await synced(integration, phone="+4722")
    update = Api.update

    async def die(api: Api, wanted: str, body: Any, key: str) -> tuple[Record, bool]:
        await update(api, wanted, body, key)
        raise asyncio.CancelledError

    changed = await integration.patch(customer, phone="+4733")
    with monkeypatch.context() as patching:
        patching.setattr(Api, "update", die)
        with pytest.raises(asyncio.CancelledError):
            await integration.tell(changed)
    back = await integration.patch(changed, phone="+4722")
    assert (await integration.tell(back)).kind == "delivered"
    await integration.check_same(back)


async def test_what_stripe_refused_is_known_not_to_have_arrived(
    integration: Integration, account: DoubleAccount
) -> None:
    """A refusal changes nothing over there, so what both sides had is still known."""
    customer, _ = await synced(integration, phone="+4722")
    before = await integration.find_sync(customer)
    await account.befall("refused", on="update", message="This customer is part of a test clock.")
    assert (await integration.tell(await integration.patch(customer, phone="+4733"))).kind == "refused"
    after = await integration.find_sync(customer)
    assert (after.written, after.version) == (before.written, before.version)


async def test_an_older_state_that_arrives_late_is_put_right(
    integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who lost the customer to another process writes an old state over the new one: that is told again."""
    customer, _ = await synced(integration, phone="+4722")
    older = await integration.patch(customer, phone="+4733")
    newer = await integration.patch(older, phone="+4744")
    update = Api.update

    async def be_late(api: Api, wanted: str, body: Any, key: str) -> tuple[Record, bool]:
        patching.undo()
        assert (await integration.tell(newer)).kind == "delivered"
        return await update(api, wanted, body, key)

    with monkeypatch.context() as patching:
        patching.setattr(Api, "update", be_late)
        assert (await integration.tell(older)).kind == "retry"
    assert (await integration.find(customer))["phone"] == "+4733"
    assert await waiting(integration) == 1
    assert (await integration.tell(newer)).kind == "delivered"
    await integration.check_same(newer)


async def test_answers_of_former_attempts_alone_are_no_delivery(
    integration: Integration, account: DoubleAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every key of an attempt was used by processes that died: nothing was written now, so it is tried again."""
    customer, external_id = await synced(integration, phone="+4722")
    renamed = await integration.patch(customer, name="Renamed")
    update = Api.update

    async def be_replayed(api: Api, wanted: str, body: Any, key: str) -> tuple[Record, bool]:
        return (await update(api, wanted, body, f"{key}-other"))[0], True

    with monkeypatch.context() as patching:
        patching.setattr(Api, "update", be_replayed)
        outcome = await integration.tell(renamed)
    assert (outcome.kind, outcome.reason) == ("retry", "Stripe gave the answers of former attempts")
    await account.change(external_id, phone="+4799")
    assert (await integration.tell(renamed)).kind == "delivered"
    await integration.check_same(renamed)


async def test_an_erasure_finds_what_was_made_without_an_answer(
    integration: Integration, account: DoubleAccount
) -> None:
    """Made in Stripe, unheard of, and erased here before it can be searched for: it is found and emptied."""
    customer = await integration.create(phone="+4722", email="erased@kestrel.example")
    await account.ask("PUT", "", {"search_lag": 60})
    await account.befall("dropped_after", on="create")
    assert (await integration.tell(customer)).kind == "retry"
    answer = await integration.desk.api.post(
        f"/hub/v1/customers/{customer.id}/erase", json={"confirm": customer.number}
    )
    assert answer.status_code == 200, answer.text
    creation = (await integration.find_sync(customer)).creation
    assert "kestrel" not in msgspec.json.encode(creation).decode()
    assert (await integration.tell(await integration.read(customer.id))).kind == "delivered"
    fields = read_fields(await integration.find(customer))
    assert {name: value for name, value in fields.items() if value is not None} == {
        "metadata": {"customerhub_id": str(customer.id), "customerhub_number": None}
    }
