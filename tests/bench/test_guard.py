"""What the guard says of a ratio, and when it fails."""

import pytest

from bench import guard
from bench.guard import Found, to_text
from bench.results import Ratio


@pytest.mark.parametrize(
    ("ratio", "taken", "status"),
    [(3.5, 0.0, 0), (3.51, 0.15, 1), (3.51, 0.16, 0), (2.0, 0.9, 0)],
)
def test_only_a_ratio_past_the_limit_on_a_quiet_machine_fails(
    monkeypatch: pytest.MonkeyPatch, ratio: float, taken: float, status: int
) -> None:
    """What others took of the machine would be told of as a fault of ours."""

    async def find() -> Found:
        return Found(Ratio(ratio, ratio, ratio), taken)

    monkeypatch.setattr(guard, "find", find)
    with pytest.raises(SystemExit) as ended:
        guard.main()
    assert int(ended.value.code or 0) == status


def test_what_is_not_judged_is_said() -> None:
    """Nobody takes a busy machine for a good result."""
    assert to_text(Found(Ratio(4, 3, 5), 0.5)) == (
        "An update costs 4.00 times the CPU of its statements alone (3.00 to 5.00; 3.5 is the most); others took 50% "
        "of the machine.\nThat is not judged where others take more than 15%: run it again on a quiet machine.\n"
    )
