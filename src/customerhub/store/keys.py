"""Read and write idempotency keys."""

from datetime import datetime

import msgspec

from customerhub.model.answer import Answer, Caller, IdempotencyKey
from customerhub.store.customers import KeptAnswer, to_kept_answer
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("keys.sql")


async def find_kept(connection: Connection, caller: Caller, key: IdempotencyKey) -> KeptAnswer | None:
    """What the key remembers, if it was used."""
    row = await connection.fetchrow(QUERIES["find"], caller.team, caller.dialect, key.key)
    return to_kept_answer(row[0], row[1], row[2], row[3], row[4]) if row is not None else None


async def keep_answer(
    connection: Connection,
    caller: Caller,
    key: IdempotencyKey,
    answer: Answer,
    at: datetime,
    *,
    is_secret: bool = False,
) -> bool:
    """Remember an answer, or only that there was one where it is secret; False where the key remembers one already."""
    is_kept = await connection.fetchval(
        QUERIES["insert"],
        caller.team,
        caller.dialect,
        key.key,
        key.fingerprint,
        answer.status,
        msgspec.json.encode(answer.headers),
        None if is_secret else answer.body,
        at,
    )
    return is_kept is not None


async def forget(connection: Connection, caller: Caller, key: IdempotencyKey, at: datetime) -> None:
    """Take away what the key has remembered since `at`; what came after it stays."""
    await connection.execute(QUERIES["delete"], caller.team, caller.dialect, key.key, at)
