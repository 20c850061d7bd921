"""Read and write deliveries: events on their way to sinks, lane by lane."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.model.change import FieldChange
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries
from customerhub.store.sinks import SINK_COLUMNS, Sink, to_sink

QUERIES = load_queries("deliveries.sql")
PIECE = 1000
"""So many deliveries are replayed, or tidied up, in one statement at most."""
WINDOW = 200
"""A sink of which something is due for so many customers gets no more until some have gone; and so many at once."""
_PATIENCE = "200ms"
MOST_SINKS = 1000
"""So many sinks with something due are found at once at most."""
CHANNEL = "customerhub_deliveries"
"""Where processes tell each other that something is due."""
DeliveryStatus = Literal["waiting", "delivered", "superseded", "skipped", "dead"]
_DELIVERY = (
    "id",
    "type",
    "version",
    "position",
    "at",
    "status",
    "attempts",
    "tries",
    "rounds",
    "parts",
    "reason",
    "settled_at",
    "customer",
)
_COLUMNS = ", ".join(f"d.{field}" for field in _DELIVERY)
_read_changes = msgspec.json.Decoder(tuple[FieldChange, ...]).decode


class Delivery(Struct, frozen=True):
    """One event on its way to one sink; `id` and what it is about never change.

    `attempts` are all that were made, `tries` those since it was last asked for once more, of which there
    were `rounds`. `reason` says why it waits, was skipped or died.
    """

    id: UUID
    type: str
    version: int
    position: int
    at: datetime
    status: DeliveryStatus
    attempts: int
    tries: int
    rounds: int
    parts: int
    reason: str | None
    settled_at: datetime | None
    customer: UUID


class Due(Struct, frozen=True):
    """A sink that has something due, or is behind the feed, and how often in a row telling it has failed."""

    sink: Sink
    failures: int
    is_behind: bool


class Lane(Struct, frozen=True):
    """A customer's deliveries to one sink, and by whom they are claimed."""

    team: UUID
    sink: UUID
    customer: UUID
    claim: UUID


class Source(Struct, frozen=True):
    """What the history says of the version that a delivery is about."""

    actor: UUID
    actor_name: str
    dialect: str
    request_id: str
    changes: tuple[FieldChange, ...]


class Trouble(Struct, frozen=True):
    """How many dead letters a sink has, up to so many as are counted, and of what failed the newest, None for nothing.

    `since` is when that was given up, None where it is tried again.
    """

    dead: int = 0
    delivery: UUID | None = None
    status: DeliveryStatus | None = None
    reason: str | None = None
    since: datetime | None = None


class Attempt(Struct, frozen=True):
    """One try to tell a sink; `exchanges` is JSON, None where it was erased."""

    number: int
    at: datetime
    seconds: float
    outcome: str
    reason: str | None
    exchanges: bytes | None


async def announce(connection: Connection) -> None:
    """Let everybody who sends know that something is due; outside any transaction."""
    await connection.execute(QUERIES["announce"], CHANNEL)


async def list_due(connection: Connection) -> list[Due]:
    """Sinks of any teams that have something due or are behind the feed, at most 1,000, in no order."""
    rows = await connection.fetch(QUERIES["list_due"].format(columns=SINK_COLUMNS), MOST_SINKS)
    return [Due(to_sink(row, 2), row[0], row[1]) for row in rows]


async def take(connection: Connection, due: Due) -> int:
    """Make deliveries of the next changes in the feed, as far as the sink has room; how many changes there were.

    Inside a transaction. A sink that has enough to do, or fails and has anything to be tried with, gets no more: what
    it is behind costs nobody anything. Raises LockNotAvailableError soon where somebody holds one of its lanes.
    """
    place = (due.sink.team, due.sink.id)
    room = WINDOW if not due.failures else 1
    taken = await connection.fetchval(QUERIES["hold_state"], *place, _PATIENCE)
    if taken is None or await connection.fetchval(QUERIES["count_due"], *place, room) >= room:
        return 0
    return int(
        await connection.fetchval(QUERIES["take"].format(id=QUERIES["id"]), *place, taken, WINDOW, due.sink.types)
    )


async def claim(
    connection: Connection, team: UUID, sink: UUID, claim_id: UUID, limit: int, seconds: float
) -> list[Lane]:
    """At most `limit` lanes of a sink that are due, for so many seconds."""
    rows = await connection.fetch(QUERIES["claim"], team, sink, claim_id, limit, seconds)
    return [Lane(team, sink, row[0], claim_id) for row in rows]


async def renew(connection: Connection, lanes: Collection[Lane], seconds: float) -> set[Lane]:
    """Keep claims for so many seconds more; which ones, without those that are gone or whose lanes others hold now."""
    columns = ([getattr(lane, field) for lane in lanes] for field in Lane.__struct_fields__)
    return {Lane(*row) for row in await connection.fetch(QUERIES["renew"], *columns, seconds)}


