"""The record and its changes in people's words: labels for places, names for ids, texts for values."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import msgspec

from customerhub.console.fields import to_label
from customerhub.console.shell import to_time
from customerhub.model.catalogue import Catalogue, Kind
from customerhub.model.change import FieldChange, touches
from customerhub.model.customer import POINTERS, Customer
from customerhub.model.nested import pointer_step
from customerhub.model.replay import CONTENT, ENTRY_MEMBERS, LISTS, to_steps

Json = dict[str, Any]  # Any: decoded JSON

_KINDS: Final[Mapping[str, Kind]] = {
    "payment_term": "payment_term",
    "shipping_term": "shipping_term",
    "carrier": "carrier",
    "service_level": "service_level",
    "price_list": "price_list",
    "price_groups": "account_group",
    "type_group": "account_group",
    "credit_limit_unit": "unit",
}
_USERS: Final = ("sales_reps", "default_sales_rep")
_CUSTOMERS: Final = ("parent", "merged_into")
_TIMES: Final = ("deleted_at",)
# Words of ours, written with underscores.
_WORDS: Final = (
    *("status", "standing", "priority", "commission_policy", "freight_policy", "carrier_billing_type", "type"),
)
# What nobody ever reads.
_HIDDEN: Final = frozenset(("credit_limit_id",))
_KIND_OF_ENTRY: Final[Mapping[str, str]] = {"addresses": "Address", "contacts": "Contact"}
_TITLES: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "addresses": (("line1", "city"), ("name", "city"), ("city", "postal_code"), ("reference_id",), ("type",)),
    "contacts": (("first_name", "last_name"), ("email",), ("phone",), ("designation",), ("reference_id",)),
}
UNSETTABLE: Final = ("deleted_at", "merged_into")
"""What says that a customer is gone: it comes back by being restored, not by looking like it did."""
PLAIN: Final = tuple(field for field in CONTENT if field not in (*LISTS, "attributes", *_HIDDEN))
"""Members of the record with one value each, in its order."""


@dataclass(frozen=True, slots=True)
class Line:
    """One place of the record before and after; texts are empty where there was or is nothing."""

    path: str
    label: str
    old: str = ""
    new: str = ""
    is_erased: bool = False

    @property
    def can_return(self) -> bool:
        """Whether the place may hold again what it held."""
        return not self.is_erased and self.path not in ("", *(f"/{field}" for field in UNSETTABLE))


def to_title(field: str, entry: Mapping[str, object]) -> str:
    """What an address or a contact is called: what people would say of it."""
    for members in _TITLES[field]:
        parts = [str(entry[member]) for member in members if entry.get(member)]
        if parts:
            return (" " if field == "contacts" else ", ").join(parts)
    return "without anything in it"


def to_json(value: object) -> object:
    """A value of a record as the history keeps it; such a value as it is."""
    is_json = value is None or isinstance(value, str | bool | list | dict)
    return value if is_json else msgspec.json.decode(msgspec.json.encode(value))


def to_record(customer: Customer) -> Json:
    """A whole record as the history keeps it."""
    return cast("Json", to_json(customer))


class Names:
    """What ids stand for: entries and users of the catalogue, customers, addresses and contacts of a record."""

    def __init__(self, catalogue: Catalogue, customers: Mapping[str, str] | None = None) -> None:
        self._catalogue = catalogue
        self._customers = dict(customers or {})
        self._entries: dict[str, str] = {}

    def learn_record(self, record: Mapping[str, Any]) -> None:
        """Know the addresses and contacts of a record, which came as JSON."""
        for field in LISTS:
            for entry in record.get(field) or ():
                self.learn_entry(field, entry)

    def learn_entry(self, field: str, entry: Mapping[str, Any]) -> None:
        """Know an address or a contact; what was learnt first stays."""
        self._entries.setdefault(entry["id"], to_title(field, entry))

    def learn_changes(self, changes: Iterable[FieldChange]) -> None:
        """Know what changes tell of addresses and contacts as a whole."""
        for change in changes:
            field, *inner = to_steps(change.path) or ("",)
            for value in (to_json(change.new), to_json(change.old)):
                if not isinstance(value, dict):
                    continue
                if not field:
                    self.learn_record(value)
                elif field in LISTS and len(inner) == 1:
                    self.learn_entry(field, value)

    def find_unknown(self, changes: Iterable[FieldChange]) -> set[str]:
        """The ids of addresses and contacts that changes are about and that nothing was learnt of."""
        found = (to_steps(change.path) for change in changes)
        unknown = {steps[1] for steps in found if len(steps) > 1 and steps[0] in LISTS}
        return {entry_id for entry_id in unknown if entry_id not in self._entries}

    def label(self, path: str) -> str:
        """What a place of the record is called, a JSON Pointer of changes: `Address “Storgata 8, Oslo”: City`."""
        match to_steps(path):
            case [] | [""]:
                return "The whole record"
            case ["attributes", name, *_]:
                return f"Attribute “{name}”"
            case ["credit_limit_unit"]:
                return "Credit limit unit"
            case [field]:
                return to_label(field)
            case [field, entry_id, *inner] if field in LISTS:
                title = self._entries.get(entry_id)
                whole = f"{_KIND_OF_ENTRY[field]} “{title}”" if title else f"Former {_KIND_OF_ENTRY[field].lower()}"
                match inner:
                    case ["attributes", name, *_]:
                        return f"{whole}: attribute “{name}”"
                    case [member, *_]:
                        return f"{whole}: {to_label(member)}"
                return whole
        return path

    def text(self, path: str, value: object) -> str:
        """A value at a place of the record, by its names; empty for none."""
        value = to_json(value)
        match to_steps(path):
            case [*_, "attributes", _] if isinstance(value, dict):
                return str(value.get("value") or "")
            case [field] if field in LISTS and isinstance(value, list):
                return "\n".join(to_title(field, entry) for entry in value)
            case [field, _] if field in LISTS and isinstance(value, dict):
                return to_entry_text(field, value)
            case [field]:
                return self._plain(field, value)
            case [field, _, member] if field in LISTS:
                return self._plain(member, value)
        return self._plain("", value)

    def _plain(self, field: str, value: object) -> str:
        if isinstance(value, list):
            return ", ".join(self._plain(field, one) for one in value)
        if value is None or value == "":
            return ""
        if isinstance(value, bool):
            return "yes" if value else "no"
        if isinstance(value, str):
            return self._name(field, value)
        return json.dumps(value, ensure_ascii=False)

    def _name(self, field: str, value: str) -> str:
        if field in _WORDS:
            return _spell(field, value)
        if field in _TIMES:
            return to_time(datetime.fromisoformat(value))
        if field in POINTERS:
            return self._entries.get(value) or value
        if field in _CUSTOMERS:
            return self._customers.get(value) or value
        if field in _USERS:
            return to_user_name(self._catalogue, UUID(value)) or value
        if field in _KINDS:
            return self._catalogue.name_of(_KINDS[field], UUID(value)) or value
        return value


def _spell(field: str, value: str) -> str:
    """Words of ours in plain spelling."""
    return value.replace("_", " ").capitalize() if field in _WORDS else value


def to_user_name(catalogue: Catalogue, user_id: UUID) -> str | None:
    """What a member of the team is called; None for who is none."""
    user = catalogue.find_user(user_id)
    return (user.name or user.email or "a member without a name") if user is not None else None


def to_entry_text(field: str, entry: Mapping[str, Any]) -> str:
    """An address or a contact, member by member, a line each."""
    lines = [
        f"{to_label(member)}: {'yes' if value is True else _spell(member, value)}"
        for member in ENTRY_MEMBERS[field]
        if (value := entry.get(member))
    ]
    lines += [f"{one['name']}: {one['value']}" for one in entry.get("attributes") or ()]
    return "\n".join(lines) or "without anything in it"


def to_cells(record: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """A record, which came as JSON, by its places: plain members, then each address, contact and custom value."""
    for field in PLAIN:
        yield f"/{field}", record.get(field)
    for field in LISTS:
        for entry in record.get(field) or ():
            yield f"/{field}/{entry['id']}", entry
    for one in record.get("attributes") or ():
        yield f"/attributes/{pointer_step(one['name'])}", one


def to_lines(changes: Iterable[FieldChange], names: Names, within: Sequence[str] = ()) -> list[Line]:
    """Changes in words; a whole record member by member. `within` keeps only places in or around these pointers."""
    found: list[Line] = []
    for change in changes:
        if change.path == "" and not change.erased:
            found += _spread(change, names)
        elif to_steps(change.path)[-1:] != ["credit_limit_id"]:
            old, new = names.text(change.path, change.old), names.text(change.path, change.new)
            found.append(Line(change.path, names.label(change.path), old, new, change.erased))
    if not within:
        return found
    return [line for line in found if any(touches(line.path, path) for path in within)]


def _spread(change: FieldChange, names: Names) -> Iterator[Line]:
    sides = [
        dict(to_cells(value)) if isinstance(value := to_json(side), dict) else {} for side in (change.old, change.new)
    ]
    for path in dict.fromkeys((*sides[0], *sides[1])):
        old, new = (names.text(path, side.get(path)) for side in sides)
        if old or new:
            yield Line(path, names.label(path), old, new)


def compare(one: Customer, other: Customer, names: Names) -> list[Line]:
    """Every place of a record in two states, with all that either holds."""
    return list(_spread(FieldChange("", one, other), names))


def to_references(changes: Iterable[FieldChange]) -> set[UUID]:
    """The customers that changes name."""
    found: set[UUID] = set()
    for change in changes:
        for value in (to_json(change.old), to_json(change.new)):
            whole: Json = value if isinstance(value, dict) and change.path == "" else {change.path[1:]: value}
            found |= {UUID(whole[field]) for field in _CUSTOMERS if whole.get(field)}
    return found
