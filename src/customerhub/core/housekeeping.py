"""Take away what is too old or too much: entries of the request log, and idempotency keys."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from customerhub.model.error import Busy, Unavailable
from customerhub.settings import Settings
from customerhub.store import housekeeping as store
from customerhub.store.db import Connection, Database
from customerhub.store.request_logs import to_bound

_SWEEP_SECONDS: Final = 240.0


class Housekeeper:
    """Sweeps every few minutes, in small pieces, so that nobody waits for it.

    `written` are the teams whose log has grown through this process since the last sweep.
    """

    def __init__(self, database: Database, settings: Settings, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now
        self._log_age = timedelta(days=settings.request_log_days)
        self._log_rows = settings.request_log_rows
        self._key_age = timedelta(hours=settings.key_hours)
        self.written: set[UUID] = set()

    async def run(self) -> None:
        """Sweep again and again, processes that were started together each at its own time."""
        while True:
            await asyncio.sleep(_SWEEP_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - chance is no secret here
            try:
                await self.sweep()
            except (Unavailable, Busy, asyncpg.exceptions.PostgresError) as error:
                structlog.get_logger().warning("sweep put off", cause=type(error.__cause__ or error).__name__)

    async def sweep(self) -> None:
        """Take away all that is too old or too much now. Raises Unavailable, Busy and errors of the server."""
        oldest = to_bound(self._now() - self._log_age, is_upper=False)
        for team in await self._ask(lambda connection: store.list_teams_with_old_logs(connection, oldest)):
            await self._delete_logs(team, oldest)
        grown, self.written = self.written, set()
        for team in grown:
            excess = await self._find_excess(team)
            if excess is not None:
                await self._delete_logs(team, excess)
        before = self._now() - self._key_age
        for team in await self._ask(lambda connection: store.list_teams_with_old_keys(connection, before)):
            await self._delete_keys(team, before)

    async def _find_excess(self, team: UUID) -> UUID | None:
        async with self._database.lease() as connection:
            return await store.find_first_excess(connection, team, self._log_rows)

    async def _delete_logs(self, team: UUID, highest: UUID) -> None:
        await self._repeat(lambda connection: store.delete_old_logs(connection, team, highest))

    async def _delete_keys(self, team: UUID, before: datetime) -> None:
        await self._repeat(lambda connection: store.delete_old_keys(connection, team, before))

    async def _ask(self, ask: Callable[[Connection], Awaitable[list[UUID]]]) -> list[UUID]:
        async with self._database.lease() as connection:
            return await ask(connection)

    async def _repeat(self, delete: Callable[[Connection], Awaitable[int]]) -> None:
        """Piece by piece: between two of them whoever wants the connection gets it."""
        is_full = True
        while is_full:
            async with self._database.lease() as connection:
                is_full = await delete(connection) >= store.PIECE
            await asyncio.sleep(0)
