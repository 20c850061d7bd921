"""Two teams of one hub, of which one keeps the other as an account with another system: told by hand, one at a time."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
from typing_extensions import override

from customerhub.core.admin import create_team
from customerhub.core.hub import Hub
from customerhub.core.outgoing import Outcome, Sink, Told
from customerhub.dialects.base import find_dialects
from customerhub.model.base32 import from_base32
from customerhub.model.catalogue import Catalogue, TeamSettings
from customerhub.model.customer import Customer
from customerhub.sinks.account import AccountCarrier
from customerhub.store import sinks as store
from customerhub.store.access import Team
from customerhub.store.catalogue import get_snapshot
from customerhub.store.erasure import get_records
from customerhub.store.sinks import to_new_sink
from customerhub.store.syncs import Sync, find_sync
from customerhub.web.dialect import CredentialOrder
from customerhub.web.remote import Values
from customerhub.web.serve import Site
from tests.support.hub import CUSTOMERS, Desk, Json, address_body, make_desk

URL = "http://over-there"
FORMS = tuple(dialect.name for dialect in find_dialects() if dialect.remote is not None)
WRITES = ("POST", "PUT", "PATCH", "DELETE")
Reaction = Callable[[httpx.Request, httpx.AsyncBaseTransport], Awaitable[httpx.Response]]


class Street(httpx.AsyncBaseTransport):
    """The way to the other side: what befalls the next requests is queued in `faults`, and `seen` are all of them."""

    def __init__(self, site: Site) -> None:
        self._site = httpx.ASGITransport(site)
        self.seen: list[httpx.Request] = []
        self.react: Reaction | None = None

    @override
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        if self.react is not None:
            return await self.react(request, self._site)
        return await self._site.handle_async_request(request)

    def count(self, method: str) -> int:
        """How many requests of this method were made."""
        return sum(request.method == method for request in self.seen)


@dataclass
class Kept:
    """A sink of `team` that keeps an account, and what tells it."""

    hub: Hub
    team: Team
    sink: Sink
    carrier: AccountCarrier
    street: Street
    outcomes: list[Outcome] = field(default_factory=list)

    async def read(self, customer: UUID | str) -> tuple[Customer, Catalogue]:
        """A customer of ours as it stands, deleted or not."""
        async with self.hub.database.lease() as connection:
            [after] = await get_records(connection, self.team.id, (UUID(str(customer)),))
            return after, await get_snapshot(connection, self.team.id)

    async def tell(self, customer: UUID | str, kind: str = "customer.updated", *, again: bool = False) -> Outcome:
        """Tell the account of a customer's newest state, once; `again` as a repair asks for it."""
        told = msgspec.structs.replace(await self.told(customer, kind), is_asked_again=again)
        outcome = await self.carrier.tell(self.hub, self.sink, told)
        self.outcomes.append(outcome)
        return outcome

    async def told(self, customer: UUID | str, kind: str = "customer.updated") -> Told:
        """What the worker would hand over."""
        after, catalogue = await self.read(customer)
        return Told(
            delivery=uuid4(),
            type=kind,
            at=after.updated_at,
            position=1,
            customer=after.id,
            version=after.version,
            before=None,
            after=after,
            changes=(),
            catalogue=catalogue,
            actor=after.updated_by,
            actor_name="somebody",
            dialect="there",
            request_id="req_1",
        )

    async def known(self, customer: UUID | str) -> Sync:
        """What is known of a customer over there."""
        async with self.hub.database.lease() as connection:
            found = await find_sync(connection, self.team.id, self.sink.id, UUID(str(customer)))
        assert found is not None
        return found

    async def ours(self, customer: UUID | str) -> Values:
        """A customer's portable values here."""
        remote = next(dialect.remote for dialect in find_dialects() if dialect.name == self.sink.form)
        assert remote is not None
        return remote.to_values(*await self.read(customer))

    async def differences(self, customer: UUID | str) -> dict[str, tuple[object, object]]:
        """The drift of one customer, by field: ours and theirs."""
        found = await self.carrier.compare(self.hub, self.sink, *await self.read(customer))
        assert not found.fault, found.fault
        return {drift.field: (drift.ours, drift.theirs) for drift in found.differences}

    def at(self, url: str) -> None:
        """The account is there from now on."""
        self.sink = msgspec.structs.replace(self.sink, url=url)

    def configured(self, **config: object) -> None:
        """Set the sink up otherwise from now on."""
        self.sink = msgspec.structs.replace(self.sink, config={**self.sink.config, **config})


