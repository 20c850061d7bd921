"""Sign in and out with a browser."""

from typing import Final
from urllib.parse import quote

from customerhub.core.access import sign_in
from customerhub.core.sessions import sign_out, start_session
from customerhub.model.answer import Answer
from customerhub.model.error import Unauthenticated
from customerhub.web.browser import check_csrf, get_person, to_csrf, to_local, to_secret, with_secret
from customerhub.web.render import redirect, render
from customerhub.web.screens import Screen, Visit

_WRONG: Final = "No login has this email address and password."


async def show_sign_in(visit: Visit) -> Answer:
    """`GET /signin?next=`: the form, or straight on for who is signed in."""
    target = to_local(visit.query.get("next", ""))
    if await get_person(visit) is not None:
        return redirect(target)
    return _form(visit, target)


async def take_sign_in(visit: Visit) -> Answer:
    """`POST /signin`: 303 to `next` with a new session, 401 with the form for a wrong password. Raises RateLimited."""
    secret = check_csrf(visit)
    target = to_local(visit.form.get("next", ""))
    email, password = visit.form.get("email", "").strip(), visit.form.get("password", "")
    try:
        login = await visit.limits.try_password(
            visit.client_address, email, lambda: sign_in(visit.hub, email, password)
        )
        session = await start_session(visit.hub, login, secret)
    except Unauthenticated:
        return _form(visit, target, status=401, email=email, problem=_WRONG)
    return with_secret(visit, redirect(target), session, seconds=visit.hub.settings.session_seconds)


async def take_sign_out(visit: Visit) -> Answer:
    """`POST /signout`: the session ends; 303 to sign in again, and then to `next`."""
    await sign_out(visit.hub, check_csrf(visit))
    return with_secret(visit, redirect(f"/signin?next={_quoted(visit.form.get('next', ''))}"), "", seconds=0)


def _quoted(target: str) -> str:
    return quote(to_local(target), safe="")


def _form(visit: Visit, target: str, *, status: int = 200, email: str = "", problem: str = "") -> Answer:
    secret = to_secret(visit)
    page = render("signin.html", status, csrf=to_csrf(secret), next=target, email=email, problem=problem)
    return with_secret(visit, page, secret)


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    "/signin": {"GET": show_sign_in, "POST": take_sign_in},
    "/signout": {"POST": take_sign_out},
}
