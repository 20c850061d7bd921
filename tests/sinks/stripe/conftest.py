"""Stand-ins for Stripe that live as long as the run, and an integration of a furnished team with one of them."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest

from customerhub.core.admin import create_team
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.sinks.stripe.carrier import StripeCarrier
from customerhub.sinks.stripe.inbound import create_hooks
from customerhub.web.hooks import Hooks
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.hub import Desk, make_desk
from tests.support.integration import Integration, connect
from tests.support.localstripe import (
    Account,
    DoubleAccount,
    StandIn,
    open_account,
    running_double,
    running_localstripe,
)


@pytest.fixture(scope="session")
async def double(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StandIn]:
    """Our own strict double."""
    async with running_double(tmp_path_factory.mktemp("double") / "log") as running:
        yield running


@pytest.fixture(scope="session")
async def localstripe(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StandIn]:
    """The package localstripe."""
    async with running_localstripe(tmp_path_factory.mktemp("localstripe") / "log") as running:
        yield running


@pytest.fixture
async def carrier() -> AsyncIterator[StripeCarrier]:
    """The carrier of one process."""
    made = StripeCarrier()
    yield made
    await made.close()


@pytest.fixture
async def desk(hub: Hub, site: Site) -> AsyncIterator[Desk]:
    """A team without a catalogue, and a client of the hub's own API."""
    team = await create_team(hub, f"Team {uuid4()}")
    async with make_desk(hub, site, team) as made:
        yield made


@pytest.fixture
async def account(double: StandIn) -> DoubleAccount:
    """A new account at the strict double."""
    return await open_account(double)


@pytest.fixture
async def integration(desk: Desk, carrier: StripeCarrier, account: DoubleAccount) -> Integration:
    """The team connected with the strict double."""
    return await connect(desk, carrier, account)


@pytest.fixture(params=["strict", "localstripe"])
async def either(
    request: pytest.FixtureRequest, desk: Desk, carrier: StripeCarrier, account: DoubleAccount, localstripe: StandIn
) -> Integration:
    """The team connected with the one stand-in, and then with the other."""
    at_localstripe = Account(localstripe, "sk_test_localstripe")
    return await connect(desk, carrier, account if request.param == "strict" else at_localstripe)


@pytest.fixture
async def door(hub: Hub, carrier: StripeCarrier) -> AsyncIterator[httpx.AsyncClient]:
    """A client that shows no credential, on a hub that takes Stripe's messages."""
    served = Site(hub, find_dialects(), limits=Limits(), hooks=Hooks(create_hooks(carrier)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://hub") as client:
        yield client
