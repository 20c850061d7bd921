"""Read which customer of ours a record of another system's is the copy of."""

from datetime import datetime
from uuid import UUID

from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("counterparts.sql")


async def find_counterpart(connection: Connection, team: UUID, form: str, external_id: str) -> UUID | None:
    """The customer whose record in an account kept in the words of the dialect `form` has this id."""
    found: UUID | None = await connection.fetchval(QUERIES["find"], team, form, external_id)
    return found


async def is_creating(connection: Connection, team: UUID, form: str, since: datetime) -> bool:
    """Whether a record is just being made in such an account, and its id is not known yet."""
    return bool(await connection.fetchval(QUERIES["is_creating"], team, form, since))
