"""Doors in process, and a real server on a socket for promises that a call in process could not show."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest

from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.cli.support import Serving
from tests.end_to_end.door import Door
from tests.end_to_end.doors import door_of
from tests.end_to_end.recipes import Route
from tests.support.augno import Account, make_account
from tests.support.fixtures import SECRET_KEY
from tests.support.plain import PLAIN


@pytest.fixture(scope="session")
def live(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """`customerhub serve` on this worker's database."""
    place = tmp_path_factory.mktemp("live") / "data"
    # All tests come from one address, and many of them are there to be refused.
    environment = {"CUSTOMERHUB_SECRET_KEY": SECRET_KEY, "CUSTOMERHUB_SIGNING_FAILURES": "100000/minute"}
    # What sinks are told is the business of tests of their own, on this very database.
    environment["CUSTOMERHUB_DELIVERIES"] = "false"
    with Serving(place, "--database-url", database_url, **environment) as serving:
        yield serving


@pytest.fixture
async def door(route: Route, hub: Hub, site: Site) -> AsyncIterator[Door]:
    """A team through the dialect of the test's route."""
    async with door_of(route).open(hub, site) as opened:
        yield opened


@pytest.fixture
async def other_door(route: Route, hub: Hub, site: Site) -> AsyncIterator[Door]:
    """Another team through the same dialect."""
    async with door_of(route).open(hub, site) as opened:
        yield opened


@pytest.fixture
async def account(hub: Hub, site: Site) -> AsyncIterator[Account]:
    """A furnished team of the Augno dialect."""
    async with make_account(hub, site) as made:
        yield made


@pytest.fixture
async def other_account(hub: Hub, site: Site) -> AsyncIterator[Account]:
    """Another one."""
    async with make_account(hub, site) as made:
        yield made


@pytest.fixture
async def line(live: Serving, door: Door) -> AsyncIterator[Door]:
    """The door's team over a socket."""
    async with httpx.AsyncClient(base_url=live.url, timeout=30, verify=PLAIN) as api:
        yield replace(door, api=api)
