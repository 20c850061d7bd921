"""Rows of a file become bodies of the canonical form, and every value remembers its column."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from customerhub.dialects.base import find_canonical, find_dialects
from customerhub.model.apply import Applied, apply, create
from customerhub.model.catalogue import (
    CarrierDetails,
    Catalogue,
    CatalogueEntry,
    Details,
    Kind,
    NoDetails,
    PriceListDetails,
    ServiceLevelDetails,
    UnitDetails,
    User,
)
from customerhub.model.customer import Address, Attribute, Contact, Customer
from customerhub.model.error import FieldError
from customerhub.model.mapping import Empty, RowReader, Told
from customerhub.model.references import reference_errors
from customerhub.model.targets import Targets, find_target, target_errors, targets
from tests.support.strategies import ACTOR, START, TEAM, ids, moment

CANONICAL = find_canonical(find_dialects())
DOCK, HOME = UUID(int=0xD0C), UUID(int=0xE0E)
OLA = UUID(int=0x01A)


def entry(number: int, kind: Kind, name: str, details: Details | None = None) -> CatalogueEntry:
    """An entry of the catalogue."""
    return CatalogueEntry(UUID(int=number), kind, name, START, START, ACTOR, ACTOR, details or NoDetails())


def user(number: int, email: str, first: str) -> User:
    """A member of the team."""
    return User(UUID(int=number), email, first, "Berg", START, START, ACTOR, ACTOR)


USD = UnitDetails("currency", "$")
CATALOGUE = Catalogue(
    1,
    (
        entry(0x11, "payment_term", "NET30"),
        entry(0x21, "carrier", "Post", CarrierDetails()),
        entry(0x22, "carrier", "Bring", CarrierDetails()),
        entry(0x31, "service_level", "Express", ServiceLevelDetails(UUID(int=0x21), "exp")),
        entry(0x32, "service_level", "Express", ServiceLevelDetails(UUID(int=0x22), "exp")),
        entry(0x41, "unit", "US dollar", USD),
        entry(0x51, "price_list", "Retail", PriceListDetails()),
        entry(0x52, "price_list", "Retail", PriceListDetails()),
        entry(0x53, "price_list", "Trade", PriceListDetails()),
    ),
    (user(0x61, "ingrid@berg.test", "Ingrid"), user(0x62, "kari@berg.test", "Kari")),
)
BLANK = Customer(TEAM, UUID(int=5), 0, START, START, ACTOR, ACTOR, name="", number="C00001")
NORDLYS = msgspec.structs.replace(
    BLANK,
    version=1,
    name="Nordlys",
    phone=" 22 33 ",
    addresses=(
        Address(DOCK, START, START, reference_id="D1", type="billing", line1="Dock 3", city="Narvik"),
        Address(HOME, START, START, type="shipping", city="Bodø"),
    ),
    contacts=(Contact(OLA, START, START, first_name="Ola"),),
    attributes=(Attribute(UUID(int=7), "Region", "North", ACTOR, ACTOR, START, START),),
    bill_to=DOCK,
    ship_to=HOME,
)


def told(
    mapping: Targets, cells: dict[str, object], customer: Customer | None = NORDLYS, empty: Empty = "leave"
) -> Told:
    """What one row tells; the mapping must be sound."""
    assert target_errors(mapping, mapping) == ()
    return RowReader(mapping, empty=empty).to_body(cells, CATALOGUE, customer)


def errors_of(one: Told, customer: Customer | None = NORDLYS) -> list[tuple[Any, ...]]:
    """What is wrong with a row, by columns."""
    return [(*error.path, error.code) for error in one.to_columns(proposal_errors(one, customer))]


def proposal_errors(one: Told, customer: Customer | None) -> tuple[FieldError, ...]:
    """What the canonical form finds wrong with a row's body."""
    assert CANONICAL is not None
    if customer is None:
        proposal, _ = CANONICAL.propose_new(one.body, CATALOGUE, ids(), ACTOR)
    else:
        proposal, _ = CANONICAL.propose(one.body, customer, CATALOGUE, ids())
    return proposal.to_wire(reference_errors(customer or BLANK, proposal.patch, CATALOGUE))


def put(one: Told, customer: Customer | None = NORDLYS) -> Applied:
    """What a row makes of a customer; it must be accepted."""
    assert CANONICAL is not None
    assert errors_of(one, customer) == []
    mint = ids()
    if customer is None:
        proposal, _ = CANONICAL.propose_new(one.body, CATALOGUE, mint, ACTOR)
        return create(BLANK, proposal.patch, CATALOGUE, moment(BLANK, mint))
    proposal, _ = CANONICAL.propose(one.body, customer, CATALOGUE, mint)
    return apply(customer, proposal.patch, CATALOGUE, moment(customer, mint))


