"""Walking a list of customers from page to page while others work on it."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from customerhub.core import admin
from customerhub.core import customers as core
from customerhub.core.access import find_caller
from customerhub.core.command import Command
from customerhub.core.customers import NumberForm, Proposal
from customerhub.core.lists import CustomerFilter, CustomerQuery, CustomerWalk, list_customers, walk_customers
from customerhub.model.answer import Answer, Caller
from customerhub.model.customer import Customer
from customerhub.model.error import HubError, Unauthenticated
from customerhub.model.page import Position
from customerhub.model.patch import CustomerPatch, Named
from customerhub.store import lists as store
from customerhub.store.relatives import Relatives, Wanted
from tests.support.customers import new_address, new_customer, put_customers
from tests.support.soak import sized
from tests.support.world import DIALECT, World

START = datetime(2026, 3, 4, 9, 10, 11, tzinfo=UTC)
MANY = sized(2_000, 100_000)
PAGE = sized(50, 500)
EVERYBODY = CustomerFilter()


def fail(error: HubError) -> Answer:
    """No write in here may fail."""
    raise error


class Others:
    """What others do to a team's customers while somebody walks, one round of it at a time."""

    def __init__(self, world: World, caller: Caller, customers: list[Customer]) -> None:
        self.hub = world.hub
        self.caller = caller
        self.times = [customer.created_at for customer in customers]
        self.staying = [customer.id for customer in customers]
        self.rounds = 0
        self._random = random.Random(7)
        self._random.shuffle(self.staying)

    async def round(self) -> None:
        """One goes, one changes, one is made now, and one comes from elsewhere with a time between the others'."""
        self.rounds += 1
        gone, changed = self.staying.pop(), self._random.choice(self.staying)
        await asyncio.gather(self._delete(gone), self._update(changed), self._create(), self._bring())

    def _command(self) -> Command:
        return Command(self.caller, f"round {self.rounds}", fail)

    async def _delete(self, customer_id: UUID) -> None:
        await core.delete_customer(self.hub, self._command(), customer_id, lambda _: Answer(200))

    async def _update(self, customer_id: UUID) -> None:
        proposal = Proposal(CustomerPatch(name=f"Round {self.rounds}"))
        await core.update_customer(self.hub, self._command(), customer_id, lambda *_: proposal, lambda _: Answer(200))

    async def _create(self) -> None:
        proposal = Proposal(CustomerPatch(name="New"))
        form = NumberForm("W", 5)
        await core.create_customer(self.hub, self._command(), lambda _: proposal, lambda _: Answer(201), form)

    async def _bring(self) -> None:
        new = new_customer(self.caller.team, self._random.choice(self.times))
        async with self.hub.database.lease() as connection:
            await put_customers(connection, [new])


async def to_caller(world: World) -> Caller:
    """Who has the team's key."""
    return await find_caller(world.hub, DIALECT, world.api_key)


async def put(world: World, customers: list[Customer]) -> None:
    """Store the customers."""
    async with world.hub.database.lease() as connection:
        await put_customers(connection, customers)
        await connection.execute("analyze customer")


def check_seen(pages: list[CustomerWalk], staying: list[UUID]) -> None:
    """Everybody who stayed was seen once, nobody twice, and all of them newest first."""
    seen = [customer for page in pages for customer in page.customers]
    keys = [(customer.created_at, customer.id) for customer in seen]
    assert keys == sorted(keys, reverse=True)
    assert len({customer.id for customer in seen}) == len(seen)
    assert {customer.id for customer in seen} >= set(staying)


