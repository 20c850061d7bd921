"""What a column of a file may be led to: the canonical record's members by dotted names."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

from customerhub.model.customer import (
    POINTERS,
    Address,
    AddressType,
    CarrierBilling,
    CommissionPolicy,
    Contact,
    FreightPolicy,
    Priority,
    Standing,
    Status,
)
from customerhub.model.error import FieldError

Targets = Mapping[str, str | None]
"""Which column goes where, in the columns' order: `{"Company": "name", "Bill city": "bill_to.city", "Foo": None}`.

None is a column that is not read. As JSON it is an object of texts and nulls.
"""
Kind = Literal["text", "choice", "flag", "term", "reference", "references", "amount", "pointer", "list", "values"]

_TEXTS: Final = (
    *("name", "number", "display_name", "reference_id", "first_name", "last_name", "email", "phone", "website", "note"),
    *("payment_mode", "carrier_billing_account", "tax_number"),
)
_FLAGS: Final = ("is_edi_enabled", "accepts_invoice_emails", "tax_excluded", "tax_auto_calculate")
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "status": get_args(Status),
    "standing": get_args(Standing),
    "priority": get_args(Priority),
    "commission_policy": get_args(CommissionPolicy),
    "freight_policy": get_args(FreightPolicy),
    "carrier_billing_type": get_args(CarrierBilling),
    "type": get_args(AddressType),
}
MEMBERS: Final[Mapping[str, Kind]] = {
    **dict.fromkeys(_TEXTS, "text"),
    **dict.fromkeys((name for name in CHOICES if name != "type"), "choice"),
    **dict.fromkeys(_FLAGS, "flag"),
    **dict.fromkeys(("payment_term", "shipping_term", "carrier"), "term"),
    **dict.fromkeys(
        ("service_level", "price_list", "type_group", "default_sales_rep", "parent", "credit_limit.unit"), "reference"
    ),
    **dict.fromkeys(("sales_reps", "price_groups"), "references"),
    "credit_limit.value": "amount",
    **dict.fromkeys(POINTERS, "pointer"),
    **dict.fromkeys(("addresses", "contacts"), "list"),
    "attributes": "values",
}
# What tells which customer a row is about; nobody sets it.
IDENTITY: Final = "id"
_LISTS: Final[Mapping[str, type[Address] | type[Contact]]] = {"addresses": Address, "contacts": Contact}
_MARKS: Final = ("created_at", "updated_at", "attributes")
_OWNER: Final = re.compile(r"bill_to|ship_to|primary_contact|(?P<list>addresses|contacts)\[(?P<at>\d{1,3})\]", re.ASCII)
_MOST_ENTRIES: Final = 100
_LONGEST_NAME: Final = 255


class Target(Struct, frozen=True):
    """Where a column goes: a member of the customer, or of one entry of a list.

    `owner` is the pointer or the place of the entry as it is written (`bill_to`, `addresses[1]`), "" for the customer.
    `attribute` names a custom value.
    """

    kind: Kind
    member: str
    owner: str = ""
    list: str = ""
    place: int | None = None
    attribute: str | None = None


def find_target(text: str) -> Target | None:
    """The target of this name; None where there is none."""
    if text in MEMBERS:
        return Target(MEMBERS[text], text)
    if text.startswith("attributes.") and _is_name(text[11:]):
        return Target("text", "attributes", attribute=text[11:])
    owner, _, member = text.partition(".")
    found = _OWNER.fullmatch(owner)
    if found is None:
        return None
    field = POINTERS.get(owner) or found["list"]
    place = int(found["at"]) if found["at"] is not None else None
    if place is not None and place >= _MOST_ENTRIES:
        return None
    if member.startswith("attributes.") and _is_name(member[11:]):
        return Target("text", "attributes", owner, field, place, member[11:])
    names = set(_LISTS[field].__struct_fields__) - set(_MARKS)
    if member not in names or (member == "id" and place is None):
        return None
    kind: Kind = "flag" if member == "is_drop_ship" else "choice" if member == "type" else "text"
    return Target(kind, member, owner, field, place)


def targets() -> tuple[str, ...]:
    """The names that a person may choose from, in the record's order; places in lists and custom values go beyond."""
    names: list[str] = [IDENTITY]
    for name in MEMBERS:
        names.append(name)
        if name in POINTERS:
            fields = _LISTS[POINTERS[name]].__struct_fields__
            names += [f"{name}.{field}" for field in fields if field not in (*_MARKS, "id")]
    return tuple(names)


def target_errors(mapping: Targets, header: Iterable[str] = ()) -> tuple[FieldError, ...]:
    """What is wrong with a mapping, each at its column: targets that are none, or that two columns cannot share.

    With the file's header also columns that the file does not have.
    """
    errors: list[FieldError] = []
    header = tuple(header)
    claims = Claims()
    for column, text in mapping.items():
        if header and column not in header:
            errors.append(FieldError((column,), "no_column", "the file has no such column"))
        elif text is None:
            continue
        elif text != IDENTITY and find_target(text) is None:
            errors.append(FieldError((column,), "no_target", f"{text} is no member of a customer that can be set"))
        elif (other := claims.claim(text, column)) is not None:
            errors.append(FieldError((column,), "taken", f"the column {other} goes to the same place"))
    return tuple(errors)


class Claims:
    """Which places columns go to; two cannot share one, nor can one go to a place and another to a part of it."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def claim(self, text: str, column: str) -> str | None:
        """Take a place for a column; the column that is in the way, if one is."""
        other = next((self._taken[name] for name in _same_place(text) if name in self._taken), None)
        if other is None:
            owner = _owner_of(text)
            inside = (f"{owner}/", f"{_list_of(owner)}/") if owner else ()
            self._taken |= dict.fromkeys((text, *inside), column)
        return other


def _same_place(text: str) -> tuple[str, ...]:
    """What another column may not go to beside this one: the same place, all of it, or a part of it."""
    owner = _owner_of(text)
    return (text, f"{text}/", owner, _list_of(owner)) if owner else (text, f"{text}/")


def _owner_of(text: str) -> str:
    target = find_target(text)
    if target is None or (not target.owner and target.attribute is None):
        return ""
    return target.owner or "attributes"


def _list_of(owner: str) -> str:
    return POINTERS.get(owner) or owner.partition("[")[0]


def _is_name(text: str) -> bool:
    return bool(text.strip()) and len(text) <= _LONGEST_NAME
