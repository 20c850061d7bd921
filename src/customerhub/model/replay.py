"""Tell two states of a customer apart in changes, and go from one to the other by changes alone: pure functions."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.change import FieldChange, differs
from customerhub.model.customer import CUSTOMER_FIELDS, Address, Attribute, Contact, Customer
from customerhub.model.error import HistoryGone
from customerhub.model.history import HistoryEntry
from customerhub.model.nested import Entry, pointer_step

STAMPS: Final = frozenset(("team", "id", "version", "created_at", "updated_at", "created_by", "updated_by"))
"""What says which version of which record it is; everything else is its content."""
CONTENT: Final = tuple(field for field in CUSTOMER_FIELDS if field not in STAMPS)
LISTS: Final = ("addresses", "contacts")
ENTRY_MEMBERS: Final[dict[str, tuple[str, ...]]] = {
    field: tuple(
        member for member in kind.__struct_fields__ if member not in ("id", "created_at", "updated_at", "attributes")
    )
    for field, kind in (("addresses", Address), ("contacts", Contact))
}

_TYPES: Final = {field.name: field.type for field in msgspec.structs.fields(Customer)}
_ENTRY_TYPES: Final[dict[str, type[Address] | type[Contact]]] = {"addresses": Address, "contacts": Contact}
_MEMBER_TYPES: Final = {
    name: {field.name: field.type for field in msgspec.structs.fields(kind)} for name, kind in _ENTRY_TYPES.items()
}
_ATTRIBUTES: Final = "attributes"


class Stamp(Struct, frozen=True):
    """Which version some changes make, when, and by whom."""

    version: int
    at: datetime
    actor: UUID


def replay(entries: Sequence[HistoryEntry]) -> Customer:
    """The record that a history leads to, given from its first entry or from any that holds the whole record.

    Raises HistoryGone where none of them does, and where values that changed since then are erased.
    """
    first = next((place for place in reversed(range(len(entries))) if _holds_all(entries[place])), None)
    if first is None:
        raise HistoryGone(entries[-1].version if entries else 0)
    customer = msgspec.convert(entries[first].changes[0].new, Customer)
    for entry in entries[first + 1 :]:
        if any(change.erased for change in entry.changes):
            raise HistoryGone(entries[-1].version)
        customer = follow(customer, entry.changes, Stamp(entry.version, entry.at, entry.actor))
    return customer


def _holds_all(entry: HistoryEntry) -> bool:
    """The first version does, the oldest that is kept of a longer history, and what is left after an erasure."""
    return bool(entry.changes) and entry.changes[0].path == "" and entry.changes[0].new is not None


def follow(before: Customer, changes: Iterable[FieldChange], stamp: Stamp) -> Customer:
    """The record after one version's changes, whose values may be the record's or JSON as the history keeps them.

    An entry of a list in which something changed has the time of the change, a custom value its actor too. Entries
    stand in order of creation, then id; custom values in the order in which they came.
    """
    values: dict[str, Any] = {}  # Any: fields of every type
    for change in changes:
        field, *steps = to_steps(change.path)
        value = values.get(field, getattr(before, field))
        if not steps:
            values[field] = msgspec.convert(change.new, _TYPES[field])
        elif field == _ATTRIBUTES:
            values[field] = _follow_attribute(value, steps, change, stamp)
        else:
            values[field] = _follow_entry(field, value, steps, change, stamp)
    return msgspec.structs.replace(before, **values, version=stamp.version, updated_at=stamp.at, updated_by=stamp.actor)


def to_steps(path: str) -> list[str]:
    """A JSON Pointer in its steps (RFC 6901, 3)."""
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _follow_entry(
    field: str, entries: tuple[Any, ...], steps: Sequence[str], change: FieldChange, stamp: Stamp
) -> tuple[Any, ...]:  # Any: addresses or contacts
    entry_id, *inner = UUID(steps[0]), *steps[1:]
    others = [entry for entry in entries if entry.id != entry_id]
    if not inner:
        if change.new is not None:
            others.append(msgspec.convert(change.new, _ENTRY_TYPES[field]))
    else:
        entry = next(entry for entry in entries if entry.id == entry_id)
        member: str = inner[0]
        if member == _ATTRIBUTES:
            value: object = _follow_attribute(entry.attributes, inner[1:], change, stamp)
        else:
            value = msgspec.convert(change.new, _MEMBER_TYPES[field][member])
        others.append(msgspec.structs.replace(entry, **{member: value}, updated_at=stamp.at))
    return in_place(others)


def in_place(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Entries of a list in its order."""
    return tuple(sorted(entries, key=lambda entry: (entry.created_at, entry.id)))


