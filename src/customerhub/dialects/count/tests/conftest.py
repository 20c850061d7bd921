"""A partner of the team that the other dialect's client works for."""

from collections.abc import AsyncIterator

import pytest

from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.support.consent import Scene, make_scene
from tests.support.count import Partner, make_partner
from tests.support.world import World


@pytest.fixture
async def partner(hub: Hub, site: Site, world: World) -> AsyncIterator[Partner]:
    """A signing client of the world's team."""
    async with make_partner(hub, site, world.team) as made:
        yield made


@pytest.fixture
async def other_partner(hub: Hub, site: Site, other_world: World) -> AsyncIterator[Partner]:
    """A signing client of another team."""
    async with make_partner(hub, site, other_world.team) as made:
        yield made


@pytest.fixture
async def scene(hub: Hub, site: Site, request: pytest.FixtureRequest) -> AsyncIterator[Scene]:
    """A partner's client and a person; for any team where the test is parametrized with True."""
    async with make_scene(hub, site, any_team=getattr(request, "param", False)) as made:
        yield made
