"""Addresses, contacts and custom values as a file tells them, as edits that take nothing away from a record."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from customerhub.model.customer import POINTERS, Customer

Body = dict[str, object]

_LISTS: Final = ("addresses", "contacts")
_GIVEN: Final = ("id", "created_at", "updated_at")


def settle_lists(body: Mapping[str, object], existing: Customer | None) -> Body:
    """A canonical body of whole lists, fit for the customer that it is about: for one to make where there is none.

    A list becomes an edit that changes and adds: what the file does not tell stays. Entries are the customer's by their
    ids, else by their references; all others are new. Pointers to new ones name their places. What is no list or no
    object of entries stays as it is, for whoever checks the body to refuse it.
    """
    settled = dict(body)
    places: dict[str, str] = {}
    for member in _LISTS:
        items = body.get(member)
        if isinstance(items, list):
            entries = [_settle(item, member, existing) for item in items]
            settled[member] = {"mode": "merge", "items": entries} if existing is not None else entries
            for place, (item, entry) in enumerate(zip(items, entries, strict=True)):
                if isinstance(item, dict) and isinstance(item.get("id"), str) and "id" not in (entry or ()):
                    places[item["id"].lower()] = f"/{member}/{place}"
    for pointer in POINTERS:
        value = body.get(pointer)
        if isinstance(value, str):
            settled[pointer] = places.get(value.lower(), value)
    values = body.get("attributes")
    if isinstance(values, dict):
        settled["attributes"] = to_values(values, existing)
    return settled


def to_values(values: Mapping[str, object], existing: Customer | None) -> Body:
    """Custom values as an edit, so that none of their names is taken for a word of an edit; plain for a new record."""
    return {"mode": "merge", "items": dict(values)} if existing is not None else dict(values)


def _settle(item: object, member: str, existing: Customer | None) -> Body | None:
    if not isinstance(item, dict):
        return None
    entry = {name: value for name, value in item.items() if name not in _GIVEN}
    known = find_entry(item, member, existing)
    return {"id": str(known), **entry} if known is not None else entry


def find_entry(item: Mapping[str, object], member: str, existing: Customer | None) -> UUID | None:
    """The entry of the customer's list that an item tells of, by its id, else by its reference; None for a new one."""
    entries = getattr(existing, member) if existing is not None else ()
    wanted, reference = item.get("id"), item.get("reference_id")
    if isinstance(wanted, str):
        for entry in entries:
            if str(entry.id) == wanted.lower():
                return UUID(str(entry.id))
    if not isinstance(reference, str) or not reference:
        return None
    having: list[UUID] = [entry.id for entry in entries if entry.reference_id == reference]
    return having[0] if len(having) == 1 else None
