"""Custom values: an object by names, or an edit that says what becomes of all of them; held against definitions."""

from collections.abc import Mapping
from typing import Final, cast

from msgspec import UNSET, UnsetType

from customerhub.dialects.hub.read import Body, Draft, strangers
from customerhub.model.attributes import find_fault
from customerhub.model.catalogue import Catalogue, Entity
from customerhub.model.error import Path
from customerhub.model.patch import AttributesPatch

MODES: Final = ("replace", "merge", "remove")
_EDIT: Final = frozenset(("mode", "items", "max_removals"))
_LONGEST_NAME: Final = 255


class CustomValues:
    """What a request makes of the custom values of one owner, which are `shown` now; at `path` in the request."""

    def __init__(
        self, draft: Draft, path: Path, shown: Mapping[str, str], entity: Entity, catalogue: Catalogue
    ) -> None:
        self._draft = draft
        self._path = path
        self._shown = shown
        self._entity = entity
        self._catalogue = catalogue

    def read_whole(self, sent: object) -> AttributesPatch | UnsetType:
        """An object that stands for all values; a null in it is a value that is not there."""
        if not isinstance(sent, dict):
            return self._refuse_type(sent)
        return AttributesPatch(put=self._read(sent, self._path), keep_others=False)

    def read_merged(self, sent: object) -> AttributesPatch | UnsetType:
        """An object whose values are set and whose nulls take away, or an edit in one of three modes."""
        if not isinstance(sent, dict):
            return self._refuse_type(sent)
        if is_edit(sent):
            return self._read_edit(sent)
        removed = frozenset(name for name, value in sent.items() if value is None)
        return AttributesPatch(put=self._read(sent, self._path), remove=removed)

    def _read_edit(self, edit: Body) -> AttributesPatch | UnsetType:
        path, items = (*self._path, "items"), edit.get("items")
        for name in strangers(edit, _EDIT):
            self._draft.note_unknown((*self._path, name))
        mode = read_mode(self._draft, edit, self._path)
        most = read_max_removals(self._draft, edit, self._path, 0 if mode == "replace" else None)
        if mode == "remove":
            items = self._find_removed(items, path)
        if not isinstance(items, dict) or mode is None:
            if mode is not None:
                self._draft.refuse(path, "type", "must be an object of values by their names")
            return UNSET
        if mode == "remove":
            removed = frozenset(items)
            put: dict[str, str] = {}
        else:
            put = self._read(items, path)
            kept = frozenset(name for name, value in items.items() if value is not None)
            removed = frozenset(self._shown) - kept if mode == "replace" else frozenset(items) - kept
        place = (*self._path, "max_removals")
        check_removals(self._draft, len(removed & self._shown.keys()), most, place, "custom values")
        return AttributesPatch(put=put, remove=removed)

    def _find_removed(self, items: object, path: Path) -> object:
        """The names that an edit takes away, as an object of nulls; whatever else it names stays what it is."""
        pairs = items.items() if isinstance(items, dict) else ()
        for name, value in pairs:
            if value is not None:
                self._draft.refuse((*path, name), "type", "must be null: only its name is meant")
        if not isinstance(items, list):
            return items
        for place, item in enumerate(items):
            if not isinstance(item, str):
                self._draft.refuse((*path, place), "type", "must be the name of a custom value")
        return dict.fromkeys(item for item in items if isinstance(item, str))

    def _read(self, values: Body, path: Path) -> dict[str, str]:
        """The texts among them, but for those that break a rule; what is shown already passes."""
        return {
            name: cast("str", value)
            for name, value in values.items()
            if value is not None and (self._shown.get(name) == value or self._fits((*path, name), name, value))
        }

    def _fits(self, path: Path, name: str, value: object) -> bool:
        draft = self._draft
        if not isinstance(value, str):
            draft.refuse(path, "type", "must be a text")
        elif name not in self._shown and (not name.strip() or len(name) > _LONGEST_NAME):
            draft.refuse(path, "name", f"must have a name of 1 to {_LONGEST_NAME} characters")
        elif (fault := find_fault(name, value, self._entity, self._catalogue)) is not None:
            draft.refuse(path, *fault)
        else:
            return True
        return False

    def _refuse_type(self, sent: object) -> UnsetType:
        if sent is None:
            self._draft.refuse(self._path, "not_nullable", "must not be null; a null inside takes one value away")
        else:
            self._draft.refuse(self._path, "type", "must be an object of values by their names")
        return UNSET


def is_edit(sent: Body) -> bool:
    """Whether an object is an edit of custom values and not values itself, which are texts by names."""
    return "mode" in sent and (isinstance(sent.get("items"), dict | list) or sent["mode"] in MODES)


def names_in(sent: Body) -> tuple[str, ...]:
    """The custom values that an object names, as values or as an edit."""
    items = sent.get("items") if is_edit(sent) else sent
    return tuple(name for name in items if isinstance(name, str)) if isinstance(items, dict | list) else ()


def read_mode(draft: Draft, edit: Body, path: Path) -> str | None:
    """The mode of an edit; None where it is none."""
    mode = edit.get("mode")
    if mode in MODES:
        return str(mode)
    code = "enum" if isinstance(mode, str) else "required" if mode is None else "type"
    draft.refuse((*path, "mode"), code, f"must be one of {', '.join(MODES)}")
    return None


def read_max_removals(draft: Draft, edit: Body, path: Path, default: int | None) -> int | None:
    """How many entries an edit may take away; None for any number."""
    if "max_removals" not in edit:
        return default
    number = edit["max_removals"]
    if type(number) is int and number >= 0:
        return number
    draft.refuse((*path, "max_removals"), "type", "must be a whole number from 0 on")
    return None


def check_removals(draft: Draft, number: int, most: int | None, path: Path, noun: str) -> None:
    """Refuse an edit that would take away more than it says; `path` is where it says so."""
    if most is not None and number > most:
        reason = f"this would take away {number} {noun}, and {most} is allowed"
        draft.refuse(path, "max_removals", f"{reason}; send an edit with max_removals {number} if that is meant")
