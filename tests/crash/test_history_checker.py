"""The history checker: whoever writes through whichever door while servers are killed, what is told is what was."""

import asyncio
import signal
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest

from customerhub.cli.process import DRAIN_SECONDS
from customerhub.core.hub import Hub
from customerhub.store.db import connect
from customerhub.web.serve import Site
from tests.end_to_end.doors import DIALECTS
from tests.support.histories import without_stamps
from tests.support.process import HubProcess, running_hub
from tests.support.replay import Change, Stored, check_whole, replay
from tests.support.soak import sized
from tests.support.traffic import Json, Order, Traffic, make_traffic

pytestmark = pytest.mark.skipif(len(DIALECTS) < 4, reason="a dialect is not installed")
SECONDS = sized(4.0, 30.0)
KILLS = sized(1, 5)


async def follow(traffic: Traffic, told: list[Json]) -> int:
    """Read the team's feed while it grows, over any server, from where the last answer ended; how often it was cut."""
    after, cuts = 0, 0
    async with httpx.AsyncClient(**traffic.sessions["hub"], timeout=30) as api:
        while True:
            is_last = traffic.is_over
            query = {"after": str(after), "limit": "50", "wait": "0" if is_last else "2"}
            url = traffic.urls[cuts % len(traffic.urls)]
            try:
                answer = await api.get(f"{url}/hub/v1/changes", params=query)
            except httpx.TransportError:
                cuts += 1
                await asyncio.sleep(0.02)
                continue
            assert answer.status_code == 200, answer.text
            page = answer.json()
            told += page["data"]
            assert page["next"] == (page["data"][-1]["position"] if page["data"] else after)
            after = page["next"]
            if is_last and not page["data"]:
                return cuts


@pytest.mark.soak
async def test_what_was_promised_is_in_the_history_and_in_the_feed(
    hub: Hub, site: Site, database_url: str, tmp_path: Path
) -> None:
    """Eight writers through four doors, two servers of which one is killed again and again, and somebody who reads the
    feed along: versions have no gap, each promise is kept once, histories lead to the very records, and the feed has
    told each change once, in order.
    """
    traffic = await make_traffic(hub, site)
    told: list[Json] = []
    async with AsyncExitStack() as stack:

        async def start(place: int) -> HubProcess:
            return await stack.enter_async_context(
                running_hub(tmp_path / f"{place}.log", "--database-url", database_url)
            )

        servers = list(await asyncio.gather(start(0), start(1)))
        traffic.urls = [server.url for server in servers]
        writing = asyncio.create_task(traffic.run(SECONDS))
        following = asyncio.create_task(follow(traffic, told))
        for place in range(KILLS):
            await asyncio.wait([writing], timeout=SECONDS / (KILLS + 1))
            dead = servers[place % 2]
            await dead.kill()
            assert dead.process.returncode == -signal.SIGKILL
            if place + 1 < KILLS:
                servers[place % 2] = await start(place + 2)
                traffic.urls[place % 2] = servers[place % 2].url
        await writing
        cuts = await asyncio.wait_for(following, 60)
    connection = await connect(database_url)
    stored = await check_whole(connection, traffic.team.id)
    await connection.close()
    check_promises(traffic, stored)
    check_feed(told, stored)
    assert traffic.lost > 0
    tell(traffic, told, cuts)


async def test_a_hub_that_stops_answers_those_who_wait(hub: Hub, site: Site, database_url: str, tmp_path: Path) -> None:
    """At once, with nothing, so that they ask another one where they were; and it counts as a clean end."""
    traffic = await make_traffic(hub, site)
    async with running_hub(tmp_path / "hub.log", "--database-url", database_url) as server:
        async with httpx.AsyncClient(**traffic.sessions["hub"], base_url=server.url, timeout=30) as api:
            waiting = asyncio.create_task(api.get("/hub/v1/changes", params={"wait": "60"}))
            # One answer later, what was asked before is being waited on.
            for _ in range(2):
                assert (await api.get("/healthz")).status_code == 200
            assert not waiting.done()
            before = time.monotonic()
            assert await server.stop() == 0
            answer = await waiting
        assert (answer.status_code, answer.json()) == (200, {"data": [], "next": 0})
        assert time.monotonic() - before < DRAIN_SECONDS


def check_promises(traffic: Traffic, stored: Stored) -> None:
    """Each acknowledged write is the one version that it was said to be, and nothing refused is anywhere."""
    rows = {(one.customer, one.version): one for changes in stored.changes.values() for one in changes}
    reverts = [order for order in traffic.done if order.target and order.changed]
    reverted = {(order.customer, order.promised) for order in reverts}
    found: dict[str, list[tuple[UUID, int]]] = {}
    for place, row in rows.items():
        if place not in reverted:
            for mark in marks_of(row):
                found.setdefault(mark, []).append(place)
    removals: Counter[tuple[UUID | None, str]] = Counter()
    for order in traffic.done:
        if order.body is not None and not order.target:
            assert found.pop(order.mark) == [(order.customer, order.promised)], order
        if order.promised and order.changed:
            row = rows[order.customer, order.promised]  # type: ignore[index] # every answer names its customer
            assert (row.action, row.dialect) == (order.action, order.dialect), order
        if order.action == "deleted":
            removals[order.customer, order.dialect] += 1
    assert found == {}
    deleted = Counter((row.customer, row.dialect) for row in rows.values() if row.action == "deleted")
    assert deleted == removals
    for order in reverts:
        check_revert(stored.changes[order.customer], order)  # type: ignore[index] # every answer names its customer


def marks_of(row: Change) -> set[str]:
    """The marks of the orders whose values came with a version."""
    text = msgspec.json.encode([edit.get("new") for edit in row.changes]).decode()
    parts = text.split("mark-")[1:]
    return {f"mark-{part.partition('-x')[0]}-x" for part in parts} - {
        f"mark-{part.partition('-x')[0]}-x"
        for part in msgspec.json.encode([edit.get("old") for edit in row.changes]).decode().split("mark-")[1:]
    }


def check_revert(changes: list[Change], order: Order) -> None:
    """The version that a revert made says what the one said that it went back to."""
    assert order.promised is not None
    then, after = (replay(changes[:version]) for version in (order.target, order.promised))
    assert without_stamps(after, then) == without_stamps(then, then), order


def check_feed(told: list[Json], stored: Stored) -> None:
    """Each change once, at positions without a gap, versions of each customer in their order, as the history has it."""
    assert [entry["position"] for entry in told] == list(range(1, len(told) + 1))
    by_customer: dict[UUID, list[Json]] = {}
    for entry in told:
        by_customer.setdefault(UUID(entry["customer"]), []).append(entry)
    assert set(by_customer) == set(stored.changes)
    for customer, changes in stored.changes.items():
        seen = [(entry["version"], entry["action"], entry["dialect"]) for entry in by_customer[customer]]
        assert seen == [(change.version, change.action, change.dialect) for change in changes]


def tell(traffic: Traffic, told: list[Json], cuts: int) -> None:
    """The figures of the run."""
    actions = Counter((order.dialect, "reverted" if order.target else order.action) for order in traffic.done)
    print(  # noqa: T201 - whoever runs it at full size reads them
        f"{len(traffic.done)} acknowledged, {len(traffic.refused)} refused, {traffic.lost} cut off and asked again; "
        f"{len(told)} changes told, the reader cut off {cuts} times; {dict(sorted(actions.items()))}"
    )