async def find_next(connection: Connection, lane: Lane, version: int, *, newest: bool) -> Delivery | None:
    """The delivery that comes next in a lane: the oldest, or for a mirror the newest, that waits.

    None too where the sink is not active, or has another version than this one by now.
    """
    query = QUERIES["find_newest" if newest else "find_oldest"].format(delivery=_COLUMNS)
    row = await connection.fetchrow(query, lane.team, lane.sink, lane.customer, version)
    return Delivery(*row) if row is not None else None


async def find_source(connection: Connection, team: UUID, customer: UUID, version: int) -> Source | None:
    """What the history says of a version; None where it is not kept any more."""
    row = await connection.fetchrow(QUERIES["find_told"], team, customer, version)
    return Source(row[0], row[1], row[2], row[3], _read_changes(row[4])) if row is not None else None


async def hold_lane(connection: Connection, lane: Lane) -> bool:
    """Whether the lane still is the claimer's, which it then is until the transaction ends."""
    return bool(await connection.fetchval(QUERIES["hold_lane"], lane.team, lane.sink, lane.customer, lane.claim))


async def settle(
    connection: Connection,
    lane: Lane,
    delivery: Delivery,
    status: DeliveryStatus,
    tries: int,
    parts: int,
    reason: str | None,
) -> None:
    """Note what one more attempt at a delivery came to."""
    place = (lane.team, lane.sink, lane.customer, delivery.version)
    await connection.execute(QUERIES["settle"], *place, status, tries, parts, reason, delivery.rounds)


async def supersede(connection: Connection, lane: Lane, version: int, reason: str) -> int:
    """Settle what waits before a version that stands for it; how many."""
    done = await connection.execute(QUERIES["supersede"], lane.team, lane.sink, lane.customer, version, reason)
    return int(str(done).rsplit(" ", 1)[-1])


async def insert_attempt(connection: Connection, lane: Lane, version: int, attempt: Attempt) -> None:
    """Log an attempt; without what was said where the customer was erased meanwhile."""
    values = (getattr(attempt, field) for field in Attempt.__struct_fields__)
    await connection.execute(QUERIES["insert_attempt"], lane.team, lane.sink, lane.customer, version, *values)


async def release(connection: Connection, lane: Lane, seconds: float | None) -> None:
    """Let go of a lane; what waits in it is due after so many seconds, or at once."""
    await connection.execute(QUERIES["release"], lane.team, lane.sink, lane.customer, seconds)


async def list_deliveries(
    connection: Connection,
    team: UUID,
    sink: UUID,
    before: int,
    limit: int,
    *,
    status: DeliveryStatus | None = None,
    customer: UUID | None = None,
) -> list[Delivery]:
    """At most `limit` deliveries to a sink before a position of the feed, the newest first."""
    filters, parameters = "", list[Any]()
    if status is not None:
        filters += "\n    " + QUERIES["filter_status"].format(status)
    if customer is not None:
        parameters.append(customer)
        filters += "\n    " + QUERIES["filter_customer"].format(f"${len(parameters) + 4}")
    query = QUERIES["list"].format(delivery=_COLUMNS, filters=filters)
    return [Delivery(*row) for row in await connection.fetch(query, team, sink, before, limit, *parameters)]


async def look_through(
    connection: Connection, team: UUID, sink: UUID, before: int, limit: int, status: DeliveryStatus, reach: int
) -> tuple[list[Delivery], int | None]:
    """Of the newest `reach` deliveries before a position those of a status, `limit` at most, and where to look on.

    None: nowhere. It looks on behind what was found, or behind all that was looked at where that holds no more.
    """
    filters = "\n    " + QUERIES["filter_status"].format(status)
    query = QUERIES["look"].format(delivery=_COLUMNS, filters=filters)
    found = [Delivery(*row) for row in await connection.fetch(query, team, sink, before, limit + 1, reach)]
    if len(found) > limit:
        return found[:limit], found[limit - 1].position
    return found, await connection.fetchval(QUERIES["reach"], team, sink, before, reach - 1)


async def find_latest(connection: Connection, team: UUID, sink: UUID, customer: UUID) -> Delivery | None:
    """The delivery to a sink about a customer's newest version that it was to be told of."""
    row = await connection.fetchrow(QUERIES["find_latest"].format(delivery=_COLUMNS), team, sink, customer)
    return Delivery(*row) if row is not None else None


async def find_delivery(connection: Connection, team: UUID, sink: UUID, delivery_id: UUID) -> Delivery | None:
    """A delivery to a sink by its id."""
    row = await connection.fetchrow(QUERIES["find_by_id"].format(delivery=_COLUMNS), team, sink, delivery_id)
    return Delivery(*row) if row is not None else None


async def list_attempts(connection: Connection, team: UUID, sink: UUID, delivery: Delivery) -> list[Attempt]:
    """The attempts at a delivery that are kept, in order."""
    place = (team, sink, delivery.customer, delivery.version)
    return [Attempt(*row) for row in await connection.fetch(QUERIES["list_attempts"], *place)]


async def _take_turns(connection: Connection, team: UUID, sink: UUID) -> None:
    """Whoever takes from the feed writes deliveries and then lanes; those who do it the other way round come after."""
    await connection.execute(QUERIES["wait_for_state"], team, sink)


