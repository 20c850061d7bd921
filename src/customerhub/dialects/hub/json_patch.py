"""JSON Patch (RFC 6902) on the canonical form: which places it may name, and what comes of its operations."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import jsonpatch
from msgspec import Struct

from customerhub.dialects.hub.canonical import LISTS, MEMBERS, SETS, Shown
from customerhub.dialects.hub.entries import MEMBERS_OF_ENTRIES
from customerhub.dialects.hub.errors import MalformedPatch, TestFailed
from customerhub.dialects.hub.wire import INDEX, MAX_OPERATIONS, POINTER, is_uuid
from customerhub.model.error import FieldError, Invalid, Path, check_count

# Copies of copies grow without end: so many values are copied at most.
MAX_COPIED: Final = 100_000

_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("from", "path"),
    "copy": ("from", "path"),
    "test": ("path", "value"),
}
_LIMIT: Final = ("value", "unit")
Operation = dict[str, Any]  # Any: JSON
Steps = tuple[str, ...]


class Patched(Struct, frozen=True):
    """A document after a patch: `members` are those at its top that may be others now, `named` the places it names."""

    document: Shown
    members: tuple[str, ...]
    named: tuple[Path, ...]


def apply_patch(document: object, operations: Sequence[Operation]) -> object:
    """The document after all operations, as RFC 6902 has it; the one given stays as it is.

    Raises jsonpatch.JsonPatchException or jsonpatch.JsonPointerException where one of them fails.
    """
    patched: object = jsonpatch.apply_patch(document, operations)
    return patched


def patch_customer(shown: Shown, sent: list[object]) -> Patched:
    """The canonical form of a customer after all operations.

    A place in a list is a position, or the id of an entry. Raises MalformedPatch for operations that are none, Invalid
    for places that a customer does not have and for operations that fail there, and TestFailed.
    """
    operations = _check(sent)
    document: Shown = copy.deepcopy(shown)
    named: list[Path] = []
    room = MAX_COPIED
    for place, operation in enumerate(operations):
        steps: dict[str, Steps] = {
            member: to_steps(operation[member]) for member in ("from", "path") if member in operation
        }
        named += _named(document, operation, steps)
        found = operation | {member: _locate(document, operation, place, path) for member, path in steps.items()}
        if operation["op"] == "copy":
            room -= _size(document, to_steps(found["from"]), room)
            if room < 0:
                raise _refused(place, "from", "too_large", "copies too much")
        _apply(document, found, place)
    written = (one for one in operations if one["op"] != "test")
    members = dict.fromkeys(to_steps(one[name])[0] for one in written for name in _places_written(one))
    return Patched(document, tuple(members), tuple(named))


def to_steps(pointer: str) -> Steps:
    """The steps of a JSON Pointer (RFC 6901, 4)."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def _check(sent: list[object]) -> list[Operation]:
    """The operations, each with the members that it needs and places that a customer has."""
    errors: list[FieldError] = []
    if len(sent) > MAX_OPERATIONS:
        errors.append(FieldError((), "too_long", f"holds {len(sent)} operations, and may hold {MAX_OPERATIONS}"))
    operations: list[Operation] = []
    for place, operation in enumerate(sent if not errors else ()):
        if isinstance(operation, dict):
            errors += _shape_errors(operation, place)
            operations.append(operation)
        else:
            errors.append(FieldError((place,), "type", "must be an object"))
    if errors:
        check_count(len(errors))
        raise MalformedPatch(tuple(errors))
    strange = tuple(
        FieldError((place, member), "unknown", "is no place in a customer")
        for place, operation in enumerate(operations)
        for member in ("from", "path")
        if member in _NEEDED[operation["op"]] and not _is_place(to_steps(operation[member]))
    )
    if strange:
        raise Invalid(strange)
    return [{name: one[name] for name in ("op", *_NEEDED[one["op"]])} for one in operations]


