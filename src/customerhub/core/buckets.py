"""How long things took, counted in buckets: fine enough to tell any quantile within five percent."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import accumulate
from math import ceil
from typing import Final

WORST_ERROR: Final = 0.05
"""How far a quantile told from the buckets may be from the true one, as a share of it, from 10 µs to 100 s."""

# Of each power of ten: round numbers, so that whoever wants coarser buckets (0.5 ms, 1 ms, 2 ms …) adds fine ones up,
# and never wider than a tenth of where they begin.
_STEPS: Final = (*range(10, 20), *range(20, 50, 2), *range(50, 100, 5))
_POWERS: Final = range(-6, 1)


def _to_bounds() -> Iterator[float]:
    for power in _POWERS:
        for step in _STEPS:
            yield float(f"{step}e{power}")
    yield 10.0 * 10**_POWERS.stop


BOUNDS: Final[tuple[float, ...]] = tuple(_to_bounds())
"""Where each bucket ends, in seconds and inclusive, from 10 µs to 100 s; one more bucket holds what took longer."""
BUCKETS: Final = len(BOUNDS) + 1


def find_bucket(seconds: float) -> int:
    """The bucket of a duration."""
    return bisect_left(BOUNDS, seconds)


def find_quantile(counts: Sequence[int], share: float) -> float | None:
    """The duration, in seconds, that this share of all that was counted did not exceed; None where nothing was.

    It is at most `WORST_ERROR` of itself from the one that a sorted list has at `ceil(share * n)`, counted from one.
    What took less than 10 µs is told as that, what took longer than 100 s as that.
    """
    number = sum(counts)
    if not number:
        return None
    # Not share * number rounded up: 0.95 * 20 is a little more than 19.
    rank = max(1, ceil(round(share * number, 9)))
    bucket = bisect_left(list(accumulate(counts)), rank)
    if bucket == 0:
        return BOUNDS[0]
    if bucket == len(BOUNDS):
        return BOUNDS[-1]
    low, high = BOUNDS[bucket - 1], BOUNDS[bucket]
    # As far from both ends, as a share of them.
    return 2 * low * high / (low + high)


def count_within(counts: Sequence[int], bound: float) -> int:
    """How many took no longer than `bound` seconds, which is one of `BOUNDS`."""
    return sum(counts[: BOUNDS.index(bound) + 1])
