"""Whether the key of stored secrets is the right one, and how another one takes its place."""

from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.core.secrets import new_key, to_fingerprint, write_key_file
from customerhub.model.error import SecretKeyError
from customerhub.store import secrets as store


class Rotation(Struct, frozen=True):
    """What a rotation did: the newest key's fingerprint, how many secrets it encrypted anew, what is left to do."""

    fingerprint: str
    renewed: int
    next: str


async def check_key(hub: Hub) -> str:
    """Raise SecretKeyError where stored secrets could not be decrypted with the keys set; says how it stands."""
    async with hub.database.lease() as connection:
        used = await store.list_keys(connection)
    if not used:
        return "no secrets are stored"
    strange = sorted(set(used) - set(hub.vault.fingerprints()))
    if strange:
        raise SecretKeyError(
            f"The secret key is not the one that this database's secrets are encrypted with ({', '.join(strange)}): "
            "set CUSTOMERHUB_SECRET_KEY to that key, or put its file back."
        )
    return f"the right one ({', '.join(used)})"


async def rotate(hub: Hub) -> Rotation:
    """Encrypt every stored secret with a new key, beside running servers; run again it finishes what was broken off.

    A key file gets a new key in front, and loses the old one at the end; servers read it again by themselves. Keys in
    the setting are the operator's: the new one must stand before the old one, in every process, when this begins.
    Raises SecretKeyError.
    """
    file = hub.settings.secret_key_file if not hub.settings.secret_key else None
    await check_key(hub)
    keys = _to_keys(hub, file)
    newest = Fernet(keys[0])
    every = MultiFernet([Fernet(key) for key in keys])

    def renew(stored: bytes) -> bytes | None:
        try:
            newest.decrypt(stored)
        except InvalidToken:
            return every.rotate(stored)
        return None

    fingerprint = to_fingerprint(keys[0])
    async with hub.database.transaction() as connection:
        await store.retire_other_keys(connection, fingerprint, hub.now())
    renewed = 0
    async with hub.database.lease() as connection:
        async for count in store.renew_secrets(connection, renew):
            renewed += count
    if file is None:
        return Rotation(fingerprint, renewed, "remove the older keys from CUSTOMERHUB_SECRET_KEY")
    write_key_file(file, keys[:1])
    return Rotation(fingerprint, renewed, "nothing: running servers read the new key by themselves")


def _to_keys(hub: Hub, file: Path | None) -> tuple[str, ...]:
    """The keys to work with, the new one first; more than one in a file are those of a rotation that broke off."""
    keys = hub.vault.keys()
    if len(keys) > 1:
        return keys
    if file is None:
        raise SecretKeyError(
            "Set CUSTOMERHUB_SECRET_KEY to a new key, a comma and the old key, restart the servers with it, and run "
            "this again; `customerhub secrets new-key` prints a key."
        )
    keys = (new_key(), *keys)
    write_key_file(file, keys)
    return keys
