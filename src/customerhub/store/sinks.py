"""Read and write sinks: where a team's changes go."""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import msgspec
from asyncpg import Record
from msgspec import Struct

from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("sinks.sql")
SinkStatus = Literal["active", "paused", "disabled"]
SinkKind = Literal["webhook", "stripe", "account"]


class Sink(Struct, frozen=True):
    """Where events go.

    `dialect` is the API through which it was made; `form` is the dialect whose words it is told in (empty for Stripe).
    `events` are what it asked for in those words, `types` the hub's own for them (none: all). `fields` are JSON
    Pointers of the record: only changes at or below one of them are told (none: all). `config` is what only its kind
    knows and is no secret. `secret` and `former_secret` are encrypted; the former one goes on until `former_until`.
    `is_trusted`: the operator named its address, which may be any. `holds`: while it is paused, what happens waits for
    it. `reason` says why it is paused or disabled, where the hub did that.
    """

    team: UUID
    id: UUID
    kind: SinkKind
    dialect: str
    form: str
    name: str
    url: str
    events: tuple[str, ...]
    types: tuple[str, ...]
    fields: tuple[str, ...]
    config: dict[str, Any]  # Any: JSON
    secret: bytes | None
    former_secret: bytes | None
    former_until: datetime | None
    status: SinkStatus
    reason: str | None
    holds: bool
    is_trusted: bool
    version: int
    created_at: datetime
    updated_at: datetime


def to_new_sink(team: UUID, sink_id: UUID, kind: SinkKind, dialect: str, form: str, at: datetime) -> Sink:
    """A sink as it is before anything is wished of it: active, told of everything, nowhere yet."""
    return Sink(
        team=team,
        id=sink_id,
        kind=kind,
        dialect=dialect,
        form=form,
        name="",
        url="",
        events=(),
        types=(),
        fields=(),
        config={},
        secret=None,
        former_secret=None,
        former_until=None,
        status="active",
        reason=None,
        holds=True,
        is_trusted=False,
        version=1,
        created_at=at,
        updated_at=at,
    )


class SinkState(Struct, frozen=True):
    """How a sink fares: up to which position of the feed it has its deliveries, failures in a row and since when, until
    when it rests, and what became of deliveries so far.
    """

    sink: UUID
    taken: int = 0
    resume_at: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    succeeded_at: datetime | None = None
    delivered: int = 0
    superseded: int = 0
    skipped: int = 0
    retried: int = 0
    dead: int = 0


class Reading(Struct, frozen=True):
    """A sink of any team and how it fares: deliveries that wait, changes that it has not taken yet, for how many
    seconds the oldest of them all, failures in a row, and what became of deliveries so far.
    """

    team: UUID
    sink: UUID
    kind: SinkKind
    name: str
    status: SinkStatus
    is_resting: bool
    waiting: int
    behind: int
    oldest_seconds: float
    failures: int
    delivered: int
    superseded: int
    skipped: int
    retried: int
    dead: int


SINK_COLUMNS = ", ".join(f"s.{field}" for field in Sink.__struct_fields__)
_STATE = ", ".join(f"h.{field}" for field in SinkState.__struct_fields__)
_LISTS = tuple(Sink.__struct_fields__.index(field) for field in ("events", "types", "fields"))
_CONFIG = Sink.__struct_fields__.index("config")


def to_sink(row: Record, first: int = 0) -> Sink:
    """The sink of a row whose columns stand in the order of its members, from position `first` on."""
    values = list(row)[first : first + len(Sink.__struct_fields__)]
    for position in _LISTS:
        values[position] = tuple(values[position])
    values[_CONFIG] = msgspec.json.decode(values[_CONFIG])
    return Sink(*values)


async def list_sinks(connection: Connection, team: UUID, dialect: str | None = None) -> tuple[Sink, ...]:
    """A team's sinks, those made through one dialect where one is named, the oldest first."""
    query = QUERIES["list"].format(columns=SINK_COLUMNS)
    return tuple(map(to_sink, await connection.fetch(query, team, dialect)))


async def find_sink(connection: Connection, team: UUID, sink_id: UUID) -> Sink | None:
    """A sink that has not ended."""
    row = await connection.fetchrow(QUERIES["find"].format(columns=SINK_COLUMNS), team, sink_id)
    return to_sink(row) if row is not None else None


async def hold_sink(connection: Connection, team: UUID, sink_id: UUID) -> Sink | None:
    """The same, held until the transaction ends."""
    row = await connection.fetchrow(QUERIES["hold"].format(columns=SINK_COLUMNS), team, sink_id)
    return to_sink(row) if row is not None else None


