"""Generated patches of any door, over generated records, and what holds of every record at every version."""

from collections.abc import Sequence
from typing import Any, get_args

from hypothesis import assume
from hypothesis import strategies as st

from customerhub.model.catalogue import Catalogue, ServiceLevelDetails
from customerhub.model.customer import Address, Attribute, Contact, Customer, Standing, Status
from customerhub.model.patch import AddressPatch, AttributesPatch, ContactPatch, CustomerPatch, ListPatch, Named
from customerhub.model.references import reference_errors
from tests.support.strategies import (
    MAYBE_TEXT,
    TEXTS,
    TIMES,
    catalogues,
    choices,
    customers,
    entry_ids,
    ids,
    one_or_none,
    some,
)


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
