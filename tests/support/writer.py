"""Somebody who writes customers and looks at what they were."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import msgspec

from customerhub.core import customers
from customerhub.core import timeline as core
from customerhub.core.access import find_caller
from customerhub.core.catalogue import EntryProposal, EntryValues, create_entry, delete_entry
from customerhub.core.command import Command
from customerhub.core.customers import NumberForm, Proposal, Written
from customerhub.core.hub import Hub
from customerhub.core.merge import MergeRequest, merge_customers
from customerhub.model.answer import Answer, Caller, Guards
from customerhub.model.catalogue import CatalogueEntry, Details, Kind, NoDetails
from customerhub.model.customer import Customer
from customerhub.model.error import HubError
from customerhub.model.history import Feed, HistoryEntry, HistoryFilter
from customerhub.model.patch import AddressPatch, AttributesPatch, ContactPatch, CustomerPatch, ListPatch
from tests.support.fingerprint import Fingerprint, take_fingerprint
from tests.support.world import DIALECT, World

START = datetime(2026, 3, 4, 9, 10, 11, tzinfo=UTC)


def to_answer(error: HubError) -> Answer:
    """A refusal as a key keeps it."""
    return Answer(499, str(error).encode())


@dataclass
class Clock:
    """A hub's time, a minute later each time somebody looks."""

    minutes: Any = field(default_factory=count)

    def __call__(self) -> datetime:
        return START + timedelta(minutes=next(self.minutes))


@dataclass
class Writer:
    """Somebody of a team; what they were answered last is `seen`."""

    hub: Hub
    caller: Caller
    guards: Guards = field(default_factory=Guards)
    seen: Written | None = None

    @property
    def team(self) -> UUID:
        """Whose customers they are."""
        return self.caller.team

    def under(self, **guards: Any) -> "Writer":  # Any: guards of several types
        """The same with other guards."""
        return replace(self, guards=Guards(**guards))

    def _command(self) -> Command:
        return Command(self.caller, f"req_{uuid4().hex[:8]}", to_answer, self.guards)

    def _render(self, written: Written) -> Answer:
        self.seen = written
        return Answer(200, str(written.customer.version).encode())

    def _written(self) -> Customer:
        assert self.seen is not None
        return self.seen.customer

    async def create(self, **fields: Any) -> Customer:  # Any: fields of a patch
        """A new customer."""
        proposal = Proposal(CustomerPatch(**{"name": "Aster", **fields}))
        await customers.create_customer(self.hub, self._command(), lambda _: proposal, self._render, NumberForm("C", 5))
        return self._written()

    async def update(self, customer: Customer, **fields: Any) -> Customer:  # Any: fields of a patch
        """A patch of a customer."""
        proposal = Proposal(CustomerPatch(**fields))
        await customers.update_customer(self.hub, self._command(), customer.id, lambda *_: proposal, self._render)
        return self._written()

    async def delete(self, customer: Customer) -> Customer:
        """A customer less."""
        await customers.delete_customer(self.hub, self._command(), customer.id, self._render)
        return self._written()

    async def merge(self, target: Customer, *sources: Customer, **survivors: Customer) -> Customer:
        """One customer of several; `survivors` by the field of which theirs is the value that survives."""
        named = {field: survivor.id for field, survivor in survivors.items()}
        asked = MergeRequest(tuple(source.id for source in sources), named)
        await merge_customers(self.hub, self._command(), target.id, lambda: asked, self._render)
        return self._written()

    async def revert(self, customer: Customer | UUID | None, version: int, *paths: str) -> Customer:
        """A customer back at a version; the one seen before where the answer was replayed."""
        await self.ask_to_revert(customer, version, *paths)
        return self._written()

    async def ask_to_revert(self, customer: Customer | UUID | None, version: int, *paths: str) -> Answer:
        """The same, as answered."""
        wanted = core.Reversion(version, paths or None)
        return await core.revert_customer(self.hub, self._command(), _id(customer), lambda: wanted, self._render)

    async def restore(self, customer: Customer | UUID | None) -> Customer:
        """A deleted customer back."""
        await core.restore_customer(self.hub, self._command(), _id(customer), self._render)
        return self._written()

    async def get(self, customer: Customer) -> Customer:
        """A customer as it stands."""
        return (await customers.get_customer(self.hub, self.caller, customer.id)).customer

    async def at(self, customer: Customer | UUID | None, when: int | datetime) -> Customer:
        """A customer as it was."""
        return (await core.get_customer_at(self.hub, self.caller, _id(customer), when)).customer

    async def history(self, customer: Customer, **which: Any) -> list[HistoryEntry]:  # Any: members of a filter
        """What happened to a customer, the newest first."""
        found = await core.get_history(self.hub, self.caller, customer.id, None, 100, HistoryFilter(**which))
        return list(found.items)

    async def feed(self, after: int = 0, limit: int = 1000, wait: float = 0) -> Feed:
        """What happened in the team, the oldest first."""
        return await core.walk_changes(self.hub, self.caller, after, limit, wait)

    async def entry(self, kind: Kind, name: str, details: Details | None = None) -> UUID:
        """A new catalogue entry."""
        made: list[UUID] = []

        def note(entry: CatalogueEntry) -> Answer:
            made.append(entry.id)
            return Answer(200)

        proposal = EntryProposal(EntryValues(name, details=details or NoDetails()))
        await create_entry(self.hub, self._command(), kind, lambda _: proposal, note)
        return made[0]

    async def delete_entry(self, kind: Kind, entry_id: UUID) -> None:
        """A catalogue entry less."""
        await delete_entry(self.hub, self._command(), kind, entry_id, lambda _: Answer(200), keeps_in_use=False)

    async def execute(self, statement: str, *values: object) -> None:
        """Something that no use case does; the first value is the team."""
        async with self.hub.database.lease() as connection:
            await connection.execute(statement, self.team, *values)

    async def fingerprint(self) -> Fingerprint:
        """What all tables hold."""
        return await take_fingerprint(self.hub)


def _id(customer: Customer | UUID | None) -> UUID | None:
    return customer.id if isinstance(customer, Customer) else customer


async def make_writer(world: World, hub: Hub | None = None) -> Writer:
    """Somebody of the world's team, on its hub or on another one."""
    return Writer(hub or world.hub, await find_caller(world.hub, DIALECT, world.api_key))


def content(customer: Customer) -> Customer:
    """A record without its version and without who changed it when."""
    return msgspec.structs.replace(customer, version=0, updated_at=START, updated_by=customer.created_by)


async def full(writer: Writer, email: str = "ap@aster.example", new_id: Callable[[], UUID] = uuid4) -> Customer:
    """A customer that has something of everything."""
    office, dock, contact = new_id(), new_id(), new_id()
    addresses = (
        (office, AddressPatch(type="billing", city="Oslo", attributes=AttributesPatch(put={"Dock": "3"}))),
        (dock, AddressPatch(type="shipping", city="Bergen")),
    )
    return await writer.create(
        email=email,
        reference_id=f"R-{uuid4()}",
        credit_limit=Decimal("25000.00"),
        addresses=ListPatch(add=addresses),
        contacts=ListPatch(add=((contact, ContactPatch(first_name="Ingrid")),)),
        attributes=AttributesPatch(put={"Region": "North", "Route": "7"}),
        bill_to=office,
        ship_to=dock,
        primary_contact=contact,
    )
