"""A person allows or denies a partner's application: the page between its start and the code it gets."""

from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from customerhub.core.consent import Wish, allow, choices, deny, read_wish
from customerhub.core.redirects import to_origin
from customerhub.core.sessions import Person
from customerhub.model.answer import Answer
from customerhub.model.error import FieldError, Invalid, NotFound
from customerhub.web.browser import check_csrf, get_person, to_csrf, to_secret, to_sign_in
from customerhub.web.render import redirect, render
from customerhub.web.screens import Screen, Visit

PATH: Final = "/authorize"

_STALE: Final = "This request of an application is too old, or is none. Start again from the application."


async def show_consent(visit: Visit) -> Answer:
    """`GET /authorize?request=`: what the application asks; sign in first where nobody is."""
    text = visit.query.get("request", "")
    try:
        wish = await read_wish(visit.hub, text)
    except NotFound:
        return _stale(visit)
    person = await get_person(visit)
    return to_sign_in(visit) if person is None else _page(visit, wish, person, text)


async def take_consent(visit: Visit) -> Answer:
    """`POST /authorize`: 303 to the application, with a code or with its refusal. Raises Forbidden, Invalid."""
    check_csrf(visit)
    try:
        wish = await read_wish(visit.hub, visit.form.get("request", ""))
    except NotFound:
        return _stale(visit)
    person = await get_person(visit)
    if person is None:
        return to_sign_in(visit)
    match visit.form.get("decision"):
        case "allow":
            team = _to_team(visit.form.get("team", ""))
            return redirect(await allow(visit.hub, wish, person, team, visit.request_id))
        case "deny":
            return redirect(deny(wish))
    raise Invalid((FieldError(("decision",), "invalid_enum", "must be allow or deny"),))


def _to_team(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid((FieldError(("team",), "invalid", "is not the id of a team"),)) from None


def _page(visit: Visit, wish: Wish, person: Person, text: str) -> Answer:
    return render(
        "consent.html",
        form_targets=(to_origin(wish.redirect_uri),),
        client=wish.client.name,
        host=urlsplit(wish.redirect_uri).hostname,
        teams=choices(wish, person),
        email=person.email,
        csrf=to_csrf(to_secret(visit)),
        request=text,
        here=f"{visit.path}?{visit.raw_query}",
    )


def _stale(visit: Visit) -> Answer:
    return render("problem.html", 400, title="Start again", sentence=_STALE, request_id=visit.request_id)


SCREENS: Final[dict[str, dict[str, Screen]]] = {PATH: {"GET": show_consent, "POST": take_consent}}
