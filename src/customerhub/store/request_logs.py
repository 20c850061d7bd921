"""Write and read the request log."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from asyncpg import Record
from msgspec import Struct

from customerhub.model.page import Position
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("request_logs.sql")
Pairs = tuple[tuple[str, str], ...]


class RequestLog(Struct, frozen=True):
    """What was asked and answered; `path` as sent and `query` its pairs, `route` the template, times in microseconds.

    Bodies are None where none are kept, and cut where they were long. The error's words are the dialect's own.
    """

    team: UUID
    id: UUID
    at: datetime
    dialect: str
    credential: UUID
    credential_name: str
    actor: UUID
    method: str
    host: str
    path: str
    route: str
    query: Pairs
    status: int
    latency_us: int
    api_version: str | None
    client_ip: str | None
    user_agent: str | None
    referrer: str | None
    idempotency_key: str | None
    error_code: str | None
    error_message: str | None
    request_body: str | None
    response_body: str | None


class LogFilter(Struct, frozen=True):
    """Which entries; None does not filter. Times are included at both ends; `text` is a part of path or error."""

    methods: tuple[str, ...] | None = None
    status_codes: tuple[int, ...] | None = None
    path: str | None = None
    route: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    credential: UUID | None = None
    text: str | None = None
    dialect: str | None = None


class RequestOrigin(NamedTuple):
    """The key a request came with, and its address; None where it had none."""

    idempotency_key: str | None
    client_ip: str | None


_COLUMNS = ", ".join(RequestLog.__struct_fields__)
_LATE = {"path": "e.route", "query": "'[]'::jsonb"} | dict.fromkeys(
    ("referrer", "idempotency_key", "error_message", "request_body", "response_body"), "null"
)
_VALUES = ", ".join(
    f"case when l.is_late then {_LATE[name]} else e.{name} end" if name in _LATE else f"e.{name}"
    for name in RequestLog.__struct_fields__
)
_INSERT = QUERIES["insert"].format(columns=_COLUMNS, values=_VALUES)
_FIND = QUERIES["find"].format(columns=_COLUMNS)
_QUERY = RequestLog.__struct_fields__.index("query")
_read_pairs = msgspec.json.Decoder(Pairs).decode
_LOWEST_CHANCE = 0
_HIGHEST_CHANCE = (1 << 80) - 1


def to_bound(at: datetime, *, is_upper: bool) -> UUID:
    """The lowest or highest id that an entry of this millisecond can have."""
    number = max(0, int(at.timestamp() * 1000)) << 80 | (_HIGHEST_CHANCE if is_upper else _LOWEST_CHANCE)
    return UUID(int=number)


async def insert_logs(connection: Connection, entries: Sequence[RequestLog]) -> None:
    """Store entries of any teams; those that stand already stay as they are."""
    await connection.execute(_INSERT, msgspec.json.encode(entries))


async def find_log(connection: Connection, team: UUID, log_id: UUID) -> RequestLog | None:
    """One entry."""
    row = await connection.fetchrow(_FIND, team, log_id)
    return _to_log(row) if row is not None else None


async def list_logs(
    connection: Connection, team: UUID, which: LogFilter, position: Position | None, limit: int
) -> list[RequestLog]:
    """At most `limit` entries from `position` on, in walking order: the newest first, or the oldest first backward."""
    is_backward = position is not None and position.is_backward
    values: dict[str, object] = {name: getattr(which, name) for name in which.__struct_fields__}
    values["first_id"] = to_bound(which.since, is_upper=False) if which.since is not None else None
    values["last_id"] = to_bound(which.until, is_upper=True) if which.until is not None else None
    values["before" if is_backward else "after"] = position.id if position is not None else None
    present = {name: value for name, value in values.items() if value is not None}
    filters = "".join(
        " " + QUERIES[f"filter_{name}"].format(f"${place}") for place, name in enumerate(present, start=3)
    )
    statement = QUERIES["page"].format(columns=_COLUMNS, filters=filters, order="asc" if is_backward else "desc")
    parameters = [list(value) if isinstance(value, tuple) else value for value in present.values()]
    return [_to_log(row) for row in await connection.fetch(statement, team, limit, *parameters)]


async def look_through(
    connection: Connection, team: UUID, which: LogFilter, before: UUID | None, limit: int, reach: int
) -> tuple[list[RequestLog], UUID | None]:
    """Of the newest `reach` entries before one those that match, `limit` at most, and where to look on; None: nowhere.

    It looks on behind what was found, or behind all that was looked at where that holds no more.
    """
    bounds = {
        "first_id": to_bound(which.since, is_upper=False) if which.since is not None else None,
        "last_id": to_bound(which.until, is_upper=True) if which.until is not None else None,
        "after": before,
    }
    fields = (name for name in which.__struct_fields__ if name not in ("since", "until"))
    parameters: list[object] = [limit + 1, reach]
    inner, outer = (
        _to_filters(values, parameters) for values in (bounds, {name: getattr(which, name) for name in fields})
    )
    statement = QUERIES["look"].format(columns=_COLUMNS, bounds=inner, filters=outer)
    found = [_to_log(row) for row in await connection.fetch(statement, team, *parameters)]
    if len(found) > limit:
        return found[:limit], found[limit - 1].id
    ends: list[object] = [reach - 1]
    statement = QUERIES["reach"].format(bounds=_to_filters(bounds, ends))
    return found, await connection.fetchval(statement, team, *ends)


def _to_filters(values: Mapping[str, object], parameters: list[object]) -> str:
    """The pieces of those that say something; their values go to the parameters, behind the team."""
    pieces: list[str] = []
    for name, value in values.items():
        if value is not None:
            parameters.append(list(value) if isinstance(value, tuple) else value)
            pieces.append(" " + QUERIES[f"filter_{name}"].format(f"${len(parameters) + 1}"))
    return "".join(pieces)


async def list_origins(connection: Connection, team: UUID, ids: Sequence[UUID]) -> dict[UUID, RequestOrigin]:
    """Where requests came from, by the id of their entry; those without an entry are left out."""
    rows = await connection.fetch(QUERIES["list_origins"], team, ids)
    return {row[0]: RequestOrigin(row[1], row[2]) for row in rows}


def _to_log(row: Record) -> RequestLog:
    values = list(row)
    values[_QUERY] = _read_pairs(values[_QUERY])
    return RequestLog(*values)
