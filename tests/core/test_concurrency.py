"""Many at once: nothing is lost, nothing is done twice, and everybody gets an answer."""

import asyncio
import statistics
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from tests.support.process import running_hub
from tests.support.replay import check_history, check_whole
from tests.support.soak import sized
from tests.support.world import World

ROUNDS = 200
WRITERS = 16
WRITING_SECONDS = sized(2.0, 20.0)


async def change_two_fields(world: World, first: httpx.AsyncClient, second: httpx.AsyncClient) -> None:
    """Change one field through each client at the same moment, again and again; each round shows both."""
    customer = await world.create()
    path = f"/v1/customers/{customer['id']}"
    for round_ in range(ROUNDS):
        sent = {"phone": f"+47{round_:08}", "first_name": f"Ingrid {round_}"}
        answers = await asyncio.gather(
            first.patch(path, json={"phone": sent["phone"]}),
            second.patch(path, json={"first_name": sent["first_name"]}),
        )
        assert [answer.status_code for answer in answers] == [201, 201]
        assert sorted(answer.headers["etag"] for answer in answers) == sorted(
            f'"{version}"' for version in (2 * round_ + 2, 2 * round_ + 3)
        )
        # The later of the two shows both changes, and neither shows the other's field as it never was.
        later = max(answers, key=lambda answer: int(answer.headers["etag"].strip('"')))
        assert {member: later.json()["data"][member] for member in sent} == sent
    await check_history(world, customer, 1 + 2 * ROUNDS)


async def test_two_clients_of_one_process_lose_no_change(world: World) -> None:
    """Two clients change different fields of one customer at the same moment, 200 times: every change is there."""
    await change_two_fields(world, world.api, world.api)


async def test_two_clients_of_two_processes_lose_no_change(world: World, database_url: str, tmp_path: Path) -> None:
    """The same over two real server processes, which share nothing but the database."""
    async with AsyncExitStack() as stack:
        opening = (running_hub(tmp_path / f"{place}.log", "--database-url", database_url) for place in range(2))
        hubs = await asyncio.gather(*map(stack.enter_async_context, opening))
        headers = {"X-API-Key": world.api_key}
        clients = [
            await stack.enter_async_context(httpx.AsyncClient(base_url=hub.url, headers=headers)) for hub in hubs
        ]
        await change_two_fields(world, *clients)
        assert await asyncio.gather(*(hub.stop() for hub in hubs)) == [0, 0]


@dataclass
class Writer:
    """A client that changes a value of its own on a customer that others change too, until the time is up."""

    api: httpx.AsyncClient
    path: str
    name: str
    seconds: list[float] = field(default_factory=list)
    refused: int = 0

    async def write(self, until: float) -> None:
        """Write one value after the other; told to wait it waits as told and sends the same again."""
        while time.monotonic() < until:
            value = {"name": self.name, "value": str(len(self.seconds) + 1)}
            started = time.monotonic()
            answer = await self.api.patch(self.path, json={"attributes": [value]})
            if answer.status_code == 429:
                self.refused += 1
                await asyncio.sleep(int(answer.headers["retry-after"]))
                continue
            assert answer.status_code == 201, answer.text
            self.seconds.append(time.monotonic() - started)


