"""When to try again: after a failed attempt, and with a sink that fails at everything."""

import random
from collections.abc import Sequence
from typing import Final

STANDARD_FIRST: Final = 5.0
"""Seconds before the first retry that schedules are written for; the setting `retry_seconds` stretches them."""
MANY_FAILURES: Final = 10
"""So many in a row say that it is the sink: it rests, and then one delivery at a time tries it."""
_FIRST_REST: Final = 5.0
_LONGEST_REST: Final = 300.0
_LONGEST_ASKED: Final = 3600.0


def find_pause(schedule: Sequence[float], tries: int, pace: float) -> float | None:
    """Seconds until the next try after `tries` failed ones (1 or more), up to a fifth longer or shorter by chance.

    None where that was the last one. `pace` stretches the schedule.
    """
    if tries > len(schedule):
        return None
    return schedule[tries - 1] * pace * _by_chance()


def find_rest(failures: int, pace: float) -> float:
    """Seconds for which a sink with so many failures in a row is left alone; 0 while there are few."""
    if failures < MANY_FAILURES:
        return 0
    return float(min(_FIRST_REST * 2 ** min(failures - MANY_FAILURES, 16), _LONGEST_REST) * pace * _by_chance())


def bound_asked(seconds: float) -> float:
    """What the other side asked for, as far as it is believed: an hour at most."""
    return min(max(seconds, 0), _LONGEST_ASKED)


def _by_chance() -> float:
    # Many that failed together must not come back together.
    return random.uniform(0.8, 1.2)  # noqa: S311 - chance is no secret here
