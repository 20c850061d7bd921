"""What was done to everything but customers: catalogue, credentials, users, sinks, settings; who, when, old and new."""

from collections.abc import Iterable
from typing import Final, get_args
from uuid import UUID

from customerhub.console.desk import Desk, signed_in
from customerhub.console.origins import to_doors
from customerhub.console.paging import to_position, to_token
from customerhub.console.requests import to_subject_url
from customerhub.console.settings import SETTINGS
from customerhub.console.wording import to_user_name
from customerhub.core.history import AuditEvent, EventFilter, walk_events
from customerhub.core.request_logs import find_logged
from customerhub.core.sessions import ADMINISTER
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Kind
from customerhub.model.change import FieldChange
from customerhub.model.error import NotFound
from customerhub.web.screens import Screen

_PER_PAGE: Final = 50
_KINDS: Final = (
    *("team", "settings", "user", "credential", "session", "sink", "client", "consent", "address", "erasure"),
    *get_args(Kind),
)
# What is said beside it, or of everything.
_UNTOLD: Final = frozenset(
    ("id", "kind", "details", "version", "is_system", "created_at", "updated_at", "created_by", "updated_by")
)


async def show(desk: Desk) -> Answer:
    """`GET /console/{team}/settings/audit?kind=&subject=&actor=&after=`: the newest first."""
    query = desk.visit.query
    kind = query.get("kind", "")
    subject, actor = (_to_id(query.get(name, ""), name) for name in ("subject", "actor"))
    which = EventFilter(kinds=(kind,) if kind in _KINDS else _KINDS, subject=subject, actor=actor)
    scope = f"audit {desk.team}"
    position = to_position(scope, query.get("after"))
    found = await walk_events(desk.hub, desk.caller, position, _PER_PAGE, which)
    after = to_token(scope, found.after) if found.has_after else None
    asked = {"kind": kind or None, "subject": subject, "actor": actor}
    logged = await find_logged(desk.hub, desk.caller, {one.request_id for one in found.items})
    doors = to_doors(desk)
    return desk.render(
        "audit.html",
        rows=[
            (
                one,
                to_user_name(desk.catalogue, one.actor) or one.actor_name,
                doors.get(one.dialect, one.dialect),
                _to_title(desk, one),
                to_subject_url(desk, one.kind, one.subject),
                logged.get(one.request_id),
                _to_changes(one.changes),
            )
            for one in found.items
        ],
        kind=kind,
        kinds=[("", "everything"), *((one, one.replace("_", " ")) for one in _KINDS)],
        subject=subject,
        actor=actor,
        actor_name=to_user_name(desk.catalogue, actor) if actor is not None else None,
        older=desk.url("settings", "audit", **asked, after=after) if after else None,
        newest=desk.url("settings", "audit", **asked) if position is not None else None,
    )


def _to_id(text: str, name: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        raise NotFound(name, text) from None


def _to_title(desk: Desk, event: AuditEvent) -> str:
    """What something is called that it happened to; its id where nobody knows it any more."""
    user = to_user_name(desk.catalogue, event.subject) if event.kind == "user" else None
    entry = next((desk.catalogue.name_of(kind, event.subject) for kind in get_args(Kind) if kind == event.kind), None)
    return user or entry or str(event.subject)


def _to_changes(changes: Iterable[FieldChange]) -> list[tuple[str, object, object]]:
    """Each place with what stood there and what stands there; of what was made whole, each of its members."""
    rows: list[tuple[str, object, object]] = []
    for change in changes:
        if not change.path and isinstance(change.new, dict):
            members = {**change.new, **(change.new.get("details") or {})}
            told = ((name, value) for name, value in members.items() if name not in _UNTOLD)
            rows += [(name, None, value) for name, value in told if value not in (None, "", [], {})]
        else:
            rows.append((change.path.strip("/").replace("/", " / "), change.old, change.new))
    return rows


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    f"{SETTINGS}/audit": {"GET": signed_in(show, permission=ADMINISTER)},
}
