"""What all of administration does alike: who may, what a body says, what came of a write, which page."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from customerhub.core.command import Command
from customerhub.core.system import PERMISSIONS
from customerhub.dialects.hub.answers import respond
from customerhub.dialects.hub.auth import ADMIN
from customerhub.dialects.hub.canonical import Shown, to_time
from customerhub.dialects.hub.errors import to_pointer
from customerhub.dialects.hub.paging import DEFAULT_LIMIT, MAX_LIMIT, QueryReader, to_page, to_scope
from customerhub.dialects.hub.read import Body, Draft, strangers
from customerhub.dialects.hub.wire import is_uuid
from customerhub.model.answer import Answer
from customerhub.model.catalogue import CatalogueEntry, TeamSettings, User
from customerhub.model.error import FieldError, NotFound
from customerhub.model.page import Dated, window
from customerhub.web.operation import Call

Row = TypeVar("Row", bound=Dated)
# Marks of a version, which every change changes.
_MARKS: Final = ("version", "updated_at", "updated_by")


class Report(TypedDict):
    """What a write changed, which values it named and found as they are, and what it ignored, by JSON Pointers."""

    changed: list[str]
    equal: list[str]
    ignored: list[str]


class Trace(Struct):
    """What the last look at a request found: the record before it as it is shown, and the members that it named."""

    before: Shown | None = None
    named: Iterable[str] = ()


class Reading(Struct, frozen=True):
    """A body whose members are known and keep their rules, but for those that `errors` tells of."""

    values: dict[str, Any]  # Any: JSON, checked
    errors: tuple[FieldError, ...]


def to_command(call: Call) -> Command:
    """The request's write, with all that its caller may do spelled out.

    A scope of this API stands for what other APIs grant one by one: whoever administers a team may give any of it.
    """
    caller = call.command.caller
    if ADMIN not in caller.scopes:
        return call.command
    return replace(call.command, caller=msgspec.structs.replace(caller, scopes=caller.scopes | frozenset(PERMISSIONS)))


def read_body(call: Call, model: type[object], adapter: TypeAdapter[object]) -> Reading:
    """The members of the body; one that nobody knows is refused whatever the team says of customers.

    A mistyped name would leave open what was meant to be closed. Raises Malformed.
    """
    raw: Body = call.json_object()
    draft = Draft(raw, TeamSettings())
    for name in strangers(raw, model.__annotations__):
        draft.refuse((name,), "unknown", "is unknown here")
    values = draft.check(adapter, {name: value for name, value in raw.items() if name in model.__annotations__})
    return Reading(values, draft.found())


def get_id(call: Call, kind: str) -> UUID:
    """The id in the path; raises NotFound for what is no UUID."""
    text = call.path["id"]
    if not is_uuid(text):
        raise NotFound(kind, text)
    return UUID(text)


def to_id(text: str | None) -> UUID | None:
    """The id that a checked text is."""
    return UUID(text) if text is not None else None


def respond_written(
    call: Call, status: int, name: str, shown: Shown, version: int, trace: Trace, **more: object
) -> Answer:
    """What was written, under its name, and what came of the request; `more` are further members."""
    before = trace.before
    changed = [""] if before is None else [to_pointer((member,)) for member in _differences(before, shown)]
    named = [to_pointer((member,)) for member in trace.named]
    equal = [pointer for pointer in named if pointer not in changed] if before is not None else []
    report = {"changed": changed, "equal": equal, "ignored": list[str]()}
    return respond(call, status, {name: shown, **more, **report}, version)


def _differences(before: Shown, after: Shown) -> list[str]:
    return [member for member in after if member not in _MARKS and before.get(member) != after[member]]


def to_marks(record: User | CatalogueEntry) -> Shown:
    """When a record was made and last changed, and by whom."""
    return {
        "created_at": to_time(record.created_at),
        "updated_at": to_time(record.updated_at),
        "created_by": str(record.created_by),
        "updated_by": str(record.updated_by),
    }


def list_rows(
    call: Call, name: str, rows: Iterable[Row], to_shown: Callable[[Row], Shown], reader: QueryReader | None = None
) -> Answer:
    """A page of what is at hand, the newest first; `reader` has read the filters already."""
    reader = reader or QueryReader(call.query, ("after", "limit"))
    scope = to_scope(call, name)
    position, limit = reader.position(scope, "after"), reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT)
    reader.check()
    page = window(rows, position, limit)
    return respond(call, 200, to_page(scope, [to_shown(row) for row in page.items], page.after))
