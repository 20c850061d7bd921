"""Connections to PostgreSQL: a small lease of prepared connections, without a reset query between requests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from asyncpg import Connection
from typing_extensions import override

from customerhub.model.error import Unavailable

__all__ = ["CONNECTION_LOST", "Connection", "Database", "Held", "connect"]

CONNECTION_LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.exceptions.InterfaceError,
)


async def connect(url: str, *, uses_prepared: bool = True) -> Connection:
    """One connection with our codecs: jsonb travels as bytes. Raises Unavailable."""
    try:
        connection: Connection = await asyncpg.connect(
            url,
            timeout=10,
            command_timeout=60,
            statement_cache_size=200 if uses_prepared else 0,
            server_settings={"application_name": "customerhub", "timezone": "UTC", "jit": "off"},
        )
    except (*CONNECTION_LOST, TimeoutError) as error:
        raise Unavailable from error
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
    )
    return connection


def _to_jsonb(value: bytes) -> bytes:
    return b"\x01" + value


def _from_jsonb(value: bytes) -> bytes:
    return value[1:]


class Database:
    """Up to `size` connections, lent one at a time, opened when first needed and again after a loss."""

    def __init__(self, url: str, *, size: int = 4, uses_prepared: bool = True) -> None:
        self.url = url
        self.size = size
        self._uses_prepared = uses_prepared
        self._idle: asyncio.LifoQueue[Connection | None] = asyncio.LifoQueue()
        for _ in range(size):
            self._idle.put_nowait(None)

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Connection]:
        """A connection outside any transaction. Raises Unavailable where the server is gone, also in the middle."""
        connection = await self._idle.get()
        try:
            if connection is None or connection.is_closed():
                connection = None
                connection = await connect(self.url, uses_prepared=self._uses_prepared)
            yield connection
        except CONNECTION_LOST as error:
            if connection is not None:
                connection.terminate()
                connection = None
            raise Unavailable from error
        except BaseException:
            if connection is not None and connection.is_in_transaction():
                connection.terminate()
                connection = None
            raise
        finally:
            self._idle.put_nowait(connection)

    @asynccontextmanager
    async def transaction(self, *, keep: bool = True) -> AsyncIterator[Connection]:
        """A connection inside one transaction, rolled back after an error, or always where `keep` is False."""
        async with self.lease() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                yield connection
            except BaseException:
                if not connection.is_closed():
                    await transaction.rollback()
                raise
            if keep:
                await transaction.commit()
            else:
                await transaction.rollback()

    async def close(self) -> None:
        """Close every idle connection."""
        for _ in range(self.size):
            connection = await self._idle.get()
            if connection is not None and not connection.is_closed():
                await connection.close(timeout=5)


class Held(Database):
    """One connection that is in a transaction, lent again and again; a transaction within is a savepoint."""

    def __init__(self, connection: Connection) -> None:
        super().__init__("", size=0)
        self._connection = connection

    @override
    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Connection]:
        """The connection; what is done on it stands or falls with the transaction around it."""
        yield self._connection
