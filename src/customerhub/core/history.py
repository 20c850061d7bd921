"""Use cases that read the history: what happened to customers and to everything else, as audit events."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from customerhub.core.hub import Hub
from customerhub.model.answer import Caller
from customerhub.model.base32 import from_base32
from customerhub.model.error import NotFound
from customerhub.model.page import Position, Window, to_window
from customerhub.store import history as store
from customerhub.store.db import Connection
from customerhub.store.history import AuditEvent, EventFilter
from customerhub.store.request_logs import list_origins

__all__ = ["AuditEvent", "EventFilter", "get_event", "get_event_by_id", "walk_events"]

_REQUEST_DIGITS: Final = 26


async def walk_events(
    hub: Hub, caller: Caller, position: Position | None, limit: int, which: EventFilter | None = None
) -> Window[AuditEvent]:
    """A page of at most `limit` of the team's events, the newest first; raises Unauthenticated.

    The order is that of (`at`, `id`), so that each event has its place also among those of one moment.
    """
    await hub.recorder.flush()
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        found = await store.list_events(connection, caller.team, which or EventFilter(), position, limit + 1)
        events = await _with_origins(connection, caller.team, found)
    return to_window(events, position, limit, lambda event: (event.at, event.id))


async def get_event(hub: Hub, caller: Caller, kind: str, subject: UUID, version: int) -> AuditEvent:
    """The event of one version of one record; raises Unauthenticated or NotFound."""
    which = EventFilter(kinds=(kind,), subject=subject, version=version)
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        found = await store.list_events(connection, caller.team, which, None, 1)
        if not found:
            raise NotFound("audit_event", f"{kind}/{subject}/{version}")
        [event] = await _with_origins(connection, caller.team, found)
        return event


async def get_event_by_id(hub: Hub, caller: Caller, event_id: UUID) -> AuditEvent:
    """The event of an `AuditEvent.id`; raises Unauthenticated or NotFound."""
    await hub.recorder.flush()
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        found = await store.find_event(connection, caller.team, event_id)
        if found is None:
            raise NotFound("audit_event", str(event_id))
        [event] = await _with_origins(connection, caller.team, [found])
        return event


async def _with_origins(connection: Connection, team: UUID, events: Sequence[AuditEvent]) -> list[AuditEvent]:
    """The events with the key and the address of their requests, as far as the request log still knows them."""
    requests = {event.request_id: from_base32(event.request_id[-_REQUEST_DIGITS:]) for event in events}
    ids = [request for request in requests.values() if request is not None]
    origins = await list_origins(connection, team, ids) if ids else {}
    whole: list[AuditEvent] = []
    for event in events:
        request = requests[event.request_id]
        origin = origins.get(request) if request is not None else None
        if origin is not None:
            key, address = origin
            whole.append(msgspec.structs.replace(event, idempotency_key=key, source_ip=address))
        else:
            whole.append(event)
    return whole
