"""A record from a file becomes a list-aware patch, or a customer to make, whoever the record was."""

from typing import Any
from uuid import UUID

import msgspec

from customerhub.dialects.hub import dialect
from customerhub.model.apply import apply, create
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Address, Attribute, Contact, Customer
from tests.support.strategies import ACTOR, START, TEAM, ids, moment

NOBODY = Catalogue(1)
DOCK, HOME, OLA = UUID(int=3), UUID(int=4), UUID(int=6)
BLANK = Customer(TEAM, UUID(int=5), 0, START, START, ACTOR, ACTOR, name="", number="C00001")
NORDLYS = msgspec.structs.replace(
    BLANK,
    version=7,
    name="Nordlys",
    addresses=(Address(DOCK, START, START, city="Narvik"), Address(HOME, START, START, city="Bodø")),
    contacts=(Contact(OLA, START, START, first_name="Ola"),),
    attributes=(Attribute(UUID(int=7), "mode", "merge", ACTOR, ACTOR, START, START),),
    bill_to=HOME,
    primary_contact=OLA,
)


def view(customer: Customer = NORDLYS) -> dict[str, Any]:
    """The customer as it is read."""
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dialect.show(customer, NOBODY)))
    return shown


def put(shown: dict[str, Any], customer: Customer) -> Customer:
    """The customer after a record of a file, which must be accepted."""
    proposal, ignored = dialect.propose(dialect.to_request(shown, customer, NOBODY), customer, NOBODY, ids())
    assert (proposal.errors, ignored) == ((), ())
    return apply(customer, proposal.patch, NOBODY, moment(customer)).customer


def test_an_old_export_changes_what_it_says() -> None:
    """Though the version is another by now, and somebody has added an address: that one stays."""
    shown = view(msgspec.structs.replace(NORDLYS, version=3, addresses=NORDLYS.addresses[:1], bill_to=DOCK))
    shown["addresses"][0]["city"] = "Harstad"
    after = put(shown, NORDLYS)
    assert [(one.id, one.city) for one in after.addresses] == [(DOCK, "Harstad"), (HOME, "Bodø")]
    assert (after.bill_to, after.attributes) == (DOCK, NORDLYS.attributes)


def test_an_export_of_another_hub_is_taken_in() -> None:
    """Ids of entries that are not this customer's are those of new ones, and pointers follow them."""
    plain = msgspec.structs.replace(BLANK, version=1, name="Sørlys")
    proposal, _ = dialect.propose_new(dialect.to_request(view(), None, NOBODY), NOBODY, ids(), ACTOR)
    assert proposal.errors == ()
    for made in (put(view(), plain), create(BLANK, proposal.patch, NOBODY, moment(BLANK, ids())).customer):
        assert (made.name, [one.city for one in made.addresses]) == ("Nordlys", ["Narvik", "Bodø"])
        assert (made.bill_to, made.primary_contact) == (made.addresses[1].id, made.contacts[0].id)
        assert {one.name: one.value for one in made.attributes} == {"mode": "merge"}
        assert {HOME, DOCK}.isdisjoint(one.id for one in made.addresses)
