"""Somebody who works on a team's addresses, and what they are answered."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from customerhub.core import addresses as core
from customerhub.core import customers
from customerhub.core.access import find_caller
from customerhub.core.addresses import AddressProposal, OwnedAddress
from customerhub.core.command import Command
from customerhub.core.customers import Proposal
from customerhub.core.hub import Hub
from customerhub.model.answer import Answer, Caller, Guards
from customerhub.model.customer import Customer
from customerhub.model.error import FieldError, HubError
from customerhub.model.patch import AddressPatch, CustomerPatch
from tests.support.customers import new_customer, put_customers
from tests.support.fingerprint import Fingerprint
from tests.support.world import DIALECT, World

START = datetime(2026, 3, 4, 9, 10, 11, tzinfo=UTC)


def show(owned: OwnedAddress) -> Answer:
    """An answer that has all of it."""
    return Answer(200, msgspec.json.encode(owned))


def shown(answer: Answer) -> OwnedAddress:
    """What was answered."""
    return msgspec.json.decode(answer.body, type=OwnedAddress)


def to_answer(error: HubError) -> Answer:
    """A refusal as a key keeps it."""
    return Answer(499, str(error).encode())


@dataclass
class Desk:
    """Somebody of a team who works on its addresses."""

    world: World
    caller: Caller
    keeps: tuple[type[HubError], ...] = ()
    guards: Guards = field(default_factory=Guards)

    @property
    def hub(self) -> Hub:
        """The hub."""
        return self.world.hub

    def under(self, **guards: Any) -> "Desk":  # Any: guards of several types
        """The same with other guards."""
        return Desk(self.world, self.caller, self.keeps, Guards(**guards))

    def _command(self) -> Command:
        return Command(self.caller, "test", to_answer, self.guards, keeps=self.keeps)

    async def put(self, **fields: Any) -> Customer:  # Any: fields of many types
        """A customer that is stored."""
        customer = new_customer(self.caller.team, START, **fields)
        async with self.hub.database.lease() as connection:
            await put_customers(connection, [customer])
        return customer

    async def create(self, errors: tuple[FieldError, ...] = (), **fields: Any) -> Answer:  # Any: of several types
        """A new address of no customer."""
        proposal = AddressProposal(AddressPatch(**fields), errors)
        return await core.create_address(self.hub, self._command(), lambda _: proposal, show)

    async def get(self, address_id: UUID) -> OwnedAddress:
        """An address."""
        return await core.get_address(self.hub, self.caller, address_id)

    async def update(self, address_id: UUID, errors: tuple[FieldError, ...] = (), **fields: Any) -> Answer:  # Any: same
        """A change of an address."""
        proposal = AddressProposal(AddressPatch(**fields), errors)
        return await core.update_address(self.hub, self._command(), address_id, lambda *_: proposal, show)

    async def delete(self, address_id: UUID) -> Answer:
        """An address less."""
        return await core.delete_address(self.hub, self._command(), address_id, show)

    async def patch(self, customer_id: UUID, patch: CustomerPatch) -> Answer:
        """A change of a customer, under no guards."""
        proposal = Proposal(patch)
        command = Command(self.caller, "test", to_answer)
        return await customers.update_customer(
            self.hub, command, customer_id, lambda *_: proposal, lambda _: Answer(200)
        )

    async def customer(self, customer_id: UUID) -> Customer:
        """A customer as it stands."""
        return (await customers.get_customer(self.hub, self.caller, customer_id)).customer

    async def fetch(self, statement: str, subject: UUID) -> list[tuple[Any, ...]]:  # Any: rows of any columns
        """What the database holds of a record."""
        async with self.hub.database.lease() as connection:
            return [tuple(row) for row in await connection.fetch(statement, self.caller.team, subject)]

    async def fingerprint(self) -> Fingerprint:
        """What all tables hold."""
        return await self.world.fingerprint()


async def make_desk(world: World) -> Desk:
    """A desk of the world's team."""
    return Desk(world, await find_caller(world.hub, DIALECT, world.api_key))
