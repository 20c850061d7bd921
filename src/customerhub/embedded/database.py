"""The two things the embedded server is asked in SQL: whether it answers, and to create a database."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import asyncpg

from customerhub.embedded.errors import EmbeddedError, disk_full
from customerhub.embedded.initialise import SUPERUSER

PORT = 5432
_TIMEOUT_SECONDS = 5.0
_LONGEST_NAME = 63

T = TypeVar("T")


def is_answering(socket_directory: Path) -> bool:
    """Say whether the server takes sessions: not while it starts, recovers or shuts down."""
    return _run(_answers(socket_directory))


def create_database(socket_directory: Path, name: str) -> None:
    """Create a database unless it is there. Raises `EmbeddedError`."""
    if not name or "\0" in name or len(name.encode()) > _LONGEST_NAME:
        raise EmbeddedError(f"{name!r} is no name for a database: 1 to {_LONGEST_NAME} bytes, without NUL.")
    _run(_create(socket_directory, name))


def _run(work: Coroutine[object, object, T]) -> T:
    # A thread of its own, so that a caller whose thread already runs an event loop is served too.
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _connect(socket_directory: Path) -> asyncpg.Connection:
    connection: asyncpg.Connection = await asyncpg.connect(
        host=str(socket_directory),
        port=PORT,
        user=SUPERUSER,
        database="postgres",
        timeout=_TIMEOUT_SECONDS,
    )
    return connection


async def _answers(socket_directory: Path) -> bool:
    try:
        connection = await _connect(socket_directory)
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
        return False
    except asyncpg.TooManyConnectionsError:
        return True
    await connection.close()
    return True


async def _create(socket_directory: Path, name: str) -> None:
    try:
        connection = await _connect(socket_directory)
        try:
            if await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
                return
            quoted = name.replace('"', '""')
            # template0, since any session in template1 would make the creation fail.
            await connection.execute(f'CREATE DATABASE "{quoted}" TEMPLATE template0')
        finally:
            await connection.close()
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        return  # somebody was faster
    except asyncpg.DiskFullError as error:
        raise EmbeddedError(disk_full(socket_directory)) from error
    except (asyncpg.exceptions.PostgresError, OSError) as error:
        raise EmbeddedError(f"The database {name!r} could not be created: {error}.") from error
