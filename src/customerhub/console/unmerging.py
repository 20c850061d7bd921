"""Taking a merge back: tried first, with a choice where later changes stand in the way; then done."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, cast, get_args
from uuid import UUID

from customerhub.console.customer.subject import Subject, of_customer
from customerhub.console.desk import PREFIX, Desk
from customerhub.console.reverting import Reason, to_sentence
from customerhub.console.timeline import learn_names, read_number
from customerhub.console.wording import Line, Names, to_json, to_lines, to_record
from customerhub.core.customers import Written
from customerhub.core.timeline import get_customer_at, get_deleted_customer
from customerhub.core.unmerge import UnmergeRequest, unmerge_customer
from customerhub.model.answer import Answer
from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.error import (
    Conflict,
    FieldError,
    HistoryGone,
    HubError,
    InTheWay,
    Invalid,
    NotFound,
    Path,
    PreconditionFailed,
)
from customerhub.model.nested import pointer_step
from customerhub.model.unmerge import Prefer
from customerhub.web.screens import Screen

_UNSEEN: Final = Answer(204)
_STALE: Final = "Somebody has changed this customer meanwhile. This is what would come of it now."
_GONE: Final = "What the records held then was erased, or is older than the history is kept."


@dataclass(frozen=True, slots=True)
class Back:
    """What would come of it: the target's changes, and who is there again."""

    lines: list[Line]
    restored: list[Customer]


async def preview(desk: Desk, subject: Subject) -> Answer:
    """`GET …/versions/{version}/unmerge`: what taking its merge back would do; `prefer` says what stands then."""
    return await _show(desk, subject, _read_request(desk, desk.visit.query.get("prefer", "")))


async def unmerge(desk: Desk, subject: Subject) -> Answer:
    """`POST …/versions/{version}/unmerge`: do it, if the record still is as the preview found it (`at`)."""
    request = _read_request(desk, desk.form.get("prefer", ""))
    try:
        await _run(desk, subject, request, read_number(desk.form.get("at")) or 0, dry_run=False)
    except PreconditionFailed:
        return await _show(desk, subject, request, 412, _STALE)
    except (Invalid, Conflict, HistoryGone):
        # The preview tells why.
        return await _show(desk, subject, request, 409)
    return desk.go("customers", subject.customer.id, "timeline", done="unmerged")


def _read_request(desk: Desk, prefer: str) -> UnmergeRequest:
    version = read_number(desk.parameter("version"))
    if version is None:
        raise NotFound("version", desk.parameter("version"))
    return UnmergeRequest(version, cast("Prefer", prefer) if prefer in get_args(Prefer) else None)


async def _run(
    desk: Desk, subject: Subject, request: UnmergeRequest, version: int, *, dry_run: bool
) -> tuple[Written, tuple[UUID, ...]]:
    found: list[tuple[Written, tuple[UUID, ...]]] = []

    def render(written: Written, restored: tuple[UUID, ...]) -> Answer:
        found.append((written, restored))
        return _UNSEEN

    command = desk.command(version=version, dry_run=dry_run)
    await unmerge_customer(desk.hub, command, subject.customer.id, lambda: request, render)
    return found[-1]


async def _show(
    desk: Desk, subject: Subject, request: UnmergeRequest, status: int = 200, notice: str | None = None
) -> Answer:
    customer = subject.customer
    names = await learn_names(desk, customer, ())
    refused: list[Reason] = []
    standing: list[Line] = []
    back: Back | None = None
    try:
        written, restored = await _run(desk, subject, request, customer.version, dry_run=True)
    except InTheWay as error:
        standing = await _to_standing(desk, customer, request, error.errors, names)
    except (Invalid, Conflict, HistoryGone) as error:
        refused = await _to_reasons(desk, error)
    else:
        names.learn_changes(written.changes)
        back = Back(to_lines(written.changes, names), await _find_deleted(desk, restored))
    return desk.render(
        "unmerge.html",
        status,
        subject=subject,
        tab="timeline",
        request=request,
        back=back,
        standing=standing,
        refused=refused,
        notice=notice,
    )


async def _to_standing(
    desk: Desk, customer: Customer, request: UnmergeRequest, errors: Iterable[FieldError], names: Names
) -> list[Line]:
    """The places that were changed since: what they hold by now, and what they held before the merge."""
    former = to_record((await get_customer_at(desk.hub, desk.caller, customer.id, request.version - 1)).customer)
    names.learn_record(former)
    now = to_record(customer)
    lines: list[Line] = []
    for error in errors:
        pointer = "".join(f"/{pointer_step(str(step))}" for step in error.path)
        change = FieldChange(pointer, _value_at(now, error.path), _value_at(former, error.path))
        lines += to_lines((change,), names)
    return lines


def _value_at(record: dict[str, object], path: Path) -> object:
    """The value at a member, an entry by its id, or a custom value by its name; None where there is none."""
    field, *inner = path
    value = to_json(record.get(str(field)))
    if not inner:
        return value
    key = "name" if field == "attributes" else "id"
    entries = cast("list[dict[str, object]]", value or [])
    return next((entry for entry in entries if entry[key] == inner[0]), None)


async def _find_deleted(desk: Desk, ids: Iterable[UUID]) -> list[Customer]:
    return [(await get_deleted_customer(desk.hub, desk.caller, one)).customer for one in ids]


async def _to_reasons(desk: Desk, error: HubError) -> list[Reason]:
    match error:
        case Invalid():
            return [await _to_reason(desk, one) for one in error.errors]
        case HistoryGone():
            return [Reason(_GONE)]
        case Conflict():
            return [Reason(to_sentence(error.reason))]
    return [Reason(to_sentence(str(error)))]


async def _to_reason(desk: Desk, error: FieldError) -> Reason:
    names = Names(desk.catalogue)
    match error.path:
        case ("version",):
            return Reason("This is no version at which others went into this customer.")
        case ("sources", str(source), str(field), *_):
            [gone] = await _find_deleted(desk, (UUID(source),))
            value = str(getattr(gone, field, ""))
            reason = f"“{value}” belongs to another customer by now: give that one another first."
            return Reason(
                reason,
                f"{gone.name}, {names.label(f'/{field}')}",
                url=desk.url("customers", q=value),
                link="Who has it",
            )
        case (str(field), *_):
            return Reason(to_sentence(error.reason), names.label(f"/{field}"))
    return Reason(to_sentence(error.reason))


_PATH: Final = f"{PREFIX}/{{team}}/customers/{{id}}/versions/{{version}}/unmerge"


async def _check_and_preview(desk: Desk, subject: Subject) -> Answer:
    desk.check("customers:delete")
    return await preview(desk, subject)


async def _check_and_unmerge(desk: Desk, subject: Subject) -> Answer:
    desk.check("customers:delete")
    return await unmerge(desk, subject)


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    _PATH: {
        "GET": of_customer(_check_and_preview, permission="customers:update"),
        "POST": of_customer(_check_and_unmerge, permission="customers:update"),
    },
}
