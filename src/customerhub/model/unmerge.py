"""Take a merge back: a pure function from the records as they are to the next version of each."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.apply import Applied, advance, settle
from customerhub.model.catalogue import Catalogue, ServiceLevelDetails
from customerhub.model.change import differs
from customerhub.model.customer import CREDIT_LIMIT, POINTERS, Address, Attribute, Contact, Customer
from customerhub.model.error import FieldError, InTheWay, Invalid, Path
from customerhub.model.nested import Moment
from customerhub.model.replay import CONTENT, ENTRY_MEMBERS, LISTS, Stamp, differences, follow, in_place
from customerhub.model.revert import revert

Prefer = Literal["current", "former"]
"""What stands where something was changed since the merge: what it is by now, or what it was before."""

_SETS: Final = ("sales_reps", "price_groups")
_APART: Final = (*_SETS, *CREDIT_LIMIT, *LISTS, "attributes", "deleted_at", "merged_into")
_GROUPS: Final = (CREDIT_LIMIT, *((field,) for field in CONTENT if field not in _APART))
Values = dict[str, Any]  # Any: fields of every type


class Unmerger(Struct, frozen=True):
    """All that is looked at: the target as it is, as it was before the merge (`former`) and just after it (`merged`).

    `sources` are the deleted records, `children` the live ones that went from a source (its id) below the target and
    still stand there. `heirs` are the live customers that former parents went into.
    """

    target: Customer
    former: Customer
    merged: Customer
    sources: tuple[Customer, ...]
    children: tuple[tuple[Customer, UUID], ...] = ()
    heirs: Mapping[UUID, UUID] = {}
    prefer: Prefer | None = None


class Unmerged(Struct, frozen=True):
    """What becomes of each record, in the order given."""

    target: Applied
    sources: tuple[Applied, ...]
    children: tuple[Applied, ...]


class _Undoing(Struct):
    """What the target shall hold where that differs, places that were changed since, and entries that leave as they
    are by now.
    """

    values: Values
    since: list[Path]
    leaving: dict[UUID, Address | Contact]


def unmerge(unmerger: Unmerger, catalogue: Catalogue, moment: Moment) -> Unmerged:
    """The next version of every record: the target without what the merge brought, the sources and children as before.

    A place of the target that nobody changed since is as it was before; one that says by now what it said before
    stays. Of reps and groups those go that came, and those come back that went. What was changed otherwise is in the
    way: InTheWay names every such place, unless `prefer` says what stands there. An address or a contact goes back to
    its source in any case, with "current" as it is by now; what depends on something that goes (a pointer, the default
    rep, a carrier's level) follows as if that had been removed, and is in the way too. Raises Invalid for a reference
    that is nowhere any more.
    """
    records = (unmerger.target, *unmerger.sources, *(child for child, _ in unmerger.children))
    moment = moment.after(max(record.updated_at for record in records))
    undoing = _undo(unmerger)
    goal = _settle(unmerger, undoing, catalogue, moment)
    if undoing.since and unmerger.prefer is None:
        reason = "was changed after the merge"
        raise InTheWay(tuple(FieldError(path, "changed_since", reason) for path in dict.fromkeys(undoing.since)))
    return Unmerged(
        _take_away(unmerger.target, goal, catalogue, moment),
        tuple(_give_back(unmerger, source, undoing, moment) for source in unmerger.sources),
        tuple(Applied(*advance(child, {"parent": source}, (), moment)) for child, source in unmerger.children),
    )


def _undo(unmerger: Unmerger) -> _Undoing:
    undoing = _Undoing({}, [], {})
    _undo_plain(unmerger, undoing)
    for field in _SETS:
        _undo_set(unmerger, field, undoing)
    for field in LISTS:
        _undo_list(unmerger, field, undoing)
    _undo_attributes(unmerger, undoing)
    return undoing


def _undo_plain(unmerger: Unmerger, undoing: _Undoing) -> None:
    current, former, merged = unmerger.target, unmerger.former, unmerger.merged
    for group in _GROUPS:
        if not _differ(former, merged, group) or not _differ(current, former, group):
            continue
        if _differ(current, merged, group):
            undoing.since.append((group[0],))
            if unmerger.prefer != "former":
                continue
        undoing.values |= {field: getattr(former, field) for field in group}
    if undoing.values.get("parent") is not None:
        parent = undoing.values["parent"]
        undoing.values["parent"] = unmerger.heirs.get(parent, parent)


def _differ(one: Customer, other: Customer, fields: tuple[str, ...]) -> bool:
    return any(differs(getattr(one, field), getattr(other, field)) for field in fields)


def _undo_set(unmerger: Unmerger, field: str, undoing: _Undoing) -> None:
    current, former, merged = (getattr(record, field) for record in (unmerger.target, unmerger.former, unmerger.merged))
    if current == merged:
        undoing.values[field] = former
        return
    came, went = set(merged) - set(former), [one for one in former if one not in merged and one not in current]
    undoing.values[field] = (*(one for one in current if one not in came), *went)


def _undo_list(unmerger: Unmerger, field: str, undoing: _Undoing) -> None:
    before = {entry.id for entry in getattr(unmerger.former, field)}
    came = {entry.id: entry for entry in getattr(unmerger.merged, field) if entry.id not in before}
    entries: tuple[Any, ...] = getattr(unmerger.target, field)  # Any: addresses or contacts
    undoing.values[field] = tuple(entry for entry in entries if entry.id not in came)
    for entry in entries:
        if entry.id in came and _says(field, entry) != _says(field, came[entry.id]):
            undoing.since.append((field, str(entry.id)))
            if unmerger.prefer == "current":
                undoing.leaving[entry.id] = entry


def _says(field: str, entry: Address | Contact) -> tuple[object, ...]:
    """All that an entry says, without since when and by whom."""
    values = ((one.name, one.value) for one in entry.attributes)
    return (*(getattr(entry, member) for member in ENTRY_MEMBERS[field]), *values)


def _undo_attributes(unmerger: Unmerger, undoing: _Undoing) -> None:
    current, former, merged = (
        {value.name: value for value in record.attributes}
        for record in (unmerger.target, unmerger.former, unmerger.merged)
    )
    goal = dict(current)
    for name in merged:
        now, old, new = (_value(values.get(name)) for values in (current, former, merged))
        if old in (new, now):
            continue
        if now != new:
            undoing.since.append(("attributes", name))
            if unmerger.prefer != "former":
                continue
        if name in former:
            goal[name] = former[name]
        else:
            goal.pop(name, None)
    undoing.values["attributes"] = tuple(goal.values())


def _value(attribute: Attribute | None) -> tuple[UUID, str] | None:
    return (attribute.id, attribute.value) if attribute is not None else None


def _settle(unmerger: Unmerger, undoing: _Undoing, catalogue: Catalogue, moment: Moment) -> Customer:
    """The target as it shall be; notes what has to follow though somebody set it since."""
    target = unmerger.target
    asked = {field: value for field, value in undoing.values.items() if differs(getattr(target, field), value)}
    for field in tuple(_lost(target, asked, catalogue)):
        del asked[field]
        if field not in POINTERS:
            undoing.since.append((field,))
    updates = dict(asked)
    settle(target, updates, catalogue, moment)
    following = (field for field, value in updates.items() if field not in asked)
    undoing.since += ((field,) for field in following if differs(getattr(target, field), updates[field]))
    return msgspec.structs.replace(target, **updates)


def _lost(target: Customer, asked: Values, catalogue: Catalogue) -> Iterator[str]:
    """Fields whose former value does not fit what was changed since: they follow that instead.

    A pointer whose address or contact is not there any more, a default rep who was taken off the list, a service level
    whose carrier is another by now.
    """
    for pointer, field in POINTERS.items():
        value = asked.get(pointer)
        if value is not None and all(entry.id != value for entry in getattr(target, field)):
            yield pointer
    rep = asked.get("default_sales_rep")
    if rep is not None and rep not in asked.get("sales_reps", target.sales_reps):
        yield "default_sales_rep"
    level = catalogue.find_entry("service_level", asked.get("service_level"))
    details = level.details if level is not None else None
    if isinstance(details, ServiceLevelDetails) and details.carrier != asked.get("carrier", target.carrier):
        yield "service_level"


def _take_away(target: Customer, goal: Customer, catalogue: Catalogue, moment: Moment) -> Applied:
    """The target's next version; it has one also where the merge had brought it nothing."""
    try:
        applied = revert(target, goal, None, catalogue, moment)
    except Invalid as error:
        reason = "what this named before the merge is deleted"
        raise Invalid(tuple(FieldError(one.path, one.code, reason) for one in error.errors)) from error
    if applied.changes:
        return applied
    return Applied(follow(target, (), Stamp(target.version + 1, moment.now, moment.actor)), ())


def _give_back(unmerger: Unmerger, source: Customer, undoing: _Undoing, moment: Moment) -> Applied:
    """A source as it was, below the heir of its parent where that went into another since."""
    values: Values = {"deleted_at": None, "merged_into": None}
    if source.parent is not None and source.parent in unmerger.heirs:
        values["parent"] = unmerger.heirs[source.parent]
    for field in LISTS:
        entries: tuple[Any, ...] = getattr(source, field)  # Any: addresses or contacts
        if any(entry.id in undoing.leaving for entry in entries):
            values[field] = in_place(undoing.leaving.get(entry.id, entry) for entry in entries)
    changes = differences(source, msgspec.structs.replace(source, **values))
    return Applied(follow(source, changes, Stamp(source.version + 1, moment.now, moment.actor)), changes)
