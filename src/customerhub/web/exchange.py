"""One request as the log tells it."""

from dataclasses import dataclass
from time import perf_counter

from structlog.typing import FilteringBoundLogger

from customerhub.model.answer import Caller
from customerhub.model.error import HubError, Internal, Unauthenticated
from customerhub.web.dialect import Dialect


@dataclass(slots=True)
class Exchange:
    """What is known of a request, as far as it got; `path` as sent, `route` the template, `started` in seconds."""

    request_id: str
    method: str
    path: str
    started: float
    route: str | None = None
    dialect: Dialect | None = None
    caller: Caller | None = None
    error: HubError | None = None

    def log(self, logger: FilteringBoundLogger, status: int) -> None:
        """One line, with the route's template and not the path: a path holds ids, a query may hold anything."""
        fields: dict[str, object] = {
            "request_id": self.request_id,
            "method": self.method,
            "route": self.route,
            "status": status,
            "ms": round((perf_counter() - self.started) * 1000, 3),
        }
        if self.dialect is not None:
            fields["dialect"] = self.dialect.name
        if self.caller is not None:
            fields["team"] = str(self.caller.team)
            fields["credential"] = self.caller.name
        if self.error is not None:
            fields["error"] = type(self.error).__name__
            if isinstance(self.error, Unauthenticated):
                fields["cause"] = self.error.cause
        logger.info("request", **fields)

    def log_fault(self, logger: FilteringBoundLogger, error: Exception) -> Internal:
        """A fault of ours with its trace, and what the client is told of it."""
        logger.error("fault", request_id=self.request_id, route=self.route, exc_info=error)
        return Internal()
