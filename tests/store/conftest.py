"""Databases that are still empty, for tests that make or break a schema."""

from collections.abc import AsyncIterator

import pytest

from customerhub.embedded import Cluster
from customerhub.store.db import Connection, connect
from tests.support.databases import empty_database


@pytest.fixture
async def empty_url(cluster: Cluster) -> AsyncIterator[str]:
    """A database without any table, gone after the test."""
    async with empty_database(cluster) as url:
        yield url


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[Connection]:
    """A connection to that database."""
    connection = await connect(empty_url)
    yield connection
    await connection.close()
