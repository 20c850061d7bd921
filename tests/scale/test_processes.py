"""Several processes on one PostgreSQL behind one pooler: what one of them does holds for all of them, at once."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest

from customerhub.core import admin
from customerhub.core.admin import to_command
from customerhub.core.sinks import NewSink, SinkPatch, SinkProposal, create_sink
from customerhub.embedded import Cluster
from customerhub.model.answer import Answer
from customerhub.model.catalogue import TeamSettings
from customerhub.store.db import connect
from tests.scale.fleet import Fleet, running_fleet
from tests.scale.rolling import Client, go_on, restart
from tests.support import hub as desk
from tests.support.receiver import Got, Reaction, running_receiver
from tests.support.replay import check_whole
from tests.support.soak import sized
from tests.support.waiting import wait_until
from tests.support.world import World, make_key, make_world

WRITERS = 6
WRITES = sized(12, 400)
CLIENTS = sized(5, 8)
RESTARTS = sized(1, 20)


@pytest.fixture(scope="module")
async def fleet(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Fleet]:
    """Started once; a test keeps to its team in it."""
    async with running_fleet(cluster, tmp_path_factory.mktemp("fleet")) as running:
        yield running


@pytest.fixture
async def world(fleet: Fleet) -> AsyncIterator[World]:
    """A furnished team of the fleet's database."""
    async with make_world(fleet.hub, fleet.site) as made:
        yield made


async def test_what_many_processes_write_is_told_once_and_in_order(fleet: Fleet, world: World) -> None:
    """Six writers on three customers over both servers: each answer is a version of its own, none is missing, what is
    sent once more to the other server is answered as before, both show the same, the feed has each change once, and so
    has a receiver that a third process tells.
    """
    told: list[tuple[str, int]] = []

    def take(got: Got) -> Reaction:
        body = json.loads(got.body)
        told.append((body["customer"], body["sequence"]))
        return Reaction()

    async with running_receiver(take) as receiver:
        new, patch = NewSink("webhook", "hub", is_trusted=True), SinkPatch(url=receiver.url, name="receiver")
        await create_sink(
            fleet.hub, to_command(world.team.id), new, lambda _: SinkProposal(patch), lambda _: Answer(200)
        )
        ids = [(await world.create())["id"] for _ in range(3)]
        written = {customer: [1] for customer in ids}

        async def write(number: int) -> None:
            customer = ids[number % len(ids)]
            async with (
                fleet.talking(number % 2, x_api_key=world.api_key) as api,
                fleet.talking(1 - number % 2, x_api_key=world.api_key) as other,
            ):
                for step in range(WRITES):
                    body, key = {"display_name": f"{number} {step}"}, {"Idempotency-Key": f"{number} {step}"}
                    answer = await api.patch(f"/v1/customers/{customer}", json=body, headers=key)
                    assert answer.status_code == 201, answer.text
                    written[customer].append(int(answer.headers["etag"].strip('"')))
                    if step % 4 == 0:
                        again = await other.patch(f"/v1/customers/{customer}", json=body, headers=key)
                        assert (again.status_code, again.content) == (201, answer.content)

        await asyncio.gather(*map(write, range(WRITERS)))
        last = 1 + WRITES * WRITERS // len(ids)
        assert {customer: sorted(versions) for customer, versions in written.items()} == {
            customer: list(range(1, last + 1)) for customer in ids
        }

        async def is_told() -> bool:
            return len(told) >= last * len(ids)

        await wait_until(is_told, "the receiver has heard of every version", 30)
    by_customer = {customer: [sequence for whose, sequence in told if whose == customer] for customer in ids}
    assert by_customer == {customer: list(range(1, last + 1)) for customer in ids}
    await check_both_show_the_same(fleet, world, ids, last)
    connection = await connect(fleet.database_url)
    await check_whole(connection, world.team.id, has_sinks=True)
    await connection.close()


async def check_both_show_the_same(fleet: Fleet, world: World, ids: list[str], last: int) -> None:
    """Each server has every customer at its last version and in its list, and the same feed, each change of it once."""
    key = await desk.make_key(fleet.hub, world.team)
    shown, feeds = [], []
    for place in range(2):
        async with fleet.talking(place, authorization=f"Bearer {key['api_key']}") as api:
            answers = [await api.get(f"{desk.CUSTOMERS}/{customer}") for customer in ids]
            assert [answer.headers["etag"] for answer in answers] == [f'"{last}"'] * len(ids)
            listed = await api.get(desk.CUSTOMERS, params={"limit": "100"})
            assert {row["id"] for row in listed.json()["data"]} >= set(ids), listed.text
            shown.append([answer.json() for answer in (*answers, listed)])
            feeds.append(await read_feed(api))
    assert shown[0] == shown[1]
    assert feeds[0] == feeds[1]
    assert [entry["position"] for entry in feeds[0]] == list(range(1, last * len(ids) + 1))
    for customer in ids:
        versions = [entry["version"] for entry in feeds[0] if entry["customer"] == customer]
        assert versions == list(range(1, last + 1))


