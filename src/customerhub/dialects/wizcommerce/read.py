"""Check a request body against its wire model and keep going: every error is named, the rest stays usable."""

from collections.abc import Callable, Mapping
from typing import cast, get_args, get_type_hints

from msgspec import Struct
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import is_typeddict

from customerhub.model.error import FieldError, Path, check_count, dotted, in_order

Body = dict[str, object]
NULL_REASON = "omit to keep, empty string to clear"


class Draft:
    """A request body on its way to a patch.

    `value` is the body without the members that failed a check; a list entry that failed as a whole stands there as
    None, so that positions still are those of the request. `sent` is the body as sent, where the team ignores nulls
    without them. `ignored` names the members that the contract ignores.
    """

    def __init__(self, sent: Body) -> None:
        self.sent = sent
        self.value = sent
        self.errors: list[FieldError] = []
        self.ignored: list[str] = []

    def refuse(self, path: Path, code: str, reason: str) -> None:
        """Note one more error."""
        self.errors.append(FieldError(path, code, reason))
        check_count(len(self.errors))

    def found(self) -> tuple[FieldError, ...]:
        """All errors so far, in the order of the request."""
        return in_order(self.errors, self.sent)

    def objects(self, name: str) -> list[tuple[int, Body]]:
        """The usable objects of a list member, with their positions."""
        items = cast("list[Body | None]", self.value.get(name) or [])
        return [(position, item) for position, item in enumerate(items) if item is not None]


def check(
    adapter: TypeAdapter[object],
    raw: Body,
    get_shown: Callable[[], Body] | None = None,
    *,
    ignores_null: bool = False,
) -> Draft:
    """The body after its wire model's checks; a value equal to the one that is shown there now passes them all.

    Raises Malformed where there are more errors than are told apart.

    `get_shown` gives the record as it is shown, by the names of requests; without it, it is only being made.
    """
    draft = Draft(cast("Body", without_nulls(raw)) if ignores_null else raw)
    try:
        adapter.validate_python(draft.sent)
    except ValidationError as error:
        check_count(error.error_count())
        draft.value = cast("Body", _copy(draft.sent))
        shown = get_shown() if get_shown is not None else {}
        for found in error.errors(include_url=False):
            path = tuple(found["loc"])
            if not _is_shown(path, found["input"], draft.sent, shown):
                draft.refuse(path, found["type"], reason_of(found))
                _drop(draft.value, path, is_missing=found["type"] == "missing")
    return draft


def _is_shown(path: Path, value: object, sent: object, shown: object) -> bool:
    """Whether the value at a path of the request is what is shown there now."""
    for step in path:
        if isinstance(sent, list) and isinstance(step, int):
            sent = sent[step]
            shown = _same_record(shown, sent)
        elif isinstance(sent, dict) and isinstance(shown, dict):
            sent, shown = sent.get(step), shown.get(step)
        else:
            return False
    return shown is not None and type(shown) is type(value) and shown == value


def _same_record(shown: object, sent: object) -> object:
    """The shown record that a sent one means: by id, or by name among custom values."""
    if not isinstance(shown, list) or not isinstance(sent, dict):
        return None
    key = "id" if "id" in sent else "name"
    return next((record for record in shown if key in sent and record.get(key) == sent[key]), None)


class Members(Struct, frozen=True):
    """The members that a wire model knows, each with those inside it, and the ones that only answers have."""

    known: Mapping[str, "Members | None"]
    answered: frozenset[str]


def members_of(body: type, answer: type | None = None) -> Members:
    """What a request's model knows, all the way down, beside the model of the answer."""
    answers = get_type_hints(answer) if answer is not None else {}
    known = {
        name: members_of(inner, _model_in(answers.get(name))) if (inner := _model_in(hint)) is not None else None
        for name, hint in get_type_hints(body).items()
    }
    return Members(known, frozenset(answers))


def _model_in(hint: object) -> type | None:
    """The model of an object or of the objects in an array."""
    candidates = (hint, *get_args(hint))
    return next((found for found in candidates if isinstance(found, type) and is_typeddict(found)), None)


def note_ignored(draft: Draft, members: Members, *, refuses_unknown: bool) -> None:
    """Name the members that the model does not know, at any depth; refuse those that no answer has either."""
    _note(draft, draft.value, members, (), refuses_unknown=refuses_unknown)


def _note(draft: Draft, value: object, members: Members, path: Path, *, refuses_unknown: bool) -> None:
    if isinstance(value, list):
        for position, item in enumerate(value):
            _note(draft, item, members, (*path, position), refuses_unknown=refuses_unknown)
    elif isinstance(value, dict):
        for name, member in value.items():
            inner = members.known.get(name)
            if inner is not None:
                _note(draft, member, inner, (*path, name), refuses_unknown=refuses_unknown)
            elif name in members.known:
                continue
            elif refuses_unknown and name not in members.answered:
                draft.refuse((*path, name), "unknown", "unknown member")
            else:
                draft.ignored.append(dotted((*path, name)))


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
