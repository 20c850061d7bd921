"""What is left to do after an erasure: what was on its way while it was committed, seen to until nothing can come.

Whoever logs a request that began before the erasure was closed logs it without values, and whoever keeps an answer of a
customer that was just erased keeps only that there was one; both statements see to it by themselves. So no process has
to be asked, and a killed one leaves nothing undone that the next to keep house would not do.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from msgspec import Struct

from customerhub.model.error import Busy, Unavailable
from customerhub.model.needles import Needles, find_words
from customerhub.store import erasure as store
from customerhub.store import import_tidying as imports
from customerhub.store.db import Connection
from customerhub.store.request_logs import to_bound

Lease = Callable[[], AbstractAsyncContextManager[Connection]]

SETTLES: Final = timedelta(minutes=5)
"""After so long nobody can hold anything any more that was read before an erasure."""
_OPEN: Final = timedelta(minutes=1)
# So long before an erasure a request may have begun whose log was written while it was committed.
_BEFORE: Final = timedelta(minutes=10)
_BEGINNING: Final = UUID(int=0)


class Traces(Struct, frozen=True):
    """By what the values of erased customers are found; `words` are their ids as texts, which outlive them."""

    team: UUID
    customers: tuple[UUID, ...]
    words: tuple[str, ...]
    needles: Needles

    async def erase(self, connection: Connection, at: datetime, behind: UUID = _BEGINNING) -> None:
        """Take values out of the request log, behind an entry, of answers but that of this time, and of imports."""
        await store.erase_logs(connection, self.team, behind, self.needles)
        await store.erase_keys(connection, self.team, at, self.needles)
        await imports.erase(connection, self.team, self.customers, self.needles)


async def finish(lease: Lease, traces: Traces, at: datetime, now: Callable[[], datetime]) -> None:
    """See to what was on its way, and close the erasure; where the database is away, whoever keeps house does it."""
    try:
        async with lease() as connection:
            await traces.erase(connection, at, to_bound(at - _BEFORE, is_upper=False))
            await store.close(connection, traces.team, traces.customers, now())
    except (Unavailable, Busy) as error:
        structlog.get_logger().warning("erasure left open", cause=type(error.__cause__ or error).__name__)


async def settle_erasures(lease: Lease, now: datetime, rest: Callable[[], Awaitable[None]]) -> None:
    """Close what was left open and look once more for what came late, by the ids that outlive an erasure.

    `rest` is awaited between two erasures. Raises Unavailable, Busy and errors of the server.
    """
    async with lease() as connection:
        waiting = await store.list_unsettled(connection, now - SETTLES)
    settled = False
    for one in waiting:
        async with lease() as connection:
            if not one.is_closed and one.at < now - _OPEN:
                await store.close(connection, one.team, (one.customer,), now)
            elif one.is_due:
                traces = Traces(one.team, (one.customer,), one.marks, find_words(one.marks))
                await traces.erase(connection, one.at, to_bound(one.at - _BEFORE, is_upper=False))
                await store.settle(connection, one.team, one.customer, now)
                settled = True
        await rest()
    if settled:
        async with lease() as connection:
            await store.sample_anew(connection)
