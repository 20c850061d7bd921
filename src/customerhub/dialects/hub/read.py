"""A request on its way to a patch: what is wrong with it, what of it is ignored, which values it names."""

from collections.abc import Collection, Iterable, Mapping
from typing import cast

import msgspec
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import override

from customerhub.core.customers import Proposal
from customerhub.dialects.hub.canonical import SETS
from customerhub.model.catalogue import TeamSettings
from customerhub.model.error import FieldError, Invalid, Path, check_count, in_order

Body = dict[str, object]


class Draft:
    """Collects what is found while a request is read.

    Paths are places in the request, but in `named`: there they are places in the record, entries of lists by their
    ids. `places` leads from places in the record to those in the request, where they are not the same.
    """

    def __init__(self, sent: object, settings: TeamSettings) -> None:
        self.sent = sent
        self.settings = settings
        self.errors: list[FieldError] = []
        self.ignored: list[Path] = []
        self.named: list[Path] = []
        self.places: dict[Path, Path] = {("credit_limit_unit",): ("credit_limit", "unit")}

    def refuse(self, path: Path, code: str, reason: str) -> None:
        """Note one more error; raises Malformed where there are more than are told apart."""
        self.errors.append(FieldError(path, code, reason))
        check_count(len(self.errors))

    def is_wrong(self, *path: str | int) -> bool:
        """Whether an error was found at this place or inside it."""
        return bool(self.errors) and any(error.path[: len(path)] == path for error in self.errors)

    def note_unknown(self, path: Path) -> None:
        """Refuse a member that nobody knows; a team may have it ignored."""
        if self.settings.unknown_members == "ignore":
            self.ignored.append(path)
        else:
            self.refuse(path, "unknown", "is not a member of a customer" if len(path) == 1 else "is unknown here")

    def without_nulls(self, values: Body, nullable: Iterable[str], path: Path = ()) -> Body:
        """The values as they are, or without nulls where none may stand, if the team has them ignored."""
        if self.settings.null_members != "ignore":
            return values
        gone = [name for name, value in values.items() if value is None and name not in nullable]
        self.ignored += ((*path, name) for name in gone)
        return {name: value for name, value in values.items() if name not in gone}

    def check(self, adapter: TypeAdapter[object], values: Body, path: Path = ()) -> Body:
        """Those of the values that keep their rules; the others are noted as errors."""
        try:
            adapter.validator.validate_python(values)
        except ValidationError as error:
            check_count(error.error_count())
            wrong: set[object] = set()
            for found in error.errors(include_url=False):
                self.refuse((*path, *found["loc"]), *_explain(found))
                wrong.add(found["loc"][0])
            return {name: value for name, value in values.items() if name not in wrong}
        return values

    def found(self) -> tuple[FieldError, ...]:
        """All errors so far, by their places in the request."""
        return in_order((_placed(error, self.places) for error in self.errors), self.sent)


class Proposed(Proposal, frozen=True):
    """A proposal whose canonical errors are told by their places in the request."""

    places: Mapping[Path, Path] = {}

    @override
    def to_wire(self, canonical: Iterable[FieldError]) -> tuple[FieldError, ...]:
        """The request's own errors and canonical ones, in the order of the request."""
        return in_order((*self.errors, *(_placed(error, self.places) for error in canonical)), self.sent)


def read_closed(raw: Body, adapter: TypeAdapter[object], members: type) -> Body:
    """A body that has these members and no others, whatever the team says of strangers; raises Invalid."""
    draft = Draft(raw, TeamSettings())
    for name in strangers(raw, members.__annotations__):
        draft.note_unknown((name,))
    body = draft.check(adapter, raw)
    if draft.errors:
        raise Invalid(draft.found())
    return body


def strangers(sent: Body, known: Collection[str]) -> list[str]:
    """The members of an object that are not known there, in their order."""
    return [name for name in sent if name not in known]


def is_same(name: str, sent: object, shown: Mapping[str, object]) -> bool:
    """Whether a value is sent as it is shown; `true` is not 1, and the order of a set of groups means nothing."""
    if name not in shown:
        return False
    now = shown[name]
    if name == SETS[1] and isinstance(sent, list) and isinstance(now, list):
        return len(sent) == len(now) and all(item in now for item in sent) and all(item in sent for item in now)
    return type(sent) is type(now) and sent == now


def _placed(error: FieldError, places: Mapping[Path, Path]) -> FieldError:
    for length in (2, 1):
        place = places.get(error.path[:length])
        if place is not None:
            return msgspec.structs.replace(error, path=(*place, *error.path[length:]))
    return error


_TYPES = {
    "string_type": "must be a text",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "list_type": "must be an array",
    "dict_type": "must be an object",
}


def _explain(found: ErrorDetails) -> tuple[str, str]:
    """Code and reason in this API's words."""
    kind, context = found["type"], cast("dict[str, object]", found.get("ctx", {}))
    if kind == "missing":
        return "required", "is required"
    if found["input"] is None:
        return "not_nullable", "must not be null"
    if kind in _TYPES:
        return "type", _TYPES[kind]
    if kind == "string_too_long":
        return "too_long", f"must be at most {context['max_length']} characters"
    if kind == "too_long":
        return "too_long", f"must hold at most {context['max_length']}"
    if kind == "literal_error":
        if not isinstance(found["input"], str):
            return "type", "must be a text"
        return "enum", f"must be {context['expected']}".replace("'", "")
    return kind, found["msg"]
