"""Use cases that read the request log; it is written by `recorder`."""

import asyncio
from datetime import timedelta
from typing import Final
from uuid import UUID

from customerhub.core.hub import Hub
from customerhub.model.answer import Caller
from customerhub.model.error import NotFound
from customerhub.model.page import Position, Window, to_window
from customerhub.store import request_logs as store
from customerhub.store.request_logs import LogFilter, RequestLog, to_bound

__all__ = ["LogFilter", "RequestLog", "get_request_log", "walk_request_logs"]

# So young an entry may still be with another process that answers requests.
_YOUNG: Final = timedelta(seconds=2)
_LOOKS: Final = 20
_PAUSE: Final = 0.05


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
