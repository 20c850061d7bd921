"""A browser's window on the hub: what goes wrong in it is written down, and pictures of its pages are kept."""

import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from tests.console.house import PASSWORD, Somebody

SCREENS = Path(__file__).parents[2] / "build" / "screens"
WIDE, PHONE = (1280, 900), (390, 844)
# What is asked for a page, whose failures no test expects.
_PARTS = frozenset(("stylesheet", "script", "image", "font"))
# An answer that is no success is told to the console too; it is judged by what was asked (see `_see_response`).
_FAILED = "Failed to load resource: the server responded with a status of 4"
_GRAVE = ("serious", "critical")
_AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
_RUN_AXE = """() => axe.run(document, {
    resultTypes: ['violations'], preload: false, runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']
}).then(found => found.violations)"""
# All that another scheme makes different.
_RUN_AXE_ON_COLOURS = """() => axe.run(document, {
    resultTypes: ['violations'], preload: false, runOnly: ['color-contrast']
}).then(found => found.violations)"""
_TOO_WIDE = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""
# What can be used and is seen; of boxes of which one is chosen, Tab stops at one.
_CONTROLS = """() => [...document.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]:not([tabindex="-1"])'
)].filter(one => !one.disabled && one.checkVisibility({visibilityProperty: true}) && one.type !== 'radio')"""
# A key was the last that was pressed, so that the focus shows as it does for who has no mouse.
_FIND_LOST = f"""() => {{
    const lost = [];
    for (const one of ({_CONTROLS})()) {{
        one.focus();
        const style = getComputedStyle(one);
        const isSeen = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
        if (document.activeElement !== one || one.tabIndex !== 0 || !(isSeen || style.boxShadow !== 'none'))
            lost.push(one.outerHTML.slice(0, 200));
    }}
    return lost;
}}"""

Scheme = Literal["light", "dark"]


@dataclass
class Window:
    """One page of the hub at `url`, with cookies of its own; `problems` is what must not have happened in it."""

    url: str
    context: BrowserContext
    page: Page
    problems: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Write down what goes wrong from now on."""
        self.page.on("console", self._see_message)
        self.page.on("pageerror", lambda error: self.problems.append(f"error in a script: {error}"))
        self.page.on("requestfailed", self._see_failure)
        self.page.on("response", self._see_response)
        self.page.on("request", self._see_request)

    def _see_message(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_FAILED):
            self.problems.append(f"{message.type} on {self.page.url}: {message.text}")

    def _see_failure(self, request: Request) -> None:
        # What a page asked for and no longer needs, and downloads, end so too.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"{request.method} {request.url} failed: {request.failure}")

    def _see_response(self, response: Response) -> None:
        is_part = response.request.resource_type in _PARTS
        if response.status >= 500 or (is_part and response.status >= 400):
            self.problems.append(f"{response.request.method} {response.url} was answered {response.status}")

    def _see_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.problems.append(f"{request.url} is not the hub's")

    async def go(self, path: str) -> Response:
        """Open a page of the hub."""
        answer = await self.page.goto(self.url + path)
        assert answer is not None
        return answer

    async def choose(self, title: str) -> None:
        """Open a part of the console by the menu."""
        menu = self.page.get_by_role("navigation", name="Main")
        await menu.get_by_role("link", name=title, exact=True).click()

    async def sign_in(self, who: Somebody) -> None:
        """Sign in on the page that asks for it, which is open."""
        await self.page.get_by_label("Email").fill(who.email)
        await self.page.get_by_label("Password").fill(PASSWORD)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.wait_for_url(re.compile("/console/"))

    async def look(self, name: str) -> list[str]:
        """Keep pictures of the page as it is, light, dark and on a phone; what is wrong with them."""
        SCREENS.mkdir(parents=True, exist_ok=True)
        await self._set(WIDE, "light")
        await self._shoot(f"{name}-light", full_page=True)
        wrong = await self.find_barriers()
        await self._set(WIDE, "dark")
        await self._shoot(f"{name}-dark")
        wrong += [f"dark: {one}" for one in _to_lines(await self.page.evaluate(_RUN_AXE_ON_COLOURS))]
        await self._set(PHONE, "light")
        await self._shoot(f"{name}-phone", full_page=True)
        if (excess := await self.page.evaluate(_TOO_WIDE)) > 0:
            wrong.append(f"{excess} pixels wider than a phone")
        await self._set(WIDE, "light")
        wrong += await self.find_lost()
        return [f"{name}: {one}" for one in wrong]

    async def _set(self, size: tuple[int, int], scheme: Scheme) -> None:
        await self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await self.page.set_viewport_size({"width": size[0], "height": size[1]})

    async def _shoot(self, name: str, *, full_page: bool = False) -> None:
        await self.page.screenshot(path=SCREENS / f"{name}.png", full_page=full_page)

    async def find_barriers(self) -> list[str]:
        """What axe finds on the page that is serious or critical; axe stays there until the next page."""
        # By the debugger: no page lets a script in that is not the hub's.
        await self.page.evaluate(_AXE)
        return _to_lines(await self.page.evaluate(_RUN_AXE))

    async def find_lost(self) -> list[str]:
        """What cannot be reached by Tab in the order of the page, or does not show that it has been."""
        await self.page.keyboard.press("Tab")
        return [f"{one} is not seen when Tab gets to it" for one in await self.page.evaluate(_FIND_LOST)]

    def check_clean(self) -> None:
        """Raise where something went wrong in the window."""
        assert self.problems == [], "\n".join(self.problems)


def _to_lines(violations: Iterable[dict[str, Any]]) -> list[str]:  # Any: axe's report
    return [
        f"{found['id']} ({found['help']}): {node['html'][:200]} {_to_reason(node)}"
        for found in violations
        if found["impact"] in _GRAVE
        for node in found["nodes"]
    ]


def _to_reason(node: dict[str, Any]) -> str:  # Any: same
    return "; ".join(check["message"] for check in (*node["any"], *node["all"], *node["none"]))


@asynccontextmanager
async def opening(browser: Browser, url: str) -> AsyncIterator[Window]:
    """A window without cookies; nothing may have gone wrong in it in the end."""
    context = await browser.new_context(
        base_url=url, viewport={"width": WIDE[0], "height": WIDE[1]}, accept_downloads=True
    )
    context.set_default_timeout(10_000)
    try:
        window = Window(url, context, await context.new_page())
        window.watch()
        yield window
        window.check_clean()
    finally:
        await context.close()
