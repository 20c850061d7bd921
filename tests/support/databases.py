"""Databases of a test's own on the server of the run."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import uuid4

from typing_extensions import override

from customerhub.embedded import Cluster
from customerhub.store.db import Database, connect
from customerhub.store.migrate import migrate


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


@contextmanager
def migrated_database(cluster: Cluster) -> Iterator[str]:
    """The same with the hub's tables, for tests that have no loop of their own."""
    with asyncio.Runner() as runner:
        opened = empty_database(cluster)
        url = runner.run(opened.__aenter__())
        try:
            runner.run(_migrate(url))
            yield url
        finally:
            runner.run(opened.__aexit__(None, None, None))


async def _migrate(url: str) -> None:
    connection = await connect(url)
    await migrate(connection)
    await connection.close()


class KeptDatabase(Database):
    """Connections that outlive those who close them, and go to the next who asks for as many."""

    def __init__(
        self,
        url: str,
        free: "dict[int, list[KeptDatabase]] | None" = None,
        size: int = 4,
        direct_url: str = "",
    ) -> None:
        super().__init__(url, size=size, uses_prepared=not direct_url, direct_url=direct_url)
        self._free: dict[int, list[KeptDatabase]] = {} if free is None else free

    def lend(self, size: int = 4) -> "KeptDatabase":
        """Connections that nobody else has until they are closed."""
        idle = self._free.setdefault(size, [])
        return (
            idle.pop() if idle else KeptDatabase(self.url, self._free, size, self.direct_url if self.is_pooled else "")
        )

    @override
    def beside(self, size: int) -> Database:
        """Further connections, kept as well."""
        return self.lend(size)

    @override
    async def close(self) -> None:
        """Give the connections back, open."""
        self._free[self.size].append(self)

    async def close_all(self) -> None:
        """Close every connection that was given back."""
        for idle in self._free.values():
            for database in idle:
                await super(KeptDatabase, database).close()
