"""Random changes, workers that are killed, a Stripe that stops: in the end it holds what the hub holds, each once."""

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import anyio
import pytest

from customerhub.core.admin import create_team
from customerhub.core.hub import Hub
from customerhub.sinks.stripe.carrier import StripeCarrier
from customerhub.sinks.stripe.snapshot import ID, read_fields, to_snapshot
from customerhub.web.serve import Site
from tests.support.hub import Desk, Json, address_body, make_desk
from tests.support.integration import Integration, connect, is_told
from tests.support.listeners import end_other_sinks
from tests.support.localstripe import Account, DoubleAccount, open_account, running_double, running_localstripe
from tests.support.process import HubProcess, running_worker
from tests.support.soak import sized
from tests.support.waiting import wait_until

CUSTOMERS = sized(8, 50)
CHANGES = sized(60, 1000)
KILLS = sized(2, 20)
WRITERS = 4
STOPPED_SECONDS = sized(0.5, 10)
SECONDS = sized(60, 900)
# So that retries come within moments; the schedule is days long.
PACE = {"retry_seconds": "0.05"}
FAULTS = ("dropped", "dropped_after", "failed", "failed_after", "rate_limit", "lock_timeout", "unavailable")


@pytest.fixture
async def desk(hub: Hub, site: Site) -> AsyncIterator[Desk]:
    """A team without a catalogue, and a client of the hub's own API."""
    async with make_desk(hub, site, await create_team(hub, f"Team {uuid4()}")) as made:
        yield made


@dataclass
class Storm:
    """What befalls an integration with both stand-ins at once, while its customers are changed."""

    desk: Desk
    double: DoubleAccount
    sides: Sequence[Integration]
    chance: random.Random = field(default_factory=lambda: random.Random(8))
    customers: list[str] = field(default_factory=list)

    async def make(self) -> None:
        """Make all customers."""
        for _ in range(CUSTOMERS):
            body = {"name": f"Company {uuid4().hex[:8]}", **self._scalars(), **self._addresses()}
            self.customers.append((await self.desk.create(body))["id"])

    async def change(self, count: int) -> None:
        """Change one customer after the other by chance, a few at the same time."""

        async def write() -> None:
            for _ in range(count // WRITERS):
                scalars = {field: value for field, value in self._scalars().items() if self.chance.random() < 0.5}
                addresses = self._addresses() if self.chance.random() < 0.5 else {}
                body = {"name": f"N {self.chance.random()}", **scalars, **addresses}
                await self.desk.patched({"id": self.chance.choice(self.customers)}, body)

        async with anyio.create_task_group() as tasks:
            for _ in range(WRITERS):
                tasks.start_soon(write)

    def _scalars(self) -> Json:
        mark = uuid4().hex[:8]
        phones = (None, f"+47 {mark[:4]}", f"+47 22 33 44 55 extension {mark}")
        return {"email": self.chance.choice((None, f"{mark}@chaos.example")), "phone": self.chance.choice(phones)}

    def _addresses(self) -> Json:
        """Addresses and where they belong; some such as Stripe would refuse."""
        chance, mark = self.chance, uuid4().hex[:8]
        return {
            "addresses": [
                address_body(city=mark, line2=chance.choice((None, "Door 2")), country=chance.choice(("NO", "Norway"))),
                address_body(type="shipping", city=mark, line1=chance.choice((None, "Kai 1"))),
            ],
            "bill_to": chance.choice((None, "/addresses/0", "/addresses/1")),
            "ship_to": chance.choice((None, "/addresses/1")),
        }

    async def befall(self, log: Path, database_url: str) -> None:
        """Kill workers in the middle of their work, and let Stripe fail and stop; then let one work to the end."""
        async with AsyncExitStack() as stack:

            async def start() -> HubProcess:
                return await stack.enter_async_context(running_worker(log, database_url, **PACE))

            worker = await start()
            await self.make()
            for kill in range(KILLS):
                for kind in self.chance.sample(FAULTS, 3):
                    await self.double.befall(kind, on=self.chance.choice(("create", "update")))
                seen = len(await self.double.requests())
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self.change, (CHANGES - CUSTOMERS) // KILLS)
                    await self._wait_for_requests(seen + self.chance.randint(1, CUSTOMERS // 2))
                    if kill == KILLS // 2:
                        await self._stop_stripe()
                    await worker.kill()
                await self._free_claims()
                worker = await start()
            await wait_until(self._is_told, "everything is told", SECONDS)
            assert await worker.stop() == 0

    async def _wait_for_requests(self, goal: int) -> None:
        async def has_come() -> bool:
            return len(await self.double.requests()) >= goal

        await wait_until(has_come, "requests", SECONDS)

    async def _stop_stripe(self) -> None:
        for side in self.sides:
            side.account.stand_in.pause()
        await anyio.sleep(STOPPED_SECONDS)
        for side in self.sides:
            side.account.stand_in.resume()

    async def _free_claims(self) -> None:
        """As ten seconds later, when what the dead worker held is anybody's."""
        async with self.desk.hub.database.lease() as connection:
            await connection.execute("update lane set claimed_until = now() where team = $1", self.desk.team.id)

    async def _is_told(self) -> bool:
        return await is_told(self.desk.hub, self.desk.team.id)

    async def check(self) -> None:
        """Each customer is at each side exactly once, field by field as the hub has it, and nothing died on the way."""
        for side in self.sides:
            by_customer: dict[str, list[Json]] = {}
            for found in await side.account.list_all():
                by_customer.setdefault(found["metadata"].get(ID), []).append(found)
            for customer_id in self.customers:
                customer = await side.read(UUID(customer_id))
                (found,) = by_customer[customer_id]
                assert read_fields(found) == to_snapshot(customer).fields
                sync = await side.find_sync(customer)
                assert (sync.external_id, sync.creation, sync.error) == (found["id"], None, None)
                assert (sync.version, sync.left_out) == (customer.version, to_snapshot(customer).left_out)
        async with self.desk.hub.database.lease() as connection:
            dead = "select count(*) from delivery where team = $1 and status = 'dead'"
            assert await connection.fetchval(dead, self.desk.team.id) == 0


@pytest.mark.soak
async def test_stripe_holds_what_the_hub_holds_whatever_happens(desk: Desk, database_url: str, tmp_path: Path) -> None:
    """No customer is made twice, no change is lost: at localstripe, which knows no keys, and at the strict double."""
    carrier = StripeCarrier()
    await end_other_sinks(desk.hub, desk.team.id)
    async with (
        running_localstripe(tmp_path / "localstripe.log") as localstripe,
        running_double(tmp_path / "log") as own,
    ):
        double = await open_account(own)
        accounts = (Account(localstripe, "sk_test_chaos"), double)
        storm = Storm(desk, double, [await connect(desk, carrier, account) for account in accounts])
        await storm.befall(tmp_path / "work.log", database_url)
        await storm.check()
    await carrier.close()
