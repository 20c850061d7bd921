"""Read customers by the million, a hundred at a time, from one snapshot."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime
from itertools import groupby
from typing import Final
from uuid import UUID

from asyncpg import Record

from customerhub.model.canonical import Row
from customerhub.model.customer import CUSTOMER_FIELDS, Customer
from customerhub.model.error import HistoryGone
from customerhub.model.history import HistoryEntry
from customerhub.model.replay import replay
from customerhub.store.customers import to_customer
from customerhub.store.db import Connection
from customerhub.store.lists import CustomerFilter, asks_for_nul, to_conditions, to_filters, total_statement
from customerhub.store.queries import load_queries
from customerhub.store.timeline import to_entry

QUERIES = load_queries("exports.sql")
PAGE: Final = 100
"""Customers that are read at a time: others of the process wait for as long as it takes to write so many out."""
_COLUMNS: Final = ", ".join(f"c.{field}" for field in CUSTOMER_FIELDS)
# A rare filter may have to look at every row before it finds one.
_SECONDS: Final = 600
# What of a filter never changes in a customer, so that the rows of today can be asked for it.
_LASTING: Final = frozenset(("created_from", "created_before", "created_until", "ids"))


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncIterator[None]:
    """Meanwhile the connection sees everything as one moment has it, and writes nothing; nobody waits for it."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        yield


async def count_live(connection: Connection, team: UUID, chosen: CustomerFilter) -> int:
    """How many live customers there are of these."""
    if asks_for_nul(chosen):
        return 0
    statement, parameters = total_statement(team, chosen)
    count: int = await connection.fetchval(statement, *parameters, timeout=_SECONDS)
    return count


async def walk_live(connection: Connection, team: UUID, chosen: CustomerFilter) -> AsyncGenerator[Sequence[Customer]]:
    """Live customers, the oldest first, in pieces; inside a transaction."""
    if asks_for_nul(chosen):
        return
    statement, parameters = _live("live", team, chosen)
    async with aclosing(_walk_ahead(connection, statement, parameters)) as pieces:
        async for piece in pieces:
            yield list(map(to_customer, piece))


async def walk_canonical(connection: Connection, team: UUID, chosen: CustomerFilter) -> AsyncGenerator[Sequence[Row]]:
    """The same as rows of the canonical form, most of it as text."""
    if asks_for_nul(chosen):
        return
    statement, parameters = _live("canonical", team, chosen)
    async with aclosing(_walk_ahead(connection, statement, parameters)) as pieces:
        async for piece in pieces:
            yield list(map(list, piece))


async def count_gone(connection: Connection, team: UUID, chosen: CustomerFilter, at: datetime) -> int:
    """How many customers changed since a time whose state at it is not known any more."""
    conditions = _lasting(chosen)
    statement = QUERIES["count_gone"].format(filters=to_filters(conditions, 3))
    count: int = await connection.fetchval(statement, team, at, *(value for _, value in conditions), timeout=_SECONDS)
    return count


async def walk_former(
    connection: Connection, team: UUID, chosen: CustomerFilter, at: datetime
) -> AsyncGenerator[Sequence[Customer]]:
    """Customers that lived at a time as they were then, the oldest first, in pieces; inside a transaction.

    Of the filter only what never changes is heeded. Those that `count_gone` counts are left out.
    """
    conditions = _lasting(chosen)
    statement = QUERIES["present"].format(columns=_COLUMNS, filters=to_filters(conditions, 3))
    cursor = await connection.cursor(statement, team, at, *(value for _, value in conditions))
    while found := await cursor.fetch(PAGE, timeout=_SECONDS):
        piece = list(map(to_customer, found))
        later = [customer.id for customer in piece if customer.updated_at > at]
        rows = await connection.fetch(QUERIES["list_until"], team, later, at) if later else ()
        former = dict(_replay_all(map(to_entry, rows)))
        then = (customer if customer.updated_at <= at else former.get(customer.id) for customer in piece)
        yield [customer for customer in then if customer is not None and customer.deleted_at is None]


def _replay_all(entries: Iterable[HistoryEntry]) -> Iterable[tuple[UUID, Customer]]:
    for customer, own in groupby(entries, key=lambda entry: entry.customer):
        try:
            yield customer, replay(tuple(own))
        except HistoryGone:
            continue


def _lasting(chosen: CustomerFilter) -> list[tuple[str, object]]:
    return [condition for condition in to_conditions(chosen) if condition[0] in _LASTING]


def _live(query: str, team: UUID, chosen: CustomerFilter) -> tuple[str, list[object]]:
    conditions = to_conditions(chosen)
    statement = QUERIES[query].format(columns=_COLUMNS, filters=to_filters(conditions, 2))
    return statement, [team, *(value for _, value in conditions)]


async def _walk_ahead(
    connection: Connection, statement: str, parameters: Sequence[object]
) -> AsyncGenerator[Sequence[Record]]:
    """The rows in pieces; the server makes the next one while this one is written out."""
    cursor = await connection.cursor(statement, *parameters)
    rows = await cursor.fetch(PAGE, timeout=_SECONDS)
    while rows:
        coming = asyncio.create_task(cursor.fetch(PAGE, timeout=_SECONDS))
        try:
            # Without this turn of the loop it would be asked for only after what follows.
            await asyncio.sleep(0)
            yield rows
            rows = await coming
        finally:
            if not coming.done():
                # Nobody can use the connection before the server has ended it.
                coming.cancel()
                await asyncio.wait((coming,))
