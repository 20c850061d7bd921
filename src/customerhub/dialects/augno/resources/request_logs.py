"""`/v1/core/request-logs`: what was asked and answered, as long as it is kept."""

import msgspec

from customerhub.core.request_logs import LogFilter, RequestLog, get_request_log, walk_request_logs
from customerhub.dialects.augno.answers import Shown, respond, to_time
from customerhub.dialects.augno.auth import VERSIONS
from customerhub.dialects.augno.ids import NOBODY, REQUEST_LOG, from_path, to_id
from customerhub.dialects.augno.include import Includes, read_includes
from customerhub.dialects.augno.models import Page
from customerhub.dialects.augno.paging import QueryReader, read_page, to_scope, to_window_page
from customerhub.dialects.augno.resources.actors import Actors, read_actors
from customerhub.dialects.augno.resources.models import RequestLog as ShownRequestLog
from customerhub.dialects.augno.resources.queries import RequestLogListQuery, RequestLogQuery
from customerhub.dialects.augno.resources.shown import to_account
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.web.operation import Call, Operation

_LIST_INCLUDES = ("account", "actor", "actor.role")
_INCLUDES = (
    *_LIST_INCLUDES,
    "actor.role.permissions",
    "query_json",
    "request_body_json",
    "response_body_json",
)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_HIGHEST_STATUS = 599
_LONGEST_ROUTE = 500
_TAG = "Request logs"


def to_request_log(log: RequestLog, actors: Actors, includes: Includes) -> Shown:
    """A request and its answer; the actor is the one whose credential it showed."""
    actor: Shown | None = None
    if "actor" in includes:
        actor = actors.show(log.actor, log.credential, log.credential_name, includes.under("actor"))
    return {
        "id": to_id(REQUEST_LOG, log.id),
        "object": "request_log",
        "method": log.method,
        "host": log.host,
        "path": log.path,
        "normalized_route": log.route,
        "query_json": _to_query(log) if "query_json" in includes else None,
        "status_code": log.status,
        "latency_us": log.latency_us,
        # A request without the header speaks the first.
        "api_version": log.api_version or VERSIONS[0],
        "identity_type": _to_identity(log),
        "client_ip": log.client_ip,
        "user_agent": log.user_agent,
        "referrer": log.referrer,
        "error_code": log.error_code,
        "error_message": log.error_message,
        "occurred_at": to_time(log.at),
        "created_at": to_time(log.at),
        "account": to_account(actors.catalogue) if "account" in includes else None,
        "actor": actor,
        "idempotency_key": log.idempotency_key,
        "request_body_json": log.request_body if "request_body_json" in includes else None,
        "response_body_json": log.response_body if "response_body_json" in includes else None,
    }


def _to_identity(log: RequestLog) -> str | None:
    if log.credential == NOBODY:
        return None
    return "api_key" if log.actor == log.credential else "user"


def _to_query(log: RequestLog) -> str | None:
    """The query as JSON in a text: a name that came once has its value, one that came again has them all."""
    if not log.query:
        return None
    values: dict[str, list[str]] = {}
    for name, value in log.query:
        values.setdefault(name, []).append(value)
    plain = {name: found[0] if len(found) == 1 else found for name, found in values.items()}
    return msgspec.json.encode(plain).decode()


async def list_page(call: Call) -> Answer:
    """`GET /v1/core/request-logs`: 200."""
    includes = read_includes(call.query, _LIST_INCLUDES)
    reader, scope = QueryReader(call.query), to_scope(call, "request logs")
    asked = read_page(reader, scope)
    methods = (*(reader.choices("methods", _METHODS) or ()), *(reader.choices("method", _METHODS) or ()))
    which = LogFilter(
        methods=methods or None,
        status_codes=_read_status_codes(reader),
        route=reader.text("normalized_route", _LONGEST_ROUTE),
        since=reader.time("start_date"),
        until=reader.time("end_date"),
        text=asked.text,
    )
    reader.check()
    page = await walk_request_logs(call.hub, call.caller, asked.position, asked.limit, which)
    actors = await _read_actors(call, includes)
    rows = [to_request_log(log, actors, includes) for log in page.items]
    return respond(call, 200, to_window_page(scope, rows, page.before, page.after))


def _read_status_codes(reader: QueryReader) -> tuple[int, ...] | None:
    """The statuses of either parameter, one of which names several."""
    found: list[int] = []
    for name in ("status_codes", "status_code"):
        for text in reader.texts(name) or ():
            if text.isascii() and text.isdigit() and int(text) <= _HIGHEST_STATUS:
                found.append(int(text))
            else:
                reader.refuse(name, "must be an HTTP status")
    return tuple(found) or None


async def get(call: Call) -> Answer:
    """`GET /v1/core/request-logs/{id}`: 200."""
    includes = read_includes(call.query, _INCLUDES)
    log = await get_request_log(call.hub, call.caller, from_path(call.path["id"], REQUEST_LOG))
    return respond(call, 200, to_request_log(log, await _read_actors(call, includes), includes))


async def _read_actors(call: Call, includes: Includes) -> Actors:
    """Everybody, where somebody is to be shown."""
    if "actor" in includes or "account" in includes:
        return await read_actors(call)
    return Actors(Catalogue(0), {})


OPERATIONS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path="/v1/core/request-logs",
        name="listRequestLogs",
        summary="List request logs",
        description=(
            "The newest first; kept for a while, and without bodies unless the server is set to keep them. `q` looks "
            "into the path and the error."
        ),
        handler=list_page,
        query=RequestLogListQuery,
        answer=Page[ShownRequestLog],
        tags=(_TAG,),
        permissions=("request_logs:read",),
    ),
    Operation(
        method="GET",
        path="/v1/core/request-logs/{id}",
        name="getRequestLog",
        summary="Get a request log",
        description="A request's id is its log's id: `Request-Id` of every answer, `request_log_url` of failures.",
        handler=get,
        query=RequestLogQuery,
        answer=ShownRequestLog,
        errors=(404,),
        tags=(_TAG,),
        permissions=("request_logs:read",),
    ),
)
