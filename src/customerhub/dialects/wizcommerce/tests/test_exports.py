"""A view from a file becomes a request of this API: what requests cannot carry is left out."""

from typing import Any
from uuid import UUID

import msgspec

from customerhub.dialects.wizcommerce import dialect
from customerhub.model.apply import create
from customerhub.model.catalogue import Catalogue, CatalogueEntry, PriceListDetails, TeamSettings, User
from customerhub.model.customer import Address, Attribute, Contact, Customer
from tests.support.strategies import ACTOR, START, TEAM, ids, moment

REP, LIST, DOCK, OLA = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
CATALOGUE = Catalogue(
    1,
    (CatalogueEntry(LIST, "price_list", "Retail", START, START, ACTOR, ACTOR, PriceListDetails()),),
    (User(REP, "ingrid@berg.test", "Ingrid", "Berg", START, START, ACTOR, ACTOR),),
)
BLANK = Customer(TEAM, UUID(int=5), 0, START, START, ACTOR, ACTOR, name="", number="C00001")
NORDLYS = msgspec.structs.replace(
    BLANK,
    version=1,
    name="Nordlys",
    reference_id="N-1",
    sales_reps=(REP,),
    default_sales_rep=REP,
    price_list=LIST,
    addresses=(Address(DOCK, START, START, reference_id="D", type="billing", line1="Dock 3", city="Narvik"),),
    contacts=(Contact(OLA, START, START, reference_id="O", first_name="Ola", email="ola@n.test"),),
    attributes=(Attribute(UUID(int=7), "Region", "", ACTOR, ACTOR, START, START),),
    bill_to=DOCK,
    primary_contact=OLA,
)


def view() -> dict[str, Any]:
    """The customer as it is read."""
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dialect.show(NORDLYS, CATALOGUE)))
    return shown


def test_a_view_is_an_update() -> None:
    """Shown members by the names of requests, ids for records, members of defaults for marks."""
    body: dict[str, Any] = dialect.to_request(view(), NORDLYS, CATALOGUE)
    assert {name: body[name] for name in body if name.endswith(("_id", "_ids")) or name == "company_name"} == {
        "company_name": "Nordlys",
        "reference_id": "N-1",
        "display_id": "C00001",
        "assigned_sales_rep_ids": [str(REP)],
        "assigned_price_list_id": str(LIST),
        "default_billing_address_id": str(DOCK),
        "primary_contact_id": str(OLA),
    }
    assert body["attributes"] == [{"name": "Region", "value": ""}]
    assert "status" not in body
    assert "created_at" not in body["addresses"][0]


def test_no_rep_and_no_price_list_have_no_request() -> None:
    """They are left out, and so is everything that the file does not tell."""
    assert dialect.to_request({"assigned_sales_reps": [], "status": "active"}, NORDLYS, CATALOGUE) == {}
    assert dialect.to_request({"assigned_price_list": {"id": ""}, "phone": ""}, NORDLYS, CATALOGUE) == {"phone": ""}


def test_a_view_makes_a_customer() -> None:
    """Without ids and empty texts; the customer that is made reads as the file has it."""
    body = dialect.to_request(view(), None, CATALOGUE)
    proposal, ignored = dialect.propose_new(body, CATALOGUE, ids(), ACTOR)
    assert (proposal.errors, ignored) == ((), ())
    mint = ids()
    made = create(BLANK, proposal.patch, CATALOGUE, moment(BLANK, mint)).customer
    assert (made.name, made.number, made.sales_reps, made.price_list) == ("Nordlys", "C00001", (REP,), LIST)
    (address,), (contact,), (attribute,) = made.addresses, made.contacts, made.attributes
    assert (address.id, address.line1, made.bill_to) == (made.bill_to, "Dock 3", address.id)
    assert address.id != DOCK
    assert (contact.first_name, made.primary_contact) == ("Ola", contact.id)
    assert (attribute.name, attribute.value) == ("Region", "")


def test_a_creation_demands_what_it_demands_of_everybody() -> None:
    """In its own words; a team may do without."""
    body = dialect.to_request({"name": "Sørlys", "reference_id": "S-1"}, None, CATALOGUE)
    proposal, _ = dialect.propose_new(body, CATALOGUE, ids(), ACTOR)
    assert [error.path for error in proposal.errors] == [("assigned_sales_rep_ids",), ("assigned_price_list_id",)]
    lenient = Catalogue(1, settings=TeamSettings(relaxed_create=True))
    assert dialect.propose_new(body, lenient, ids(), ACTOR)[0].errors == ()
