"""Give a record back what it held at a former version, as a whole or at some paths: a pure function."""

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeVar, cast
from uuid import UUID

import msgspec

from customerhub.model.apply import Applied, settle
from customerhub.model.catalogue import Catalogue, Kind, ServiceLevelDetails
from customerhub.model.customer import CREDIT_LIMIT, POINTERS, Address, Attribute, Contact, Customer
from customerhub.model.error import FieldError, Invalid, Path
from customerhub.model.nested import Moment
from customerhub.model.replay import CONTENT, ENTRY_MEMBERS, LISTS, Stamp, differences, follow, in_place, to_steps

Owner = TypeVar("Owner", Customer, Address, Contact)

# A record can be deleted and come back, but not by looking like it did.
_SETTABLE: Final = tuple(field for field in CONTENT if field not in ("deleted_at", "merged_into"))
_TERMS: Final[tuple[Kind, ...]] = ("payment_term", "shipping_term", "carrier", "service_level", "price_list")
_LASTING: Final[tuple[tuple[str, Kind], ...]] = (("type_group", "account_group"), ("credit_limit_unit", "unit"))


class _UnknownPath(Exception):
    """A path names nothing of the record, neither then nor now."""


def revert(
    before: Customer, then: Customer, paths: Sequence[str] | None, catalogue: Catalogue, moment: Moment
) -> Applied:
    """The next version of a live record with the values of a former one; without changes the very record given.

    All but the stamps comes back, entries of lists with their ids and times of creation; what differs in an entry
    gives it a new `updated_at`. With `paths` only what they name, with the consequences that hold for every door.
    References come back though their entries are inactive or deleted by now, except those that would mean nothing.
    Raises Invalid with canonical fields, or with `paths`.
    """
    moment = moment.after(before.updated_at)
    if paths is None:
        goal = msgspec.structs.replace(before, **{field: getattr(then, field) for field in _SETTABLE})
    else:
        goal = _at_paths(before, then, paths, catalogue, moment)
    errors = tuple(_reference_errors(before, goal, catalogue))
    if errors:
        raise Invalid(errors)
    changes = differences(before, goal)
    if not changes:
        return Applied(before, ())
    return Applied(follow(before, changes, Stamp(before.version + 1, moment.now, moment.actor)), changes)


def _at_paths(before: Customer, then: Customer, paths: Sequence[str], catalogue: Catalogue, moment: Moment) -> Customer:
    goal = before
    touched: dict[str, None] = {}
    errors: list[FieldError] = []
    for place, path in enumerate(paths):
        steps = to_steps(path)
        try:
            goal = _put_back(goal, then, steps if steps or not path else ("",))
        except _UnknownPath:
            errors.append(FieldError(("paths", place), "unknown_path", "names nothing that the record had or has"))
        else:
            touched |= dict.fromkeys(
                _SETTABLE if not steps else CREDIT_LIMIT if steps[0] in CREDIT_LIMIT else steps[:1]
            )
    if errors:
        raise Invalid(tuple(errors))
    updates = {field: getattr(goal, field) for field in touched}
    settle(before, updates, catalogue, moment)
    return msgspec.structs.replace(before, **updates)


def _put_back(goal: Customer, then: Customer, steps: Sequence[str]) -> Customer:
    """One place of the record as it was; raises _UnknownPath."""
    match steps:
        case []:
            fields: Sequence[str] = _SETTABLE
        case [field] if field in CREDIT_LIMIT:
            fields = CREDIT_LIMIT
        case [field] if field in _SETTABLE:
            fields = (field,)
        case ["attributes", *inner]:
            return _with_attribute(goal, then, inner)
        case [field, entry_id, *inner] if field in LISTS:
            return _with_entry(goal, then, field, entry_id, inner)
        case _:
            raise _UnknownPath
    return msgspec.structs.replace(goal, **{field: getattr(then, field) for field in fields})


