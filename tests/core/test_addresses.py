"""Addresses by themselves: one of no customer has its own row, another is written in its customer's."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import msgspec
import pytest

from customerhub.core.addresses import OwnedAddress
from customerhub.model.answer import IdempotencyKey, IfMatch
from customerhub.model.error import Busy, Conflict, FieldError, Invalid, NotFound, PreconditionFailed
from customerhub.model.patch import CustomerPatch
from customerhub.store import addresses as store
from customerhub.store.db import Connection
from tests.support.customers import new_address
from tests.support.desk import START, Desk, make_desk, shown
from tests.support.world import World

AUDITED = """
select version, action, changes, actor_name, request_id from audit
where team = $1 and kind = 'address' and subject = $2
order by version
"""
CHANGED = "select version, action, changes from change where team = $1 and customer = $2 order by version"


@pytest.fixture
async def desk(world: World) -> Desk:
    """A desk of the world's team."""
    return await make_desk(world)


async def test_an_address_of_no_customer_is_made(desk: Desk) -> None:
    """It has an id, a version and a history of its own."""
    owned = shown(await desk.create(name="Dock 3", line1="2240 N Columbia Blvd", city="Portland", is_drop_ship=True))
    assert (owned.customer_id, owned.version) == (None, 1)
    address = owned.address
    assert (address.name, address.city, address.is_drop_ship, address.phone) == ("Dock 3", "Portland", True, None)
    assert address.created_at == address.updated_at
    assert await desk.get(address.id) == owned
    ((version, action, changes, actor, request_id),) = await desk.fetch(AUDITED, address.id)
    assert (version, action, actor, request_id) == (1, "created", "test key", "test")
    assert msgspec.json.decode(changes) == [{"path": "", "new": msgspec.to_builtins(address)}]


async def test_an_address_of_no_customer_is_changed(desk: Desk) -> None:
    """Only what was named, with a version that says what changed; the same again writes nothing."""
    first = shown(await desk.create(name="Dock 3", city="Portland", phone="+1-503-555-0142"))
    after = shown(await desk.update(first.address.id, city="Salem", phone=None))
    assert after.version == 2
    assert after.address.updated_at > first.address.updated_at
    expected = msgspec.structs.replace(first.address, city="Salem", phone=None, updated_at=after.address.updated_at)
    assert after == OwnedAddress(expected, None, 2)
    assert await desk.get(first.address.id) == after
    _, (version, action, changes, *_) = await desk.fetch(AUDITED, first.address.id)
    assert (version, action) == (2, "updated")
    assert msgspec.json.decode(changes) == [
        {"path": "/phone", "old": "+1-503-555-0142"},
        {"path": "/city", "old": "Portland", "new": "Salem"},
    ]
    before = await desk.fingerprint()
    assert shown(await desk.update(first.address.id, city="Salem", phone=None)) == after
    assert await desk.fingerprint() == before


async def test_an_address_of_a_customer_is_changed_there(desk: Desk) -> None:
    """A change of it is a version of its customer, with the customer's history; what else stands there stays."""
    address, other = new_address(START, city="Oslo", name="Dock"), new_address(START, city="Bergen")
    customer = await desk.put(addresses=(address, other), bill_to=other.id, ship_to=address.id)
    assert await desk.get(address.id) == OwnedAddress(address, customer.id, 1)
    owned = shown(await desk.update(address.id, city="Moss"))
    assert (owned.customer_id, owned.version) == (customer.id, 2)
    assert owned.address == msgspec.structs.replace(address, city="Moss", updated_at=owned.address.updated_at)
    stored = await desk.customer(customer.id)
    assert {entry.id: entry for entry in stored.addresses} == {address.id: owned.address, other.id: other}
    assert (stored.version, stored.bill_to, stored.ship_to) == (2, other.id, address.id)
    ((version, action, changes),) = await desk.fetch(CHANGED, customer.id)
    assert (version, action) == (2, "updated")
    assert msgspec.json.decode(changes) == [{"path": f"/addresses/{address.id}/city", "old": "Oslo", "new": "Moss"}]
    assert await desk.fetch(AUDITED, address.id) == []


async def test_a_change_means_the_version_that_was_read(desk: Desk) -> None:
    """The tag of an address is its customer's version, or its own where it has none; another one changes nothing."""
    address = new_address(START, city="Oslo")
    await desk.put(addresses=(address,))
    alone = shown(await desk.create(city="Oslo")).address
    for address_id in (address.id, alone.id):
        stale, current = (IfMatch(frozenset((version,))) for version in (2, 1))
        before = await desk.fingerprint()
        for refused in (
            desk.under(if_match=stale).update(address_id, city="Moss"),
            desk.under(if_match=stale).delete(address_id),
        ):
            with pytest.raises(PreconditionFailed) as caught:
                await refused
            assert caught.value.current == 1
        assert await desk.fingerprint() == before
        assert shown(await desk.under(if_match=current).update(address_id, city="Moss")).version == 2
        assert shown(await desk.under(if_match=stale).delete(address_id)).version == 3
    before = await desk.fingerprint()
    with pytest.raises(PreconditionFailed):
        await desk.under(if_match=IfMatch(any_version=True)).create(city="Oslo")
    assert await desk.fingerprint() == before


