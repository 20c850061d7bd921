"""Quantiles told from buckets are those of a sorted list, within the error that is stated."""

from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from customerhub.core.buckets import BOUNDS, BUCKETS, WORST_ERROR, count_within, find_bucket, find_quantile

SHARES = (0.5, 0.95, 0.99)
DURATIONS = st.floats(1e-5, 100)


def count(durations: list[float]) -> list[int]:
    """How many there are in each bucket."""
    counts = [0] * BUCKETS
    for seconds in durations:
        counts[find_bucket(seconds)] += 1
    return counts


@given(st.lists(DURATIONS, min_size=1, max_size=300), st.sampled_from((*SHARES, 0.001, 1.0)))
def test_a_quantile_is_that_of_the_sorted_list(durations: list[float], share: float) -> None:
    """At the same rank, and at most five percent away."""
    rank = ceil(round(share * len(durations), 9))
    truth = sorted(durations)[rank - 1]
    assert find_quantile(count(durations), share) == pytest.approx(truth, rel=WORST_ERROR)


@given(st.lists(DURATIONS, max_size=100), st.sampled_from(BOUNDS))
def test_what_ends_at_a_bound_is_within_it(durations: list[float], bound: float) -> None:
    """The coarser buckets that Prometheus reads hold exactly what is no longer than they say."""
    assert count_within(count([*durations, bound]), bound) == sum(one <= bound for one in durations) + 1


@pytest.mark.parametrize(
    ("number", "share", "rank"), [(20, 0.95, 19), (100, 0.99, 99), (1, 0.99, 1), (2, 0.5, 1), (3, 0.5, 2)]
)
def test_the_rank_is_the_share_rounded_up(number: int, share: float, rank: int) -> None:
    """Of 20 requests the 19th is the p95, whatever binary fractions make of 0.95 * 20."""
    durations = [0.001 * 1.1**position for position in range(number)]
    assert find_quantile(count(durations), share) == pytest.approx(durations[rank - 1], rel=WORST_ERROR)


def test_beyond_its_ends_the_end_is_told() -> None:
    """A microsecond is told as ten, an hour as a hundred seconds; of nothing there is no quantile."""
    assert find_quantile(count([1e-6]), 0.5) == 1e-5
    assert find_quantile(count([3600.0]), 0.5) == 100
    assert find_quantile(count([]), 0.5) is None


def test_no_bucket_is_wider_than_a_tenth() -> None:
    """From 10 µs to 100 s, so that the middle of one is within five percent of all that is in it."""
    assert (BOUNDS[0], BOUNDS[-1], len(BOUNDS)) == (1e-5, 100, BUCKETS - 1)
    assert max((high - low) / low for low, high in pairwise(BOUNDS)) <= 0.1000001
