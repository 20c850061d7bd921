"""Merging: customers side by side, a preview of the one they would be, and then it is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from customerhub.console.comparing import MOST, Party, learn_party, read_party, to_kept_apart, to_rows
from customerhub.console.customer.abroad import Place, to_places
from customerhub.console.desk import PREFIX, Desk, signed_in
from customerhub.console.fields import to_label
from customerhub.console.reverting import Reason, to_sentence
from customerhub.console.wording import Line, Names, to_lines
from customerhub.core.abroad import list_abroad
from customerhub.core.customers import Written, find_successor
from customerhub.core.duplicates import find_duplicates
from customerhub.core.merge import MergeRequest, merge_customers
from customerhub.model.answer import Answer
from customerhub.model.customer import Customer
from customerhub.model.error import Conflict, FieldError, HubError, Invalid, NotFound, PreconditionFailed
from customerhub.web.render import redirect
from customerhub.web.screens import Screen

_UNSEEN: Final = Answer(204)
_FEWEST: Final = 2
_STALE: Final = "Somebody has changed one of them meanwhile. This is what would come of it now."


@dataclass(frozen=True, slots=True)
class Going:
    """What becomes of one that goes into another: what its history alone keeps, and where else it is kept."""

    customer: Customer
    apart: list[tuple[str, str]]
    places: list[Place]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would come of a merge: the record after, what comes to it or changes, what becomes of the others."""

    after: Customer
    lines: list[Line]
    going: list[Going]


async def gather(desk: Desk) -> Answer:
    """`GET /console/{team}/merge?customer=…&customer=…`: on to the page of them side by side."""
    first, *others = desk.visit.query.getlist("customer") or [""]
    if not first:
        return desk.go("duplicates")
    return redirect(_to_url(desk, first, [("with", one) for one in others]))


async def compare(desk: Desk) -> Answer:
    """`GET …/duplicates/{id}`: it beside others (`with`), or beside the likeliest of its candidates."""
    return await _compare(desk, await _read(desk, desk.visit.query.multi_items()))


async def _read(desk: Desk, sent: Sequence[tuple[str, str]]) -> Party:
    """Who is asked for; raises NotFound where the customer in the path is not there."""
    first = desk.get_id(kind="customer")
    others = [value for name, value in sent if name == "with"]
    if not others:
        found = await find_duplicates(desk.hub, desk.caller, first)
        others = [str(one.customer.id) for one in found.candidates[:1]]
    party = await read_party(desk, (str(first), *others), sent)
    if str(first) in party.lost:
        raise NotFound("customer", str(first))
    return party


def _to_url(desk: Desk, first: object, query: Sequence[tuple[str, str]], *segments: str) -> str:
    asked = f"?{urlencode(query)}" if query else ""
    return f"{desk.url('duplicates', first, *segments)}{asked}"


async def _compare(desk: Desk, party: Party, status: int = 200) -> Answer:
    names = await learn_party(desk, party.customers)
    return desk.render(
        "compare.html",
        status,
        party=party,
        rows=to_rows(party, names),
        can_merge=len(party.customers) >= _FEWEST and _may(desk),
        most=MOST,
    )


async def preview(desk: Desk) -> Answer:
    """`GET …/duplicates/{id}/merge`: the one customer that they would be, tried and taken back."""
    _check(desk)
    party = await _read(desk, desk.visit.query.multi_items())
    return await _show(desk, party) if party.sources else await _compare(desk, party)


async def merge(desk: Desk) -> Answer:
    """`POST …/duplicates/{id}/merge`: make them one, if each still is as the preview found it."""
    _check(desk)
    if done := await _find_done(desk):
        return done
    party = await _read(desk, desk.visit.fields)
    seen = set(desk.values("seen"))
    if not party.sources:
        return await _compare(desk, party, 409)
    if party.lost or {to_mark(one) for one in party.customers} != seen:
        return await _show(desk, party, 412, _STALE)
    try:
        await _run(desk, party, dry_run=False)
    except PreconditionFailed:
        done = await _find_done(desk)
        return done or await _show(desk, await _read(desk, desk.visit.fields), 412, _STALE)
    except (Invalid, Conflict):
        # The preview tells why.
        return await _find_done(desk) or await _show(desk, party, 409)
    return _go(desk, party.target.id)


