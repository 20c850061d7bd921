"""What a patch may name: entries that are in use, by id or by name, and whatever the record has already."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import msgspec
import pytest

from customerhub.model.apply import apply
from customerhub.model.catalogue import CarrierDetails, Catalogue, CatalogueEntry, NoDetails
from customerhub.model.change import FieldChange
from customerhub.model.customer import Address, Customer
from customerhub.model.patch import AddressPatch, CustomerPatch, ListPatch, Named
from customerhub.model.references import reference_errors, strange_addresses
from tests.support.strategies import ACTOR, START, TEAM, entry, moment

ACTIVE, INACTIVE, DELETED, CARRIER = (UUID(int=number) for number in range(11, 15))
OWN, NEW, STRANGE = (UUID(int=number) for number in range(21, 24))


def deleted(found: CatalogueEntry) -> CatalogueEntry:
    """An entry that is no more."""
    return msgspec.structs.replace(found, status="inactive", deleted_at=START)


CATALOGUE = Catalogue(
    1,
    [
        entry("payment_term", ACTIVE.int, "NET45", NoDetails()),
        entry("payment_term", INACTIVE.int, "NET90", NoDetails(), "inactive"),
        deleted(entry("payment_term", DELETED.int, "NET7", NoDetails())),
        entry("carrier", CARRIER.int, "DHL", CarrierDetails(), "inactive"),
    ],
)
CUSTOMER = Customer(
    TEAM,
    UUID(int=1),
    1,
    START,
    START,
    ACTOR,
    ACTOR,
    name="Nordlys",
    number="C00001",
    payment_term=ACTIVE,
    addresses=(Address(OWN, START, START),),
)


def codes(patch: CustomerPatch, customer: Customer = CUSTOMER) -> list[tuple[str, str]]:
    """Where and what is wrong with a patch."""
    return [(error.dotted(), error.code) for error in reference_errors(customer, patch, CATALOGUE)]


@pytest.mark.parametrize("term", [INACTIVE, DELETED, Named("NET90"), Named(" net90 ")])
def test_what_is_inactive_is_no_new_value(term: UUID | Named) -> None:
    """By its id or by its name, an entry that is out of use is refused."""
    assert codes(CustomerPatch(payment_term=term)) == [("payment_term", "inactive")]


@pytest.mark.parametrize(("own", "name"), [(INACTIVE, "net90"), (DELETED, "NET7"), (ACTIVE, "net45")])
def test_what_the_record_has_may_be_named_again(own: UUID, name: str) -> None:
    """The entry that a customer has stays its own, inactive or deleted, and naming it changes nothing."""
    customer = msgspec.structs.replace(CUSTOMER, payment_term=own)
    for value in (own, Named(name)):
        patch = CustomerPatch(payment_term=value)
        assert codes(patch, customer) == []
        assert apply(customer, patch, CATALOGUE, moment(customer)).changes == ()


def test_the_name_of_a_deleted_entry_is_free() -> None:
    """For a customer that does not have it, the name makes an entry anew."""
    patch = CustomerPatch(payment_term=Named("NET7"))
    assert codes(patch) == []
    applied = apply(CUSTOMER, patch, CATALOGUE, moment(CUSTOMER))
    (made,) = applied.new_entries
    assert (made.name, applied.customer.payment_term) == ("NET7", made.id)
    assert made.id != DELETED


def test_an_inactive_carrier_is_refused_by_name() -> None:
    """As every term that is known by its name."""
    assert codes(CustomerPatch(carrier=Named("dhl"))) == [("carrier", "inactive")]


def test_a_pointer_beyond_the_record_is_strange() -> None:
    """Not what the record keeps, nor what the patch adds, but what it takes away and what is nowhere in it."""
    adding = ListPatch(add=((NEW, AddressPatch()),))
    assert strange_addresses(CUSTOMER, CustomerPatch(bill_to=OWN, ship_to=None)) == frozenset()
    assert strange_addresses(CUSTOMER, CustomerPatch(bill_to=NEW, ship_to=OWN, addresses=adding)) == frozenset()
    assert strange_addresses(CUSTOMER, CustomerPatch(bill_to=STRANGE, ship_to=NEW)) == {STRANGE, NEW}
    for edits in (ListPatch[AddressPatch](remove=frozenset([OWN])), ListPatch[AddressPatch](keep_others=False)):
        assert strange_addresses(CUSTOMER, CustomerPatch(bill_to=OWN, addresses=edits)) == {OWN}


def test_an_adopted_address_comes_as_it_is() -> None:
    """It stands where its time puts it, its pointer is good, and the change holds the whole of it."""
    early = Address(STRANGE, START - timedelta(days=1), START, city="Oslo")
    patch = CustomerPatch(bill_to=STRANGE, addresses=ListPatch[AddressPatch](adopt=(early,)))
    assert codes(patch) == []
    applied = apply(CUSTOMER, patch, CATALOGUE, moment(CUSTOMER))
    assert applied.customer.addresses == (early, *CUSTOMER.addresses)
    assert set(applied.changes) == {
        FieldChange("/bill_to", None, STRANGE),
        FieldChange(f"/addresses/{STRANGE}", None, early),
    }


def test_the_digits_of_a_limit_count() -> None:
    """More zeros are another limit under the same id; the same digits with an exponent are none."""
    customer = msgspec.structs.replace(CUSTOMER, credit_limit=Decimal(1000), credit_limit_id=NEW)
    after = apply(customer, CustomerPatch(credit_limit=Decimal("1000.00")), CATALOGUE, moment(customer))
    assert after.changes == (FieldChange("/credit_limit", Decimal(1000), Decimal("1000.00")),)
    assert str(after.customer.credit_limit) == "1000.00"
    assert after.customer.credit_limit_id == NEW
    assert apply(customer, CustomerPatch(credit_limit=Decimal("1E+3")), CATALOGUE, moment(customer)).changes == ()