def changes(one: Told, customer: Customer = NORDLYS) -> dict[str, object]:
    """What a row changes, by places in the record."""
    return {change.path: change.new for change in put(one, customer).changes}


def test_texts_go_where_they_are_led() -> None:
    """Trimmed; a column that is led nowhere is not looked at, and no column need be there."""
    mapping: Targets = {"Company": "name", "Foo": None, "E-mail": "email", "Gone": "note"}
    one = told(mapping, {"Company": " Sørlys ", "Foo": "x", "E-mail": "a@b.test"}, None)
    assert one == Told({"name": "Sørlys", "email": "a@b.test"}, {("name",): "Company", ("email",): "E-mail"})
    made = put(one, None).customer
    assert (made.name, made.email, made.number) == ("Sørlys", "a@b.test", "C00001")


def test_a_text_that_stands_as_it_is_stays() -> None:
    """Spaces around it are another person's, and no change."""
    assert changes(told({"Tel": "phone"}, {"Tel": " 22 33 "})) == {}
    assert changes(told({"Tel": "phone"}, {"Tel": " 22 44 "})) == {"/phone": "22 44"}


def test_words_are_read_as_people_write_them() -> None:
    """Choices in any case, with spaces; yes and no; amounts with their currency and thousands."""
    mapping: Targets = {"S": "standing", "T": "tax_excluded", "V": "credit_limit.value", "U": "credit_limit.unit"}
    one = told(mapping, {"S": "Hold Shipment", "T": "YES", "V": "$1,234.50", "U": "us dollar"})
    limit = {"value": "1234.50", "unit": str(UUID(int=0x41))}
    assert one.body == {"standing": "hold_shipment", "tax_excluded": True, "credit_limit": limit}
    assert put(one).customer.standing == "hold_shipment"


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1.234,50", "1234.50"), ("1234,5", "1234.5"), ("1,234", "1234"), ("25 000.00 kr", "25000.00"), ("007", "007")],
)
def test_amounts_of_several_countries(text: str, amount: str) -> None:
    """A point or a comma between whole and fraction, and the other between thousands."""
    assert told({"V": "credit_limit.value"}, {"V": text}, None).body == {"credit_limit": {"value": amount}}


def test_a_long_text_is_no_amount() -> None:
    """It is left as it is: to look in it for one would take the square of its length, which is hours."""
    text = "1" + "a" * 1_000_000 + "1"
    assert told({"V": "credit_limit.value"}, {"V": text}, None).body == {"credit_limit": {"value": text}}


def test_what_is_wrong_is_told_by_column() -> None:
    """Every wrong cell of a row, in the words of the canonical form or of the mapping."""
    mapping: Targets = {
        "Company": "name",
        "Mail": "email",
        "Limit": "credit_limit.value",
        "Reps": "sales_reps",
        "S": "status",
        "EDI": "is_edi_enabled",
        "List": "price_list",
        "Lists": "addresses",
        "City": "contacts",
        "Up": "parent",
    }
    cells: dict[str, object] = {
        "Company": "x" * 300,
        "Mail": "no",
        "Limit": "much",
        "Reps": "kari@berg.test;nobody@x.test",
        "S": "gone",
        "EDI": "perhaps",
        "List": "Retail",
        "Lists": "[1",
        "City": "5",
        "Up": "Nordlys",
    }
    assert sorted(errors_of(told(mapping, cells))) == [
        ("City", "type"),
        ("Company", "too_long"),
        ("EDI", "type"),
        ("Limit", "decimal"),
        ("List", "ambiguous"),
        ("Lists", "json"),
        ("Mail", "email"),
        ("Reps", "unknown_name"),
        ("S", "enum"),
        ("Up", "uuid"),
    ]


def test_names_stand_for_ids() -> None:
    """Terms by name are found or made; reps by email address or name; service levels of the row's own carrier."""
    mapping: Targets = {
        "Level": "service_level",
        "Via": "carrier",
        "Terms": "payment_term",
        "Reps": "sales_reps",
        "Main": "default_sales_rep",
        "List": "price_list",
    }
    cells = {"Level": "EXPRESS", "Via": "bring", "Terms": "NET45", "Reps": "kari@berg.test; ingrid berg"}
    customer = put(told(mapping, {**cells, "Main": "Kari@Berg.test", "List": "trade"})).customer
    assert (customer.carrier, customer.service_level) == (UUID(int=0x22), UUID(int=0x32))
    assert (customer.sales_reps, customer.default_sales_rep) == ((UUID(int=0x62), UUID(int=0x61)), UUID(int=0x62))
    assert customer.price_list == UUID(int=0x53)
    assert told({"L": "price_list"}, {"L": str(UUID(int=9))}).body == {"price_list": str(UUID(int=9))}


