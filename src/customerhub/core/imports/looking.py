"""Use case of people who look at what was refused: the rows themselves, beside the reasons."""

from uuid import UUID

from customerhub.core.hub import Hub
from customerhub.core.imports.orders import get_import
from customerhub.model.answer import Caller
from customerhub.store import imports as store
from customerhub.store.imports import RefusedRow


async def list_refused(
    hub: Hub, caller: Caller, import_id: UUID | None, *, is_trial: bool, behind: int, limit: int
) -> list[RefusedRow]:
    """At most `limit` rows behind a line that the last trial, or the run, refused. Raises Unauthenticated, NotFound."""
    one = await get_import(hub, caller, import_id)
    async with hub.database.lease() as connection:
        return await store.list_refused(connection, one, behind, limit, is_trial=is_trial)
