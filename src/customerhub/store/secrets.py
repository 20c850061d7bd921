"""Read and write the fingerprints of keys, and what is encrypted with them."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from uuid import UUID

from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("secrets.sql")

_BATCH = 500


async def hold_key(connection: Connection, fingerprint: str, at: datetime) -> bool:
    """Whether the key may still encrypt; if so nobody retires it before the transaction ends."""
    await connection.execute(QUERIES["know_key"], fingerprint, at)
    return bool(await connection.fetchval(QUERIES["hold_key"], fingerprint))


async def list_keys(connection: Connection) -> tuple[str, ...]:
    """Fingerprints of the keys that stored secrets are encrypted with."""
    return tuple(row[0] for row in await connection.fetch(QUERIES["list_keys"]))


async def retire_other_keys(connection: Connection, fingerprint: str, at: datetime) -> None:
    """Let only this key encrypt from now on; waits for transactions that hold another."""
    await connection.execute(QUERIES["know_key"], fingerprint, at)
    await connection.execute(QUERIES["restore_key"], fingerprint)
    await connection.execute(QUERIES["retire_keys"], fingerprint, at)


async def renew_secrets(connection: Connection, renew: Callable[[bytes], bytes | None]) -> AsyncIterator[int]:
    """Replace each stored secret by what `renew` makes of it (None: leave it); yields how many, batch by batch.

    No lock is held between statements; a secret that somebody replaced meanwhile is left as they wrote it.
    """
    last = ""
    while rows := await connection.fetch(QUERIES["list_client_secrets"], last, _BATCH):
        last = rows[-1][1]
        yield await _renew(connection, "set_client_secret", rows, renew)
    for listed, renewed in (("list_sink_secrets", "set_sink_secret"), ("list_former_secrets", "set_former_secret")):
        place = (UUID(int=0), UUID(int=0))
        while rows := await connection.fetch(QUERIES[listed], *place, _BATCH):
            place = (rows[-1][0], rows[-1][1])
            yield await _renew(connection, renewed, rows, renew)


async def _renew(
    connection: Connection, query: str, rows: list[tuple[UUID, object, bytes]], renew: Callable[[bytes], bytes | None]
) -> int:
    changed = [(team, subject, new, old) for team, subject, old in rows if (new := renew(old)) is not None]
    await connection.executemany(QUERIES[query], changed)
    return len(changed)
