"""The canonical form of a customer, fast: its JSON and its cells, for those who write out hundreds of thousands.

Both are made of a record, or of a row whose columns were turned into text where they were read, which spares making
texts into values and values into texts again. Each is what the canonical dialect shows, byte for byte.
"""

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, Final, cast

import msgspec
from msgspec import Raw, Struct

from customerhub.model.customer import Address, Attribute, Contact, Customer

MEMBERS: Final = (
    *("id", "version", "created_at", "updated_at", "created_by", "updated_by"),
    *("name", "number", "display_name", "reference_id", "first_name", "last_name", "email", "phone", "website", "note"),
    *("status", "standing", "payment_term", "shipping_term", "carrier", "service_level", "payment_mode"),
    *("sales_reps", "default_sales_rep", "price_list", "price_groups", "type_group", "priority"),
    *("commission_policy", "freight_policy", "is_edi_enabled", "carrier_billing_type", "carrier_billing_account"),
    *("credit_limit", "accepts_invoice_emails", "tax_number", "tax_excluded", "tax_auto_calculate"),
    *("addresses", "contacts", "attributes", "bill_to", "ship_to", "primary_contact"),
    *("parent", "deleted_at", "merged_into"),
)
"""The members of the form in their order; every one is always there."""
_LIMIT: Final = MEMBERS.index("credit_limit")
COLUMNS: Final = (*MEMBERS[:_LIMIT], "credit_limit.value", "credit_limit.unit", *MEMBERS[_LIMIT + 1 :])
"""The same as the columns of a table."""
SETS: Final = ("sales_reps", "price_groups")

Row = list[Any]  # Any: texts, truths, whole numbers, JSON as bytes


class _Custom(Struct):
    """What is read of a custom value."""

    name: str
    value: str


# Structs are written with all their members in order, null where there is none, several times faster than dicts. What
# is read into them stays text: `attributes` are read as a list and written as an object.
_Customer: Final = msgspec.defstruct("_Customer", MEMBERS)
_Limit: Final = msgspec.defstruct("_Limit", ("value", "unit"))


def _to_shown(kind: type[Address | Contact]) -> type[Struct]:
    names = kind.__struct_fields__[:-1]
    plain: list[tuple[str, type, object]] = [(name, object, name != "is_drop_ship" and None) for name in names]
    return msgspec.defstruct(
        f"_{kind.__name__}", [*plain, ("attributes", list[_Custom], msgspec.field(default_factory=dict))]
    )


_Address: Final = _to_shown(Address)
_Contact: Final = _to_shown(Contact)
_read_addresses: Final = msgspec.json.Decoder(list[_Address]).decode  # type: ignore[valid-type] # made just now
_read_contacts: Final = msgspec.json.Decoder(list[_Contact]).decode  # type: ignore[valid-type]
_read_customs: Final = msgspec.json.Decoder(list[_Custom]).decode
_encode: Final = msgspec.json.Encoder().encode
_get: Final = attrgetter(*MEMBERS)
_entry_values: Final = msgspec.structs.astuple
_ADDRESSES, _CONTACTS, _ATTRIBUTES = (MEMBERS.index(name) for name in ("addresses", "contacts", "attributes"))
_SETS: Final = tuple(map(MEMBERS.index, SETS))
_JSON: Final = (_ADDRESSES, _CONTACTS, _ATTRIBUTES)


def to_json(customer: Customer) -> bytes:
    """The canonical form of a record as JSON, without a line feed in it."""
    return _to_json(_to_values(customer), customer.credit_limit_unit)


def to_cells(customer: Customer) -> list[str]:
    """The cells of `COLUMNS` of a record: lists and custom values as JSON, empty where there is nothing."""
    values = _to_values(customer)
    for place in _SETS:
        values[place] = _encode(values[place]).decode()
    return _to_cells(msgspec.to_builtins(values), customer.credit_limit_unit)


def row_to_json(row: Row) -> bytes:
    """`to_json` of a row: `MEMBERS` and then the unit of the limit.

    Ids, times and decimals are texts, the sets are JSON in a text; addresses, contacts and custom values are JSON as it
    is kept.
    """
    unit = row.pop()
    for place in _SETS:
        row[place] = Raw(row[place].encode())
    _read_nested(row)
    return _to_json(row, unit)


def row_to_cells(row: Row) -> list[str]:
    """`to_cells` of such a row."""
    unit = row.pop()
    _read_nested(row)
    return _to_cells(row, unit)


def _to_json(values: Row, unit: object) -> bytes:
    if values[_LIMIT] is not None:
        values[_LIMIT] = _Limit(values[_LIMIT], unit)
    return _encode(_Customer(*values))


def _to_cells(values: Row, unit: object) -> list[str]:
    for place in _JSON:
        values[place] = _encode(values[place]).decode()
    values.insert(_LIMIT + 1, unit)
    return [value if type(value) is str else _to_cell(value) for value in values]


def _to_cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _to_values(customer: Customer) -> Row:
    values = list(_get(customer))
    if customer.credit_limit is not None:
        values[_LIMIT] = format(customer.credit_limit, "f")
    values[_ADDRESSES] = _to_entries(_Address, customer.addresses)
    values[_CONTACTS] = _to_entries(_Contact, customer.contacts)
    values[_ATTRIBUTES] = _to_custom_values(customer.attributes)
    return values


def _to_entries(kind: type[Struct], entries: Sequence[Address | Contact]) -> list[Struct]:
    made = []
    for entry in entries:
        *values, attributes = _entry_values(entry)
        made.append(kind(*values, _to_custom_values(attributes)))
    return made


def _read_nested(row: Row) -> None:
    row[_ADDRESSES] = addresses = cast("list[Any]", _read_addresses(row[_ADDRESSES]))
    row[_CONTACTS] = contacts = cast("list[Any]", _read_contacts(row[_CONTACTS]))
    row[_ATTRIBUTES] = _to_custom_values(_read_customs(row[_ATTRIBUTES]))
    for entries in (addresses, contacts):
        for entry in entries:
            if entry.attributes:
                entry.attributes = _to_custom_values(entry.attributes)


def _to_custom_values(attributes: Iterable[Attribute | _Custom]) -> dict[str, str]:
    return {attribute.name: attribute.value for attribute in attributes}