async def find_sink_anywhere(connection: Connection, sink_id: UUID) -> Sink | None:
    """A sink of any team by its id alone."""
    row = await connection.fetchrow(QUERIES["find_anywhere"].format(columns=SINK_COLUMNS), sink_id)
    return to_sink(row) if row is not None else None


async def insert_sink(connection: Connection, new: Sink, actor: UUID) -> None:
    """Store a new sink, which hears of what comes from now on."""
    await connection.execute(
        QUERIES["insert"],
        new.team,
        new.id,
        new.kind,
        new.dialect,
        new.form,
        new.name,
        new.url,
        list(new.events),
        list(new.types),
        list(new.fields),
        msgspec.json.encode(new.config),
        new.secret,
        new.status,
        new.holds,
        new.is_trusted,
        new.created_at,
        actor,
    )
    await connection.execute(QUERIES["insert_state"], new.team, new.id)


async def skip(connection: Connection, team: UUID, sink: UUID) -> None:
    """Let a sink hear nothing of what has happened up to now, but for what is on its way already."""
    await connection.execute(QUERIES["skip"], team, sink)


async def update_sink(connection: Connection, after: Sink, actor: UUID) -> None:
    """Store the next version of one that is held."""
    await connection.execute(
        QUERIES["update"],
        after.team,
        after.id,
        after.name,
        after.url,
        list(after.events),
        list(after.types),
        list(after.fields),
        msgspec.json.encode(after.config),
        after.secret,
        after.former_secret,
        after.former_until,
        after.status,
        after.reason,
        after.version,
        after.updated_at,
        actor,
    )


async def set_secret(connection: Connection, sink: Sink, secret: bytes) -> bool:
    """Replace the encrypted secret of one whose credential renews itself; False where somebody was faster."""
    done = await connection.execute(QUERIES["set_secret"], sink.team, sink.id, secret, sink.secret)
    return str(done).endswith(" 1")


async def delete_sink(connection: Connection, sink: Sink, at: datetime, actor: UUID) -> None:
    """End one that is held; its secrets are gone with it, and nobody gives it anything more."""
    await connection.execute(QUERIES["delete_state"], sink.team, sink.id)
    await connection.execute(QUERIES["delete"], sink.team, sink.id, sink.version + 1, at, actor)


async def lock_sinks(connection: Connection, team: UUID) -> None:
    """Hold the team's mark, before any of its sinks is held or written."""
    await connection.execute(QUERIES["lock_sinks"], team)


async def settle_sinks(connection: Connection, team: UUID) -> None:
    """Mark whether anybody is to be told of the team's changes."""
    await connection.execute(QUERIES["settle_sinks"], team)


async def list_states(connection: Connection, team: UUID) -> dict[UUID, SinkState]:
    """How the team's sinks fare, by their ids."""
    rows = await connection.fetch(QUERIES["list_states"].format(state=_STATE), team)
    return {row[0]: SinkState(*row) for row in rows}


async def survey(connection: Connection) -> list[Reading]:
    """Every sink of every team, in the order of their ids."""
    return [Reading(*row) for row in await connection.fetch(QUERIES["survey"])]


async def revive(connection: Connection, team: UUID, sink: UUID) -> None:
    """Let a sink be tried at once."""
    await connection.execute(QUERIES["revive"], team, sink)


async def note_failure(connection: Connection, team: UUID, sink: UUID) -> tuple[int, datetime, timedelta] | None:
    """Count one more failure in a row; how many, since when, for how long by now. None of a sink that has ended."""
    row = await connection.fetchrow(QUERIES["note_failure"], team, sink)
    return (row[0], row[1], row[2]) if row is not None else None


async def rest(connection: Connection, team: UUID, sink: UUID, seconds: float) -> None:
    """Leave a sink alone for so long."""
    await connection.execute(QUERIES["rest"], team, sink, seconds)


async def note_success(connection: Connection, team: UUID, sink: UUID) -> None:
    """Note that a sink answers again."""
    await connection.execute(QUERIES["note_success"], team, sink)


async def count_outcomes(connection: Connection, team: UUID, state: SinkState) -> None:
    """Add to the counts of a sink."""
    counts = (state.delivered, state.superseded, state.skipped, state.retried, state.dead)
    await connection.execute(QUERIES["count"], team, state.sink, *counts, state.succeeded_at)
