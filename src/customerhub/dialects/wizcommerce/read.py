"""Check a request body against its wire model and keep going: every error is named, the rest stays usable."""

from collections.abc import Callable, Iterable
from typing import cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from customerhub.model.error import FieldError, Path

Body = dict[str, object]
NULL_REASON = "omit to keep, empty string to clear"


class Draft:
    """A request body on its way to a patch.

    `value` is the body without the members that failed a check; a list entry that failed as a whole stands there as
    None, so that positions still are those of the request. `ignored` names the members that the contract ignores.
    """

    def __init__(self, value: Body) -> None:
        self.value = value
        self.errors: list[FieldError] = []
        self.ignored: list[str] = []

    def refuse(self, path: Path, code: str, reason: str) -> None:
        """Note one more error."""
        self.errors.append(FieldError(path, code, reason))

    def objects(self, name: str) -> list[tuple[int, Body]]:
        """The usable objects of a list member, with their positions."""
        items = cast("list[Body | None]", self.value.get(name) or [])
        return [(position, item) for position, item in enumerate(items) if item is not None]


def check(
    adapter: TypeAdapter[object],
    raw: Body,
    is_shown: Callable[[Path, object], bool],
    *,
    ignores_null: bool = False,
) -> Draft:
    """The body after its wire model's checks; a value that `is_shown` now passes whatever the checks say of it."""
    value = cast("Body", without_nulls(raw)) if ignores_null else raw
    draft = Draft(value)
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        draft.value = cast("Body", _copy(value))
        for found in error.errors(include_url=False):
            path = tuple(found["loc"])
            if not is_shown(path, found["input"]):
                draft.refuse(path, found["type"], reason_of(found))
                _drop(draft.value, path, is_missing=found["type"] == "missing")
    return draft


def never_shown(path: Path, value: object) -> bool:
    """For records that are only being made: nothing is shown of them yet."""
    del path, value
    return False


def note_ignored(draft: Draft, known: Iterable[str], answered: Iterable[str], *, refuses_unknown: bool) -> None:
    """Name the members at the top of the body that its model does not know; refuse those that no answer has either."""
    known, answered = frozenset(known), frozenset(answered)
    for name in draft.value:
        if name in known:
            continue
        if refuses_unknown and name not in answered:
            draft.refuse((name,), "unknown", "unknown member")
        else:
            draft.ignored.append(name)


def note_ignored_in(draft: Draft, member: str, known: Iterable[str]) -> None:
    """The same inside a list of objects, attributes of each included."""
    known = frozenset(known)
    for position, item in draft.objects(member):
        for name in item:
            if name not in known:
                draft.ignored.append(f"{member}[{position}].{name}")
        note_ignored_attributes(draft, item.get("attributes"), f"{member}[{position}].")


def note_ignored_attributes(draft: Draft, attributes: object, prefix: str = "") -> None:
    """The same inside custom values."""
    for position, attribute in enumerate(cast("list[Body | None]", attributes or [])):
        for name in attribute or ():
            if name not in ("name", "value"):
                draft.ignored.append(f"{prefix}attributes[{position}].{name}")


_REASONS = {
    "missing": "is required",
    "too_short": "must hold at least one id",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "list_type": "must be an array",
    "dict_type": "must be an object",
}


def reason_of(found: ErrorDetails) -> str:
    """The reason for people, in this contract's words."""
    kind, context = found["type"], found.get("ctx", {})
    if found["input"] is None and kind != "missing":
        return NULL_REASON
    if kind == "string_too_long":
        return f"must be at most {context['max_length']} characters"
    if kind == "literal_error":
        return f"must be {context['expected']}".replace("'", "")
    return _REASONS.get(kind, found["msg"])


def without_nulls(value: object) -> object:
    """The body as if every null in it had been left out."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def _copy(value: object) -> object:
    """A copy whose objects and arrays may be changed."""
    if isinstance(value, dict):
        return {name: _copy(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value


# Members without which an object in an array means nothing.
_KEYS = ("id", "name", "value", "label")


def _drop(value: object, path: Path, *, is_missing: bool) -> None:
    """Take out what failed: a member goes, a list entry becomes None; without a required member its object fails."""
    is_key = len(path) > 1 and isinstance(path[-2], int) and path[-1] in _KEYS
    steps = path[:-1] if is_missing or is_key else path
    for step in steps[:-1]:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
    if not steps:
        return
    last = steps[-1]
    if isinstance(value, dict):
        value.pop(last, None)
    elif isinstance(value, list) and isinstance(last, int):
        value[last] = None
