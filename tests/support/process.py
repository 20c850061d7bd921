"""A real `customerhub serve`, to talk to over a socket and to kill."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tests.support.fixtures import SECRET_KEY
from tests.support.servers import behind_pooler

_START_SECONDS = 60
_STOP_SECONDS = 30


@dataclass
class HubProcess:
    """One running hub; `url` is its address without a slash at its end."""

    process: Process
    url: str

    async def kill(self) -> None:
        """End it by kill -9, and wait until it is gone."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> int:
        """Tell it to stop, and wait until it has; its exit code."""
        self.process.terminate()
        async with asyncio.timeout(_STOP_SECONDS):
            return await self.process.wait()


@asynccontextmanager
async def running_hub(log: Path, *arguments: str, tells: bool = False, **settings: str) -> AsyncIterator[HubProcess]:
    """Serve on a free port with more arguments and settings; whatever happens, the process is gone afterwards.

    It `tells` sinks only where it is asked to: those of other tests stand in the same database.
    """
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "customerhub", "serve", "--port", "0", "--json", *map(_to_pooled, arguments)),
            env=_environment(*arguments) | _to_variables(deliveries="true" if tells else "false", **settings),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=errors,
        )
    try:
        yield HubProcess(process, await _read_url(process, log))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def running_worker(log: Path, database_url: str, **settings: str) -> AsyncIterator[HubProcess]:
    """Tell sinks of changes, under these settings; whatever happens, the process is gone afterwards."""
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "customerhub", "work", "--json", "--database-url", _to_pooled(database_url)),
            env=_environment(database_url) | _to_variables(**settings),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=errors,
        )
    try:
        assert (await _read_greeting(process, log)) == {"works": True}
        yield HubProcess(process, "")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _to_pooled(argument: str) -> str:
    return behind_pooler.get(argument, argument)


def _environment(*arguments: str) -> dict[str, str]:
    """No settings but the key of the secrets that the run's databases may hold already, and the way past a pooler."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CUSTOMERHUB_")}
    for direct_url in set(arguments) & set(behind_pooler):
        kept |= {"CUSTOMERHUB_DIRECT_URL": direct_url, "CUSTOMERHUB_PREPARED_STATEMENTS": "false"}
    return kept | {"CUSTOMERHUB_SECRET_KEY": SECRET_KEY}


def _to_variables(**settings: str) -> dict[str, str]:
    return {f"CUSTOMERHUB_{name.upper()}": value for name, value in settings.items()}


async def _read_url(process: Process, log: Path) -> str:
    return str((await _read_greeting(process, log))["url"])


async def _read_greeting(process: Process, log: Path) -> dict[str, object]:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_SECONDS):
            greeting = await process.stdout.readuntil(b"\n}\n")
    except (asyncio.IncompleteReadError, TimeoutError) as error:
        raise AssertionError(f"the hub did not start: {_read(log)}") from error
    return dict(msgspec.json.decode(greeting))


def _read(log: Path) -> str:
    return log.read_text(encoding="utf-8")
