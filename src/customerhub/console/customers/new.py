"""`/console/{team}/customers/new`: a customer more, with what is known of it at first."""

from collections.abc import Mapping
from typing import Final

from customerhub.console.customers.asked import to_choices
from customerhub.console.customers.listing import LIST
from customerhub.console.desk import Desk, signed_in
from customerhub.console.reader import NOTHING, Refusal, attempt, to_reasons
from customerhub.core.customers import NumberForm, Proposal, Written, create_customer
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.error import FieldError, Invalid, Path
from customerhub.web.render import redirect
from customerhub.web.screens import Screen

_NUMBERS: Final = NumberForm("C", 5)
_TEXTS: Final = (
    *("name", "display_name", "number", "reference_id", "first_name", "last_name", "email", "phone", "website"),
    *("payment_term", "shipping_term", "carrier", "standing", "note"),
)
_ADDRESS: Final = ("line1", "line2", "city", "state", "postal_code", "country")
_SHOWN: Final = frozenset((*_TEXTS, "default_sales_rep", *(f"address.{name}" for name in _ADDRESS)))


async def show(desk: Desk) -> Answer:
    """`GET /console/{team}/customers/new`: 200 with an empty form."""
    return _render(desk, NOTHING)


async def create(desk: Desk) -> Answer:
    """`POST /console/{team}/customers/new`: on to the new customer; 400 with the form and its errors otherwise."""
    dialect, body = desk.canonical(), _to_body(desk)

    def decide(catalogue: Catalogue) -> Proposal:
        return dialect.propose_new(body, catalogue, desk.hub.new_id, desk.caller.actor)[0]

    def render(written: Written) -> Answer:
        return redirect(desk.url("customers", written.customer.id))

    async def refuse(refusal: Refusal) -> Answer:
        return _render(desk, refusal)

    return await attempt(create_customer(desk.hub, desk.command(), decide, render, _NUMBERS), refuse)


def _to_body(desk: Desk) -> dict[str, object]:
    """What was typed, as a canonical patch of a customer with nothing in it."""
    body: dict[str, object] = {name: text for name in _TEXTS if (text := desk.form.get(name, "").strip())}
    address = {name: text for name in _ADDRESS if (text := desk.form.get(f"address.{name}", "").strip())}
    if rep := desk.form.get("default_sales_rep", ""):
        body |= {"sales_reps": [rep], "default_sales_rep": rep}
    if address:
        body |= {"addresses": [{"type": "billing", **address}], "bill_to": "/addresses/0"}
    return body


def _to_reasons(refusal: Refusal) -> dict[str, str]:
    """What is wrong by the form's own names: the address has its members there, and a sales rep is one field."""
    if not isinstance(refusal.cause, Invalid):
        return {}
    own = (FieldError((_to_name(error.path),), error.code, error.reason) for error in refusal.cause.errors)
    return to_reasons(own)


def _to_name(path: Path) -> str:
    match path:
        case ("addresses", *_, str(member)) if member in _ADDRESS:
            return f"address.{member}"
        case ("addresses" | "bill_to", *_):
            return "address.line1"
        case ("sales_reps", *_):
            return "default_sales_rep"
    return str(path[0]) if path else ""


def _render(desk: Desk, refusal: Refusal) -> Answer:
    errors = _to_reasons(refusal)
    return desk.render(
        "customer_new.html",
        200 if refusal is NOTHING else refusal.status,
        values=desk.form,
        errors=errors,
        others=[reason for name, reason in errors.items() if name not in _SHOWN],
        notice=refusal.notice,
        choices=to_choices(desk.catalogue, none="None"),
    )


SCREENS: Final[Mapping[str, Mapping[str, Screen]]] = {
    f"{LIST}/new": {
        "GET": signed_in(show, permission="customers:create"),
        "POST": signed_in(create, permission="customers:create"),
    },
}
