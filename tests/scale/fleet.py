"""Two hubs that answer, one of them with two workers, and one that tells, behind one PgBouncer, with nothing in common
but a database.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.embedded import Cluster
from customerhub.settings import Settings
from customerhub.store.db import Database, connect
from customerhub.store.migrate import migrate
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.databases import empty_database
from tests.support.fixtures import SECRET_KEY
from tests.support.process import HubProcess, running_hub, running_worker
from tests.support.servers import behind_pooler, running_pooler

# Fewer than the processes have connections, so that transactions of different processes take turns on one session.
SESSIONS = 3


@dataclass
class Fleet:
    """`hub` and `site` are one more process's, this one's; `servers` may be stopped and started again."""

    database_url: str
    hub: Hub
    site: Site
    servers: list[HubProcess]
    folder: Path
    stack: AsyncExitStack

    @property
    def urls(self) -> list[str]:
        """Where the servers answer."""
        return [server.url for server in self.servers]

    async def start(self, *arguments: str) -> HubProcess:
        """One more server."""
        log = self.folder / "serve.log"
        return await self.stack.enter_async_context(
            running_hub(log, "--database-url", self.database_url, *arguments, request_logs="false")
        )

    @asynccontextmanager
    async def talking(self, place: int, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        """A client of one of the servers; headers by their names with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(base_url=self.urls[place], headers=named, timeout=30) as api:
            yield api


@asynccontextmanager
async def running_fleet(cluster: Cluster, folder: Path) -> AsyncIterator[Fleet]:
    """All of it, on a new database; whatever happens, everything is gone afterwards."""
    async with AsyncExitStack() as stack:
        pooler = await stack.enter_async_context(running_pooler(cluster, sessions=SESSIONS))
        direct_url = await stack.enter_async_context(empty_database(cluster))
        connection = await connect(direct_url)
        await migrate(connection)
        await connection.close()
        behind_pooler[direct_url] = pooler.url_like(direct_url)
        stack.callback(behind_pooler.pop, direct_url)
        database = Database(behind_pooler[direct_url], uses_prepared=False, direct_url=direct_url)
        hub = Hub(database, Settings(secret_key=SECRET_KEY))
        stack.push_async_callback(hub.close)
        fleet = Fleet(direct_url, hub, Site(hub, find_dialects(), limits=Limits()), [], folder, stack)
        first, second, _ = await asyncio.gather(
            fleet.start(),
            fleet.start("--workers", "2"),
            stack.enter_async_context(running_worker(folder / "work.log", direct_url)),
        )
        fleet.servers = [first, second]
        yield fleet
