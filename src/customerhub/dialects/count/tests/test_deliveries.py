"""Subscriptions deliver: made by this API, told over TLS, in this dialect's form, signed with their own secrets."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from customerhub.core.hub import Hub
from customerhub.sinks.webhook import WebhookCarrier
from customerhub.worker.run import Worker
from tests.support.certificates import make_contexts
from tests.support.count import Partner
from tests.support.listeners import end_other_sinks
from tests.support.receiver import Got, Reaction, running_receiver
from tests.support.waiting import wait_until

EVENTS = ("customer.created", "customer.updated", "customer.deleted")


@asynccontextmanager
async def telling(hub: Hub, carrier: WebhookCarrier) -> AsyncIterator[None]:
    """The hub tells its sinks meanwhile."""
    hub.carriers = {"webhook": carrier}
    hub.publisher.start()
    worker = Worker(hub)
    worker.start()
    yield
    await worker.close()
    await carrier.close()
    hub.carriers = {}


async def test_each_subscription_hears_of_its_own_event(partner: Partner, tmp_path: Path) -> None:
    """A creation, an update and a deletion, each to those who asked for it; a failure is tried again as it was."""
    hub = partner.hub
    hub.settings = hub.settings.model_copy(update={"private_callbacks": True, "retry_seconds": 0.05})
    await end_other_sinks(hub, partner.team.id)
    shown, trusting = make_contexts(tmp_path, "localhost")
    seen: list[Got] = []

    def react(got: Got) -> Reaction:
        seen.append(got)
        return Reaction(500 if len(seen) == 1 else 200)

    async with running_receiver(react, certificates=shown) as receiver:
        for event in EVENTS:
            body = {"event": event, "callbackUrl": f"https://localhost:{receiver.port}/{event}", "signingSecret": event}
            assert (await partner.api.post("/partners/webhooks", json=body)).status_code == 201
        async with telling(hub, WebhookCarrier(certificates=trusting)):
            made = await partner.create(customer="Quay Books")
            await partner.put(made["uuid"], customer="Quay Books Ltd")
            assert (await partner.api.delete(f"/partners/customers/{made['uuid']}")).status_code == 200

            async def are_told() -> bool:
                return len(seen) == len(EVENTS) + 1

            await wait_until(are_told, "all events are told")

    assert sum(got.headers["x-webhook-id"] == seen[0].headers["x-webhook-id"] for got in seen) == 2
    for got in seen:
        event, told = got.target.rpartition("/")[2], json.loads(got.body)
        digest = hmac.new(event.encode(), got.body, hashlib.sha256).hexdigest()
        assert got.headers["x-webhook-signature"] == f"sha256={digest}"
        assert (got.headers["x-webhook-event"], told["event"], told["apiVersion"]) == (event, event, "1")
        assert (told["id"], told["data"]["id"]) == (got.headers["x-webhook-id"], made["uuid"])
    updated = next(json.loads(got.body) for got in seen if got.target.endswith("/customer.updated"))
    assert updated["data"]["customer"] == "Quay Books Ltd"
    assert updated["previousData"] == {"customer": "Quay Books"}
    assert {len(json.loads(got.body)["data"]) for got in seen if got.target.endswith("/customer.deleted")} == {1}
