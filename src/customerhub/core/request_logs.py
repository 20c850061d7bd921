"""Use cases that read the request log; it is written by `recorder`."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from customerhub.core.hub import Hub
from customerhub.model.answer import Caller
from customerhub.model.base32 import from_base32
from customerhub.model.error import NotFound
from customerhub.model.page import Position, Window, to_window
from customerhub.store import request_logs as store
from customerhub.store.request_logs import LogFilter, RequestLog, to_bound

__all__ = ["LogFilter", "RequestLog", "find_logged", "get_request_log", "look_through", "walk_request_logs"]

# So young an entry may still be with another process that answers requests.
_YOUNG: Final = timedelta(seconds=2)
_LOOKS: Final = 20
_PAUSE: Final = 0.05
REACH: Final = 10_000
"""So many entries are looked at for one page of those that match."""
# What requests are called ends with the id of their entry.
_DIGITS: Final = 26


async def get_request_log(hub: Hub, caller: Caller, log_id: UUID) -> RequestLog:
    """One entry of the team's log; raises Unauthenticated or NotFound.

    The link to an entry is told before the entry is written, perhaps by another process: a young one is waited for.
    """
    await hub.recorder.flush()
    youngest = to_bound(hub.now() - _YOUNG, is_upper=False)
    for _ in range(_LOOKS):
        async with hub.database.lease() as connection:
            await hub.get_standing(connection, caller)
            found = await store.find_log(connection, caller.team, log_id)
        if found is not None:
            return found
        if log_id < youngest:
            break
        await asyncio.sleep(_PAUSE)
    raise NotFound("request_log", str(log_id))


async def walk_request_logs(
    hub: Hub, caller: Caller, position: Position | None, limit: int, which: LogFilter | None = None
) -> Window[RequestLog]:
    """A page of at most `limit` entries of the team's log, the newest first; raises Unauthenticated."""
    await hub.recorder.flush()
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        found = await store.list_logs(connection, caller.team, which or LogFilter(), position, limit + 1)
    return to_window(found, position, limit, lambda log: (log.at, log.id))


async def look_through(
    hub: Hub, caller: Caller, which: LogFilter, before: UUID | None, limit: int
) -> tuple[list[RequestLog], UUID | None]:
    """The newest of the 10,000 entries before one that match, `limit` at most, and where to look on, None for nowhere.

    So it takes no longer to look for what is rare; a page may be empty though others follow. Raises Unauthenticated.
    """
    await hub.recorder.flush()
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        return await store.look_through(connection, caller.team, which, before, limit, REACH)


async def find_logged(hub: Hub, caller: Caller, request_ids: Collection[str]) -> Mapping[str, UUID]:
    """The entries of those of these requests that the team's log holds, by request; raises Unauthenticated."""
    found = {request_id: from_base32(request_id[-_DIGITS:]) for request_id in request_ids}
    ids = [log_id for log_id in found.values() if log_id is not None]
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        logged = await store.list_origins(connection, caller.team, ids) if ids else {}
    return {request_id: log_id for request_id, log_id in found.items() if log_id is not None and log_id in logged}