async def test_an_address_is_taken_away(desk: Desk) -> None:
    """Of a customer or of none; twice is not found, and its history stays."""
    address, other = new_address(START, city="Oslo"), new_address(START, city="Bergen")
    customer = await desk.put(addresses=(address, other), bill_to=other.id)
    alone = shown(await desk.create(city="Moss"))
    assert shown(await desk.delete(address.id)) == OwnedAddress(address, customer.id, 2)
    assert (await desk.customer(customer.id)).addresses == (other,)
    assert shown(await desk.delete(alone.address.id)) == OwnedAddress(alone.address, None, 2)
    assert [row[:2] for row in await desk.fetch(AUDITED, alone.address.id)] == [(1, "created"), (2, "deleted")]
    before = await desk.fingerprint()
    for address_id in (address.id, alone.address.id):
        with pytest.raises(NotFound):
            await desk.delete(address_id)
        with pytest.raises(NotFound):
            await desk.get(address_id)
    assert await desk.fingerprint() == before


@pytest.mark.parametrize(
    ("pointer", "use", "free"),
    [("bill_to", "bill-to", CustomerPatch(bill_to=None)), ("ship_to", "ship-to", CustomerPatch(ship_to=None))],
    ids=["bill-to", "ship-to"],
)
async def test_an_address_in_use_stays(desk: Desk, pointer: str, use: str, free: CustomerPatch) -> None:
    """What its customer bills or ships to is not taken away, until it does so no more."""
    address = new_address(START, city="Oslo")
    customer = await desk.put(addresses=(address,), **{pointer: address.id})
    before = await desk.fingerprint()
    with pytest.raises(Conflict) as caught:
        await desk.delete(address.id)
    assert caught.value.reason == f"the address is the {use} address of a customer"
    assert await desk.fingerprint() == before
    await desk.patch(customer.id, free)
    assert shown(await desk.delete(address.id)).version == 3


async def test_what_is_not_there_for_this_team(desk: Desk, other_world: World) -> None:
    """Unknown, another team's, of a deleted customer: not found by any of them, and nothing changes."""
    theirs = await make_desk(other_world)
    foreign, gone = new_address(START, city="Oslo"), new_address(START, city="Moss")
    await theirs.put(addresses=(foreign,))
    await desk.put(addresses=(gone,), deleted_at=START)
    alone = shown(await theirs.create(city="Oslo")).address
    before = await desk.fingerprint()
    for address_id in (foreign.id, alone.id, gone.id, uuid4(), UUID(int=0)):
        for attempt in (desk.get(address_id), desk.update(address_id, city="X"), desk.delete(address_id)):
            with pytest.raises(NotFound) as caught:
                await attempt
            assert (caught.value.kind, caught.value.id) == ("address", str(address_id))
    assert await desk.fingerprint() == before


async def test_what_the_door_refuses_is_not_written(desk: Desk) -> None:
    """All errors of the door, with its own paths."""
    address = new_address(START, city="Oslo")
    await desk.put(addresses=(address,))
    alone = shown(await desk.create(city="Oslo")).address
    errors = (FieldError(("locality",), "too_long", "is too long"), FieldError(("country",), "enum", "is none"))
    before = await desk.fingerprint()
    for attempt in (
        desk.create(errors, city="X"),
        desk.update(address.id, errors, city="X"),
        desk.update(alone.id, errors, city="X"),
    ):
        with pytest.raises(Invalid) as caught:
            await attempt
        assert caught.value.errors == errors
    assert await desk.fingerprint() == before


async def test_a_retry_is_the_same_write(desk: Desk) -> None:
    """Under its key every write is done once, and its answer comes again, also when the address is long gone."""
    address = new_address(START, city="Oslo")
    customer = await desk.put(addresses=(address,))
    made = [await desk.under(key=IdempotencyKey("make", b"1" * 32)).create(city="Moss") for _ in range(2)]
    assert made[0].body == made[1].body
    assert made[1].headers == (("idempotent-replayed", "true"),)
    alone = shown(made[0]).address
    for address_id, key in ((address.id, "owned"), (alone.id, "alone")):
        under = desk.under(key=IdempotencyKey(key, b"1" * 32))
        first = await under.update(address_id, city="Tromsø")
        await desk.delete(address_id)
        before = await desk.fingerprint()
        again = await under.update(address_id, city="Tromsø")
        assert (again.body, again.headers) == (first.body, (("idempotent-replayed", "true"),))
        assert await desk.fingerprint() == before
    assert (await desk.customer(customer.id)).version == 3


