"""What every use case works with: the database, the clock, ids, and what this process remembers of teams."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from copy import copy
from datetime import UTC, datetime
from uuid import UUID, uuid4

from customerhub.core.board import private_slot
from customerhub.core.numbers import Numbers
from customerhub.core.outgoing import Carriers, LateCarriers
from customerhub.core.publisher import Publisher
from customerhub.core.recorder import Recorder
from customerhub.core.secrets import Vault
from customerhub.core.standing import check_alive
from customerhub.model.answer import COMMAND_LINE, Caller
from customerhub.model.catalogue import Catalogue
from customerhub.model.error import Busy, Unauthenticated
from customerhub.model.nested import Moment
from customerhub.settings import Settings
from customerhub.store.access import Standing, get_operator_standing, get_standing
from customerhub.store.catalogue import get_snapshot
from customerhub.store.db import Connection, Database, Held
from customerhub.store.migrate import check_current


def utc_now() -> datetime:
    """The time, to the microsecond, with its zone."""
    return datetime.now(UTC)


class Turns:
    """Requests for one record take turns inside a process, so that they do not race each other in the database."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._locks: dict[object, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def turn(self, record: object) -> AsyncIterator[None]:
        """Wait for the record; raises Busy after `patience` seconds."""
        lock, users = self._locks.get(record) or (asyncio.Lock(), 0)
        self._locks[record] = (lock, users + 1)
        try:
            if users:
                try:
                    async with asyncio.timeout(self._patience):
                        await lock.acquire()
                except TimeoutError as error:
                    raise Busy from error
            else:
                await lock.acquire()
            try:
                yield
            finally:
                lock.release()
        finally:
            lock, users = self._locks[record]
            if users == 1:
                del self._locks[record]
            else:
                self._locks[record] = (lock, users - 1)


class Noted:
    """What a process notes for those who watch it: writes that changed nothing, and races that were lost."""

    __slots__ = ("lost_races", "no_ops")

    def __init__(self) -> None:
        self.no_ops = self.lost_races = 0


class Hub:
    """One process's hold on the system; `now` and `new_id` are arguments so that tests and sandboxes can set them."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        *,
        now: Callable[[], datetime] = utc_now,
        new_id: Callable[[], UUID] = uuid4,
    ) -> None:
        self.database = database
        self.settings = settings
        self.now = now
        self.new_id = new_id
        self.turns = Turns(settings.patience_seconds)
        self.numbers = Numbers()
        # Hashing a password takes 64 MB and half a core for a while: never more than two at a time.
        self.hashing = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
        self.recorder = Recorder(database.beside(1), settings, now)
        self.publisher = Publisher(database.beside(1))
        self.vault = Vault(settings.secret_key, settings.secret_key_file)
        # Whoever puts the process together knows how sinks are told.
        self.carriers: Carriers = {}
        # Set once the process is to stop: whoever sends requests here does well to send them elsewhere.
        self.is_leaving = False
        # How many exports may begin: each holds a connection, and old row versions for everybody.
        self.exporting = asyncio.Semaphore(settings.exports)
        # Where the process counts; whoever starts several gives each a place where the others see it.
        self.slot = private_slot()
        self.noted = Noted()
        self.callers: dict[tuple[str, bytes], Caller] = {}
        # Members whose sessions have a credential to stand for, as far as the process knows: team and credential.
        self.consoles: set[tuple[UUID, UUID]] = set()
        self._catalogues: dict[UUID, Catalogue] = {}

    async def catalogue(self, connection: Connection, team: UUID, version: int) -> Catalogue:
        """The team's snapshot, read again where the one remembered is not of this version."""
        memory = self._catalogues
        known = memory.get(team)
        if known is None or known.version != version:
            # Into the memory that it was missing from: what was read before a `forget` must not outlive it.
            memory[team] = known = await get_snapshot(connection, team)
        return known

    def find_rate_limit(self, caller: Caller) -> str:
        """What the caller's credential, or its team, may ask, as the process knows it; empty for the hub's own limit.

        Without a question to the database: a change is felt from a process's second request on.
        """
        known = self._catalogues.get(caller.team)
        return known.rate_limit_of(caller.credential) if known is not None else ""

    async def check_caller(self, caller: Caller) -> Standing:
        """The credential's state; Unauthenticated where it has ended since this process came to know its caller."""
        async with self.database.lease() as connection:
            return await self.get_standing(connection, caller)

    async def get_standing(self, connection: Connection, caller: Caller) -> Standing:
        """The same on a connection that is lent already."""
        if caller.dialect == COMMAND_LINE:
            standing = await get_operator_standing(connection, caller.team)
        else:
            standing = await get_standing(connection, caller)
        if standing is None:
            raise Unauthenticated("unknown")
        check_alive(standing.revoked_at, standing.expires_at, self.now())
        return standing

    def on(self, connection: Connection) -> "Hub":
        """The same hub with everything inside the one transaction that the connection is in."""
        inside = copy(self)
        inside.database = Held(connection)
        # Whoever has a turn outside may wait for the transaction: waiting for them in it would have no end.
        inside.turns = Turns(self.settings.patience_seconds)
        # What it reads of a catalogue may never be committed, and somebody else may reach the same version otherwise.
        inside._catalogues = dict(self._catalogues)  # noqa: SLF001 - it is another of us
        return inside

    def taking(self, numbers: Numbers) -> "Hub":
        """The same hub with the numbers of new customers from there."""
        other = copy(self)
        other.numbers = numbers
        return other

    def clients_now(self) -> datetime:
        """The time on the clocks of those who ask, for what they date themselves."""
        return self.now()

    def monotonic(self) -> float:
        """Seconds of a clock that only goes forward."""
        return time.monotonic()

    async def begin(self) -> None:
        """A request begins; a sandbox has its clock and its memory to see to."""

    def forget(self) -> None:
        """Remember nothing of any team or caller any more: the data was replaced as a whole."""
        self.callers.clear()
        self.consoles.clear()
        self._catalogues = {}
        self.recorder.forget()

    def moment(self, caller: Caller) -> Moment:
        """Now, by this caller."""
        return Moment(caller.actor, self.now(), self.new_id)

    async def ready(self) -> None:
        """Raise Unavailable where the database does not answer or its schema is not this version's."""
        async with self.database.lease() as connection:
            await check_current(connection)

    async def close(self) -> None:
        """Let go of every connection and thread; what is left to be logged is written first."""
        await self.publisher.close()
        await self.recorder.close()
        carriers = self.carriers.made if isinstance(self.carriers, LateCarriers) else self.carriers
        for carrier in carriers.values():
            await carrier.close()
        self.hashing.shutdown(wait=False, cancel_futures=True)
        await self.database.close()
