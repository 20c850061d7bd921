"""One browser and one hub for all tests of the console in a process, a team and windows of its own for each test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from playwright.async_api import Browser

from customerhub.core.hub import Hub
from customerhub.embedded import Cluster
from customerhub.web.serve import Site
from tests.console.house import Bureau, House, Somebody, making_bureau, running_house, to_site
from tests.console.visitor import Visitor, visiting
from tests.console.window import Window, opening
from tests.support.chromium import running_browser

Open = Callable[[Somebody], Awaitable[Window]]


@pytest.fixture
def site(hub: Hub) -> Site:
    """Every dialect, and all pages that people see, served in this process."""
    return to_site(hub)


@pytest.fixture
async def bureau(hub: Hub, site: Site) -> AsyncIterator[Bureau]:
    """A team with an administrator and a member, in this process."""
    async with making_bureau(hub, site) as made:
        yield made


@pytest.fixture
async def other_bureau(hub: Hub, site: Site) -> AsyncIterator[Bureau]:
    """Another team like it."""
    async with making_bureau(hub, site) as made:
        yield made


@pytest.fixture
async def admin(site: Site, bureau: Bureau) -> AsyncIterator[Visitor]:
    """The team's administrator, on whose page the team is known."""
    async with visiting(site, bureau.admin) as visitor:
        # What a session stands for is written at its first page of the team.
        await visitor.get(bureau.path())
        yield visitor


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser; without one the tests that ask for it skip."""
    async with running_browser() as running:
        yield running


@pytest.fixture(scope="session")
async def house(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    """A hub with a server."""
    async with running_house(cluster, tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture
async def lodgers(house: House) -> AsyncIterator[Bureau]:
    """A team with an administrator and a member, on the server."""
    async with making_bureau(house.hub, house.site, house.url) as made:
        yield made


@pytest.fixture
async def open_window(browser: Browser, house: House, lodgers: Bureau) -> AsyncIterator[Open]:
    """A further window, in which somebody has signed in."""
    async with AsyncExitStack() as stack:

        async def open_for(who: Somebody) -> Window:
            window = await stack.enter_async_context(opening(browser, house.url))
            await window.go(lodgers.path())
            await window.sign_in(who)
            return window

        yield open_for


@pytest.fixture
async def window(open_window: Open, lodgers: Bureau) -> Window:
    """The administrator's window, on the team's first page."""
    return await open_window(lodgers.admin)
