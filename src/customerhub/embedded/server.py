"""Start the PostgreSQL server under its keeper, wait until it answers, and say why where it does not."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from customerhub.embedded import keeper
from customerhub.embedded.account import Housing
from customerhub.embedded.database import PORT, is_answering
from customerhub.embedded.directory import Layout, choose_socket_directory
from customerhub.embedded.errors import EmbeddedError, is_held_by_killed_server, last_lines, server_sentence
from customerhub.embedded.initialise import server_environment

_LOG_LIMIT_BYTES = 10_000_000
_POLL_SECONDS = 0.02
_RETRY_SECONDS = 0.2
# So long the processes of a killed server may take to end.
_KILLED_SERVER_SECONDS = 10.0
# So long a keeper may be without a server that is to be seen.
_KEEPER_PATIENCE_SECONDS = 10.0
# So long a close waits for the keeper to end after its server.
_KEEPER_LINGER_SECONDS = 2.0


def ensure_server(layout: Layout, housing: Housing, deadline: float) -> bool:
    """See to it that a server answers and has a keeper; return whether it had to be started.

    The caller holds the control lock; `deadline` is a `time.monotonic` value. Raises `EmbeddedError`, `OSError`.
    """
    patience = min(deadline, time.monotonic() + _KEEPER_PATIENCE_SECONDS)
    while True:
        if wait_until_answering(layout, housing, deadline, lambda: keeper.find_server(housing.cluster) is not None):
            _ensure_keeper(layout, housing)
            return False
        if not has_keeper(layout):
            _start_server(layout, housing, deadline)
            return True
        # A keeper without a server: one that ends, one whose server has no pid file yet since its hub was killed in
        # the middle of a start, or one in another container on the same files, which will never be seen from here.
        if time.monotonic() > patience:
            raise EmbeddedError(
                f"Something else holds {layout.keeper_lock}, such as a customerhub in another container: "
                "stop it, or give each its own data directory."
            )
        time.sleep(_POLL_SECONDS)


def _start_server(layout: Layout, housing: Housing, deadline: float) -> None:
    retry_until = time.monotonic() + _KILLED_SERVER_SECONDS
    earlier = keeper.find_pid_file(housing.cluster)
    socket_directory = choose_socket_directory(housing.socket_directory, earlier.socket_directory if earlier else None)
    command = _server_command(housing, socket_directory)
    while True:
        said = _try_start(layout, housing, command, deadline)
        if said is None:
            return
        if not is_held_by_killed_server(said) or time.monotonic() > retry_until:
            raise EmbeddedError(server_sentence(said, layout.data_directory))
        time.sleep(_RETRY_SECONDS)


def wait_until_answering(layout: Layout, housing: Housing, deadline: float, lives: Callable[[], bool]) -> bool:
    """Wait until the server answers (True) or no longer lives (False). Raises `EmbeddedError` at the deadline."""
    while lives():
        found = keeper.find_server(housing.cluster)
        if found and found.is_ready and found.socket_directory and is_answering(found.socket_directory):
            return True
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"PostgreSQL in {layout.data_directory} did not answer in time; the last lines of {layout.log.name}: "
                f"{last_lines(_read_from(layout.log, 0))}"
            )
        time.sleep(_POLL_SECONDS)
    return False


def _ensure_keeper(layout: Layout, housing: Housing) -> None:
    """Give a running server a keeper where it has none (its own was killed)."""
    with keeper.FileLock(layout.keeper_lock) as lock:
        if lock.try_take():
            _spawn_keeper(layout, housing, lock, [])


def has_keeper(layout: Layout) -> bool:
    """Say whether a keeper lives."""
    with keeper.FileLock(layout.keeper_lock) as lock:
        return not lock.try_take(shared=True)


def wait_until_no_keeper(layout: Layout) -> None:
    """Wait a moment for the keeper of a stopped server to end, so that a close leaves no process behind."""
    with keeper.FileLock(layout.keeper_lock) as lock:
        lock.take(deadline=time.monotonic() + _KEEPER_LINGER_SECONDS)


def _try_start(layout: Layout, housing: Housing, command: list[str], deadline: float) -> str | None:
    """Start the server once; return None when it answers, or what it wrote when it has ended."""
    offset = _rotate_log(layout.log)
    with keeper.FileLock(layout.keeper_lock) as lock:
        # Free, but for the moment in which another hub looks.
        lock.take(deadline=deadline)
        process = _spawn_keeper(layout, housing, lock, command)
    if wait_until_answering(layout, housing, deadline, lambda: process.poll() is None):
        return None
    return _read_from(layout.log, offset)


def _spawn_keeper(
    layout: Layout, housing: Housing, lock: keeper.FileLock, command: list[str]
) -> "subprocess.Popen[bytes]":
    """Start the keeper in a session of its own, out of reach of a terminal's Ctrl-C; it inherits its lock."""
    stale = keeper.find_pid_file(housing.cluster)
    # PostgreSQL takes a pid file for stale if it names the grandparent: so we tell it (as pg_ctl does) of a number
    # that a reboot gave to another process. Its check for memory still in use is done all the same.
    told = {"PG_GRANDPARENT_PID": str(stale.pid)} if stale and command else {}
    script = [sys.executable, "-I", "-S", str(Path(keeper.__file__)), str(layout.data_directory), str(housing.cluster)]
    with layout.log.open("ab") as log:
        process = subprocess.Popen(
            [*script, *command],
            cwd="/",
            env=server_environment(**told),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock.descriptor,),
            start_new_session=True,
        )
    # Reaped when it ends, at whatever time; a process that was never waited for stays in the table.
    threading.Thread(target=process.wait, name="customerhub-keeper", daemon=True).start()
    return process


def _server_command(housing: Housing, socket_directory: Path) -> list[str]:
    quoted = str(socket_directory).replace('"', '""')
    settings = {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{quoted}"',
        "unix_socket_permissions": "0700",
        "logging_collector": "off",
        "log_destination": "stderr",
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [*housing.prefix, housing.binaries.postgres, "-D", str(housing.cluster), *options]


def _rotate_log(log: Path) -> int:
    """Put a log past 10 MB aside (the one before it goes) and return the size of the one to be written."""
    log.touch(mode=0o600)
    size = log.stat().st_size
    if size <= _LOG_LIMIT_BYTES:
        return size
    log.replace(log.with_name(f"{log.name}.1"))
    log.touch(mode=0o600)
    return 0


def _read_from(log: Path, offset: int) -> str:
    with log.open("rb") as file:
        file.seek(offset)
        return file.read().decode(errors="replace")
