"""The canonical form: every field of the record is in it, and it goes back as it came."""

import typing
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from customerhub.dialects.hub import canonical, models, wire
from customerhub.dialects.hub.canonical import LIMIT_FIELDS, MEMBERS, READ_ONLY, to_body, to_changes, to_time
from customerhub.dialects.hub.entries import MEMBERS_OF_ENTRIES
from customerhub.model.change import FieldChange
from customerhub.model.customer import CUSTOMER_FIELDS, Address, Attribute, Contact, Customer
from customerhub.model.patch import AddressPatch, ContactPatch, CustomerPatch
from tests.support.hub import Json
from tests.support.strategies import ACTOR, START, TEAM

ID, OTHER = UUID(int=1), UUID(int=2)
ATTRIBUTE = Attribute(ID, "Route/7~", "North", ACTOR, ACTOR, START, START)
ADDRESS = Address(ID, START, START, reference_id="HQ", city="Oslo", attributes=(ATTRIBUTE,))
CONTACT = Contact(OTHER, START, START, first_name="Ingrid")
CUSTOMER = Customer(
    TEAM,
    ID,
    7,
    START,
    START + timedelta(microseconds=250),
    ACTOR,
    OTHER,
    "Kestrel",
    "C00007",
    credit_limit=Decimal("25000.00"),
    credit_limit_unit=OTHER,
    credit_limit_id=ID,
    sales_reps=(OTHER, ID),
    addresses=(ADDRESS,),
    contacts=(CONTACT,),
    attributes=(ATTRIBUTE,),
    bill_to=ID,
)


def test_every_field_is_a_member() -> None:
    """But for the team, which is the caller's, and a limit's unit and id, which are in the limit or nowhere."""
    assert set(MEMBERS) == set(CUSTOMER_FIELDS) - {"team", "credit_limit_unit", "credit_limit_id"}
    assert len(MEMBERS) == len(set(MEMBERS))


def test_every_member_can_be_set_or_says_that_it_cannot() -> None:
    """What a patch of the record can hold, a request can ask for; the rest is for reading only."""
    assert set(MEMBERS) - set(READ_ONLY) == set(CustomerPatch.__struct_fields__) - {"credit_limit_unit"}
    for member, patch in (("addresses", AddressPatch), ("contacts", ContactPatch)):
        assert set(MEMBERS_OF_ENTRIES[member]) - {"id", "created_at", "updated_at"} == set(patch.__struct_fields__)


@pytest.mark.parametrize(
    ("body", "members"),
    [
        (wire.MergePatch, set(MEMBERS) - set(READ_ONLY)),
        (wire.ListAwarePatch, set(MEMBERS) - set(READ_ONLY)),
        (wire.CustomerBody, set(MEMBERS) - set(READ_ONLY)),
        (models.Customer, set(MEMBERS)),
        (models.Address, set(Address.__struct_fields__)),
        (models.Contact, set(Contact.__struct_fields__)),
    ],
)
def test_the_document_knows_every_member(body: Any, members: set[str]) -> None:
    """Requests and answers are described as they are."""
    assert set(typing.get_type_hints(body)) == members


def test_the_whole_form() -> None:
    """Every member always there, null where there is none, ids and times and decimals as texts."""
    body = to_body(CUSTOMER)
    assert list(body) == list(MEMBERS)
    assert body["version"] == 7
    assert (body["created_at"], body["updated_at"]) == ("2025-03-04T09:10:11Z", "2025-03-04T09:10:11.000250Z")
    assert (body["created_by"], body["updated_by"]) == (str(ACTOR), str(OTHER))
    assert body["credit_limit"] == {"value": "25000.00", "unit": str(OTHER)}
    assert body["sales_reps"] == [str(OTHER), str(ID)]
    assert body["attributes"] == {"Route/7~": "North"}
    assert body["bill_to"] == str(ID)
    assert body["contacts"] == [
        {
            "id": str(OTHER),
            "created_at": "2025-03-04T09:10:11Z",
            "updated_at": "2025-03-04T09:10:11Z",
            "reference_id": None,
            "first_name": "Ingrid",
            "last_name": None,
            "email": None,
            "phone": None,
            "designation": None,
            "attributes": {},
        }
    ]
    assert body["addresses"][0]["attributes"] == {"Route/7~": "North"}
    empty = {member for member, value in body.items() if value is None}
    assert {"email", "parent", "deleted_at", "merged_into", "ship_to", "price_list"} <= empty
    assert msgspec.json.decode(msgspec.json.encode(body)) == body


