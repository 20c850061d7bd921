"""How long our statements take, by the names that they have in the `.sql` files; one that takes too long is told."""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from time import perf_counter
from typing import Any, Final, Protocol

import structlog
from asyncpg import Connection, Record
from typing_extensions import override

from customerhub.store.queries import load_queries

OTHER: Final = "other"
"""The name of whatever stands in no file, such as a question whether the server lives."""
_VERBS: Final = ("begin", "commit", "rollback", "savepoint", "release")
# So long a beginning is nobody's piece that others are put together with.
_LEAST_BEGINNING: Final = 25
_PLACEHOLDER: Final = re.compile(r"\{\w+\}")
# Statements are put together in many ways; more texts than this are counted by their names alone.
_MOST_TEXTS: Final = 1000


class Running(Protocol):
    """The request that statements are made for."""

    request_id: str


RUNNING: Final[ContextVar[Running | None]] = ContextVar("running", default=None)


class Times:
    """What one statement has taken: how often it was made, for how many seconds in all, how often it was slow."""

    __slots__ = ("name", "number", "seconds", "slow")

    def __init__(self) -> None:
        self.name = ""
        self.number = 0
        self.seconds = 0.0
        self.slow = 0

    def add(self, other: "Times") -> None:
        """Both together."""
        self.number += other.number
        self.seconds += other.seconds
        self.slow += other.slow


class Statements:
    """What the statements of one process take; from `slow_ms` milliseconds on each is told in the log, 0 tells none.

    Told are the name, the time, the rows and the request: never a value, nor the text, which may be put together.
    """

    def __init__(self, slow_ms: float = 0) -> None:
        self._slow = slow_ms / 1000 or float("inf")
        self._by_text: dict[str, Times] = {}
        self._by_name: dict[str, Times] = {}

    def note(self, text: str, seconds: float, outcome: Sequence[object] | str | None) -> None:
        """One statement came to its end, with these rows or the server's word of them, or failed after that time."""
        times = self._by_text.get(text)
        if times is None:
            times = self._learn(text)
        times.number += 1
        times.seconds += seconds
        if seconds >= self._slow:
            times.slow += 1
            _tell(text, seconds, _count_rows(outcome))

    def _learn(self, text: str) -> Times:
        if len(self._by_text) >= _MOST_TEXTS:
            self._by_name, self._by_text = self.by_name(), {}
        times = self._by_text[text] = Times()
        return times

    def by_name(self) -> dict[str, Times]:
        """What was counted so far."""
        found: dict[str, Times] = {}
        for name, times in self._by_name.items():
            found.setdefault(name, Times()).add(times)
        for text, times in self._by_text.items():
            times.name = times.name or find_name(text)
            found.setdefault(times.name, Times()).add(times)
        return found


def _tell(text: str, seconds: float, rows: int | None) -> None:
    request = RUNNING.get()
    fields: dict[str, object] = {"statement": find_name(text), "ms": round(seconds * 1000, 3)}
    if rows is not None:
        fields["rows"] = rows
    if request is not None:
        fields["request_id"] = request.request_id
    structlog.get_logger().warning("slow statement", **fields)


def _count_rows(outcome: Sequence[object] | str | None) -> int | None:
    """How many rows came or were written, where that is known: the server says `INSERT 0 5`."""
    if isinstance(outcome, str):
        number = outcome.rpartition(" ")[2]
        return int(number) if number.isdecimal() else None
    return len(outcome) if outcome is not None else None


@cache
def _templates() -> Mapping[str, str]:
    """Every statement that can stand alone, or begin one, by its name; the more particular ones first."""
    found: dict[str, str] = {}
    for path in files("customerhub.store").iterdir():
        if path.name.endswith(".sql"):
            stem = path.name.removesuffix(".sql")
            found |= {f"{stem}.{name}": text for name, text in load_queries(path.name).items()}
    whole = ((name, text) for name, text in found.items() if len(_PLACEHOLDER.split(text)[0]) >= _LEAST_BEGINNING)
    return dict(sorted(whole, key=lambda one: (-len(_PLACEHOLDER.split(one[1])[0]), one[0])))


def list_names() -> tuple[str, ...]:
    """All that `find_name` can answer: `customers.read_for_write` for a statement of `customers.sql`."""
    return (*sorted(_templates()), *_VERBS, OTHER)


@cache
def _beginnings() -> Mapping[str, Sequence[tuple[str, Sequence[str]]]]:
    """Names and fixed pieces of all templates, by their first line, which few of them share."""
    found: dict[str, list[tuple[str, Sequence[str]]]] = {}
    for name, template in _templates().items():
        pieces = _PLACEHOLDER.split(template)
        found.setdefault(_first(pieces[0]), []).append((name, pieces))
    return found


def _first(text: str) -> str:
    return text[:_LEAST_BEGINNING]


def find_name(text: str) -> str:
    """The name of a statement, however it was completed."""
    for name, pieces in _beginnings().get(_first(text), ()):
        if text.startswith(pieces[0]) and _has_in_order(text, pieces):
            return name
    verb = text.split(maxsplit=1)[0].rstrip(";").lower() if text.strip() else ""
    return verb if verb in _VERBS else OTHER


def _has_in_order(text: str, pieces: Iterable[str]) -> bool:
    place = 0
    for piece in pieces:
        place = text.find(piece, place)
        if place < 0:
            return False
        place += len(piece)
    return True


class TimedConnection(Connection):
    """A connection that notes how long each statement takes, from when it is sent until its answer is read."""

    statements: Statements | None = None

    # Parameters are the driver's own, as it documents them; Any: what a column holds.
    @override
    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:
        started, status = perf_counter(), ""
        try:
            status = await super().execute(query, *args, timeout=timeout)
        finally:
            self._note(query, started, status)
        return status

    @override
    async def executemany(self, command: str, args: Iterable[Sequence[Any]], *, timeout: float | None = None) -> None:
        started = perf_counter()
        try:
            await super().executemany(command, args, timeout=timeout)
        finally:
            self._note(command, started, None)

    @override
    async def fetch(
        self, query: str, *args: Any, timeout: float | None = None, record_class: type[Record] | None = None
    ) -> list[Record]:
        started, rows = perf_counter(), None
        try:
            rows = await super().fetch(query, *args, timeout=timeout, record_class=record_class)
        finally:
            self._note(query, started, rows)
        return rows

    @override
    async def fetchrow(
        self, query: str, *args: Any, timeout: float | None = None, record_class: type[Record] | None = None
    ) -> Record | None:
        started, rows = perf_counter(), None
        try:
            row: Record | None = await super().fetchrow(  # type: ignore[no-untyped-call]  # the driver's half
                query, *args, timeout=timeout, record_class=record_class
            )
            rows = () if row is None else (row,)
        finally:
            self._note(query, started, rows)
        return row

    @override
    async def fetchval(self, query: str, *args: Any, column: int = 0, timeout: float | None = None) -> Any:
        started = perf_counter()
        try:
            return await super().fetchval(  # type: ignore[no-untyped-call]  # the driver's half
                query, *args, column=column, timeout=timeout
            )
        finally:
            self._note(query, started, None)

    def _note(self, text: str, started: float, outcome: Sequence[object] | str | None) -> None:
        if self.statements is not None:
            self.statements.note(text, perf_counter() - started, outcome)
