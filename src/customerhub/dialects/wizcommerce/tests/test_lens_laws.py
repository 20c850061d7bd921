"""The lens laws: what was read may be sent back, what was sent is read back, and nothing else moves."""

import os
from typing import Any, get_type_hints
from uuid import UUID

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from customerhub.dialects.wizcommerce import answers, dialect, wire
from customerhub.dialects.wizcommerce.convert import to_patch
from customerhub.dialects.wizcommerce.exports import to_members
from customerhub.dialects.wizcommerce.records import ADDRESSES, CONTACTS, Family, to_proposal
from customerhub.dialects.wizcommerce.show import to_address, to_contact, to_customer, to_row
from customerhub.dialects.wizcommerce.tests.wire_bodies import patches, unread, wholes
from customerhub.model.apply import Applied, apply
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import CUSTOMER_FIELDS, Address, Contact, Customer
from customerhub.model.references import reference_errors
from tests.support.strategies import catalogues, customers, moment
from tests.support.world import Json

pytestmark = pytest.mark.soak
EXAMPLES = 400 if os.environ.get("CUSTOMERHUB_SOAK") else 30
law = settings(
    max_examples=EXAMPLES,
    deadline=None,
    # Without the explanation, which takes minutes for records of this size.
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
FAMILIES: list[tuple[Family, type]] = [(ADDRESSES, wire.AddressBody), (CONTACTS, wire.ContactBody)]
# The canonical fields that a member of a request may move, its consequences with it.
MOVES: dict[str, set[str]] = {
    "company_name": {"name"},
    "display_id": {"number"},
    "freight_term": {"shipping_term"},
    "shipping_method": {"carrier", "service_level"},
    "assigned_sales_rep_ids": {"sales_reps", "default_sales_rep"},
    "assigned_price_list_id": {"price_list"},
    "default_billing_address_id": {"bill_to", "addresses"},
    "default_shipping_address_id": {"ship_to"},
    "primary_contact_id": {"primary_contact"},
    "addresses": {"addresses", "bill_to", "ship_to"},
    "contacts": {"contacts", "primary_contact"},
}


def shown_of(customer: Customer, catalogue: Catalogue) -> Any:
    """A customer as this dialect shows it."""
    return to_customer(customer, catalogue)


def put(body: Json, customer: Customer, catalogue: Catalogue) -> tuple[Applied, Catalogue]:
    """What a PATCH makes of a customer; it must be accepted."""
    proposal, _ = to_patch(body, customer, catalogue)
    assert proposal.to_wire(reference_errors(customer, proposal.patch, catalogue)) == ()
    applied = apply(customer, proposal.patch, catalogue, moment(customer))
    return applied, catalogue.with_entries(applied.new_entries)


def put_whole(
    family: Family, body: Json, customer: Customer, catalogue: Catalogue, record: Address | Contact
) -> Applied:
    """What a PUT of one address or contact makes of its customer; it must be accepted."""
    proposal, _ = to_proposal(family, body, customer, catalogue, record.id)
    assert proposal.to_wire(reference_errors(customer, proposal.patch, catalogue)) == ()
    return apply(customer, proposal.patch, catalogue, moment(customer))


@law
@given(st.data())
def test_get_put(data: st.DataObject) -> None:
    """A record of any origin, sent back as it was read, changes nothing; with all that only answers have, too."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    shown = shown_of(customer, catalogue)
    request = dialect.to_request(shown, customer, catalogue)
    for body in (request, {**shown, **request}, shown):
        applied, _ = put(body, customer, catalogue)
        assert applied.changes == ()
        assert applied.customer is customer


@law
@given(st.data())
def test_get_put_of_one_record(data: st.DataObject) -> None:
    """An address or contact of any origin, put in place as it was read, changes nothing."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    for family, model in FAMILIES:
        for record in getattr(customer, family.member):
            shown: Any = family.show(customer, record)
            for body in (to_members(shown, model), shown):
                applied = put_whole(family, body, customer, catalogue, record)
                assert applied.changes == ()
                assert applied.customer is customer


@law
@given(st.data())
def test_put_get_and_twice_is_once(data: st.DataObject) -> None:
    """What a PATCH sets is what is then read, and the same PATCH again changes nothing."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    body = data.draw(patches(customer, catalogue))
    applied, after = put(body, customer, catalogue)
    assert unread(body, shown_of(applied.customer, after)) == []
    assert put(body, applied.customer, after)[0].changes == ()


@law
@given(st.data())
def test_put_get_and_twice_is_once_of_one_record(data: st.DataObject) -> None:
    """What a PUT sends is what is then read, what it leaves out is empty, and the same PUT again changes nothing."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    family, model = data.draw(st.sampled_from(FAMILIES))
    for record in getattr(customer, family.member)[:1]:
        body = data.draw(wholes("address" if family is ADDRESSES else "contact", catalogue, record))
        applied = put_whole(family, body, customer, catalogue, record)
        shown: Any = family.show(applied.customer, family.get(applied.customer, record.id))
        assert unread(body, shown) == []
        assert {name for name in get_type_hints(model) if name not in body and shown[name] != ""} <= {"is_default"}
        assert put_whole(family, body, applied.customer, catalogue, record).changes == ()


@law
@given(st.data())
def test_frame(data: st.DataObject) -> None:
    """What a PATCH does not name stays as it is, also what this dialect cannot see, but for the consequences."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    body = data.draw(patches(customer, catalogue))
    after = put(body, customer, catalogue)[0].customer
    allowed = {"version", "updated_at", "updated_by"}.union(*(MOVES.get(name, {name}) for name in body))
    moved = {field for field in CUSTOMER_FIELDS if getattr(after, field) != getattr(customer, field)}
    assert moved <= allowed
    named = {UUID(item["id"]): item for member in ("addresses", "contacts") for item in body.get(member, [])}
    flags = [item for item in body.get("addresses", []) if item.keys() & {"is_default", "type"}]
    if not flags and not body.keys() & {"default_billing_address_id", "default_shipping_address_id"}:
        assert (after.bill_to, after.ship_to) == (customer.bill_to, customer.ship_to)
    for family, _ in FAMILIES:
        for old in getattr(customer, family.member):
            new = family.get(after, old.id)
            assert moved_in(old, new) <= allowed_in(old, customer, named.get(old.id, {}))
            if new is not old:
                assert new.updated_at == after.updated_at
            kept = {a.name: a for a in old.attributes}
            sent = {item["name"] for item in named.get(old.id, {}).get("attributes", [])}
            assert {a.name: a for a in new.attributes if a.name not in sent} == {
                name: a for name, a in kept.items() if name not in sent
            }


WIRE_NAMES = {"address_line_1": "line1", "address_line_2": "line2", "zip_code": "postal_code"}


def moved_in(old: Address | Contact, new: Address | Contact) -> set[str]:
    """The fields in which two versions of a nested record differ."""
    return {field for field in old.__struct_fields__ if getattr(old, field) != getattr(new, field)}


def allowed_in(old: Address | Contact, customer: Customer, item: Json) -> set[str]:
    """The fields of a nested record that an edit may move: an address without a type keeps its look when bills go."""
    allowed = {WIRE_NAMES.get(name, name) for name in item} | {"updated_at"}
    return (
        allowed | {"type"} if isinstance(old, Address) and old.type is None and customer.bill_to == old.id else allowed
    )


@law
@given(st.data())
def test_the_look_of_what_is_not_named_stays(data: st.DataObject) -> None:
    """An address or contact that a PATCH does not name is shown as before, but for the mark of the default."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    body = data.draw(patches(customer, catalogue))
    applied, later = put(body, customer, catalogue)
    before, after = shown_of(customer, catalogue), shown_of(applied.customer, later)
    named = {item["id"] for member in ("addresses", "contacts") for item in body.get(member, [])}
    for member in ("addresses", "contacts"):
        for old, new in zip(before[member], after[member], strict=True):
            if old["id"] not in named:
                moving = {"is_default", "updated_at"}
                assert {k: v for k, v in old.items() if k not in moving} == {
                    k: v for k, v in new.items() if k not in moving
                }


CHECK: TypeAdapter[object] = TypeAdapter(answers.Customer)


@law
@given(st.data())
def test_agreement(data: st.DataObject) -> None:
    """Row, whole record and single records say the same, fit the documented answer, and mark one default a kind."""
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    shown = shown_of(customer, catalogue)
    assert to_row(customer, catalogue) == {name: shown[name] for name in get_type_hints(answers.CustomerRow)}
    assert shown["addresses"] == [to_address(customer, address) for address in customer.addresses]
    assert shown["contacts"] == [to_contact(customer, contact) for contact in customer.contacts]
    CHECK.validate_python(shown)
    missing = set() if customer.price_list else {"assigned_price_list"}
    assert set(shown) == set(get_type_hints(answers.Customer)) - missing
    marks = [item["type"] for item in shown["addresses"] if item["is_default"]]
    assert len(marks) == len(set(marks))
    assert msgspec.json.decode(msgspec.json.encode(shown)) == shown
