"""Apply a patch to the lists inside a customer: addresses, contacts, custom values."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from customerhub.model.change import FieldChange
from customerhub.model.customer import Address, Attribute, Contact
from customerhub.model.patch import AddressPatch, AttributesPatch, ContactPatch, ListPatch

TICK = timedelta(microseconds=1)


class Moment(Struct, frozen=True):
    """Who changes something, when, and where new ids come from."""

    actor: UUID
    now: datetime
    mint: Callable[[], UUID]

    def after(self, last: datetime) -> "Moment":
        """The same, but later than `last`, also under a clock that went back."""
        return Moment(self.actor, max(self.now, last + TICK), self.mint)


Entry = TypeVar("Entry", Address, Contact)


def patch_attributes(
    before: tuple[Attribute, ...], patch: AttributesPatch, moment: Moment, path: str, changes: list[FieldChange]
) -> tuple[Attribute, ...]:
    """The custom values after the patch; values that stay equal keep their id and times. New ones stand last."""
    after: list[Attribute] = []
    known: set[str] = set()
    for attribute in before:
        known.add(attribute.name)
        place = f"{path}/{pointer_step(attribute.name)}"
        value = patch.put.get(attribute.name)
        if value is None:
            if attribute.name in patch.remove or not patch.keep_others:
                changes.append(FieldChange(place, attribute, None))
            else:
                after.append(attribute)
        elif value == attribute.value:
            after.append(attribute)
        else:
            changes.append(FieldChange(f"{place}/value", attribute.value, value))
            after.append(
                msgspec.structs.replace(attribute, value=value, updated_by=moment.actor, updated_at=moment.now)
            )
    for name, value in patch.put.items():
        if name not in known:
            new = Attribute(moment.mint(), name, value, moment.actor, moment.actor, moment.now, moment.now)
            changes.append(FieldChange(f"{path}/{pointer_step(name)}", None, new))
            after.append(new)
    return tuple(after)


def patch_entry(
    entry: Entry, patch: AddressPatch | ContactPatch, moment: Moment, path: str, changes: list[FieldChange]
) -> Entry:
    """One address or contact after its patch; the same object where nothing differs."""
    updates: dict[str, object] = {}
    mark = len(changes)
    for field in patch.__struct_fields__:
        value = getattr(patch, field)
        if value is UNSET:
            continue
        if isinstance(value, AttributesPatch):
            attributes = patch_attributes(entry.attributes, value, moment, f"{path}/attributes", changes)
            updates["attributes"] = attributes
        elif value != (old := getattr(entry, field)):
            updates[field] = value
            changes.append(FieldChange(f"{path}/{field}", old, value))
    if len(changes) == mark:
        return entry
    return msgspec.structs.replace(entry, **updates, updated_at=moment.now)


def make_entry(entry_id: UUID, patch: AddressPatch | ContactPatch, make: Callable[..., Entry], moment: Moment) -> Entry:
    """A new address or contact with what its patch holds."""
    values = {
        field: value
        for field, value in zip(patch.__struct_fields__, msgspec.structs.astuple(patch), strict=True)
        if value is not UNSET
    }
    attributes = values.pop("attributes", None)
    if isinstance(attributes, AttributesPatch) and attributes.put:
        values["attributes"] = patch_attributes((), attributes, moment, "", [])
    return make(id=entry_id, created_at=moment.now, updated_at=moment.now, **values)


def patch_list(
    before: tuple[Entry, ...],
    patch: ListPatch[AddressPatch] | ListPatch[ContactPatch],
    make: Callable[..., Entry],
    moment: Moment,
    path: str,
    changes: list[FieldChange],
) -> tuple[Entry, ...]:
    """The list after the patch, in order of creation, then id. Ids in `change` that are not in the list are skipped."""
    after: list[Entry] = []
    for entry in before:
        place = f"{path}/{entry.id}"
        entry_patch = patch.change.get(entry.id)
        if entry_patch is not None:
            after.append(patch_entry(entry, entry_patch, moment, place, changes))
        elif entry.id in patch.remove or not patch.keep_others:
            changes.append(FieldChange(place, entry, None))
        else:
            after.append(entry)
    for entry_id, entry_patch in patch.add:
        new = make_entry(entry_id, entry_patch, make, moment)
        changes.append(FieldChange(f"{path}/{entry_id}", None, new))
        after.append(new)
    if len(after) > 1:
        after.sort(key=lambda entry: (entry.created_at, entry.id))
    return tuple(after)


def join_entries(
    entries: tuple[Entry, ...], others: Iterable[Entry], path: str, changes: list[FieldChange]
) -> tuple[Entry, ...]:
    """The list with entries that come from elsewhere just as they are, in order of creation, then id."""
    joined = list(entries)
    for entry in others:
        changes.append(FieldChange(f"{path}/{entry.id}", None, entry))
        joined.append(entry)
    joined.sort(key=lambda entry: (entry.created_at, entry.id))
    return tuple(joined)


def pointer_step(name: str) -> str:
    """A name as one step of a JSON Pointer (RFC 6901, 3)."""
    return name.replace("~", "~0").replace("/", "~1")