async def replay(
    connection: Connection, sink: Sink, after: int, until: int, types: Sequence[str], limit: int = PIECE
) -> tuple[int, int | None]:
    """Send a piece of the feed, `limit` changes, behind a position once more: how many events, and where it ends.

    None where nothing of it is left. Inside a transaction.
    """
    await _take_turns(connection, sink.team, sink.id)
    query = QUERIES["replay"].format(id=QUERIES["id"])
    row = await connection.fetchrow(query, sink.team, sink.id, after, until, limit, list(types))
    assert row is not None  # noqa: S101 - it counts
    return row[0], row[1]


async def replay_some(
    connection: Connection, team: UUID, sink: UUID, ids: Collection[UUID] | None, limit: int = PIECE
) -> int:
    """Send single deliveries once more, or dead ones, `limit` at most; how many."""
    chosen = list(ids) if ids is not None else None
    return int(await connection.fetchval(QUERIES["replay_some"], team, sink, chosen, limit))


async def list_known(connection: Connection, team: UUID, sink: UUID, ids: Collection[UUID]) -> set[UUID]:
    """Which of these are deliveries to the sink."""
    return {row[0] for row in await connection.fetch(QUERIES["list_known"], team, sink, list(ids))}


async def hurry(connection: Connection, team: UUID, sink: UUID) -> None:
    """Let whatever waits for a later attempt be tried now."""
    await connection.execute(QUERIES["hurry"], team, sink)


async def enqueue(connection: Connection, team: UUID, sink: UUID, customers: Collection[UUID], at: datetime) -> int:
    """Send customers to a mirror as they stand, though nothing changed; how many. Inside a transaction."""
    await _take_turns(connection, team, sink)
    query = QUERIES["enqueue"].format(id=QUERIES["id"])
    return int(await connection.fetchval(query, team, sink, list(customers), at))


async def end(connection: Connection, team: UUID, sink: UUID, reason: str) -> None:
    """Settle whatever is on its way to a sink that ends."""
    await connection.execute(QUERIES["delete_lanes"], team, sink)
    await connection.execute(QUERIES["end"], team, sink, reason)


async def get_depths(connection: Connection, team: UUID) -> dict[UUID, tuple[int, int, datetime | None]]:
    """How many deliveries wait, how many changes are not taken yet, and the time of the oldest of them all, by sink."""
    return {row[0]: (row[1], row[2] or 0, row[3]) for row in await connection.fetch(QUERIES["depth"], team)}


async def list_troubles(connection: Connection, team: UUID, most: int) -> dict[UUID, Trouble]:
    """What has failed, by sink; at most so many dead letters of each are counted."""
    return {row[0]: Trouble(*list(row)[1:]) for row in await connection.fetch(QUERIES["list_troubles"], team, most)}


async def count_dead(connection: Connection, team: UUID) -> dict[UUID, int]:
    """How many dead letters there are, by sink; a sink without one is not in it."""
    return {row[0]: row[1] for row in await connection.fetch(QUERIES["count_dead"], team)}


async def delete_old_deliveries(connection: Connection, team: UUID, before: datetime) -> int:
    """Forget a piece of what was settled before a time; how many."""
    return _count(await connection.execute(QUERIES["delete_old"], team, before, PIECE))


async def delete_old_attempts(connection: Connection, team: UUID, before: datetime) -> int:
    """Forget a piece of what was tried before a time; how many."""
    return _count(await connection.execute(QUERIES["delete_old_attempts"], team, before, PIECE))


async def list_ended(connection: Connection) -> list[tuple[UUID, UUID]]:
    """Sinks of any teams that have ended and left lanes behind, by team and id."""
    return [(row[0], row[1]) for row in await connection.fetch(QUERIES["list_ended"])]


async def delete_ended_lanes(connection: Connection, team: UUID, sink: UUID) -> int:
    """Forget a piece of the lanes of a sink that has ended; how many."""
    return _count(await connection.execute(QUERIES["delete_ended_lanes"], team, sink, PIECE))


async def list_teams_with_old(connection: Connection, before: datetime) -> list[UUID]:
    """Teams that have something of before a time to forget."""
    return [row[0] for row in await connection.fetch(QUERIES["list_teams_with_old"], before)]


async def erase(connection: Connection, team: UUID, customers: Collection[UUID], others: Collection[UUID]) -> None:
    """Take what was said of customers out of the log, once nobody is at it, and what mirrors wrote of them.

    Of the `others`, who had their values for a while, only what was said. Their lanes are held until the transaction
    ends: whoever tells of them at this moment logs it afterwards, and then without values.
    """
    chosen = list({*customers, *others})
    for query in ("hold_lanes", "erase", "erase_attempts"):
        await connection.execute(QUERIES[query], team, chosen)
    await connection.execute(QUERIES["erase_syncs"], team, list(customers))


def _count(done: str) -> int:
    return int(str(done).rsplit(" ", 1)[-1])
