"""Who asks, and a dialect that logs what they ask."""

from collections.abc import AsyncIterator

import httpx
import pytest

from customerhub.core.access import find_caller
from customerhub.model.answer import Caller
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.logs import Logged
from tests.support.world import DIALECT, World
from tests.web.fake import to_client


@pytest.fixture
async def caller(world: World) -> Caller:
    """Who has the team's key."""
    return await find_caller(world.hub, DIALECT, world.api_key)


@pytest.fixture
async def logged(world: World, caller: Caller) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a dialect with a request log."""
    async with to_client(Site(world.hub, [Logged(caller)], limits=Limits())) as client:
        yield client