def _follow_attribute(
    attributes: tuple[Attribute, ...], steps: Sequence[str], change: FieldChange, stamp: Stamp
) -> tuple[Attribute, ...]:
    name = steps[0]
    if steps[1:]:
        return tuple(
            msgspec.structs.replace(one, value=change.new, updated_at=stamp.at, updated_by=stamp.actor)
            if one.name == name
            else one
            for one in attributes
        )
    others = tuple(one for one in attributes if one.name != name)
    return (*others, msgspec.convert(change.new, Attribute)) if change.new is not None else others


def differences(before: Customer, goal: Customer) -> tuple[FieldChange, ...]:
    """The changes that lead from one state of a record to another (`follow`), but for the stamps of what they change.

    Values that say the same are left alone, whenever and by whoever they were set. A custom value that has another
    place among the others is taken away and comes back, in one change.
    """
    plain = [field for field in CONTENT if field not in LISTS and field != _ATTRIBUTES]
    return (
        *(
            FieldChange(f"/{field}", old, new)
            for field in plain
            if differs(old := getattr(before, field), new := getattr(goal, field))
        ),
        *_entry_differences("addresses", before.addresses, goal.addresses),
        *_entry_differences("contacts", before.contacts, goal.contacts),
        *_attribute_differences("/attributes", before.attributes, goal.attributes),
    )


def _entry_differences(field: str, before: Sequence[Entry], goal: Sequence[Entry]) -> Iterator[FieldChange]:
    wanted = {entry.id: entry for entry in goal}
    for old in before:
        path, new = f"/{field}/{old.id}", wanted.pop(old.id, None)
        if new is None or new.created_at != old.created_at:
            yield FieldChange(path, old, new)
            continue
        for member in ENTRY_MEMBERS[field]:
            if differs(getattr(old, member), getattr(new, member)):
                yield FieldChange(f"{path}/{member}", getattr(old, member), getattr(new, member))
        yield from _attribute_differences(f"{path}/attributes", old.attributes, new.attributes)
    for entry_id, new in wanted.items():
        yield FieldChange(f"/{field}/{entry_id}", None, new)


def _attribute_differences(path: str, before: Sequence[Attribute], goal: Sequence[Attribute]) -> Iterator[FieldChange]:
    """What stays keeps its order, what comes stands last: so only a beginning of the goal can stay."""
    old = {(one.id, one.name): place for place, one in enumerate(before)}
    places = [old.get((one.id, one.name), -1) for one in goal]
    staying = next(
        (place for place, own in enumerate(places) if own <= (places[place - 1] if place else -1)), len(goal)
    )
    kept, coming = {one.id: one for one in goal[:staying]}, {one.name: one for one in goal[staying:]}
    for one in before:
        place = f"{path}/{pointer_step(one.name)}"
        if one.id not in kept:
            if one.name not in coming:
                yield FieldChange(place, one, None)
        elif one.value != kept[one.id].value:
            yield FieldChange(f"{place}/value", one.value, kept[one.id].value)
    present = {one.name: one for one in before}
    for name, one in coming.items():
        yield FieldChange(f"{path}/{pointer_step(name)}", present.get(name), one)
