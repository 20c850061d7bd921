"""An erased customer: what is left of it, what refuses, and what no way leads back to."""

from collections.abc import Awaitable
from uuid import UUID, uuid4

import pytest

from customerhub.core.admin import get_team
from customerhub.core.erasure import Order, erase_as_operator
from customerhub.core.timeline import list_deleted
from customerhub.model.answer import IfMatch
from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.error import (
    Conflict,
    HistoryGone,
    HubError,
    Invalid,
    NotFound,
    PreconditionFailed,
)
from customerhub.model.patch import AddressPatch, ContactPatch, ListPatch
from tests.support.eraser import Eraser, make_eraser
from tests.support.office import key
from tests.support.world import World

EVENTS = "select customer, version, type from event where team = $1 order by customer, version"
AUDITS = "select subject, action, actor, changes from audit where team = $1 and kind = 'erasure'"


@pytest.fixture
async def eraser(world: World) -> Eraser:
    """Somebody of the team."""
    return await make_eraser(world)


def mark() -> str:
    """A word that stands nowhere yet."""
    return f"m{uuid4().hex[:12]}"


async def refused(eraser: Eraser, error: type[HubError], work: Awaitable[object]) -> None:
    """The failure, after which every table is as it was."""
    before = await eraser.fingerprint()
    with pytest.raises(error):
        await work
    assert await eraser.fingerprint() == before


async def make(eraser: Eraser, word: str) -> Customer:
    """A customer at its third version, with the word in everything."""
    made = await eraser.create(
        name=f"Zelda {word}",
        number=f"Z-{word}",
        email=f"{word}@nowhere.example",
        phone=f"+1 {word}",
        note=f"Says {word}",
        addresses=ListPatch(add=((uuid4(), AddressPatch(line1=f"Road {word}", city=f"City {word}")),)),
        contacts=ListPatch(add=((uuid4(), ContactPatch(first_name=f"Ada {word}")),)),
    )
    await eraser.update(made, note=f"Later {word}")
    return await eraser.update(made, phone=None)


async def test_what_is_left(eraser: Eraser) -> None:
    """One version more, blank and deleted; each version before says when, who and where, and nothing else."""
    word = mark()
    states = await make(eraser, word)
    before = await eraser.history(states)
    left = await eraser.erase(states, reason="ticket 7")
    blank = Customer(
        team=states.team,
        id=states.id,
        version=4,
        created_at=states.created_at,
        updated_at=left.updated_at,
        created_by=states.created_by,
        updated_by=eraser.caller.actor,
        name="",
        number="",
        deleted_at=left.updated_at,
    )
    assert left == blank
    assert await eraser.find(word) == set()
    newest, *former = await eraser.history(states)
    assert (newest.version, newest.action, newest.actor) == (4, "erased", eraser.caller.actor)
    for now, then in zip(former, before, strict=True):
        assert [change.path for change in now.changes] == [change.path for change in then.changes]
        assert all(change == FieldChange(change.path, erased=True) for change in now.changes)
        assert (now.version, now.at, now.action, now.actor) == (then.version, then.at, then.action, then.actor)
    assert [one.entry.version for one in (await eraser.feed()).entries] == [1, 2, 3, 4]
    [(subject, action, actor, changes)] = await eraser.fetch(AUDITS)
    assert (subject, action, actor) == (states.id, "erased", eraser.caller.actor)
    assert b"ticket 7" in changes


async def test_no_way_leads_back(eraser: Eraser) -> None:
    """Not to any version or time before, by no revert, restore, merge or update; it is listed nowhere."""
    states = await make(eraser, mark())
    left = await eraser.erase(states)
    for when in (1, 3, states.created_at, states.updated_at):
        with pytest.raises(HistoryGone):
            await eraser.at(states, when)
    assert await eraser.at(states, 4) == left
    other = await eraser.create()
    await refused(eraser, NotFound, eraser.get(states))
    await refused(eraser, NotFound, eraser.revert(states, 2))
    await refused(eraser, Conflict, eraser.restore(states))
    await refused(eraser, NotFound, eraser.update(states, note="x"))
    await refused(eraser, NotFound, eraser.delete(states))
    await refused(eraser, Invalid, eraser.merge(other, states))
    deleted = await eraser.delete(other)
    found = await list_deleted(eraser.hub, eraser.caller, None, 10)
    assert [one.id for one in found.items] == [deleted.id]


async def test_what_was_its_own_is_free(eraser: Eraser) -> None:
    """Its number and its email address may be another's."""
    word = mark()
    states = await make(eraser, word)
    await eraser.erase(states)
    again = await eraser.create(number=f"Z-{word}", email=f"{word}@nowhere.example")
    assert again.version == 1


async def test_sinks_are_told(eraser: Eraser) -> None:
    """Of each that was erased, so that they erase it too; with the version as every other event."""
    await eraser.execute("update team set has_sinks = true where id = $1")
    target, source = await eraser.create(name="One"), await eraser.create(name="Other")
    await eraser.merge(target, source)
    await eraser.erase(target)
    events = await eraser.fetch(EVENTS)
    assert {row for row in events if row[2] == "customer.erased"} == {
        (target.id, 3, "customer.erased"),
        (source.id, 3, "customer.erased"),
    }
    assert len(events) == 6


