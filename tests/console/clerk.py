"""An administrator at work on a team's own affairs: looks at a page, fills in one of its forms, is answered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

import httpx

from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.console.house import Bureau, Somebody
from tests.console.leaf import Leaf, look
from tests.console.visitor import Visitor, visiting
from tests.support.fingerprint import Fingerprint, take_fingerprint


@dataclass(frozen=True)
class Clerk:
    """Somebody of the bureau, signed in; paths are those behind the team's."""

    bureau: Bureau
    visitor: Visitor

    @property
    def hub(self) -> Hub:
        """The hub."""
        return self.bureau.desk.hub

    @property
    def team(self) -> UUID:
        """The team's id."""
        return self.bureau.desk.team.id

    async def look(self, *segments: object, **query: object) -> Leaf:
        """A page."""
        path = self.bureau.path(*segments)
        return await look(self.visitor, f"{path}?{urlencode(query)}" if query else path)

    async def send(self, *segments: object, **values: str | list[str]) -> httpx.Response:
        """Fill in the form that leads there, with the proof."""
        sent = {"csrf": self.visitor.csrf, **values}
        return await self.visitor.browser.post(self.bureau.path(*segments), data=sent)

    async def refused(self, code: int, /, *segments: object, **values: str | list[str]) -> Leaf:
        """The page that says why a form was refused; nothing has changed."""
        before = await self.fingerprint()
        answer = await self.send(*segments, **values)
        assert answer.status_code == code, answer.text
        assert await self.fingerprint() == before
        return Leaf(answer)

    async def done(self, *segments: object, **values: str | list[str]) -> str:
        """Where a form leads that was taken, behind the team."""
        answer = await self.send(*segments, **values)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"].removeprefix(f"{self.bureau.path()}/")

    async def fingerprint(self) -> Fingerprint:
        """What all tables hold."""
        return await take_fingerprint(self.hub)


@asynccontextmanager
async def working(site: Site, bureau: Bureau, who: Somebody | None = None) -> AsyncIterator[Clerk]:
    """The administrator, unless somebody else is named."""
    async with visiting(site, who or bureau.admin) as visitor:
        # What a session stands for is written at its first page of the team.
        await visitor.get(bureau.path())
        yield Clerk(bureau, visitor)
