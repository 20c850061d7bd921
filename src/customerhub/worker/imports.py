"""What runs the imports that people start: one at a time in each process, whichever comes first."""

import asyncio
from copy import copy
from typing import Final

import asyncpg
import structlog

from customerhub.core.hub import Hub
from customerhub.core.imports.running import fail_import, run_import
from customerhub.dialects.forms import find_form
from customerhub.model.error import Busy, Unavailable
from customerhub.store import imports as store

_POLL_SECONDS: Final = 1.0
# Never more rounds than this makes, however many hints there are.
_ROUND_SECONDS: Final = 0.2
_LONGEST_PAUSE: Final = 30.0
_MOST: Final = 10
# One writes while one decides, and one looks up what it needs.
_CONNECTIONS: Final = 4


class Importer:
    """Runs imports on connections of its own, from `start` to `close`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = copy(hub)
        self._hub.database = hub.database.beside(_CONNECTIONS)
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, in the loop that runs."""
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Something may be to be run; never waits."""
        self._woken.set()

    async def close(self) -> None:
        """Stop: what is being written is taken back, and the import goes on elsewhere, or later."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._hub.database.close()

    async def _run(self) -> None:
        pause = _POLL_SECONDS
        while True:
            self._woken.clear()
            try:
                await self._round()
                pause = _POLL_SECONDS
            except (Unavailable, Busy, asyncpg.exceptions.PostgresError) as error:
                structlog.get_logger().warning("imports wait", cause=type(error.__cause__ or error).__name__)
                pause = min(pause * 2, _LONGEST_PAUSE)
            except Exception as error:  # noqa: BLE001 - told; one bad round must not be the last one
                structlog.get_logger().error("imports wait for a fault of ours", exc_info=error)
                pause = min(pause * 2, _LONGEST_PAUSE)
            await asyncio.sleep(_ROUND_SECONDS)
            try:
                async with asyncio.timeout(pause):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _round(self) -> None:
        async with self._hub.database.lease() as connection:
            due = await store.list_due(connection, _MOST)
        for team, import_id in due:
            try:
                await run_import(self._hub, team, import_id, find_form)
            except (Unavailable, Busy, asyncpg.exceptions.PostgresError):
                raise
            except Exception:  # noqa: BLE001 - logged; one import's fault must not end the others
                structlog.get_logger().exception("import failed", id=str(import_id))
                await fail_import(self._hub, team, import_id, "a fault of the hub: its log says which")
