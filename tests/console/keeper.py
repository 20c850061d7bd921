"""Somebody in the console at work on one customer, and what the record says of it afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from customerhub.web.serve import Site
from tests.console.filling import Filled, find_form
from tests.console.house import Bureau, Somebody
from tests.console.visitor import Visitor, visiting
from tests.support.hub import CUSTOMERS, LIST_AWARE, Json


@dataclass(frozen=True)
class Keeper:
    """A visitor and a customer of the bureau's."""

    bureau: Bureau
    visitor: Visitor
    id: str

    def path(self, *steps: str) -> str:
        """A page of the customer."""
        return self.bureau.path("customers", self.id, *steps)

    async def look(self, *steps: str) -> httpx.Response:
        """Open a page of the customer."""
        return await self.visitor.get(self.path(*steps))

    async def open(self, form: str) -> Filled:
        """The form of a card, as it opens."""
        page = await self.look("edit", form)
        assert page.status_code == 200, page.text
        return find_form(page, f"/edit/{form}")

    async def save(self, form: str, **typed: str | list[str]) -> httpx.Response:
        """Open a card's form, type, and send it; two underscores in a name stand for a point."""
        filled = await self.open(form)
        for name, value in typed.items():
            filled.type(name.replace("__", "."), *([value] if isinstance(value, str) else value))
        return await filled.send(self.visitor)

    async def record(self) -> Json:
        """The customer."""
        return await self.bureau.desk.get(self.id)

    async def change(self, **members: Any) -> Json:  # Any: members of a list-aware patch
        """Somebody else changes the customer through the API."""
        answer = await self.bureau.desk.api.patch(
            f"{CUSTOMERS}/{self.id}", json=members, headers={"content-type": LIST_AWARE}
        )
        assert answer.status_code == 200, answer.text
        changed: Json = answer.json()["customer"]
        return changed

    async def last_changes(self) -> dict[str, Any]:  # Any: JSON
        """What the newest version changed, new values by path."""
        answer = await self.bureau.desk.api.get(f"{CUSTOMERS}/{self.id}/history", params={"limit": 1})
        [entry] = answer.json()["data"]
        return {change["path"]: change["new"] for change in entry["changes"]}


@asynccontextmanager
async def keeping(
    site: Site, bureau: Bureau, body: Json | None = None, who: Somebody | None = None
) -> AsyncIterator[Keeper]:
    """Somebody, the administrator if nobody else is named, at a new customer."""
    customer = await bureau.desk.create(body or bureau.desk.full_body())
    async with visiting(site, who or bureau.admin) as visitor:
        yield Keeper(bureau, visitor, customer["id"])
