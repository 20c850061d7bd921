"""A request as the web layer leaves it with the recorder, and as the request log keeps it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl
from uuid import UUID

from msgspec import Struct

from customerhub.model.answer import Caller
from customerhub.store.request_logs import RequestLog

_MOST_TEXT: Final = 2_000


class Entry(Struct):
    """A request as it is left here; what costs time to find out of it waits until it is written.

    `number` is the request's (see `model.base32`), `path` as sent, `route` its template. `error` is code and message.
    """

    number: int
    at: datetime
    caller: Caller
    method: str
    path: str
    route: str
    query: bytes
    status: int
    latency_us: int
    headers: Sequence[tuple[bytes, bytes]]
    version_headers: tuple[str, ...]
    client_ip: str | None
    key: str | None = None
    error: tuple[str | None, str | None] = (None, None)
    request_body: bytes | None = None
    response_body: bytes | None = None


def to_log(entry: Entry) -> RequestLog:
    """The entry as it is stored."""
    found = dict(reversed(entry.headers))
    caller = entry.caller
    code, message = entry.error
    versions = (found[name.encode()] for name in entry.version_headers if name.encode() in found)
    return RequestLog(
        team=caller.team,
        id=UUID(int=entry.number),
        at=entry.at,
        dialect=caller.dialect,
        credential=caller.credential,
        credential_name=caller.name,
        actor=caller.actor,
        method=entry.method,
        host=_to_text(found.get(b"host")) or "",
        path=_clean(entry.path),
        route=entry.route,
        query=_to_pairs(entry.query),
        status=entry.status,
        latency_us=entry.latency_us,
        api_version=_to_text(next(versions, None)),
        client_ip=entry.client_ip,
        user_agent=_to_text(found.get(b"user-agent")),
        referrer=_to_text(found.get(b"referer")),
        idempotency_key=entry.key,
        error_code=code,
        error_message=_clean(message)[:_MOST_TEXT] if message is not None else None,
        request_body=_to_body(entry.request_body),
        response_body=_to_body(entry.response_body),
    )


def _to_text(value: bytes | None) -> str | None:
    return _clean(value.decode("latin-1"))[:_MOST_TEXT] if value is not None else None


def _to_body(value: bytes | None) -> str | None:
    return _clean(value.decode("utf-8", "replace")) if value is not None else None


def _to_pairs(query: bytes) -> tuple[tuple[str, str], ...]:
    if not query:
        return ()
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return tuple((_clean(name), _clean(value)) for name, value in pairs)


def _clean(text: str) -> str:
    """Without NUL, which no column can hold."""
    return text.replace("\0", "\ufffd")
