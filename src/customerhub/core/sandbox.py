"""A hub to try things on: it notices when its data was put back, and may take its clock and its ids from a seed."""

import asyncio
import os
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

import msgspec
from msgspec import Struct
from typing_extensions import override

from customerhub.core.hub import Hub, utc_now
from customerhub.core.seed import FIRST, Seed
from customerhub.model.error import Busy, Unavailable
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.store.sandbox import find_latest_time

MARKER: Final = "sandbox.json"


class Marker(Struct, frozen=True):
    """What says of a data directory that it is a sandbox: the seed it was served with last."""

    seed: int | None = None


def find_marker(directory: Path) -> Marker | None:
    """The marker of a data directory; None where it is no sandbox."""
    try:
        return msgspec.json.decode((directory / MARKER).read_bytes(), type=Marker)
    except (OSError, msgspec.DecodeError):
        return None


def put_marker(directory: Path, marker: Marker) -> None:
    """Mark a data directory as a sandbox; always a new file, which servers take for news."""
    aside = directory / f"{MARKER}.{os.getpid()}"
    aside.write_bytes(msgspec.json.encode(marker) + b"\n")
    aside.replace(directory / MARKER)


def tell_servers(directory: Path) -> None:
    """Let servers on this sandbox know that its data was replaced."""
    put_marker(directory, find_marker(directory) or Marker())


class SandboxHub(Hub):
    """A hub whose data directory is a sandbox."""

    def __init__(self, database: Database, settings: Settings) -> None:
        seed = Seed(settings.seed) if settings.seed is not None else None
        if seed is None:
            super().__init__(database, settings)
        else:
            super().__init__(database, settings, now=seed.now, new_id=seed.new_id)
        self._seed = seed
        self._marker = settings.data_dir / MARKER
        self._news: tuple[int, int] | None = None
        self._turn = asyncio.Lock()

    @override
    async def begin(self) -> None:
        await self.settle()
        if self._seed is not None:
            self._seed.step()

    async def settle(self) -> None:
        """Where the data was put back since, forget what is remembered of it, and let the clock start again."""
        async with self._turn:
            news = self._read_news()
            if news == self._news:
                return
            self.forget()
            if self._seed is not None:
                try:
                    self._seed.restart(await self._find_latest_time())
                except (Busy, Unavailable):
                    return  # the next request asks again; this one will tell what is wrong by itself
            self._news = news

    async def visit(self) -> None:
        """For a command beside the server: the time of the last write, and ids that the server's cannot meet."""
        if self._seed is not None:
            at = await self._find_latest_time() or FIRST
            self.now = lambda: at
            self.new_id = uuid4

    @override
    def clients_now(self) -> datetime:
        return utc_now()

    @override
    def monotonic(self) -> float:
        return super().monotonic() if self._seed is None else self._seed.monotonic()

    async def _find_latest_time(self) -> datetime | None:
        async with self.database.lease() as connection:
            return await find_latest_time(connection)

    def _read_news(self) -> tuple[int, int]:
        try:
            found = self._marker.stat()
        except OSError:
            return 0, 0
        return found.st_ino, found.st_mtime_ns
