"""Make one customer of several: a pure function from the records as they are to the next version of each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.apply import Applied, advance
from customerhub.model.change import FieldChange, differs
from customerhub.model.customer import CREDIT_LIMIT, POINTERS, Address, Attribute, Contact, Customer
from customerhub.model.error import Conflict, FieldError, Invalid
from customerhub.model.nested import Entry, Moment, join_entries, pointer_step
from customerhub.model.patch import PLAIN_FIELDS

# Texts that describe the customer and go together: taken from the first source that has any, where the target has none.
_DESCRIPTIONS = (
    ("reference_id",),
    ("first_name", "last_name"),
    ("email",),
    ("phone",),
    ("website",),
    ("note",),
    ("tax_number",),
)
_ATTRIBUTES: Final = "attributes"
SURVIVORS: Final = (*(field for field in PLAIN_FIELDS if field != "credit_limit_unit"), _ATTRIBUTES)
"""The fields of which one can say whose value survives; addresses and contacts are always united."""
# What an address or a contact has beside its content; its custom values are compared by what they say.
_MARKS = frozenset(("id", "created_at", "updated_at", "attributes"))


class Merger(Struct, frozen=True):
    """All that a merge looks at: live records, and the ids of the `line` above the target, the nearest first.

    `children` are those below a source that are neither a source nor the target. `survivors` are the target or a
    source by fields of `SURVIVORS`: theirs is the value that survives. The line is that above whoever has `parent`.
    """

    target: Customer
    sources: tuple[Customer, ...]
    children: tuple[Customer, ...] = ()
    line: tuple[UUID, ...] = ()
    survivors: Mapping[str, Customer] = {}


class Merged(Struct, frozen=True):
    """What a merge makes of each record, in the order given."""

    target: Applied
    sources: tuple[Applied, ...]
    children: tuple[Applied, ...]


def merge(merger: Merger, moment: Moment) -> Merged:
    """The next version of every record: the target with all that came, the sources deleted, the children below it.

    The target's own values win, and what it lacks of settings stays away: only texts that describe it come, from the
    first source that has them. Addresses and contacts come with their ids, unless one of equal content is there;
    custom values by name, sales reps and price groups as they are. A survivor's value stands for all, be it none; of
    custom values it is one by one, and the others come all the same. Raises Conflict where a child of a source stands
    above the target, which would then stand above itself, and Invalid for a service level of another carrier.
    """
    records = (merger.target, *merger.sources, *merger.children)
    moment = moment.after(max(record.updated_at for record in records))
    target = merger.target
    return Merged(
        _take_in(merger, moment),
        tuple(
            Applied(*advance(source, {"deleted_at": moment.now, "merged_into": target.id}, (), moment))
            for source in merger.sources
        ),
        tuple(Applied(*advance(child, {"parent": target.id}, (), moment)) for child in merger.children),
    )


def _take_in(merger: Merger, moment: Moment) -> Applied:
    """The target's next version; it has one also where it had everything already."""
    target, sources = merger.target, merger.sources
    addresses = _additions(target.addresses, (address for source in sources for address in source.addresses))
    contacts = _additions(target.contacts, (contact for source in sources for contact in source.contacts))
    nested: list[FieldChange] = []
    values: dict[str, object] = {
        **_find_descriptions(target, sources),
        "sales_reps": _united(target.sales_reps, (rep for source in sources for rep in source.sales_reps)),
        "price_groups": _united(target.price_groups, (group for source in sources for group in source.price_groups)),
        "addresses": join_entries(target.addresses, addresses, "/addresses", nested),
        "contacts": join_entries(target.contacts, contacts, "/contacts", nested),
        "attributes": _join_attributes(merger, moment, nested),
    }
    _let_survive(merger, values, moment)
    values["parent"] = _find_parent(merger)
    differing = {field: value for field, value in values.items() if differs(getattr(target, field), value)}
    return Applied(*advance(target, differing, nested, moment))


def _let_survive(merger: Merger, values: dict[str, object], moment: Moment) -> None:
    """Put the values of survivors in the place of those that win otherwise, with what follows from them."""
    target = merger.target
    for field, record in merger.survivors.items():
        if field in POINTERS:
            values[field] = _find_pointed(record, field, values)
        elif field in CREDIT_LIMIT:
            values |= {part: getattr(record, part) for part in CREDIT_LIMIT}
            # A limit keeps its id while there is one, and nobody else's.
            if record.credit_limit is not None:
                values["credit_limit_id"] = target.credit_limit_id or moment.mint()
        elif field != _ATTRIBUTES:
            values[field] = getattr(record, field)
    _settle_service_level(merger, values)
    reps: tuple[UUID, ...] = values["sales_reps"]  # type: ignore[assignment]
    default = values.get("default_sales_rep", target.default_sales_rep)
    if isinstance(default, UUID) and default not in reps:
        if "default_sales_rep" in values:
            values["sales_reps"] = (*reps, default)
        else:
            values["default_sales_rep"] = reps[0] if reps else None


