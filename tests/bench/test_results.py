"""What rounds come down to."""

import pytest

from bench.measure import Sample
from bench.results import Ratio, quantile, to_cpu_ratio, to_line, to_noise


def sample(server: float, database: float, latencies: tuple[float, ...] = (0.001, 0.002, 0.003, 0.01)) -> Sample:
    """A round of half a second."""
    return Sample(latencies, 0.5, server, database, errors=1, memory=50_000_000)


def test_quantiles_are_values_that_were_seen() -> None:
    """No value is made up between two answers."""
    values = [0.4, 0.1, 0.3, 0.2]
    assert [quantile(values, part) for part in (0.5, 0.95, 0.99)] == [0.3, 0.4, 0.4]
    assert quantile([], 0.5) == 0


def test_a_ratio_is_the_median_of_neighbouring_rounds() -> None:
    """A machine that slows down in the middle slows both: each round is compared with its neighbour alone."""
    hub = [sample(2, 2), sample(40, 40), sample(3, 2)]
    floor = [sample(0, 2), sample(0, 40), sample(0, 1)]
    assert to_cpu_ratio(hub, floor) == Ratio(2.0, 2.0, 5.0)


def test_rounds_without_a_neighbour_make_no_ratio() -> None:
    """Half a pair says nothing."""
    with pytest.raises(ValueError, match="shorter"):
        to_cpu_ratio([sample(1, 1)], [])


def test_a_line_has_the_medians_of_its_rounds() -> None:
    """Times in ms, CPU in µs of each of four requests; errors are added up."""
    line = to_line("hub", "get", [sample(0.004, 0.002), sample(0.008, 0.004), sample(0.4, 0.4)])
    assert (line.server, line.database, line.cpu) == (2000, 1000, 3000)
    assert (line.rate, line.p50, line.p99, line.memory) == (8, 3, 10, 50)
    assert (line.rounds, line.requests, line.errors) == (3, 12, 3)


def test_noise_is_half_of_the_middle_half() -> None:
    """Neither the best nor the worst round makes it."""
    assert to_noise([100, 90, 110, 500]) == pytest.approx((500 - 100) / 2 / 105)
    assert to_noise([100, 100, 100, 100, 5]) == 0
