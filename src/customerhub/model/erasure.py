"""What an erasure leaves of a customer, and by what the values of one are known elsewhere: pure functions."""

from collections.abc import Iterable, Iterator
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.apply import Applied
from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.nested import Moment
from customerhub.model.replay import to_steps

TELLING: Final = frozenset(
    (
        *("name", "display_name", "number", "reference_id", "first_name", "last_name", "email", "phone", "website"),
        *("note", "carrier_billing_account", "tax_number", "line1", "line2", "value"),
    )
)
"""Members whose texts tell one customer from another, in the record and inside it; `value` is a custom value's.

Not cities, states, postal codes, countries, designations: many have them.
"""
KEYS: Final = frozenset(("number", "reference_id", "email", "phone", "tax_number"))
"""Those of them that hardly anybody else has."""
_IDS: Final = ("id", "credit_limit_id")
_LISTS: Final = ("addresses", "contacts")


class Marks(Struct, frozen=True):
    """By what a customer's values are known elsewhere: ids of it and of what stood inside, and (member, text) pairs."""

    ids: frozenset[UUID] = frozenset()
    texts: frozenset[tuple[str, str]] = frozenset()

    def without(self, others: "Marks") -> "Marks":
        """Those that the others do not have too."""
        return Marks(self.ids - others.ids, self.texts - others.texts)


def erase(before: Customer, moment: Moment) -> Applied:
    """The last version of a record, live or deleted: which it was, when and by whom it was made, and where it went.

    Its one change holds what is left, so that nothing before it leads anywhere.
    """
    moment = moment.after(before.updated_at)
    left = Customer(
        team=before.team,
        id=before.id,
        version=before.version + 1,
        created_at=before.created_at,
        updated_at=moment.now,
        created_by=before.created_by,
        updated_by=moment.actor,
        name="",
        number="",
        deleted_at=before.deleted_at or moment.now,
        merged_into=before.merged_into,
    )
    return Applied(left, (FieldChange("", None, left),))


def to_change(customer: Customer) -> FieldChange:
    """A record as the change that holds all of it, its values as the history keeps them."""
    return FieldChange("", None, msgspec.to_builtins(customer))


def find_marks(changes: Iterable[FieldChange]) -> Marks:
    """The marks of all values that changes speak of, which are as the history keeps them."""
    ids: set[UUID] = set()
    texts: set[tuple[str, str]] = set()
    for change in changes:
        ids.update(_ids(change))
        texts.update(_texts(change))
    return Marks(frozenset(ids), frozenset(texts))


def speaks_of(change: FieldChange, marks: Marks) -> bool:
    """Whether a change holds a value that one of the marks is of."""
    return not marks.ids.isdisjoint(_ids(change)) or not marks.texts.isdisjoint(_texts(change))


def without_values(change: FieldChange) -> FieldChange:
    """That something changed there, and that what it was is erased."""
    return FieldChange(change.path, erased=True)


def _texts(change: FieldChange) -> Iterator[tuple[str, str]]:
    name = change.path.rpartition("/")[2]
    for value in (change.old, change.new):
        yield from _texts_of(name, value)


def _texts_of(name: str, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case str() if name in TELLING and value.strip():
            yield name, value
        case list():
            for item in value:
                yield from _texts_of(name, item)
        case dict():
            for member, inner in value.items():
                # What a custom value is called says what all customers may have.
                if member != "name" or "value" not in value:
                    yield from _texts_of(member, inner)


def _ids(change: FieldChange) -> Iterator[UUID]:
    field, *steps = to_steps(change.path) or [""]
    if field in _LISTS and steps:
        yield UUID(steps[0])
    for value in (change.old, change.new):
        yield from _ids_of(field, value)


def _ids_of(name: str, value: object) -> Iterator[UUID]:
    match value:
        case str() if name in _IDS:
            yield UUID(value)
        case list():
            for item in value:
                if isinstance(item, dict):
                    yield from _ids_of("", item)
        case dict():
            for member, inner in value.items():
                yield from _ids_of(member, inner)
