"""A view from a file becomes a request of this API: what requests cannot carry is left out."""

from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from customerhub.dialects.augno import dialect
from customerhub.dialects.augno.ids import to_id
from customerhub.model.catalogue import Catalogue, CatalogueEntry, UnitDetails
from customerhub.model.customer import Customer
from tests.support.strategies import ACTOR, START, TEAM

DOLLAR, CROWN, LIMIT = UUID(int=1), UUID(int=2), UUID(int=3)


def unit(unit_id: UUID, name: str, abbreviation: str) -> CatalogueEntry:
    """A currency."""
    return CatalogueEntry(unit_id, "unit", name, START, START, ACTOR, ACTOR, UnitDetails("currency", abbreviation))


CATALOGUE = Catalogue(1, (unit(DOLLAR, "US dollar", "$"), unit(CROWN, "Crown", "NOK")))
NORDLYS = Customer(
    *(TEAM, UUID(int=5), 1, START, START, ACTOR, ACTOR),
    name="Nordlys",
    number="C00001",
    email="a@n.test",
    credit_limit=Decimal("1234.50"),
    credit_limit_unit=CROWN,
    credit_limit_id=LIMIT,
)


def view() -> dict[str, Any]:
    """The customer as it is read, with all parts."""
    shown: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dialect.show(NORDLYS, CATALOGUE)))
    return shown


def test_parts_are_flat_in_requests() -> None:
    """Each member by its name there; a part that is null may not have been asked for."""
    body = dialect.to_request(view(), NORDLYS, CATALOGUE)
    assert (body["name"], body["email"], body["phone"], body["status"]) == ("Nordlys", "a@n.test", None, "normal")
    assert body["credit_limit"] == {"value": "1234.50", "unit_id": to_id("un", CROWN)}
    assert {"bill_to_address_id", "default_carrier_id", "accepts_invoice_emails"}.isdisjoint(body)
    shallow = {**view(), "contact_info": None, "credit_limit": None}
    assert {"email", "phone", "url", "credit_limit"}.isdisjoint(dialect.to_request(shallow, NORDLYS, CATALOGUE))


def test_the_currency_is_the_one_that_people_read() -> None:
    """Where the customer has no limit yet; one that says nothing is refused."""
    for customer in (None, msgspec.structs.replace(NORDLYS, credit_limit=None)):
        for display, found in (("$1,234.50", to_id("un", DOLLAR)), ("-1,000.00 NOK", to_id("un", CROWN)), ("5", "")):
            limit = {"value": "5", "display_value": display}
            body = dialect.to_request({"credit_limit": limit}, customer, CATALOGUE)
            assert body == {"credit_limit": {"value": "5", "unit_id": found}}


def test_a_creation_has_no_nulls_and_no_addresses() -> None:
    """Addresses of others cannot be named, and where they are no view tells."""
    body = dialect.to_request({**view(), "bill_to_address": {"id": to_id("ad", LIMIT)}}, None, CATALOGUE)
    assert None not in body.values()
    assert "bill_to_address_id" not in body
