"""What the tests of this dialect may ask for: a hub whose clock they set, and golden files."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.world import World, make_world


class Clock:
    """A clock that a test moves; it begins in the middle of a second, so that cutting off shows."""

    def __init__(self) -> None:
        self.now = datetime(2025, 3, 4, 9, 10, 11, 500_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time."""
        return self.now

    def forward(self, **parts: float) -> None:
        """Move on, by the parts of a timedelta."""
        self.now += timedelta(**parts)


@pytest.fixture
def clock() -> Clock:
    """The clock of `timed`."""
    return Clock()


@pytest.fixture
async def timed(database_url: str, clock: Clock) -> AsyncIterator[World]:
    """A furnished team on a hub with a clock of the test's own."""
    hub = Hub(Database(database_url), Settings(), now=clock)
    async with make_world(hub, Site(hub, find_dialects(), limits=Limits())) as made:
        yield made
    await hub.close()


@pytest.fixture
def golden() -> Path:
    """Where the golden files are."""
    return Path(__file__).parent / "golden"
