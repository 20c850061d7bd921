"""`/v1/core/audit-events`: what happened to which record, from the history that every door writes."""

from typing import Final, get_args
from uuid import UUID

import msgspec

from customerhub.core.history import AuditEvent, EventFilter, get_event_by_id, walk_events
from customerhub.core.lists import get_catalogue
from customerhub.dialects.augno import ids
from customerhub.dialects.augno.answers import Shown, respond, to_page, to_time
from customerhub.dialects.augno.ids import NOBODY, from_id, from_path, to_id
from customerhub.dialects.augno.include import Includes, read_includes
from customerhub.dialects.augno.models import Page
from customerhub.dialects.augno.paging import QueryReader, holds, read_page, to_scope, to_window_page
from customerhub.dialects.augno.resources.actors import Actors, read_actors
from customerhub.dialects.augno.resources.changes import to_changes
from customerhub.dialects.augno.resources.models import Action
from customerhub.dialects.augno.resources.models import AuditEvent as ShownAuditEvent
from customerhub.dialects.augno.resources.queries import AuditEventListQuery, AuditEventQuery
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.error import NotFound
from customerhub.web.operation import Call, Operation

# Kinds in the history that this API has a word for, with that word and the prefix of their ids.
_TYPES: Final[dict[str, tuple[str, str]]] = {
    "customer": ("customer", ids.ACCOUNT),
    "address": ("address", ids.ADDRESS),
    "account_group": ("account_group", ids.ACCOUNT_GROUP),
    "payment_term": ("payment_term", ids.PAYMENT_TERM),
    "shipping_term": ("shipping_term", ids.SHIPPING_TERM),
    "carrier": ("carrier", ids.CARRIER),
    "service_level": ("service_level", ids.SERVICE_LEVEL),
    "unit": ("unit", ids.UNIT),
    "role": ("role", ids.ROLE),
    "user": ("account_user", ids.ACCOUNT_USER),
    "credential": ("api_key", ids.API_KEY),
    "team": ("account", ids.ACCOUNT),
    "settings": ("account", ids.ACCOUNT),
}
RESOURCE_TYPES: Final = tuple(dict.fromkeys(name for name, _ in _TYPES.values()))
# Everything else is an update.
_ACTIONS: Final[dict[str, Action]] = {
    "created": "create",
    "deleted": "delete",
    "erased": "delete",
    "revoked": "delete",
    "restored": "restore",
}
_SENT_ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
_DONE: Final[dict[Action, tuple[str, ...]]] = {
    "create": ("created",),
    "update": ("updated", "merged", "rotated"),
    "delete": ("deleted", "erased", "revoked", "merged"),
    "restore": ("restored",),
    "archive": ("archived",),
}
_INCLUDES: Final = ("actor", "changes", "metadata")
_TAG: Final = "Audit events"


def to_audit_event(event: AuditEvent, actors: Actors, includes: Includes) -> Shown:
    """An event; `request_id` is the id of the request's log."""
    kind, prefix = _TYPES[event.kind]
    actor: Shown | None = None
    if "actor" in includes:
        actor = actors.show(event.actor, event.credential, event.actor_name, includes.under("actor"))
    return {
        "id": to_id(ids.AUDIT_EVENT, event.id),
        "object": "audit_event",
        "action": to_action(event),
        "resource_type": kind,
        "resource_id": to_id(prefix, event.subject),
        "actor": actor,
        "changes": to_page(to_changes(event.kind, event.changes)) if "changes" in includes else None,
        "metadata": {"version": event.version, "api": event.dialect} if "metadata" in includes else None,
        "request_id": event.request_id,
        "idempotency_key": event.idempotency_key,
        "source_ip": event.source_ip,
        "occurred_at": to_time(event.at),
        "created_at": to_time(event.at),
    }


def to_action(event: AuditEvent) -> Action:
    """What was done; of the customers in a merge one was changed, and the others are gone."""
    if event.action == "merged":
        return "delete" if any(change.path == "/merged_into" for change in event.changes) else "update"
    return _ACTIONS.get(event.action, "update")


