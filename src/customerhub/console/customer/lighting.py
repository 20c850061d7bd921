"""Which field of the record stands behind each value that a system shows, found out by changing one field at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import quote

from customerhub.console.customer.specimen import (
    CATALOGUE,
    NAME,
    SPECIMEN,
    list_custom_variants,
    list_entry_variants,
    list_variants,
)
from customerhub.model.customer import POINTERS, Customer
from customerhub.web.dialect import Dialect

Steps = tuple[str, ...]
"""A place in what a system shows, or in the record; ANY is whichever entry of a list, or name of a custom value."""
ANY: Final = "\0any"
_CUSTOM: Final = "attributes"
_LISTS: Final = ("addresses", "contacts")
# A step of a place in the record that says: the entry which this pointer names.
_POINTED: Final = "\0at "


@dataclass(slots=True)
class Node:
    """A place in what a system shows: what stands behind all that is in it, and the places inside."""

    sources: list[Steps] = field(default_factory=list)
    inside: dict[str, "Node"] = field(default_factory=dict)

    def find(self, step: str | int) -> "Node | None":
        """The place one step further in, if anything is known of it."""
        if isinstance(step, str) and step in self.inside:
            return self.inside[step]
        return self.inside.get(ANY)


def learn(dialect: Dialect) -> Node:
    """What stands behind which place, for one dialect; found out once in a process."""
    if dialect.name not in _learnt:
        _learnt[dialect.name] = _learn(dialect)
    return _learnt[dialect.name]


_learnt: Final[dict[str, Node]] = {}


def _learn(dialect: Dialect) -> Node:
    root, before = Node(), dialect.show(SPECIMEN, CATALOGUE)

    def note(variant: Customer, *source: str, through: str | None = None) -> None:
        for steps in _differing(before, dialect.show(variant, CATALOGUE)):
            # Where no list leads there, it is the entry that a pointer names.
            is_pointed = through is not None and not any(isinstance(step, int) for step in steps)
            placed = (source[0], through, *source[2:]) if through is not None and is_pointed else source
            node = root
            for step in steps:
                node = node.inside.setdefault(ANY if isinstance(step, int) or step == NAME else step, Node())
            if placed not in node.sources:
                node.sources.append(placed)

    for name, variant in list_variants():
        note(variant, name)
    for member in _LISTS:
        for place, entry in enumerate(getattr(SPECIMEN, member)):
            through = _find_pointer(member, entry.id)
            for name, variant in list_entry_variants(member, place):
                note(variant, member, ANY, name, through=through)
    for owner, variant in list_custom_variants():
        if owner is None:
            note(variant, _CUSTOM, ANY)
        else:
            through = _find_pointer(owner[0], getattr(SPECIMEN, owner[0])[owner[1]].id)
            note(variant, owner[0], ANY, _CUSTOM, ANY, through=through)
    return root


def _find_pointer(member: str, entry_id: object) -> str | None:
    names = (pointer for pointer, field in POINTERS.items() if field == member)
    return next((_POINTED + name for name in names if getattr(SPECIMEN, name) == entry_id), None)


def _differing(one: object, other: object, steps: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The outermost places at which two values are not of one shape, and the innermost at which they differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping) and one and other:
        for name in {**one, **other}:
            if name in one and name in other:
                yield from _differing(one[name], other[name], (*steps, name))
            else:
                yield (*steps, name)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (own, theirs) in enumerate(zip(one, other, strict=True)):
            yield from _differing(own, theirs, (*steps, place))
    elif one != other:
        yield steps


class Lamp:
    """Names the fields of one customer behind places of what a dialect shows of it."""

    def __init__(self, dialect: Dialect, customer: Customer) -> None:
        self.root = learn(dialect)
        self._customer = customer
        # All that an entry of a list says is found through the same steps.
        self._known: dict[tuple[Steps, tuple[str | int, ...]], _Reached | None] = {}

    def name(self, node: Node | None, bound: tuple[str | int, ...]) -> str:
        """The fields behind a place, as names with spaces between; `bound` is what stood where ANY is, in order.

        Names are made of words of ours and of quoted ones: they can stand anywhere in a page.
        """
        if node is None:
            return ""
        if len(node.sources) == 1:
            return self._resolve(node.sources[0], bound)
        names = (self._resolve(source, bound) for source in node.sources)
        return " ".join(filter(None, dict.fromkeys(names)))

    def _resolve(self, source: Steps, bound: tuple[str | int, ...]) -> str:
        *_, last = source
        owners = source[:-1], bound
        if owners not in self._known:
            self._known[owners] = self._reach(*owners)
        reached = self._known[owners]
        if reached is None:
            return ""
        found = self._step(reached, last)
        return ".".join(found.named) if found is not None else ""

    def _reach(self, steps: Steps, bound: tuple[str | int, ...]) -> "_Reached | None":
        found: _Reached | None = _Reached(self._customer, (), bound)
        for step in steps:
            found = self._step(found, step) if found is not None else None
        return found

    def _step(self, now: "_Reached", step: str) -> "_Reached | None":
        """One step further in; None where nothing is."""
        owner, left, text = now.owner, now.left, step
        if step == ANY:
            owner, text = _pick(owner, left[0]) if left else (None, "")
            left = left[1:]
        elif step.startswith(_POINTED):
            wanted = getattr(self._customer, step.removeprefix(_POINTED))
            owner = next((one for one in _to_entries(owner) if getattr(one, "id", None) == wanted), None)
            text = str(wanted) if owner is not None else ""
        else:
            owner = getattr(owner, step, None)
        return _Reached(owner, (*now.named, text), left) if text else None


class _Reached(NamedTuple):
    """What stands somewhere in the record, the names of the steps there, and what stood at the loose steps to come."""

    owner: object
    named: tuple[str, ...]
    left: tuple[str | int, ...]


def _to_entries(owner: object) -> tuple[object, ...]:
    return owner if isinstance(owner, tuple) else ()


def _pick(owner: object, key: str | int) -> tuple[object, str]:
    """An entry of a list by its place, or a custom value by place or name; with what it is called."""
    entries = _to_entries(owner)
    if isinstance(key, str):
        return None, quote(key, safe="")
    if key >= len(entries):
        return None, ""
    entry = entries[key]
    name = getattr(entry, "name", None) if hasattr(entry, "value") else getattr(entry, "id", None)
    return entry, quote(str(name), safe="")
