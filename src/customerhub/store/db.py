"""Connections to PostgreSQL: a small lease of prepared connections, without a reset query between requests."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from time import perf_counter
from weakref import WeakSet

import asyncpg
from asyncpg import Connection
from typing_extensions import override

from customerhub.model.error import Busy, Unavailable
from customerhub.store.statements import Statements, TimedConnection

__all__ = ["CONNECTION_LOST", "Connection", "Database", "Held", "connect", "risking_all", "risks_all"]

CONNECTION_LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.exceptions.InterfaceError,
    # What the driver says between a server's goodbye and the end of its connection.
    asyncpg.exceptions.InternalClientError,
)
HELD_BY_OTHERS = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
# So long the server may take to stop a statement whose caller was cancelled.
_REST_SECONDS = 1.0


# Connections on which a write that is refused takes the transaction around it along.
_risking: WeakSet[Connection] = WeakSet()


@contextmanager
def risking_all(connection: Connection) -> Iterator[None]:
    """Meanwhile no savepoint is set for a single write, which saves two questions to the server each."""
    _risking.add(connection)
    try:
        yield
    finally:
        _risking.discard(connection)


def risks_all(connection: Connection) -> bool:
    """Whether a write that is refused may take the transaction around it along."""
    return connection in _risking


async def connect(
    url: str,
    *,
    uses_prepared: bool = True,
    patience: float = 0,
    is_pooled: bool = False,
    statements: Statements | None = None,
    statement_seconds: float = 0,
) -> Connection:
    """One connection with our codecs: jsonb travels as bytes. Raises Unavailable.

    A statement waits for a lock `patience` seconds at most, 0 is for as long as it takes. `statements` hears of each.
    The server gives a statement up after `statement_seconds`, also where nobody is there any more to hear of it; with 0
    the server's own setting holds.
    A pooler of transactions refuses what it could not keep from one transaction to the next: there the sessions of the
    server have to be set up so already (docs/decisions/0025-behind-a-pooler.md).
    """
    session = {"application_name": "customerhub", "timezone": "UTC"}
    if not is_pooled:
        session |= {"jit": "off", "lock_timeout": f"{patience * 1000:.0f}ms"}
    if statement_seconds:
        session["statement_timeout"] = f"{statement_seconds * 1000:.0f}ms"
    try:
        connection: Connection = await asyncpg.connect(
            url,
            connection_class=Connection if statements is None else TimedConnection,
            timeout=10,
            command_timeout=60,
            statement_cache_size=200 if uses_prepared else 0,
            server_settings=session,
        )
    except (*CONNECTION_LOST, asyncpg.exceptions.PostgresError) as error:
        # A server that refuses the user, or lacks the database, is as far away as one that does not answer.
        raise Unavailable from error
    try:
        await connection.set_type_codec(
            "jsonb", schema="pg_catalog", encoder=_to_jsonb, decoder=_from_jsonb, format="binary"
        )
    except BaseException:
        # Nobody else knows of it: whoever is cancelled here would leave it open.
        connection.terminate()
        raise
    if type(connection) is TimedConnection:
        connection.statements = statements
    return connection


def _to_jsonb(value: bytes) -> bytes:
    return b"\x01" + value


def _from_jsonb(value: bytes) -> bytes:
    return value[1:]


async def _is_at_rest(connection: Connection) -> bool:
    """Whether a connection whose user was cancelled can be lent again.

    Only its next answer shows what became of the cancelled statement. Where that began a transaction, what the next
    request writes would be acknowledged and never be committed.
    """
    try:
        async with asyncio.timeout(_REST_SECONDS):
            await connection.execute("select 1")
    except (*CONNECTION_LOST, asyncpg.exceptions.PostgresError, asyncio.CancelledError):
        return False
    return not connection.is_in_transaction()


class Leases:
    """How often a connection was asked for, how often somebody had to wait for one, and for how many seconds in all."""

    __slots__ = ("number", "seconds", "waited")

    def __init__(self) -> None:
        self.number = self.waited = 0
        self.seconds = 0.0


class Database:
    """Up to `size` connections, lent one at a time, opened when first needed and again after a loss.

    `patience` is how many seconds a statement waits for what another session holds. `statements` hears of each.
    Where `url` leads to a pooler of transactions, `direct_url` leads to the server itself.
    """

    def __init__(
        self,
        url: str,
        *,
        size: int = 4,
        uses_prepared: bool = True,
        patience: float = 5,
        direct_url: str = "",
        statements: Statements | None = None,
    ) -> None:
        self.url = url
        self.direct_url = direct_url or url
        self.size = size
        self.statements = statements
        self.leases = Leases()
        self._uses_prepared = uses_prepared
        self._patience = patience
        self._idle: asyncio.LifoQueue[Connection | None] = asyncio.LifoQueue()
        for _ in range(size):
            self._idle.put_nowait(None)

    def beside(self, size: int) -> "Database":
        """Further connections to the same server: whoever holds one of them keeps nobody waiting here."""
        return Database(
            self.url,
            size=size,
            uses_prepared=self._uses_prepared,
            patience=self._patience,
            direct_url=self.direct_url,
            statements=self.statements,
        )

    def direct(self, size: int) -> "Database":
        """Connections that are sessions of the server: for LISTEN, and for whatever else outlives a transaction."""
        if not self.is_pooled:
            return self.beside(size)
        return Database(self.direct_url, size=size, patience=self._patience, statements=self.statements)

    @property
    def is_pooled(self) -> bool:
        """Whether a pooler stands between, which may give each transaction another session."""
        return self.direct_url != self.url

    @property
    def in_use(self) -> int:
        """How many connections are lent at this moment."""
        return self.size - self._idle.qsize()

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Connection]:
        """A connection outside any transaction.

        Raises Unavailable where the server is gone, also in the middle, and Busy where others hold what is wanted.
        """
        connection = await self._take()
        try:
            if connection is None or connection.is_closed():
                connection = None
                connection = await connect(
                    self.url,
                    uses_prepared=self._uses_prepared,
                    patience=self._patience,
                    is_pooled=self.is_pooled,
                    statements=self.statements,
                )
            yield connection
        except CONNECTION_LOST as error:
            if connection is not None:
                connection.terminate()
                connection = None
            raise Unavailable from error
        except asyncio.CancelledError:
            if connection is not None and not await _is_at_rest(connection):
                connection.terminate()
                connection = None
            raise
        except BaseException as error:
            if connection is not None and connection.is_in_transaction():
                connection.terminate()
                connection = None
            if isinstance(error, HELD_BY_OTHERS):
                raise Busy from error
            raise
        finally:
            self._idle.put_nowait(connection)

    async def _take(self) -> Connection | None:
        """The next connection that is free, or the place for one; who has to wait is counted."""
        leases = self.leases
        leases.number += 1
        if not self._idle.empty():
            return self._idle.get_nowait()
        started = perf_counter()
        try:
            return await self._idle.get()
        finally:
            leases.waited += 1
            leases.seconds += perf_counter() - started

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