async def test_a_deleted_customer_is_erased_too(eraser: Eraser) -> None:
    """It stays deleted since when it was."""
    word = mark()
    states = await make(eraser, word)
    deleted = await eraser.delete(states)
    left = await eraser.erase(states)
    assert (left.version, left.deleted_at) == (5, deleted.deleted_at)
    assert await eraser.find(word) == set()


async def test_twice_is_once(eraser: Eraser) -> None:
    """The second time nothing is written, whatever confirms it, under a key or not; a stale tag is still stale."""
    states = await make(eraser, mark())
    left = await eraser.erase(states, confirm=states.number)
    before = await eraser.fingerprint()
    for one in (eraser, eraser.with_guards(key=key("again"))):
        assert await one.erase(states, confirm=states.number) == left
        assert one.erased is not None
        assert one.erased.customers == ()
    stale = eraser.with_guards(if_match=IfMatch(frozenset((3,))))
    with pytest.raises(PreconditionFailed):
        await stale.erase(states)
    assert await eraser.fingerprint() == before


async def test_what_refuses(eraser: Eraser) -> None:
    """A wrong confirmation, another version, live customers below, and nobody: nothing changes."""
    word = mark()
    states = await make(eraser, word)
    child = await eraser.create(parent=states.id)
    await refused(eraser, Invalid, eraser.erase(states, confirm="somebody"))
    await refused(eraser, Conflict, eraser.erase(states))
    await refused(eraser, NotFound, eraser.erase(uuid4()))
    stale = eraser.with_guards(if_match=IfMatch(frozenset((2,))))
    await refused(eraser, PreconditionFailed, stale.erase(states))
    await refused(eraser, Conflict, eraser.with_guards(dry_run=True).erase(states))
    await eraser.delete(child)
    tried = await eraser.with_guards(dry_run=True).erase(states)
    assert tried.version == 4
    assert (await eraser.get(states)).note == f"Later {word}"
    assert (await eraser.erase(states)).version == 4


async def test_a_retry_replays(eraser: Eraser) -> None:
    """The erasure's own answer is kept under its key, although it speaks of the customer."""
    states = await make(eraser, mark())
    once = eraser.with_guards(key=key("erase"))
    first = await once.ask_to_erase(states.id, _order(states))
    again = await once.ask_to_erase(states.id, _order(states))
    assert (again.status, again.body) == (first.status, first.body)
    assert ("idempotent-replayed", "true") in again.headers


def _order(customer: Customer) -> Order:
    return Order(str(customer.id))


async def test_all_that_went_into_it_goes(eraser: Eraser) -> None:
    """Over any number of merges; one of them alone cannot be erased, since its values live on in the other."""
    words = [mark() for _ in range(3)]
    first, second, third = [await make(eraser, word) for word in words]
    await eraser.merge(second, first)
    await eraser.merge(third, second)
    await refused(eraser, NotFound, eraser.erase(first))
    await eraser.delete(third)
    await refused(eraser, Conflict, eraser.erase(first))
    await eraser.erase(third)
    assert eraser.erased is not None
    assert set(eraser.erased.customers) == {first.id, second.id, third.id}
    assert await eraser.find(*words) == set()
    for one in (first, second, third):
        assert next(entry.action for entry in await eraser.history(one)) == "erased"
    assert (await eraser.erase(first)).merged_into == second.id


async def test_what_another_had_of_it_goes_and_nothing_else(eraser: Eraser) -> None:
    """Merged, parted and then erased: the other keeps its own, at every version that does not need what is gone."""
    word, own = mark(), mark()
    person = await make(eraser, word)
    other = await eraser.create(name=f"Aster {own}", phone=f"+44 {own}")
    merged = await eraser.merge(other, person, phone=other)
    await eraser.update(other, website=f"https://{own}.example")
    parted = await eraser.unmerge(other, merged.version)
    later = await eraser.update(other, note=f"Own {own}")
    assert word not in repr(parted)
    await eraser.erase(person.id)
    assert await eraser.find(word) == set()
    history = await eraser.history(other)
    assert [entry.version for entry in history] == [5, 4, 3, 2, 1]
    assert (await eraser.at(other, 1)).phone == f"+44 {own}"
    for version in (2, 3):
        with pytest.raises(HistoryGone):
            await eraser.at(other, version)
    assert await eraser.at(other, 4) == parted
    assert await eraser.at(other, 5) == later
    assert (await eraser.revert(other, 4)).note is None
    with pytest.raises((HistoryGone, Conflict)):
        await eraser.unmerge(other, merged.version)


async def test_the_operator_erases_too(eraser: Eraser) -> None:
    """As the person at the command line; where a customer went into another it is said which."""
    word = mark()
    person, source = await make(eraser, word), await eraser.create()
    await eraser.merge(person, source)
    team = await get_team(eraser.hub, str(eraser.team))
    with pytest.raises(Conflict, match=str(person.id)):
        await erase_as_operator(eraser.hub, team, source.id)
    with pytest.raises(NotFound):
        await erase_as_operator(eraser.hub, team, uuid4())
    erased = await erase_as_operator(eraser.hub, team, person.id, "ticket 8")
    assert set(erased.customers) == {person.id, source.id}
    assert await eraser.find(word) == set()
    newest = (await eraser.history(person))[0]
    assert (newest.dialect, newest.actor) == ("command-line", UUID(int=0))
    assert (await erase_as_operator(eraser.hub, team, person.id)).customers == ()
