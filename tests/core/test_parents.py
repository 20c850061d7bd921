"""Who is above whom: parents are live, nobody stands above themselves, and readers get the relatives they ask for."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from customerhub.core.hub import Hub
from customerhub.model.answer import Answer
from customerhub.model.customer import Customer
from customerhub.model.error import Busy, Conflict, HubError, Invalid
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.store.relatives import Relatives, Wanted, get_relatives
from tests.support.households import check_tree
from tests.support.ledger import Ledger, key, make_ledger, shown, told
from tests.support.world import World


@pytest.fixture
async def ledger(world: World) -> Ledger:
    """The customers of a team."""
    return await make_ledger(world)


async def test_a_parent_is_set_moved_and_cleared(ledger: Ledger) -> None:
    """Each is one version with one change; the same parent again is none."""
    first, second, child = [await ledger.add() for _ in range(3)]
    for parent in (first.id, second.id, None):
        before = (await ledger.get(child)).customer
        after = shown(await ledger.update(child, parent=parent))
        assert (after.parent, after.version) == (parent, before.version + 1)
        assert shown(await ledger.update(child, parent=parent)) == after
    history = (await ledger.stored()).changes[child.id]
    assert [edit for change in history[1:] for edit in change.changes] == [
        {"path": "/parent", "new": str(first.id)},
        {"path": "/parent", "old": str(first.id), "new": str(second.id)},
        {"path": "/parent", "old": str(second.id)},
    ]


async def test_a_customer_is_born_below_another(ledger: Ledger) -> None:
    """A new customer may name its parent, which then cannot be deleted."""
    parent = await ledger.add()
    child = await ledger.add(parent=parent.id)
    assert child.parent == parent.id
    await ledger.refused(Conflict, ledger.delete(parent))


async def test_a_parent_must_be_a_live_customer_of_the_team(ledger: Ledger, other_world: World) -> None:
    """Unknown, deleted and foreign ids are refused alike, together with what else is wrong, and change nothing."""
    child, deleted = await ledger.add(), await ledger.add()
    foreign = await (await make_ledger(other_world)).add()
    await ledger.delete(deleted)
    for parent in (uuid4(), UUID(int=0), deleted.id, foreign.id):
        for work in (
            ledger.create(parent=parent, payment_term=uuid4()),
            ledger.update(child, parent=parent, payment_term=uuid4()),
        ):
            error = await ledger.refused(Invalid, work)
            assert sorted(told(error)) == [("parent", "unknown_id"), ("payment_term", "unknown_id")]


async def test_nobody_stands_above_themselves(ledger: Ledger) -> None:
    """Neither a customer itself nor anybody below it may become its parent."""
    top = await ledger.add()
    middle = await ledger.add(parent=top.id)
    bottom = await ledger.add(parent=middle.id)
    for parent in (top, middle, bottom):
        error = await ledger.refused(Invalid, ledger.update(top, parent=parent.id))
        assert told(error) == [("parent", "cycle")]
    assert shown(await ledger.update(bottom, parent=top.id)).parent == top.id


async def test_a_refused_parent_is_kept_under_its_key(ledger: Ledger) -> None:
    """The refusal is the answer of the key, whatever is asked under it later."""
    customer = await ledger.add()
    guards = {"key": key("one")}
    first = await ledger.update(customer, parent=uuid4(), guards=guards)
    assert first == Answer(400, b"Invalid: parent: no such customer")
    again = await ledger.update(customer, parent=(await ledger.add()).id, guards=guards)
    assert again == first.with_header("idempotent-replayed", "true")
    assert (await ledger.get(customer)).customer == customer


async def test_a_dry_run_of_a_parent_changes_nothing(ledger: Ledger) -> None:
    """The answer shows the parent; everything stays."""
    customer, parent = await ledger.add(), await ledger.add()
    before = await ledger.fingerprint()
    answer = await ledger.update(customer, parent=parent.id, guards={"dry_run": True})
    assert shown(answer).parent == parent.id
    assert await ledger.fingerprint() == before


@pytest.fixture
async def second(world: World, database_url: str) -> Any:
    """The same team's customers on a hub of another process, as far as they know of each other."""
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


async def test_two_who_put_each_other_below_themselves_make_no_circle(ledger: Ledger, second: Ledger) -> None:
    """At the same moment, over two processes: one is done, the other hears that it would be a circle."""
    for _ in range(20):
        one, other = await ledger.add(), await ledger.add()
        results = await settle(ledger.update(one, parent=other.id), second.update(other, parent=one.id))
        refused = [result for result in results if isinstance(result, Invalid)]
        assert [told(error) for error in refused] == [[("parent", "cycle")]]
        assert sum(isinstance(result, Answer) for result in results) == 1
    await check_tree(ledger)


async def test_longer_circles_are_not_closed_either(ledger: Ledger, second: Ledger) -> None:
    """Four customers, two pairs of them linked: of the two links that would close the circle one is made at most."""
    for _ in range(20):
        a, b, c, d = [await ledger.add() for _ in range(4)]
        await ledger.update(b, parent=c.id)
        await ledger.update(d, parent=a.id)
        results = await settle(ledger.update(a, parent=b.id), second.update(c, parent=d.id))
        assert sum(isinstance(result, Answer) for result in results) == 1
        await check_tree(ledger)


