"""A merge taken back: everybody is as before in one transaction, or it says what stands in the way."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from customerhub.core.unmerge import UnmergeRequest, unmerge_customer
from customerhub.model.answer import Answer, IdempotencyKey, IfMatch
from customerhub.model.catalogue import AccountGroupDetails
from customerhub.model.customer import Customer
from customerhub.model.error import (
    Conflict,
    HistoryGone,
    HubError,
    InTheWay,
    Invalid,
    NotFound,
    PreconditionFailed,
    Taken,
)
from customerhub.model.nested import TICK
from customerhub.model.patch import AddressPatch, AttributesPatch, ContactPatch, ListPatch
from customerhub.model.replay import replay
from customerhub.model.unmerge import Prefer
from customerhub.store.folding import fold, hold_old_versions
from tests.support.households import adding
from tests.support.replay import check_whole
from tests.support.world import World
from tests.support.writer import Writer, content, make_writer

KEY = IdempotencyKey("k", b"\x01" * 32)


@pytest.fixture
async def writer(world: World) -> Writer:
    """Somebody of the team."""
    return await make_writer(world)


async def ask(writer: Writer, target: Customer | UUID, version: int, prefer: Prefer | None = None) -> Answer:
    """A merge taken back, as answered: the version that the target is at then."""
    own = target.id if isinstance(target, Customer) else target
    return await unmerge_customer(
        writer.hub,
        writer._command(),
        own,
        lambda: UnmergeRequest(version, prefer),
        lambda written, _: writer._render(written),
    )


async def unmerge(writer: Writer, target: Customer, prefer: Prefer | None = None) -> Customer:
    """The target once the merge that it has come by is taken back."""
    await ask(writer, target, target.version, prefer)
    assert writer.seen is not None
    return writer.seen.customer


async def refused(writer: Writer, error: type[HubError], *asked: Any) -> Any:  # Any: what `ask` takes; an error
    """What a refusal says; nothing is changed by it."""
    before = await writer.fingerprint()
    with pytest.raises(error) as caught:
        await ask(writer, *asked)
    assert await writer.fingerprint() == before
    return caught.value


async def check(writer: Writer) -> None:
    """Nothing of the team is half there."""
    async with writer.hub.database.lease() as connection:
        await check_whole(connection, writer.team)


async def full(writer: Writer, mark: str, **fields: Any) -> Customer:  # Any: fields of a patch
    """A customer that has something of everything."""
    address, contact = uuid4(), uuid4()
    born = {
        "name": f"Company {mark}",
        "number": f"N-{mark}",
        "reference_id": f"R-{mark}",
        "email": f"{mark}@aster.example",
        "phone": "+47 22 33 44 55",
        "addresses": ListPatch(add=((address, AddressPatch(type="billing", city=mark, postal_code="0155")),)),
        "contacts": ListPatch(add=((contact, ContactPatch(first_name=mark)),)),
        "attributes": AttributesPatch(put={"Region": mark, f"Only {mark}": "x"}),
        "bill_to": address,
        "primary_contact": contact,
        **fields,
    }
    return await writer.create(**born)


async def test_everybody_is_as_before(writer: Writer) -> None:
    """Target, sources and those below them, with what is unique, found again by everything; each is one version."""
    top = await writer.create(name="Top")
    one = await full(writer, "one", parent=top.id)
    two = await full(writer, "two")
    target = await full(writer, "target", parent=one.id)
    below = [await writer.create(parent=source.id) for source in (two, target, two)]
    befores = [target, one, two, *below]
    merged = await writer.merge(target, one, two, number=two, email=one, bill_to=two, attributes=one, status=two)
    assert (merged.number, merged.email, merged.bill_to) == ("N-two", "one@aster.example", two.bill_to)
    assert merged.parent == top.id
    assert (await writer.get(below[0])).parent == target.id
    back = await unmerge(writer, merged)
    assert (back.version, back.updated_by) == (target.version + 2, writer.caller.actor)
    for before in befores:
        assert told(await writer.get(before)) == told(before)
    actions = [(await writer.history(before))[0].action for before in befores]
    assert actions == ["updated", "restored", "restored", "updated", "created", "updated"]
    await check(writer)


def told(customer: Customer) -> Customer:
    """A record without its version, and without who set its custom values to and fro."""
    values = (replace(value, updated_at=value.created_at) for value in customer.attributes)
    return content(replace(customer, attributes=tuple(values)))


async def test_merges_come_apart_in_any_order(writer: Writer) -> None:
    """Two merges into one customer, the earlier one first."""
    target = await writer.create(name="Target")
    one, two = await full(writer, "one"), await full(writer, "two")
    first = await writer.merge(target, one)
    second = await writer.merge(target, two)
    assert second.version == 3
    await ask(writer, target, first.version)
    assert content(await writer.get(one)) == content(one)
    assert {value.name for value in (await writer.get(target)).attributes} == {"Only two"}
    await refused(writer, Conflict, target, first.version)
    await ask(writer, target, second.version)
    assert content(await writer.get(two)) == content(two)
    assert (await writer.get(target)).addresses == ()
    await check(writer)


async def test_later_changes_stand_in_the_way(writer: Writer) -> None:
    """Each is named; then the caller says what stands."""
    one = await full(writer, "one")
    target = await writer.create(name="Target")
    merged = await writer.merge(target, one)
    later = await writer.update(
        merged,
        email="later@aster.example",
        note="later",
        bill_to=one.bill_to,
        addresses=ListPatch(change={one.addresses[0].id: AddressPatch(city="Voss")}),
        attributes=AttributesPatch(put={"Region": "later"}),
    )
    error = await refused(writer, InTheWay, target, merged.version)
    assert [".".join(map(str, one.path)) for one in error.errors] == [
        "email",
        f"addresses.{one.addresses[0].id}",
        "attributes.Region",
        "bill_to",
    ]
    tried = await ask(writer.under(dry_run=True), target, merged.version, "former")
    assert (tried.body, (await writer.get(target)).version) == (b"4", 3)
    await ask(writer, later, merged.version, "current")
    source, there = await writer.get(one), await writer.get(target)
    assert (source.email, source.addresses[0].city) == ("one@aster.example", "Voss")
    assert (there.email, there.note, there.addresses, there.bill_to) == ("later@aster.example", "later", (), None)
    assert [(value.name, value.value) for value in there.attributes] == [("Region", "later")]
    await check(writer)


async def test_what_was_taken_meanwhile_is_named(writer: Writer) -> None:
    """By whose value it was; nothing comes apart then."""
    one, target = await full(writer, "one"), await full(writer, "target")
    merged = await writer.merge(target, one)
    other = await writer.create(name="Other", email="ONE@aster.example", number="N-one")
    error = await refused(writer, Taken, target, merged.version)
    assert {(*one.path, one.code) for one in error.errors} == {
        ("sources", str(one.id), "email", "email_taken"),
        ("sources", str(one.id), "number", "number_taken"),
    }
    await writer.delete(other)
    await unmerge(writer, merged)
    await check(writer)


async def test_versions_that_are_no_merge(writer: Writer, other_world: World) -> None:
    """One that never was, one that is none, one by which the customer itself went; customers that are not there."""
    one, target = await full(writer, "one"), await full(writer, "target")
    last = await full(writer, "last")
    merged = await writer.merge(target, one)
    for version, code in ((99, "unknown_version"), (1, "not_a_merge")):
        error = await refused(writer, Invalid, target, version)
        assert [(one.path, one.code) for one in error.errors] == [(("version",), code)]
    into_last = await writer.merge(last, target)
    stranger = await make_writer(other_world)
    for who, customer in ((writer, target), (writer, one), (writer, uuid4()), (stranger, last)):
        await refused(who, NotFound, customer, 2)
    await unmerge(writer, into_last)
    error = await refused(writer, Invalid, target, 3)
    assert [one.code for one in error.errors] == ["not_a_merge"]
    await ask(writer, target, merged.version)
    assert content(await writer.get(one)) == content(one)
    await check(writer)


async def test_what_is_not_known_any_more_cannot_be_taken_back(writer: Writer) -> None:
    """A purged history, and a source that was erased."""
    one, target = await full(writer, "one"), await full(writer, "target")
    merged = await writer.merge(target, one)
    await writer.execute("update customer set version = version + 1 where team = $1 and id = $2", one.id)
    await refused(writer, Conflict, target, merged.version)
    await writer.execute("delete from change where team = $1 and customer = $2 and version = 1", target.id)
    await refused(writer, HistoryGone, target, merged.version)


@pytest.mark.parametrize("who", ["source", "child"])
async def test_a_merge_that_is_being_folded_does_not_come_apart_in_part(writer: Writer, who: str) -> None:
    """Where one who took part is folded already and the target is not yet, nobody is left behind."""
    one, two, target = [await full(writer, mark) for mark in ("one", "two", "target")]
    child = await writer.create(parent=two.id)
    merged = await writer.merge(target, one, two)
    folded = one if who == "source" else child
    async with writer.hub.database.transaction() as connection:
        entries = await hold_old_versions(connection, writer.team, folded.id, merged.updated_at + TICK)
        await fold(connection, replay(entries))
    await refused(writer, HistoryGone, target, merged.version)


async def test_a_source_does_not_come_back_without_what_it_refers_to(writer: Writer) -> None:
    """A group that was deleted since is named at once; nothing comes apart then."""
    group = await writer.entry("account_group", "Grocer", AccountGroupDetails(type="type_group"))
    one, target = await full(writer, "one", type_group=group), await full(writer, "target")
    merged = await writer.merge(target, one)
    await writer.delete_entry("account_group", group)
    error = await refused(writer, Conflict, target, merged.version)
    assert error.reason == f"what the customer {one.id} refers to is deleted: Grocer"


async def test_a_target_does_not_come_back_to_what_is_deleted(writer: Writer) -> None:
    """A group that did not survive and was deleted since is named by its field."""
    group = await writer.entry("account_group", "Grocer", AccountGroupDetails(type="type_group"))
    one, target = await full(writer, "one"), await full(writer, "target", type_group=group)
    merged = await writer.merge(target, one, type_group=one)
    await writer.delete_entry("account_group", group)
    error = await refused(writer, Invalid, target, merged.version)
    told = [(one.path, one.code, one.reason) for one in error.errors]
    assert told == [(("type_group",), "unknown_id", "what this named before the merge is deleted")]


async def test_nobody_comes_to_stand_above_itself_or_below_nobody(writer: Writer) -> None:
    """Parents come back as they were, below their heirs where they were merged, or nothing does."""
    upper, lower, target = [await writer.create(name=name) for name in ("Upper", "Lower", "Target")]
    source = await writer.create(name="Source", parent=upper.id)
    merged = await writer.merge(target, source)
    await writer.merge(lower, upper)
    await unmerge(writer, merged)
    assert (await writer.get(source)).parent == lower.id
    merged = await writer.merge(await writer.get(target), source)
    await writer.update(lower, parent=target.id)
    await unmerge(writer, merged)
    assert (await writer.get(source)).parent == lower.id
    merged = await writer.merge(await writer.get(target), source)
    await writer.delete(lower)
    await refused(writer, Conflict, target, merged.version)


async def test_children_that_moved_on_stay_where_they_are(writer: Writer) -> None:
    """Only who still stands below the target goes back."""
    source, target, other = [await writer.create(name=name) for name in ("Source", "Target", "Other")]
    moved, stayed = [await writer.create(parent=source.id) for _ in range(2)]
    merged = await writer.merge(target, source)
    await writer.update(moved, parent=other.id)
    await unmerge(writer, merged)
    assert [(await writer.get(child)).parent for child in (moved, stayed)] == [other.id, source.id]
    await check(writer)


async def test_the_guards_hold(writer: Writer) -> None:
    """`If-Match` is the target's, a key replays and keeps refusals, a dry run leaves nothing."""
    one, target = await full(writer, "one"), await full(writer, "target")
    merged = await writer.merge(target, one)
    await refused(writer.under(if_match=IfMatch(frozenset((1,)))), PreconditionFailed, target, merged.version)
    before = await writer.fingerprint()
    tried = await ask(writer.under(dry_run=True), target, merged.version)
    assert await writer.fingerprint() == before
    keyed = writer.under(key=KEY, if_match=IfMatch(frozenset((2,))))
    first = await ask(keyed, target, merged.version)
    again = await ask(keyed, target, merged.version)
    assert (tried.body, first.body, again) == (b"3", b"3", first.with_header("idempotent-replayed", "true"))
    kept = writer.under(key=IdempotencyKey("other", b"\x02" * 32))
    answers = [await ask(kept, target, merged.version) for _ in range(2)]
    assert [answer.status for answer in answers] == [499, 499]
    await check(writer)