def make_account_sink(hub: Hub, team: Team, form: str, url: str, credentials: Json, **config: object) -> Sink:
    """A sink that keeps an account."""
    now = datetime.now(UTC)
    return msgspec.structs.replace(
        to_new_sink(team.id, uuid4(), "account", "hub", form, now),
        name="Account",
        url=url,
        config=dict(config),
        secret=hub.vault.encrypt(msgspec.json.encode(credentials).decode()),
        is_trusted=True,
    )


@asynccontextmanager
async def keeping(
    hub: Hub, site: Site, form: str, vendor: Team, *, team: Team | None = None, **config: object
) -> AsyncIterator[Kept]:
    """Keep the team `vendor` as an account of a new team, through the dialect `form`, in process."""
    team = team or await create_team(hub, f"Keeper {uuid4()}")
    dialect = next(found for found in find_dialects() if found.name == form)
    made = await dialect.create_credential(hub, vendor, CredentialOrder(name="account"))
    credentials: dict[str, Any] = {name: value for name, value in made.items() if name not in ("id", "name")}
    sink = make_account_sink(hub, team, form, URL, credentials, **config)
    async with hub.database.lease() as connection:
        await store.insert_sink(connection, sink, team.id)
    street = Street(site)
    carrier = AccountCarrier(jitter=lambda: 0.0)
    carrier._clients._made[True] = httpx.AsyncClient(transport=street, base_url=URL)
    try:
        yield Kept(hub, team, sink, carrier, street)
    finally:
        await carrier.close()


@dataclass
class Pair:
    """Our team through its own API, the vendor's through its own, and the sink between them."""

    kept: Kept
    ours: Desk
    theirs: Desk

    async def create(self, **members: object) -> Json:
        """A customer of ours with most portable values, told for the first time."""
        customer = await self.ours.create(full_body(**members))
        outcome = await self.kept.tell(customer["id"])
        assert outcome.kind == "delivered", outcome
        self.kept.street.seen.clear()
        return customer

    async def over_there(self, customer: Json) -> Json:
        """The vendor's record of a customer, by the vendor's own hub API."""
        return await self.theirs.get(await self.external_id(customer))

    async def external_id(self, customer: Json) -> str:
        known = (await self.kept.known(customer["id"])).external_id
        assert known is not None
        _, _, digits = known.rpartition("_")
        return str(from_base32(digits) or UUID(known))

    async def list_there(self) -> list[Json]:
        """Every customer that the vendor has."""
        answer = await self.theirs.api.get(CUSTOMERS)
        found: list[Json] = answer.json()["data"]
        return found

    def written(self) -> list[httpx.Request]:
        """The writes that were sent."""
        return [request for request in self.kept.street.seen if request.method in WRITES]


def full_body(**members: object) -> Json:
    """A customer with a value for most of what travels anywhere; each call names another one."""
    mark = uuid4().hex[:10]
    return {
        "name": f"Kestrel {mark}",
        "number": f"K-{mark}",
        "email": f"{mark}@kestrel.example",
        "phone": "+15035550142",
        "website": "https://kestrel.example/",
        "note": "Ships on Tuesdays.",
        "first_name": "Ingrid",
        "payment_mode": "AMEX",
        "tax_number": "NO 123 456",
        "carrier_billing_account": "W77",
        "addresses": [address_body(), address_body(type="shipping", city="Bergen", is_drop_ship=True)],
        "bill_to": "/addresses/0",
        "ship_to": "/addresses/1",
        **members,
    }


@asynccontextmanager
async def make_pair(hub: Hub, site: Site, form: str) -> AsyncIterator[Pair]:
    """An account of a team that does without what its vendor demands of new customers."""
    vendor = await create_team(hub, f"Vendor {uuid4()}", TeamSettings(relaxed_create=True))
    async with (
        keeping(hub, site, form, vendor) as kept,
        make_desk(hub, site, kept.team) as ours,
        make_desk(hub, site, vendor) as theirs,
    ):
        yield Pair(kept, ours, theirs)
