"""Sessions on the console's pages: begun anew, ended at once, carried by a cookie that nothing else gets at."""

from http.cookies import Morsel, SimpleCookie

import httpx
import pytest

from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.console.house import PASSWORD, Bureau, to_site
from tests.console.places import list_routes
from tests.console.scene import make_scene
from tests.console.visitor import visiting
from tests.support.browser import browse, sign_in

POLICY = {
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "connect-src 'self'",
    "img-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
}


def cookie_of(answer: httpx.Response) -> Morsel[str]:
    """The one cookie that an answer sets."""
    (cookie,) = SimpleCookie(answer.headers["set-cookie"]).values()
    return cookie


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_cookie_is_for_the_hub_alone(site: Site, bureau: Bureau, scheme: str) -> None:
    """No script reads it, no other site's form sends it, and over https no other host can set it or overhear it."""
    async with browse(site, f"{scheme}://hub") as browser:
        cookie = cookie_of(await sign_in(browser, bureau.admin.email, PASSWORD, "/console"))
        assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")
        is_safe = scheme == "https"
        assert (cookie.key, cookie["secure"]) == ("__Host-customerhub" if is_safe else "customerhub", is_safe or "")
        assert (await browser.get(bureau.path())).status_code == 200


async def test_a_cookie_from_before_the_sign_in_opens_nothing(site: Site, bureau: Bureau) -> None:
    """Whoever planted a cookie, or had the page's own, holds no session once somebody has signed in with it."""
    async with browse(site) as browser, browse(site) as thief:
        browser.cookies.set("customerhub", "planted", domain="hub.local")
        thief.cookies.set("customerhub", "planted", domain="hub.local")
        answer = await sign_in(browser, bureau.admin.email, PASSWORD, bureau.path())
        assert cookie_of(answer).value not in ("planted", "")
        assert (await browser.get(bureau.path())).status_code == 200
        assert (await thief.get(bureau.path())).status_code == 303


async def test_signing_out_ends_the_session(site: Site, bureau: Bureau) -> None:
    """The form of every page ends it for whoever has the cookie; the next page asks to sign in."""
    async with visiting(site, bureau.admin) as visitor, browse(site) as thief:
        thief.cookies.set("customerhub", visitor.secret, domain="hub.local")
        assert (await thief.get(bureau.path())).status_code == 200
        assert 'action="/signout"' in (await visitor.get(bureau.path())).text
        answer = await visitor.post("/signout", {"next": "/console"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/signin?next=%2Fconsole")
        assert (await thief.get(bureau.path())).status_code == 303
        assert (await visitor.get(bureau.path())).status_code == 303


async def test_who_is_disabled_is_out_at_once(hub: Hub, site: Site, bureau: Bureau) -> None:
    """The next page of somebody whose membership has just ended is none of the team's."""
    async with visiting(site, bureau.member) as visitor:
        assert (await visitor.get(bureau.path())).status_code == 200
        ended = await bureau.desk.api.post(f"/hub/v1/users/{bureau.member.user.id}/disable")
        assert ended.status_code == 200, ended.text
        answer = await visitor.get(bureau.path())
        assert answer.status_code in (303, 404)
        assert str(bureau.desk.team.name) not in answer.text


async def test_pages_are_guarded_by_their_headers(site: Site, bureau: Bureau) -> None:
    """Every page lets in scripts and styles of the hub's own files alone, is framed by nobody and kept by nobody."""
    scene = await make_scene(bureau)
    async with visiting(site, bureau.admin) as visitor:
        for route in list_routes("GET"):
            answer = await visitor.get(scene.to_paths(route)[0])
            if answer.status_code == 303:
                continue
            headers = answer.headers
            assert headers["cache-control"] == "no-store", route
            assert headers["x-content-type-options"] == "nosniff", route
            if "content-disposition" in headers:
                assert headers["content-disposition"].startswith("attachment"), route
                continue
            assert set(headers["content-security-policy"].split("; ")) == POLICY, route
            assert headers["x-frame-options"] == "DENY", route
            assert headers["referrer-policy"] == "same-origin", route


async def test_a_forged_host_gets_no_page(hub: Hub, bureau: Bureau, site: Site) -> None:
    """Where the operator has named the hub's hosts, the console answers for no other."""
    async with visiting(site, bureau.admin) as visitor:
        cookie = {"cookie": f"customerhub={visitor.secret}"}
    hub.settings = hub.settings.model_copy(update={"allowed_hosts": "hub.example"})
    async with browse(to_site(hub)) as browser:
        for host, status in (("hub.example", 200), ("hub.example:8443", 200), ("evil.example", 400)):
            answer = await browser.get(bureau.path(), headers={"host": host, **cookie})
            assert answer.status_code == status, host
            assert (bureau.desk.team.name in answer.text) == (status == 200), host
