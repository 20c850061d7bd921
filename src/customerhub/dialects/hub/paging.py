"""Query parameters and pages of the hub's lists: newest first, each page by the cursor that the one before it gave."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from starlette.datastructures import QueryParams
from typing_extensions import override

from customerhub.dialects.hub.canonical import Shown
from customerhub.dialects.hub.errors import InvalidQuery
from customerhub.dialects.hub.wire import is_uuid
from customerhub.model.page import Position
from customerhub.web import query
from customerhub.web.cursor import to_cursor
from customerhub.web.operation import Call

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 1000
# RFC 3339, 5.6. A zone's plus sign that was not sent as %2B arrives as a blank.
_VERSION: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[ +-]\d\d:\d\d)", re.ASCII)


class QueryReader(query.QueryReader):
    """The common reader; a parameter that nobody knows is refused, since its list would not be the one asked for."""

    def __init__(self, sent: QueryParams, known: Sequence[str]) -> None:
        super().__init__(sent)
        for name in dict.fromkeys(sent):
            if name not in known:
                self.refuse(name, f"is no parameter here; there are {', '.join(known)}", "unknown")

    @override
    def time(self, name: str) -> datetime | None:
        """A time with its zone (RFC 3339)."""
        text = self._query.get(name)
        if text is None:
            return None
        found = find_time(text)
        if found is None:
            self.refuse(name, "must be a time with its zone, for example 2026-03-02T15:04:05Z")
        return found

    def moment(self, name: str) -> int | datetime | None:
        """A version, or a time with its zone."""
        text = self._query.get(name)
        if text is None:
            return None
        found = int(text) if _VERSION.fullmatch(text) else find_time(text)
        if found is None:
            self.refuse(name, "must be a version or a time with its zone, for example 12 or 2026-03-02T15:04:05Z")
        return found

    def uuids(self, name: str) -> tuple[str, ...] | None:
        """Ids, separated by commas, repeated or both."""
        texts = self.texts(name, MAX_LIMIT)
        if texts is not None and not all(map(is_uuid, texts)):
            self.refuse(name, "must be UUIDs, with commas between them")
            return None
        return texts

    @override
    def check(self) -> None:
        """Raise InvalidQuery with everything that was wrong."""
        if self._errors:
            raise InvalidQuery(tuple(self._errors))


def find_time(text: str) -> datetime | None:
    """The time that a text is (RFC 3339), in UTC; None for a text that is none."""
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text.replace(" ", "+").upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    return None


def to_scope(call: Call, name: str) -> str:
    """What a cursor is good for: one list of one team."""
    return f"{name} {call.caller.team}"


def to_page(scope: str, rows: Sequence[object], after: Position | None) -> Shown:
    """A page, with the cursor of the next one."""
    return {"data": list(rows), "next": to_cursor(scope, after) if after is not None else None}
