"""Signing in and out with a browser, and what must not come of it."""

from datetime import timedelta
from http.cookies import SimpleCookie
from uuid import uuid4

import httpx
import pytest

from customerhub.core.admin import NewUser, create_team, create_user
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.settings import Settings
from customerhub.web import signin
from customerhub.web.browser import to_csrf
from customerhub.web.limit import Limits
from customerhub.web.screens import Screens
from customerhub.web.serve import Site
from tests.support.browser import browse, forms, sign_in, submit

PASSWORD = "correct horse battery"


@pytest.fixture
async def email(hub: Hub) -> str:
    """The address of somebody who can sign in."""
    team = await create_team(hub, f"Team {uuid4()}")
    address = f"{uuid4().hex}@people.example"
    await create_user(hub, team, NewUser(address, "Ada", "Vik", password=PASSWORD))
    return address


async def count_sessions(hub: Hub) -> int:
    """How many sessions are stored."""
    async with hub.database.lease() as connection:
        return int(await connection.fetchval("select count(*) from browser_session"))


def cookie_of(answer: httpx.Response) -> dict[str, str]:
    """The cookie that an answer sets, with its attributes; the value is `value`."""
    jar: SimpleCookie = SimpleCookie(answer.headers["set-cookie"])
    ((name, morsel),) = jar.items()
    attributes = {key: str(value) for key, value in morsel.items() if value}
    return attributes | {"name": name, "value": morsel.value}


async def test_signing_in_gives_a_new_session_and_leads_on(hub: Hub, site: Site, email: str) -> None:
    """The cookie after it is another than before, readable by no script, and the form's page is where it leads."""
    before = await count_sessions(hub)
    async with browse(site) as browser:
        page = await browser.get("/signin", params={"next": "/authorize?request=x&y=1"})
        first = cookie_of(page)
        assert await count_sessions(hub) == before
        answer = await submit(browser, page, "/signin", email=email.upper(), password=PASSWORD)
        second = cookie_of(answer)
        assert (answer.status_code, answer.headers["location"]) == (303, "/authorize?request=x&y=1")
        assert first["value"] != second["value"]
        assert {key: value for key, value in second.items() if key not in ("value", "max-age")} == {
            "name": "customerhub",
            "path": "/",
            "httponly": "True",
            "samesite": "Lax",
        }
        assert second["max-age"] == str(hub.settings.session_seconds)
        again = await browser.get("/signin", params={"next": "/docs"})
        assert (again.status_code, again.headers["location"]) == (303, "/docs")
    assert await count_sessions(hub) == before + 1


async def test_a_session_from_before_is_nobodys(hub: Hub, site: Site, email: str) -> None:
    """Who planted a cookie in a browser before the sign-in holds nothing after it, not even an older session."""
    async with browse(site) as browser, browse(site) as other:
        page = await browser.get("/signin")
        planted = cookie_of(page)["value"]
        first = await submit(browser, page, "/signin", email=email, password=PASSWORD)
        other.cookies.set("customerhub", planted)
        assert (await other.get("/signin")).status_code == 200
        # Signing in again in the same browser ends the session that it had.
        browser.cookies.set("customerhub", cookie_of(first)["value"], domain="hub.local")
        form = {"email": email, "password": PASSWORD, "csrf": _csrf_of(first), "next": "/"}
        older = cookie_of(first)["value"]
        answer = await browser.post("/signin", data=form, headers={"cookie": f"customerhub={older}"})
        assert answer.status_code == 303
        other.cookies.set("customerhub", older)
        assert (await other.get("/signin")).status_code == 200


def _csrf_of(answer: httpx.Response) -> str:
    return to_csrf(cookie_of(answer)["value"])


async def test_a_wrong_password_shows_the_form_again(hub: Hub, site: Site, email: str) -> None:
    """Unknown addresses and wrong passwords look alike; the address typed stays, the password does not."""
    before = await count_sessions(hub)
    texts = []
    async with browse(site) as browser:
        for who in (email, "nobody@people.example"):
            answer = await sign_in(browser, who, "wrong <password>", "/docs")
            assert answer.status_code == 401
            assert forms(answer)["/signin"].values | {"csrf": ""} == {
                "csrf": "",
                "next": "/docs",
                "email": who,
                "password": "",
            }
            assert "wrong" not in answer.text.replace("wrong.", "")
            texts.append(answer.text.replace(who, "WHO"))
    assert texts[0] == texts[1]
    assert await count_sessions(hub) == before


@pytest.mark.parametrize("damage", ["no field", "another's", "no cookie", "two cookies"])
async def test_a_form_that_is_not_ours_is_refused(hub: Hub, site: Site, email: str, damage: str) -> None:
    """Without the proof that belongs to the browser's cookie nothing happens: 403, and no session."""
    before = await count_sessions(hub)
    async with browse(site) as browser, browse(site) as other:
        page = await browser.get("/signin")
        values = forms(page)["/signin"].values | {"email": email, "password": PASSWORD}
        if damage == "no field":
            del values["csrf"]
        elif damage == "another's":
            values["csrf"] = forms(await other.get("/signin"))["/signin"].values["csrf"]
        elif damage == "no cookie":
            browser.cookies.clear()
        headers = {"cookie": "customerhub=a; customerhub=b"} if damage == "two cookies" else {}
        answer = await browser.post("/signin", data=values, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (403, "text/html; charset=utf-8")
    assert "set-cookie" not in answer.headers
    assert await count_sessions(hub) == before


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil",
        "/é",
        "",
    ],
)
async def test_next_leads_nowhere_else(site: Site, email: str, target: str) -> None:
    """What a browser could take for another place becomes the front page."""
    async with browse(site) as browser:
        answer = await sign_in(browser, email, PASSWORD, target)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


