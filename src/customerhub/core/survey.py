"""What of a hub's database is to be watched: all teams together, as their operator sees them."""

from collections.abc import Sequence

from msgspec import Struct

from customerhub.store import feed
from customerhub.store.db import Connection
from customerhub.store.doctor import get_server
from customerhub.store.migrate import applied
from customerhub.store.sinks import Reading, survey


class Survey(Struct, frozen=True):
    """How many changes wait for a position, and the age of the oldest in seconds; sinks; what the server is."""

    waiting: int
    oldest_seconds: float
    sinks: Sequence[Reading]
    schema: int
    postgresql: str


async def take_survey(connection: Connection) -> Survey:
    """Read it all; raises asyncpg errors as they come."""
    waiting, oldest_seconds = await feed.survey(connection)
    server = await get_server(connection)
    return Survey(
        waiting, oldest_seconds, await survey(connection), await applied(connection), server.version_text.split()[0]
    )
