"""Make the changes of a version one by one: what a history leads to, by the rules of change paths alone."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from customerhub.model.apply import Applied
from customerhub.model.change import FieldChange
from customerhub.model.customer import Attribute, Customer


def replay(customer: Customer, applied: Applied) -> Customer:
    """The record with its changes made one by one, by the rules of change paths."""
    after = applied.customer
    at, actor = after.updated_at, after.updated_by
    fields: dict[str, Any] = {name: getattr(customer, name) for name in customer.__struct_fields__}
    lists = {name: {str(e.id): e for e in fields[name]} for name in ("addresses", "contacts")}
    for change in applied.changes:
        _, field, *steps = change.path.split("/")
        if field == "attributes":
            fields[field] = with_attribute(fields[field], steps, change, at, actor)
        elif field in lists:
            entry_id, *inner = steps
            entries: dict[str, Any] = lists[field]
            if not inner:
                assert entries.get(entry_id) == change.old
                entries.pop(entry_id, None)
                if change.new is not None:
                    entries[entry_id] = change.new
                continue
            entry = entries[entry_id]
            moved: dict[str, Any]
            if inner[0] == "attributes":
                moved = {"attributes": with_attribute(entry.attributes, inner[1:], change, at, actor)}
            else:
                assert getattr(entry, inner[0]) == change.old
                moved = {inner[0]: change.new}
            entries[entry_id] = msgspec.structs.replace(entry, **moved, updated_at=at)
        else:
            assert fields[field] == change.old
            fields[field] = change.new
    for field, entries in lists.items():
        fields[field] = tuple(sorted(entries.values(), key=lambda entry: (entry.created_at, entry.id)))
    if applied.changes:
        fields |= {"version": fields["version"] + 1, "updated_at": at, "updated_by": actor}
    return Customer(**fields)


def with_attribute(
    attributes: tuple[Attribute, ...], steps: list[str], change: FieldChange, at: datetime, actor: UUID
) -> tuple[Attribute, ...]:
    """Custom values after one change: a whole value by its name, or what is in it."""
    name = steps[0].replace("~1", "/").replace("~0", "~")
    found = next((attribute for attribute in attributes if attribute.name == name), None)
    if steps[1:] == ["value"]:
        assert found is not None
        assert found.value == change.old
        new = msgspec.structs.replace(found, value=change.new, updated_at=at, updated_by=actor)
        return tuple(new if attribute is found else attribute for attribute in attributes)
    assert found == change.old
    others = tuple(attribute for attribute in attributes if attribute is not found)
    return (*others, change.new) if isinstance(change.new, Attribute) else others
