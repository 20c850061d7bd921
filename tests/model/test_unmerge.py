"""Properties of a merge taken back: everybody is as before, or it says what stands in the way."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from customerhub.model.catalogue import AccountGroupDetails, Catalogue, Kind, NoDetails, ServiceLevelDetails, User
from customerhub.model.customer import Address, Attribute, Contact, Customer
from customerhub.model.error import Conflict, InTheWay, Invalid
from customerhub.model.merge import SURVIVORS, Merged, Merger, merge
from customerhub.model.nested import Moment
from customerhub.model.replay import Stamp, differences, follow
from customerhub.model.unmerge import Unmerged, Unmerger, unmerge
from tests.support.histories import to_entry
from tests.support.soak import sized
from tests.support.strategies import ACTOR, START, TEAM, entry, ids, mergers
from tests.support.writer import content

pytestmark = pytest.mark.soak
law = settings(
    max_examples=sized(8, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
OTHER = UUID(int=0x07E5)
TERMS: tuple[Kind, ...] = ("payment_term", "shipping_term", "carrier", "price_list")
Fields = Any  # Any: fields of several types


def after(*records: Customer) -> Moment:
    """A moment after the last change of any of these."""
    return Moment(OTHER, max(record.updated_at for record in records) + timedelta(seconds=5), ids())


def made(merger: Merger) -> Merged:
    """What comes of it; a merge that is refused is no example here."""
    try:
        return merge(merger, after(merger.target, *merger.sources))
    except (Conflict, Invalid):
        assume(condition=False)
        raise


def catalogue_of(*records: Customer) -> Catalogue:
    """Everything that these refer to, all of it there."""
    named: dict[UUID | None, Kind] = {getattr(record, kind): kind for record in records for kind in TERMS}
    for record in records:
        named |= dict.fromkeys((*record.price_groups, record.type_group), "account_group")
        named[record.credit_limit_unit] = "unit"
    details = AccountGroupDetails("type_group")
    entries = [
        entry(kind, own.int, str(own), details if kind == "account_group" else NoDetails())
        for own, kind in named.items()
        if own is not None
    ]
    reps = {rep for record in records for rep in record.sales_reps}
    users = [User(rep, f"{rep}@team.test", "A", "B", START, START, ACTOR, ACTOR) for rep in reps]
    return Catalogue(1, entries, users)


def undone(merger: Merger, merged: Merged, *, target: Customer | None = None, **choice: Fields) -> Unmerged:
    """The merge taken back, of a target that has been changed since or not."""
    target = target or merged.target.customer
    children = tuple(
        (now.customer, before.parent)
        for before, now in zip(merger.children, merged.children, strict=True)
        if before.parent is not None
    )
    sources = tuple(source.customer for source in merged.sources)
    unmerger = Unmerger(target, merger.target, merged.target.customer, sources, children, **choice)
    catalogue = catalogue_of(merger.target, *merger.sources)
    return unmerge(unmerger, catalogue, after(target))


def with_own_values(record: Customer) -> Customer:
    """A record whose custom values have ids that no other record's have."""
    values = (replace(value, id=uuid5(record.id, value.name)) for value in record.attributes)
    return replace(record, attributes=tuple(values))


@st.composite
def chosen(draw: st.DrawFn) -> Merger:
    """A merge in which anybody's value of anything may survive, but for parents and levels, which must fit."""
    merger = draw(mergers())
    target, *sources = map(with_own_values, (merger.target, *merger.sources))
    merger = replace(merger, target=target, sources=tuple(sources))
    records = st.sampled_from([merger.target, *merger.sources])
    fields = st.sampled_from([field for field in SURVIVORS if field not in ("parent", "carrier", "service_level")])
    return replace(merger, survivors=draw(st.dictionaries(fields, records, max_size=6)))


@law
@given(chosen())
def test_everybody_is_as_before(merger: Merger) -> None:
    """All of the target, the sources and those below them, but for versions and who changed them when.

    Whatever is preferred where something was changed since, nothing was.
    """
    merged = made(merger)
    back = undone(merger, merged)
    assert undone(merger, merged, prefer="current") == undone(merger, merged, prefer="former") == back
    befores = (merger.target, *merger.sources, *merger.children)
    middles = (merged.target, *merged.sources, *merged.children)
    afters = (back.target, *back.sources, *back.children)
    (now,) = {applied.customer.updated_at for applied in afters}
    for before, middle, applied in zip(befores, middles, afters, strict=True):
        assert unstamped(applied.customer, before) == content(before)
        assert applied.customer.version == before.version + 2
        stamp = Stamp(before.version + 2, now, OTHER)
        told = to_entry(applied.customer, applied.changes).changes
        assert follow(middle.customer, told, stamp) == applied.customer


