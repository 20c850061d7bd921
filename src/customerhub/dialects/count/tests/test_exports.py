"""A view from a file becomes a request of this API: what requests cannot carry is left out."""

from typing import Any
from uuid import UUID

import msgspec

from customerhub.dialects.count import dialect
from customerhub.model.apply import apply, create
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Address, Contact, Customer
from customerhub.web.shape import read_cells
from tests.support.strategies import ACTOR, START, TEAM, ids, moment

NOBODY = Catalogue(1)
DOCK, OLA = UUID(int=3), UUID(int=4)
BLANK = Customer(TEAM, UUID(int=5), 0, START, START, ACTOR, ACTOR, name="", number="C00001")
NORDLYS = msgspec.structs.replace(
    BLANK,
    version=1,
    name="Nordlys",
    email="a@n.test",
    addresses=(Address(DOCK, START, START, type="billing", line1="Dock 3", city="Narvik", postal_code="8500"),),
    contacts=(Contact(OLA, START, START, first_name="Ola"),),
    bill_to=DOCK,
    primary_contact=OLA,
)


def test_an_update_leaves_marks_and_contacts_out() -> None:
    """All other members are those of requests."""
    shown: dict[str, Any] = dict(dialect.show(NORDLYS, NOBODY))
    body = dialect.to_request(shown, NORDLYS, NOBODY)
    assert shown.keys() - body.keys() == {"uuid", "id", "contacts", "createdAt", "updatedAt"}
    assert dialect.to_request({"notes": None, "uuid": "x"}, NORDLYS, NOBODY) == {"notes": None}


def test_one_cell_of_an_address_changes_that_address() -> None:
    """A request has an address whole: what the cells leave empty is what is shown."""
    told = read_cells(dialect, {"billingAddress.city": "Harstad", "billingAddress.zipCode": ""}, NORDLYS, NOBODY)
    proposal, _ = dialect.propose(told.body, NORDLYS, NOBODY, ids())
    changes = apply(NORDLYS, proposal.patch, NOBODY, moment(NORDLYS)).changes
    assert [(change.path, change.new) for change in changes] == [(f"/addresses/{DOCK}/city", "Harstad")]


def test_empty_cells_may_clear() -> None:
    """Where that is asked for: the pointer, and every text; the address itself stays."""
    cells = dict.fromkeys(dialect.shape.columns, "")
    row = {**cells, "customer": "Nordlys", "email": "a@n.test", "status": "active"}
    proposal, _ = dialect.propose(read_cells(dialect, row, NORDLYS, NOBODY).body, NORDLYS, NOBODY, ids())
    assert apply(NORDLYS, proposal.patch, NOBODY, moment(NORDLYS)).changes == ()
    told = read_cells(dialect, row, NORDLYS, NOBODY, empty="clear")
    proposal, _ = dialect.propose(told.body, NORDLYS, NOBODY, ids())
    changes = apply(NORDLYS, proposal.patch, NOBODY, moment(NORDLYS)).changes
    assert [(change.path, change.new) for change in changes] == [("/bill_to", None)]


def test_a_view_makes_a_customer_with_its_contacts() -> None:
    """Without ids and nulls."""
    body = dialect.to_request(dict(dialect.show(NORDLYS, NOBODY)), None, NOBODY)
    proposal, ignored = dialect.propose_new(body, NOBODY, ids(), ACTOR)
    assert (proposal.errors, ignored) == ((), ())
    made = create(BLANK, proposal.patch, NOBODY, moment(BLANK, ids())).customer
    (address,), (contact,) = made.addresses, made.contacts
    assert (made.name, made.email, address.line1, address.postal_code) == ("Nordlys", "a@n.test", "Dock 3", "8500")
    assert (made.bill_to, contact.first_name, made.primary_contact) == (address.id, "Ola", contact.id)
    assert OLA not in (contact.id, address.id)
