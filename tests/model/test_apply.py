"""Properties of the one place where a customer changes."""

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from customerhub.model.apply import TICK, apply, create
from customerhub.model.catalogue import Catalogue
from customerhub.model.change import FieldChange, differs
from customerhub.model.customer import Customer
from customerhub.model.nested import Moment
from customerhub.model.patch import (
    PLAIN_FIELDS,
    CustomerPatch,
    ListPatch,
    Named,
)
from tests.support.changes import replay
from tests.support.patches import check_whole, scenes
from tests.support.soak import sized
from tests.support.strategies import (
    ACTOR,
    START,
    TEAM,
    ids,
    moment,
)

pytestmark = pytest.mark.soak
law = settings(
    max_examples=sized(20, 400),
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
OTHER = UUID(int=0x07E5)


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
