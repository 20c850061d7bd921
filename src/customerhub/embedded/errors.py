"""The one error of the embedded PostgreSQL, and the sentences that say what is wrong and how to mend it."""

import errno
import os
import pwd
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LAST_LINES = 6


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be used; the message is one sentence for the person at the terminal."""


def user_name(uid: int) -> str:
    """Return the passwd name of a uid, or the number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


@contextmanager
def explained(directory: Path) -> Iterator[None]:
    """Turn an `OSError` raised inside into the `EmbeddedError` that fits the data directory."""
    try:
        yield
    except OSError as error:
        raise EmbeddedError(_os_sentence(error, directory)) from error


def _os_sentence(error: OSError, directory: Path) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(directory)
    if _is_elsewhere(error, directory):
        return f"PostgreSQL cannot be run: {error}."
    who = user_name(os.geteuid())
    match error.errno:
        case errno.EACCES | errno.EPERM:
            wrong = f"is not writable for user {who}: give it to {who} or choose another directory."
        case errno.EROFS:
            wrong = "is on a read-only file system: choose another directory."
        case errno.ENOTDIR | errno.EEXIST:
            wrong = "is not a directory: choose another path."
        case errno.ENAMETOOLONG:
            wrong = "has a name that is too long for this file system: choose a shorter one."
        case _:
            wrong = f"cannot be used: {error}."
    return f"The data directory {directory} {wrong}"


def _is_elsewhere(error: OSError, directory: Path) -> bool:
    """Say whether the error is about a file that is neither in the data directory nor on the way to it."""
    if not isinstance(error.filename, str | bytes):
        return False
    file, place = Path(os.path.realpath(os.fsdecode(error.filename))), Path(os.path.realpath(directory))
    return not (file.is_relative_to(place) or place.is_relative_to(file))


def disk_full(directory: Path) -> str:
    """Return the sentence for a full disk."""
    return f"The disk that holds {directory} is full: free some space and start again."


def last_lines(text: str) -> str:
    """Return the last lines of a log as one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-_LAST_LINES:]) or "(nothing)"


def is_held_by_killed_server(text: str) -> bool:
    """Say whether PostgreSQL refused only because processes of a killed server have not ended yet."""
    return "pre-existing shared memory block" in text or 'lock file "postmaster.pid" already exists' in text


def server_sentence(text: str, directory: Path) -> str:
    """Return why initdb or postgres failed, from what it wrote (its messages are English: lc_messages is C)."""
    if "No space left on device" in text or "Disk quota exceeded" in text:
        return disk_full(directory)
    if taken := re.search(r'lock file "(.*\.s\.PGSQL\.\d+\.lock)" already exists', text):
        lock = Path(taken.group(1))
        return (
            f"Another server{_process_in(lock)} holds the socket of {directory}: stop it, "
            f"or remove {lock} if that process is not PostgreSQL."
        )
    if is_held_by_killed_server(text):
        return (
            f"Another PostgreSQL still works in {directory}: "
            "stop it, or wait until the processes of a killed one have ended, and start again."
        )
    if "Permission denied" in text:
        return f"PostgreSQL may not write in {directory}: {last_lines(text)}"
    return f"PostgreSQL did not start in {directory}; its last words: {last_lines(text)}"


def _process_in(lock: Path) -> str:
    # PostgreSQL's own hint names the process too, but the log is terse.
    try:
        return f" (process {int(lock.read_text().splitlines()[0])})"
    except (OSError, ValueError, IndexError):
        return ""
