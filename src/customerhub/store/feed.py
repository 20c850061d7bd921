"""A team's feed: give changes their positions, and read them in that order."""

from collections.abc import Collection
from uuid import UUID

from msgspec import Struct

from customerhub.model.history import FeedEntry
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries
from customerhub.store.timeline import to_entry

QUERIES = load_queries("feed.sql")
PIECE = 1000
"""So many changes get their positions in one statement at most."""
MOST_TEAMS = 1000
"""So many teams are found at once at most."""
_HIGHEST = 2**63 - 1


async def list_waiting_teams(connection: Connection, behind: UUID) -> list[UUID]:
    """Teams that have changes without a position, in the order of their ids, behind one of them."""
    return [row[0] for row in await connection.fetch(QUERIES["list_waiting_teams"], behind, MOST_TEAMS)]


async def survey(connection: Connection) -> tuple[int, float]:
    """How many changes of all teams have no position yet, and the age of the oldest of them in seconds."""
    number, seconds = await connection.fetchrow(QUERIES["survey"])
    return number, max(seconds, 0)


async def is_waiting(connection: Connection, team: UUID, position: int = _HIGHEST) -> bool:
    """Whether changes of the team have no position yet that may get this one or one before it."""
    return bool(await connection.fetchval(QUERIES["is_waiting"], team, position))


class Turn(Struct, frozen=True):
    """Whoever has it gives the team's next positions, from `position` on; `has_sinks`: somebody is to be told."""

    position: int
    has_sinks: bool


async def claim(connection: Connection, team: UUID, *, waits: bool) -> Turn | None:
    """The team's next position, which nobody else can give until the transaction ends.

    None where somebody else is at it (with `waits` that is waited for), and where the team has no counter yet.
    """
    row = await connection.fetchrow(QUERIES["wait_to_claim" if waits else "claim"], team)
    return Turn(row[0], row[1]) if row is not None else None


async def add_counter(connection: Connection, team: UUID) -> None:
    """Make the team's counter where there is none; outside of any transaction."""
    await connection.execute(QUERIES["insert_counter"], team)


async def publish(connection: Connection, team: UUID, turn: Turn) -> int:
    """Give waiting changes the positions from this claimed one on; how many got one, a whole piece at most."""
    count = await connection.fetchval(QUERIES["publish"], team, turn.position, PIECE)
    assert isinstance(count, int)  # noqa: S101 - it is a count
    return count


async def find_next(connection: Connection, team: UUID) -> int:
    """The position that the team's next change gets."""
    return await connection.fetchval(QUERIES["find_next"], team) or 1


async def list_next(connection: Connection, teams: Collection[UUID]) -> dict[UUID, int]:
    """The same of these teams, as far as they have changes with positions."""
    return {row[0]: row[1] for row in await connection.fetch(QUERIES["list_next"], list(teams))}


async def get_page(connection: Connection, team: UUID, after: int, limit: int) -> tuple[FeedEntry, ...]:
    """At most `limit` changes after a position, in the order of their positions."""
    rows = await connection.fetch(QUERIES["page"], team, after, limit)
    return tuple(FeedEntry(row[0], to_entry(row, 1)) for row in rows)
