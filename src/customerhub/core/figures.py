"""Figures of a team that would take long to count: counted a piece at a time while somebody looks, kept with their age.

docs/decisions/0034-figures-at-a-glance.md says why.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.store import duplicates as duplicate_store
from customerhub.store import overview as store
from customerhub.store.db import Connection
from customerhub.store.overview import Figure

ACTIVITY_DAYS: Final = 30
DELIVERY_DAYS: Final = 7
# Rows that are read in a piece, and entries of an index alone; the first piece of a look at a figure is this part of
# it, and each one twice the one before. Where nothing is in memory yet it takes a hundred times as long.
_PIECE, _ENTRIES = 1_500, 4_000
_GENTLY: Final = 8
_ALL, _USUAL = "all", "normal"
# So long a look may count on, but for a piece of each figure.
_BUDGET_SECONDS: Final = 0.02
# A figure is as old as it takes a hundred times to count it, but never older than this once somebody looks.
_OLDEST_SECONDS: Final = 300
_PATIENCE: Final = 100
# A change is dated before it is committed: what is younger may still be joined by others.
_SETTLED: Final = timedelta(seconds=60)
_BEHIND_ALL: Final = (datetime.max.replace(tzinfo=UTC), UUID(int=(1 << 128) - 1))
_HIGHEST: Final = 2**63 - 1
_BEFORE_ALL: Final = UUID(int=0)
# So many of the values by which duplicates are found are looked at at once, and in all; so many groups are counted.
_KEYS, _MOST_KEYS, MOST_GROUPS = 50, 2_000, 100
# Numbers by two words: a day and a door, a day and an outcome, a status and a standing.
Table = dict[str, dict[str, int]]
Json = dict[str, Any]  # Any: JSON
Name = TypeVar("Name", str, date)


class Counted(Struct, frozen=True):
    """A figure as far as it is known: `numbers` were so at `at`, None before they were counted once.

    `is_counting`: it is being counted, and `so_far` is how many were by now.
    """

    numbers: Table
    at: datetime | None
    is_counting: bool = False
    so_far: int = 0


class Figures(Struct, frozen=True):
    """Customers by status and standing; changes by day and door, deliveries by day and outcome (days are UTC's).

    `duplicates` are groups of customers that share a value, as `groups` under `found`; under `more` is 1 where there
    may be more of them.
    """

    customers: Counted
    changes: Counted
    deliveries: Counted
    duplicates: Counted


class _Step(Struct, frozen=True):
    """Where a piece of counting has led, and whether that was the last one."""

    state: Json
    is_done: bool


_Go = Callable[["_Look", Json], Awaitable[_Step]]


class _Look(Struct):
    """Somebody looks at a team: what is kept of it, and until when there is time to count on."""

    hub: Hub
    connection: Connection
    team: UUID
    kept: Mapping[str, Figure]
    now: datetime
    deadline: float
    moved: list[Figure] = []
    part: int = _GENTLY

    def take(self, most: int) -> int:
        """How many go into the next piece, where a whole one has so many."""
        taken = max(1, most // self.part)
        self.part = max(1, self.part // 2)
        return taken

    @property
    def is_over(self) -> bool:
        """Whether no time is left: each figure gets one piece even so, or a busy one would keep the others waiting."""
        return self.hub.monotonic() > self.deadline

    def find(self, name: str) -> Figure:
        """What is kept of a figure, or nothing of it."""
        return self.kept.get(name) or Figure(name, 0, self.now, {}, None, None)


async def count_on(hub: Hub, connection: Connection, team: UUID, sinks: tuple[UUID, ...]) -> Figures:
    """The figures of a team, after counting on for some hundredths of a second where they are not done or too old."""
    kept = await store.list_figures(connection, team)
    look = _Look(hub, connection, team, kept, hub.now(), hub.monotonic() + _BUDGET_SECONDS)
    customers = await _look_at(look, "customers", {}, _count_customers)
    changes = await _look_at_changes(look)
    deliveries = await _look_at(look, "deliveries", {"sinks": [str(sink) for sink in sinks]}, _count_deliveries)
    duplicates = await _look_at(look, "duplicates", {"first": str(_BEFORE_ALL), "keys": 0}, _count_duplicates)
    await store.keep_figures(connection, team, sorted(look.moved, key=lambda one: one.name))
    return Figures(customers, changes, deliveries, duplicates)


async def _look_at(look: _Look, name: str, begin: Json, go: _Go) -> Counted:
    """A figure that is counted anew from time to time; its last state is shown meanwhile."""
    hub, figure = look.hub, look.find(name)
    state, look.part = figure.state, _GENTLY
    if state.get("is_done"):
        age = (look.now - figure.begun_at).total_seconds()
        if 0 <= age < min(_OLDEST_SECONDS, state["seconds"] * _PATIENCE):
            return _to_counted(figure)
        state = {}
    if not state:
        figure = msgspec.structs.replace(figure, begun_at=look.now)
        state = {**begin, "numbers": {}, "seconds": 0.0}
    begun, is_done = hub.monotonic(), False
    while not is_done:
        step = await go(look, state)
        state, is_done = step.state, step.is_done
        if look.is_over:
            break
    seconds = state["seconds"] + hub.monotonic() - begun
    if is_done:
        shown = {"numbers": state["numbers"]}
        figure = msgspec.structs.replace(figure, shown=shown, shown_at=figure.begun_at)
        state = {"is_done": True}
    figure = msgspec.structs.replace(figure, state={**state, "seconds": seconds})
    look.moved.append(figure)
    return _to_counted(figure)


def _to_counted(figure: Figure) -> Counted:
    shown: Table = figure.shown["numbers"] if figure.shown is not None else {}
    if figure.state.get("is_done"):
        return Counted(shown, figure.shown_at)
    return Counted(shown, figure.shown_at, is_counting=True, so_far=_to_so_far(figure))


def _to_so_far(figure: Figure) -> int:
    """How many were counted: of customers those whose status is known."""
    numbers: Table = figure.state["numbers"]
    return sum(row.get(_ALL, 0) for row in numbers.values()) if figure.name == "customers" else _sum(numbers)


def _sum(numbers: Table) -> int:
    return sum(sum(row.values()) for row in numbers.values())


def _add(numbers: Table, more: Mapping[tuple[Name, str], int]) -> Table:
    """Both together; neither is changed."""
    table = {name: dict(row) for name, row in numbers.items()}
    for (name, word), number in more.items():
        row = table.setdefault(str(name), {})
        row[word] = row.get(word, 0) + number
    return table


async def _count_customers(look: _Look, state: Json) -> _Step:
    """Those whose standing is not the usual one, then all of them by status alone: the others are the usual ones."""
    entries = look.take(_ENTRIES)
    if "at" not in state:
        behind = (state.get("standing", ""), UUID(state.get("id", str(_BEFORE_ALL))))
        piece = await store.count_standings(look.connection, look.team, behind, entries)
        state = {**state, "numbers": _add(state["numbers"], piece.numbers)}
        if piece.last is not None and sum(piece.numbers.values()) == entries:
            return _Step({**state, "standing": piece.last[0], "id": str(piece.last[1])}, is_done=False)
        return _Step({**state, "at": _BEHIND_ALL[0].isoformat(), "id": str(_BEHIND_ALL[1])}, is_done=False)
    place = (datetime.fromisoformat(state["at"]), UUID(state["id"]))
    piece = await store.count_customers(look.connection, look.team, place, _ALL, entries)
    numbers = _add(state["numbers"], piece.numbers)
    if piece.last is None or sum(piece.numbers.values()) < entries:
        return _Step({**state, "numbers": {status: _to_usual(row) for status, row in numbers.items()}}, is_done=True)
    at = piece.last[0]
    assert isinstance(at, datetime)  # noqa: S101 - they stand in the order of time
    return _Step({**state, "numbers": numbers, "at": at.isoformat(), "id": str(piece.last[1])}, is_done=False)


def _to_usual(row: dict[str, int]) -> dict[str, int]:
    """Numbers by standing, of those of all and of each but the usual one."""
    others = {standing: number for standing, number in row.items() if standing != _ALL}
    usual = max(row.get(_ALL, 0) - sum(others.values()), 0)
    return others | ({_USUAL: usual} if usual else {})


async def _count_deliveries(look: _Look, state: Json) -> _Step:
    """The deliveries of one sink after the other, from the newest back to those that are too old."""
    if not state["sinks"]:
        return _Step(state, is_done=True)
    sink, *others = state["sinks"]
    since, before = look.now - timedelta(days=DELIVERY_DAYS), state.get("before", _HIGHEST)
    told = await store.count_deliveries(look.connection, look.team, UUID(sink), before, since, look.take(_PIECE))
    state = {**state, "numbers": _add(state["numbers"], told.numbers), "before": told.position}
    if told.is_last:
        state |= {"sinks": others, "before": _HIGHEST}
    return _Step(state, not state["sinks"])


async def _count_duplicates(look: _Look, state: Json) -> _Step:
    """Groups, until there are so many that nobody wants to know the number, or enough was looked through."""
    looked = look.take(_KEYS)
    rows, end = await duplicate_store.list_groups(look.connection, look.team, UUID(state["first"]), looked)
    numbers, keys = _add(state["numbers"], {("found", "groups"): len(rows)}), state["keys"] + looked
    is_enough = numbers["found"]["groups"] >= MOST_GROUPS or keys >= _MOST_KEYS
    if end is not None and is_enough:
        numbers["found"]["more"] = 1
    return _Step({**state, "numbers": numbers, "keys": keys, "first": str(end)}, end is None or is_enough)


async def _look_at_changes(look: _Look) -> Counted:
    """Changes never become others: what was counted of a day stays, and only what came since is counted."""
    connection, team, now, figure = look.connection, look.team, look.now, look.find("changes")
    first = datetime.combine(now.date() - timedelta(days=ACTIVITY_DAYS - 1), datetime.min.time(), UTC)
    settled, look.part = now - _SETTLED, _GENTLY
    numbers: Table = figure.state.get("numbers", {})
    # Behind it is all of the first day.
    start = first - timedelta(microseconds=1)
    if "until" in figure.state:
        start = max(start, datetime.fromisoformat(figure.state["until"]))
    until = start
    while until < settled:
        piece = look.take(_PIECE)
        stop = await store.find_change(connection, team, until, piece, settled) or settled
        numbers = _add(numbers, await store.count_changes(connection, team, until, stop, 2 * _PIECE))
        until = stop
        if look.is_over:
            break
    numbers = {day: row for day, row in numbers.items() if day >= first.date().isoformat()}
    if until != start or not figure.version:
        state = {"until": until.isoformat(), "numbers": numbers}
        look.moved.append(msgspec.structs.replace(figure, begun_at=now, state=state))
    if until < settled:
        return Counted(numbers, until, is_counting=True, so_far=_sum(numbers))
    latest = await store.count_changes(connection, team, until, now + _SETTLED, _PIECE)
    return Counted(_add(numbers, latest), now)
