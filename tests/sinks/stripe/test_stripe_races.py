"""What goes out and what comes in at the same moment: neither is lost, neither is written over unseen."""

import asyncio
from typing import Any

import httpx
import pytest

from customerhub.sinks.stripe.api import Api, Record
from tests.support.integration import Integration
from tests.support.messages import DONE, send, synced, told


async def test_what_was_fetched_before_we_wrote_counts_for_nothing(
    door: httpx.AsyncClient, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at Stripe and the write here the hub sent something: Stripe is looked at again."""
    customer, external_id = await synced(integration, phone="+4722")
    retrieve = Api.retrieve
    looks: list[Record | None] = []

    async def look_and_be_late(api: Api, wanted: str) -> Record | None:
        looks.append(await retrieve(api, wanted))
        if len(looks) == 1:
            await integration.tell(await integration.patch(customer, phone="+4733"))
        return looks[-1]

    monkeypatch.setattr(Api, "retrieve", look_and_be_late)
    assert told(await send(door, integration, external_id)) == DONE
    assert [look["phone"] for look in looks if look is not None] == ["+4722", "+4733"]
    after = await integration.read(customer.id)
    assert (after.phone, after.version) == ("+4733", 2)
    await integration.check_same(after)


async def test_what_was_sent_while_a_change_came_in_is_sent_again(
    door: httpx.AsyncClient, integration: Integration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snapshot went out over a change that was just taken in: the attempt counts as failed, and the next heals."""
    customer, external_id = await synced(integration, phone="+4722")
    renamed = await integration.patch(customer, name="Renamed")
    update = Api.update

    async def be_overtaken(api: Api, wanted: str, body: Any, key: str) -> tuple[Record, bool]:
        await integration.account.change(external_id, phone="+4799")
        assert told(await send(door, integration, external_id)) == DONE
        return await update(api, wanted, body, key)

    with monkeypatch.context() as patching:
        patching.setattr(Api, "update", be_overtaken)
        outcome = await integration.tell(renamed)
    assert (outcome.kind, outcome.reason) == ("retry", "a change from Stripe came in between")
    after = await integration.read(customer.id)
    assert (after.name, after.phone) == ("Renamed", "+4799")
    assert (await integration.tell(after)).kind == "delivered"
    await integration.check_same(after)


async def test_many_messages_at_once_agree(door: httpx.AsyncClient, integration: Integration) -> None:
    """Ten messages of one customer at the same time: it is what Stripe has, in one version."""
    customer, external_id = await synced(integration, phone="+4722")
    await integration.account.change(external_id, phone="+4799")
    answers = await asyncio.gather(*(send(door, integration, external_id) for _ in range(10)))
    assert [told(answer) for answer in answers] == [DONE] * 10
    after = await integration.read(customer.id)
    assert (after.phone, after.version) == ("+4799", 2)
