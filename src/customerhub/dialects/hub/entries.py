"""Addresses and contacts: from what a request says of a list to a patch of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Literal
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType
from pydantic import TypeAdapter

from customerhub.dialects.hub import wire
from customerhub.dialects.hub.canonical import Shown, to_entry
from customerhub.dialects.hub.custom import CustomValues, check_removals, names_in
from customerhub.dialects.hub.read import Body, Draft, is_same
from customerhub.model.catalogue import Catalogue, Entity
from customerhub.model.customer import Address, Contact
from customerhub.model.error import Path
from customerhub.model.patch import AddressPatch, AttributesPatch, ContactPatch, ListPatch

_READ_ONLY: Final = ("id", "created_at", "updated_at")
EntryPatch = AddressPatch | ContactPatch


class ListEdit(Struct, frozen=True):
    """What a request makes of a list: of all its entries (`replace`), of those it names (`merge`), or taking them away.

    `path` is where the items stand in the request. No more than `most_removals` may go, None is any number; `limit` is
    where the request says that. `names` is whether the items name values of the record, each by itself.
    """

    mode: str
    items: list[object]
    path: Path
    limit: Path
    by: Literal["id", "reference_id"] = "id"
    most_removals: int | None = None
    names: bool = True


class Edited(Struct, frozen=True):
    """A list's patch, and which entry each item of the request is; None for an item that is wrong."""

    patch: ListPatch[Any]  # Any: AddressPatch or ContactPatch
    ids: tuple[UUID | None, ...] = ()


class _Kind(Struct, frozen=True):
    """What addresses and contacts differ in."""

    adapter: TypeAdapter[object]
    blank: Mapping[str, object]
    nullable: frozenset[str]
    make_patch: Callable[..., EntryPatch]
    entity: Entity


_KINDS: Final[Mapping[str, _Kind]] = {
    "addresses": _Kind(
        TypeAdapter(wire.AddressValues),
        {**dict.fromkeys(wire.AddressValues.__annotations__), "is_drop_ship": False},
        frozenset(wire.AddressValues.__annotations__) - {"is_drop_ship"},
        AddressPatch,
        "address",
    ),
    "contacts": _Kind(
        TypeAdapter(wire.ContactValues),
        dict.fromkeys(wire.ContactValues.__annotations__),
        frozenset(wire.ContactValues.__annotations__),
        ContactPatch,
        "contact",
    ),
}


# What may be named of an entry, by the list that it is in.
MEMBERS_OF_ENTRIES: Final = {member: (*_READ_ONLY, *kind.blank, "attributes") for member, kind in _KINDS.items()}


