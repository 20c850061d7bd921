"""Somebody who erases customers, and what is left of them."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from customerhub.core.command import Command
from customerhub.core.erasure import Erased, Order, erase_customer
from customerhub.core.hub import Hub
from customerhub.core.unmerge import UnmergeRequest, unmerge_customer
from customerhub.model.answer import Answer, Guards
from customerhub.model.customer import Customer
from customerhub.model.unmerge import Prefer
from tests.support.person import find_everywhere
from tests.support.world import World
from tests.support.writer import Writer, make_writer, to_answer


class Eraser(Writer):
    """A writer who erases and takes merges back too; `erased` is what came of the last erasure."""

    erased: Erased | None = None

    async def erase(self, customer: Customer | UUID, confirm: str | None = None, reason: str | None = None) -> Customer:
        """What is left of a customer."""
        customer_id = customer if isinstance(customer, UUID) else customer.id
        await self.ask_to_erase(customer_id, Order(confirm or str(customer_id), reason))
        assert self.erased is not None
        return self.erased.written.customer

    async def ask_to_erase(self, customer_id: UUID, order: Order) -> Answer:
        """The same, as answered."""

        def render(erased: Erased) -> Answer:
            self.erased = erased
            return Answer(200, str(erased.written.customer.version).encode())

        command = Command(self.caller, f"req_{uuid4().hex[:8]}", to_answer, self.guards)
        return await erase_customer(self.hub, command, customer_id, lambda: order, render)

    async def unmerge(self, target: Customer, version: int, prefer: Prefer | None = None) -> Customer:
        """A customer after a merge into it was taken back."""
        seen: list[Customer] = []

        def render(written: Any, _: tuple[UUID, ...]) -> Answer:  # Any: Written
            seen.append(written.customer)
            return Answer(200)

        command = Command(self.caller, f"req_{uuid4().hex[:8]}", to_answer, self.guards)
        request = UnmergeRequest(version, prefer)
        await unmerge_customer(self.hub, command, target.id, lambda: request, render)
        return seen[-1]

    def with_guards(self, **guards: Any) -> "Eraser":  # Any: guards of several types
        """The same with other guards."""
        return replace(self, guards=Guards(**guards))

    async def find(self, *words: str) -> set[tuple[str, str]]:
        """The columns of all tables in which any of the words stands."""
        await self.hub.recorder.flush()
        async with self.hub.database.lease() as connection:
            return await find_everywhere(connection, words)

    async def fetch(self, statement: str, *values: object) -> list[tuple[Any, ...]]:  # Any: rows of any columns
        """What the database holds; the first value is the team."""
        async with self.hub.database.lease() as connection:
            return [tuple(row) for row in await connection.fetch(statement, self.team, *values)]


async def make_eraser(world: World, hub: Hub | None = None) -> Eraser:
    """Somebody of the world's team, on its hub or on another one."""
    writer = await make_writer(world, hub)
    return Eraser(writer.hub, writer.caller)
