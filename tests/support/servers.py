"""Servers of others that a hub may stand beside: PgBouncer between it and PostgreSQL, a Redis that counts limits."""

import asyncio
import os
import shutil
import sys
import tempfile
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import asyncpg
import pytest

from customerhub.embedded import Cluster
from tests.support.waiting import wait_until

# Where `scripts/setup dev` unpacks what the machine does not have, each in a folder of its name.
UNPACKED = Path(sys.prefix, "servers")
_PORT = 6432
# Direct addresses of databases, and those behind a pooler that servers are given instead while it runs.
behind_pooler: dict[str, str] = {}
# Behind a pooler nobody can ask for these, so that the pooler does (docs/decisions/0025-behind-a-pooler.md).
_SESSION = "set lock_timeout = 5000; set jit = off"


@dataclass
class Pooler:
    """A PgBouncer that lends its few connections to PostgreSQL for one transaction each."""

    directory: Path

    def url(self, database: str) -> str:
        """The address of a database behind it."""
        query = urlencode({"host": str(self.directory), "port": _PORT, "user": "customerhub"})
        return f"postgresql:///{database}?{query}"

    def url_like(self, direct_url: str) -> str:
        """The address behind it of the database that another address leads to."""
        return self.url(urlsplit(direct_url).path.lstrip("/"))


def find_program(name: str) -> Path:
    """The program, of the machine or unpacked by `scripts/setup dev`; skips the test where there is none."""
    places = [shutil.which(name), *(UNPACKED / name / "usr" / folder / name for folder in ("bin", "sbin"))]
    for place in places:
        if place is not None and Path(place).exists():
            return Path(place)
    pytest.skip(f"there is no {name}: `scripts/setup dev` unpacks it where apt-get can download it")


@asynccontextmanager
async def running_pooler(
    cluster: Cluster, *, sessions: int = 4, connect_query: str = _SESSION, directory: Path | None = None
) -> AsyncIterator[Pooler]:
    """A PgBouncer in transaction mode in front of the server, with so many sessions for each database.

    `directory` is where another one was that has ended; whoever knew that one finds this one.
    """
    with tempfile.TemporaryDirectory(prefix="pooler-") as name:
        directory = directory or Path(name)
        directory.mkdir(exist_ok=True)
        directory.chmod(0o777)
        settings = directory / "pgbouncer.ini"
        settings.write_text(
            f"""[databases]
* = host={cluster.socket_directory} port=5432 user=customerhub connect_query='{connect_query}'
[pgbouncer]
listen_port = {_PORT}
unix_socket_dir = {directory}
auth_type = any
pool_mode = transaction
default_pool_size = {sessions}
max_client_conn = 500
""",
            encoding="utf-8",
        )
        pooler = Pooler(directory)

        async def answers() -> bool:
            try:
                connection = await asyncpg.connect(pooler.url("postgres"), statement_cache_size=0)
            except (OSError, asyncpg.exceptions.PostgresError):
                return False
            await connection.close()
            return True

        # Like PostgreSQL it refuses to run as root.
        program = find_program("pgbouncer")
        async with _running(program, (str(settings),), answers, prefix=cluster._housing.prefix):
            yield pooler


@asynccontextmanager
async def running_redis() -> AsyncIterator[str]:
    """The address of a Redis that keeps nothing."""
    with tempfile.TemporaryDirectory(prefix="redis-") as name:
        place = Path(name, "redis.sock")
        options = ("--port", "0", "--unixsocket", str(place), "--save", "", "--dir", name)

        async def answers() -> bool:
            return os.path.exists(place)  # noqa: ASYNC240, PTH110 - as quick as any question to the kernel

        async with _running(find_program("redis-server"), options, answers):
            yield f"redis+unix://{place}"


def to_environment(program: Path) -> dict[str, str]:
    """The environment in which a program finds the libraries that were unpacked with it, if it was."""
    folders: set[str] = set()
    if UNPACKED in program.parents:
        tree = UNPACKED / program.relative_to(UNPACKED).parts[0]
        folders = {str(library.parent) for library in tree.glob("**/lib/**/*.so*")}
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(sorted(folders))} if folders else {**os.environ}


@asynccontextmanager
async def _running(
    program: Path, arguments: Sequence[str], answers: Callable[[], Awaitable[bool]], *, prefix: Sequence[str] = ()
) -> AsyncIterator[None]:
    command = (*prefix, str(program), *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, env=to_environment(program), stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
    )
    try:

        async def is_up_or_over() -> bool:
            return process.returncode is not None or await answers()

        await wait_until(is_up_or_over, f"{command} answers")
        assert process.returncode is None, f"{command} ended with {process.returncode}"
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