async def list_page(call: Call) -> Answer:
    """`GET /v1/core/audit-events`: 200; a page of one action or text may hold fewer rows than there is room for."""
    includes = read_includes(call.query, _INCLUDES)
    reader, scope = QueryReader(call.query), to_scope(call, "audit events")
    asked = read_page(reader, scope)
    actions = reader.choices("action", _SENT_ACTIONS) or ()
    actor, which = reader.text("actor_id", 255), _to_filter(reader, actions)
    reader.check()
    actors = await _read_actors(call, includes, is_needed=actor is not None)
    if actor is not None:
        which = msgspec.structs.replace(which, actors=_find_actors(actor, actors))
    page = await walk_events(call.hub, call.caller, asked.position, asked.limit, which)
    wanted = (event for event in page.items if _is_wanted(event, actions, asked.text))
    rows = [to_audit_event(event, actors, includes) for event in wanted]
    return respond(call, 200, to_window_page(scope, rows, page.before, page.after))


def _is_wanted(event: AuditEvent, actions: tuple[Action, ...], text: str | None) -> bool:
    """What cannot be asked of the database: which kind of merge it was, and whether the text is in what is shown."""
    if actions and to_action(event) not in actions:
        return False
    kind, prefix = _TYPES[event.kind]
    return holds(text, kind, to_id(prefix, event.subject), event.actor_name, event.request_id)


def _find_actors(sent: str, actors: Actors) -> tuple[UUID, ...]:
    """Who an id stands for: a member, or all the secrets that a key has had."""
    found = from_path(sent, ids.USER, ids.ACCOUNT_USER, ids.API_KEY)
    return (found, *(credential for credential, key in actors.keys.items() if key.id == found))


def _to_filter(reader: QueryReader, actions: tuple[Action, ...]) -> EventFilter:
    """What a list asks for; an id of nothing is nobody's, so that nothing is found."""
    types = reader.choices("resource_types", RESOURCE_TYPES)
    kinds = [kind for kind, (name, _) in _TYPES.items() if not types or name in types]
    subject: UUID | None = None
    sent = reader.text("resource_id", 255)
    if sent is not None:
        kinds = [kind for kind in kinds if from_id(sent, _TYPES[kind][1]) is not None]
        subject = next((from_id(sent, _TYPES[kind][1]) for kind in kinds), NOBODY)
    return EventFilter(
        # With no kind at all nothing is found.
        kinds=tuple(kinds),
        subject=subject,
        actions=tuple(done for action in actions for done in _DONE[action]) or None,
        since=reader.time("start_date"),
        until=reader.time("end_date"),
    )


async def get(call: Call) -> Answer:
    """`GET /v1/core/audit-events/{id}`: 200."""
    includes = read_includes(call.query, _INCLUDES)
    event = await get_event_by_id(call.hub, call.caller, from_path(call.path["id"], ids.AUDIT_EVENT))
    if event.kind not in _TYPES:
        raise NotFound("audit_event", call.path["id"])
    return respond(call, 200, to_audit_event(event, await _read_actors(call, includes), includes))


async def list_resource_types(call: Call) -> Answer:
    """`GET /v1/core/audit-events/resource-types`: 200 with all of them."""
    read_includes(call.query, ())
    await get_catalogue(call.hub, call.caller)
    return respond(call, 200, to_page(RESOURCE_TYPES))


async def _read_actors(call: Call, includes: Includes, *, is_needed: bool = False) -> Actors:
    """Everybody, where somebody is to be found or shown."""
    return await read_actors(call) if is_needed or "actor" in includes else Actors(Catalogue(0), {})


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/v1/core/audit-events",
        name="listAuditEvents",
        summary="List audit events",
        description=(
            "The newest first, whichever API something was done through. `q` looks into type and id of the resource, "
            "the name of the actor and the request. With `action` or `q` a page may hold fewer rows than `limit` "
            "although there are more."
        ),
        handler=list_page,
        query=AuditEventListQuery,
        answer=Page[ShownAuditEvent],
        tags=(_TAG,),
        permissions=("audit_events:read",),
    ),
    Operation(
        method="GET",
        path="/v1/core/audit-events/resource-types",
        name="listAuditEventResourceTypes",
        summary="List the resource types of audit events",
        handler=list_resource_types,
        answer=Page[str],
        tags=(_TAG,),
        permissions=("audit_events:read",),
    ),
    Operation(
        method="GET",
        path="/v1/core/audit-events/{id}",
        name="getAuditEvent",
        summary="Get an audit event",
        handler=get,
        query=AuditEventQuery,
        answer=ShownAuditEvent,
        errors=(404,),
        tags=(_TAG,),
        permissions=("audit_events:read",),
    ),
)
