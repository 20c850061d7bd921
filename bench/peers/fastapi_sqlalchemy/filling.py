"""The peer's own tables, made and filled in a database that is still empty."""

import hashlib
from uuid import UUID

import asyncpg

from bench.peers.fastapi_sqlalchemy.app import make_engine
from bench.peers.fastapi_sqlalchemy.models import Base
from customerhub.store.queries import load_queries

QUERIES = load_queries("fill.sql", __package__)
TEAM = UUID(int=1)
_SECONDS = 1800


async def fill(url: str, api_key: str, customers: int) -> None:
    """Make the tables, a team with this API key and so many customers; their ids are those of `bench.data`."""
    engine = make_engine(url, 1)
    async with engine.begin() as tables:
        await tables.run_sync(Base.metadata.create_all)
    await engine.dispose()
    connection: asyncpg.Connection = await asyncpg.connect(url)
    await connection.execute(QUERIES["team"], TEAM, hashlib.sha256(api_key.encode()).digest())
    await connection.execute(QUERIES["references"], TEAM)
    await connection.execute(QUERIES["customers"], TEAM, customers, timeout=_SECONDS)
    for query in ("reps", "addresses", "contacts"):
        await connection.execute(QUERIES[query], customers, timeout=_SECONDS)
    await connection.execute("vacuum (analyze)", timeout=_SECONDS)
    await connection.close()
