"""What processes count on a board stays when they are gone, goes on with the next one, and is added up by name."""

import os

import pytest

from customerhub.core import plan as at
from customerhub.core.board import Board, Slot, create_board
from customerhub.core.latencies import to_latencies
from customerhub.core.plan import Plan, Route
from customerhub.core.tally import take_tally

READ, WRITE = Route("one", "GET", "/things"), Route("one", "PATCH", "/things/{id}")
PLAN = Plan(routes=(READ, WRITE), dialects=("one",), errors=("busy", "taken"), statements=("things.get",))


def note(slot: Slot, route: Route, bucket: int, now: float = 0) -> None:
    """Count one request that was answered with 200."""
    place = slot.plan.first_route + slot.plan.routes.index(route) * at.ROUTE_CELLS
    number = int(now) // at.SLICE_SECONDS
    recent = place + at.WINDOW + number % at.SLICES * at.SLICE_CELLS
    for cell in (place + 2, place + at.HISTOGRAM + bucket, recent + 1 + bucket):
        slot.cells[cell] += 1
    slot.cells[recent] = number


def test_the_next_process_goes_on_where_the_last_one_was_killed() -> None:
    """Counters never go back, and what was so at the moment of its death is forgotten."""
    board = Board(1)
    slot = board.take()
    slot.claim(PLAN)
    note(slot, READ, 7)
    slot.cells[PLAN.values.index("in_flight")] = 5
    slot.cells[PLAN.values.index("no_ops")] = 3
    slot.release()
    tally = take_tally(board)
    assert (tally.routes[READ].statuses[2], tally.counters["no_ops"], tally.processes) == (1, 3, {})
    following = board.take()
    assert (following.place, take_tally(board).processes) == (slot.place, {})
    following.claim(PLAN)
    note(following, READ, 7)
    tally = take_tally(board)
    assert tally.routes[READ].counts[7] == 2
    assert (tally.counters["no_ops"], tally.processes[0]["in_flight"]) == (3, 0)


def test_two_versions_side_by_side_are_added_up_by_name() -> None:
    """Each place says itself what stands where, as while a hub is replaced by a newer one worker by worker."""
    newer = Plan(routes=(WRITE, READ), dialects=("one",), errors=("busy", "stale", "taken"))
    board = Board(2)
    for plan, error in ((PLAN, 1), (newer, 2)):
        slot = board.take()
        slot.claim(plan)
        note(slot, READ, 7)
        slot.cells[plan.first_error + error] += 1
    tally = take_tally(board)
    assert {route: traffic.counts[7] for route, traffic in tally.routes.items()} == {READ: 2}
    assert dict(tally.errors) == {("one", "taken"): 2}


def test_a_place_that_counts_otherwise_now_begins_anew() -> None:
    """What stood there was about something else."""
    board = Board(1)
    slot = board.take()
    slot.claim(PLAN)
    note(slot, WRITE, 7)
    slot.release()
    again = board.take()
    again.claim(Plan(routes=(READ,)))
    assert take_tally(board).routes == {}
    assert again.plan.routes == (READ,)


def test_the_last_minutes_are_the_last_minutes() -> None:
    """What is older than the window is no part of it, however the slices of its ring are used again."""
    board = Board(1)
    slot = board.take()
    slot.claim(PLAN)
    note(slot, READ, 7, now=1000)
    for now, recent in ((1000, 1), (1000 + at.WINDOW_SECONDS - at.SLICE_SECONDS, 1), (1400, 0), (1e6, 0)):
        (found,) = take_tally(board, lambda now=now: now).routes.values()  # type: ignore[misc]  # now is a float
        assert (sum(found.recent), sum(found.counts)) == (recent, 1)


def test_a_plan_without_room_is_refused() -> None:
    """Nothing would be counted in somebody else's place."""
    slot = Board(1).slot(0)
    with pytest.raises(ValueError, match="room"):
        slot.claim(Plan(routes=tuple(Route("one", "GET", f"/{number}") for number in range(3000))))
    assert not slot.has_plan


def test_processes_share_what_was_made_for_several() -> None:
    """By its descriptor, which is closed with the board."""
    with create_board(2) as board:
        assert board.places == 2
        descriptor = board.descriptor
        assert descriptor is not None
        board.take().claim(PLAN)
        other = Board(board.places, descriptor)
        note(other.slot(0), READ, 7)
        assert take_tally(board).routes[READ].counts[7] == 1
        assert other.take().place == 1
        with pytest.raises(ValueError, match="taken"):
            other.take()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(descriptor)


def test_where_memory_without_a_file_cannot_be_had_a_file_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on other systems than Linux, and in a container that forbids the call; the file has no name."""

    def forbid(_name: str) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "memfd_create", forbid, raising=False)
    with create_board(2) as board:
        board.take().claim(PLAN)
        note(Board(2, board.descriptor).slot(0), READ, 7)
        assert take_tally(board).routes[READ].counts[7] == 1


def test_latencies_are_told_by_dialect_and_by_route() -> None:
    """In milliseconds with three digits; requests for no route are part of their dialect."""
    nowhere = Route("one", "", "")
    plan = Plan(routes=(READ, nowhere))
    board = Board(1)
    slot = board.take()
    slot.claim(plan)
    for route, bucket in ((READ, 70), (READ, 71), (nowhere, 105)):
        note(slot, route, bucket, now=1000)
    latencies = to_latencies(take_tally(board, lambda: 1000.0))
    (whole,), (read,) = latencies.dialects, latencies.routes
    assert (whole.dialect, whole.method, whole.path) == ("one", None, None)
    assert (read.dialect, read.method, read.path) == READ
    assert (read.recent.requests, read.recent.p50, read.recent.p99) == (2, 0.974, 1.05)
    assert (whole.since_start.requests, whole.since_start.p99) == (3, 9.74)
