"""Secrets that must be known in clear again: encrypted with a key that is not in the database."""

import hashlib
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from customerhub.model.error import SecretKeyError
from customerhub.store import secrets as store
from customerhub.store.db import Connection

KEY_FILE = "secret.key"

_REMEMBERED = 1000


class Vault:
    """Encrypts with the newest of its keys and decrypts with any of them, so that one key can follow another.

    The keys are those of the setting (the newest first, with commas), otherwise those of the file, which is read
    again whenever something new is to be encrypted or something unknown to be decrypted: a rotation beside this
    process may have changed it.
    """

    def __init__(self, setting: str, file: Path | None) -> None:
        self._setting = setting
        self._file = file
        self._fernet: MultiFernet | None = None
        self._known: dict[bytes, str] = {}

    def keys(self) -> tuple[str, ...]:
        """The keys as they stand now, the newest first; raises SecretKeyError where there is none."""
        text = self._setting or (_read(self._file) if self._file is not None else "")
        keys = tuple(text.replace(",", " ").split())
        if not keys:
            raise SecretKeyError(
                "Set CUSTOMERHUB_SECRET_KEY (`customerhub secrets new-key` prints one): with an external database all "
                "processes need the same key for stored secrets."
            )
        return keys

    def fingerprints(self) -> tuple[str, ...]:
        """What may be known of each key."""
        return tuple(to_fingerprint(key) for key in self.keys())

    def encrypt(self, secret: str) -> bytes:
        """What may be stored; see `seal`, which also keeps a rotation from passing it by."""
        return self._load().encrypt(secret.encode())

    def decrypt(self, stored: bytes) -> str:
        """The secret in clear, remembered by the process; raises SecretKeyError where no key of ours encrypted it."""
        known = self._known.get(stored)
        if known is None:
            known = self.open(stored)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[stored] = known
        return known

    def open(self, stored: bytes) -> str:
        """The same, not remembered."""
        if self._fernet is not None:
            with suppress(InvalidToken):
                return self._fernet.decrypt(stored).decode()
        try:
            return self._load().decrypt(stored).decode()
        except InvalidToken as error:
            raise SecretKeyError("A stored secret was encrypted with another key than the one set.") from error

    def _load(self) -> MultiFernet:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in self.keys()])
        except ValueError as error:
            raise SecretKeyError("A secret key is 32 bytes in URL-safe base64, and this one is not.") from error
        return self._fernet


async def seal(connection: Connection, vault: Vault, secret: str, at: datetime) -> bytes:
    """Encrypt a secret that is stored in this transaction.

    The key is held until the transaction ends, so that a rotation does not take it away after it looked for secrets
    and before this one is there. Raises SecretKeyError.
    """
    for _ in range(2):
        fingerprint = vault.fingerprints()[0]
        if await store.hold_key(connection, fingerprint, at):
            return vault.encrypt(secret)
    raise SecretKeyError("The secret key was replaced by another one: set CUSTOMERHUB_SECRET_KEY to the new key.")


def to_fingerprint(key: str) -> str:
    """64 bits that tell one key from another."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def new_key() -> str:
    """A random key."""
    return Fernet.generate_key().decode()


def make_key_file(path: Path) -> None:
    """Make the file with a new key, readable for its owner alone, unless it is there. Raises SecretKeyError."""
    if path.exists():
        return
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        _write(aside, (new_key(),))
        try:
            # Of two processes at once one wins, and nobody reads half a key.
            os.link(aside, path)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    except OSError as error:
        raise SecretKeyError(f"The key file {path} cannot be made: {error.strerror}.") from error


def write_key_file(path: Path, keys: tuple[str, ...]) -> None:
    """Replace the keys of the file, all or nothing. Raises SecretKeyError."""
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        _write(aside, keys)
        aside.replace(path)
    except OSError as error:
        raise SecretKeyError(f"The key file {path} cannot be written: {error.strerror}.") from error


def _write(path: Path, keys: tuple[str, ...]) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("".join(f"{key}\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not ASCII"
        raise SecretKeyError(f"The key file {path} cannot be read: {reason}.") from error
