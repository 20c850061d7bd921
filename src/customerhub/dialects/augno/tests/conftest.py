"""A furnished team and a client of this dialect on it."""

from collections.abc import AsyncIterator

import pytest

from customerhub.core.hub import Hub
from customerhub.web.serve import Site
from tests.support.augno import ALL, Account, Json, make_account


@pytest.fixture
async def account(hub: Hub, site: Site) -> AsyncIterator[Account]:
    """A team with two of everything that a customer refers to, and a client that has its key."""
    async with make_account(hub, site) as made:
        yield made


@pytest.fixture
async def other_account(hub: Hub, site: Site) -> AsyncIterator[Account]:
    """Another team, as well furnished."""
    async with make_account(hub, site) as made:
        yield made


@pytest.fixture
async def customer(account: Account) -> Json:
    """A customer with every member set."""
    return await account.create(account.full_body(), include=ALL)