def _shape_errors(operation: Operation, place: int) -> Iterator[FieldError]:
    op = operation.get("op")
    if not isinstance(op, str) or op not in _NEEDED:
        code = "required" if op is None else "enum" if isinstance(op, str) else "type"
        yield FieldError((place, "op"), code, f"must be one of {', '.join(_NEEDED)}")
        return
    for member in _NEEDED[op]:
        if member not in operation:
            yield FieldError((place, member), "required", "is required")
        elif member != "value" and not isinstance(operation[member], str):
            yield FieldError((place, member), "type", "must be a text")
        elif member != "value" and not POINTER.fullmatch(operation[member]):
            yield FieldError((place, member), "pointer", "must be a JSON Pointer, such as /email")


def _is_place(steps: Steps) -> bool:
    """Whether a customer can have something there."""
    match steps:
        case (member,):
            return member in MEMBERS
        case ("credit_limit", inner):
            return inner in _LIMIT
        case ("attributes", _):
            return True
        case (member, index) if member in SETS:
            return _is_index(index)
        case (member, index, *inner) if member in LISTS:
            if not _is_index(index) and not is_uuid(index):
                return False
            return not inner or (inner[0] in MEMBERS_OF_ENTRIES[member] and _ends_well(inner))
    return False


def _is_index(step: str) -> bool:
    return step == "-" or INDEX.fullmatch(step) is not None


def _ends_well(inner: Sequence[str]) -> bool:
    return len(inner) == 1 or (inner[0] == "attributes" and len(inner) == len(("attributes", "name")))


def _locate(document: Shown, operation: Operation, place: int, steps: Steps) -> str:
    """A place as a pointer into the document as it is now, in which entries stand by their positions."""
    if len(steps) > 1 and steps[0] in LISTS and is_uuid(steps[1]):
        ids = [entry.get("id") if isinstance(entry, dict) else None for entry in _items(document, steps[0])]
        is_new = operation["op"] in ("add", "copy", "move") and len(steps) == len(("list", "entry"))
        if steps[1].lower() not in ids or (is_new and steps == to_steps(operation["path"])):
            raise _failed(operation, place)
        steps = (steps[0], str(ids.index(steps[1].lower())), *steps[2:])
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)


def _items(document: Shown, member: str) -> list[Any]:
    items = document.get(member)
    return items if isinstance(items, list) else []


def _apply(document: Shown, operation: Operation, place: int) -> None:
    try:
        jsonpatch.apply_patch(document, [operation], in_place=True)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException) as error:
        raise _failed(operation, place) from error


def _failed(operation: Operation, place: int) -> Invalid | TestFailed:
    if operation["op"] == "test":
        return TestFailed((FieldError((place,), "test_failed", f"found another value at {operation['path']}"),))
    return _refused(place, "path", "path", f"cannot {operation['op']} there: {operation['path']}")


def _refused(place: int, member: str, code: str, reason: str) -> Invalid:
    return Invalid((FieldError((place, member), code, reason),))


def _size(document: object, steps: Steps, most: int) -> int:
    """How many values there are at a place, counted no further than a little beyond `most`; none where it is none."""
    for step in steps:
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdecimal() and int(step) < len(document):
            document = document[int(step)]
        else:
            return 0
    size, waiting = 0, [document]
    while waiting and size <= most:
        value = waiting.pop()
        size += 1
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
    return size


def _places_written(operation: Operation) -> tuple[str, ...]:
    return ("path", "from") if operation["op"] == "move" else ("path",)


def _named(document: Shown, operation: Operation, steps: Mapping[str, Steps]) -> Iterator[Path]:
    """The places in the record that an operation writes; a new entry has no place yet."""
    if operation["op"] == "test":
        return
    for member in _places_written(operation):
        match steps[member]:
            case (field, _) if field in SETS:
                yield (field,)
            case (field, _) if field in LISTS and member == "path" and operation["op"] in ("add", "copy", "move"):
                continue
            case (field, index, *inner) if field in LISTS:
                entry_id = _find_id(_items(document, field), index)
                if entry_id is not None:
                    yield (field, entry_id, *inner)
            case path:
                yield path


def _find_id(items: list[Any], index: str) -> str | None:
    """The id of an entry that is named by it, or by its position; None for one that has none, or is not there."""
    if not index.isdecimal():
        return index.lower() if is_uuid(index) else None
    entry = items[int(index)] if int(index) < len(items) else None
    found = entry.get("id") if isinstance(entry, dict) else None
    return found if isinstance(found, str) else None