def _find_pointed(record: Customer, pointer: str, values: Mapping[str, object]) -> UUID | None:
    """What a record's pointer names, as it came: itself, or the one that says the same and was there already."""
    entries: tuple[Address | Contact, ...] = getattr(record, POINTERS[pointer])
    own = next((entry for entry in entries if entry.id == getattr(record, pointer)), None)
    if own is None:
        return None
    united: tuple[Address | Contact, ...] = values[POINTERS[pointer]]  # type: ignore[assignment]
    alike = (entry.id for entry in united if _content(entry) == _content(own))
    return own.id if any(entry.id == own.id for entry in united) else next(alike)


def _settle_service_level(merger: Merger, values: dict[str, object]) -> None:
    """A level belongs to its carrier: another carrier drops the target's, and a survivor's must fit."""
    target, chosen = merger.target, merger.survivors.get("service_level")
    carrier = values.get("carrier", target.carrier)
    if chosen is None:
        if carrier != target.carrier:
            values["service_level"] = None
    elif chosen.service_level is not None and chosen.carrier != carrier:
        reason = "this service level belongs to another carrier than the one that survives"
        raise Invalid((FieldError(("survivorship", "service_level"), "wrong_carrier", reason),))


def _join_attributes(merger: Merger, moment: Moment, nested: list[FieldChange]) -> tuple[Attribute, ...]:
    """The target's custom values, a survivor's in their places, and those that it lacks."""
    survivor = merger.survivors.get(_ATTRIBUTES, merger.target)
    theirs = {value.name: value.value for value in survivor.attributes}
    joined: list[Attribute] = []
    for own in merger.target.attributes:
        value = theirs.get(own.name, own.value)
        if value != own.value:
            nested.append(FieldChange(f"/attributes/{pointer_step(own.name)}/value", own.value, value))
            own = msgspec.structs.replace(own, value=value, updated_at=moment.now, updated_by=moment.actor)  # noqa: PLW2901 - the same one
        joined.append(own)
    others = (value for source in (survivor, *merger.sources) for value in source.attributes)
    missing = _missing(merger.target.attributes, others)
    nested += (FieldChange(f"/attributes/{pointer_step(value.name)}", None, value) for value in missing)
    return (*joined, *missing)


def _find_descriptions(target: Customer, sources: Sequence[Customer]) -> dict[str, object]:
    found: dict[str, object] = {}
    for fields in _DESCRIPTIONS:
        having = (record for record in (target, *sources) if any(getattr(record, field) for field in fields))
        first = next(having, target)
        found |= {field: getattr(first, field) for field in fields}
    return found


def _united(own: tuple[UUID, ...], others: Iterable[UUID]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys((*own, *others)))


def _additions(own: Iterable[Entry], others: Iterable[Entry]) -> list[Entry]:
    """What comes to a list: those of the others whose content nothing has that is there already."""
    known = {_content(entry) for entry in own}
    added: list[Entry] = []
    for entry in others:
        content = _content(entry)
        if content not in known:
            known.add(content)
            added.append(entry)
    return added


def _content(entry: Address | Contact) -> tuple[object, ...]:
    """All that an address or a contact says: everything but which one it is, and since when."""
    texts = (getattr(entry, field) for field in entry.__struct_fields__ if field not in _MARKS)
    return (*texts, frozenset((value.name, value.value) for value in entry.attributes))


def _missing(own: Iterable[Attribute], others: Iterable[Attribute]) -> list[Attribute]:
    """Custom values under names that are not there yet, the first of each name."""
    known = {value.name for value in own}
    missing: dict[str, Attribute] = {}
    for value in others:
        if value.name not in known:
            missing.setdefault(value.name, value)
    return list(missing.values())


def _find_parent(merger: Merger) -> UUID | None:
    """The first above the target that stays; raises Conflict where the line comes back to who goes, or to itself."""
    sources = {source.id for source in merger.sources}
    staying = [place for place, customer_id in enumerate(merger.line) if customer_id not in sources]
    first = staying[0] if staying else len(merger.line)
    if any(customer_id in sources for customer_id in merger.line[first:]) or merger.target.id in merger.line:
        raise Conflict("a customer below a source, or the target itself, would stand above the target")
    return merger.line[first] if staying else None
