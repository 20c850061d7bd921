"""What is known of one customer over there, stored at every step that a crash must not undo."""

from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Sink
from customerhub.store.syncs import Sync, find_sync, find_sync_by_external_id, put_sync


@dataclass
class Known:
    """What is known of a customer of one account, `now` as it is stored."""

    hub: Hub
    sink: Sink
    customer: UUID
    now: Sync = field(init=False)

    async def load(self) -> None:
        """Read it; nothing is known of a customer that was never told of."""
        async with self.hub.database.lease() as connection:
            found = await find_sync(connection, self.sink.team, self.sink.id, self.customer)
        self.now = found or Sync(self.customer)

    async def set(self, **fields: object) -> None:
        """Know something else."""
        await self.put(msgspec.structs.replace(self.now, **fields))

    async def put(self, sync: Sync) -> None:
        """Know all this. Raises asyncpg.UniqueViolationError where another customer has the record."""
        async with self.hub.database.lease() as connection:
            await put_sync(connection, self.sink.team, self.sink.id, sync, self.hub.now())
        self.now = sync

    async def is_linked(self, external_id: str) -> bool:
        """Whether another customer has this record."""
        async with self.hub.database.lease() as connection:
            found = await find_sync_by_external_id(connection, self.sink.team, self.sink.id, external_id)
        return found is not None and found.customer != self.customer
