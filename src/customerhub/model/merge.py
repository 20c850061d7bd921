"""Make one customer of several: a pure function from the records as they are to the next version of each."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from msgspec import Struct

from customerhub.model.apply import Applied, advance
from customerhub.model.change import FieldChange
from customerhub.model.customer import Address, Attribute, Contact, Customer
from customerhub.model.error import Conflict
from customerhub.model.nested import Entry, Moment, join_entries, pointer_step

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
# What an address or a contact has beside its content; its custom values are compared by what they say.
_MARKS = frozenset(("id", "created_at", "updated_at", "attributes"))


class Merger(Struct, frozen=True):
    """All that a merge looks at: live records, and the ids of the `line` above the target, the nearest first.

    `children` are those below a source that are neither a source nor the target.
    """

    target: Customer
    sources: tuple[Customer, ...]
    children: tuple[Customer, ...] = ()
    line: tuple[UUID, ...] = ()


class Merged(Struct, frozen=True):
    """What a merge makes of each record, in the order given."""

    target: Applied
    sources: tuple[Applied, ...]
    children: tuple[Applied, ...]


def merge(merger: Merger, moment: Moment) -> Merged:
    """The next version of every record: the target with all that came, the sources deleted, the children below it.

    The target's own values win, and what it lacks of settings stays away: only texts that describe it come, from the
    first source that has them. Addresses and contacts come with their ids, unless one of equal content is there;
    custom values by name, sales reps and price groups as they are. Raises Conflict where a child of a source stands
    above the target, which would then stand above itself.
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
    attributes = _missing(target.attributes, (value for source in sources for value in source.attributes))
    nested: list[FieldChange] = []
    values: dict[str, object] = {
        **_find_descriptions(target, sources),
        "sales_reps": _united(target.sales_reps, (rep for source in sources for rep in source.sales_reps)),
        "price_groups": _united(target.price_groups, (group for source in sources for group in source.price_groups)),
        "parent": _find_parent(merger),
        "addresses": join_entries(target.addresses, addresses, "/addresses", nested),
        "contacts": join_entries(target.contacts, contacts, "/contacts", nested),
        "attributes": (*target.attributes, *attributes),
    }
    nested += (FieldChange(f"/attributes/{pointer_step(value.name)}", None, value) for value in attributes)
    differing = {field: value for field, value in values.items() if value != getattr(target, field)}
    return Applied(*advance(target, differing, nested, moment))


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
    """The target's parent, or the next above it that stays; raises Conflict where the line comes back to it."""
    sources = {source.id for source in merger.sources}
    staying = [place for place, customer_id in enumerate(merger.line) if customer_id not in sources]
    first = staying[0] if staying else len(merger.line)
    if any(customer_id in sources for customer_id in merger.line[first:]):
        raise Conflict("a customer below a source stands above the target")
    return merger.line[first] if staying else None