async def test_a_key_keeps_that_there_was_none_where_the_door_wants_it(desk: Desk) -> None:
    """Of what is found neither in a customer nor outside of any."""
    under = desk.under(key=IdempotencyKey("none", b"1" * 32))
    with pytest.raises(NotFound):
        await under.update(uuid4(), city="X")
    under.keeps = (NotFound,)
    missing = uuid4()
    first = await under.update(missing, city="X")
    assert (first.status, first.body) == (499, f"no such address: {missing}".encode())
    assert (await under.update(missing, city="X")).headers == (("idempotent-replayed", "true"),)


async def test_a_dry_run_leaves_nothing(desk: Desk) -> None:
    """The answer is that of the real thing."""
    address = new_address(START, city="Oslo")
    await desk.put(addresses=(address,))
    alone = shown(await desk.create(city="Oslo")).address
    before = await desk.fingerprint()
    dry = desk.under(dry_run=True)
    assert shown(await dry.create(city="Moss")).address.city == "Moss"
    for address_id in (address.id, alone.id):
        owned = shown(await dry.update(address_id, city="Moss"))
        assert (owned.address.city, owned.version) == ("Moss", 2)
        assert shown(await dry.delete(address_id)).version == 2
    assert await desk.fingerprint() == before


async def test_two_changes_at_once_both_stand(desk: Desk) -> None:
    """Of one address of no customer: the later one sees what the earlier one made."""
    alone = shown(await desk.create(city="Oslo")).address
    both = await asyncio.gather(desk.update(alone.id, city="Moss"), desk.update(alone.id, state="Viken"))
    assert sorted(shown(answer).version for answer in both) == [2, 3]
    owned = await desk.get(alone.id)
    assert (owned.version, owned.address.city, owned.address.state) == (3, "Moss", "Viken")
    assert [row[0] for row in await desk.fetch(AUDITED, alone.id)] == [1, 2, 3]


@dataclass
class Astray:
    """A search for an address that is overtaken: first it answers what was, and then something happens."""

    monkeypatch: pytest.MonkeyPatch
    answers: list[OwnedAddress | None]
    asked: int = 0

    def __post_init__(self) -> None:
        """Stand in the place of the real search."""
        self.real = store.find_address
        self.monkeypatch.setattr(store, "find_address", self.find)

    async def find(self, connection: Connection, team: UUID, address_id: UUID) -> OwnedAddress | None:
        """In place of the store's own function."""
        self.asked += 1
        return self.answers.pop(0) if self.answers else await self.real(connection, team, address_id)


async def test_an_address_that_comes_to_a_customer_meanwhile(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it was found it is no longer: it is changed where it is now, with that customer's history."""
    alone = shown(await desk.create(city="Oslo"))
    customer = await desk.put()
    await desk.patch(customer.id, CustomerPatch(bill_to=alone.address.id))
    astray = Astray(monkeypatch, [alone])
    owned = shown(await desk.update(alone.address.id, city="Moss"))
    assert (owned.customer_id, owned.version, owned.address.city) == (customer.id, 3, "Moss")
    assert astray.asked == 3
    with pytest.raises(Conflict):
        await desk.delete(alone.address.id)


@pytest.mark.parametrize("deleted_at", [None, START])
async def test_an_address_that_goes_to_another_customer_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, deleted_at: datetime | None
) -> None:
    """As in a merge, after which the customer that had it is gone; under a key no trace of that remains."""
    address = new_address(START, city="Oslo")
    customer = await desk.put(addresses=(address,))
    former = await desk.put(deleted_at=deleted_at)
    under = desk.under(key=IdempotencyKey("key", b"1" * 32))
    under.keeps = (NotFound,)
    Astray(monkeypatch, [OwnedAddress(address, former.id, 1)])
    answer = await under.update(address.id, city="Moss")
    assert (answer.status, shown(answer).customer_id) == (200, customer.id)
    assert (await desk.customer(customer.id)).addresses[0].city == "Moss"


async def test_an_address_that_never_rests(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that is always too late gives up, and says so."""
    address = new_address(START, city="Oslo")
    await desk.put(addresses=(address,))
    former = await desk.put()
    Astray(monkeypatch, [OwnedAddress(address, former.id, 1)] * 9)
    before = await desk.fingerprint()
    with pytest.raises(Busy):
        await desk.update(address.id, city="Moss")
    assert await desk.fingerprint() == before


async def test_a_change_waits_for_an_adoption(desk: Desk) -> None:
    """Who changes an address while a customer takes it over changes it there."""
    alone = shown(await desk.create(city="Oslo")).address
    customer = await desk.put()
    adopted, changed = await asyncio.gather(
        desk.patch(customer.id, CustomerPatch(bill_to=alone.id)),
        desk.update(alone.id, city="Moss"),
        return_exceptions=True,
    )
    assert not isinstance(adopted, BaseException)
    assert not isinstance(changed, BaseException)
    owned = await desk.get(alone.id)
    assert (owned.customer_id, owned.address.city) == (customer.id, "Moss")
