"""The canonical customer as JSON: every member always there, null where there is none; and changes in its terms."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from customerhub.model.change import FieldChange
from customerhub.model.customer import Address, Attribute, Contact, Customer

Shown = dict[str, Any]  # Any: JSON

# What nobody sets.
READ_ONLY: Final = (
    *("id", "version", "created_at", "updated_at", "created_by", "updated_by", "deleted_at", "merged_into"),
)
LISTS: Final = ("addresses", "contacts")
SETS: Final = ("sales_reps", "price_groups")
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
# Fields of the record that are told inside others, or not at all.
LIMIT_FIELDS: Final[Mapping[str, str | None]] = {
    "credit_limit": "value",
    "credit_limit_unit": "unit",
    "credit_limit_id": None,
}
_ENTRIES: Final[Mapping[str, type[Address] | type[Contact]]] = {"addresses": Address, "contacts": Contact}
_WHOLE_ENTRY: Final = 2
Read = TypeVar("Read", Customer, Address | Contact, Attribute)


def to_body(customer: Customer) -> Shown:
    """A customer, member for member."""
    body = {member: to_value(getattr(customer, member)) for member in MEMBERS}
    body["attributes"] = to_custom_values(customer.attributes)
    if customer.credit_limit is not None:
        body["credit_limit"] = {"value": body["credit_limit"], "unit": to_value(customer.credit_limit_unit)}
    return body


def to_entry(entry: Address | Contact) -> Shown:
    """An address or a contact, member for member."""
    shown = {field: to_value(getattr(entry, field)) for field in entry.__struct_fields__}
    shown["attributes"] = to_custom_values(entry.attributes)
    return shown


def to_custom_values(attributes: Iterable[Attribute]) -> dict[str, str]:
    """Custom values by their names, in order of creation."""
    return {attribute.name: attribute.value for attribute in attributes}


@lru_cache(maxsize=8192)
def to_time(at: datetime) -> str:
    """UTC, with microseconds where there are any: `2026-03-02T15:04:05Z`, `2026-03-02T15:04:05.000250Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_value(value: object) -> object:
    """A value of a record as JSON: ids, times and decimals are texts."""
    match value:
        case UUID():
            return str(value)
        case datetime():
            return to_time(value)
        case Decimal():
            return format(value, "f")
        case Address() | Contact():
            return to_entry(value)
        case tuple():
            return [to_value(item) for item in value]
    return value


def to_changes(changes: Iterable[FieldChange]) -> list[Shown]:
    """Changes as `{path, old, new}` in the terms of the canonical form, entries of lists by their ids.

    Values may be those of a record, or JSON as the history keeps them.
    """
    shown = (_to_change(change) for change in changes)
    return [change for change in shown if change is not None]


def _to_change(change: FieldChange) -> Shown | None:
    _, *steps = change.path.split("/")
    old, new = change.old, change.new
    match steps:
        case []:
            old, new = _to_record(old), _to_record(new)
        case [field] if field in LIMIT_FIELDS:
            member = LIMIT_FIELDS[field]
            if member is None:
                return None
            steps = ["credit_limit", member]
        case [*owner, "attributes", _] if len(owner) in (0, _WHOLE_ENTRY):
            old, new = _to_custom(old), _to_custom(new)
        case [*owner, "attributes", name, "value"]:
            steps = [*owner, "attributes", name]
        case [("addresses" | "contacts") as field, _]:
            old, new = _to_listed(field, old), _to_listed(field, new)
    path = "".join(f"/{step}" for step in steps)
    shown: Shown = {"path": path, "old": to_value(old), "new": to_value(new)}
    return shown | {"erased": True} if change.erased else shown


def _to_record(value: object) -> object:
    found = _read(value, Customer)
    return to_body(found) if found is not None else None


def _to_listed(field: str, value: object) -> object:
    found = _read(value, _ENTRIES[field])
    return to_entry(found) if found is not None else None


def _to_custom(value: object) -> object:
    """What a custom value says, without its marks."""
    found = _read(value, Attribute)
    return found.value if found is not None else None


def _read(value: object, kind: type[Read]) -> Read | None:
    return value if value is None or isinstance(value, kind) else msgspec.convert(value, kind)
