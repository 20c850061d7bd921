"""One request as the logs tell it: a line for the operator, an entry for the team."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Final

import msgspec
from starlette.datastructures import Headers
from starlette.types import Scope
from structlog.typing import FilteringBoundLogger

from customerhub.core.entry import Entry
from customerhub.model.answer import Answer, Caller
from customerhub.model.error import HubError, Internal, InvalidHeader, Unauthenticated
from customerhub.web.dialect import Dialect
from customerhub.web.incoming import to_base_url
from customerhub.web.origin import Origin
from customerhub.web.request_id import PLAIN_PREFIX

_FIRST_FAILURE: Final = 400


@dataclass(slots=True)
class Exchange:
    """What is known of a request, as far as it got; `path` as sent, `route` the template.

    `number` is the request's own, `started` in seconds of `clock`, which only goes forward. `rate` are the headers that
    tell what is left of a limit. `sent` are the bytes of a body that was sent while it was made, and `is_broken` says
    that it broke off. `key` is the request's idempotency key, and `is_secret` says that no log keeps its
    bodies. `fault` is the one that it asked for. `begun` is of the process's own clock, for the operator's log.
    """

    number: int
    request_id: str
    at: datetime
    started: float
    scope: Scope
    method: str
    path: str
    clock: Callable[[], float]
    route: str | None = None
    dialect: Dialect | None = None
    caller: Caller | None = None
    error: HubError | None = None
    rate: tuple[tuple[bytes, bytes], ...] = ()
    key: str | None = None
    body: bytes = b""
    is_secret: bool = False
    is_dry_run: bool = False
    fault: str | None = None
    sent: int = 0
    is_broken: bool = False
    begun: float = field(default_factory=monotonic)

    def belong_to(self, dialect: Dialect) -> None:
        """From now on the request has the dialect's own kind of id."""
        if self.dialect is dialect:
            return
        self.dialect = dialect
        if dialect.request_prefix != PLAIN_PREFIX:
            self.request_id = dialect.request_prefix + self.request_id.removeprefix(PLAIN_PREFIX)

    def to_origin(self, error: HubError, public_url: str, *, promises_logs: bool) -> Origin:
        """The request that failed so, and where its entry will stand if one is promised."""
        dialect = self.dialect
        if self.caller is None or dialect is None or not dialect.request_log_path or not promises_logs:
            return Origin(self.request_id)
        if isinstance(error, Unauthenticated):
            return Origin(self.request_id)
        try:
            base = to_base_url(Headers(scope=self.scope), self.scope.get("scheme", "http"), public_url)
        except InvalidHeader:
            return Origin(self.request_id)
        return Origin(self.request_id, base + dialect.request_log_path.format(id=self.request_id))

    def to_entry(self, answer: Answer, *, with_bodies: bool) -> Entry | None:
        """What the request log is to hold of it; None where its caller is unknown or its dialect shows no log."""
        caller, dialect = self.caller, self.dialect
        if caller is None or dialect is None or not dialect.request_log_path:
            return None
        scope, client = self.scope, self.scope["client"]
        entry = Entry(
            self.number,
            self.at,
            caller,
            self.method,
            self.path,
            self.route or "",
            scope["query_string"],
            answer.status,
            round((self.clock() - self.started) * 1_000_000),
            scope["headers"],
            dialect.version_headers,
            client[0] if client else None,
            self.key,
        )
        if answer.status >= _FIRST_FAILURE:
            entry.error = to_code_and_message(answer.body)
        if with_bodies and not self.is_secret:
            entry.request_body, entry.response_body = self.body or None, answer.body or None
        return entry

    def log(self, logger: FilteringBoundLogger, status: int) -> None:
        """One line, with the route's template and not the path: a path holds ids, a query may hold anything."""
        fields: dict[str, object] = {
            "request_id": self.request_id,
            "method": self.method,
            "route": self.route,
            "status": status,
            "ms": round((monotonic() - self.begun) * 1000, 3),
        }
        if self.dialect is not None:
            fields["dialect"] = self.dialect.name
        if self.caller is not None:
            fields["team"] = str(self.caller.team)
            fields["credential"] = self.caller.name
        if self.fault is not None:
            fields["simulated"] = self.fault
        if self.sent:
            fields["bytes"] = self.sent
        if self.is_broken:
            fields["broken"] = True
        if self.error is not None:
            fields["error"] = type(self.error).__name__
            if isinstance(self.error, Unauthenticated):
                fields["cause"] = self.error.cause
        logger.info("request", **fields)

    def log_fault(self, logger: FilteringBoundLogger, error: Exception) -> Internal:
        """A fault of ours with its trace, and what the client is told of it."""
        logger.error("fault", request_id=self.request_id, route=self.route, exc_info=error)
        return Internal()


def to_code_and_message(body: bytes) -> tuple[str | None, str | None]:
    """What a failure's body says under `code` and `message`, at its top or in its member `error`.

    Read off the answer and not off the error: a replayed failure has no other.
    """
    try:
        content = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None, None
    if isinstance(content, dict) and isinstance(content.get("error"), dict):
        content = content["error"]
    if not isinstance(content, dict):
        return None, None
    code, message = content.get("code"), content.get("message")
    return code if isinstance(code, str) else None, message if isinstance(message, str) else None