@pytest.mark.soak
async def test_many_writers_on_one_customer_are_all_answered(
    world: World, twin: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sixteen writers on one customer over two hubs: each request is answered, none is lost, versions have no gap."""
    customer = await world.create()
    path = f"/v1/customers/{customer['id']}"
    writers = [Writer([world.api, twin][place % 2], path, f"w{place:02}") for place in range(WRITERS)]
    until = time.monotonic() + WRITING_SECONDS
    await asyncio.gather(*(writer.write(until) for writer in writers))
    done = sorted(second for writer in writers for second in writer.seconds)
    shown = {value["name"]: value["value"] for value in (await world.get(customer["id"]))["attributes"]}
    assert shown == {writer.name: str(len(writer.seconds)) for writer in writers}
    await check_history(world, customer, 1 + len(done))
    p50, p99 = (statistics.quantiles(done, n=100)[place - 1] * 1000 for place in (50, 99))
    refused = sum(writer.refused for writer in writers)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{WRITERS} writers on one customer over two hubs, {WRITING_SECONDS:g} s: {len(done)} changes, "
            f"{refused} told to wait, p50 {p50:.0f} ms, p99 {p99:.0f} ms, slowest {done[-1] * 1000:.0f} ms\n"
        )
    assert min(len(writer.seconds) for writer in writers) > 0


@pytest.mark.parametrize("method", ["POST", "PATCH"])
async def test_one_key_at_the_same_moment_is_one_change(world: World, twin: httpx.AsyncClient, method: str) -> None:
    """A hundred requests with one key over two hubs: one is done, and all get its very bytes."""
    customer = await world.create()
    path, body = "/v1/customers", world.customer_body()
    if method == "PATCH":
        path, body = f"/v1/customers/{customer['id']}", {"phone": "+4722334455", "payment_term": "NET45"}
    headers = {"Idempotency-Key": "one"}
    answers = await asyncio.gather(
        *(api.request(method, path, json=body, headers=headers) for api in [world.api, twin] * 50)
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({(answer.content, answer.headers["etag"]) for answer in answers}) == 1
    assert sorted(answer.headers.get("idempotent-replayed", "") for answer in answers) == ["", *["true"] * 99]
    async with world.hub.database.lease() as connection:
        stored = await check_whole(connection, world.team.id)
    made = UUID(answers[0].json()["data"]["id"])
    assert stored.answers == [(made, 1 if method == "POST" else 2)]
    assert len(stored.customers) == (2 if method == "POST" else 1)
    assert stored.customers[made].version == stored.answers[0][1]


async def test_one_key_on_different_customers_is_one_change(world: World, twin: httpx.AsyncClient) -> None:
    """A key that two requests share at the same moment belongs to one; the other is refused and changes nothing."""
    customers = [await world.create() for _ in range(2)]
    for round_ in range(10):
        answers = await asyncio.gather(
            *(
                api.patch(
                    f"/v1/customers/{customer['id']}",
                    json={"phone": f"+47{round_:08}"},
                    headers={"Idempotency-Key": str(round_)},
                )
                for api, customer in zip((world.api, twin), customers, strict=True)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [201, 422]
    async with world.hub.database.lease() as connection:
        stored = await check_whole(connection, world.team.id)
    assert sum(found.version for found in stored.customers.values()) == 2 + 10


async def test_a_cancelled_request_is_done_or_not_done(world: World) -> None:
    """Requests cancelled at any moment leave whole versions, no turn taken, and a hub that goes on."""
    customer = await world.create()
    path = f"/v1/customers/{customer['id']}"
    for moment in range(60):
        headers = {"Idempotency-Key": str(moment), "Customerhub-Dry-Run": str(moment % 4 == 3).lower()}
        asking = asyncio.create_task(
            world.api.patch(path, json={"first_name": f"{moment}", "payment_term": f"{moment}"}, headers=headers)
        )
        for _ in range(moment):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        answer = await world.api.patch(path, json={"last_name": f"{moment}"})
        assert (answer.status_code, answer.json()["data"]["last_name"]) == (201, f"{moment}")
    assert world.hub.turns._locks == {}
    versions = await world.versions(customer["id"])
    assert len(versions) > 60
    await check_history(world, customer, len(versions))


async def test_dry_runs_stand_in_nobodys_way(world: World, twin: httpx.AsyncClient) -> None:
    """Dry runs among real changes at the same moment leave every real change, and no more, behind."""
    customer = await world.create()
    path, dry = f"/v1/customers/{customer['id']}", {"Customerhub-Dry-Run": "true"}
    answers = await asyncio.gather(
        *(
            api.patch(path, json={"first_name": f"Writer {place}"}, headers=dry if place % 3 else {})
            for place, api in enumerate([world.api, twin] * 15)
        )
    )
    assert {answer.status_code for answer in answers} == {201}
    await check_history(world, customer, 1 + 10)
