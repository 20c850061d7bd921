"""A clock and ids that follow from a seed."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

from customerhub.core.seed import FIRST, Seed

SECOND = timedelta(seconds=1)


async def _request(seed: Seed, ids: int) -> tuple[datetime, list[UUID]]:
    """What one request sees, in a task of its own as a server has it, while others have their turns."""

    async def serve() -> tuple[datetime, list[UUID]]:
        seed.step()
        drawn: list[UUID] = []
        for _ in range(ids):
            drawn.append(seed.new_id())
            await asyncio.sleep(0)
        return seed.now(), drawn

    return await asyncio.create_task(serve())


async def test_one_seed_gives_one_course_of_things() -> None:
    """The same requests get the same times and ids; another seed gives the same times and other ids."""
    courses = [[await _request(seed, 3) for _ in range(2)] for seed in (Seed(7), Seed(7), Seed(8))]
    assert courses[0] == courses[1]
    assert [at for at, _ in courses[0]] == [at for at, _ in courses[2]] == [FIRST + SECOND, FIRST + 2 * SECOND]
    drawn = {one for course in (courses[0], courses[2]) for _, ids in course for one in ids}
    assert len(drawn) == 12
    assert {one.version for one in drawn} == {4}


async def test_requests_at_once_do_not_mix() -> None:
    """Five requests that run at once see what they see one after the other; each stands at one time."""
    seed, other = Seed(7), Seed(7)
    alone = [await _request(seed, 4) for _ in range(5)]
    together = await asyncio.gather(*(_request(other, 4) for _ in range(5)))
    assert together == alone


async def test_what_runs_beside_requests_moves_nothing() -> None:
    """Reading the clock and drawing ids between requests gives later times and other ids, and changes no request."""
    seed, disturbed = Seed(7), Seed(7)
    quiet = [await _request(seed, 2) for _ in range(2)]
    beside = [(disturbed.now(), disturbed.new_id()) for _ in range(3)]
    first = await _request(disturbed, 2)
    beside += [(disturbed.now(), disturbed.new_id()) for _ in range(3)]
    assert [first, await _request(disturbed, 2)] == quiet
    assert [at for at, _ in beside] == sorted({at for at, _ in beside})
    assert not {one for _, one in beside} & {one for _, ids in quiet for one in ids}


async def test_a_restart_goes_on_behind_what_is_stored() -> None:
    """The clock starts a second behind the newest time, with ids that were not drawn before; from there again alike."""
    seed = Seed(7)
    before = [await _request(seed, 3) for _ in range(3)]
    latest = datetime(2026, 1, 1, 0, 0, 3, 250_000, UTC)
    courses = []
    for _ in range(2):
        seed.restart(latest)
        courses.append([await _request(seed, 3) for _ in range(3)])
    assert courses[0] == courses[1]
    assert [at for at, _ in courses[0]] == [FIRST + 5 * SECOND, FIRST + 6 * SECOND, FIRST + 7 * SECOND]
    assert not {one for _, ids in before for one in ids} & {one for _, ids in courses[0] for one in ids}
