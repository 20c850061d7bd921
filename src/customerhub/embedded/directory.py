"""Customerhub's own data directory: what lies in it, how it is recognised as ours, and where its socket fits."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from customerhub.embedded.errors import EmbeddedError, user_name
from customerhub.embedded.keeper import CONTROL_LOCK, HOLDERS_LOCK, KEEPER_LOCK, SOCKET_FILE, SOCKET_PREFIX

MARKER = "customerhub-data"
_MARKER_TEXT = "This directory belongs to customerhub: its PostgreSQL database lies in it. Do not edit it by hand.\n"
# A volume's root directory holds it from the start.
_HARMLESS = {"lost+found"}
# The kernel's sun_path holds 108 bytes (104 on macOS), the last of them NUL.
_LONGEST_SOCKET_PATH = 103 if sys.platform == "darwin" else 107


@dataclass(frozen=True)
class Layout:
    """The paths in one data directory, which is absolute and free of symbolic links."""

    data_directory: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own directory, or a symbolic link to it."""
        return self.data_directory / "postgres"

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.data_directory / "postgres.log"

    @property
    def holders_lock(self) -> Path:
        """Held by every process that uses the server."""
        return self.data_directory / HOLDERS_LOCK

    @property
    def control_lock(self) -> Path:
        """Held by whoever starts or stops the server."""
        return self.data_directory / CONTROL_LOCK

    @property
    def keeper_lock(self) -> Path:
        """Held by the script that stops the server after its last user."""
        return self.data_directory / KEEPER_LOCK


def prepare_directory(directory: Path) -> Layout:
    """Create the data directory (0700) with its marker, or check that it is ours; the path is absolute and real.

    A directory that holds files and no marker, or belongs to another user, is refused and left as it is.
    Raises `EmbeddedError` and `OSError`.
    """
    if "\n" in str(directory):
        raise EmbeddedError(f"The data directory {str(directory)!r} has a line feed in its path: choose another one.")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    entries = {path.name for path in directory.iterdir()} - _HARMLESS
    # The marker is the first file made, so whoever saw another file of ours sees the marker now.
    is_ours = (directory / MARKER).exists()
    if entries and not is_ours:
        raise EmbeddedError(
            f"The directory {directory} holds files that are not customerhub's: choose an empty or a new directory."
        )
    _check_owner(directory)
    # Whoever reaches the socket is let in as the owner, so nobody else may list or change the directory.
    if not is_ours or directory.stat().st_mode & 0o066:
        directory.chmod(0o700)
    if not is_ours:
        (directory / MARKER).write_text(_MARKER_TEXT)
    return Layout(directory)


def _check_owner(directory: Path) -> None:
    owner = directory.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedError(
            f"The data directory {directory} belongs to {user_name(owner)}, not to {user_name(os.geteuid())}: "
            f"run customerhub as {user_name(owner)} or choose another directory."
        )


def choose_socket_directory(preferred: Path, earlier: Path | None, bases: Iterable[Path] | None = None) -> Path:
    """Return where the socket goes: `preferred`, else the temporary directory of `earlier`, else a new one (0700).

    Raises `EmbeddedError` where even the temporary directories have too long a name.
    """
    if _fits(preferred):
        return preferred
    if earlier is not None and _is_own_temporary(earlier):
        return earlier
    for base in (Path(tempfile.gettempdir()), Path("/tmp")) if bases is None else bases:  # noqa: S108 - mkdtemp makes it 0700
        if _fits(base / f"{SOCKET_PREFIX}12345678"):
            return Path(tempfile.mkdtemp(prefix=SOCKET_PREFIX, dir=base))
    raise EmbeddedError(
        f"No socket fits under {preferred} nor in the temporary directory (at most {_LONGEST_SOCKET_PATH} bytes and no "
        "comma): choose a shorter data directory, or a shorter TMPDIR."
    )


def _fits(directory: Path) -> bool:
    # asyncpg and libpq take a comma for the end of a host, and an address is written in UTF-8.
    path = os.fsencode(directory / SOCKET_FILE)
    is_utf8 = path.decode(errors="replace").encode() == path
    return len(path) <= _LONGEST_SOCKET_PATH and is_utf8 and b"," not in path


def _is_own_temporary(directory: Path) -> bool:
    try:
        found = directory.lstat()
    except OSError:
        return False
    is_private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == stat.S_IRWXU
    return directory.name.startswith(SOCKET_PREFIX) and is_private and found.st_uid == os.geteuid()
