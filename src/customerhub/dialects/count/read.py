"""Check a body against its wire model: every wrong member is named, those without effect are noted as warnings."""

from collections.abc import Iterable, Mapping
from typing import cast

from msgspec import Struct
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from customerhub.model.error import FieldError, Path

Body = dict[str, object]
INTERNAL, UNKNOWN = "internal_only", "unknown_field"
_MESSAGES = {INTERNAL: "is not set by this request", UNKNOWN: "is not a field of this request"}


class Warned(Struct, frozen=True):
    """A member that has no effect, by its path as in errors."""

    field: str
    reason: str

    def to_body(self) -> dict[str, str]:
        """As an answer tells it; `field` stands for itself, since the name is the client's."""
        return {"field": self.field, "reason": self.reason, "message": f"{self.field} {_MESSAGES[self.reason]}"}


class Draft:
    """A body after its checks; where `errors` is empty its members are what the wire model says, or as shown now."""

    def __init__(self, value: Body) -> None:
        self.value = value
        self.errors: list[FieldError] = []
        self.warnings: list[Warned] = []

    def refuse(self, path: Path, code: str, reason: str) -> None:
        """Note one more error."""
        self.errors.append(FieldError(path, code, reason))

    def note_others(
        self, value: object, path: Path, known: Iterable[str], internal: Iterable[str], *, refuses_unknown: bool
    ) -> None:
        """Warn of the members of an object that have no effect, or refuse those that nobody knows."""
        if not isinstance(value, dict):
            return
        known, internal = frozenset(known), frozenset(internal)
        for name in value:
            if name in known:
                continue
            place = FieldError((*path, name), "unknown", "is not a field of this request")
            if name in internal:
                self.warnings.append(Warned(place.dotted(), INTERNAL))
            elif refuses_unknown:
                self.errors.append(place)
            else:
                self.warnings.append(Warned(place.dotted(), UNKNOWN))


def check(adapter: TypeAdapter[object], raw: Body, shown: Mapping[str, object]) -> Draft:
    """The body after its model's checks; a value that is shown now passes whatever they say of it."""
    draft = Draft(raw)
    try:
        adapter.validate_python(raw)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            path = tuple(found["loc"])
            if found["type"] == "missing" or not _is_shown(shown, path, found["input"]):
                draft.refuse(path, *_explain(found))
    return draft


def without_nulls(raw: Body, names: Iterable[str]) -> Body:
    """The body as if the nulls of these members had been left out."""
    names = frozenset(names)
    return {name: value for name, value in raw.items() if value is not None or name not in names}


def _is_shown(shown: object, path: Path, value: object) -> bool:
    """Whether a value at a path of the request is what stands there now; lists are not sent back here."""
    for step in path:
        if not isinstance(shown, dict) or step not in shown:
            return False
        shown = cast("Body", shown)[str(step)]
    return type(shown) is type(value) and shown == value


_EXPLANATIONS = {
    "missing": ("required", "is required"),
    "string_type": ("invalid_type", "must be a string"),
    "bool_type": ("invalid_type", "must be true or false"),
    "list_type": ("invalid_type", "must be an array"),
    "dict_type": ("invalid_type", "must be an object"),
}


def _explain(found: ErrorDetails) -> tuple[str, str]:
    """Code and reason in this contract's words."""
    kind, context = found["type"], found.get("ctx", {})
    if found["input"] is None and kind != "missing":
        return "not_nullable", "must not be null"
    if kind == "string_too_long":
        return "too_long", f"must be at most {context['max_length']} characters"
    if kind == "literal_error":
        return "invalid_enum", f"must be {context['expected']}".replace("'", "")
    return _EXPLANATIONS.get(kind, (kind, found["msg"]))
