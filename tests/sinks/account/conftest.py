"""An account with each system that can be kept like our customers."""

from collections.abc import AsyncIterator

import pytest

from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.support.accounts import FORMS, Pair, make_pair


@pytest.fixture(params=FORMS)
async def pair(hub: Hub, site: Site, request: pytest.FixtureRequest) -> AsyncIterator[Pair]:
    """Our team, a vendor's, and the sink between them; once for each vendor."""
    async with make_pair(hub, site, request.param) as made:
        yield made


@pytest.fixture
async def books(hub: Hub, site: Site) -> AsyncIterator[Pair]:
    """The same with the vendor whose tokens end and are renewed."""
    async with make_pair(hub, site, "count") as made:
        yield made


@pytest.fixture
async def erp(hub: Hub, site: Site) -> AsyncIterator[Pair]:
    """The same with the vendor that demands the most of a new customer."""
    async with make_pair(hub, site, "augno") as made:
        yield made
