"""What the site counts of its requests, by names that clients cannot make up."""

import asyncio
from dataclasses import replace

import httpx
import pytest

from customerhub.core.board import private_slot
from customerhub.core.latencies import by_dialect
from customerhub.core.plan import BYTES_IN, BYTES_OUT, DRY_RUNS, REPLAYS, Route
from customerhub.core.standing import REPLAYED
from customerhub.core.tally import Tally, take_tally
from customerhub.model.answer import Answer
from customerhub.model.error import Busy, HubError, KeyMismatch
from customerhub.web.meter import Meter, to_name
from customerhub.web.operation import Call
from customerhub.web.serve import Site
from tests.web.fake import READ, WRITE, FakeDialect, FakeHub, raising, to_client, to_site

READING, WRITING = Route("fake", "GET", "/fake/things/{id}"), Route("fake", "PATCH", "/fake/things/{id}")
NOWHERE = Route("fake", "", "")


async def replayed(call: Call) -> Answer:
    """An answer that a key had kept."""
    return Answer(200, b"{}", (REPLAYED,))


def taken(hub: FakeHub) -> Tally:
    """What was counted."""
    return take_tally(hub.slot.board)


async def test_requests_are_counted_by_route_and_answer() -> None:
    """HEAD with GET; what has no route, or not by this method, for its dialect alone."""
    hub = FakeHub()
    async with to_client(to_site(READ, WRITE, hub=hub)) as client:
        for path in ("/fake/things/1", "/fake/things/2", "/fake/nothing", "/elsewhere/7"):
            await client.get(path)
        await client.head("/fake/things/3")
        await client.get("/fake/things/1", headers={"x-key": "bad"})
        await client.patch("/fake/things/1", content=b'{"a":1}', headers={"customerhub-dry-run": "true"})
        await client.delete("/fake/things/1")
    tally = taken(hub)
    assert {route: traffic.statuses for route, traffic in tally.routes.items()} == {
        READING: [0, 0, 3, 0, 1, 0],
        WRITING: [0, 0, 1, 0, 0, 0],
        NOWHERE: [0, 0, 0, 0, 2, 0],
        Route("", "", ""): [0, 0, 0, 0, 1, 0],
    }
    assert dict(tally.errors) == {
        ("fake", "no_such_route"): 1,
        ("fake", "method_not_allowed"): 1,
        ("fake", "unauthenticated"): 1,
        ("", "no_such_route"): 1,
    }
    written = tally.routes[WRITING].numbers
    assert [written[place] for place in (BYTES_IN, BYTES_OUT, REPLAYS, DRY_RUNS)] == [7, 7, 0, 1]
    assert sum(by_dialect(tally)["fake"].counts) == sum(by_dialect(tally)["fake"].recent) == 7
    assert 0 < tally.routes[READING].seconds < 60


def test_all_processes_count_by_the_same_plan() -> None:
    """However the pages come, which are kept in sets: otherwise what a killed process counted is forgotten."""
    pages = [("GET", "/b"), ("POST", "/a"), ("GET", "/a")]
    slot, other = private_slot(), private_slot()
    Meter(slot, (), pages)
    Meter(other, (), reversed(pages))
    assert slot.plan == other.plan
    assert [route[1:] for route in slot.plan.routes] == [("", ""), ("GET", "/a"), ("GET", "/b"), ("POST", "/a")]


async def test_a_replay_is_counted_as_one() -> None:
    """By the mark that its answer carries."""
    hub = FakeHub()
    async with to_client(to_site(replace(WRITE, handler=replayed), hub=hub)) as client:
        await client.patch("/fake/things/1", json={}, headers={"idempotency-key": "k-1"})
        await client.patch("/fake/things/1", json={})
    assert taken(hub).routes[WRITING].numbers[REPLAYS] == 1


@pytest.mark.parametrize(
    ("error", "name"), [(KeyMismatch(), "key_mismatch"), (Busy(), "busy"), (RuntimeError("x"), "internal")]
)
async def test_failures_are_counted_by_their_kind(error: Exception, name: str) -> None:
    """The most particular one; a fault of ours as such."""
    hub = FakeHub()
    async with to_client(to_site(replace(READ, handler=raising(error)), hub=hub)) as client:
        await client.get("/fake/things/1")
    assert dict(taken(hub).errors) == {("fake", name): 1}


async def test_requests_in_flight_are_those_that_run() -> None:
    """Also where one ends without an answer."""
    hub, going = FakeHub(), asyncio.Event()

    async def wait(call: Call) -> Answer:
        going.set()
        await asyncio.Event().wait()
        return Answer(200)

    async with to_client(to_site(replace(READ, handler=wait), hub=hub)) as client:
        asked = asyncio.create_task(client.get("/fake/things/1"))
        await going.wait()
        assert taken(hub).processes[0]["in_flight"] == 1
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
    assert taken(hub).processes[0]["in_flight"] == 0
    assert taken(hub).routes == {}


async def test_a_client_that_has_gone_is_no_answer() -> None:
    """It is counted apart, with the time that was spent on it."""
    hub = FakeHub()
    site = to_site(WRITE, hub=hub)
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "PATCH",
        "path": "/fake/things/1",
        "query_string": b"",
        "headers": [(b"x-key", b"good"), (b"content-length", b"2"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        raise AssertionError(message)

    await site(scope, receive, send)
    traffic = taken(hub).routes[WRITING]
    assert (traffic.statuses, sum(traffic.counts)) == ([1, 0, 0, 0, 0, 0], 1)


def test_every_kind_of_failure_has_a_name_of_its_own() -> None:
    """Two kinds of one name would be counted as one."""
    kinds = [*_below(HubError)]
    assert to_name(kinds[0]) == kinds[0].__name__.lower()
    assert len({to_name(kind) for kind in kinds}) == len(kinds)


def _below(kind: type[HubError]) -> list[type[HubError]]:
    return [found for one in kind.__subclasses__() for found in (one, *_below(one))]


async def test_sites_of_one_hub_count_together() -> None:
    """The same routes stand at the same places."""
    hub = FakeHub()
    for _ in range(2):
        site = Site(hub, [FakeDialect((READ, WRITE))], limits=to_site()._limits)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://x") as client:
            await client.get("/fake/things/1", headers={"x-key": "good"})
    assert taken(hub).routes[READING].statuses[2] == 2