def unstamped(customer: Customer, like: Customer) -> Customer:
    """Without the marks of custom values that went to and fro: survivorship changes their times, and who set them."""
    marks = {value.id: value for value in like.attributes}
    values = tuple(
        replace(value, updated_at=marks[value.id].updated_at, updated_by=marks[value.id].updated_by)
        for value in customer.attributes
    )
    return content(replace(customer, attributes=values))


@law
@given(chosen())
def test_a_merge_that_comes_back_by_itself_is_not_in_the_way(merger: Merger) -> None:
    """Where the target was put back as it was, nothing of it changes, and the sources come back all the same."""
    merged = made(merger)
    there = merged.target.customer
    target = follow(there, differences(there, merger.target), Stamp(there.version + 1, there.updated_at, ACTOR))
    back = undone(merger, merged, target=target)
    assert back.target.changes == ()
    assert [content(one.customer) for one in back.sources] == [content(one) for one in merger.sources]


def record(number: int, **fields: Fields) -> Customer:
    """A customer with this and nothing else."""
    born: dict[str, Fields] = {"name": f"Company {number}", "number": f"C{number}", **fields}
    return Customer(TEAM, UUID(int=number), 1, START, START, ACTOR, ACTOR, **born)


ADDRESS = Address(UUID(int=0xADD), START, START, city="Oslo")
PERSON = Contact(UUID(int=0xC0), START, START, first_name="Ingrid")
REGION = Attribute(UUID(int=0xA7), "Region", "North", ACTOR, ACTOR, START, START)
REPS = (UUID(int=0x1), UUID(int=0x2), UUID(int=0x3))
TARGET = record(1, sales_reps=REPS[:1])
SOURCE = record(
    2,
    email="two@nordlys.test",
    sales_reps=REPS[1:2],
    addresses=(ADDRESS,),
    contacts=(PERSON,),
    attributes=(REGION,),
)
MERGER = Merger(TARGET, (SOURCE,))


def changed(merged: Merged, **fields: Fields) -> Customer:
    """The target with these values since."""
    before = merged.target.customer
    return replace(before, version=before.version + 1, updated_at=before.updated_at, **fields)


EDITS: Mapping[str, tuple[dict[str, Fields], list[str]]] = {
    "a text that came": ({"email": "new@nordlys.test"}, ["email"]),
    "an address that came": ({"addresses": (replace(ADDRESS, city="Voss"),)}, [f"addresses[{ADDRESS.id}]"]),
    "a contact that came": ({"contacts": (replace(PERSON, phone="5"),)}, [f"contacts[{PERSON.id}]"]),
    "a custom value that came": ({"attributes": (replace(REGION, value="South"),)}, ["attributes.Region"]),
    "a pointer to what came": ({"bill_to": ADDRESS.id, "primary_contact": PERSON.id}, ["bill_to", "primary_contact"]),
    "a default rep that came": ({"default_sales_rep": REPS[1]}, ["default_sales_rep"]),
}


@pytest.mark.parametrize("edit", EDITS)
def test_later_changes_are_named(edit: str) -> None:
    """Each with its place, and nothing else."""
    fields, places = EDITS[edit]
    merged = merge(MERGER, after(TARGET))
    with pytest.raises(InTheWay) as caught:
        undone(MERGER, merged, target=changed(merged, **fields))
    told = [".".join(map(str, error.path)) for error in caught.value.errors]
    assert told == [place.replace("[", ".").replace("]", "") for place in places]
    assert {error.code for error in caught.value.errors} == {"changed_since"}


def test_what_is_by_now_may_stand() -> None:
    """The target keeps what it says by now; an address goes to its source as it is by now."""
    merged = merge(MERGER, after(TARGET))
    moved, south = replace(ADDRESS, city="Voss"), replace(REGION, value="South")
    target = changed(merged, email="new@nordlys.test", addresses=(moved,), attributes=(south,), bill_to=ADDRESS.id)
    back = undone(MERGER, merged, target=target, prefer="current")
    there, source = back.target.customer, back.sources[0].customer
    assert (there.email, there.addresses, there.attributes, there.bill_to) == ("new@nordlys.test", (), (south,), None)
    assert (source.email, source.addresses[0].city, source.attributes) == ("two@nordlys.test", "Voss", (REGION,))


