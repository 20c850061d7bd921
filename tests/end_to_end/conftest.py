"""A real server on a socket, for promises that a call in process could not show."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.cli.support import Serving
from tests.support.world import World


@pytest.fixture(scope="session")
def live(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """`customerhub serve` on this worker's database."""
    with Serving(tmp_path_factory.mktemp("live") / "data", "--database-url", database_url) as serving:
        yield serving


@pytest.fixture
async def line(live: Serving, world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client over a socket that has the key of the test's team."""
    async with httpx.AsyncClient(base_url=live.url, headers={"X-API-Key": world.api_key}, timeout=30) as client:
        yield client
