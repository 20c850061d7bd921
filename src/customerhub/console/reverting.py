"""Going back: some places of the record, or all of it, as they were at a former version; tried first, then done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from customerhub.console.customer.subject import Subject, of_customer
from customerhub.console.desk import PREFIX, Desk
from customerhub.console.timeline import is_undoable, learn_names, read_number
from customerhub.console.wording import UNSETTABLE, Names, to_lines, to_record
from customerhub.core.customers import Written
from customerhub.core.timeline import Reversion, get_customer_at, get_history, revert_customer
from customerhub.model.answer import Answer
from customerhub.model.change import FieldChange
from customerhub.model.customer import CREDIT_LIMIT, Customer
from customerhub.model.error import Conflict, FieldError, HistoryGone, Invalid, NotFound, PreconditionFailed
from customerhub.model.history import HistoryEntry
from customerhub.model.page import Position
from customerhub.model.replay import differences, to_steps
from customerhub.web.screens import Screen

# Each round takes what was refused out of what is asked for.
_ROUNDS: Final = 4
_STALE: Final = "Somebody has changed this customer meanwhile. This is what would happen now."
_DONE: Final = Answer(204)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is not done; `label` says at which place, if it is one, `path` is that place."""

    reason: str
    label: str = ""
    path: str = ""
    url: str | None = None
    link: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """Back to what the record held at version `to`: at these places, or (None) all of it.

    `undo` is the version that shall be undone, if it is that.
    """

    to: int
    paths: tuple[str, ...] | None = None
    undo: int | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What would come of it: changes, the places that may be asked for again, and what is refused.

    `paths` are those that are left to ask for, None for all of the record.
    """

    changes: tuple[FieldChange, ...] = ()
    paths: tuple[str, ...] | None = None
    refused: tuple[Reason, ...] = ()


async def preview(desk: Desk, subject: Subject) -> Answer:
    """`GET …/versions/{version}/revert`: what would change, tried and taken back; `path` names places."""
    paths = tuple(desk.visit.query.getlist("path"))
    return await _show(desk, subject, Wish(_get_version(desk), paths or None))


async def preview_undo(desk: Desk, subject: Subject) -> Answer:
    """`GET …/versions/{version}/undo`: the same of everything that the version changed, or of some of it (`path`)."""
    version, customer = _get_version(desk), subject.customer
    entry = await _get_entry(desk, customer.id, version)
    paths = tuple(desk.visit.query.getlist("path"))
    if is_undoable(entry.changes):
        return await _show(
            desk, subject, Wish(version - 1, paths or _settable(one.path for one in entry.changes), version)
        )
    if entry.action == "merged":
        return desk.go("customers", customer.id, "versions", version, "unmerge")
    refused = Reason("What this version did cannot be undone by itself: go back to a version instead.")
    return await _show(desk, subject, Wish(version - 1, (), version), refused=(refused,))


async def revert(desk: Desk, subject: Subject) -> Answer:
    """`POST …/versions/{version}/revert`: do it, if the record still is as the preview found it (`at`)."""
    to = _get_version(desk)
    paths = None if desk.form.get("whole") == "yes" else tuple(desk.values("path"))
    wish = Wish(to, paths, read_number(desk.form.get("undo")))
    written: list[Written] = []

    def render(found: Written) -> Answer:
        written.append(found)
        return _DONE

    command = desk.command(version=read_number(desk.form.get("at")) or 0)
    try:
        await revert_customer(desk.hub, command, subject.customer.id, lambda: Reversion(to, paths), render)
    except PreconditionFailed:
        return await _show(desk, subject, wish, 412, _STALE)
    except (Invalid, Conflict, HistoryGone):
        # The preview tells why.
        return await _show(desk, subject, wish, 409)
    done = "reverted" if written[-1].changes else "same"
    return desk.go("customers", subject.customer.id, "timeline", done=done)


async def _show(
    desk: Desk,
    subject: Subject,
    wish: Wish,
    status: int = 200,
    notice: str | None = None,
    refused: tuple[Reason, ...] = (),
) -> Answer:
    customer = subject.customer
    trial = await _try(desk, customer, wish) if not refused else Trial((), (), refused)
    names = await learn_names(desk, customer, ())
    names.learn_changes(trial.changes)
    await _learn_target(desk, customer, wish, names)
    reasons = [
        Reason(one.reason, names.label(one.path) if one.path and not one.label else one.label, one.path)
        for one in trial.refused
    ]
    asked = wish.paths
    if asked is None:
        asked = _settable((*(one.path for one in reasons if one.path), *(change.path for change in trial.changes)))
    return desk.render(
        "revert.html",
        status,
        subject=subject,
        tab="timeline",
        wish=wish,
        trial=trial,
        lines=to_lines(trial.changes, names),
        refused=reasons,
        asked=[(path, names.label(path)) for path in asked],
        notice=notice,
    )


async def _learn_target(desk: Desk, customer: Customer, wish: Wish, names: Names) -> None:
    """Know what addresses and contacts were called then that are gone by now."""
    changes = [FieldChange(path) for path in wish.paths or ()]
    if names.find_unknown(changes):
        try:
            former = await get_customer_at(desk.hub, desk.caller, customer.id, wish.to)
        except NotFound:
            return
        names.learn_record(to_record(former.customer))


async def _try(desk: Desk, customer: Customer, wish: Wish) -> Trial:
    """Try it without what is refused, until the rest would be done."""
    paths, refused = wish.paths, list[Reason]()
    for _ in range(_ROUNDS):
        if paths == ():
            break
        try:
            written = await _run_dry(desk, customer, wish.to, paths)
        except Invalid as error:
            if any(one.path and one.path[0] == "version" for one in error.errors):
                refused.append(Reason("There was no such version of this customer."))
                return Trial(refused=tuple(refused))
            asked = paths if paths is not None else await _find_places(desk, customer, wish.to)
            wrong = to_wrong(error.errors, asked)
            refused += (Reason(to_sentence(one.reason), path=path) for path, one in wrong.items())
            paths = tuple(path for path in asked if path not in wrong)
        except HistoryGone:
            reason = "What the record held then was erased, or is older than the history is kept."
            return Trial(refused=(*refused, Reason(reason)))
        except Conflict as error:
            return Trial(refused=(*refused, Reason(to_sentence(error.reason))))
        else:
            return Trial(written.changes, paths, tuple(refused))
    return Trial(paths=(), refused=tuple(refused))


async def _run_dry(desk: Desk, customer: Customer, to: int, paths: tuple[str, ...] | None) -> Written:
    written: list[Written] = []

    def render(found: Written) -> Answer:
        written.append(found)
        return _DONE

    command = desk.command(version=customer.version, dry_run=True)
    await revert_customer(desk.hub, command, customer.id, lambda: Reversion(to, paths), render)
    return written[-1]


async def _find_places(desk: Desk, customer: Customer, to: int) -> tuple[str, ...]:
    """Where the record differs from what it was then."""
    former = (await get_customer_at(desk.hub, desk.caller, customer.id, to)).customer
    return _settable(change.path for change in differences(customer, former))


def to_wrong(errors: Iterable[FieldError], asked: Sequence[str]) -> dict[str, FieldError]:
    """The places asked for that were refused, with the reason of each.

    An error names a place by its position, or a member of the record, which stands for all that was asked for in it;
    one that names nothing that was asked for is told of all of it.
    """
    wrong: dict[str, FieldError] = {}
    for error in errors:
        match error.path:
            case ("paths", int(place)):
                hit = [asked[place]]
            case (member, *_):
                members = CREDIT_LIMIT if member in CREDIT_LIMIT else (member,)
                hit = [path for path in asked if to_steps(path)[:1] and to_steps(path)[0] in members]
            case _:
                hit = []
        wrong |= dict.fromkeys(hit or asked, error)
    return wrong


def _get_version(desk: Desk) -> int:
    """The version in the path; raises NotFound for what is no number."""
    number = read_number(desk.parameter("version"))
    if number is None:
        raise NotFound("version", desk.parameter("version"))
    return number


async def _get_entry(desk: Desk, customer_id: UUID, version: int) -> HistoryEntry:
    behind = Position(desk.hub.now(), UUID(int=version + 1))
    window = await get_history(desk.hub, desk.caller, customer_id, behind, 1)
    if not window.items or window.items[0].version != version:
        raise NotFound("version", str(version))
    return window.items[0]


def _settable(paths: Iterable[str]) -> tuple[str, ...]:
    """Places that can be asked for; an id that nobody reads comes with what it is of."""
    hidden = ("/credit_limit_id", *(f"/{field}" for field in UNSETTABLE))
    return tuple(path for path in dict.fromkeys(paths) if path not in hidden)


def to_sentence(reason: str) -> str:
    """A reason as a sentence of its own."""
    return f"{reason[:1].upper()}{reason[1:]}".rstrip(".") + "."


_VERSION: Final = f"{PREFIX}/{{team}}/customers/{{id}}/versions/{{version}}"
SCREENS: Final[dict[str, dict[str, Screen]]] = {
    f"{_VERSION}/revert": {
        "GET": of_customer(preview, permission="customers:update"),
        "POST": of_customer(revert, permission="customers:update"),
    },
    f"{_VERSION}/undo": {"GET": of_customer(preview_undo, permission="customers:update")},
}
