"""Take rows of imports away, and what came of them: when they are done, deleted, or too old."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from uuid import UUID

from customerhub.store import import_tidying as store
from customerhub.store.db import Connection

Lease = Callable[[], AbstractAsyncContextManager[Connection]]


async def forget_rows(lease: Lease, team: UUID, import_id: UUID, *, keeps_refused: bool = False) -> None:
    """Take staged rows away, piece by piece; `keeps_refused`: but for those that the run refused."""
    behind: int | None = -1
    while behind is not None:
        async with lease() as connection:
            behind = await store.forget_rows(connection, team, import_id, behind, keeps_refused=keeps_refused)


async def forget_import(lease: Lease, team: UUID, import_id: UUID) -> None:
    """Take away all rows of an import and what came of them, piece by piece."""
    await forget_rows(lease, team, import_id)
    for is_trial in (True, False):
        has_more = True
        while has_more:
            async with lease() as connection:
                has_more = await store.forget_results(connection, team, import_id, is_trial=is_trial)


async def forget_old(lease: Lease, before: datetime, rest: Callable[[], Awaitable[None]]) -> None:
    """Take away the rows of imports, of any teams, that nobody has touched since before this time.

    `rest` is awaited between two of them. Raises Unavailable, Busy and errors of the server.
    """
    async with lease() as connection:
        teams = await store.list_teams_with_old(connection, before)
    for team in teams:
        async with lease() as connection:
            old = await store.list_old(connection, team, before)
        for import_id in old:
            await forget_import(lease, team, import_id)
            async with lease() as connection:
                await store.mark_empty(connection, team, import_id)
                await store.delete_unseen(connection, team, import_id)
            await rest()
