"""The three forms of patches, and whole customers: each comes down to one patch of the canonical record."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Literal, cast
from uuid import UUID

from customerhub.dialects.hub.canonical import LISTS, MEMBERS, SETS, Shown, to_body
from customerhub.dialects.hub.custom import names_in, read_max_removals, read_mode
from customerhub.dialects.hub.entries import ListEdit
from customerhub.dialects.hub.fields import NULLABLE, Asked, Reading, to_reading
from customerhub.dialects.hub.json_patch import patch_customer
from customerhub.dialects.hub.read import Body, Draft, strangers
from customerhub.dialects.hub.wire import MAX_SET, is_uuid
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import Path

JSON: Final = "application/json"
MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"
LIST_AWARE: Final = "application/vnd.customerhub.patch+json"
MEDIA_TYPES: Final = (JSON, MERGE_PATCH, JSON_PATCH, LIST_AWARE)
_LIST_EDIT: Final = frozenset(("mode", "by", "items", "max_removals"))
_KEYS: Final = ("id", "reference_id")
_MEMBERS: Final = frozenset(MEMBERS)


def merge(target: object, patch: object) -> object:
    """A document after a merge patch (RFC 7396, 2); neither is changed."""
    if not isinstance(patch, dict):
        return patch
    merged: dict[str, object] = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def from_merge_patch(raw: Body, customer: Customer, catalogue: Catalogue, mint: Callable[[], UUID]) -> Reading:
    """What an RFC 7396 patch asks of a customer: null removes a member, arrays are replaced whole."""
    draft, shown = Draft(raw, catalogue.settings), to_body(customer)
    patch = _known(draft, draft.without_nulls(raw, NULLABLE))
    draft.named += _named(patch)
    target = cast("Shown", merge(shown, patch))
    return to_reading(draft, _whole(draft, target, patch), shown, customer, catalogue, mint)


def from_json_patch(raw: list[object], customer: Customer, catalogue: Catalogue, mint: Callable[[], UUID]) -> Reading:
    """What the operations of RFC 6902 ask of a customer. Raises MalformedPatch, Invalid, TestFailed."""
    draft, shown = Draft(raw, catalogue.settings), to_body(customer)
    patched = patch_customer(shown, raw)
    draft.named += patched.named
    asked = _whole(draft, patched.document, patched.members, names=False)
    return to_reading(draft, asked, shown, customer, catalogue, mint)


def from_list_aware(raw: Body, customer: Customer, catalogue: Catalogue, mint: Callable[[], UUID]) -> Reading:
    """What a list-aware patch asks of a customer: values as in a merge patch, and each list says what becomes of it."""
    draft, shown = Draft(raw, catalogue.settings), to_body(customer)
    patch = _known(draft, draft.without_nulls(raw, NULLABLE))
    draft.named += _named(patch)
    asked = Asked({}, {}, is_whole=False)
    for member, value in patch.items():
        if member in LISTS:
            edit = _to_list_edit(draft, member, value)
            if edit is not None:
                asked.lists[member] = edit
        elif member == "attributes":
            asked.custom = value
        elif member in SETS and isinstance(value, dict):
            _edit_set(draft, asked.values, member, value, shown[member])
        elif member == "credit_limit" and value is not None:
            asked.values[member] = merge(shown[member], value)
        else:
            asked.values[member] = value
    return to_reading(draft, asked, shown, customer, catalogue, mint)


def from_body(raw: Body, catalogue: Catalogue, mint: Callable[[], UUID]) -> Reading:
    """What a new customer is made of, by the members of the canonical form; what is left out is as one is born."""
    draft = Draft(raw, catalogue.settings)
    body = _known(draft, draft.without_nulls(raw, NULLABLE))
    if "name" not in body:
        draft.refuse(("name",), "required", "is required")
    return to_reading(draft, _whole(draft, body, body), {}, None, catalogue, mint)


def _known(draft: Draft, raw: Body) -> Body:
    """The members that a customer has."""
    for member in strangers(raw, _MEMBERS):
        draft.note_unknown((member,))
    return {member: value for member, value in raw.items() if member in _MEMBERS}


def _named(patch: Body) -> Iterator[Path]:
    """The places in the record that a patch names, but for those inside lists."""
    for member, value in patch.items():
        if member in LISTS:
            continue
        if member == "attributes" and isinstance(value, dict) and value:
            yield from ((member, name) for name in names_in(value))
        elif member == "credit_limit" and isinstance(value, dict) and value:
            yield from ((member, name) for name in value)
        else:
            yield (member,)


def _whole(draft: Draft, target: Shown, members: Iterable[str], *, names: bool = True) -> Asked:
    """What a document says the record is to have, of these members; without one that could be null it is null."""
    asked = Asked({}, {})
    for member in members:
        value = target.get(member)
        if member in LISTS:
            if isinstance(value, list):
                asked.lists[member] = ListEdit("replace", value, (member,), (member,), names=names)
            else:
                _refuse_list(draft, member, value)
        elif member == "attributes":
            asked.custom = value
        else:
            asked.values[member] = value
    return asked


def _to_list_edit(draft: Draft, member: str, value: object) -> ListEdit | None:
    """What becomes of a list; a plain array is put in place of all, if none of them goes by that."""
    if isinstance(value, list):
        return ListEdit("replace", value, (member,), (member,), most_removals=0)
    if not isinstance(value, dict):
        _refuse_list(draft, member, value)
        return None
    for name in strangers(value, _LIST_EDIT):
        draft.note_unknown((member, name))
    mode, items, by = read_mode(draft, value, (member,)), value.get("items"), value.get("by", "id")
    most = read_max_removals(draft, value, (member,), 0 if mode == "replace" else None)
    if by not in _KEYS:
        draft.refuse((member, "by"), "enum" if isinstance(by, str) else "type", f"must be one of {', '.join(_KEYS)}")
    if not isinstance(items, list):
        code = "required" if items is None else "type"
        draft.refuse((member, "items"), code, "must be an array of entries")
    if mode is None or draft.is_wrong(member) or not isinstance(items, list):
        return None
    key = cast("Literal['id', 'reference_id']", by)
    return ListEdit(mode, items, (member, "items"), (member, "max_removals"), key, most)


def _refuse_list(draft: Draft, member: str, value: object) -> None:
    if value is None:
        draft.refuse((member,), "not_nullable", "must not be null; an empty array is none")
    else:
        draft.refuse((member,), "type", "must be an array")


def _edit_set(draft: Draft, values: Body, member: str, edit: Body, shown: list[str]) -> None:
    """A set with ids added at its end and others taken out, as the whole set; ids that are gone already are gone."""
    for name in strangers(edit, ("add", "remove")):
        draft.note_unknown((member, name))
    lists: dict[str, list[Any]] = {}  # Any: texts, once they are checked
    for name in ("add", "remove"):
        ids = edit.get(name, [])
        if not isinstance(ids, list) or len(ids) > MAX_SET:
            draft.refuse((member, name), "type", f"must be an array of at most {MAX_SET} ids")
            ids = []
        for place, text in enumerate(ids):
            if not is_uuid(text):
                draft.refuse((member, name, place), "uuid", "must be a UUID")
        lists[name] = [text.lower() if isinstance(text, str) else "" for text in ids]
    if draft.is_wrong(member):
        return
    whole = [text for text in shown if text not in lists["remove"]]
    for place, text in enumerate(lists["add"]):
        if text not in whole:
            draft.places[member, len(whole)] = (member, "add", place)
            whole.append(text)
    values[member] = whole
