"""Undoing: a customer back at a former version, as a new one."""

import asyncio
from uuid import uuid4

import pytest
from msgspec.structs import replace

from customerhub.app import create_hub
from customerhub.model.answer import Answer, IdempotencyKey, IfMatch
from customerhub.model.catalogue import AccountGroupDetails
from customerhub.model.error import (
    Conflict,
    HistoryGone,
    HubError,
    Invalid,
    NotFound,
    PreconditionFailed,
    Taken,
    Unauthenticated,
)
from customerhub.model.patch import AddressPatch, AttributesPatch, ListPatch
from customerhub.settings import Settings
from tests.support.replay import check_whole
from tests.support.world import World
from tests.support.writer import Writer, content, full, make_writer

KEY = IdempotencyKey("k", b"\x01" * 32)


@pytest.fixture
async def writer(world: World) -> Writer:
    """Somebody of the team."""
    return await make_writer(world)


async def refused(writer: Writer, error: type[HubError], customer: object, version: int, *paths: str) -> HubError:
    """What a refused revert says; nothing is changed by it."""
    before = await writer.fingerprint()
    with pytest.raises(error) as caught:
        await writer.revert(customer, version, *paths)  # type: ignore[arg-type] # a customer, an id or None
    assert await writer.fingerprint() == before
    return caught.value


async def test_a_whole_version_comes_back(writer: Writer) -> None:
    """Every value and every entry with its id and its time of creation, as one ordinary version by whoever asked."""
    one = await full(writer)
    two = await writer.update(
        one,
        name="Birch",
        email=None,
        credit_limit=None,
        addresses=ListPatch(keep_others=False),
        contacts=ListPatch(keep_others=False),
        attributes=AttributesPatch(put={"Route": "8"}, keep_others=False),
    )
    assert (two.addresses, two.contacts, two.bill_to, two.primary_contact) == ((), (), None, None)
    three = await writer.revert(two, 1)
    assert content(three) == content(one)
    assert (three.version, three.updated_by) == (3, writer.caller.actor)
    assert three.updated_at > two.updated_at
    assert await writer.get(three) == three
    latest, *_ = await writer.history(three)
    assert (latest.version, latest.action, latest.at) == (3, "updated", three.updated_at)
    assert {change.path for change in latest.changes} >= {
        "/name",
        "/email",
        f"/addresses/{one.bill_to}",
        "/credit_limit_id",
    }
    async with writer.hub.database.lease() as connection:
        await check_whole(connection, writer.team)


async def test_some_of_it_comes_back(writer: Writer) -> None:
    """Only what the paths name; the rest stays as it is by now."""
    one = await full(writer)
    place, other = one.bill_to, one.ship_to
    assert place is not None
    assert other is not None
    two = await writer.update(
        one,
        name="Birch",
        note="new",
        addresses=ListPatch(change={place: AddressPatch(city="Tromsø", country="NO")}, remove=frozenset((other,))),
        credit_limit=None,
    )
    three = await writer.revert(two, 1, "/name", f"/addresses/{place}/city", "/credit_limit")
    changed = replace(two.addresses[0], city="Oslo", updated_at=three.updated_at)
    limit = {name: getattr(one, name) for name in ("credit_limit", "credit_limit_unit", "credit_limit_id")}
    assert content(three) == content(replace(two, name=one.name, addresses=(changed,), **limit))
    error = await refused(writer, Invalid, three, 1, "/ship_to")
    assert isinstance(error, Invalid)
    assert [(one.path, one.code) for one in error.errors] == [(("ship_to",), "unknown_id")]
    four = await writer.revert(three, 1, "/ship_to", f"/addresses/{other}")
    assert (four.ship_to, four.find_address(other)) == (other, one.find_address(other))


async def test_what_is_so_already_is_no_version(writer: Writer) -> None:
    """The version it has, or one that says the same."""
    one = await full(writer)
    two = await writer.update(one, note="x")
    three = await writer.update(two, note=None)
    before = await writer.fingerprint()
    for version in (1, 3):
        assert await writer.revert(three, version) == three
    assert await writer.revert(three, 2, "/name") == three
    assert await writer.fingerprint() == before


async def test_versions_that_it_cannot_go_back_to(writer: Writer, other_world: World) -> None:
    """One that never was, one at which it was deleted, one that is erased; a customer that is not there."""
    one = await writer.create()
    for version in (0, 2, 99):
        error = await refused(writer, Invalid, one, version)
        assert isinstance(error, Invalid)
        assert [(one.path, one.code) for one in error.errors] == [(("version",), "unknown_version")]
    await writer.delete(one)
    three = await writer.restore(one)
    await refused(writer, Conflict, three, 2)
    assert await writer.revert(three, 1) == three
    stranger = await make_writer(other_world)
    for who, customer in ((writer, uuid4()), (writer, None), (stranger, three)):
        await refused(who, NotFound, customer, 1)
    four = await writer.update(three, note="x")
    await writer.execute(
        "update change set action = 'erased' where team = $1 and customer = $2 and version = 3", one.id
    )
    await refused(writer, HistoryGone, four, 1)
    await writer.delete(four)
    await refused(writer, NotFound, four, 4)


