"""What Stripe is to hold of a customer, by values alone: limits, blanks, addresses, and the way back to a patch."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from customerhub.model.apply import apply
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Address, Customer
from customerhub.model.nested import Moment
from customerhub.sinks.stripe.ownership import weigh
from customerhub.sinks.stripe.snapshot import (
    FIELDS,
    Fields,
    read_fields,
    to_creation,
    to_snapshot,
    to_update,
)
from customerhub.sinks.stripe.taking import to_patch
from customerhub.store.sinks import Sink
from tests.support.customers import new_address, new_customer
from tests.support.stripe_double.rules import apply as apply_at_stripe
from tests.support.stripe_double.rules import new_customer as new_at_stripe
from tests.support.stripe_double.rules import read_form

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TEAM = UUID(int=1)


def customer_of(**fields: Any) -> Customer:  # Any: fields of many types
    """A customer with these fields."""
    return new_customer(TEAM, NOW, **fields)


def addressed(pointer: str, **lines: Any) -> Customer:  # Any: fields of many types
    """A customer with one address that a pointer names."""
    address = new_address(NOW, **lines)
    return customer_of(addresses=(address,), **{pointer: address.id})


@pytest.mark.parametrize(
    ("customer", "field", "value", "left_out"),
    [
        (customer_of(name="N" * 256), "name", "N" * 256, {}),
        (customer_of(name="N" * 257), "name", None, {"name": "Stripe takes 256 characters at most"}),
        (customer_of(email=" a@b.example "), "email", "a@b.example", {}),
        (
            customer_of(email="nobody"),
            "email",
            None,
            {"email": "Stripe takes no text that is not an email address"},
        ),
        (customer_of(phone="0" * 20), "phone", "0" * 20, {}),
        (customer_of(phone=" "), "phone", None, {}),
        (addressed("bill_to", city=" "), "address", None, {}),
        (
            addressed("ship_to", line1="1", first_name="Ingrid", last_name="Berg", phone="1"),
            "shipping",
            "Ingrid Berg",
            None,
        ),
        (
            addressed("ship_to", name="Gate"),
            "shipping",
            None,
            {"shipping": "Stripe takes no shipping address without a line 1"},
        ),
        (addressed("ship_to", line1="Kai 1", phone="1"), "shipping", "Company", None),
    ],
    ids=["name", "long name", "email", "no email", "phone", "blank", "empty", "person", "no line", "no name"],
)
def test_each_value_as_stripe_takes_it(
    customer: Customer, field: str, value: object, left_out: dict[str, str] | None
) -> None:
    """A value goes as it is, without blanks around it, or is left out with its reason; nothing is cut short."""
    snapshot = to_snapshot(customer)
    if left_out is None:
        assert snapshot.fields["shipping"]["name"] == value
        assert snapshot.left_out == {}
    else:
        assert (snapshot.fields[field], snapshot.left_out) == (value, left_out)


def test_an_update_names_everything_and_a_creation_what_there_is() -> None:
    """An empty text clears, so an update says it of all that is none; a creation says nothing of it."""
    customer = addressed("bill_to", city="Oslo", country="no")
    fields = to_snapshot(customer).fields
    metadata = {"customerhub_id": str(customer.id), "customerhub_number": customer.number}
    lines = {"line1": "", "line2": "", "city": "Oslo", "state": "", "postal_code": "", "country": "NO"}
    assert to_update(fields) == {
        "name": "Company",
        "email": "",
        "phone": "",
        "address": lines,
        "shipping": "",
        "metadata": metadata,
    }
    assert to_creation(fields) == {
        "name": "Company",
        "address": {"city": "Oslo", "country": "NO"},
        "metadata": metadata,
    }


TEXT = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)
LINES = st.fixed_dictionaries(
    {
        **dict.fromkeys(("name", "first_name", "phone", "line1", "line2", "city", "state", "postal_code"), TEXT),
        "country": st.sampled_from((None, "NO", "se", "Norway")),
    }
)


@st.composite
def customers(draw: st.DrawFn) -> Customer:
    """Customers with up to two addresses and pointers to any of them."""
    addresses: tuple[Address, ...] = tuple(new_address(NOW, **draw(LINES)) for _ in range(draw(st.integers(0, 2))))
    pointers = st.sampled_from((None, *(address.id for address in addresses)))
    return customer_of(
        name=draw(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=300)),
        email=draw(st.sampled_from((None, "a@b.example", "nobody", "ü@b.example"))),
        phone=draw(TEXT),
        addresses=addresses,
        bill_to=draw(pointers),
        ship_to=draw(pointers),
    )


def at_stripe(fields: Fields) -> Fields:
    """What Stripe's published rules make of these parameters; raises what Stripe would refuse."""
    pairs: list[tuple[str, str]] = []

    def add(name: str, value: object) -> None:
        if isinstance(value, dict):
            for key, part in value.items():
                add(f"{name}[{key}]", part)
        else:
            pairs.append((name, str(value)))

    for name, value in fields.items():
        add(name, value)
    return read_fields(apply_at_stripe(new_at_stripe("cus_1", 1), read_form(pairs)))


@given(customers())
def test_stripe_takes_every_snapshot_and_holds_just_that(customer: Customer) -> None:
    """Whatever the record holds, what is sent is never refused, and what Stripe then has is what was meant."""
    fields = to_snapshot(customer).fields
    assert at_stripe(to_update(fields)) == fields
    assert at_stripe(to_creation(fields)) == {**fields, "shipping": None}


SINK = msgspec.convert(
    {
        **dict.fromkeys(("dialect", "form", "name", "url"), ""),
        **dict.fromkeys(("events", "types", "fields"), ()),
        **dict.fromkeys(("secret", "former_secret", "former_until", "reason")),
        "team": TEAM,
        "id": TEAM,
        "kind": "stripe",
        "config": {},
        "status": "active",
        "holds": True,
        "is_trusted": False,
        "version": 1,
        "created_at": NOW,
        "updated_at": NOW,
    },
    Sink,
)


@given(customers(), customers())
def test_what_is_taken_from_stripe_reads_the_same_here(customer: Customer, other: Customer) -> None:
    """After a change in Stripe was taken in, the hub would send just what Stripe has: so nothing echoes."""
    ours, theirs = to_snapshot(customer).fields, to_snapshot(other).fields
    theirs["metadata"] = ours["metadata"]
    theirs["name"] = theirs["name"] or "Named"
    weighed = weigh(SINK, ours, theirs, ours)
    assert set(weighed.taken) == {field for field in FIELDS if ours[field] != theirs[field]}
    assert weighed.owed == ()
    moment = Moment(TEAM, NOW, uuid4)
    patch = to_patch(customer, weighed.taken, ours, theirs, uuid4)
    after = apply(customer, patch, Catalogue(0), moment).customer
    assert to_snapshot(after).fields == theirs == weighed.written
    again = weigh(SINK, to_snapshot(after).fields, theirs, weighed.written)
    assert (again.taken, again.owed, again.written) == ((), (), weighed.written)
