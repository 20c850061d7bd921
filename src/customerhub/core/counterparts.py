"""The use case by which two hubs that keep each other know which of their customers are the same."""

from datetime import timedelta
from typing import Final, Literal
from uuid import UUID

from customerhub.core.hub import Hub
from customerhub.model.answer import Caller
from customerhub.store import counterparts as store

# A creation that nobody ended in that time was given up; it must not hold up the other side for ever.
_CREATING: Final = timedelta(seconds=60)
_LONGEST: Final = 255


async def find_counterpart(hub: Hub, caller: Caller, external_id: str) -> UUID | Literal["pending"] | None:
    """Our customer of which the caller's record is the copy; `pending` where a copy is being made, perhaps that one.

    Looked for among the accounts that are kept in the words of the dialect through which the caller asks. Raises
    Unauthenticated.
    """
    if not external_id.isprintable() or len(external_id) > _LONGEST:
        return None
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        # First whether one is being made: it may be there a moment later, but not the other way round.
        since = hub.now() - _CREATING
        is_pending = await store.is_creating(connection, caller.team, caller.dialect, since)
        found = await store.find_counterpart(connection, caller.team, caller.dialect, external_id)
    return found or ("pending" if is_pending else None)
