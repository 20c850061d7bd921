"""Query parameters and pages of Augno lists: newest first, from cursor to cursor."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Final

from msgspec import Struct
from pydantic import Field
from typing_extensions import TypedDict, override

from customerhub.dialects.augno.answers import Shown, to_page
from customerhub.model.page import Position
from customerhub.web import query
from customerhub.web.cursor import to_cursor
from customerhub.web.operation import Call

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
_LONGEST_TEXT: Final = 255
# RFC 3339, 5.6. A zone's plus sign that was not sent as %2B arrives as a blank.
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[ +-]\d\d:\d\d)", re.ASCII)


class ListQuery(TypedDict, total=False):
    """Which page of a list, and what its rows must hold."""

    cursor: Annotated[str, Field(description="From `next_cursor` or `prev_cursor` of a page of this list.")]
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)]
    q: Annotated[str, Field(max_length=_LONGEST_TEXT, description="A part of a text, ignoring case; no wildcards.")]


class QueryReader(query.QueryReader):
    """The common reader in Augno's words: lists are spelled `name[]=a&name[]=b`, `name=a,b` or both."""

    words: ClassVar[query.Words] = query.Words(takes_brackets=True)

    @override
    def time(self, name: str) -> datetime | None:
        """A time with its zone (RFC 3339); a date alone is refused, since it would mean midnight at both ends."""
        text = self._query.get(name)
        if not text:
            return None
        try:
            if _TIME.fullmatch(text):
                return datetime.fromisoformat(text.replace(" ", "+").upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        self.refuse(name, "must be a time with its zone, for example 2026-03-02T15:04:05Z")
        return None


class PageRequest(Struct, frozen=True):
    """Which page is asked for; `text` is a part of what its rows hold, None for all."""

    limit: int
    position: Position | None
    text: str | None


def to_scope(call: Call, name: str) -> str:
    """What a cursor is good for: one list of one team."""
    return f"{name} {call.caller.team}"


def read_page(reader: QueryReader, scope: str) -> PageRequest:
    """The page that a query asks for; what is wrong is told by the reader's `check`."""
    return PageRequest(
        limit=reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT),
        position=reader.position(scope),
        text=reader.text("q", _LONGEST_TEXT),
    )


def to_window_page(scope: str, rows: Sequence[object], before: Position | None, after: Position | None) -> Shown:
    """A page with the cursors of its neighbours: `before` leads to newer rows, `after` to older ones."""
    return to_page(
        rows,
        next_cursor=to_cursor(scope, after) if after is not None else None,
        prev_cursor=to_cursor(scope, before) if before is not None else None,
    )


def holds(text: str | None, *values: str | None) -> bool:
    """Whether one of the values has the text in it, ignoring case; every row holds no text."""
    return text is None or any(text.lower() in value.lower() for value in values if value is not None)