async def test_nobody_is_left_below_a_deleted_customer(ledger: Ledger, second: Ledger) -> None:
    """A parent deleted while somebody is put below it: either it is gone and refused, or it stays and is the parent."""
    outcomes = set()
    for round_ in range(30):
        parent, child = await ledger.add(), await ledger.add()
        placing = second.update(child, parent=parent.id) if round_ % 2 else second.create(parent=parent.id)
        deleted, placed = await settle(ledger.delete(parent), placing)
        if isinstance(deleted, Answer):
            assert told(placed) == [("parent", "unknown_id")]
        else:
            assert isinstance(deleted, Conflict)
            assert shown(placed).parent == parent.id
        outcomes.add(type(deleted))
    await check_tree(ledger)
    await ledger.stored()


def names(relatives: Relatives | None) -> tuple[str | None, list[str]]:
    """The parent's name and the children's, in their order."""
    assert relatives is not None
    parent = relatives.parent.name if relatives.parent is not None else None
    return parent, [child.name for child in relatives.children]


async def make_family(ledger: Ledger) -> dict[str, Customer]:
    """A grandparent, its child, three grandchildren, and one of these that has a child itself; one is deleted."""
    family = {"top": await ledger.add(name="top", note="above all")}
    for name, parent in (
        ("middle", "top"),
        ("first", "middle"),
        ("second", "middle"),
        ("third", "middle"),
        ("gone", "middle"),
        ("last", "second"),
    ):
        family[name] = await ledger.add(name=name, parent=family[parent].id)
    await ledger.delete(family["gone"])
    return family


async def test_readers_get_the_relatives_that_they_ask_for(ledger: Ledger) -> None:
    """The parent and the newest live children, who of them has children, and whether there are more of them."""
    family = await make_family(ledger)
    found = await ledger.get(family["middle"], Wanted(parent=True, children=2))
    assert names(found.relatives) == ("top", ["third", "second"])
    assert found.relatives == Relatives(
        has_children=True,
        parent=(await ledger.get(family["top"])).customer,
        children=(family["third"], family["second"]),
        has_more_children=True,
        parents=frozenset((family["top"].id, family["second"].id)),
    )
    all_three = await ledger.get(family["middle"], Wanted(children=3))
    assert names(all_three.relatives) == (None, ["third", "second", "first"])
    assert all_three.relatives is not None
    assert all_three.relatives.has_more_children is False
    assert (await ledger.get(family["top"], Wanted(parent=True))).relatives == Relatives(has_children=True)
    assert (await ledger.get(family["last"], Wanted(children=9))).relatives == Relatives(has_children=False)


async def test_relatives_that_nobody_asks_for_are_not_looked_for(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a wish there is no further query."""
    customer = await ledger.add()
    monkeypatch.setattr("customerhub.core.versions.get_relatives", None)
    assert (await ledger.get(customer)).relatives is None
    answer = await ledger.update(customer, note="x")
    assert msgspec.json.decode(answer.body)["relatives"] is None


async def test_a_write_shows_the_relatives_that_the_record_then_has(ledger: Ledger) -> None:
    """The parent that is just being set is shown, the one that it replaces is not."""
    old, new = await ledger.add(name="old"), await ledger.add(name="new")
    child = await ledger.add(parent=old.id)
    answer = await ledger.update(child, parent=new.id, wanted=Wanted(parent=True))
    assert msgspec.json.decode(answer.body)["relatives"]["parent"]["name"] == "new"
    born = await ledger.create(parent=new.id, wanted=Wanted(parent=True, children=1))
    assert msgspec.json.decode(born.body)["relatives"]["parent"]["name"] == "new"
    assert msgspec.json.decode(born.body)["relatives"]["has_children"] is False


async def test_relatives_of_many_are_one_question(ledger: Ledger, other_world: World) -> None:
    """A list gets each customer's own relatives, none of another team, and one asked for twice gets them once."""
    family = await make_family(ledger)
    await make_family(await make_ledger(other_world))
    asked = [family[name] for name in ("top", "middle", "second", "last", "middle")]
    async with ledger.hub.database.lease() as connection:
        found = await get_relatives(connection, ledger.caller.team, asked, Wanted(parent=True, children=5))
        assert await get_relatives(connection, ledger.caller.team, [], Wanted(parent=True)) == {}
    assert {customer.name: names(found[customer.id]) for customer in asked} == {
        "top": (None, ["middle"]),
        "middle": ("top", ["third", "second", "first"]),
        "second": ("middle", ["last"]),
        "last": ("second", []),
    }
    assert {customer.name for customer in asked if found[customer.id].has_children} == {"top", "middle", "second"}


async def test_a_held_parent_makes_a_child_wait_and_not_for_ever(world: World, database_url: str) -> None:
    """Whoever holds the parent holds up who wants to stand below it, for as long as the patience lasts."""
    hub = Hub(Database(database_url, patience=0.1), Settings(patience_seconds=0.1))
    ledger = await make_ledger(world, hub)
    parent, child = await ledger.add(), await ledger.add()
    async with world.hub.database.transaction() as holder:
        await holder.execute("select from customer where team = $1 and id = $2 for update", world.team.id, parent.id)
        await ledger.refused(Busy, ledger.update(child, parent=parent.id))
        assert shown(await ledger.update(child, note="free")).note == "free"
    assert shown(await ledger.update(child, parent=parent.id)).parent == parent.id
    await hub.close()
