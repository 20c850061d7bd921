"""Take away what is too old or too much: logs, keys, events, deliveries, imports, counts, audits, former versions."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import structlog

from customerhub.core.folding import fold_history
from customerhub.core.imports.tidying import forget_old
from customerhub.core.settling import settle_erasures
from customerhub.model.error import Busy, Unavailable
from customerhub.settings import Settings
from customerhub.store import deliveries, syncs, windows
from customerhub.store import housekeeping as store
from customerhub.store.db import Connection, Database
from customerhub.store.request_logs import to_bound

_SWEEP_SECONDS: Final = 240.0
# For so long whoever comes with a token that has ended is told that it was one.
_TOKEN_AGE: Final = timedelta(days=30)


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
        self._event_age = timedelta(days=settings.event_days)
        self._delivery_age = timedelta(days=settings.delivery_days)
        self._import_age = timedelta(days=settings.import_days)
        self._history_age = timedelta(days=settings.history_days) if settings.history_days is not None else None
        self._audit_age = timedelta(days=settings.audit_days) if settings.audit_days is not None else None
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
        before = self._now() - self._event_age
        for team in await self._ask(lambda connection: store.list_teams_with_old_events(connection, before)):
            await self._delete_events(team, before)
        before = self._now() - self._delivery_age
        for team in await self._ask(lambda connection: deliveries.list_teams_with_old(connection, before)):
            await self._delete_deliveries(team, before)
        async with self._database.lease() as connection:
            ended = await deliveries.list_ended(connection)
        for team, sink in ended:
            await self._delete_lanes(team, sink)
        await forget_old(self._database.lease, self._now() - self._import_age, _let_others)
        if self._history_age is not None:
            await fold_history(self._database.lease, self._now() - self._history_age, _let_others)
        if self._audit_age is not None:
            before = self._now() - self._audit_age
            for team in await self._ask(lambda connection: store.list_teams_with_old_audits(connection, before)):
                await self._delete_audits(team, before)
        await self._repeat(lambda connection: store.delete_ended_tokens(connection, self._now() - _TOKEN_AGE))
        await self._repeat(lambda connection: windows.delete_ended(connection, self._now()))
        await settle_erasures(self._database.lease, self._now(), _let_others)

    async def _find_excess(self, team: UUID) -> UUID | None:
        async with self._database.lease() as connection:
            return await store.find_first_excess(connection, team, self._log_rows)

    async def _delete_logs(self, team: UUID, highest: UUID) -> None:
        await self._repeat(lambda connection: store.delete_old_logs(connection, team, highest))

    async def _delete_keys(self, team: UUID, before: datetime) -> None:
        await self._repeat(lambda connection: store.delete_old_keys(connection, team, before))

    async def _delete_events(self, team: UUID, before: datetime) -> None:
        await self._repeat(lambda connection: store.delete_old_events(connection, team, before))

    async def _delete_deliveries(self, team: UUID, before: datetime) -> None:
        await self._repeat(lambda connection: deliveries.delete_old_attempts(connection, team, before))
        await self._repeat(lambda connection: deliveries.delete_old_deliveries(connection, team, before))
        await self._repeat(lambda connection: syncs.forget_messages(connection, team, before))

    async def _delete_lanes(self, team: UUID, sink: UUID) -> None:
        await self._repeat(lambda connection: deliveries.delete_ended_lanes(connection, team, sink))

    async def _delete_audits(self, team: UUID, before: datetime) -> None:
        await self._repeat(lambda connection: store.delete_old_audits(connection, team, before))

    async def _ask(self, ask: Callable[[Connection], Awaitable[list[UUID]]]) -> list[UUID]:
        async with self._database.lease() as connection:
            return await ask(connection)

    async def _repeat(self, delete: Callable[[Connection], Awaitable[int]]) -> None:
        """Piece by piece: between two of them whoever wants the connection gets it."""
        is_full = True
        while is_full:
            async with self._database.lease() as connection:
                is_full = await delete(connection) >= store.PIECE
            await _let_others()


async def _let_others() -> None:
    """Whoever waits for the connection, or for the loop, comes first."""
    await asyncio.sleep(0)
