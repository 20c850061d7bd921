"""Check a body against its wire model: every wrong member is named, and those that nobody knows are too."""

from collections.abc import Iterable, Mapping
from typing import cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from customerhub.model.catalogue import TeamSettings
from customerhub.model.error import FieldError, Invalid, Path, check_count, dotted, in_order
from customerhub.web.operation import Call

Body = dict[str, object]


class Draft:
    """A body after its checks; where `errors` is empty its members are what the wire model says, or as shown now.

    `ignored` names the members that nobody knows and that the team has ignored.
    """

    def __init__(self, value: Body) -> None:
        self.value = value
        self.errors: list[FieldError] = []
        self.ignored: list[str] = []

    def refuse(self, path: Path, code: str, reason: str) -> None:
        """Note one more error."""
        self.errors.append(FieldError(path, code, reason))
        check_count(len(self.errors))

    def note_unknown(self, known: Iterable[str], settings: TeamSettings, path: Path = (), value: object = None) -> None:
        """Refuse the members that are not `known` of the body, or of the object `value` at `path` inside it.

        A team may have them ignored instead; then they are named in the answer.
        """
        found = value if path else self.value
        if not isinstance(found, dict):
            return
        known = frozenset(known)
        for name in found:
            if name in known:
                continue
            if settings.unknown_members == "ignore":
                self.ignored.append(dotted((*path, name)))
            else:
                self.refuse((*path, name), "unknown", "is not a member of this request")

    def found(self) -> tuple[FieldError, ...]:
        """All errors so far, in the order of the request."""
        return in_order(self.errors, self.value)

    def check(self) -> None:
        """Raise Invalid with all errors so far."""
        if self.errors:
            raise Invalid(self.found())


def read_body(call: Call) -> Body:
    """The body as a JSON object; none at all is an empty one. Raises Malformed."""
    return call.json_object() if call.raw_body.strip() else {}


def check(adapter: TypeAdapter[object], raw: Body, shown: Mapping[str, object] | None = None) -> Draft:
    """The body after its model's checks; a member that is sent as it is shown now passes whatever they say of it.

    `shown` has the record by the names of requests; None where it is only being made. Raises Malformed where there
    are more errors than are told apart.
    """
    draft = Draft(raw)
    try:
        adapter.validate_python(raw)
    except ValidationError as error:
        check_count(error.error_count())
        for found in error.errors(include_url=False):
            path = tuple(found["loc"])
            if shown is None or not is_shown(raw, path[:1], shown):
                draft.refuse(path, *_explain(found))
    return draft


def is_shown(raw: Body, path: Path, shown: Mapping[str, object]) -> bool:
    """Whether the member that a path begins with is sent exactly as it is shown now."""
    if not path or path[0] not in raw or path[0] not in shown:
        return False
    name = str(path[0])
    return type(raw[name]) is type(shown[name]) and raw[name] == shown[name]


def without_nulls(raw: Body, names: Iterable[str]) -> Body:
    """The body as if the nulls of these members had been left out."""
    names = frozenset(names)
    return {name: value for name, value in raw.items() if value is not None or name not in names}


_TYPES = {
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "list_type": "must be an array",
    "dict_type": "must be an object",
}


def _explain(found: ErrorDetails) -> tuple[str, str]:
    """Code and reason in this contract's words."""
    kind, context = found["type"], cast("dict[str, object]", found.get("ctx", {}))
    if kind == "missing":
        return "missing", "is required"
    if found["input"] is None:
        return "not_nullable", "must not be null"
    if kind in _TYPES:
        return "type", _TYPES[kind]
    if kind == "string_too_long":
        return "too_long", f"must be at most {context['max_length']} characters"
    if kind == "too_long":
        return "too_long", f"must hold at most {context['max_length']}"
    if kind == "too_short":
        return "too_short", "must hold at least one"
    if kind == "literal_error":
        if not isinstance(found["input"], str):
            return "type", "must be a string"
        return "enum", f"must be {context['expected']}".replace("'", "")
    return kind, found["msg"]
