"""Databases of a test's own on the server of the run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from customerhub.embedded import Cluster
from customerhub.store.db import connect


@asynccontextmanager
async def empty_database(cluster: Cluster) -> AsyncIterator[str]:
    """The address of a new database, which is gone afterwards, whoever still uses it."""
    name = f"empty_{uuid4().hex}"
    cluster.create_database(name)
    try:
        yield cluster.url(name)
    finally:
        keeper = await connect(cluster.url("postgres"))
        await keeper.execute(f"drop database {name} with (force)")
        await keeper.close()
