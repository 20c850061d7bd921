"""Who is let in to the console, and who is not: told of every route, of those to come as well."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from customerhub.console.desk import _MENU
from customerhub.core.hub import Hub
from customerhub.core.sessions import ADMINISTER
from customerhub.web.serve import Site
from tests.console.house import Bureau
from tests.console.places import Route, list_routes
from tests.console.scene import Scene, make_scene
from tests.console.visitor import Visitor, visiting
from tests.support.browser import browse
from tests.support.fingerprint import take_fingerprint

PAGES, FORMS = list_routes("GET"), list_routes("POST")
MARKUP = ("<b data-hurt", "<img src=x", "<script>", ">49<")
UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ADMINISTRATION = {segment for segment, _, permission in _MENU if permission == ADMINISTER}


@pytest.fixture
async def scene(bureau: Bureau) -> Scene:
    """A team with one of everything."""
    return await make_scene(bureau)


@pytest.fixture
async def admin(site: Site, bureau: Bureau) -> AsyncIterator[Visitor]:
    """The team's administrator."""
    async with visiting(site, bureau.admin) as visitor:
        yield visitor


async def send(visitor: Visitor, route: Route, path: str, csrf: str | None = "") -> httpx.Response:
    """Ask for the route's page, or send its form with nothing in it but the proof."""
    if route.method == "GET":
        return await visitor.get(path)
    return await visitor.post(path, csrf=csrf, with_file=route.takes_file)


def is_about_something(path: str) -> bool:
    """Whether an address names something of the team's by its id."""
    return len(UUIDS.findall(path)) > 1


async def test_every_page_is_shown_to_an_administrator(hub: Hub, scene: Scene, admin: Visitor) -> None:
    """Of a team with one of everything there is no page that fails, and none on which a name is more than text."""
    paths = [path for route in PAGES for path in scene.to_paths(route)]
    answers = {path: await admin.get(path) for path in paths}
    assert {path: one.status_code for path, one in answers.items() if one.status_code not in (200, 303)} == {}
    pages = [path for path, one in answers.items() if one.headers.get("content-type", "").startswith("text/html")]
    assert [path for path in pages if any(markup in answers[path].text for markup in MARKUP)] == []


async def test_no_form_is_taken_without_its_proof(hub: Hub, scene: Scene, admin: Visitor) -> None:
    """A form without the proof, with another one or with that of another session is refused, and nothing happens."""
    before = await take_fingerprint(hub)
    answers = {
        (str(route), proof): (
            await send(admin, route, route.to_path(scene.bureau.team, scene.things), proof)
        ).status_code
        for route in FORMS
        for proof in (None, "0" * 64)
    }
    assert {what: status for what, status in answers.items() if status != 403} == {}
    assert await take_fingerprint(hub) == before


async def test_nobody_else_sees_a_teams_pages(hub: Hub, site: Site, scene: Scene, other_bureau: Bureau) -> None:
    """To another team's administrator every page and form of the team is one that does not exist."""
    async with visiting(site, other_bureau.admin) as stranger:
        await stranger.get(other_bureau.path())
        before = await take_fingerprint(hub)
        answers = {
            str(route): (await send(stranger, route, route.to_path(scene.bureau.team, scene.things))).status_code
            for route in (*PAGES, *FORMS)
        }
        assert {route: status for route, status in answers.items() if status != 404} == {}
        assert await take_fingerprint(hub) == before


async def test_a_teams_things_are_not_found_in_another(
    hub: Hub, site: Site, scene: Scene, other_bureau: Bureau
) -> None:
    """What belongs to a team does not exist among another team's pages, whoever asks for it by its id."""
    async with visiting(site, other_bureau.admin) as stranger:
        await stranger.get(other_bureau.path())
        before = await take_fingerprint(hub)
        answers = {
            f"{route.method} {path}": (await send(stranger, route, path)).status_code
            for route in (*PAGES, *FORMS)
            for path in scene.to_paths(route, other_bureau.team)
            # Who gathers is only led on, to where it is looked for.
            if is_about_something(path) and route.section != "merge"
        }
        assert {route: status for route, status in answers.items() if status != 404} == {}
        assert await take_fingerprint(hub) == before


async def test_whoever_is_not_signed_in_is_asked_to(hub: Hub, site: Site, scene: Scene) -> None:
    """Pages lead to the sign-in and back, forms lead there too, and nothing happens."""
    before = await take_fingerprint(hub)
    async with browse(site) as browser:
        for route in (*PAGES, *FORMS):
            path = route.to_path(scene.bureau.team, scene.things)
            answer = await send(Visitor(browser), route, path, None)
            target = httpx.URL(answer.headers["location"])
            assert (answer.status_code, target.path, target.params["next"]) == (303, "/signin", path), route
            assert answer.content == b"", route
    assert await take_fingerprint(hub) == before


async def test_administration_is_for_administrators(hub: Hub, site: Site, scene: Scene) -> None:
    """A member sees no page and sends no form of what only administrators do; the menu does not name them."""
    bureau = scene.bureau
    async with visiting(site, bureau.member) as member:
        menu = (await member.get(bureau.path())).text
        before = await take_fingerprint(hub)
        routes = [route for route in (*PAGES, *FORMS) if route.section in ADMINISTRATION]
        answers = {
            str(route): (await send(member, route, route.to_path(bureau.team, scene.things))).status_code
            for route in routes
        }
        assert {route: status for route, status in answers.items() if status != 403} == {}
        assert [section for section in ADMINISTRATION if f"{bureau.path(section)}" in menu] == []
        assert await take_fingerprint(hub) == before
