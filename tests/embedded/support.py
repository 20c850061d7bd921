"""Real processes, real servers and conditions with a deadline for the tests of the embedded PostgreSQL."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import asyncpg

import customerhub
from customerhub.embedded import keeper

HOLDER = Path(__file__).with_name("holder.py")
SOURCE = Path(customerhub.__file__).parents[1]


def ask(url: str, statement: str) -> Any:
    """Return the single value a statement answers with, over a connection of its own."""

    async def run() -> Any:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(run())


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Wait for a condition, and fail with its name when the time is up."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def server_pid(cluster_directory: Path) -> int:
    """Return the process number of the server that lives on a cluster."""
    found = keeper.find_server(cluster_directory)
    assert found is not None, f"no server lives on {cluster_directory}"
    return found.pid


def is_server_gone(cluster_directory: Path) -> bool:
    """Say whether no server process works for a cluster, whatever its pid file says."""
    return not processes_naming(os.fsencode(cluster_directory), b"-D")


def processes_naming(*arguments: bytes) -> list[int]:
    """Return the processes whose command line holds all of these arguments."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if set(arguments) <= set(words) and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return found


def keeper_pid(data_directory: Path) -> int:
    """Return the process number of the keeper of a data directory."""
    words = (os.fsencode(keeper.__file__), os.fsencode(data_directory))
    # A process that has just been started has no command line for a moment.
    wait_until(lambda: bool(processes_naming(*words)), 5, f"a keeper of {data_directory} is seen")
    (pid,) = processes_naming(*words)
    return pid


def tree(directory: Path) -> dict[str, tuple[int, int, int]]:
    """Return mode, size and change time of everything under a directory, to show that nothing was touched."""
    paths = [directory, *sorted(directory.rglob("*"))]
    return {str(path): (s.st_mode, s.st_size, s.st_ctime_ns) for path in paths for s in [path.lstat()]}


class Holder:
    """Another process that holds a cluster open until it is closed or killed."""

    def __init__(self, data_directory: Path, *options: str, prefix: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, str(HOLDER), str(data_directory), *options],
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def read_line(self) -> str:
        """Return the next line the process writes: first its address, or the sentence of its failure."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def close(self) -> str:
        """Let the process close its cluster, wait until it has, and return what it wrote last."""
        output, errors = self.process.communicate(timeout=40)
        assert self.process.returncode == 0, errors
        return output.strip()

    def kill(self) -> None:
        """End the process by kill -9, with no chance to close anything."""
        self.process.kill()
        self.process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.returncode is None:
            self.kill()
