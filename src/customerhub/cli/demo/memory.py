"""Secrets of the demo team, remembered between starts in a file that only its owner can read."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from uuid import UUID

import msgspec
from msgspec import Struct, field

from customerhub.web.log import get_logger


class Remembered(Struct):
    """A credential as it was shown when it was made."""

    id: UUID
    shown: dict[str, object]


class Memory(Struct):
    """What is remembered of one demo team."""

    team: UUID
    password: str = ""
    credentials: dict[str, Remembered] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | None, team: UUID) -> Self:
        """What the file remembers of this team; nothing where there is no such file or it cannot be read."""
        if path is not None:
            try:
                memory = msgspec.json.decode(path.read_bytes(), type=cls)
            except (OSError, msgspec.DecodeError):
                return cls(team)
            if memory.team == team:
                return memory
        return cls(team)

    def remember(self, dialect: str, credential: UUID, shown: dict[str, object]) -> None:
        """Keep a credential; values that JSON lacks become text."""
        self.credentials[dialect] = Remembered(credential, shown)

    def write(self, path: Path | None) -> None:
        """Store it, readable for its owner alone, whole or not at all; a full disk keeps nobody from playing."""
        if path is None:
            return
        aside = path.with_name(f"{path.name}.new")
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(self, enc_hook=str), indent=2))
            aside.replace(path)
        except OSError as error:
            get_logger().warning("the demo's secrets will be new at the next start", cause=error.strerror)


@contextmanager
def held(path: Path | None) -> Iterator[None]:
    """Wait for other processes that are preparing the same demo team: each would end the other's credential."""
    if path is None:
        yield
        return
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