def test_what_was_before_may_come_back() -> None:
    """Both are as they were before the merge; what the merge did not touch stays as it was changed."""
    merged = merge(MERGER, after(TARGET))
    target = changed(
        merged,
        email="new@nordlys.test",
        addresses=(replace(ADDRESS, city="Voss"),),
        attributes=(replace(REGION, value="South"),),
        bill_to=ADDRESS.id,
        note="later",
    )
    back = undone(MERGER, merged, target=target, prefer="former")
    assert content(back.target.customer) == content(replace(TARGET, note="later"))
    assert content(back.sources[0].customer) == content(SOURCE)


def test_what_came_and_went_again_is_with_its_source() -> None:
    """What was taken away from the target since is not in the way, and the source has it."""
    merged = merge(MERGER, after(TARGET))
    back = undone(MERGER, merged, target=changed(merged, addresses=(), contacts=(), attributes=(), email=None))
    assert content(back.sources[0].customer) == content(SOURCE)
    assert content(back.target.customer) == content(TARGET)


def test_reps_that_came_later_stay() -> None:
    """Of a set that was changed since only what the merge brought goes."""
    merged = merge(MERGER, after(TARGET))
    back = undone(MERGER, merged, target=changed(merged, sales_reps=(*REPS[::-1],)))
    assert back.target.customer.sales_reps == (REPS[2], REPS[0])


def test_a_rep_who_was_taken_off_since_does_not_come_back_as_the_default() -> None:
    """That it was the default before is in the way, and the list stays as it was changed."""
    target = record(1, sales_reps=REPS[:1], default_sales_rep=REPS[0])
    source = record(2, sales_reps=REPS[1:2], default_sales_rep=REPS[1])
    merger = Merger(target, (source,), survivors={"default_sales_rep": source})
    merged = merge(merger, after(target))
    since = changed(merged, sales_reps=REPS[1:2])
    with pytest.raises(InTheWay) as caught:
        undone(merger, merged, target=since)
    assert [error.path for error in caught.value.errors] == [("default_sales_rep",)]
    for prefer in ("current", "former"):
        there = undone(merger, merged, target=since, prefer=prefer).target.customer
        assert (there.sales_reps, there.default_sales_rep) == ((), None)


@pytest.mark.parametrize("survivor", ["carrier", "service_level"])
def test_a_service_level_does_not_come_back_to_another_carrier(survivor: str) -> None:
    """Where the carrier is another one since, and is to stay, the level of the former one stays away."""
    carriers, level = [UUID(int=0xCA + place) for place in range(3)], UUID(int=0x1E)
    entries = [entry("service_level", level.int, "Express", ServiceLevelDetails(carriers[0], "express"))]
    entries += [entry("carrier", carrier.int, str(carrier), NoDetails()) for carrier in carriers]
    target = record(1, carrier=carriers[0], service_level=level)
    source = record(2, carrier=carriers[survivor == "carrier"])
    merged = merge(Merger(target, (source,), survivors={survivor: source}), after(target))
    since = changed(merged, carrier=carriers[2])
    unmerger = Unmerger(since, target, merged.target.customer, (merged.sources[0].customer,))
    catalogue = Catalogue(1, entries, [])
    with pytest.raises(InTheWay) as caught:
        unmerge(unmerger, catalogue, after(since))
    assert ("service_level",) in [error.path for error in caught.value.errors]
    there = unmerge(replace(unmerger, prefer="current"), catalogue, after(since)).target.customer
    assert (there.carrier, there.service_level) == (carriers[2], None)
    there = unmerge(replace(unmerger, prefer="former"), catalogue, after(since)).target.customer
    stays = (carriers[0], level) if survivor == "carrier" else (carriers[2], None)
    assert (there.carrier, there.service_level) == stays


def test_a_merge_that_brought_nothing_is_a_version_all_the_same() -> None:
    """The target's history says when it was taken back."""
    merger = Merger(record(1), (record(2),))
    back = undone(merger, merge(merger, after(TARGET)))
    assert (back.target.customer.version, back.target.changes) == (3, ())
