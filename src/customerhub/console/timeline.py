"""What happened to a customer, version by version, and the record as it was at any of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from customerhub.console.customer.subject import Subject, of_customer
from customerhub.console.desk import PREFIX, Desk
from customerhub.console.origins import Origin, to_doors, to_origins
from customerhub.console.paging import to_position, to_token
from customerhub.console.wording import UNSETTABLE, Line, Names, compare, to_lines, to_record, to_references
from customerhub.core.duplicates import get_summaries
from customerhub.core.timeline import get_customer_at, get_history
from customerhub.core.unmerge import list_merged_away
from customerhub.model.answer import Answer
from customerhub.model.change import FieldChange
from customerhub.model.customer import CREDIT_LIMIT, Customer
from customerhub.model.error import HistoryGone, NotFound
from customerhub.model.history import HistoryEntry, HistoryFilter
from customerhub.model.page import Position
from customerhub.model.replay import CONTENT
from customerhub.web.screens import Screen

_LIMIT: Final = 20
# So many former versions at most are read to find out what addresses and contacts were called that are gone.
_LOOKS: Final = 3
_GONE: Final = "What the record held then was erased, or is older than the history is kept."
_LONGEST_NUMBER: Final = 18
FIELDS: Final = tuple(one for one in CONTENT if one not in ("credit_limit_unit", "credit_limit_id", "merged_into"))
_ACTIONS: Final = {
    "created": ("Created", "good"),
    "updated": ("Changed", "plain"),
    "deleted": ("Deleted", "bad"),
    "restored": ("Restored", "good"),
    "merged": ("Merged", "warn"),
    "erased": ("Erased", "bad"),
}
_DONE: Final = {
    "reverted": "It is done: the record holds these values again, as a new version.",
    "restored": "The customer is back, as it was.",
    "merged": "They are one customer now. Should it turn out to be wrong, un-merge them here.",
    "unmerged": "The merge was taken back.",
    "same": "Nothing had to be changed: the record holds these values already.",
}


@dataclass(frozen=True, slots=True)
class Version:
    """One version as the page shows it; `others` is how many changed places it has that were not asked for.

    `can_undo` says whether what it changed can be put back as it was, `is_merge` whether others went into it: `sources`
    are those of them that are still gone. `is_whole`: it is told as the whole record.
    """

    entry: HistoryEntry
    action: str
    tone: str
    origin: Origin
    lines: list[Line] = field(default_factory=list)
    others: int = 0
    can_undo: bool = False
    is_merge: bool = False
    sources: tuple[Customer, ...] = ()
    is_whole: bool = False


async def show(desk: Desk, subject: Subject) -> Answer:
    """`GET …/timeline`: a page of its versions, the newest first; `field` and `door` narrow it down."""
    query, customer = desk.visit.query, subject.customer
    place, door = query.get("field", ""), query.get("door", "")
    within = to_places(place)
    which = HistoryFilter(dialect=door or None, paths=within or None)
    scope = f"timeline {customer.id}"
    window = await get_history(desk.hub, desk.caller, customer.id, to_position(scope, query.get("page")), _LIMIT, which)
    names = await learn_names(desk, customer, window.items)
    origins = await to_origins(desk, window.items)
    versions = [_to_version(entry, origins[entry.version], names, within) for entry in window.items]
    versions = [await _with_sources(desk, one) if one.is_merge else one for one in versions]
    doors = to_doors(desk)

    def to_page(position: Position | None) -> str | None:
        token = to_token(scope, position)
        asked = {"field": place or None, "door": door or None, "page": token}
        return desk.url("customers", customer.id, "timeline", **asked) if token else None

    return desk.render(
        "timeline.html",
        subject=subject,
        tab="timeline",
        versions=versions,
        place=place,
        door=door,
        fields=_to_choices(place, within, names),
        doors=[("", "Every door"), *sorted(doors.items()), *([(door, door)] if door and door not in doors else [])],
        done=_DONE.get(query.get("done", "")),
        successor=await _find_name(desk, subject.successor),
        can_change=not subject.is_deleted and desk.may("customers:update"),
        newer=to_page(window.before),
        older=to_page(window.after),
    )


async def _find_name(desk: Desk, customer_id: UUID | None) -> tuple[UUID, str] | None:
    if customer_id is None:
        return None
    found = await get_summaries(desk.hub, desk.caller, (customer_id,))
    return customer_id, found[customer_id].name if customer_id in found else str(customer_id)


def to_places(place: str) -> tuple[str, ...]:
    """The places of the record that a field of the page stands for: `email`, `addresses/<id>/city`."""
    if not place:
        return ()
    if place == "credit_limit":
        return tuple(f"/{one}" for one in CREDIT_LIMIT)
    return (f"/{place}",)


def _to_choices(place: str, within: Sequence[str], names: Names) -> list[tuple[str, str]]:
    fields = sorted(((one, names.label(f"/{one}")) for one in FIELDS), key=lambda choice: choice[1])
    if place and place not in FIELDS:
        fields.insert(0, (place, names.label(within[0])))
    return [("", "Every field"), *fields]


async def learn_names(desk: Desk, customer: Customer, entries: Sequence[HistoryEntry]) -> Names:
    """What everything is called that these versions of a customer are about, and the customer as it stands."""
    changes = [change for entry in entries for change in entry.changes]
    customers = await get_summaries(desk.hub, desk.caller, to_references([*changes, FieldChange("", customer)]))
    names = Names(desk.catalogue, {str(one): found.name for one, found in customers.items()})
    names.learn_record(to_record(customer))
    names.learn_changes(changes)
    for _ in range(_LOOKS):
        lost = next((entry for entry in entries if names.find_unknown(entry.changes)), None)
        if lost is None:
            break
        await _learn_former(desk, customer.id, lost.version, names)
        entries = [entry for entry in entries if entry is not lost]
    return names


async def _learn_former(desk: Desk, customer_id: UUID, version: int, names: Names) -> None:
    try:
        former = await get_customer_at(desk.hub, desk.caller, customer_id, version)
    except NotFound:
        # Erased, or older than the history is kept: nobody knows.
        return
    names.learn_record(to_record(former.customer))


def _to_version(entry: HistoryEntry, origin: Origin, names: Names, within: Sequence[str]) -> Version:
    every = to_lines(entry.changes, names)
    lines = to_lines(entry.changes, names, within)
    action, tone = _ACTIONS.get(entry.action, (entry.action.capitalize(), "plain"))
    paths = {change.path for change in entry.changes}
    is_source = "/merged_into" in paths
    is_merge = entry.action == "merged" and not is_source and "" not in paths
    if is_source and entry.action == "merged":
        action = "Merged into another"
    elif is_merge:
        action = "Took in others"
    return Version(
        *(entry, action, tone, origin, lines),
        others=len(every) - len(lines),
        can_undo=entry.action in ("updated", "merged") and not is_merge and is_undoable(entry.changes),
        is_merge=is_merge,
        is_whole="" in paths,
    )


async def _with_sources(desk: Desk, version: Version) -> Version:
    entry = version.entry
    found = await list_merged_away(desk.hub, desk.caller, entry.customer, entry.at, entry.request_id)
    return replace(version, sources=found)


def is_undoable(changes: Iterable[FieldChange]) -> bool:
    """Whether what a version changed can be put back by itself: not what came into being, went, or is not known."""
    paths = [change.path for change in changes if not change.erased]
    return bool(paths) and all(path not in ("", *(f"/{one}" for one in UNSETTABLE)) for path in paths)


async def show_former(desk: Desk, subject: Subject) -> Answer:
    """`GET …/versions/{version}`: the whole record as it was, beside what it holds now."""
    number = read_number(desk.parameter("version"))
    if number is None:
        raise NotFound("version", desk.parameter("version"))
    try:
        former = (await get_customer_at(desk.hub, desk.caller, subject.customer.id, number)).customer
    except HistoryGone:
        return await _show_former(desk, subject, None, _GONE)
    return await _show_former(desk, subject, former)


async def find_former(desk: Desk, subject: Subject) -> Answer:
    """`GET …/as-it-was?at=…`: on to the version that stood at a time, in UTC where it has no zone."""
    text = desk.visit.query.get("at", "")
    at = _read_time(text)
    if at is None:
        return desk.go("customers", subject.customer.id, "timeline")
    try:
        found = await get_customer_at(desk.hub, desk.caller, subject.customer.id, at)
    except HistoryGone:
        return await _show_former(desk, subject, None, _GONE)
    except NotFound:
        return await _show_former(desk, subject, None, "The customer was not there yet.")
    return desk.go("customers", subject.customer.id, "versions", found.customer.version, at=text)


async def _show_former(desk: Desk, subject: Subject, former: Customer | None, problem: str | None = None) -> Answer:
    customer = subject.customer
    names = await learn_names(desk, customer, ())
    if former is not None:
        names.learn_record(to_record(former))
    return desk.render(
        "former.html",
        404 if former is None else 200,
        subject=subject,
        tab="timeline",
        former=former,
        lines=compare(former, customer, names) if former is not None else [],
        problem=problem,
        at=desk.visit.query.get("at", ""),
        can_change=not subject.is_deleted and desk.may("customers:update"),
    )


def read_number(text: str | None) -> int | None:
    """A whole number as an address or a form of ours has it; None for anything else."""
    is_number = text is not None and text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
    return int(text) if is_number and text is not None else None


def _read_time(text: str) -> datetime | None:
    """A time as browsers send it, without a zone in UTC."""
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


_CUSTOMER: Final = f"{PREFIX}/{{team}}/customers/{{id}}"
SCREENS: Final[dict[str, dict[str, Screen]]] = {
    f"{_CUSTOMER}/timeline": {"GET": of_customer(show, permission="customers:read", lasting=True)},
    f"{_CUSTOMER}/as-it-was": {"GET": of_customer(find_former, permission="customers:read", lasting=True)},
    f"{_CUSTOMER}/versions/{{version}}": {"GET": of_customer(show_former, permission="customers:read", lasting=True)},
}
