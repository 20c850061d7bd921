"""A stub of the hub, and a client of either kind that talks to it."""

from collections.abc import AsyncIterator
from typing import cast

import pytest

from tests.client.stub import Stub
from tests.client.talker import Kind, Talker, talking


@pytest.fixture
def stub() -> Stub:
    """A hub without customers."""
    return Stub()


@pytest.fixture(params=["blocking", "awaiting"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Which of the two clients."""
    return cast("Kind", request.param)


@pytest.fixture
async def talk(kind: Kind, stub: Stub) -> AsyncIterator[Talker]:
    """A client of the stub."""
    async with talking(kind, stub) as talker:
        yield talker