def test_an_empty_cell_leaves_or_clears() -> None:
    """It leaves a value as it is; where that is asked for it clears, but for what a customer cannot be without."""
    mapping: Targets = {
        "Company": "name",
        "Tel": "phone",
        "Reps": "sales_reps",
        "City": "bill_to.city",
        "S": "status",
        "R": "attributes.Region",
        "Dock": "attributes.Dock",
        "EDI": "is_edi_enabled",
        "All": "contacts",
    }
    empty: dict[str, object] = dict.fromkeys(mapping, " ")
    customer = msgspec.structs.replace(NORDLYS, sales_reps=(UUID(int=0x61),), default_sales_rep=UUID(int=0x61))
    assert changes(told(mapping, empty, customer), customer) == {}
    cleared = put(told(mapping, empty, customer, "clear"), customer).customer
    assert (cleared.name, cleared.phone, cleared.sales_reps, cleared.attributes) == ("Nordlys", None, (), ())
    assert [address.city for address in cleared.addresses] == [None, "Bodø"]
    assert cleared.contacts == customer.contacts


def test_a_null_of_json_is_a_null() -> None:
    """JSON Lines tell null and nothing apart, and numbers and booleans from texts."""
    mapping: Targets = {"tel": "phone", "no": "number", "edi": "is_edi_enabled", "zip": "bill_to.postal_code"}
    one = told(mapping, {"tel": None, "no": 42, "edi": True, "zip": 1234.0})
    assert changes(one) == {
        "/number": "42",
        "/phone": None,
        "/is_edi_enabled": True,
        f"/addresses/{DOCK}/postal_code": "1234",
    }


def test_an_address_changes_in_place() -> None:
    """What the pointer names, by its id; the other address and what is not named stay."""
    mapping: Targets = {"City": "bill_to.city", "Zip": "ship_to.postal_code", "Who": "addresses[0].attributes.Door"}
    one = told(mapping, {"City": "Harstad", "Zip": "8001", "Who": ""})
    items = [{"id": str(DOCK), "city": "Harstad"}, {"id": str(HOME), "postal_code": "8001"}]
    assert one.body == {"addresses": {"mode": "merge", "items": items}}
    assert changes(one) == {f"/addresses/{DOCK}/city": "Harstad", f"/addresses/{HOME}/postal_code": "8001"}


def test_an_address_that_is_missing_is_made() -> None:
    """With its type, and its pointer on it; an address of empty cells is none. Twice is once."""
    mapping: Targets = {"City": "bill_to.city", "Ship": "ship_to.city", "First": "primary_contact.first_name"}
    cells: dict[str, object] = {"City": "Narvik", "Ship": "", "First": "Ola"}
    for customer in (None, msgspec.structs.replace(BLANK, version=1, name="x")):
        one = told({**mapping, "N": "name"}, {**cells, "N": "x"}, customer)
        made = put(one, customer).customer
        (address,), (contact,) = made.addresses, made.contacts
        assert (address.city, address.type, made.bill_to, made.ship_to) == ("Narvik", "billing", address.id, None)
        assert (contact.first_name, made.primary_contact) == ("Ola", contact.id)
        assert changes(told(mapping, cells, made), made) == {}


def test_one_address_of_both_pointers_parts_where_the_row_says_so() -> None:
    """Columns that agree change the one; columns that do not give goods an address of their own."""
    both = msgspec.structs.replace(NORDLYS, ship_to=DOCK)
    mapping: Targets = {"Bill": "bill_to.city", "Ship": "ship_to.city"}
    assert changes(told(mapping, {"Bill": "Oslo", "Ship": "Oslo"}, both), both) == {f"/addresses/{DOCK}/city": "Oslo"}
    parted = put(told(mapping, {"Bill": "Oslo", "Ship": "Narvik"}, both), both).customer
    bill, ship = parted.find_address(parted.bill_to), parted.find_address(parted.ship_to)
    assert bill is not None
    assert ship is not None
    assert (bill.id, bill.city, bill.reference_id) == (DOCK, "Oslo", "D1")
    assert (ship.city, ship.line1, ship.type, ship.reference_id) == ("Narvik", "Dock 3", "shipping", None)
    assert changes(told(mapping, {"Bill": "Oslo", "Ship": "Narvik"}, parted), parted) == {}


