"""What a change brings along, the same for every door."""

from uuid import UUID

import msgspec
import pytest

from customerhub.model.apply import apply
from customerhub.model.catalogue import CarrierDetails, Catalogue, ServiceLevelDetails
from customerhub.model.customer import Address, Contact, Customer
from customerhub.model.patch import AddressPatch, ContactPatch, CustomerPatch, ListPatch, Named
from tests.support.strategies import ACTOR, START, TEAM, entry, moment

FIRST, SECOND, THIRD, NEW = (UUID(int=number) for number in range(11, 15))
REPS = tuple(UUID(int=number) for number in range(21, 24))
CARRIER, LEVEL, OTHER_CARRIER = (UUID(int=number) for number in range(31, 34))
CATALOGUE = Catalogue(
    1,
    [
        entry("carrier", CARRIER.int, "DHL", CarrierDetails()),
        entry("service_level", LEVEL.int, "Express", ServiceLevelDetails(carrier=CARRIER, token="express")),
        entry("carrier", OTHER_CARRIER.int, "Post", CarrierDetails()),
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
    carrier=CARRIER,
    service_level=LEVEL,
    sales_reps=REPS[:2],
    default_sales_rep=REPS[0],
    addresses=(
        Address(FIRST, START, START, type="billing"),
        Address(SECOND, START, START, type="shipping"),
        Address(THIRD, START, START, type="billing"),
    ),
    contacts=(Contact(FIRST, START, START), Contact(SECOND, START, START)),
    bill_to=FIRST,
    ship_to=SECOND,
    primary_contact=FIRST,
)


def applied(patch: CustomerPatch, customer: Customer = CUSTOMER) -> Customer:
    """The record after a patch."""
    return apply(customer, patch, CATALOGUE, moment(customer)).customer


def test_a_removed_default_is_succeeded_by_the_next_of_its_kind() -> None:
    """The first address of the pointer's type that is left, the first contact that is left; none where none is."""
    without_first = applied(CustomerPatch(addresses=ListPatch(remove=frozenset([FIRST]))))
    assert (without_first.bill_to, without_first.ship_to) == (THIRD, SECOND)
    alone = applied(CustomerPatch(addresses=ListPatch(remove=frozenset([THIRD]))), without_first)
    assert (alone.bill_to, alone.ship_to) == (None, SECOND)
    contacts = applied(CustomerPatch(contacts=ListPatch(remove=frozenset([FIRST]))))
    assert contacts.primary_contact == SECOND
    nobody = applied(CustomerPatch(contacts=ListPatch(keep_others=False)))
    assert (nobody.contacts, nobody.primary_contact) == ((), None)


def test_a_removed_address_that_is_no_default_moves_no_pointer() -> None:
    """Pointers stay where the entry that they name stays."""
    after = applied(CustomerPatch(addresses=ListPatch(remove=frozenset([THIRD]))))
    assert (after.bill_to, after.ship_to) == (FIRST, SECOND)


def test_an_address_that_changes_its_type_loses_the_pointer_of_the_old_one() -> None:
    """It does so unless the same patch says where the pointer goes; an address without a type keeps what names it."""
    edit = ListPatch(change={FIRST: AddressPatch(type="shipping")})
    assert applied(CustomerPatch(addresses=edit)).bill_to is None
    assert applied(CustomerPatch(addresses=edit, bill_to=FIRST)).bill_to == FIRST
    assert applied(CustomerPatch(addresses=edit, bill_to=THIRD)).bill_to == THIRD
    plain = msgspec.structs.replace(CUSTOMER, addresses=(Address(FIRST, START, START), *CUSTOMER.addresses[1:]))
    assert applied(CustomerPatch(addresses=edit), plain).bill_to == FIRST


def test_a_default_rep_is_always_one_of_the_reps() -> None:
    """A list without it makes its first the default; one outside the list joins it; a cleared one stays cleared."""
    replaced = applied(CustomerPatch(sales_reps=(REPS[2], REPS[1], REPS[2])))
    assert (replaced.sales_reps, replaced.default_sales_rep) == ((REPS[2], REPS[1]), REPS[2])
    kept = applied(CustomerPatch(sales_reps=(REPS[1], REPS[0])))
    assert kept.default_sales_rep == REPS[0]
    joined = applied(CustomerPatch(default_sales_rep=REPS[2]))
    assert (joined.sales_reps, joined.default_sales_rep) == (REPS, REPS[2])
    cleared = applied(CustomerPatch(default_sales_rep=None))
    assert applied(CustomerPatch(sales_reps=REPS), cleared).default_sales_rep is None
    assert applied(CustomerPatch(sales_reps=())).default_sales_rep is None


@pytest.mark.parametrize("carrier", [OTHER_CARRIER, None, Named("Brand new"), Named("pOST")])
def test_another_carrier_drops_the_service_level(carrier: UUID | Named | None) -> None:
    """A level belongs to its carrier; the same carrier, by id or by name, keeps it."""
    assert applied(CustomerPatch(carrier=carrier)).service_level is None
    assert applied(CustomerPatch(carrier=Named("dhl"))) is CUSTOMER


def test_new_entries_stand_last_in_order_of_id() -> None:
    """Entries of one moment stand by id, after all that were there before."""
    added = ((NEW, ContactPatch(first_name="B")), (UUID(int=5), ContactPatch(first_name="A")))
    after = applied(CustomerPatch(contacts=ListPatch(add=added)))
    assert [contact.id for contact in after.contacts] == [FIRST, SECOND, UUID(int=5), NEW]
    assert {contact.created_at for contact in after.contacts[2:]} == {after.updated_at}
