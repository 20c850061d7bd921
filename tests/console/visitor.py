"""Somebody at a browser without a screen, in this process: a session's cookie, and the proof that forms need."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from customerhub.web.browser import to_csrf
from customerhub.web.serve import Site
from tests.console.house import PASSWORD, Somebody
from tests.support.browser import browse, sign_in

FILE = ("rows.csv", b"name\nKestrel\n", "text/csv")


@dataclass(frozen=True)
class Visitor:
    """`browser` shows redirects instead of following them; `cookie` is the name of the one that has the session."""

    browser: httpx.AsyncClient
    cookie: str = "customerhub"

    @property
    def secret(self) -> str:
        """What the cookie holds."""
        return str(self.browser.cookies[self.cookie])

    @property
    def csrf(self) -> str:
        """What our forms carry."""
        return to_csrf(self.secret)

    async def get(self, path: str) -> httpx.Response:
        """A page."""
        return await self.browser.get(path)

    async def post(
        self, path: str, values: Mapping[str, str] | None = None, *, csrf: str | None = "", with_file: bool = False
    ) -> httpx.Response:
        """Send a form: with the right proof, another one, or with None without any."""
        proof = {} if csrf is None else {"csrf": csrf or self.csrf}
        sent = {**proof, **(values or {})}
        return await self.browser.post(path, data=sent, files={"file": FILE} if with_file else None)


@asynccontextmanager
async def visiting(site: Site, who: Somebody, base_url: str = "http://hub") -> AsyncIterator[Visitor]:
    """Somebody who has signed in."""
    async with browse(site, base_url) as browser:
        answer = await sign_in(browser, who.email, PASSWORD, "/console")
        assert (answer.status_code, answer.headers["location"]) == (303, "/console")
        yield Visitor(browser, "__Host-customerhub" if base_url.startswith("https") else "customerhub")