def test_no_limit_is_null() -> None:
    """A unit alone is no limit."""
    assert to_body(msgspec.structs.replace(CUSTOMER, credit_limit=None))["credit_limit"] is None


def test_times_keep_their_microseconds() -> None:
    """Where there are any."""
    assert to_time(START + timedelta(milliseconds=20)) == "2025-03-04T09:10:11.020000Z"


@pytest.mark.parametrize("is_kept", [False, True], ids=["as made", "as kept"])
def test_changes_in_terms_of_the_form(*, is_kept: bool) -> None:
    """Just made or read back from the history, a change says the same: values of the form, at its places."""
    changes: tuple[FieldChange, ...] = (
        FieldChange("/name", "Kestrel", "Kestrel & Co"),
        FieldChange("/credit_limit", Decimal("1.50"), Decimal("25000.00")),
        FieldChange("/credit_limit_unit", None, OTHER),
        FieldChange("/credit_limit_id", None, ID),
        FieldChange("/sales_reps", (), (OTHER, ID)),
        FieldChange("/attributes/Route~17~0", ATTRIBUTE, None),
        FieldChange("/attributes/attributes/value", "1", "2"),
        FieldChange(f"/addresses/{ID}", None, ADDRESS),
        FieldChange(f"/addresses/{ID}/city", "Oslo", None),
        FieldChange(f"/addresses/{ID}/attributes/Dock", None, ATTRIBUTE),
        FieldChange(f"/addresses/{ID}/attributes/attributes/value", "3", "4"),
        FieldChange(f"/contacts/{OTHER}", CONTACT, None),
        FieldChange("/deleted_at", None, START),
    )
    if is_kept:
        encode = msgspec.json.Encoder(decimal_format="string").encode
        changes = msgspec.json.decode(encode(changes), type=tuple[FieldChange, ...])
    body = to_body(CUSTOMER)
    assert to_changes(changes) == [
        {"path": "/name", "old": "Kestrel", "new": "Kestrel & Co"},
        {"path": "/credit_limit/value", "old": "1.50", "new": "25000.00"},
        {"path": "/credit_limit/unit", "old": None, "new": str(OTHER)},
        {"path": "/sales_reps", "old": [], "new": [str(OTHER), str(ID)]},
        {"path": "/attributes/Route~17~0", "old": "North", "new": None},
        {"path": "/attributes/attributes", "old": "1", "new": "2"},
        {"path": f"/addresses/{ID}", "old": None, "new": body["addresses"][0]},
        {"path": f"/addresses/{ID}/city", "old": "Oslo", "new": None},
        {"path": f"/addresses/{ID}/attributes/Dock", "old": None, "new": "North"},
        {"path": f"/addresses/{ID}/attributes/attributes", "old": "3", "new": "4"},
        {"path": f"/contacts/{OTHER}", "old": body["contacts"][0], "new": None},
        {"path": "/deleted_at", "old": None, "new": "2025-03-04T09:10:11Z"},
    ]


@pytest.mark.parametrize("is_kept", [False, True], ids=["as made", "as kept"])
def test_a_first_version_is_the_whole_form(*, is_kept: bool) -> None:
    """Its only change holds the record, at the path of everything."""
    changes: tuple[FieldChange, ...] = (FieldChange("", None, CUSTOMER),)
    if is_kept:
        encode = msgspec.json.Encoder(decimal_format="string").encode
        changes = msgspec.json.decode(encode(changes), type=tuple[FieldChange, ...])
    shown: list[Json] = to_changes(changes)
    assert shown == [{"path": "", "old": None, "new": to_body(CUSTOMER)}]


def test_a_limit_is_told_in_its_members() -> None:
    """Each of its fields, but for its id."""
    assert LIMIT_FIELDS == {"credit_limit": "value", "credit_limit_unit": "unit", "credit_limit_id": None}
    assert canonical.LISTS == ("addresses", "contacts")
