"""Answers as they go out: a record or a list as JSON, with its tag and what was ignored."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from customerhub.model.answer import Answer
from customerhub.web.guards import etag, ignored_header
from customerhub.web.operation import Call

Shown = dict[str, object]


@lru_cache(maxsize=8192)
def to_time(at: datetime) -> str:
    """UTC, with microseconds where there are any: `2026-03-02T15:04:05Z`, `2026-03-02T15:04:05.000250Z`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_time_or_none(at: datetime | None) -> str | None:
    """The same, None for none."""
    return to_time(at) if at is not None else None


def to_page(
    rows: Sequence[object], *, next_cursor: str | None = None, prev_cursor: str | None = None, has_next: bool = False
) -> Shown:
    """A list in its envelope; `has_next` says that there is more although no cursor leads there."""
    return {
        "object": "list",
        "page_info": {
            "next_cursor": next_cursor,
            "prev_cursor": prev_cursor,
            "has_next_page": has_next or next_cursor is not None,
            "has_prev_page": prev_cursor is not None,
        },
        "data": list(rows),
    }


def respond(call: Call, status: int, body: object, version: int | None = None) -> Answer:
    """A success; `version` is that of the one record that it is about."""
    headers: list[tuple[str, str]] = [("content-type", "application/json")]
    if version is not None:
        headers.append(("etag", etag(version)))
    ignored = ignored_header(call.command.ignored)
    if ignored is not None:
        headers.append(("customerhub-ignored", ignored))
    return Answer(status, msgspec.json.encode(body), tuple(headers))
