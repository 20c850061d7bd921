"""Run PostgreSQL as a child and stop it when its last user is gone, even if that user was killed.

This file is also a script, started beside the server with the standard library alone (about 12 MB, 35 ms), so it
imports nothing of ours; what it shares with the rest of the package (locks, the pid file, stopping) stands here.

Three files are locked with flock, which the kernel releases when a process ends however it ends:

* `holders.lock`, shared, by every process that uses the server, as long as it uses it;
* `control.lock`, exclusive, by whoever is starting or stopping the server, for that moment;
* `keeper.lock`, exclusive, by this script as long as it lives.
"""

import fcntl
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

HOLDERS_LOCK = "holders.lock"
CONTROL_LOCK = "control.lock"
KEEPER_LOCK = "keeper.lock"
SOCKET_PREFIX = "customerhub-"
SOCKET_FILE = ".s.PGSQL.5432"

_POLL_SECONDS = 0.02
_ADOPTED_POLL_SECONDS = 0.5
# Fast shutdown; immediate after 20 s; killed if even that is not obeyed, since no orphan may live on.
_STOP_SIGNALS = ((signal.SIGINT, 20), (signal.SIGQUIT, 10), (signal.SIGKILL, 5))


class FileLock:
    """An open file on which flock is taken; the lock ends with `close` or with the process."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def try_take(self, *, shared: bool = False) -> bool:
        """Take the lock at once or return False; a lock held before in the other kind is then lost."""
        try:
            fcntl.flock(self.descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def take(self, *, shared: bool = False, deadline: float = math.inf) -> bool:
        """Try until `deadline` (a `time.monotonic` value); return whether the lock was taken."""
        while not self.try_take(shared=shared):
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def wait_until_unused(self) -> None:
        """Sleep in the kernel until nobody holds the lock."""
        fcntl.flock(self.descriptor, fcntl.LOCK_EX)
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def release(self) -> None:
        """Give the lock back and keep the file open."""
        fcntl.flock(self.descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file, and so give the lock back; a second call does nothing."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class PidFile(NamedTuple):
    """What postmaster.pid says: lines 1, 5 and 8 (PostgreSQL's pidfile.h)."""

    pid: int
    socket_directory: Path | None
    is_ready: bool


def find_pid_file(cluster: Path) -> PidFile | None:
    """Read postmaster.pid, whether its server lives or not; None where there is none or it is being written."""
    try:
        lines = [*(cluster / "postmaster.pid").read_text(errors="surrogateescape").splitlines(), *[""] * 8]
        pid = int(lines[0])
    except (FileNotFoundError, ValueError):
        return None
    return PidFile(abs(pid), Path(lines[4]) if lines[4] else None, lines[7].strip() == "ready")


def is_server(pid: int, cluster: Path) -> bool:
    """Say whether this process lives and works for this cluster: after a reboot its number may be another's."""
    if Path("/proc/self/cmdline").exists():
        try:
            return b"\0-D\0" + os.fsencode(cluster) + b"\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            return False
    return is_server_by_ps(pid, cluster)


def is_server_by_ps(pid: int, cluster: Path) -> bool:
    """`is_server` for systems without /proc, such as macOS."""
    listed = subprocess.run(["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, check=False)
    return b" -D " + os.fsencode(cluster) + b" " in listed.stdout.replace(b"\n", b" ")


def find_server(cluster: Path) -> PidFile | None:
    """Return the pid file of the server that lives on this cluster, or None."""
    found = find_pid_file(cluster)
    return found if found is not None and is_server(found.pid, cluster) else None


def stop_server(cluster: Path, child: "subprocess.Popen[bytes] | None" = None) -> None:
    """Stop the cluster's server, or `child` if it is ours, and remove a temporary socket directory."""
    found = find_pid_file(cluster)
    pid = child.pid if child else found.pid if found else 0

    def lives() -> bool:
        # A child has no pid file at first, and no command line to be known by while it becomes postgres.
        return child.returncode is None if child else is_server(pid, cluster)

    for number, seconds in _STOP_SIGNALS:
        for _ in range(seconds):
            # Sent every second, since one that comes before the server's handlers stand may be lost.
            if not _signal(pid, number, lives):
                break
    if found and found.socket_directory and found.socket_directory.name.startswith(SOCKET_PREFIX):
        _remove_socket_directory(found.socket_directory)


def _signal(pid: int, number: signal.Signals, lives: Callable[[], bool]) -> bool:
    """Send a signal and wait up to a second; return whether the process still lives."""
    if not lives():
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, number)
    deadline = time.monotonic() + 1
    while lives() and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return lives()


def _remove_socket_directory(directory: Path) -> None:
    try:
        for name in (SOCKET_FILE, f"{SOCKET_FILE}.lock"):
            (directory / name).unlink(missing_ok=True)
        directory.rmdir()
    except OSError:
        return  # somebody else's files are in it, or it is gone: an empty temporary directory harms nobody


class Keeper:
    """Guards one server: its own child, or one found running that lost its keeper."""

    def __init__(self, data_directory: Path, cluster: Path, command: list[str]) -> None:
        self._cluster = cluster
        self._holders = FileLock(data_directory / HOLDERS_LOCK)
        self._control = FileLock(data_directory / CONTROL_LOCK)
        self._is_stopping = threading.Event()
        self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) if command else None

    def run(self) -> None:
        """Return when the server has ended, by itself or because nobody used it any more."""
        watch = threading.Thread(target=self._stop_when_unused, daemon=True)
        watch.start()
        if self._child:
            self._child.wait()
        else:
            while find_server(self._cluster):
                time.sleep(_ADOPTED_POLL_SECONDS)
        if self._is_stopping.is_set():
            watch.join()

    def _stop_when_unused(self) -> None:
        while True:
            self._holders.wait_until_unused()
            # Only under the control lock is "nobody uses it" a decision: a process may be just about to open.
            self._control.take()
            if self._holders.try_take():
                self._is_stopping.set()
                stop_server(self._cluster, self._child)
                return  # the locks last until this process ends, after its server
            self._control.release()


def main(data_directory: Path, cluster: Path, command: list[str]) -> None:
    """Run `command`, or guard the server that runs already where it is empty."""
    keeper = Keeper(data_directory, cluster, command)
    # A terminal's Ctrl-C or a service manager's SIGTERM is for the hub, which stops the server when it is done.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    keeper.run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
