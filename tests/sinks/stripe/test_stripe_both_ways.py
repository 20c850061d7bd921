"""Both sides are changed at the same time, over real connections: they settle and agree, without an echo."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
import uvicorn

from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.sinks import create_carriers, create_hooks
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from customerhub.worker.run import Worker
from tests.support.integration import WEBHOOK_SECRET, Integration, is_told
from tests.support.listeners import end_other_sinks
from tests.support.localstripe import DoubleAccount
from tests.support.soak import sized
from tests.support.waiting import wait_until

CUSTOMERS = sized(4, 20)
EDITS = sized(24, 500)
SECONDS = sized(30, 300)
FIELDS = ("name", "phone", "email")


@asynccontextmanager
async def living(hub: Hub) -> AsyncIterator[str]:
    """The hub of the test as a process of it would live: it takes messages, and tells sinks; its address."""
    # Whoever was overtaken by a message tries again: within moments here.
    hub.settings = hub.settings.model_copy(update={"retry_seconds": 0.05})
    hub.carriers = create_carriers()
    site = Site(hub, find_dialects(), limits=Limits(), hooks=create_hooks(hub.carriers))
    server = uvicorn.Server(uvicorn.Config(site, port=0, log_config=None, lifespan="off", ws="none"))
    running = asyncio.create_task(server.serve())

    async def is_started() -> bool:
        return server.started

    await wait_until(is_started, "the hub listens")
    worker = Worker(hub)
    hub.publisher.start()
    worker.start()
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
        await worker.close()
        for carrier in hub.carriers.values():
            await carrier.close()
        hub.carriers = {}


@pytest.mark.soak
async def test_edits_on_both_sides_settle(integration: Integration, account: DoubleAccount) -> None:
    """Each edit, here or at Stripe, makes one version at most, the echo none; in the end both hold the same."""
    hub, chance = integration.hub, random.Random(5)
    await end_other_sinks(hub, integration.sink.team)
    customers = [await integration.create(name=f"Company {number}") for number in range(CUSTOMERS)]

    async def is_settled() -> bool:
        return await is_told(hub, integration.sink.team) and (await account.ask("GET", ""))["messages"] == 0

    async with living(hub) as url:
        messages = f"{url}/stripe/webhook/{integration.sink.id}"
        await account.ask("PUT", "", {"webhook_url": messages, "webhook_secret": WEBHOOK_SECRET})
        await wait_until(is_settled, "all customers are in Stripe", SECONDS)
        ids = {found["metadata"]["customerhub_id"]: found["id"] for found in await account.list_all()}
        for edit in range(EDITS):
            customer = chance.choice(customers)
            values = {chance.choice(FIELDS[:2]): f"+47 {edit}"}
            if edit % 2:
                await integration.patch(customer, **values)
            else:
                await account.change(ids[str(customer.id)], **values, email=f"{edit}@stripe.example")
        await wait_until(is_settled, "both sides are quiet", SECONDS)
    versions = 0
    for customer in customers:
        after = await integration.read(customer.id)
        await integration.check_same(after)
        versions += after.version
    assert versions <= CUSTOMERS + EDITS
    assert len(await account.list_all()) == CUSTOMERS
    by_stripe = await count_versions_by(hub, integration.sink.team, "Stripe")
    assert 0 < by_stripe <= EDITS // 2


async def count_versions_by(hub: Hub, team: UUID, actor: str) -> int:
    """How many versions somebody made."""
    async with hub.database.lease() as connection:
        count = "select count(*) from change where team = $1 and actor_name = $2"
        return int(await connection.fetchval(count, team, actor))
