"""A team's integration with a stand-in for Stripe, told by hand as the worker would."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import msgspec

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Outcome, Told
from customerhub.core.secrets import seal
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.sinks.stripe.carrier import StripeCarrier
from customerhub.sinks.stripe.snapshot import read_fields, to_snapshot
from customerhub.store import sinks as store
from customerhub.store.erasure import get_records
from customerhub.store.sinks import Sink
from customerhub.store.syncs import Sync, find_sync
from tests.support.hub import Desk, Json
from tests.support.localstripe import Account

WEBHOOK_SECRET = "whsec_stand_in"


_UNTOLD = (
    "select count(*) from change c join sink s on s.team = $1 "
    "where c.team = $1 and not exists (select from delivery d where d.team = $1 and d.sink = s.id "
    "and d.customer = c.customer and d.version = c.version and d.status <> 'waiting')"
)


async def is_told(hub: Hub, team: UUID) -> bool:
    """Whether every sink of a team has been told of all that its customers went through, or of what came after it."""
    async with hub.database.lease() as connection:
        return bool(await connection.fetchval(_UNTOLD, team) == 0)


@dataclass
class Integration:
    """A sink at a stand-in; `tell` does what the worker does with one delivery."""

    desk: Desk
    carrier: StripeCarrier
    account: Account
    sink: Sink
    attempts: dict[UUID, int] = field(default_factory=dict)

    @property
    def hub(self) -> Hub:
        """The hub that it belongs to."""
        return self.desk.hub

    async def create(self, **members: object) -> Customer:
        """A new customer of the hub's."""
        created = await self.desk.create({"name": f"Company {uuid4().hex[:10]}", **members})
        return await self.read(UUID(created["id"]))

    async def patch(self, customer: Customer, **members: object) -> Customer:
        """A customer after a change through the hub's own API."""
        await self.desk.patched({"id": str(customer.id)}, members)
        return await self.read(customer.id)

    async def read(self, customer_id: UUID) -> Customer:
        """The record as it stands, deleted or not."""
        async with self.hub.database.lease() as connection:
            (found,) = await get_records(connection, self.desk.team.id, (customer_id,))
        return found

    async def find_sync(self, customer: Customer) -> Sync:
        """What is known of the customer at the other side."""
        async with self.hub.database.lease() as connection:
            found = await find_sync(connection, self.sink.team, self.sink.id, customer.id)
        assert found is not None
        return found

    async def tell(self, customer: Customer, attempt: int | None = None) -> Outcome:
        """Tell the stand-in of the customer as it is given; each attempt has the next number unless one is named."""
        number = self.attempts.get(customer.id, 0) + 1 if attempt is None else attempt
        self.attempts[customer.id] = number
        return await self.carrier.tell(self.hub, self.sink, to_told(customer, number))

    async def find(self, customer: Customer) -> Json:
        """The one customer over there that is ours."""
        (found,) = await self.account.find(customer.id)
        return found

    async def check_same(self, customer: Customer) -> None:
        """Both sides hold the same, and it is written down."""
        theirs = read_fields(await self.find(customer))
        assert theirs == to_snapshot(customer).fields
        sync = await self.find_sync(customer)
        assert (sync.written, sync.creation, sync.error) == (theirs, None, None)


def to_told(customer: Customer, attempt: int = 1) -> Told:
    """What the worker tells of a customer as it stands."""
    return Told(
        delivery=uuid4(),
        type="customer.updated",
        at=customer.updated_at,
        position=1,
        customer=customer.id,
        version=customer.version,
        before=None,
        after=customer,
        changes=(),
        catalogue=Catalogue(0),
        actor=customer.updated_by,
        actor_name="ERP",
        dialect="test",
        request_id="req_1",
        attempt=attempt,
    )


async def connect(desk: Desk, carrier: StripeCarrier, account: Account, **config: Any) -> Integration:  # Any: JSON
    """Make a sink at a stand-in, as connecting does."""
    hub, team = desk.hub, desk.team.id
    keys = msgspec.json.encode({"api_key": account.api_key, "webhook_secret": WEBHOOK_SECRET}).decode()
    now = hub.now()
    async with hub.database.transaction() as connection:
        sink = msgspec.structs.replace(
            store.to_new_sink(team, uuid4(), "stripe", "test", "", now),
            name="Stripe",
            config={"api_base": account.stand_in.url, **config},
            secret=await seal(connection, hub.vault, keys, now),
            is_trusted=True,
        )
        await store.lock_sinks(connection, team)
        await store.insert_sink(connection, sink, team)
        await store.settle_sinks(connection, team)
    return Integration(desk, carrier, account, sink)
