"""Read the history: changes of customers and audit rows of everything else, as one list of events."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from asyncpg import Record
from msgspec import Struct

from customerhub.model.change import FieldChange
from customerhub.model.page import Position
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("history.sql")
CUSTOMER: Final = "customer"
_MARK_BITS: Final = 80
_MARK: Final = (1 << _MARK_BITS) - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_MICROSECOND: Final = timedelta(microseconds=1)
_read_changes = msgspec.json.Decoder(tuple[FieldChange, ...]).decode


class AuditEvent(Struct, frozen=True):
    """One thing that happened to one record, `kind` being `customer` or what an audit row names.

    `actor_name` is the credential's name. The key and the address are those of the request, None once its entry in the
    request log is gone.
    """

    kind: str
    subject: UUID
    version: int
    at: datetime
    action: str
    actor: UUID
    actor_name: str
    credential: UUID
    dialect: str
    request_id: str
    changes: tuple[FieldChange, ...]
    idempotency_key: str | None = None
    source_ip: str | None = None

    @property
    def id(self) -> UUID:
        """The event's own id, made of what it is: events sort by it to the millisecond, and can be found by it."""
        return to_event_id(self.at, self.kind, self.subject, self.version)

    @property
    def created_at(self) -> datetime:
        """When it happened."""
        return self.at


class EventFilter(Struct, frozen=True):
    """Which events; None does not filter. Times are included at both ends; `actors` are any of several."""

    kinds: tuple[str, ...] | None = None
    subject: UUID | None = None
    actions: tuple[str, ...] | None = None
    actor: UUID | None = None
    actors: tuple[UUID, ...] | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    version: int | None = None


_CHANGES: Final = AuditEvent.__struct_fields__.index("changes")


def to_event_id(at: datetime, kind: str, subject: UUID, version: int) -> UUID:
    """48 bits of milliseconds since 1970, then the event's mark, as the statements compute it."""
    digest = hashlib.md5(f"{kind}/{subject}/{version}".encode(), usedforsecurity=False).hexdigest()
    return UUID(int=((at - _EPOCH) // _MILLISECOND) << _MARK_BITS | int(digest[12:], 16))


def to_window_of(event_id: UUID) -> tuple[datetime, datetime]:
    """The first and the last microsecond of the millisecond that an event's id names; raises OverflowError."""
    first = _EPOCH + (event_id.int >> _MARK_BITS) * _MILLISECOND
    return first, first + _MILLISECOND - _MICROSECOND


def _to_mark(event_id: UUID) -> str:
    return f"{event_id.int & _MARK:020x}"


async def list_events(
    connection: Connection, team: UUID, which: EventFilter, position: Position | None, limit: int
) -> list[AuditEvent]:
    """At most `limit` events from `position` on, in walking order: the newest first, or the oldest first backward."""
    values: dict[str, object] = {name: getattr(which, name) for name in which.__struct_fields__}
    is_backward = position is not None and position.is_backward
    if position is not None:
        values["before" if is_backward else "after"] = (position.at, _to_mark(position.id))
    return await _fetch(connection, team, values, limit, is_ascending=is_backward)


async def find_event(connection: Connection, team: UUID, event_id: UUID) -> AuditEvent | None:
    """One event by its id."""
    try:
        since, until = to_window_of(event_id)
    except OverflowError:
        return None
    found = await _fetch(connection, team, {"since": since, "until": until, "mark": _to_mark(event_id)}, 1)
    return found[0] if found else None


async def _fetch(
    connection: Connection, team: UUID, values: Mapping[str, object], limit: int, *, is_ascending: bool = False
) -> list[AuditEvent]:
    order = "asc" if is_ascending else "desc"
    filters, parameters = "", list[object]()
    for name, value in values.items():
        if value is None:
            continue
        # A position is two values; every other filter is one, which may be an array.
        parts = list(value) if name in ("after", "before") and isinstance(value, tuple) else [value]
        places = [f"${len(parameters) + place}" for place in range(3, 3 + len(parts))]
        filters += " " + QUERIES[f"filter_{name}"].format(*places)
        parameters += [list(part) if isinstance(part, tuple) else part for part in parts]
    kinds = values.get("kinds")
    wants = {
        "changes": not isinstance(kinds, tuple) or CUSTOMER in kinds,
        "audits": not isinstance(kinds, tuple) or set(kinds) != {CUSTOMER},
    }
    sources = [QUERIES[name].format(filters=filters, order=order) for name, is_wanted in wants.items() if is_wanted]
    statement = QUERIES["page"].format(sources=" union all ".join(sources), order=order)
    return [_to_event(row) for row in await connection.fetch(statement, team, limit, *parameters)]


def _to_event(row: Record) -> AuditEvent:
    values = list(row)[: _CHANGES + 1]
    values[_CHANGES] = _read_changes(values[_CHANGES])
    return AuditEvent(*values)
