"""Races for one record: who wins, who tries again, who is told, and how long anybody waits."""

import asyncio
import time
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import httpx
import pytest

from customerhub.app import create_hub
from customerhub.core.hub import Turns
from customerhub.dialects.base import find_dialects
from customerhub.model.customer import Customer
from customerhub.model.error import Busy
from customerhub.settings import Settings
from customerhub.store.customers import NewVersion, lock_customers, write_version
from customerhub.store.db import Connection, connect
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.replay import check_history
from tests.support.world import World


async def test_of_those_who_mean_one_version_one_wins(world: World, twin: httpx.AsyncClient) -> None:
    """Twenty writers with the same tag: one change is made, and nineteen are told that the record has changed."""
    customer = await world.create()
    for round_ in range(5):
        answers = await asyncio.gather(
            *(
                api.patch(
                    f"/v1/customers/{customer['id']}",
                    json={"first_name": f"Writer {round_} {place}"},
                    headers={"If-Match": f'"{round_ + 1}"'},
                )
                for place, api in enumerate([world.api, twin] * 10)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [201, *[412] * 19]
        (won,) = (answer for answer in answers if answer.status_code == 201)
        assert won.headers["etag"] == f'"{round_ + 2}"'
        assert (await world.get(customer["id"])) == won.json()["data"]
        assert {answer.json()["code"] for answer in answers if answer is not won} == {"PRECONDITION_FAILED"}
    await check_history(world, customer, 6)


@dataclass
class Rival:
    """Somebody on another hub who is faster, so many times: each time just before the hub under test writes."""

    api: httpx.AsyncClient
    path: str
    connection: Connection
    wins: int
    is_writing: bool = False
    row_was_held: list[bool] = field(default_factory=list)

    async def write_version(self, connection: Connection, version: NewVersion) -> bool:
        """In place of the store's own function."""
        if not self.is_writing:
            self.row_was_held.append(await self.is_held(version.after))
            if self.wins:
                self.wins -= 1
                self.is_writing = True
                answer = await self.api.patch(
                    self.path, json={"attributes": [{"name": "Rival", "value": str(self.wins)}]}
                )
                assert answer.status_code == 201
                self.is_writing = False
        return await write_version(connection, version)

    async def is_held(self, customer: Customer) -> bool:
        """Whether a transaction holds the row."""
        try:
            await self.connection.execute(
                "select from customer where team = $1 and id = $2 for update nowait", customer.team, customer.id
            )
        except asyncpg.LockNotAvailableError:
            return True
        return False


async def test_whoever_loses_twice_holds_the_row(
    world: World, twin: httpx.AsyncClient, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that others were faster than twice is made on top of theirs while it holds the record."""
    customer = await world.create()
    path = f"/v1/customers/{customer['id']}"
    watcher = await connect(database_url)
    rival = Rival(twin, path, watcher, wins=2)
    monkeypatch.setattr("customerhub.core.customers.store.write_version", rival.write_version)
    answer = await world.api.patch(path, json={"phone": "+4722334455"})
    assert (answer.status_code, answer.headers["etag"]) == (201, '"4"')
    assert rival.row_was_held == [False, False, True]
    shown = await world.get(customer["id"])
    assert (shown["phone"], [one["value"] for one in shown["attributes"]]) == ("+4722334455", ["0"])
    await watcher.close()
    await check_history(world, customer, 4)


async def test_whoever_means_a_version_is_told_of_the_first_loss(
    world: World, twin: httpx.AsyncClient, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With If-Match a change that somebody else was faster than is refused at once, and changes nothing."""
    customer = await world.create()
    path = f"/v1/customers/{customer['id']}"
    watcher = await connect(database_url)
    rival = Rival(twin, path, watcher, wins=1)
    monkeypatch.setattr("customerhub.core.customers.store.write_version", rival.write_version)
    answer = await world.api.patch(path, json={"phone": "+4722334455"}, headers={"If-Match": '"1"'})
    assert answer.status_code == 412
    assert rival.row_was_held == [False]
    assert (await world.get(customer["id"]))["phone"] == ""
    await watcher.close()
    await check_history(world, customer, 2)


async def test_whoever_waits_too_long_for_a_turn_is_told() -> None:
    """A turn that does not come within the patience is Busy; the next ones come, and nothing of it remains."""
    turns = Turns(0.05)
    async with turns.turn("customer"):
        async with asyncio.timeout(10), turns.turn("another"):
            pass
        started = time.monotonic()
        told = await asyncio.gather(*(wait_for_turn(turns) for _ in range(3)), return_exceptions=True)
        assert [type(error) for error in told] == [Busy] * 3
        assert 0.05 <= time.monotonic() - started < 10
    assert await asyncio.gather(*(wait_for_turn(turns) for _ in range(3))) == [True] * 3
    assert turns._locks == {}


async def wait_for_turn(turns: Turns) -> bool:
    """Have a turn."""
    async with turns.turn("customer"):
        return True


async def test_who_comes_as_a_turn_changes_hands_waits_no_longer_than_others() -> None:
    """The patience holds too for whoever asks in the very moment when one is done and the next has not begun."""
    turns = Turns(0.05)
    release = asyncio.Event()

    async def hold() -> None:
        async with turns.turn("customer"):
            await release.wait()

    async with turns.turn("customer"):
        second = asyncio.create_task(hold())
        await asyncio.sleep(0)
        third = asyncio.create_task(wait_for_turn(turns))
    # The turn is free now; the third asks for it before the second, whose it is, has taken it.
    async with asyncio.timeout(10):
        assert isinstance((await asyncio.gather(third, return_exceptions=True))[0], Busy)
    release.set()
    await second
    assert turns._locks == {}


async def test_a_customer_that_somebody_holds_is_busy(world: World, database_url: str) -> None:
    """While another session holds the row, changes of it are told when to come again, and others go on.

    Nothing is changed by those that were told, neither then nor once the row is free.
    """
    customer, other = await world.create(), await world.create()
    path, body = f"/v1/customers/{customer['id']}", {"phone": "+4722334455"}
    hub = create_hub(Settings(database_url=database_url, patience_seconds=0.3))
    transport = httpx.ASGITransport(Site(hub, find_dialects(), limits=Limits()))
    headers = {"X-API-Key": world.api_key}
    holder = await connect(database_url)
    before = await world.fingerprint()
    async with httpx.AsyncClient(transport=transport, base_url="http://hub", headers=headers) as api:
        async with asyncio.timeout(30), holder.transaction():
            await lock_customers(holder, world.team.id, [UUID(customer["id"])])
            held = await asyncio.gather(
                *(api.patch(path, json=body, headers={"Customerhub-Dry-Run": dry}) for dry in ("false", "true")),
                api.delete(path, headers={"Idempotency-Key": "held"}),
            )
            assert [answer.status_code for answer in held] == [429, 429, 429]
            assert {answer.json()["code"] for answer in held} == {"TOO_MANY_REQUESTS"}
            assert {answer.headers["retry-after"] for answer in held} == {"1"}
            assert await world.fingerprint() == before
            free = await api.patch(f"/v1/customers/{other['id']}", json=body)
            assert free.status_code == 201
        assert await world.versions(customer["id"]) == [1]
        assert (await api.delete(path, headers={"Idempotency-Key": "held"})).status_code == 204
    await holder.close()
    await hub.close()
    await check_history(world, customer, 2)
