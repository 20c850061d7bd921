"""A furnished team and a client of this dialect on it."""

from collections.abc import AsyncIterator

import pytest

from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.support.hub import Desk, Json, make_desk


@pytest.fixture
async def desk(hub: Hub, site: Site) -> AsyncIterator[Desk]:
    """A team with two of everything that a customer refers to, and a client that has a key with every scope."""
    async with make_desk(hub, site) as made:
        yield made


@pytest.fixture
async def other_desk(hub: Hub, site: Site) -> AsyncIterator[Desk]:
    """Another team, as well furnished."""
    async with make_desk(hub, site) as made:
        yield made


@pytest.fixture
async def customer(desk: Desk) -> Json:
    """A customer with every member set."""
    return await desk.create(desk.full_body())
