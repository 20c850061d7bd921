"""Somebody who keeps a team's customers, straight through the use cases, and is answered as a door would answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID, uuid4

import msgspec

from customerhub.core.access import find_caller
from customerhub.core.command import Command
from customerhub.core.customers import (
    NumberForm,
    Proposal,
    Written,
    create_customer,
    delete_customer,
    get_customer,
    update_customer,
)
from customerhub.core.hub import Hub
from customerhub.core.merge import MergeRequest, merge_customers
from customerhub.model.answer import Answer, Caller, Guards, IdempotencyKey, IfMatch
from customerhub.model.customer import Address, Customer
from customerhub.model.error import HubError, Invalid
from customerhub.model.patch import CustomerPatch
from customerhub.store.addresses import insert_unowned
from customerhub.store.db import Connection
from customerhub.store.relatives import Wanted
from tests.support.fingerprint import Fingerprint, take_fingerprint
from tests.support.replay import Stored, check_whole
from tests.support.world import DIALECT, World

FORM = NumberForm("C", 5)
Failure = TypeVar("Failure", bound=HubError)


@dataclass
class Ledger:
    """One team's customers and somebody who may change them.

    Every write takes guards by name (`key`, `if_match`, `dry_run`), and `keeps`.
    """

    hub: Hub
    caller: Caller

    def on(self, connection: Connection) -> "Ledger":
        """The same with all its use cases inside the transaction of a connection."""
        return Ledger(self.hub.on(connection), self.caller)

    def command(self, guards: dict[str, Any]) -> Command:  # Any: members of Guards, and `keeps`
        """A write; what a key keeps of a failure is its name and what it says."""
        keeps = guards.get("keeps", ())
        only = {name: value for name, value in guards.items() if name != "keeps"}
        return Command(self.caller, f"request {uuid4()}", to_failure, Guards(**only), keeps=keeps)

    async def create(self, *, wanted: Wanted | None = None, guards: Any = None, **fields: Any) -> Answer:
        """Make a customer. Any: guards, and members of CustomerPatch."""
        proposal = Proposal(CustomerPatch(**{"name": f"Company {uuid4().hex[:10]}", **fields}))
        command = self.command(guards or {})
        return await create_customer(self.hub, command, lambda _: proposal, show, FORM, wanted)

    async def add(self, **fields: Any) -> Customer:  # Any: members of CustomerPatch
        """A new customer."""
        return shown(await self.create(**fields))

    async def update(
        self, customer: Customer, *, wanted: Wanted | None = None, guards: Any = None, **fields: Any
    ) -> Answer:
        """Change a customer. Any: guards, and members of CustomerPatch."""
        proposal = Proposal(CustomerPatch(**fields))
        command = self.command(guards or {})
        return await update_customer(self.hub, command, customer.id, lambda *_: proposal, show, wanted)

    async def delete(self, customer: Customer, **guards: Any) -> Answer:  # Any: guards
        """Take a customer away."""
        return await delete_customer(self.hub, self.command(guards), customer.id, show)

    async def merge(
        self, target: Customer, *sources: Customer | UUID, wanted: Wanted | None = None, **guards: Any
    ) -> Answer:
        """Merge customers into the target. Any: guards."""
        asked = tuple(source.id if isinstance(source, Customer) else source for source in sources)
        return await self.merge_by(target.id, lambda: asked, wanted=wanted, **guards)

    async def merge_by(
        self,
        target: UUID | None,
        read: Callable[[], tuple[UUID, ...]],
        *,
        wanted: Wanted | None = None,
        **guards: Any,
    ) -> Answer:
        """Merge what is read from a request. Any: guards."""

        def read_all() -> MergeRequest:
            return MergeRequest(read(), member="source_customer_ids")

        return await merge_customers(self.hub, self.command(guards), target, read_all, show, wanted)

    async def get(self, customer: Customer, wanted: Wanted | None = None) -> Written:
        """A customer as it stands."""
        return await get_customer(self.hub, self.caller, customer.id, wanted)

    async def stored(self, *, has_sinks: bool = False) -> Stored:
        """All that the team has, none of it half there."""
        async with self.hub.database.lease() as connection:
            return await check_whole(connection, self.caller.team, has_sinks=has_sinks)

    async def fingerprint(self) -> Fingerprint:
        """Row count and checksum of every table."""
        return await take_fingerprint(self.hub)

    async def fetch(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:  # Any: rows of any columns
        """Rows of the team, which is the statement's first parameter."""
        async with self.hub.database.lease() as connection:
            return [tuple(row) for row in await connection.fetch(statement, self.caller.team, *parameters)]

    async def put_unowned(self, address: Address) -> Address:
        """An address of no customer, stored."""
        async with self.hub.database.lease() as connection:
            await insert_unowned(connection, self.caller.team, address)
        return address

    async def refused(self, error: type[Failure], work: Awaitable[object]) -> Failure:
        """The failure of the work, which must leave everything as it was."""
        before = await self.fingerprint()
        try:
            await work
        except error as failure:
            assert await self.fingerprint() == before
            return failure
        raise AssertionError(f"not refused with {error.__name__}")


async def make_ledger(world: World, hub: Hub | None = None) -> Ledger:
    """A ledger of the world's team, on its hub if no other one is given."""
    hub = hub or world.hub
    return Ledger(hub, await find_caller(hub, DIALECT, world.api_key))


def to_failure(error: HubError) -> Answer:
    """A failure as it is kept."""
    return Answer(400, f"{type(error).__name__}: {error}".encode())


def show(written: Written) -> Answer:
    """A record with its relatives, as an answer."""
    body = {"data": written.customer, "relatives": written.relatives}
    tag = ("etag", f'"{written.customer.version}"')
    return Answer(201, msgspec.json.Encoder(decimal_format="string", order="deterministic").encode(body), (tag,))


def shown(answer: Answer) -> Customer:
    """The record that an answer shows."""
    assert answer.status == 201, answer
    return msgspec.convert(msgspec.json.decode(answer.body)["data"], Customer, strict=False)


def only_at(version: int) -> IfMatch:
    """The precondition that a record is at this version."""
    return IfMatch(frozenset([version]))


def key(name: str, fingerprint: bytes = b"\0" * 32) -> IdempotencyKey:
    """An idempotency key of a request."""
    return IdempotencyKey(name, fingerprint)


def told(error: Invalid) -> list[tuple[str, str]]:
    """Where and what each of the errors is."""
    return [(one.dotted(), one.code) for one in error.errors]