async def read_feed(api: httpx.AsyncClient) -> list[desk.Json]:
    """All of a team's feed."""
    entries: list[desk.Json] = []
    while True:
        after = entries[-1]["position"] if entries else 0
        answer = await api.get("/hub/v1/changes", params={"after": str(after), "limit": "200"})
        assert answer.status_code == 200, answer.text
        if not answer.json()["data"]:
            return entries
        entries += answer.json()["data"]


async def test_what_one_process_adds_the_next_request_of_another_knows(fleet: Fleet, world: World) -> None:
    """A price list made through one server is good for a write through the other, whose memory of the team is older."""
    async with (
        fleet.talking(0, x_api_key=world.api_key) as one,
        fleet.talking(1, x_api_key=world.api_key) as other,
    ):
        makers = itertools.cycle((one, other))
        customer = await world.create()
        for _ in range(6):
            maker, user = next(makers), next(makers)
            next(makers)
            name = f"Wholesale {uuid4().hex[:8]}"
            made = await maker.post("/v1/price-lists", json={"reference_id": uuid4().hex, "name": name})
            assert made.status_code == 201, made.text
            body = {"assigned_price_list_id": made.json()["data"]["id"]}
            answer = await user.patch(f"/v1/customers/{customer['id']}", json=body)
            assert (answer.status_code, answer.json()["data"]["assigned_price_list"]["name"]) == (201, name), (
                answer.text
            )


async def test_a_revoked_credential_is_refused_by_the_very_next_request(fleet: Fleet, world: World) -> None:
    """Both servers know a key; once a third process has revoked it, neither reads nor writes for it, nor at once."""
    customer = await world.create()
    path = f"/v1/customers/{customer['id']}"
    key = await make_key(fleet.hub, world.team)
    async with fleet.hub.database.lease() as connection:
        credential = await connection.fetchval(
            "select id from credential where team = $1 order by created_at desc limit 1", world.team.id
        )
    async with fleet.talking(0, x_api_key=key) as one, fleet.talking(1, x_api_key=key) as other:
        assert [(await api.get(path)).status_code for api in (one, other)] == [200, 200]
        assert [(await api.patch(path, json={"note": "a"})).status_code for api in (one, other)] == [201, 201]
        before = await world.versions(customer["id"])
        await admin.revoke_credential(fleet.hub, UUID(str(credential)))
        refused = [await one.patch(path, json={"note": "b"}), await other.get(path)]
        refused += [await other.patch(path, json={"note": "b"}), await one.get("/v1/customers")]
    assert [answer.status_code for answer in refused] == [401] * 4
    assert await world.versions(customer["id"]) == before


async def test_a_limit_is_one_limit_over_all_processes(fleet: Fleet) -> None:
    """A team that may ask seven times an hour asks both servers in turn: seven are answered, no more by either."""
    team = await admin.create_team(fleet.hub, f"Team {uuid4()}", TeamSettings(rate_limit="7/hour"))
    key = await make_key(fleet.hub, team)
    async with fleet.talking(0, x_api_key=key) as one, fleet.talking(1, x_api_key=key) as other:
        # What a team may is known to a process from its first request on.
        assert [(await api.get("/v1/customers")).status_code for api in (one, other)] == [200, 200]
        statuses = [(await api.get("/v1/customers")).status_code for _ in range(5) for api in (one, other)]
        assert statuses == [200] * 7 + [429] * 3
        refused = await other.get("/v1/customers")
    # Six of seven are few enough, a seventh of the next hour after the end of this one.
    assert 3600 / 7 <= int(refused.headers["retry-after"]) <= 3600 / 7 + 3600 + 1


async def test_failed_passwords_count_over_all_processes(fleet: Fleet, world: World) -> None:
    """Five wrong guesses at each server are ten: then neither tries another one, not even the right one."""
    email, password = f"{uuid4().hex}@people.example", "correct horse battery staple"
    await admin.create_user(fleet.hub, world.team, admin.NewUser(email, "Priya", "Nair", password))
    async with fleet.talking(0) as one, fleet.talking(1) as other:

        async def sign_in(api: httpx.AsyncClient, secret: str) -> int:
            return (await api.post("/auth/token", json={"email": email, "password": secret})).status_code

        assert await sign_in(other, password) == 200
        for _ in range(5):
            assert [*await asyncio.gather(sign_in(one, "wrong"), sign_in(other, "wrong"))] == [401, 401]
        assert [await sign_in(one, password), await sign_in(other, password)] == [429, 429]


@pytest.mark.soak
async def test_no_request_is_lost_while_servers_are_restarted(fleet: Fleet, world: World) -> None:
    """Clients go on while one server after the other is stopped and started again, one of them with two workers:
    every request has its answer, every acknowledged write is there, and nothing was written twice.
    """
    clients = [Client(fleet, world, number) for number in range(CLIENTS)]

    async def roll() -> None:
        for number in range(RESTARTS):
            # The one with two workers first; then the other one gets them.
            await restart(fleet, (number + 1) % 2, clients, "--workers", str(1 + number % 2))

    await go_on(clients, roll())
    for client in clients:
        assert client.written == list(range(2, len(client.written) + 2))
    assert min(sum(client.answered.get(url, 0) for client in clients) for url in fleet.urls) > 0
