"""Messages as Stripe sends them, and what came of them."""

import time
from typing import Any
from uuid import uuid4

import httpx
import msgspec

from customerhub.model.customer import Customer
from tests.support.integration import WEBHOOK_SECRET, Integration
from tests.support.stripe_double.account import sign

DONE = (200, {"received": True})
Timeline = list[dict[str, Any]]


async def send(
    door: httpx.AsyncClient,
    integration: Integration,
    customer: str,
    kind: str = "customer.updated",
    *,
    event: str | None = None,
    secret: str = WEBHOOK_SECRET,
    age: float = 0,
    **members: object,
) -> httpx.Response:
    """One message about a customer over there, as Stripe sends it; what it says of the customer is not true."""
    body = msgspec.json.encode(
        {
            "id": event or f"evt_{uuid4().hex}",
            "object": "event",
            "type": kind,
            "data": {"object": {"id": customer, "object": "customer", "name": "Not true", "phone": "+1", **members}},
        }
    )
    headers = {"Stripe-Signature": sign(body, secret, time.time() - age), "Content-Type": "application/json"}
    return await door.post(f"/stripe/webhook/{integration.sink.id}", content=body, headers=headers)


def told(answer: httpx.Response) -> tuple[int, Any]:
    """What a message was answered with."""
    return answer.status_code, answer.json()


async def history(integration: Integration, customer: Customer) -> Timeline:
    """All versions of a customer: who, through what, which paths."""
    async with integration.hub.database.lease() as connection:
        rows = await connection.fetch(
            "select version, actor_name, dialect, changes from change "
            "where team = $1 and customer = $2 order by version",
            customer.team,
            customer.id,
        )
    return [
        {
            "version": row[0],
            "by": row[1],
            "through": row[2],
            "paths": [change["path"] for change in msgspec.json.decode(row[3])],
        }
        for row in rows
    ]


async def synced(integration: Integration, **members: object) -> tuple[Customer, str]:
    """A customer that is in Stripe, and its id there."""
    customer = await integration.create(**members)
    await integration.tell(customer)
    return customer, str((await integration.find(customer))["id"])
