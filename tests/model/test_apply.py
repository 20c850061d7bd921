"""Properties of the one place where a customer changes."""

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from customerhub.model.apply import TICK, apply, create
from customerhub.model.catalogue import Catalogue, ServiceLevelDetails
from customerhub.model.change import FieldChange, differs
from customerhub.model.customer import Address, Attribute, Contact, Customer, Standing, Status
from customerhub.model.nested import Moment
from customerhub.model.patch import (
    PLAIN_FIELDS,
    AddressPatch,
    AttributesPatch,
    ContactPatch,
    CustomerPatch,
    ListPatch,
    Named,
)
from customerhub.model.references import reference_errors
from tests.support.changes import replay
from tests.support.strategies import (
    ACTOR,
    MAYBE_TEXT,
    START,
    TEAM,
    TEXTS,
    TIMES,
    catalogues,
    choices,
    customers,
    entry_ids,
    ids,
    moment,
    one_or_none,
    some,
)

pytestmark = pytest.mark.soak
law = settings(
    max_examples=400 if os.environ.get("CUSTOMERHUB_SOAK") else 30,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
OTHER = UUID(int=0x07E5)


@st.composite
def attributes_patches(draw: st.DrawFn, current: tuple[Attribute, ...]) -> AttributesPatch:
    """Values to set, of old names and new ones, and to take away."""
    names = [attribute.name for attribute in current]
    put = draw(st.dictionaries(st.sampled_from([*names, "a/b~c", "Region"]), st.sampled_from(["", "x", "y"])))
    return AttributesPatch(put=put, remove=frozenset(draw(some([*names, "gone"]))), keep_others=draw(st.booleans()))


@st.composite
def entry_patches(draw: st.DrawFn, make: type[Any], current: tuple[Attribute, ...]) -> Any:
    """A patch of an address or contact: some fields, each cleared or set."""
    fields: dict[str, object] = {}
    for name in draw(some(make.__struct_fields__, most=4)):
        if name == "attributes":
            fields[name] = draw(attributes_patches(current))
        elif name == "type":
            fields[name] = draw(st.sampled_from([None, "billing", "shipping"]))
        elif name == "is_drop_ship":
            fields[name] = draw(st.booleans())
        else:
            fields[name] = draw(MAYBE_TEXT)
    return make(**fields)


@st.composite
def list_patches(draw: st.DrawFn, entries: Sequence[Address | Contact], make: type[Any]) -> ListPatch[Any]:
    """The three modes of a nested list, mixed, with addresses of none that come along."""
    change = {entry.id: draw(entry_patches(make, entry.attributes)) for entry in draw(some(entries))}
    new = ids()
    add = tuple((new(), draw(entry_patches(make, ()))) for _ in range(draw(st.integers(0, 2))))
    remove = frozenset(entry.id for entry in draw(some(entries)))
    adopt: tuple[Address, ...] = ()
    if make is AddressPatch:
        times = draw(st.lists(TIMES, max_size=2))
        adopt = tuple(Address(new(), at, at, city=draw(MAYBE_TEXT)) for at in times)
    return ListPatch(change=change, add=add, remove=remove, keep_others=draw(st.booleans()), adopt=adopt)


def plain_values(customer: Customer, catalogue: Catalogue) -> dict[str, st.SearchStrategy[Any]]:
    """Values for the fields that are not free text."""
    users = sorted(user.id for user in catalogue.users())
    own = [address.id for address in customer.addresses]
    return {
        "name": TEXTS,
        "number": TEXTS,
        "status": choices(Status),
        "standing": choices(Standing),
        "payment_term": one_or_none(entry_ids(catalogue, "payment_term")) | TEXTS.filter(str.strip).map(Named),
        "shipping_term": one_or_none(entry_ids(catalogue, "shipping_term")) | TEXTS.filter(str.strip).map(Named),
        "carrier": one_or_none(entry_ids(catalogue, "carrier")) | TEXTS.filter(str.strip).map(Named),
        "service_level": one_or_none(entry_ids(catalogue, "service_level")),
        "sales_reps": st.lists(st.sampled_from(users), max_size=4).map(tuple),
        "default_sales_rep": one_or_none(users),
        "price_list": one_or_none(entry_ids(catalogue, "price_list")),
        "price_groups": st.just(()),
        "type_group": st.none(),
        "credit_limit": st.none() | st.decimals(0, 1000, places=1),
        "credit_limit_unit": one_or_none(entry_ids(catalogue, "unit")),
        "parent": st.none(),
        "addresses": list_patches(customer.addresses, AddressPatch),
        "contacts": list_patches(customer.contacts, ContactPatch),
        "attributes": attributes_patches(customer.attributes),
        "bill_to": one_or_none(own),
        "ship_to": one_or_none(own),
        "primary_contact": one_or_none([contact.id for contact in customer.contacts]),
    }


@st.composite
def customer_patches(draw: st.DrawFn, customer: Customer, catalogue: Catalogue) -> CustomerPatch:
    """A patch of any door: a few fields, each UNSET, None or a value."""
    special = plain_values(customer, catalogue)
    fields: dict[str, Any] = {}
    entangled = draw(some([name for name in special if name not in ("name", "number")], most=5))
    for name in {*entangled, *draw(some(CustomerPatch.__struct_fields__, most=4))}:
        kind = CustomerPatch.__annotations__[name]
        if name in special:
            fields[name] = draw(special[name])
        elif bool in get_args(kind):
            fields[name] = draw(st.booleans())
        elif type(None) in get_args(kind):
            fields[name] = draw(MAYBE_TEXT)
    return CustomerPatch(**fields)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[Customer, CustomerPatch, Catalogue]:
    """A record and a patch whose references are in order, as core checks before it applies."""
    catalogue = draw(catalogues())
    customer = draw(customers(catalogue))
    patch = draw(customer_patches(customer, catalogue))
    assume(not reference_errors(customer, patch, catalogue))
    return customer, patch, catalogue


def check_whole(customer: Customer, catalogue: Catalogue) -> None:
    """What holds of every record at every version."""
    own = [address.id for address in customer.addresses]
    people = [contact.id for contact in customer.contacts]
    assert customer.bill_to is None or customer.bill_to in own
    assert customer.ship_to is None or customer.ship_to in own
    assert customer.primary_contact is None or customer.primary_contact in people
    assert customer.default_sales_rep is None or customer.default_sales_rep in customer.sales_reps
    assert len(set(customer.sales_reps)) == len(customer.sales_reps)
    level = catalogue.find_entry("service_level", customer.service_level)
    if level is not None:
        assert isinstance(level.details, ServiceLevelDetails)
        assert level.details.carrier == customer.carrier
    for entries in (customer.addresses, customer.contacts):
        keys = [(entry.created_at, entry.id) for entry in entries]
        assert keys == sorted(keys)
    owners: tuple[Customer | Address | Contact, ...] = (customer, *customer.addresses, *customer.contacts)
    for owner in owners:
        names = [attribute.name for attribute in owner.attributes]
        assert len(set(names)) == len(names)
    if customer.credit_limit is None:
        assert customer.credit_limit_id is None


@law
@given(scenes())
def test_every_version_is_whole(scene: tuple[Customer, CustomerPatch, Catalogue]) -> None:
    """Pointers name entries that are there, the default rep is in the list, lists keep their order."""
    customer, patch, catalogue = scene
    applied = apply(customer, patch, catalogue, moment(customer))
    check_whole(applied.customer, catalogue.with_entries(applied.new_entries))


@law
@given(scenes(), st.integers(-(10**9), 10**9))
def test_a_version_moves_exactly_when_something_changed(
    scene: tuple[Customer, CustomerPatch, Catalogue], drift: int
) -> None:
    """Something changed: one version on, later than before under any clock. Nothing changed: the very same record."""
    customer, patch, catalogue = scene
    now = customer.updated_at + timedelta(microseconds=drift)
    applied = apply(customer, patch, catalogue, Moment(OTHER, now, ids()))
    after = applied.customer
    if not applied.changes:
        assert after is customer
        assert applied.new_entries == ()
        return
    assert after.version == customer.version + 1
    assert after.updated_at == max(now, customer.updated_at + TICK)
    assert after.updated_by == OTHER
    assert (after.created_at, after.created_by) == (customer.created_at, customer.created_by)
    same = msgspec.structs.replace(
        after, version=customer.version, updated_at=customer.updated_at, updated_by=customer.updated_by
    )
    assert differs(same, customer)


@law
@given(scenes())
def test_twice_is_once(scene: tuple[Customer, CustomerPatch, Catalogue]) -> None:
    """The same patch again changes nothing, but for entries that it would add again under a new id."""
    customer, patch, catalogue = scene
    fields = {name: getattr(patch, name) for name in ("addresses", "contacts")}
    once = {
        name: msgspec.structs.replace(edits, add=(), adopt=(), keep_others=True)
        for name, edits in fields.items()
        if edits is not UNSET
    }
    patch = msgspec.structs.replace(patch, **once)
    applied = apply(customer, patch, catalogue, moment(customer))
    later = catalogue.with_entries(applied.new_entries)
    assert apply(applied.customer, patch, later, moment(applied.customer)).changes == ()


@law
@given(scenes())
def test_what_is_not_named_stays(scene: tuple[Customer, CustomerPatch, Catalogue]) -> None:
    """A field that is UNSET keeps its value, but for the consequences that hold for every door."""
    customer, patch, catalogue = scene
    after = apply(customer, patch, catalogue, moment(customer)).customer
    named = {name for name in CustomerPatch.__struct_fields__ if getattr(patch, name) is not UNSET}
    consequences = {
        "carrier": {"service_level"},
        "sales_reps": {"default_sales_rep"},
        "default_sales_rep": {"sales_reps"},
        "credit_limit": {"credit_limit_unit", "credit_limit_id"},
        "addresses": {"bill_to", "ship_to"},
        "contacts": {"primary_contact"},
    }
    allowed = named.union(*(consequences.get(name, set()) for name in named))
    moved = {
        name
        for name in customer.__struct_fields__
        if getattr(after, name) != getattr(customer, name) and name not in ("version", "updated_at", "updated_by")
    }
    assert moved <= allowed
    for name in PLAIN_FIELDS:
        value = getattr(patch, name)
        if name in named and not isinstance(value, Named) and name not in ("sales_reps", "credit_limit_unit"):
            assert getattr(after, name) == value


@law
@given(scenes())
def test_the_changes_replayed_give_the_record(scene: tuple[Customer, CustomerPatch, Catalogue]) -> None:
    """The list of changes over the record before is the record after, and each old value is the one that was there."""
    customer, patch, catalogue = scene
    applied = apply(customer, patch, catalogue, moment(customer))
    assert replay(customer, applied) == applied.customer


@law
@given(scenes())
def test_a_first_version_is_one_change(scene: tuple[Customer, CustomerPatch, Catalogue]) -> None:
    """A new record is version 1 with all it is born with, and its only change holds the whole of it."""
    other, patch, catalogue = scene
    add_only = {
        name: ListPatch(add=edits.add, adopt=edits.adopt)
        for name in ("addresses", "contacts")
        if (edits := getattr(patch, name))
    }
    nowhere = dict.fromkeys(("bill_to", "ship_to", "primary_contact", "service_level"), UNSET)
    patch = msgspec.structs.replace(patch, **{**add_only, **nowhere, "name": "Nordlys"})
    blank = Customer(TEAM, other.id, 0, START, START - TICK, ACTOR, ACTOR, name="", number="C00001")
    made = create(blank, patch, catalogue, moment())
    assert made.changes == (FieldChange("", None, made.customer),)
    assert made.customer.version == 1
    assert made.customer.created_at == made.customer.updated_at == moment().now
    check_whole(made.customer, catalogue.with_entries(made.new_entries))
    if patch.default_sales_rep is UNSET:
        first = patch.sales_reps[0] if patch.sales_reps else None
        assert made.customer.default_sales_rep == first
