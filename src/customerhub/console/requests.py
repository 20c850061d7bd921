"""What was asked of the team's APIs and answered, as far as the request log keeps it."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from customerhub.console.catalogue import KINDS
from customerhub.console.desk import PREFIX, Desk, signed_in
from customerhub.console.reader import find_time
from customerhub.core.credentials import list_credentials
from customerhub.core.history import EventFilter, walk_events
from customerhub.core.request_logs import REACH, LogFilter, RequestLog, get_request_log, look_through
from customerhub.model.answer import Answer
from customerhub.model.base32 import to_base32
from customerhub.web.screens import Screen

REQUESTS: Final = f"{PREFIX}/{{team}}/requests"
_PERMISSION: Final = "request_logs:read"
_PER_PAGE: Final = 50
_LONGEST: Final = 255
_FILTERS: Final = ("credential", "dialect", "method", "status", "text", "since", "until")
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_CLASSES: Final = {
    "2": ("2xx done", range(200, 300)),
    "3": ("3xx elsewhere", range(300, 400)),
    "4": ("4xx refused", range(400, 500)),
    "5": ("5xx our fault", range(500, 600)),
}
_TONES: Final = {2: "good", 3: "plain", 4: "warn", 5: "bad"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What a request changed was written while it was answered; clocks of several machines differ a little.
_AROUND: Final = timedelta(seconds=1)
_MOST_CHANGES: Final = 20


async def list_page(desk: Desk) -> Answer:
    """`GET /console/{team}/requests?…`: the newest first; filters are looked for in so many entries at a time."""
    query = desk.visit.query
    values = {name: query.get(name, "").strip()[:_LONGEST] for name in _FILTERS}
    which = _to_filter(values)
    before = _to_id(query.get("before", ""))
    found, next_id = await look_through(desk.hub, desk.caller, which, before, _PER_PAGE)
    asked = {name: value or None for name, value in values.items()}
    return desk.render(
        "requests.html",
        rows=[(log, _TONES.get(log.status // 100, "plain")) for log in found],
        values=values,
        credentials=await _list_credentials(desk, values["credential"]),
        dialects=_to_options(one.name for one in desk.dialects() if one.request_log_path),
        methods=_to_options(_METHODS),
        classes=[("", "all"), *((key, title) for key, (title, _) in _CLASSES.items())],
        older=desk.url("requests", **asked, before=next_id) if next_id is not None else None,
        newest=desk.url("requests", **asked) if before is not None else None,
        reach=REACH,
        looked_back_to=_to_time(next_id) if next_id is not None and len(found) < _PER_PAGE else None,
    )


def _to_filter(values: dict[str, str]) -> LogFilter:
    """Which entries; what cannot be read does not filter."""
    method = values["method"] if values["method"] in _METHODS else None
    _, codes = _CLASSES.get(values["status"], ("", None))
    return LogFilter(
        methods=(method,) if method is not None else None,
        status_codes=tuple(codes) if codes is not None else None,
        since=find_time(values["since"]),
        until=find_time(values["until"]),
        credential=_to_id(values["credential"]),
        text=values["text"] or None,
        dialect=values["dialect"] or None,
    )


def _to_id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _to_time(log_id: UUID) -> datetime:
    """When the entry of an id was made: its first 48 bits."""
    return _EPOCH + timedelta(milliseconds=log_id.int >> 80)


def _to_options(names: Iterable[str]) -> list[tuple[str, str]]:
    return [("", "all"), *((name, name) for name in names)]


async def _list_credentials(desk: Desk, chosen: str) -> list[tuple[str, str]]:
    """Those that can be chosen: the team's for administrators, otherwise none but the one that is chosen."""
    if not desk.is_admin:
        return [("", "all"), *([(chosen, chosen)] if chosen else [])]
    found = {str(one.id): f"{one.name} ({one.dialect})" for one in await list_credentials(desk.hub, desk.caller)}
    if chosen and chosen not in found:
        found[chosen] = chosen
    return [("", "all"), *sorted(found.items(), key=lambda pair: (pair[1].casefold(), pair[0]))]


async def show(desk: Desk) -> Answer:
    """`GET …/requests/{id}`: one entry, with its bodies as far as they are kept, and what it changed."""
    log = await get_request_log(desk.hub, desk.caller, desk.get_id(kind="request"))
    prefix = next((one.request_prefix for one in desk.dialects() if one.name == log.dialect), "")
    request_id = f"{prefix}{to_base32(log.id.int)}"
    return desk.render(
        "request.html",
        log=log,
        request_id=request_id,
        keeps_bodies=desk.hub.settings.request_log_bodies,
        tone=_TONES.get(log.status // 100, "plain"),
        events=await _list_events(desk, log, request_id),
    )


async def _list_events(desk: Desk, log: RequestLog, request_id: str) -> list[tuple[str, UUID, int, str, str | None]]:
    """What the request changed: kind, id, version, what was done, and where that is shown."""
    until = log.at + timedelta(microseconds=log.latency_us) + _AROUND
    which = EventFilter(request_id=request_id, since=log.at - _AROUND, until=until)
    found = await walk_events(desk.hub, desk.caller, None, _MOST_CHANGES, which)
    return [
        (one.kind, one.subject, one.version, one.action, to_subject_url(desk, one.kind, one.subject))
        for one in found.items
    ]


def to_subject_url(desk: Desk, kind: str, subject: UUID) -> str | None:
    """The page of what something happened to; None for what has none, or none that this person may see."""
    if kind == "customer":
        return desk.url("customers", subject, "timeline")
    if not desk.is_admin:
        return None
    match kind:
        case "sink" | "user" | "credential":
            return desk.url(f"{kind}s", subject)
        case "team" | "settings":
            return desk.url("settings")
    return desk.url("settings", "catalogue", kind, subject) if kind in KINDS else None


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    REQUESTS: {"GET": signed_in(list_page, permission=_PERMISSION)},
    f"{REQUESTS}/{{id}}": {"GET": signed_in(show, permission=_PERMISSION)},
}