def test_entries_by_their_places() -> None:
    """By id, by reference, else by the place; what is not there yet is added behind."""
    mapping: Targets = {
        "R": "addresses[0].reference_id",
        "C": "addresses[0].city",
        "I": "addresses[1].id",
        "D": "addresses[1].city",
        "E": "addresses[2].city",
        "F": "contacts[0].designation",
    }
    cells: dict[str, object] = {"R": "D1", "C": "Oslo", "I": str(HOME), "D": "Bergen", "E": "Moss", "F": "Buyer"}
    customer = put(told(mapping, cells)).customer
    assert [address.city for address in customer.addresses] == ["Oslo", "Bergen", "Moss"]
    assert [contact.designation for contact in customer.contacts] == ["Buyer"]
    twice = told({"A": "addresses[0].city", "B": "bill_to.city"}, {"A": "Oslo", "B": "Moss"})
    assert errors_of(twice) == [("A", "contradiction")]


def test_whole_lists_are_json() -> None:
    """They change and add, and take nothing away; ids of somebody else's are those of new entries."""
    listed = [
        {"id": str(DOCK), "city": "Oslo", "created_at": "2020-01-01T00:00:00Z"},
        {"id": str(ACTOR), "city": "Moss"},
    ]
    mapping: Targets = {"A": "addresses", "S": "ship_to", "V": "attributes"}
    cells = {"A": msgspec.json.encode(listed).decode(), "S": str(ACTOR), "V": '{"mode":"merge"}'}
    for form in (cells, {**cells, "A": listed, "V": {"mode": "merge"}}):
        customer = put(told(mapping, dict(form))).customer
        assert [address.city for address in customer.addresses] == ["Oslo", "Bodø", "Moss"]
        assert customer.ship_to == customer.addresses[2].id
        assert {one.name: one.value for one in customer.attributes} == {"Region": "North", "mode": "merge"}
    made = put(told({**mapping, "N": "name"}, {**cells, "N": "x"}, None), None).customer
    assert [address.city for address in made.addresses] == ["Oslo", "Moss"]
    assert made.ship_to == made.addresses[1].id


def test_custom_values_are_texts() -> None:
    """By their exact names, whatever these are; numbers and booleans of JSON as people write them."""
    mapping: Targets = {"R": "attributes.Region", "M": "attributes.mode", "N": "attributes.No.1", "B": "attributes.Ok"}
    one = told(mapping, {"R": "South", "M": "remove", "N": 1.5, "B": True})
    customer = put(one).customer
    values = {attribute.name: attribute.value for attribute in customer.attributes}
    assert values == {"Region": "South", "mode": "remove", "No.1": "1.5", "Ok": "true"}


def test_a_row_says_whom_it_is_about() -> None:
    """By any of the columns that a customer is found by; trimmed, None where there is nothing."""
    reader = RowReader({"Key": "id", "Mail": "email", "No": "number"})
    cells: dict[str, object] = {"Key": f" {ACTOR} ", "Mail": "", "No": 7}
    assert [reader.find_key(cells, name) for name in ("id", "email", "number", "reference_id")] == [
        str(ACTOR),
        None,
        "7",
        None,
    ]
    assert reader.to_body(cells, CATALOGUE, NORDLYS).body == {"number": "7"}


def test_a_mapping_is_checked() -> None:
    """Targets that are none, columns that the file lacks, two columns for one place, a place and a part of it."""
    wrong: Targets = {
        "a": "bill_to",
        "b": "bill_to.city",
        "c": "addresses",
        "d": "name",
        "e": "name",
        "f": "nope",
        "g": "attributes.X",
        "h": "attributes",
        "i": "version",
        "j": "bill_to.id",
        "k": "addresses[100].city",
    }
    assert [(*error.path, error.code) for error in target_errors(wrong, [*wrong][1:])] == [
        ("a", "no_column"),
        ("c", "taken"),
        ("e", "taken"),
        ("f", "no_target"),
        ("h", "taken"),
        ("i", "no_target"),
        ("j", "no_target"),
        ("k", "no_target"),
    ]
    assert target_errors({"a": "bill_to.city", "b": "addresses[1].city", "c": "id", "d": None}) == ()


def test_every_member_that_can_be_set_is_a_target() -> None:
    """What a patch of the record has, a column can be led to."""
    assert CANONICAL is not None
    named = {name.partition(".")[0] for name in targets()}
    shown = set(CANONICAL.show(NORDLYS, CATALOGUE))
    read_only = {"version", "created_at", "updated_at", "created_by", "updated_by", "deleted_at", "merged_into"}
    assert shown - read_only == named
    assert all(name == "id" or find_target(name) is not None for name in targets())
