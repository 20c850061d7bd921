"""Merges at the same moment as other writes, over two hubs that share nothing but the database."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from customerhub.core.hub import Hub
from customerhub.model.answer import Answer
from customerhub.model.customer import Customer
from customerhub.model.error import Busy, Conflict, HubError, Invalid, NotFound
from customerhub.model.patch import AddressPatch, AttributesPatch, ContactPatch
from customerhub.settings import Settings
from customerhub.store.db import Database
from tests.support.households import adding, all_entries, check_tree, make_household
from tests.support.ledger import Ledger, key, make_ledger, shown
from tests.support.soak import sized
from tests.support.world import World

ROUNDS = sized(15, 200)


@pytest.fixture
async def ledger(world: World) -> Ledger:
    """The customers of a team."""
    return await make_ledger(world)


@pytest.fixture
async def second(world: World, database_url: str) -> AsyncIterator[Ledger]:
    """The same team's customers on another hub."""
    hub = Hub(Database(database_url), Settings())
    yield await make_ledger(world, hub)
    await hub.close()


async def settle(*works: Any) -> list[Any]:  # Any: answers, or failures
    """What came of several writes at the same moment; nothing but failures of ours is a result."""
    results = await asyncio.gather(*works, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, HubError):
            raise result
    return results


async def test_two_who_merge_into_each_other(ledger: Ledger, second: Ledger) -> None:
    """One is left, with what both had; the other request finds its target or its source gone."""
    for round_ in range(ROUNDS):
        one, other = [await ledger.add(addresses=adding(AddressPatch(city=f"{place} {round_}"))) for place in "ab"]
        results = await settle(ledger.merge(one, other), second.merge(other, one))
        (done,) = (result for result in results if isinstance(result, Answer))
        (refused,) = (result for result in results if not isinstance(result, Answer))
        assert isinstance(refused, NotFound | Invalid)
        assert len(shown(done).addresses) == 2
    await ledger.stored()


async def test_a_source_goes_into_one_target(ledger: Ledger, second: Ledger) -> None:
    """Two targets that want it at the same moment: one has it, the other is told that there is no such customer."""
    for _ in range(ROUNDS):
        source = await ledger.add(contacts=adding(ContactPatch(first_name="Ingrid")))
        targets = [await ledger.add(), await ledger.add()]
        results = await settle(ledger.merge(targets[0], source), second.merge(targets[1], source))
        assert sorted(type(result).__name__ for result in results) == ["Answer", "Invalid"]
        counts = [len((await ledger.get(target)).customer.contacts) for target in targets]
        assert sorted(counts) == [0, 1]
    await ledger.stored()


async def test_no_change_of_anybody_in_a_merge_is_lost(ledger: Ledger, second: Ledger) -> None:
    """Whatever was acknowledged of target, source and child is there afterwards; what came too late was refused."""
    for round_ in range(ROUNDS):
        source, target = await ledger.add(), await ledger.add()
        child = await ledger.add(parent=source.id)
        values = {own.id: AttributesPatch(put={f"{place} {round_}": "x"}) for place, own in enumerate((source, target))}
        done, of_source, of_target, of_child = await settle(
            ledger.merge(target, source),
            second.update(source, attributes=values[source.id]),
            second.update(target, attributes=values[target.id]),
            second.update(child, note="changed"),
        )
        assert isinstance(done, Answer)
        assert isinstance(of_target, Answer)
        assert isinstance(of_child, Answer)
        after = (await ledger.get(target)).customer
        names = {f"1 {round_}"} if isinstance(of_source, NotFound) else {f"0 {round_}", f"1 {round_}"}
        assert {value.name for value in after.attributes} == names
        below = (await ledger.get(child)).customer
        assert (below.parent, below.note) == (target.id, "changed")
    await ledger.stored()


async def test_nobody_is_left_below_a_merged_customer(ledger: Ledger, second: Ledger) -> None:
    """Whoever comes below a source while it goes stands below the target, or is told that it is gone."""
    for _ in range(ROUNDS):
        source, target, mover = [await ledger.add() for _ in range(3)]
        done, born, moved = await settle(
            ledger.merge(target, source), second.create(parent=source.id), second.update(mover, parent=source.id)
        )
        assert isinstance(done, Answer)
        for result in (born, moved):
            assert isinstance(result, Answer | Invalid)
            if isinstance(result, Answer):
                assert (await ledger.get(shown(result))).customer.parent == target.id
    await check_tree(ledger)
    await ledger.stored()


async def test_a_source_that_is_deleted_meanwhile(ledger: Ledger, second: Ledger) -> None:
    """It is merged or deleted, never both, and the other is told."""
    for _ in range(ROUNDS):
        source, target = await ledger.add(), await ledger.add()
        merging, deleting = await settle(ledger.merge(target, source), second.delete(source))
        assert [type(merging), type(deleting)] in ([Answer, NotFound], [Invalid, Answer])
    await ledger.stored()


async def test_one_key_at_the_same_moment_is_one_merge(ledger: Ledger, second: Ledger) -> None:
    """Twenty requests with one key over two hubs: one is done, and all get its very bytes."""
    household = await make_household(ledger)
    answers = await asyncio.gather(
        *(one.merge(household.target, *household.sources, key=key("one")) for one in [ledger, second] * 10)
    )
    assert len({(answer.status, answer.body) for answer in answers}) == 1
    assert sum(("idempotent-replayed", "true") in answer.headers for answer in answers) == 19
    assert (await ledger.stored()).answers == [(household.target.id, 2)]


async def test_whatever_merges_at_once_nothing_is_lost(ledger: Ledger, second: Ledger) -> None:
    """Many merges, moves and changes among a few customers: every address and contact ends at one live customer."""
    chance = random.Random(11)
    customers: list[Customer] = [
        await ledger.add(
            addresses=adding(AddressPatch(city=f"City {place}")), contacts=adding(ContactPatch(first_name=f"{place}"))
        )
        for place in range(sized(16, 60))
    ]
    everything = all_entries(customers)
    while len(customers) > 3:
        works: list[Any] = []
        for one in (ledger, second):
            for _ in range(2):
                target, *sources = chance.sample(customers, k=3)
                works.append(one.merge(target, *sources))
            mover, parent = chance.sample(customers, k=2)
            works.append(one.update(mover, parent=parent.id))
            works.append(one.update(chance.choice(customers), note=str(uuid4())))
        for result in await settle(*works):
            assert isinstance(result, Answer | NotFound | Invalid | Conflict | Busy)
        stored = (await ledger.stored()).customers
        customers = [own for own in stored.values() if own.deleted_at is None]
        assert all_entries(customers) == everything
        assert sum(len(own.addresses) + len(own.contacts) for own in customers) == len(everything)
        await check_tree(ledger)