async def test_two_at_once_take_it_back_once(writer: Writer) -> None:
    """The other one hears that it was done."""
    one, target = await full(writer, "one"), await full(writer, "target")
    merged = await writer.merge(target, one)
    outcomes = await asyncio.gather(
        *(ask(writer, target, merged.version) for _ in range(2)),
        writer.update(target, note="meanwhile"),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes].count(Conflict) == 1
    assert (await writer.get(target)).note == "meanwhile"
    await check(writer)


async def test_whoever_survives(writer: Writer) -> None:
    """Values of sources stand where they were asked for, with what goes together; what nobody named is the target's."""
    carriers = [await writer.entry("carrier", f"Carrier {place}") for place in range(2)]
    one = await full(writer, "one", carrier=carriers[0], note="one")
    target = await full(
        writer, "target", carrier=carriers[1], addresses=adding(), bill_to=None, contacts=adding(), primary_contact=None
    )
    error = await refused_merge(writer, target, one, carrier=target, credit_limit_unit=one, name=await writer.create())
    assert {(error.path, error.code) for error in error.errors} == {
        (("survivorship", "credit_limit_unit"), "unknown_field"),
        (("survivorship", "name"), "not_merged"),
    }
    merged = await writer.merge(target, one, carrier=one, reference_id=one, number=one, note=target, bill_to=one)
    assert (merged.carrier, merged.reference_id, merged.number, merged.note) == (carriers[0], "R-one", "N-one", None)
    assert (merged.bill_to, merged.name, merged.email) == (one.bill_to, "Company target", "target@aster.example")
    await check(writer)


async def refused_merge(
    writer: Writer, target: Customer, *sources: Customer, **survivors: Customer
) -> Any:  # Any: Invalid
    """What a merge is refused with; nothing is changed by it."""
    before = await writer.fingerprint()
    with pytest.raises((Invalid, Conflict)) as caught:
        await writer.merge(target, *sources, **survivors)
    assert await writer.fingerprint() == before
    return caught.value


async def test_a_parent_that_survives_is_no_circle(writer: Writer) -> None:
    """The source's parent, unless that is the target or stands below it."""
    top, target = await writer.create(name="Top"), await writer.create(name="Target")
    one = await writer.create(parent=top.id)
    assert (await writer.merge(target, one, parent=one)).parent == top.id
    below = await writer.create(parent=target.id)
    for parent in (target, below):
        source = await writer.create(parent=parent.id)
        assert isinstance(await refused_merge(writer, target, source, parent=source), Conflict)
