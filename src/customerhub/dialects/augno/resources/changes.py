"""Changes of the history in the words of this API: its names of fields, its ids, one change a field."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast, get_args
from uuid import UUID

import msgspec

from customerhub.dialects.augno.answers import Shown
from customerhub.dialects.augno.convert import ADDRESS_TEXTS, NAMES
from customerhub.dialects.augno.ids import (
    ACCOUNT,
    ACCOUNT_GROUP,
    ADDRESS,
    CARRIER,
    PAYMENT_TERM,
    QUANTITY,
    ROLE,
    SERVICE_LEVEL,
    SHIPPING_TERM,
    UNIT,
    USER,
    to_id,
)
from customerhub.model.catalogue import DETAILS, Kind
from customerhub.model.change import FieldChange

_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
# What every record has and what its own answers tell, but for when it was made and by whom.
_SILENT: Final = frozenset(
    (
        *("team", "id", "kind", "version", "created_at", "updated_at", "created_by", "updated_by", "is_system"),
        "unique_key",
    )
)
# Fields that hold ids, in records of every kind, and what these begin with.
_PREFIXES: Final[Mapping[str, str]] = {
    "carrier": CARRIER,
    "service_level": SERVICE_LEVEL,
    "payment_term": PAYMENT_TERM,
    "shipping_term": SHIPPING_TERM,
    "default_sales_rep": USER,
    "sales_reps": USER,
    "bill_to": ADDRESS,
    "ship_to": ADDRESS,
    "type_group": ACCOUNT_GROUP,
    "price_groups": ACCOUNT_GROUP,
    "credit_limit_unit": UNIT,
    "credit_limit_id": QUANTITY,
    "parent": ACCOUNT,
    "merged_into": ACCOUNT,
    "customer": ACCOUNT,
    "access_role": ROLE,
    "unit": UNIT,
    "free_shipping_service_levels": SERVICE_LEVEL,
}
_CUSTOMER_NAMES: Final[Mapping[str, str]] = {
    **NAMES,
    # Whether the record is in use, which no answer of this API tells: its `status` is the customer's standing.
    "status": "record_status",
    "credit_limit": "credit_limit.value",
    "credit_limit_unit": "credit_limit.unit_id",
    "parent": "parent_account_id",
    "accepts_invoice_emails": "notification_preferences.accepts_invoice_emails",
}
_ADDRESS_NAMES: Final[Mapping[str, str]] = {field: member for member, field in ADDRESS_TEXTS.items()}
_DETAIL_NAMES: Final[Mapping[str, str]] = {
    "visibility": "customer_portal_visibility",
    "token": "service_level_token",
    "free_shipping_service_levels": "free_shipping_service_level_ids",
    "carrier": "carrier_id",
}
_OTHER_NAMES: Final[Mapping[str, str]] = {"access_role": "role_id", "hint": "redacted_value"}
_NAMES: Final[Mapping[str, Mapping[str, str]]] = {"customer": _CUSTOMER_NAMES, "address": _ADDRESS_NAMES}


def to_changes(kind: str, changes: tuple[FieldChange, ...]) -> list[Shown]:
    """The changes of an event; a record that came or went as a whole is told field by field."""
    return [
        {"field": field, "old_value": old, "new_value": new}
        for change in changes
        for field, old, new in _split(kind, change)
    ]


def _split(kind: str, change: FieldChange) -> Iterator[tuple[str, object, object]]:
    steps = [step.replace("~1", "/").replace("~0", "~") for step in change.path.split("/")[1:]]
    if not steps:
        old, new = _members(change.old), _members(change.new)
        for name in dict.fromkeys((*old, *new)):
            if name not in _SILENT and (old.get(name) or new.get(name)):
                yield from _split(kind, FieldChange(f"/{name}", old.get(name), new.get(name)))
    elif steps == ["details"] and kind in _KINDS:
        old, new = _details(kind, change.old), _details(kind, change.new)
        for name in dict.fromkeys((*old, *new)):
            if old.get(name) != new.get(name):
                yield (
                    _DETAIL_NAMES.get(name, name),
                    _to_value(name, old.get(name)),
                    _to_value(name, new.get(name)),
                )
    else:
        yield _to_field(kind, steps), _to_value(steps[-1], change.old), _to_value(steps[-1], change.new)


def _members(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _details(kind: str, value: object) -> dict[str, object]:
    """Details with what they leave out where it is as usual; amounts by value and unit."""
    if not isinstance(value, dict):
        return {}
    details = msgspec.convert(value, DETAILS[cast("Kind", kind)])
    # Any: fields of every kind.
    plain: dict[str, Any] = {name: getattr(details, name) for name in details.__struct_fields__}
    return {name: msgspec.to_builtins(field) for name, field in plain.items()}


def _to_field(kind: str, steps: list[str]) -> str:
    """A place in a record: `default_carrier_id`, `addresses.ad_….locality`."""
    if steps[0] == "addresses" and len(steps) > 1:
        address = to_id(ADDRESS, UUID(steps[1]))
        return ".".join(("addresses", address, *(_ADDRESS_NAMES.get(step, step) for step in steps[2:])))
    names = _NAMES.get(kind, _OTHER_NAMES)
    return ".".join((names.get(steps[0], steps[0]), *steps[1:]))


def _to_value(name: str, value: object) -> object:
    """A value with its ids as they travel; addresses by their members here."""
    if name == "addresses" and isinstance(value, list):
        return [_to_address(_members(address)) for address in value]
    if isinstance(value, dict) and "line1" in value:
        return _to_address(value)
    if isinstance(value, dict) and {"value", "unit"} <= value.keys():
        return {"value": value["value"], "unit_id": _to_value("unit", value["unit"])}
    prefix = _PREFIXES.get(name)
    if prefix is None:
        return value
    if isinstance(value, list | tuple):
        return [_to_value(name, item) for item in value]
    return to_id(prefix, UUID(value)) if isinstance(value, str) else value


def _to_address(value: Mapping[str, object]) -> Shown:
    shown: Shown = {"id": to_id(ADDRESS, UUID(str(value["id"])))} if "id" in value else {}
    return shown | {_ADDRESS_NAMES.get(name, name): part for name, part in value.items() if name not in _SILENT}
