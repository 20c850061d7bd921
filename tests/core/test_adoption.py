"""A pointer to an address of no customer brings it into the record, and it is nobody else's from then on."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from customerhub.core.hub import Hub
from customerhub.core.ties import Ties, find_ties
from customerhub.model.answer import Answer
from customerhub.model.customer import Address, Customer
from customerhub.model.error import HubError, Invalid
from customerhub.model.patch import AddressPatch, CustomerPatch, ListPatch
from customerhub.settings import Settings
from customerhub.store.db import Connection, Database
from tests.support.ledger import Ledger, key, make_ledger, only_at, shown, told
from tests.support.world import World

AT = datetime(2026, 3, 4, 9, 10, 11, 120_000, tzinfo=UTC)
UNOWNED = "select id from unowned_address where team = $1 order by id"
AUDITS = "select version, action, changes from audit where team = $1 and kind = 'address' and subject = $2"


def dock(**fields: Any) -> Address:  # Any: members of Address
    """An address that nobody has yet."""
    return Address(uuid4(), AT, AT, name="Dock 3", line1="Kaia 1", city="Oslo", country="NO", **fields)


@pytest.fixture
async def ledger(world: World) -> Ledger:
    """The customers of a team."""
    return await make_ledger(world)


async def unowned(ledger: Ledger) -> list[UUID]:
    """The addresses of the team that nobody has."""
    return [own for (own,) in await ledger.fetch(UNOWNED)]


async def test_a_pointer_brings_an_address_of_none_into_the_record(ledger: Ledger) -> None:
    """It comes just as it is, with its id and times, in one version; its row is gone and its audit says where to."""
    address, other = [await ledger.put_unowned(dock()) for _ in range(2)]
    customer = await ledger.add()
    after = shown(await ledger.update(customer, bill_to=address.id, note="x"))
    assert after.addresses == (address,)
    assert (after.bill_to, after.ship_to, after.note, after.version) == (address.id, None, "x", 2)
    assert await unowned(ledger) == [other.id]
    (audit,) = await ledger.fetch(AUDITS, address.id)
    assert audit == (2, "adopted", b'[{"new": "%s", "path": "/customer"}]' % str(customer.id).encode())
    (change,) = (await ledger.stored()).changes[customer.id][1:]
    assert {edit["path"] for edit in change.changes} == {"/bill_to", f"/addresses/{address.id}", "/note"}


async def test_both_pointers_may_name_one_address_or_two(ledger: Ledger) -> None:
    """One address named twice comes once; two come both, in order of their creation."""
    one, late = await ledger.put_unowned(dock()), await ledger.put_unowned(dock())
    both = shown(await ledger.update(await ledger.add(), bill_to=one.id, ship_to=one.id))
    assert (both.addresses, both.bill_to, both.ship_to) == ((one,), one.id, one.id)
    early = await ledger.put_unowned(Address(uuid4(), AT.replace(year=2020), AT, city="Bergen"))
    two = shown(await ledger.update(await ledger.add(), bill_to=late.id, ship_to=early.id))
    assert (two.addresses, two.bill_to, two.ship_to) == ((early, late), late.id, early.id)
    assert await unowned(ledger) == []


async def test_a_new_customer_may_be_born_with_an_address_of_none(ledger: Ledger) -> None:
    """Creating adopts too, beside addresses that the request itself brings."""
    address, own = await ledger.put_unowned(dock()), uuid4()
    added = ListPatch(add=((own, AddressPatch(city="Bergen")),))
    customer = await ledger.add(addresses=added, ship_to=address.id, bill_to=own)
    assert {found.id for found in customer.addresses} == {own, address.id}
    assert customer.find_address(address.id) == address
    assert await unowned(ledger) == []
    await ledger.stored()


async def test_what_is_no_address_of_none_is_refused(ledger: Ledger, other_world: World) -> None:
    """An unknown id, another customer's address and another team's address of none: refused, each by its field."""
    theirs = await make_ledger(other_world)
    foreign = await theirs.put_unowned(dock())
    taken = await ledger.put_unowned(dock())
    owner, customer = await ledger.add(ship_to=taken.id), await ledger.add()
    free = await ledger.put_unowned(dock())
    for wrong in (uuid4(), taken.id, foreign.id):
        error = await ledger.refused(Invalid, ledger.update(customer, bill_to=wrong, ship_to=free.id))
        assert told(error) == [("bill_to", "unknown_id")]
        error = await ledger.refused(Invalid, ledger.create(ship_to=wrong, payment_term=wrong))
        assert sorted(told(error)) == [("payment_term", "unknown_id"), ("ship_to", "unknown_id")]
    assert (await ledger.get(owner)).customer == owner
    assert await unowned(theirs) == [foreign.id]


async def test_an_address_that_is_taken_out_is_not_pointed_to(ledger: Ledger) -> None:
    """A pointer to an address that the same request removes is refused: it is no longer there then."""
    address = await ledger.put_unowned(dock())
    customer = await ledger.add(ship_to=address.id)
    removal = ListPatch[AddressPatch](remove=frozenset([address.id]))
    error = await ledger.refused(Invalid, ledger.update(customer, addresses=removal, ship_to=address.id))
    assert told(error) == [("ship_to", "unknown_id")]


async def test_an_adopted_address_outlives_a_replacement_of_the_list(ledger: Ledger) -> None:
    """Where a request replaces the whole list, the address that it points to comes all the same."""
    customer = await ledger.add(addresses=ListPatch(add=((uuid4(), AddressPatch(city="Bergen")),)))
    address = await ledger.put_unowned(dock())
    whole = ListPatch[AddressPatch](keep_others=False)
    assert shown(await ledger.update(customer, addresses=whole, bill_to=address.id)).addresses == (address,)


async def test_a_dry_run_adopts_nothing(ledger: Ledger) -> None:
    """The answer shows the address in the record; nothing has moved."""
    address, customer = await ledger.put_unowned(dock()), await ledger.add()
    before = await ledger.fingerprint()
    tried = shown(await ledger.update(customer, bill_to=address.id, guards={"dry_run": True}))
    assert tried.addresses == (address,)
    born = shown(await ledger.create(bill_to=address.id, guards={"dry_run": True}))
    assert born.addresses == (address,)
    assert await ledger.fingerprint() == before


async def test_an_adoption_under_a_key_is_done_once(ledger: Ledger) -> None:
    """The key replays the first answer, and If-Match means the customer's version."""
    address, customer = await ledger.put_unowned(dock()), await ledger.add()
    guards = {"key": key("one"), "if_match": only_at(1)}
    first = await ledger.update(customer, bill_to=address.id, guards=guards)
    before = await ledger.fingerprint()
    assert await ledger.update(customer, bill_to=address.id, guards=guards) == first.with_header(
        "idempotent-replayed", "true"
    )
    assert await ledger.fingerprint() == before