class Entries:
    """Reads what a request makes of the list `member`, which holds `current` now."""

    def __init__(
        self,
        draft: Draft,
        member: str,
        current: tuple[Address | Contact, ...],
        catalogue: Catalogue,
        mint: Callable[[], UUID],
    ) -> None:
        self._draft = draft
        self._member = member
        self._kind = _KINDS[member]
        self._catalogue = catalogue
        self._mint = mint
        self._shown: dict[UUID, Shown] = {entry.id: to_entry(entry) for entry in current}

    def read(self, edit: ListEdit) -> Edited:
        """The patch of the list; what is wrong goes to the draft."""
        if edit.mode == "remove":
            removed = self._find_removed(edit)
            check_removals(self._draft, len(removed), edit.most_removals, edit.limit, self._member)
            return Edited(ListPatch(remove=frozenset(removed)))
        ids = self._find_ids(edit)
        is_whole = edit.mode == "replace"
        change: dict[UUID, EntryPatch] = {}
        add: list[tuple[UUID, EntryPatch]] = []
        for place, (entry_id, item) in enumerate(zip(ids, edit.items, strict=True)):
            if entry_id is None or not isinstance(item, dict):
                continue
            path, shown = (*edit.path, place), self._shown.get(entry_id)
            patch = self._read_item(item, path, shown, is_whole=is_whole)
            if shown is None:
                add.append((entry_id, patch))
            else:
                change[entry_id] = patch
                self._name(edit, entry_id, item)
        self._check_references(edit, ids, change, add)
        if is_whole and not self._draft.is_wrong(*edit.path):
            removals = len(self._shown.keys() - set(ids))
            check_removals(self._draft, removals, edit.most_removals, edit.limit, self._member)
        if edit.names and not edit.items:
            self._draft.named.append((self._member,))
        return Edited(ListPatch(change=change, add=tuple(add), keep_others=not is_whole), tuple(ids))

    def _find_removed(self, edit: ListEdit) -> list[UUID]:
        """The entries that the items name, by keys or as objects with nothing but the key; one that is gone is gone."""
        removed: dict[UUID, None] = {}
        for place, item in enumerate(edit.items):
            key = item[edit.by] if isinstance(item, dict) and list(item) == [edit.by] else item
            if not isinstance(key, str):
                self._draft.refuse((*edit.path, place), "type", f"must be the {edit.by} of an entry")
            elif edit.by == "id" and not wire.is_uuid(key):
                self._draft.refuse((*edit.path, place), "uuid", "must be a UUID")
            else:
                found = self._find(edit, key, (*edit.path, place))
                self._draft.named.append((self._member, str(found or key)))
                if found is not None:
                    removed[found] = None
        return list(removed)

    def _find_ids(self, edit: ListEdit) -> list[UUID | None]:
        """Which entry each item is: by its key first, then by what it says; the others get new ids, in their order."""
        if not self._shown and edit.by == "id" and all(_is_new(item) for item in edit.items):
            return sorted(self._mint() for _ in edit.items)  # type: ignore[return-value] # none is wrong
        found: dict[int, UUID] = {}
        taken: set[UUID] = set()
        unknown: list[int] = []
        for place, item in enumerate(edit.items):
            path = (*edit.path, place)
            if not isinstance(item, dict):
                self._draft.refuse(path, "type", "must be an object")
                continue
            key = self._read_key(edit, item, path)
            if key is None:
                continue
            known = self._find(edit, key, path) if key else None
            if known is None and edit.by == "id" and key:
                self._draft.refuse((*path, "id"), "unknown_id", f"is none of this customer's {self._member}")
            elif known is None:
                unknown.append(place)
            elif known in taken:
                self._draft.refuse((*path, edit.by), "repeated", "is named twice")
            else:
                found[place] = known
                taken.add(known)
        found |= self._find_alike({place: edit.items[place] for place in unknown}, taken)
        new = [place for place in unknown if place not in found]
        found |= zip(new, sorted(self._mint() for _ in new), strict=True)
        return [found.get(place) for place in range(len(edit.items))]

    def _read_key(self, edit: ListEdit, item: Body, path: Path) -> str | None:
        """What the item is found by; empty for a new one, None for a wrong one."""
        key = item.get(edit.by)
        if key is None and edit.by == "id":
            return ""
        if key is None:
            self._draft.refuse((*path, edit.by), "required", "is required where entries are found by it")
        elif not isinstance(key, str) or not key:
            self._draft.refuse((*path, edit.by), "type", "must be a text that is not empty")
        elif edit.by == "id" and not wire.is_uuid(key):
            self._draft.refuse((*path, edit.by), "uuid", "must be a UUID")
        else:
            return key
        return None

    def _find(self, edit: ListEdit, key: str, path: Path) -> UUID | None:
        """The entry of this key, if there is one; one of several is refused."""
        if edit.by == "id":
            return entry_id if (entry_id := UUID(key)) in self._shown else None
        having = [entry_id for entry_id, shown in self._shown.items() if shown["reference_id"] == key]
        if len(having) > 1:
            self._draft.refuse((*path, edit.by), "ambiguous", f"stands on several {self._member}: name them by id")
        return having[0] if having else None

    def _find_alike(self, items: Mapping[int, object], taken: set[UUID]) -> Iterator[tuple[int, UUID]]:
        """Items that say exactly what an entry says that no other item is, by their places, with that entry."""
        free: dict[object, list[UUID]] = {}
        if not self._shown:
            return
        for entry_id, shown in self._shown.items():
            if entry_id not in taken and (content := self._to_content(shown)) is not None:
                free.setdefault(content, []).append(entry_id)
        for place, item in items.items():
            if isinstance(item, dict) and all(item.get(name) is None for name in _READ_ONLY):
                same = free.get(self._to_content(item))
                if same:
                    yield place, same.pop(0)

    def _to_content(self, item: Body) -> object:
        """All that an address or a contact says, as one value to compare; None for what cannot be one."""
        whole = {**self._kind.blank, **item}
        attributes = whole.pop("attributes", None) or {}
        values = [(name, type(value), value) for name, value in whole.items() if name not in _READ_ONLY]
        if not isinstance(attributes, dict) or any(isinstance(value, dict | list) for *_, value in values):
            return None
        if not all(isinstance(value, str) for value in attributes.values()):
            return None
        return frozenset(values), frozenset(attributes.items())

    def _read_item(self, item: Body, path: Path, shown: Shown | None, *, is_whole: bool) -> EntryPatch:
        """What an item asks of its entry; of a whole one what it leaves out is none."""
        draft, kind, now = self._draft, self._kind, shown or {}
        for name in item:
            if name in _READ_ONLY:
                self._check_read_only(item, name, path, now)
            elif name not in kind.blank and name != "attributes":
                draft.note_unknown((*path, name))
        sent = {**kind.blank, **item} if is_whole and shown is not None else item
        values = {name: value for name, value in sent.items() if name in kind.blank and not is_same(name, value, now)}
        checked = draft.check(kind.adapter, draft.without_nulls(values, kind.nullable, path), path)
        if shown is None:
            checked = {**kind.blank, **checked}
        custom = CustomValues(draft, (*path, "attributes"), now.get("attributes", {}), kind.entity, self._catalogue)
        attributes: AttributesPatch | UnsetType = UNSET
        if is_whole:
            attributes = custom.read_whole(item.get("attributes", {}))
        elif "attributes" in item:
            attributes = custom.read_merged(item["attributes"])
        return kind.make_patch(**checked, attributes=attributes)

    def _check_read_only(self, item: Body, name: str, path: Path, shown: Shown) -> None:
        """Marks may be sent as they stand, and as null where the item names no entry by its id."""
        sent = item[name]
        if is_same(name, sent, shown) or (sent is None and item.get("id") is None):
            return
        if name == "id" and shown and isinstance(sent, str) and sent.lower() == shown["id"]:
            return
        reason = "is given by the hub: leave it out" if not shown else "cannot be set, and is another by now"
        self._draft.refuse((*path, name), "read_only", reason)

    def _check_references(
        self,
        edit: ListEdit,
        ids: list[UUID | None],
        change: Mapping[UUID, EntryPatch],
        add: list[tuple[UUID, EntryPatch]],
    ) -> None:
        """A reference stands once in its list, as the edit leaves it; those that stood twice before may."""
        edits = {**change, **dict(add)}
        if not any(isinstance(patch.reference_id, str) for patch in edits.values()):
            return
        after = {} if edit.mode == "replace" else {one: shown["reference_id"] for one, shown in self._shown.items()}
        for known, patch in edits.items():
            now = self._shown[known]["reference_id"] if known in self._shown else None
            after[known] = now if patch.reference_id is UNSET else patch.reference_id
        count = Counter(after.values())
        for place, entry_id in enumerate(ids):
            reference = edits[entry_id].reference_id if entry_id in edits else None
            if isinstance(reference, str) and count[reference] > 1:
                path = (*edit.path, place, "reference_id")
                self._draft.refuse(path, "taken", f"stands on another of these {self._member}")

    def _name(self, edit: ListEdit, entry_id: UUID, item: Body) -> None:
        """Note which values of the record an item names."""
        if edit.names:
            owner = (self._member, str(entry_id))
            self._draft.named += _places(item, owner)


def _is_new(item: object) -> bool:
    return isinstance(item, dict) and item.get("id") is None


def _places(item: Body, owner: Path) -> Iterator[Path]:
    members = [name for name in item if name != "id"]
    if not members:
        yield owner
    for name in members:
        value = item[name]
        if name == "attributes" and isinstance(value, dict) and value:
            yield from ((*owner, name, inner) for inner in names_in(value))
        else:
            yield (*owner, name)
