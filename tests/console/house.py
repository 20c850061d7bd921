"""A real hub that people visit with a browser, and a team of theirs in it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import httpx

from customerhub.console.routes import PREFIX, SCREENS, UPLOADS, to_static_pages
from customerhub.core.admin import NewUser, create_user
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.embedded import Cluster
from customerhub.model.catalogue import User, UserRole
from customerhub.settings import Settings
from customerhub.store.db import Database, connect
from customerhub.store.migrate import migrate
from customerhub.web import consent, signin
from customerhub.web.limit import Limits
from customerhub.web.render import STYLE, to_style_page
from customerhub.web.screens import Screens
from customerhub.web.serve import Site
from tests.support.databases import empty_database
from tests.support.fixtures import SECRET_KEY
from tests.support.hub import Desk, make_desk
from tests.support.plain import PLAIN
from tests.support.process import running_hub

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class House:
    """A server at `url`, which tells sinks of this machine and is quick to give up; `hub` and `site` are in process."""

    url: str
    hub: Hub
    site: Site


@dataclass(frozen=True)
class Somebody:
    """Who can sign in with PASSWORD."""

    email: str
    user: User


@dataclass(frozen=True)
class Bureau:
    """A furnished team with people; `desk` has a key of it, and speaks to the house's server if it is in one."""

    desk: Desk
    admin: Somebody
    member: Somebody

    @property
    def team(self) -> str:
        """The team's id as text."""
        return str(self.desk.team.id)

    def path(self, *segments: object) -> str:
        """The path of one of the team's pages."""
        return "/".join(("/console", self.team, *map(str, segments)))


@asynccontextmanager
async def running_house(cluster: Cluster, folder: Path) -> AsyncIterator[House]:
    """A server on a database of its own; it is gone afterwards."""
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(empty_database(cluster))
        connection = await connect(url)
        await migrate(connection)
        await connection.close()
        hub = Hub(Database(url), Settings(secret_key=SECRET_KEY))
        stack.push_async_callback(hub.close)
        server = await stack.enter_async_context(
            running_hub(
                *(folder / "serve.log", "--database-url", url),
                tells=True,
                private_callbacks="true",
                retry_seconds="0.0001",
                password_failures="1000/minute",
            )
        )
        yield House(server.url, hub, to_site(hub))


def to_site(hub: Hub) -> Site:
    """Every dialect, and all pages that people see, in this process."""
    screens = Screens({**signin.SCREENS, **consent.SCREENS, **SCREENS}, prefixes=(PREFIX,), uploads=UPLOADS)
    pages = {STYLE: to_style_page(), **to_static_pages()}
    return Site(hub, find_dialects(), limits=Limits(), pages=pages, screens=screens)


@asynccontextmanager
async def making_bureau(hub: Hub, site: Site, url: str = "") -> AsyncIterator[Bureau]:
    """A new team with an administrator, Ada Vik, and a member, Bo Lind; `desk` speaks to `url`, or in process."""
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(make_desk(hub, site))
        admin = await add_somebody(hub, desk, "Ada", "Vik", "admin")
        member = await add_somebody(hub, desk, "Bo", "Lind", "member")
        if url:
            headers = {"Authorization": f"Bearer {desk.api_key}"}
            api = await stack.enter_async_context(
                httpx.AsyncClient(base_url=url, headers=headers, timeout=30, verify=PLAIN)
            )
            desk = replace(desk, api=api)
        yield Bureau(desk, admin, member)


async def add_somebody(hub: Hub, desk: Desk, first_name: str, last_name: str, role: UserRole) -> Somebody:
    """A new member of the team."""
    email = f"{first_name.lower()}@{uuid4().hex[:10]}.example"
    user = await create_user(hub, desk.team, NewUser(email, first_name, last_name, PASSWORD, role=role))
    return Somebody(email, user)
