"""How a deleted customer comes back."""

from typing import Final

from customerhub.console.customer.subject import Subject, of_customer
from customerhub.console.desk import PREFIX, Desk
from customerhub.console.reverting import Reason, to_sentence
from customerhub.console.timeline import learn_names, read_number
from customerhub.console.wording import Names, to_lines, to_record
from customerhub.core.timeline import restore_customer
from customerhub.model.answer import Answer
from customerhub.model.change import FieldChange
from customerhub.model.error import Conflict, FieldError, HubError, Invalid, NotFound, PreconditionFailed, Taken
from customerhub.web.screens import Screen

_UNSEEN: Final = Answer(204)
_STALE: Final = "Somebody has changed this customer meanwhile. This is how it stands now."


async def preview(desk: Desk, subject: Subject) -> Answer:
    """`GET …/restore`: how the customer was, and what stands in the way of having it back."""
    if not subject.is_deleted:
        return desk.go("customers", subject.customer.id)
    try:
        await _restore(desk, subject, subject.customer.version, dry_run=True)
    except (Invalid, Conflict) as error:
        return await _show(desk, subject, 200, error)
    return await _show(desk, subject)


async def restore(desk: Desk, subject: Subject) -> Answer:
    """`POST …/restore`: have it back, if it still is as the page showed it."""
    if not subject.is_deleted:
        return desk.go("customers", subject.customer.id)
    version = desk.form.get("version", "")
    try:
        await _restore(desk, subject, read_number(version) or 0, dry_run=False)
    except (Invalid, Conflict, PreconditionFailed) as error:
        return await _show(desk, subject, 412 if isinstance(error, PreconditionFailed) else 409, error)
    except NotFound:
        # Somebody was faster.
        return desk.go("customers", subject.customer.id)
    return desk.go("customers", subject.customer.id, "timeline", done="restored")


async def _restore(desk: Desk, subject: Subject, version: int, *, dry_run: bool) -> None:
    command = desk.command(version=version, dry_run=dry_run)
    await restore_customer(desk.hub, command, subject.customer.id, lambda _: _UNSEEN)


async def _show(desk: Desk, subject: Subject, status: int = 200, error: HubError | None = None) -> Answer:
    names = await learn_names(desk, subject.customer, ())
    return desk.render(
        "restore.html",
        status,
        subject=subject,
        tab=None,
        lines=to_lines((FieldChange("", None, to_record(subject.customer)),), names),
        refused=_to_reasons(desk, subject, names, error) if error is not None else [],
    )


def _to_reasons(desk: Desk, subject: Subject, names: Names, error: HubError) -> list[Reason]:
    match error:
        case Taken():
            return [_to_taken(desk, subject, names, one) for one in error.errors]
        case Invalid():
            return [Reason(to_sentence(one.reason), names.label(f"/{one.path[0]}")) for one in error.errors if one.path]
        case Conflict():
            return [Reason(to_sentence(error.reason))]
    return [Reason(_STALE)]


def _to_taken(desk: Desk, subject: Subject, names: Names, error: FieldError) -> Reason:
    """Whose it is by now is found by the value."""
    field = str(error.path[0])
    value = str(getattr(subject.customer, field))
    reason = (
        f"“{value}” belongs to another customer by now. Give that one another, or merge the two once both are there."
    )
    return Reason(reason, names.label(f"/{field}"), url=desk.url("customers", q=value), link="Who has it")


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    f"{PREFIX}/{{team}}/customers/{{id}}/restore": {
        "GET": of_customer(preview, permission="customers:delete", lasting=True),
        "POST": of_customer(restore, permission="customers:delete", lasting=True),
    },
}