@pytest.mark.soak
async def test_a_walk_sees_each_that_was_there_throughout_once(world: World) -> None:
    """There and back, while with every page others change, delete and make customers before, behind and around it."""
    caller = await to_caller(world)
    # Three of each moment: a page often ends between customers that only their ids tell apart.
    customers = [new_customer(world.team.id, START + timedelta(seconds=place // 3)) for place in range(MANY)]
    await put(world, customers)
    others = Others(world, caller, customers)

    async def walk(position: Position | None) -> CustomerWalk:
        page, _ = await asyncio.gather(walk_customers(world.hub, caller, EVERYBODY, position, PAGE), others.round())
        return page

    pages = [await walk(None)]
    while pages[-1].after is not None:
        pages.append(await walk(pages[-1].after))
    assert len(pages) >= MANY // PAGE
    assert all(len(page.customers) == PAGE for page in pages[:-1])
    check_seen(pages, others.staying)

    back = [await walk(Position(START - timedelta(days=1), UUID(int=0), is_backward=True))]
    while back[0].before is not None:
        back.insert(0, await walk(back[0].before))
    check_seen(back, others.staying)
    assert others.rounds == len(pages) + len(back)


async def test_pages_there_and_back_are_the_same(world: World) -> None:
    """Where nobody else works on it, the way back has the very pages of the way there, each newest first."""
    caller = await to_caller(world)
    customers = [new_customer(world.team.id, START + timedelta(seconds=place // 2)) for place in range(7)]
    await put(world, customers)
    pages = [await walk_customers(world.hub, caller, EVERYBODY, None, 3)]
    while (after := pages[-1].after) is not None:
        pages.append(await walk_customers(world.hub, caller, EVERYBODY, after, 3))
    assert [len(page.customers) for page in pages] == [3, 3, 1]
    assert [(page.has_before, page.has_after) for page in pages] == [(False, True), (True, True), (True, False)]
    assert [page.before is not None for page in pages] == [False, True, True]
    assert pages[1].before is not None
    first = await walk_customers(world.hub, caller, EVERYBODY, pages[1].before, 3)
    assert (first.customers, first.has_before, first.has_after) == (pages[0].customers, False, True)
    assert first.after == pages[0].after
    assert pages[2].before is not None
    second = await walk_customers(world.hub, caller, EVERYBODY, pages[2].before, 3)
    assert second == pages[1]


async def test_a_walk_beyond_the_last_finds_its_way_back(world: World) -> None:
    """Where all that a cursor led to has gone, its page is empty, and the one before it holds what is still there."""
    caller = await to_caller(world)
    customers = [new_customer(world.team.id, START + timedelta(seconds=place)) for place in range(2)]
    await put(world, customers)
    first = await walk_customers(world.hub, caller, EVERYBODY, None, 1)
    assert first.after is not None
    await core.delete_customer(world.hub, Command(caller, "x", fail), customers[0].id, lambda _: Answer(200))
    empty = await walk_customers(world.hub, caller, EVERYBODY, first.after, 1)
    assert (empty.customers, empty.has_before, empty.has_after, empty.after) == ((), True, False, None)
    assert empty.before is not None
    again = await walk_customers(world.hub, caller, EVERYBODY, empty.before, 1)
    assert (again.customers, again.has_before) == (first.customers, False)


async def test_a_page_brings_what_was_wanted(world: World) -> None:
    """Parents and children of everybody on it by a customer's id; nothing that was not asked for."""
    caller = await to_caller(world)
    parent = new_customer(world.team.id, START, addresses=(new_address(START, city="Oslo"),))
    await put(world, [parent])
    children = [
        new_customer(world.team.id, START + timedelta(seconds=place), parent=parent.id, name=f"Child {place}")
        for place in (1, 2, 3)
    ]
    await put(world, children)
    plain = await walk_customers(world.hub, caller, EVERYBODY, None, 10)
    assert plain.relatives == {}
    assert plain.customers == (*children[::-1], parent)
    asked = await walk_customers(world.hub, caller, EVERYBODY, None, 10, Wanted(), with_nested=False)
    assert asked.customers[3].addresses == ()
    assert asked.relatives == {child.id: Relatives(False) for child in children} | {parent.id: Relatives(True)}
    found = (await walk_customers(world.hub, caller, EVERYBODY, None, 10, Wanted(parent=True, children=2))).relatives
    assert [child.id for child in found[parent.id].children] == [children[2].id, children[1].id]
    assert (found[parent.id].parent, found[parent.id].has_more_children) == (None, True)
    above = found[children[0].id]
    assert above.parent is not None
    assert (above.parent.id, above.parents, above.children) == (parent.id, frozenset((parent.id,)), ())


async def test_a_walk_asks_after_the_credential(world: World) -> None:
    """A credential that has ended sees no page, also in the middle of a walk."""
    caller = await to_caller(world)
    await put(world, [new_customer(world.team.id, START)])
    await walk_customers(world.hub, caller, EVERYBODY, None, 1)
    await admin.revoke_credential(world.hub, caller.credential)
    with pytest.raises(Unauthenticated):
        await walk_customers(world.hub, caller, EVERYBODY, None, 1)


async def test_a_page_knows_what_its_customers_refer_to(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a term that came with a customer while the page was on its way, in walks as in pages that are counted."""
    caller = await to_caller(world)
    customer = new_customer(world.team.id, START)
    await put(world, [customer])
    counted, walked = store.list_customers, store.walk_customers

    async def arrive(name: str) -> None:
        proposal = Proposal(CustomerPatch(payment_term=Named(name)))
        command = Command(caller, "x", fail)
        await core.update_customer(world.hub, command, customer.id, lambda *_: proposal, lambda _: Answer(200))

    async def late_count(*arguments: Any) -> Any:  # Any: handed on as they are
        await arrive("NET77")
        return await counted(*arguments)

    async def late_walk(*arguments: Any, **named: Any) -> Any:  # Any: handed on as they are
        await arrive("NET88")
        return await walked(*arguments, **named)

    monkeypatch.setattr(store, "list_customers", late_count)
    monkeypatch.setattr(store, "walk_customers", late_walk)
    page = await list_customers(world.hub, caller, CustomerQuery())
    walk = await walk_customers(world.hub, caller, EVERYBODY, None, 5)
    for name, (found,), catalogue in (
        ("NET77", page.customers, page.catalogue),
        ("NET88", walk.customers, walk.catalogue),
    ):
        entry = catalogue.find_entry("payment_term", found.payment_term)
        assert entry is not None
        assert entry.name == name
