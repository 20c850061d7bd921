"""Properties of a merge: nothing is lost, the target's own wins, and everybody moves by exactly one version."""

from collections.abc import Iterable
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, settings

from customerhub.model.apply import Applied
from customerhub.model.customer import Address, Attribute, Contact, Customer
from customerhub.model.error import Conflict
from customerhub.model.merge import Merged, Merger, merge
from customerhub.model.nested import Moment
from tests.support.changes import replay
from tests.support.soak import sized
from tests.support.strategies import ACTOR, START, TEAM, ids, mergers, moment

pytestmark = pytest.mark.soak
law = settings(
    max_examples=sized(10, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
DESCRIPTIONS = (
    *(["email"], ["phone"], ["website"], ["note"], ["tax_number"], ["reference_id"]),
    ["first_name", "last_name"],
)
UNITED = {"sales_reps", "price_groups", "addresses", "contacts", "attributes"}
MOVING = {"version", "updated_at", "updated_by"}
OTHER = UUID(int=0x07E5)


def merged(merger: Merger) -> Merged:
    """What comes of it; a tree that would become a circle is no example here."""
    try:
        return merge(merger, Moment(OTHER, moment(merger.target).now, ids()))
    except Conflict:
        assume(condition=False)
        raise


def says(entry: Address | Contact) -> object:
    """What an address or a contact says, whichever it is and since when."""
    values = {value.name: value.value for value in entry.attributes}
    plain = msgspec.structs.asdict(entry) | {"id": 0, "created_at": 0, "updated_at": 0, "attributes": 0}
    return plain, values


def differences(before: Customer, after: Customer) -> set[str]:
    """The fields in which two records differ."""
    return {field for field in before.__struct_fields__ if getattr(before, field) != getattr(after, field)}


@law
@given(mergers())
def test_no_address_and_no_contact_is_lost_or_doubled(merger: Merger) -> None:
    """The target keeps its own, everything a source says is said, nothing twice that came, and nobody made any up."""
    target, after = merger.target, merged(merger).target.customer
    for field in ("addresses", "contacts"):
        own: tuple[Address | Contact, ...] = getattr(target, field)
        theirs = [entry for source in merger.sources for entry in getattr(source, field)]
        now: tuple[Address | Contact, ...] = getattr(after, field)
        assert list(now) == sorted(now, key=lambda entry: (entry.created_at, entry.id))
        assert [entry for entry in now if entry in own] == list(own)
        came = [entry for entry in now if entry not in own]
        assert all(entry in theirs for entry in came)
        assert all(says(entry) in map(says, now) for entry in theirs)
        said = [says(entry) for entry in came]
        assert not any(one in said[:place] or one in map(says, own) for place, one in enumerate(said))


@law
@given(mergers())
def test_custom_values_reps_and_groups_are_united(merger: Merger) -> None:
    """The target's come first and stay as they are; then what it lacks, as the sources have it, in their order."""
    target, after = merger.target, merged(merger).target.customer
    records = (target, *merger.sources)
    for field in ("sales_reps", "price_groups"):
        assert getattr(after, field) == tuple(
            dict.fromkeys(one for record in records for one in getattr(record, field))
        )
    first: dict[str, Attribute] = {}
    for value in (value for record in records for value in record.attributes):
        first.setdefault(value.name, value)
    assert after.attributes == tuple(first.values())


@law
@given(mergers())
def test_what_the_target_has_wins(merger: Merger) -> None:
    """Texts that describe it come where it has none; every other field of its own stands as it stood."""
    target, after = merger.target, merged(merger).target.customer
    for fields in DESCRIPTIONS:
        rows = ([getattr(record, field) for field in fields] for record in (target, *merger.sources))
        expected = next((row for row in rows if any(row)), [None] * len(fields))
        assert [getattr(after, field) for field in fields] == expected
    free = {field for fields in DESCRIPTIONS for field in fields} | UNITED | MOVING | {"parent"}
    assert differences(target, after) <= free


@law
@given(mergers())
def test_everybody_moves_by_one_version_at_one_moment(merger: Merger) -> None:
    """Each record is one version on, later than any was; the changes of each lead from what it was to what it is."""
    made = merged(merger)
    befores = (merger.target, *merger.sources, *merger.children)
    afters = (made.target, *made.sources, *made.children)
    (now,) = {applied.customer.updated_at for applied in afters}
    assert all(now > before.updated_at for before in befores)
    for before, applied in zip(befores, afters, strict=True):
        assert applied.customer.version == before.version + 1
        assert applied.customer.updated_by == OTHER
        assert moved(before, applied) == applied.customer


def moved(before: Customer, applied: Applied) -> Customer:
    """The record with the changes made, at the version of whoever wrote them."""
    if applied.changes:
        return replay(before, applied)
    after = applied.customer
    fields = {field: getattr(after, field) for field in MOVING}
    return msgspec.structs.replace(before, **fields)


@law
@given(mergers())
def test_sources_go_and_those_below_them_come(merger: Merger) -> None:
    """A source is deleted and says where it went, a child has the target above it, and nothing else of them differs."""
    made = merged(merger)
    for source, applied in zip(merger.sources, made.sources, strict=True):
        after = applied.customer
        assert (after.deleted_at, after.merged_into) == (after.updated_at, merger.target.id)
        assert differences(source, after) == MOVING | {"deleted_at", "merged_into"}
    for child, applied in zip(merger.children, made.children, strict=True):
        assert applied.customer.parent == merger.target.id
        assert differences(child, applied.customer) == MOVING | {"parent"}


@law
@given(mergers())
def test_the_tree_stays_a_tree(merger: Merger) -> None:
    """The target stands below the nearest that stays; only where that line comes back to it the merge is refused."""
    gone = {source.id for source in merger.sources}
    above = {child.id: merger.target.id for child in merger.children}
    staying = [customer_id for customer_id in merger.line if customer_id not in gone]
    first = staying[0] if staying else None
    # From there on up: whoever stood below a source stands below the target now.
    line = merger.line[merger.line.index(first) :] if first is not None else ()
    comes_back = any(customer_id in above or customer_id in gone for customer_id in line)
    try:
        made = merge(merger, moment(merger.target))
    except Conflict:
        assert comes_back
    else:
        assert not comes_back
        assert made.target.customer.parent == first


@law
@given(mergers())
def test_one_after_the_other_is_all_at_once(merger: Merger) -> None:
    """Merging the sources one by one leads to the very record that merging them together does, but for its versions."""
    at_once = merge(Merger(merger.target, merger.sources), moment(merger.target)).target.customer
    target = merger.target
    for source in merger.sources:
        target = merge(Merger(target, (source,)), moment(target)).target.customer
    assert differences(at_once, target) <= MOVING


def record(number: int, **fields: object) -> Customer:
    """A customer with this and nothing else."""
    born: dict[str, object] = {"name": f"Company {number}", "number": f"C{number}", **fields}
    return Customer(TEAM, UUID(int=number), 1, START, START, ACTOR, ACTOR, **born)  # type: ignore[arg-type] # as named


def all_paths(applied: Iterable[Applied]) -> list[list[str]]:
    """The paths of the changes of each."""
    return [[change.path for change in one.changes] for one in applied]


def test_a_name_is_not_put_together_from_two_people() -> None:
    """First and last name come from one source, also where the next has the part that the first lacks."""
    sources = (record(2, last_name="Berg"), record(3, first_name="Lars", last_name="Nordmann"))
    after = merge(Merger(record(1), sources), moment()).target.customer
    assert (after.first_name, after.last_name) == (None, "Berg")
    after = merge(Merger(record(1, first_name="Ingrid"), sources), moment()).target.customer
    assert (after.first_name, after.last_name) == ("Ingrid", None)


def test_a_merge_that_brings_nothing_is_a_version_all_the_same() -> None:
    """The target's history says that it was merged into, also where it had everything already."""
    made = merge(Merger(record(1), (record(2),)), moment())
    assert (made.target.customer.version, made.target.changes) == (2, ())
    assert all_paths(made.sources) == [["/deleted_at", "/merged_into"]]


def test_settings_that_the_target_lacks_do_not_come() -> None:
    """Terms, limits, pointers and default reps of a source stay away: that the target has none may be meant."""
    contact = Contact(UUID(int=5), START, START, first_name="Ingrid")
    address = Address(UUID(int=6), START, START, city="Oslo")
    rep = UUID(int=7)
    source = record(
        2,
        payment_term=UUID(int=8),
        display_name="Two",
        payment_mode="AMEX",
        sales_reps=(rep,),
        default_sales_rep=rep,
        contacts=(contact,),
        primary_contact=contact.id,
        addresses=(address,),
        bill_to=address.id,
        ship_to=address.id,
    )
    after = merge(Merger(record(1), (source,)), moment()).target.customer
    expected = record(1, sales_reps=(rep,), contacts=(contact,), addresses=(address,))
    assert differences(expected, after) == {"version", "updated_at"}
