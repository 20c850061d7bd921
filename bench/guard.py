"""`python -m bench.guard`: fails where an update costs too many times what PostgreSQL alone takes for it.

A ratio of neighbouring rounds of one run, so that a slow machine does not fail it. A busy one makes it worse: what the
hub does once in a while, however little there is to do, is spread over fewer requests. So it is measured a second time
before it fails, and is not judged where others took the machine meanwhile.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.machine import cpu_seconds, machine_seconds
from bench.measure import Line, take_turns
from bench.options import MAIN, Options
from bench.results import Ratio, to_cpu_ratio
from bench.run import check_floor
from bench.served import heed_ending
from bench.stage import FIRST, opened_stage

MOST: Final = 3.5
# Of the machine's time, what others may take of it in a measurement that can fail.
MOST_TAKEN: Final = 0.15
_OPTIONS: Final = Options(
    customers=2_000,
    connections=16,
    workloads=(MAIN,),
    dialects=(FIRST,),
    has_others=False,
    has_peer=False,
    has_curve=False,
)
_ROUNDS: Final = 5
# Together with pgbench's lead and tail a second, which is the least that it runs for.
_SECONDS: Final = 0.4
_LEAD_SECONDS: Final = 0.3


@dataclass(frozen=True)
class Found:
    """CPU of an update with a nested address to the floor's, and the part of the machine that others took meanwhile."""

    ratio: Ratio
    taken: float

    @property
    def is_good(self) -> bool:
        """Whether the median keeps to the limit."""
        return self.ratio.value <= MOST

    @property
    def is_judged(self) -> bool:
        """Whether the machine was quiet enough to say that it does not."""
        return self.taken <= MOST_TAKEN


async def find() -> Found:
    """The first of two measurements that is good, or the second. Raises RuntimeError where answers were wrong."""
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        async with opened_stage(_OPTIONS, Path(directory)) as stage:
            lines = replace(stage.floor(), lead=_LEAD_SECONDS), stage.dialect(FIRST, MAIN)
            # Also what warms the floor up.
            await check_floor(stage)
            await lines[1].run(_SECONDS)
            found = await _measure(lines, stage.place.server)
            return found if found.is_good else await _measure(lines, stage.place.server)


async def _measure(lines: Sequence[Line], database: int) -> Found:
    ours = os.getpid(), database
    begun, all_before, own_before = time.monotonic(), machine_seconds(), cpu_seconds(*ours)
    floor, update = await take_turns(lines, _ROUNDS, _SECONDS)
    others = machine_seconds() - all_before - (cpu_seconds(*ours) - own_before)
    if errors := sum(sample.errors for sample in (*floor, *update)):
        raise RuntimeError(f"{errors} requests were answered wrongly")
    seconds = (time.monotonic() - begun) * (os.cpu_count() or 1)
    return Found(to_cpu_ratio(update, floor), max(0.0, others / seconds))


def to_text(found: Found) -> str:
    """What was found, in a line or two."""
    ratio = found.ratio
    told = (
        f"An update costs {ratio.value:.2f} times the CPU of its statements alone ({ratio.lowest:.2f} to "
        f"{ratio.highest:.2f}; {MOST} is the most); others took {found.taken:.0%} of the machine.\n"
    )
    if found.is_good or found.is_judged:
        return told
    return f"{told}That is not judged where others take more than {MOST_TAKEN:.0%}: run it again on a quiet machine.\n"


def main() -> None:
    """Measure, say what was found, and fail past the limit."""
    heed_ending()
    found = asyncio.run(find())
    sys.stdout.write(to_text(found))
    sys.exit(found.is_judged and not found.is_good)


if __name__ == "__main__":
    main()
