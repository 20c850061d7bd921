"""A customer with something in every field, and the same with one field otherwise: to see where systems show it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from customerhub.model.catalogue import (
    AccountGroupDetails,
    CarrierDetails,
    Catalogue,
    CatalogueEntry,
    Details,
    Kind,
    NoDetails,
    PriceListDetails,
    ServiceLevelDetails,
    ShippingTermDetails,
    UnitDetails,
    User,
)
from customerhub.model.customer import CREDIT_LIMIT, CUSTOMER_FIELDS, Address, Attribute, Contact, Customer

Record = TypeVar("Record", bound=Customer | Address | Contact)
Entry = Address | Contact
# Any: fields by name, each of its own type.
Values = dict[str, Any]

_THEN: Final = datetime(2026, 3, 4, 5, 6, 7, 8000, UTC)
_STEP: Final = timedelta(days=400, seconds=1)
_TEAM: Final = UUID(int=1)
_SOMEBODY: Final = UUID(int=2)
_OTHER: Final = UUID(int=3)
NAME: Final = "its name"
"""What the custom values of the specimen are called."""


def _entry(number: int, kind: Kind, details: Details) -> CatalogueEntry:
    return CatalogueEntry(UUID(int=number), kind, f"{kind} {number}", _THEN, _THEN, _SOMEBODY, _SOMEBODY, details)


_TERM: Final = _entry(10, "payment_term", NoDetails())
_FREIGHT: Final = _entry(11, "shipping_term", ShippingTermDetails())
_CARRIER: Final = _entry(12, "carrier", CarrierDetails("ups"))
_LEVEL: Final = _entry(13, "service_level", ServiceLevelDetails(_CARRIER.id, "ground"))
_PRICES: Final = _entry(14, "price_list", PriceListDetails())
_PRICING: Final = _entry(15, "account_group", AccountGroupDetails("pricing_group"))
_TYPE: Final = _entry(16, "account_group", AccountGroupDetails("type_group"))
_UNIT: Final = _entry(17, "unit", UnitDetails("currency", "USD"))
_REP: Final = User(UUID(int=20), "rep@hub.example", "First", "Last", _THEN, _THEN, _SOMEBODY, _SOMEBODY)
CATALOGUE: Final = Catalogue(
    1, (_TERM, _FREIGHT, _CARRIER, _LEVEL, _PRICES, _PRICING, _TYPE, _UNIT), (_REP,), team=_TEAM, team_name="Team"
)
"""What the specimen refers to."""


_HINTS: Final[Mapping[type, Values]] = {kind: get_type_hints(kind) for kind in (Customer, Address, Contact)}


def _fill(kind: type[Record], values: Values) -> Record:
    """A record with a text of its own in each field that is one, and otherwise as it is born, with these values."""
    hints = _HINTS[kind]
    texts = {
        field: f"{field} {values.get('id', '')}".strip()
        for field in kind.__struct_fields__
        if str in (hints[field], *get_args(hints[field]))
    }
    return kind(**{**texts, **values})


def _attribute(number: int) -> Attribute:
    return Attribute(UUID(int=number), NAME, f"value {number}", _SOMEBODY, _SOMEBODY, _THEN, _THEN)


def _address(number: int, kind: Literal["billing", "shipping"]) -> Address:
    return _fill(Address, {**_to_marks(number), "type": kind})


def _contact(number: int) -> Contact:
    return _fill(Contact, _to_marks(number))


def _to_marks(number: int) -> Values:
    attributes = (_attribute(number + 1),)
    return {"id": UUID(int=number), "created_at": _THEN, "updated_at": _THEN, "attributes": attributes}


# No pointer names the first ones, so that what shows them shows entries by their places.
_ADDRESSES: Final = (
    _address(30, "billing"),
    _address(40, "shipping"),
    _address(50, "billing"),
    _address(60, "shipping"),
)
_CONTACTS: Final = (_contact(70), _contact(80))
SPECIMEN: Final = _fill(
    Customer,
    {
        "team": _TEAM,
        "id": UUID(int=5),
        "version": 7,
        "created_at": _THEN,
        "updated_at": _THEN,
        "created_by": _SOMEBODY,
        "updated_by": _SOMEBODY,
        "deleted_at": _THEN,
        "payment_term": _TERM.id,
        "shipping_term": _FREIGHT.id,
        "carrier": _CARRIER.id,
        "service_level": _LEVEL.id,
        "sales_reps": (_REP.id,),
        "default_sales_rep": _REP.id,
        "price_list": _PRICES.id,
        "price_groups": (_PRICING.id,),
        "type_group": _TYPE.id,
        "credit_limit": Decimal(1000),
        "credit_limit_unit": _UNIT.id,
        "credit_limit_id": UUID(int=21),
        "parent": _OTHER,
        "addresses": _ADDRESSES,
        "contacts": _CONTACTS,
        "attributes": (_attribute(90),),
        "bill_to": _ADDRESSES[2].id,
        "ship_to": _ADDRESSES[3].id,
        "primary_contact": _CONTACTS[1].id,
        "merged_into": _OTHER,
    },
)
"""A customer with something in every field."""


def list_variants() -> Iterator[tuple[str, Customer]]:
    """The specimen with one field otherwise, by field; a limit and its unit are one."""
    for field in CUSTOMER_FIELDS:
        if field in CREDIT_LIMIT[1:] or field == "team":
            continue
        fields = CREDIT_LIMIT if field == CREDIT_LIMIT[0] else (field,)
        yield field, _alter(SPECIMEN, *fields)


def list_entry_variants(member: str, place: int) -> Iterator[tuple[str, Customer]]:
    """The specimen with one field of one address or contact otherwise, by that field."""
    entries: tuple[Entry, ...] = getattr(SPECIMEN, member)
    entry = entries[place]
    for field in entry.__struct_fields__:
        yield field, _with(member, place, _alter(entry, field))


def list_custom_variants() -> Iterator[tuple[tuple[str, int] | None, Customer]]:
    """The specimen with one custom value otherwise: the customer's (None), or that of an address or a contact."""
    yield None, msgspec.structs.replace(SPECIMEN, attributes=_changed(SPECIMEN.attributes))
    for member in ("addresses", "contacts"):
        entries: tuple[Entry, ...] = getattr(SPECIMEN, member)
        for place, entry in enumerate(entries):
            yield (
                (member, place),
                _with(member, place, msgspec.structs.replace(entry, attributes=_changed(entry.attributes))),
            )


def _with(member: str, place: int, entry: Entry) -> Customer:
    entries: tuple[Entry, ...] = getattr(SPECIMEN, member)
    return msgspec.structs.replace(SPECIMEN, **{member: (*entries[:place], entry, *entries[place + 1 :])})


def _changed(attributes: tuple[Attribute, ...]) -> tuple[Attribute, ...]:
    return tuple(msgspec.structs.replace(one, value="another value") for one in attributes)


def _alter(record: Record, *fields: str) -> Record:
    hints = _HINTS[type(record)]
    return msgspec.structs.replace(record, **{field: _other(getattr(record, field), hints[field]) for field in fields})


def _other(value: object, hint: object) -> object:
    """Another value of the same kind: none where there may be none."""
    if type(None) in get_args(hint):
        return None
    words = get_args(hint) if get_origin(hint) is Literal else ()
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return next((word for word in words if word != value), f"{value}, otherwise")
        case UUID():
            return UUID(int=value.int + 1_000)
        case datetime():
            return value + _STEP
    return ()