def _with_entry(goal: Customer, then: Customer, field: str, entry_id: str, inner: Sequence[str]) -> Customer:
    entries: tuple[Any, ...] = getattr(goal, field)  # Any: addresses or contacts
    now = next((entry for entry in entries if str(entry.id) == entry_id), None)
    old = next((entry for entry in getattr(then, field) if str(entry.id) == entry_id), None)
    if now is None and old is None:
        raise _UnknownPath
    if inner:
        if now is None or old is None:
            raise _UnknownPath
        old = _with_member(now, old, field, inner)
    others = [entry for entry in entries if entry is not now]
    return msgspec.structs.replace(goal, **{field: in_place([*others, old] if old is not None else others)})


def _with_member(now: Owner, old: Owner, field: str, inner: Sequence[str]) -> Owner:
    match inner:
        case [member] if member in ENTRY_MEMBERS[field] or member == "attributes":
            return msgspec.structs.replace(now, **{member: getattr(old, member)})
        case ["attributes", *names]:
            return _with_attribute(now, old, names)
    raise _UnknownPath


def _with_attribute(goal: Owner, then: Owner, names: Sequence[str]) -> Owner:
    """A custom value as it was, at its place; one that is gone comes last."""
    match names:
        case [name] | [name, "value"]:
            pass
        case _:
            raise _UnknownPath
    values: tuple[Attribute, ...] = goal.attributes
    old = next((one for one in then.attributes if one.name == name), None)
    is_there = any(one.name == name for one in values)
    if old is None:
        if not is_there:
            raise _UnknownPath
        kept = tuple(one for one in values if one.name != name)
    elif is_there:
        kept = tuple(old if one.name == name else one for one in values)
    else:
        kept = (*values, old)
    return msgspec.structs.replace(goal, attributes=kept)


def _reference_errors(before: Customer, goal: Customer, catalogue: Catalogue) -> Iterator[FieldError]:
    """What cannot come back: references to what is nowhere any more, and what would not fit the rest of the record."""
    for kind in _TERMS:
        value = getattr(goal, kind)
        if value != getattr(before, kind) and value is not None and catalogue.find_entry(kind, value) is None:
            yield _gone((kind,))
    if goal.default_sales_rep not in (None, before.default_sales_rep) and not catalogue.find_user(
        goal.default_sales_rep
    ):
        yield _gone(("default_sales_rep",))
    yield from _lasting_errors(before, goal, catalogue)
    level = catalogue.find_entry("service_level", goal.service_level)
    if goal.service_level != before.service_level and level is not None:
        details = cast("ServiceLevelDetails", level.details)
        if details.carrier != goal.carrier:
            yield FieldError(("service_level",), "wrong_carrier", "this service level belongs to another carrier")
    for pointer, field in POINTERS.items():
        value = getattr(goal, pointer)
        if value is not None and all(entry.id != value for entry in getattr(goal, field)):
            yield FieldError((pointer,), "unknown_id", f"names one of {field} that is not there: ask for it too")


def _lasting_errors(before: Customer, goal: Customer, catalogue: Catalogue) -> Iterator[FieldError]:
    """Entries that mean nothing once they are deleted (account groups, a unit) come back only while they are there."""
    for place, group in enumerate(goal.price_groups):
        if group not in before.price_groups and catalogue.find_live("account_group", group) is None:
            yield _gone(("price_groups", place))
    for field, kind in _LASTING:
        value = getattr(goal, field)
        if value not in (None, getattr(before, field)) and catalogue.find_live(kind, value) is None:
            yield _gone((field,))


def find_lasting(customer: Customer) -> Iterator[tuple[Kind, UUID]]:
    """The entries of a record that mean nothing once they are deleted, with their kinds."""
    for group in customer.price_groups:
        yield "account_group", group
    for field, kind in _LASTING:
        value = getattr(customer, field)
        if value is not None:
            yield kind, value


def _gone(path: Path) -> FieldError:
    return FieldError(path, "unknown_id", "what this named is deleted: revert without it, by paths")
