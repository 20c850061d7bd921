"""A clock and ids that follow from a seed: the same requests in the same order get the same times and the same ids."""

from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final
from uuid import UUID

FIRST: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""When the clock of an empty sandbox starts."""

_STEP: Final = timedelta(seconds=1)
_READ: Final = timedelta(milliseconds=1)


class _Draw:
    """One request's share: it stands at one time, and its ids depend on nobody else's."""

    def __init__(self, owner: "Seed", at: datetime, chance: Random) -> None:
        self.owner = owner
        self.at = at
        self.chance = chance


_draw: ContextVar[_Draw | None] = ContextVar("draw", default=None)


class Seed:
    """Each request is a second later than the one before, and has ids of its own, however many run at once.

    What happens between requests reads the clock and draws ids beside them, so that it moves neither.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.restart(None)

    def restart(self, latest: datetime | None) -> None:
        """Begin behind `latest`, the newest time that is stored: what was drawn until then never comes again."""
        self._start = FIRST if latest is None else latest.replace(microsecond=0) + _STEP
        self._requests = self._reads = 0
        self._outside = self._to_chance(0)

    def step(self) -> None:
        """A request begins in this task."""
        self._requests += 1
        self._reads = 0
        _draw.set(_Draw(self, self._start + self._requests * _STEP, self._to_chance(self._requests)))

    def now(self) -> datetime:
        """The request's time; outside of requests a little later each time."""
        draw = self._find_draw()
        if draw is not None:
            return draw.at
        self._reads += 1
        return self._start + self._requests * _STEP + self._reads * _READ

    def new_id(self) -> UUID:
        """The next id of this request."""
        draw = self._find_draw()
        chance = self._outside if draw is None else draw.chance
        return UUID(int=chance.getrandbits(128), version=4)

    def monotonic(self) -> float:
        """The same clock in seconds."""
        return (self.now() - FIRST).total_seconds()

    def _find_draw(self) -> _Draw | None:
        draw = _draw.get()
        return draw if draw is not None and draw.owner is self else None

    def _to_chance(self, request: int) -> Random:
        return Random(f"{self._seed} {self._start.isoformat()} {request}")  # noqa: S311 - the point is to know them
