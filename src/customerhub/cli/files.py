"""Large files that commands write and read: a pipe is as good as a file, and half a file is in nobody's way."""

import os
import secrets
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final

from customerhub.cli.failure import Refused

STANDARD: Final = "-"
"""What stands for standard input or output in the place of a file's name."""

_OWNER_ONLY: Final = 0o600
_PIECE_BYTES: Final = 1 << 18


class Target:
    """What is written to; `size` is how many bytes it has so far.

    Every fault is Refused and no OSError, which would be taken for one of the database's connection.
    """

    def __init__(self, descriptor: int, name: str) -> None:
        self._file = os.fdopen(descriptor, "wb")
        self._name = name
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Some more. Raises Refused."""
        try:
            self._file.write(piece)
        except OSError as error:
            raise _unwritable(self._name, error) from error
        self.size += len(piece)

    def finish(self) -> None:
        """See all of it off, a file to the disk. Raises Refused."""
        try:
            self._file.flush()
            if stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
                os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self._name, error) from error

    def close(self) -> None:
        """Let go of it, whatever was written."""
        with suppress(OSError):
            self._file.close()


@contextmanager
def written(name: str) -> Iterator[Target]:
    """What to write to. A file has its name when it is whole, not before, and only its owner may read it.

    Raises Refused.
    """
    if name == STANDARD:
        with _opened(os.dup(sys.stdout.fileno()), "standard output") as target:
            yield target
        return
    # What is renamed would take the place of a pipe or a device, too. Asked by the name itself: what
    # /dev/stdout leads to need not have one.
    if Path(name).exists() and not Path(name).is_file():
        raise Refused(f"{name} is no file: name one, or - for standard output.")
    path = Path(os.path.realpath(name))
    # A number of the process would come again, in a container each time: what a killed one left must not be in the way.
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except OSError as error:
        raise _unwritable(name, error) from error
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        with _opened(descriptor, name) as target:
            yield target
        _put_in_place(aside, path)
    finally:
        aside.unlink(missing_ok=True)
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, _frame: FrameType | None) -> None:
    """What a service manager ends, a shutdown say, leaves no half of people's data behind."""
    sys.exit(128 + number)


@contextmanager
def _opened(descriptor: int, name: str) -> Iterator[Target]:
    target = Target(descriptor, name)
    try:
        yield target
        target.finish()
    finally:
        target.close()


def _put_in_place(aside: Path, path: Path) -> None:
    """Rename it, and see to it that a power cut does not take the name back."""
    try:
        aside.replace(path)
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        raise _unwritable(str(path), error) from error


class Source:
    """What is read from; `size` is how many bytes it has in all, None where nobody knows."""

    def __init__(self, name: str) -> None:
        """Open it. Raises Refused."""
        self._name = "standard input" if name == STANDARD else name
        try:
            descriptor = os.dup(sys.stdin.fileno()) if name == STANDARD else os.open(name, os.O_RDONLY)
            found = os.fstat(descriptor)
            self._file = os.fdopen(descriptor, "rb")
        except OSError as error:
            raise self._unreadable(error) from error
        self.size = found.st_size if stat.S_ISREG(found.st_mode) else None

    def pieces(self) -> Iterator[bytes]:
        """All of it, each piece as soon as it is there. Raises Refused."""
        try:
            while piece := self._file.read1(_PIECE_BYTES):
                yield piece
        except OSError as error:
            raise self._unreadable(error) from error

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    def _unreadable(self, error: OSError) -> Refused:
        return Refused(f"{self._name} cannot be read: {error.strerror or error}.")


def _unwritable(name: str, error: OSError) -> Refused:
    return Refused(f"{name} cannot be written: {error.strerror or error}.")
