"""`/hub/v1/audit`: what happened to everything of the team, customers and all else, the newest first."""

from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from pydantic import Field
from typing_extensions import TypedDict

from customerhub.core.history import AuditEvent, EventFilter, walk_events
from customerhub.dialects.hub.answers import respond
from customerhub.dialects.hub.canonical import Shown, to_changes, to_time
from customerhub.dialects.hub.models import Actor, Change, Time
from customerhub.dialects.hub.paging import DEFAULT_LIMIT, MAX_LIMIT, QueryReader, to_page, to_scope
from customerhub.dialects.hub.wire import Id
from customerhub.model.answer import Answer
from customerhub.model.change import FieldChange
from customerhub.web.operation import Call

_CUSTOMER: Final = "customer"
_MOST_KINDS: Final = 50


class AuditQuery(TypedDict, total=False):
    """Which events; all filters must hold, of several values one."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=1000)]
    kind: Annotated[
        list[str],
        Field(json_schema_extra={"x-explode": False}, description="As `customer`, `user`, `credential`, `settings`."),
    ]
    subject: Annotated[Id, Field(description="The record that it happened to.")]
    actor: Id
    since: Annotated[str, Field(description="A time with its zone, included.")]
    until: Annotated[str, Field(description="A time with its zone, included.")]


class ShownEvent(TypedDict):
    """One thing that happened to one record; nothing secret is ever told."""

    id: Id
    kind: str
    subject: Id
    version: int
    at: Time
    action: str
    actor: Actor
    credential: Id
    dialect: str
    request_id: str
    changes: list[Change]


async def list_page(call: Call) -> Answer:
    """`GET /hub/v1/audit`: 200 with a page."""
    reader, scope = QueryReader(call.query, tuple(AuditQuery.__annotations__)), to_scope(call, "audit")
    position, limit = reader.position(scope, "after"), reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT)
    subjects, actors = reader.uuids("subject"), reader.uuids("actor")
    for name, ids in (("subject", subjects), ("actor", actors)):
        if ids is not None and len(ids) != 1:
            reader.refuse(name, "must be one UUID")
    which = EventFilter(
        kinds=reader.texts("kind", _MOST_KINDS),
        subject=UUID(subjects[0]) if subjects else None,
        actor=UUID(actors[0]) if actors else None,
        since=reader.time("since"),
        until=reader.time("until"),
    )
    reader.check()
    page = await walk_events(call.hub, call.caller, position, limit, which)
    return respond(call, 200, to_page(scope, [to_event(event) for event in page.items], page.after))


def to_event(event: AuditEvent) -> Shown:
    """One event; changes of customers in the terms of the canonical form."""
    return {
        "id": str(event.id),
        "kind": event.kind,
        "subject": str(event.subject),
        "version": event.version,
        "at": to_time(event.at),
        "action": event.action,
        "actor": {"id": str(event.actor), "name": event.actor_name},
        "credential": str(event.credential),
        "dialect": event.dialect,
        "request_id": event.request_id,
        "changes": to_changes(event.changes) if event.kind == _CUSTOMER else [_to_change(one) for one in event.changes],
    }


def _to_change(change: FieldChange) -> dict[str, Any]:  # Any: JSON as it was kept
    return {"path": change.path, "old": msgspec.to_builtins(change.old), "new": msgspec.to_builtins(change.new)}
