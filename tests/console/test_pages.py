"""Every page in a real browser: to look at, for everybody, and with names that were meant to do harm."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Error, expect

from tests.console.conftest import Open
from tests.console.house import Bureau
from tests.console.places import Route, list_routes
from tests.console.scene import Scene, hurtful, make_scene, pleasant
from tests.console.window import Window
from tests.support.receiver import Reaction, Receiver, running_receiver

MOST_OF_A_ROUTE = 3
PAGES = list_routes("GET")
# Elements that are ours say nothing of this; what a name has brought along does.
INJECTED = """() => [...document.querySelectorAll(
    '[data-hurt], img[src="x"], script:not([src]), a[href^="javascript" i]'
)].map(one => one.outerHTML.slice(0, 200))"""
EVALUATED = """() => document.documentElement.innerText.includes('>49<')"""
TRAP = "window.hurts = 0; window.hurt = () => { window.hurts += 1; };"


@pytest.fixture
async def failing() -> AsyncIterator[Receiver]:
    """A receiver of webhooks that takes none, with a reason that would hurt."""
    async with running_receiver(lambda _: Reaction(500, body=hurtful("answer").encode())) as receiver:
        yield receiver


def to_name(route: Route, number: int) -> str:
    """What the pictures of a page are called; the further ones of a route have a number."""
    steps = [step.strip("{}") for step in route.template.split("/")[3:]] or ["start"]
    return "-".join((*steps, str(number + 1)) if number else steps)


def list_pages(scene: Scene) -> list[tuple[str, str]]:
    """Name and path of every page; of those that a route has many of, the first."""
    return [
        (to_name(route, number), path)
        for route in PAGES
        for number, path in enumerate(scene.to_paths(route)[:MOST_OF_A_ROUTE])
    ]


async def show(window: Window, path: str) -> bool:
    """Open a page; False for what is a file and not a page."""
    try:
        answer = await window.go(path)
    except Error as error:
        if "Download is starting" not in error.message:
            raise
        return False
    assert answer.ok, f"{path}: {answer.status}"
    return True


async def check_unhurt(window: Window) -> None:
    """Raise where a name became a part of the page, or ran."""
    path = window.page.url
    assert await window.page.evaluate(INJECTED) == [], path
    assert await window.page.evaluate(EVALUATED) is False, path
    assert await window.page.evaluate("() => window.hurts") == 0, path


async def test_every_page_is_for_everybody(lodgers: Bureau, failing: Receiver, window: Window) -> None:
    """On no page does axe-core find anything grave, light or dark; Tab gets everywhere; none is wider than a phone.

    Pictures of all of them are kept.
    """
    scene = await make_scene(lodgers, pleasant, failing.url)
    found = [
        problem for name, path in list_pages(scene) if await show(window, path) for problem in await window.look(name)
    ]
    assert found == []


async def test_names_are_only_text(lodgers: Bureau, failing: Receiver, open_window: Open) -> None:
    """Markup, script and template code in whatever can be named is shown as it was typed, on every page."""
    scene = await make_scene(lodgers, hurtful, failing.url)
    window = await open_window(lodgers.admin)
    await window.context.add_init_script(TRAP)
    for _, path in list_pages(scene):
        if await show(window, path):
            await check_unhurt(window)
    page = window.page
    await window.go(lodgers.path("customers", scene.customer["id"], "edit", "reach"))
    await page.get_by_label("Email", exact=True).fill(hurtful("refused"))
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_label("Email", exact=True)).to_have_attribute("aria-invalid", "true")
    await expect(page.get_by_label("Email", exact=True)).to_have_value(hurtful("refused"))
    await check_unhurt(window)
