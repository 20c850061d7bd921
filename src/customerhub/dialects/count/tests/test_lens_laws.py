"""The lens laws: what was read may be sent back, what was sent is read back, and nothing else moves."""

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from customerhub.dialects.count.convert import to_new, to_patch
from customerhub.dialects.count.show import to_address, to_customer
from customerhub.model.apply import TICK, Applied, apply, create
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import CUSTOMER_FIELDS, Customer, name_key
from customerhub.model.references import reference_errors
from tests.support.count import Json
from tests.support.soak import sized
from tests.support.strategies import (
    ACTOR,
    EMAILS,
    START,
    STATUSES,
    TEAM,
    TEXTS,
    catalogues,
    customers,
    ids,
    moment,
)

pytestmark = pytest.mark.soak
law = settings(
    max_examples=sized(25, 400),
    deadline=None,
    # Without the explanation, which takes minutes for records of this size.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ADDRESSES = {"billingAddress": "bill_to", "shippingAddress": "ship_to"}
SEEN = {"line1", "line2", "city", "state", "postal_code", "country"}
# The canonical field that a member moves, where it is one.
MOVES = {
    "customer": "name",
    "mainPhone": "phone",
    "notes": "note",
    "paymentTerm": "payment_term",
    "taxNumber": "tax_number",
    "taxAutoCalculate": "tax_auto_calculate",
    "taxExcluded": "tax_excluded",
}
NULLABLE = st.none() | st.sampled_from(["", "  "]) | TEXTS
STREETS = NULLABLE | st.sampled_from(["3 Quay Street\nGate B", "a\r\nb", "a\n", "\nb", "a\nb\nc"])


def wire_addresses(customer: Customer) -> st.SearchStrategy[Json | None]:
    """Addresses as clients send them: whole, in part, none, and such as the customer has."""
    sent: st.SearchStrategy[Json | None] = st.fixed_dictionaries(
        {}, optional={"street": STREETS, **dict.fromkeys(("city", "state", "zipCode", "country"), NULLABLE)}
    )
    own = [to_address(address) for address in customer.addresses]
    return st.none() | sent | st.sampled_from(own) if own else st.none() | sent


def updates(customer: Customer, catalogue: Catalogue) -> st.SearchStrategy[Json]:
    """Bodies of updates that must be accepted: no other inactive term than the customer's own."""
    terms = [entry.name for entry in catalogue.entries("payment_term")]

    def may_be_named(text: str | None) -> bool:
        entry = catalogue.find_named("payment_term", text) if text is not None else None
        return entry is None or entry.status == "active" or entry.id == customer.payment_term

    flags = st.booleans()
    return st.fixed_dictionaries(
        {},
        optional={
            "customer": TEXTS.filter(str.strip),
            "email": EMAILS | st.just(" padded@a.example "),
            "mainPhone": NULLABLE,
            "website": NULLABLE,
            "status": STATUSES,
            "notes": NULLABLE,
            "paymentTerm": (NULLABLE | st.sampled_from([*terms, "NET30", "net30"])).filter(may_be_named),
            "taxNumber": NULLABLE,
            "taxAutoCalculate": flags,
            "taxExcluded": flags,
            "billingAddress": wire_addresses(customer),
            "shippingAddress": wire_addresses(customer),
        },
    )


def put(body: Json, customer: Customer, catalogue: Catalogue) -> tuple[Applied, Catalogue]:
    """What a PUT makes of a customer; it must be accepted."""
    mint = ids()
    proposal, _ = to_patch(body, customer, catalogue, mint)
    assert proposal.errors == ()
    assert reference_errors(customer, proposal.patch, catalogue) == []
    applied = apply(customer, proposal.patch, catalogue, moment(customer, mint))
    return applied, catalogue.with_entries(applied.new_entries)


def tidy_text(value: str | None) -> str | None:
    """Blank text is none."""
    return value if value is not None and value.strip() else None


def tidy_address(sent: Json | None) -> Json | None:
    """An address as it is read back."""
    first, _, rest = ((sent or {}).get("street") or "").replace("\r\n", "\n").partition("\n")
    line1, line2 = tidy_text(first), tidy_text(rest)
    read = {name: tidy_text((sent or {}).get(name)) for name in ("city", "state", "zipCode", "country")}
    read = {"street": f"{line1 or ''}\n{line2}" if line2 else line1, **read}
    return read if any(read.values()) else None


def tidy(name: str, value: Any) -> Any:
    """A value as it is read back: the normalisations that the README lists."""
    if name in ADDRESSES:
        return tidy_address(value)
    if name == "email":
        return value.strip()
    if name == "paymentTerm":
        return name_key(value) if tidy_text(value) else None
    return tidy_text(value) if isinstance(value, str) else value


def check_read(body: Json, before: Json, after: Json) -> None:
    """Each member is read as it was sent, or as it was shown before where it was sent so."""
    for name, value in body.items():
        read = after[name]
        if name in before and type(value) is type(before[name]) and value == before[name]:
            assert read == before[name]
        elif name == "paymentTerm" and read is not None:
            assert name_key(read) == tidy(name, value)
        else:
            assert read == tidy(name, value), name


@law
@given(st.data())
def test_get_put(data: st.DataObject) -> None:
    """A record of any origin, sent back as it was read, changes nothing; any part of it neither."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    shown = to_customer(customer, catalogue)
    names = data.draw(st.sets(st.sampled_from(sorted(shown))))
    for body in (shown, {name: shown[name] for name in names}):
        applied, _ = put(body, customer, catalogue)
        assert applied.changes == ()
        assert applied.customer is customer


@law
@given(st.data())
def test_put_get_and_twice_is_once(data: st.DataObject) -> None:
    """What a PUT sets is what is then read, and the same PUT again changes nothing."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    body = data.draw(updates(customer, catalogue))
    applied, after = put(body, customer, catalogue)
    check_read(body, to_customer(customer, catalogue), to_customer(applied.customer, after))
    assert put(body, applied.customer, after)[0].changes == ()


@law
@given(st.data())
def test_frame(data: st.DataObject) -> None:
    """What a PUT does not name stays, and so does all that this dialect cannot see."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    body = data.draw(updates(customer, catalogue))
    after = put(body, customer, catalogue)[0].customer
    allowed = {"version", "updated_at", "updated_by"} | {MOVES.get(name, name) for name in body}
    if body.keys() & ADDRESSES.keys():
        allowed |= {"addresses", *(ADDRESSES[name] for name in body if name in ADDRESSES)}
    assert {f for f in CUSTOMER_FIELDS if getattr(after, f) != getattr(customer, f)} <= allowed
    assert after.contacts == customer.contacts
    before, now = to_customer(customer, catalogue), to_customer(after, catalogue)
    for name in ADDRESSES:
        if name not in body:
            assert now[name] == before[name]
    named = {getattr(customer, pointer) for name, pointer in ADDRESSES.items() if name in body}
    for old in customer.addresses:
        new = after.find_address(old.id)
        assert new is not None
        moved = {f for f in old.__struct_fields__ if getattr(old, f) != getattr(new, f)}
        assert moved <= (SEEN | {"updated_at"} if old.id in named else set())


@law
@given(st.data())
def test_put_get_of_a_new_customer(data: st.DataObject) -> None:
    """What a creation sends is what is then read."""
    catalogue = data.draw(catalogues())
    blank = Customer(TEAM, ACTOR, 0, START, START - TICK, ACTOR, ACTOR, "", "C00001")
    required = {"customer": "New", "email": "new@a.example"}
    body = {**required, **data.draw(updates(blank, catalogue))}
    mint = ids()
    proposal, warnings = to_new(body, catalogue, mint)
    assert (proposal.errors, warnings) == ((), [])
    applied = create(blank, proposal.patch, catalogue, moment(blank, mint))
    check_read(body, {}, to_customer(applied.customer, catalogue.with_entries(applied.new_entries)))
