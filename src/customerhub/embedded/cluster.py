"""The embedded PostgreSQL as its users see it: opened, shared by processes, kept running, closed."""

import os
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

from customerhub.embedded import database, server
from customerhub.embedded.account import Housing, RootRules, get_housing
from customerhub.embedded.binaries import get_binaries
from customerhub.embedded.database import PORT
from customerhub.embedded.directory import Layout, prepare_directory
from customerhub.embedded.errors import EmbeddedError, explained
from customerhub.embedded.initialise import SUPERUSER, find_data_major, initialise_cluster
from customerhub.embedded.keeper import FileLock, find_pid_file, find_server, stop_server

# The longest a stop takes (20 s fast, 10 s immediate, 5 s killed), and some.
_CLOSE_SECONDS = 40.0
# A keeper that looks whether it is alone holds the lock for a moment.
_ALONE_TRIES = 3
_ALONE_PAUSE_SECONDS = 0.02


def open_cluster(
    data_directory: Path,
    *,
    binaries: Path | None = None,
    wait_seconds: float = 60.0,
    root_rules: RootRules | None = None,
) -> "Cluster":
    """Open the PostgreSQL of a data directory; the first process to come makes and starts it, the others share it.

    `binaries` is a bin directory that is preferred to the wheel's and the system's. `wait_seconds` bounds making,
    starting and waiting for another process that does. `root_rules` is for tests. Raises `EmbeddedError`.
    """
    deadline = time.monotonic() + wait_seconds
    directory = Path(os.path.realpath(data_directory.expanduser()))
    with explained(directory), ExitStack() as undo:
        layout = prepare_directory(directory)
        holders = undo.enter_context(FileLock(layout.holders_lock))
        with _controlled(layout, deadline):
            if not holders.take(shared=True, deadline=deadline):
                raise EmbeddedError(f"Another program holds {layout.holders_lock}: stop it and start again.")
            found = get_binaries(binaries, find_data_major(layout.cluster))
            housing = get_housing(layout, found, root_rules or RootRules())
            if find_data_major(housing.cluster) is None:
                initialise_cluster(housing, deadline)
            server.ensure_server(layout, housing, deadline)
        undo.pop_all()
        return Cluster(layout, housing, holders, wait_seconds)


class Cluster:
    """A PostgreSQL server in use by this process until `close`; made by `open_cluster`; safe to use from threads."""

    def __init__(self, layout: Layout, housing: Housing, holders: FileLock, wait_seconds: float) -> None:
        self._layout = layout
        self._housing = housing
        self._holders = holders
        self._wait_seconds = wait_seconds
        self._is_open = True
        self._process = os.getpid()
        self._mutex = threading.Lock()

    @property
    def data_directory(self) -> Path:
        """Customerhub's data directory, absolute."""
        return self._layout.data_directory

    @property
    def cluster_directory(self) -> Path:
        """PostgreSQL's own directory."""
        return self._housing.cluster

    @property
    def log_file(self) -> Path:
        """What the server writes."""
        return self._layout.log

    @property
    def major_version(self) -> int:
        """The major version of the server and of the data."""
        return self._housing.binaries.major

    @property
    def binary_directory(self) -> Path:
        """Where the server's programs lie."""
        return self._housing.binaries.directory

    @property
    def socket_directory(self) -> Path:
        """Where the server's unix socket lies. Raises `EmbeddedError` where the server was stopped by hand."""
        found = find_pid_file(self._housing.cluster)
        if found is None or found.socket_directory is None:
            raise EmbeddedError(f"PostgreSQL in {self.data_directory} is not running: start customerhub again.")
        return found.socket_directory

    def url(self, database: str = "customerhub") -> str:
        """Return the address of a database for asyncpg and libpq; nothing of the environment is needed or used."""
        where = urlencode({"host": str(self.socket_directory), "port": PORT, "user": SUPERUSER}, quote_via=quote)
        return f"postgresql:///{quote(database, safe='')}?{where}"

    def create_database(self, name: str) -> None:
        """Create a database unless it is there, whoever else is doing so. Raises `EmbeddedError`."""
        database.create_database(self.socket_directory, name)

    def ensure_running(self) -> bool:
        """Start the server again if it has died; return whether it had. Costs some 0.1 ms while all is well.

        Waits for the processes of a killed server for 10 s. Raises `EmbeddedError`, also after `close`.
        """
        with self._mutex, explained(self.data_directory):
            if not self._is_open:
                raise EmbeddedError(f"The database in {self.data_directory} was closed: open it again.")
            if find_server(self._housing.cluster) and server.has_keeper(self._layout):
                return False
            deadline = time.monotonic() + self._wait_seconds
            with _controlled(self._layout, deadline):
                return server.ensure_server(self._layout, self._housing, deadline)

    def close(self) -> None:
        """Stop using the server; the last process to do so stops it and waits until it has ended. Never raises."""
        with self._mutex:
            if not self._is_open:
                return
            self._is_open = False
            try:
                # A forked child has the very same hold as its parent, and must not take itself for the last one.
                if os.getpid() == self._process:
                    self._stop_if_alone()
            except OSError:
                return  # the directory is gone: the keeper, whose files are open, stops the server
            finally:
                self._holders.close()

    def _stop_if_alone(self) -> None:
        with FileLock(self._layout.control_lock) as control:
            if not control.take(deadline=time.monotonic() + _CLOSE_SECONDS):
                return  # somebody is starting it, or the keeper stops it
            for _ in range(_ALONE_TRIES):
                if self._holders.try_take():
                    stop_server(self._housing.cluster)
                    server.wait_until_no_keeper(self._layout)
                    return
                time.sleep(_ALONE_PAUSE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _controlled(layout: Layout, deadline: float) -> FileLock:
    control = FileLock(layout.control_lock)
    if control.take(deadline=deadline):
        return control
    control.close()
    raise EmbeddedError(
        f"Another process has been starting or stopping the database in {layout.data_directory} for too long: "
        f"wait for it, or end the process that holds {layout.control_lock}."
    )