async def test_a_failing_write_leaves_the_address_where_it_was(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record, the address's row and its audit row stand or fall together."""
    address, customer = await ledger.put_unowned(dock()), await ledger.add()

    async def fail(*_: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr("customerhub.core.ties.insert_audit", fail)
    before = await ledger.fingerprint()
    with pytest.raises(HubError):
        await ledger.update(customer, bill_to=address.id)
    assert await ledger.fingerprint() == before


@pytest.fixture
async def second(world: World, database_url: str) -> Any:
    """The same team's customers on a hub that shares nothing with the first but the database."""
    hub = Hub(Database(database_url), Settings())
    yield await make_ledger(world, hub)
    await hub.close()


async def test_one_address_comes_to_one_customer(ledger: Ledger, second: Ledger) -> None:
    """Two customers that point to it at the same moment: one has it, the other is told there is none."""
    for round_ in range(20):
        address = await ledger.put_unowned(dock())
        one, other = await ledger.add(), await ledger.add()
        placing = second.create(bill_to=address.id) if round_ % 2 else second.update(other, ship_to=address.id)
        results = await asyncio.gather(ledger.update(one, bill_to=address.id), placing, return_exceptions=True)
        done = [result for result in results if isinstance(result, Answer)]
        refused = [told(result) for result in results if isinstance(result, Invalid)]
        assert len(done) == len(refused) == 1
        assert refused[0] in ([("bill_to", "unknown_id")], [("ship_to", "unknown_id")])
        assert shown(done[0]).addresses == (address,)
    assert await unowned(ledger) == []
    await ledger.stored()


async def test_an_adoption_that_others_are_faster_than_is_made_on_top(
    ledger: Ledger, second: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The record changed between looking and holding it: both changes stand, and the address came once."""
    address, customer = await ledger.put_unowned(dock()), await ledger.add()
    rivals = [customer]
    held: list[bool] = []

    async def find_late(connection: Connection, before: Customer, patch: CustomerPatch, *, holds: bool) -> Ties:
        while rivals:
            await second.update(rivals.pop(), note="faster")
        held.append(holds)
        return await find_ties(connection, before, patch, holds=holds)

    monkeypatch.setattr("customerhub.core.customers.find_ties", find_late)
    after = shown(await ledger.update(customer, bill_to=address.id))
    assert (after.note, after.addresses, after.version) == ("faster", (address,), 3)
    assert (held[0], held[-1]) == (False, True)
    await ledger.stored()