async def test_pages_cannot_be_framed_or_run_anything(site: Site) -> None:
    """The policy allows the style sheet of this hub and forms to it, and nothing else."""
    async with browse(site) as browser:
        page = await browser.get("/signin")
        style = await browser.get("/pages/style.css")
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
    )
    assert (page.headers["x-frame-options"], page.headers["cache-control"]) == ("DENY", "no-store")
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")


async def test_over_https_the_cookie_stays_with_this_host(hub: Hub, site: Site, email: str) -> None:
    """`Secure`, and a name that no other host of the domain can set; also where a proxy does the https."""
    async with browse(site, "https://hub") as browser:
        cookie = cookie_of(await sign_in(browser, email, PASSWORD))
    assert (cookie["name"], cookie["secure"], cookie["path"]) == ("__Host-customerhub", "True", "/")
    assert "domain" not in cookie
    hub.settings = Settings(secret_key=hub.settings.secret_key, public_url="https://hub.example")
    async with browse(site) as browser:
        cookie = cookie_of(await browser.get("/signin"))
    assert (cookie["name"], cookie["secure"]) == ("__Host-customerhub", "True")


async def test_signing_out_ends_the_session(hub: Hub, site: Site, email: str) -> None:
    """The cookie is taken back and its secret is worth nothing afterwards; without the proof nothing happens."""
    async with browse(site) as browser, browse(site) as thief:
        session = cookie_of(await sign_in(browser, email, PASSWORD))["value"]
        before = await count_sessions(hub)
        assert (await browser.post("/signout", data={})).status_code == 403
        assert await count_sessions(hub) == before
        answer = await browser.post("/signout", data={"csrf": to_csrf(session), "next": "//evil.example"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/signin?next=%2F")
        assert cookie_of(answer)["value"] == ""
        assert await count_sessions(hub) == before - 1
        thief.cookies.set("customerhub", session)
        assert (await thief.get("/signin")).status_code == 200


async def test_sessions_end_by_themselves(hub: Hub, site: Site, email: str) -> None:
    """After an hour without a request, and after half a day in any case; a request now and then keeps it going."""
    start = hub.now()
    async with browse(site) as browser:
        await sign_in(browser, email, PASSWORD)

        async def is_signed_in(after: timedelta) -> bool:
            hub.now = lambda: start + after
            return (await browser.get("/signin")).status_code == 303

        minutes = [timedelta(minutes=count) for count in range(50, 12 * 60, 50)]
        assert [await is_signed_in(after) for after in minutes] == [True] * len(minutes)
        assert not await is_signed_in(timedelta(hours=12, seconds=30))
        hub.now = lambda: start
        browser.cookies.clear()
        await sign_in(browser, email, PASSWORD)
        assert not await is_signed_in(timedelta(minutes=61))
        hub.now = lambda: start + timedelta(days=1)
        await sign_in(browser, email, PASSWORD)
    assert await count_sessions(hub) == 1


async def test_a_login_that_was_closed_is_signed_out(hub: Hub, site: Site, email: str) -> None:
    """A session is worth nothing once its login is inactive."""
    async with browse(site) as browser:
        await sign_in(browser, email, PASSWORD)
        async with hub.database.lease() as connection:
            await connection.execute("update login set status = 'inactive' where email = $1", email)
        assert (await browser.get("/signin")).status_code == 200


async def test_passwords_cannot_be_tried_for_ever(hub: Hub, email: str) -> None:
    """After too many failures even the right password waits, and the page says so."""
    site = Site(hub, find_dialects(), limits=Limits(password_failures="2/minute"), screens=Screens(signin.SCREENS))
    async with browse(site) as browser:
        statuses = [(await sign_in(browser, email, "wrong")).status_code for _ in range(2)]
        answer = await sign_in(browser, email, PASSWORD)
    assert [*statuses, answer.status_code] == [401, 401, 429]
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"email=a%00b", "application/x-www-form-urlencoded", 400),
        (b"email=\xff", "application/x-www-form-urlencoded", 400),
        (b"email=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"a=1"] * 2_501), "application/x-www-form-urlencoded", 400),
        (b"a" * 270_000, "application/x-www-form-urlencoded", 413),
        (b"{}", "text/plain", 415),
    ],
)
async def test_odd_forms_are_refused_as_pages(site: Site, body: bytes, media_type: str, status: int) -> None:
    """What no browser sends of our forms is no fault of ours."""
    async with browse(site) as browser:
        answer = await browser.post("/signin", content=body, headers={"content-type": media_type})
        other = await browser.put("/signin", content=b"")
        head = await browser.head("/signin")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert answer.headers["request-id"] in answer.text
    assert (other.status_code, other.headers["allow"]) == (405, "GET, HEAD, POST")
    assert (head.status_code, head.content) == (200, b"")