def _go(desk: Desk, target: UUID) -> Answer:
    return desk.go("customers", target, "timeline", done="merged")


async def _find_done(desk: Desk) -> Answer | None:
    """On to the customer that all of them went into already: whoever clicks twice means it once."""
    try:
        target = UUID(desk.form.get("into", ""))
        sources = {UUID(mark.partition(":")[0]) for mark in desk.values("seen")[:MOST]} - {target}
    except ValueError:
        return None
    for source in sources:
        if await find_successor(desk.hub, desk.caller, source) != target:
            return None
    return _go(desk, target) if sources else None


def _may(desk: Desk) -> bool:
    return desk.may("customers:update") and desk.may("customers:delete")


def _check(desk: Desk) -> None:
    """Whoever merges changes one customer and deletes the others."""
    desk.check("customers:update")
    desk.check("customers:delete")


def to_mark(customer: Customer) -> str:
    """A customer at its version, in a form."""
    return f"{customer.id}:{customer.version}"


async def _run(desk: Desk, party: Party, *, dry_run: bool) -> Written:
    written: list[Written] = []

    def render(found: Written) -> Answer:
        written.append(found)
        return _UNSEEN

    command = desk.command(version=party.target.version, dry_run=dry_run)
    request = MergeRequest(tuple(one.id for one in party.sources), party.survivors)
    await merge_customers(desk.hub, command, party.target.id, lambda: request, render)
    return written[-1]


async def _show(desk: Desk, party: Party, status: int = 200, notice: str | None = None) -> Answer:
    names = await learn_party(desk, party.customers)
    refused: Sequence[Reason] = ()
    outcome: Outcome | None = None
    try:
        written = await _run(desk, party, dry_run=True)
    except (Invalid, Conflict) as error:
        refused = _to_reasons(error, party)
    else:
        outcome = await _to_outcome(desk, party, written, names)
    return desk.render(
        "merge.html",
        status,
        party=party,
        outcome=outcome,
        refused=refused,
        notice=notice,
        marks=[to_mark(one) for one in party.customers],
    )


async def _to_outcome(desk: Desk, party: Party, written: Written, names: Names) -> Outcome:
    names.learn_changes(written.changes)
    going = [
        Going(
            source,
            to_kept_apart(source, written.customer, names),
            [
                place
                for place in to_places(await list_abroad(desk.hub, desk.caller, source.id), source)
                if place.external_id
            ],
        )
        for source in party.sources
    ]
    return Outcome(written.customer, to_lines(written.changes, names), going)


def _to_reasons(error: HubError, party: Party) -> list[Reason]:
    if isinstance(error, Invalid):
        return [_to_reason(one, party) for one in error.errors]
    return [Reason(to_sentence(error.reason if isinstance(error, Conflict) else str(error)))]


def _to_reason(error: FieldError, party: Party) -> Reason:
    match error.path:
        case ("sources", int(place)):
            return Reason(to_sentence(error.reason), party.sources[place].name)
        case ("survivorship", str(field)):
            return Reason(to_sentence(error.reason), to_label(field))
        case (str(field), *_):
            return Reason(to_sentence(error.reason), to_label(field))
    return Reason(to_sentence(error.reason))


_PATH: Final = f"{PREFIX}/{{team}}/duplicates/{{id}}"
SCREENS: Final[dict[str, dict[str, Screen]]] = {
    f"{PREFIX}/{{team}}/merge": {"GET": signed_in(gather, permission="customers:read")},
    _PATH: {"GET": signed_in(compare, permission="customers:read")},
    f"{_PATH}/merge": {
        "GET": signed_in(preview, permission="customers:update"),
        "POST": signed_in(merge, permission="customers:update"),
    },
}
