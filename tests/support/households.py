"""Customers with everything that a merge has to carry over, and what must be true afterwards."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from customerhub.model.customer import Address, Contact, Customer
from customerhub.model.patch import AddressPatch, AttributesPatch, ContactPatch, ListPatch
from tests.support.ledger import Ledger, shown

Entries = ListPatch[AddressPatch] | ListPatch[ContactPatch]
PARENTS = "select id, parent from customer where team = $1 and deleted_at is null and parent is not null"
ORPHANS = """
select c.id from customer c join customer p on p.team = c.team and p.id = c.parent
where c.team = $1 and p.team = $1 and c.deleted_at is null and p.deleted_at is not null
"""


@dataclass
class Household:
    """A target, three sources, and two customers below each of the first two of these."""

    target: Customer
    sources: list[Customer]
    children: list[Customer]


def adding(*entries: Any) -> Any:  # Any: patches of addresses or of contacts, one kind of them
    """New entries of a nested list."""
    return ListPatch(add=tuple((uuid4(), entry) for entry in entries))


def full(mark: str) -> dict[str, Any]:  # Any: members of CustomerPatch
    """Everything that a customer can bring along, marked; and one address and one contact that all of them have."""
    common = AddressPatch(city="Oslo", attributes=AttributesPatch(put={"Dock": "3"}))
    return {
        "name": f"Company {mark}",
        "addresses": adding(common, AddressPatch(city=f"Bergen {mark}", type="billing", reference_id=f"A-{mark}")),
        "contacts": adding(ContactPatch(first_name="Ingrid"), ContactPatch(first_name="Lars", last_name=mark)),
        "attributes": AttributesPatch(put={"Region": mark, f"Only {mark}": "x"}),
        "email": f"{mark}@nordlys.example",
        "phone": f"phone {mark}",
        "reference_id": f"ERP-{mark}",
        "tax_number": f"tax {mark}",
        "credit_limit": Decimal("10.50"),
        "display_name": f"Display {mark}",
        "payment_mode": mark,
    }


async def make_household(ledger: Ledger, **target: Any) -> Household:  # Any: members of CustomerPatch
    """The target has these fields and else nothing but a name and an address; every customer has a history."""
    own = await ledger.add(**{"name": "Target", "addresses": adding(AddressPatch(city="Tromsø")), **target})
    sources = [await ledger.add(**full(mark)) for mark in ("one", "two", "three")]
    children = [await ledger.add(parent=source.id) for source in sources[:2] for _ in range(2)]
    sources = [shown(await ledger.update(source, note=f"note {source.name}")) for source in sources]
    return Household(own, sources, children)


def cities(customer: Customer) -> list[str]:
    """Where its addresses are, in alphabetical order."""
    return sorted(address.city or "" for address in customer.addresses)


def all_entries(customers: list[Customer]) -> set[Address | Contact]:
    """Every address and contact of these."""
    addresses = {address for customer in customers for address in customer.addresses}
    return addresses | {contact for customer in customers for contact in customer.contacts}


async def check_tree(ledger: Ledger) -> None:
    """Assert that nobody stands below a deleted customer, and that each line up ends."""
    assert await ledger.fetch(ORPHANS) == []
    parent_of: dict[UUID, UUID] = dict(await ledger.fetch(PARENTS))
    for start in parent_of:
        line = [start]
        while line[-1] in parent_of:
            assert parent_of[line[-1]] not in line
            line.append(parent_of[line[-1]])
