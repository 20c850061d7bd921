"""A customer's first page, and taking a customer away."""

from typing import Final

from customerhub.console.customer.edit import SCREENS as EDIT_SCREENS
from customerhub.console.customer.page import WANTED, render_page
from customerhub.console.customer.subject import Subject, get_subject, of_customer, to_path
from customerhub.console.desk import PREFIX, Desk
from customerhub.core.customers import delete_customer
from customerhub.model.answer import Answer
from customerhub.model.error import Conflict, PreconditionFailed
from customerhub.web.screens import Screen

_DONE: Final = Answer(200)
_MOVED: Final = "This customer has changed since you looked at it. Look at it again before you delete it."


async def show(desk: Desk, subject: Subject) -> Answer:
    """`GET …/customers/{id}`: the customer; of a deleted one that it is; of a merged one its successor."""
    if not subject.is_deleted:
        return await render_page(desk, subject)
    if subject.successor is not None:
        return desk.go("customers", subject.successor)
    return desk.render("customer_gone.html", subject=subject, tab=None, kept=[], to_path=to_path)


async def ask_deletion(desk: Desk, subject: Subject, notice: str | None = None, status: int = 200) -> Answer:
    """`GET …/customers/{id}/delete`: what it means, and a button."""
    return desk.render("customer_delete.html", status, subject=subject, tab=None, notice=notice, to_path=to_path)


async def delete(desk: Desk, subject: Subject) -> Answer:
    """`POST …/customers/{id}/delete`: it is gone, and its page says so; or why it cannot be."""
    if subject.is_deleted:
        return desk.go("customers", subject.customer.id)
    customer_id, seen = subject.customer.id, desk.form.get("version")
    if seen != str(subject.customer.version):
        return await ask_deletion(desk, subject, _MOVED, 409)
    command = desk.command(version=subject.customer.version)
    try:
        await delete_customer(desk.hub, command, customer_id, lambda _: _DONE)
    except PreconditionFailed:
        newest = await get_subject(desk, WANTED)
        return (
            await ask_deletion(desk, newest, _MOVED, 409)
            if not newest.is_deleted
            else desk.go("customers", customer_id)
        )
    except Conflict as error:
        reason = f"It cannot be deleted: {error.reason}."
        return await ask_deletion(desk, subject, reason, 409)
    return desk.go("customers", customer_id)


async def _ask(desk: Desk, subject: Subject) -> Answer:
    return await ask_deletion(desk, subject)


_ROOT: Final = f"{PREFIX}/{{team}}/customers/{{id}}"
SCREENS: Final[dict[str, dict[str, Screen]]] = {
    _ROOT: {"GET": of_customer(show, permission="customers:read", wanted=WANTED, lasting=True)},
    f"{_ROOT}/delete": {
        "GET": of_customer(_ask, permission="customers:delete", wanted=WANTED),
        "POST": of_customer(delete, permission="customers:delete", wanted=WANTED, lasting=True),
    },
    **EDIT_SCREENS,
}