async def test_the_guards_hold(writer: Writer) -> None:
    """`If-Match`, a key that replays, a dry run that leaves nothing, a caller who is nobody."""
    one = await full(writer)
    two = await writer.update(one, name="Birch")
    stale = writer.under(if_match=IfMatch(frozenset((1,))))
    await refused(stale, PreconditionFailed, two, 1)
    before = await writer.fingerprint()
    assert (await writer.under(dry_run=True).revert(two, 1)).name == one.name
    assert await writer.fingerprint() == before
    keyed = writer.under(key=KEY, if_match=IfMatch(frozenset((2,))))
    first = await keyed.ask_to_revert(two, 1)
    again = await keyed.ask_to_revert(two, 1)
    assert (first, again) == (Answer(200, b"3"), Answer(200, b"3", (("idempotent-replayed", "true"),)))
    assert (await writer.get(two)).version == 3
    nobody = Writer(writer.hub, replace(writer.caller, credential=uuid4()))
    await refused(nobody, Unauthenticated, two, 1)
    with pytest.raises(Unauthenticated):
        await nobody.restore(two)


async def test_a_refusal_is_kept_by_its_key(writer: Writer) -> None:
    """Like every other permanent one, also when the version would be there by now."""
    one = await writer.create()
    keyed = writer.under(key=KEY)
    first = await keyed.ask_to_revert(one, 2)
    assert first.status == 499
    two = await writer.update(one, note="x")
    again = await keyed.ask_to_revert(two, 2)
    assert (again.status, again.body) == (499, first.body)


async def test_values_that_are_somebody_elses_by_now(writer: Writer) -> None:
    """All of them are named; without them the rest comes back."""
    one = await writer.create(email="a@aster.example", number="A-1", reference_id="R-1", note="old")
    two = await writer.update(one, email="b@aster.example", number="A-2", reference_id="R-2", note="new")
    await writer.create(email="A@aster.example", number="A-1", reference_id="R-1")
    error = await refused(writer, Taken, two, 1)
    assert isinstance(error, Taken)
    assert {one.code for one in error.errors} == {"email_taken", "number_taken", "reference_id_taken"}
    three = await writer.revert(two, 1, "/note")
    assert (three.note, three.number) == ("old", "A-2")


async def test_references_come_back_though_their_entries_are_gone(writer: Writer) -> None:
    """A deleted term is shown as before; a deleted group would mean nothing."""
    term = await writer.entry("payment_term", f"NET {uuid4()}")
    group = await writer.entry("account_group", f"Gold {uuid4()}", AccountGroupDetails(type="pricing_group"))
    one = await writer.create(payment_term=term, price_groups=(group,))
    two = await writer.update(one, payment_term=None, price_groups=())
    await writer.delete_entry("payment_term", term)
    await writer.delete_entry("account_group", group)
    error = await refused(writer, Invalid, two, 1)
    assert isinstance(error, Invalid)
    assert [(one.path, one.code) for one in error.errors] == [(("price_groups", 0), "unknown_id")]
    assert (await writer.revert(two, 1, "/payment_term")).payment_term == term


async def test_a_parent_comes_back_only_where_it_can(writer: Writer) -> None:
    """Not one that is deleted, and not one that stands below by now."""
    top = await writer.create(name="Top")
    one = await writer.create(parent=top.id)
    two = await writer.update(one, parent=None, note="x")
    await writer.update(top, parent=one.id)
    error = await refused(writer, Invalid, two, 1)
    assert isinstance(error, Invalid)
    assert [(one.path, one.code) for one in error.errors] == [(("parent",), "cycle")]
    await writer.update(top, parent=None)
    assert (await writer.revert(two, 1)).parent == top.id
    three = await writer.update(two, parent=None)
    await writer.delete(top)
    error = await refused(writer, Invalid, three, 1)
    assert isinstance(error, Invalid)
    assert [(one.path, one.code) for one in error.errors] == [(("parent",), "unknown_id")]
    assert (await writer.revert(three, 2, "/note")).note == "x"


async def test_an_address_that_is_somebody_elses_stays_there(writer: Writer) -> None:
    """An address belongs to one customer: it does not come back beside itself."""
    one, target = await full(writer), await writer.create(name="Target")
    two = await writer.update(one, addresses=ListPatch(keep_others=False), name="Birch")
    addresses = ListPatch(add=tuple((entry.id, AddressPatch(city="Oslo")) for entry in one.addresses))
    await writer.update(target, addresses=addresses)
    await refused(writer, Conflict, two, 1)
    assert (await writer.revert(two, 1, "/name")).name == one.name
    await writer.update(target, addresses=ListPatch(keep_others=False))
    assert (await writer.revert(two, 1)).addresses == one.addresses


async def test_two_at_once_both_count(writer: Writer, world: World, database_url: str) -> None:
    """Reverts and edits from two processes are versions one after the other, and none is lost."""
    customer = await full(writer)
    other = await make_writer(
        world, create_hub(Settings(database_url=database_url, secret_key=world.hub.settings.secret_key))
    )
    for place in range(5):
        customer = await writer.update(customer, note=f"note {place}")
        await asyncio.gather(
            writer.revert(customer, 1, "/note"),
            other.update(customer, website=f"https://aster.example/{place}"),
            other.revert(customer, 1, "/website"),
        )
    async with writer.hub.database.lease() as connection:
        await check_whole(connection, writer.team)
    await other.hub.close()
