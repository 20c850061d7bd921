"""Customers by the hundred thousand: a team filled on the server itself with what the hub would have written."""

import itertools
import random
from datetime import datetime, timedelta
from hashlib import md5
from typing import Final
from uuid import UUID

from customerhub.model.search import fold, to_line
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("data.sql", "bench")
_PIECE: Final = 20_000
# From so many on it is cheaper to make the inverted indexes anew.
MANY = 50_000
_SECONDS: Final = 1800
_WORDS: Final = 4_300
_TOWNS: Final = ("Oslo", "Bergen", "Tromsø", "Berlin", "New York", "San Francisco", "København", "Москва")
# Two letters each, but for the last ones.
_SYLLABLES: Final = (
    *map("".join, itertools.product("bdfghklmnprstv", "aeio")),
    *("nord", "ber", "sen", "lys", "vik", "hav", "fjord", "stein", "gard", "strand", "holm", "dal", "sund", "nes"),
)


def customer_id(number: int) -> UUID:
    """The id of the customer of this number; the first has number 1."""
    return UUID(_digest(f"customer {number}"))


def address_id(number: int, place: int) -> UUID:
    """The id of a customer's address; its first stands at place 1."""
    return UUID(f"{_digest(f'address {number}')[:28]}{place:04x}")


def contact_id(number: int, place: int) -> UUID:
    """The id of a customer's contact; its first stands at place 1, and there are two."""
    return UUID(f"{_digest(f'contact {number}')[:28]}{place:04x}")


def _digest(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()


async def fill(connection: Connection, team: UUID, actor: UUID, count: int, *, addresses: int = 2) -> None:
    """Give a team that has none `count` customers, numbers 1 to `count`, with history, feed, searches and duplicates.

    They refer to what the team has: terms, price lists, currencies, members as sales reps. Of many at once the inverted
    indexes are made anew, while nobody else may use the tables. Raises asyncpg.UniqueViolationError where there are
    customers of these numbers.
    """
    slow = await connection.fetch(QUERIES["list_slow_indexes"]) if count >= MANY else []
    for name, _ in slow:
        await connection.execute(f"drop index {name}")
    try:
        await _insert(connection, team, actor, count, addresses)
    finally:
        await connection.execute("set maintenance_work_mem = '512MB'")
        for _, statement in slow:
            # As it is told it would be of the parent alone, and no part would have one.
            await connection.execute(statement.replace(" ON ONLY ", " ON "), timeout=_SECONDS)
    for table in ("customer", "change", "feed", "customer_search", "duplicate_key"):
        await connection.execute(f"vacuum (analyze) {table}", timeout=_SECONDS)


async def _insert(connection: Connection, team: UUID, actor: UUID, count: int, addresses: int) -> None:
    await connection.execute(QUERIES["prepare"])
    now: datetime = await connection.fetchval("select now()")
    words = _make_words()
    found = dict(await connection.fetch(QUERIES["list_references"], team))
    kinds = ("payment_term", "shipping_term", "price_list", "user", "unit")
    references = [found.get(kind) or [] for kind in kinds]
    start = now - timedelta(seconds=count)
    for first in range(1, count + 1, _PIECE):
        last = min(first + _PIECE - 1, count)
        async with connection.transaction():
            await connection.execute(QUERIES["allow_lists"])
            await connection.execute(QUERIES["draw"], first, last, start, addresses, *words, timeout=_SECONDS)
            await connection.execute(QUERIES["insert_customers"], team, actor, *references, timeout=_SECONDS)
            await connection.execute(QUERIES["insert_changes"], team, actor, "fill", timeout=_SECONDS)
            for query in ("insert_feed", "insert_searches", "insert_duplicates"):
                await connection.execute(QUERIES[query], team, timeout=_SECONDS)
            await connection.execute(QUERIES["set_counters"], team, last)


def _make_words() -> list[list[str]]:
    """Names, people and towns, each list followed by its lines of a search text; the same in every run."""
    drawn = random.Random(11)  # noqa: S311 - generated customers are no secrets
    made: dict[str, None] = {}
    while len(made) < _WORDS:
        made["".join(drawn.choices(_SYLLABLES, k=drawn.choice((2, 3, 3, 4)))).capitalize()] = None
    words = iter(made)
    lists = [list(itertools.islice(words, 3_000)), list(itertools.islice(words, 1_000)), [*_TOWNS, *words]]
    return [one for plain in lists for one in (plain, [to_line(fold(word)) for word in plain])]
