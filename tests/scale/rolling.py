"""Servers that are stopped and started again one after the other, and clients who go on meanwhile."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

import httpx

from tests.scale.fleet import Fleet
from tests.support.soak import sized
from tests.support.world import World

# So that two cores are busy but not too busy for a server to start.
PAUSE_SECONDS = sized(0.05, 0.01)


@dataclass
class Client:
    """A client of one customer that keeps its connections, and goes to the next server only where one lets nobody in:
    then nothing was sent. Whatever else goes wrong is a lost request.
    """

    fleet: Fleet
    world: World
    number: int
    is_over: bool = False
    written: list[int] = field(default_factory=list)
    answered: dict[str, int] = field(default_factory=dict)
    refused: int = 0

    async def run(self) -> None:
        """Write and read in turn until it is over."""
        customer = await self.world.create()
        path = f"/v1/customers/{customer['id']}"
        headers = {"X-API-Key": self.world.api_key}
        async with httpx.AsyncClient(headers=headers, timeout=30) as api:
            while not self.is_over:
                answer = await self._ask(api, "PATCH", path, {"display_name": f"{len(self.written)}"})
                assert answer.status_code == 201, answer.text
                self.written.append(int(answer.headers["etag"].strip('"')))
                answer = await self._ask(api, "GET", path, None)
                assert (answer.status_code, answer.headers["etag"]) == (200, f'"{self.written[-1]}"'), answer.text
                await asyncio.sleep(PAUSE_SECONDS)

    async def _ask(self, api: httpx.AsyncClient, method: str, path: str, body: object) -> httpx.Response:
        self.number += 1
        while True:
            url = self.fleet.urls[self.number % len(self.fleet.urls)]
            try:
                answer = await api.request(method, url + path, json=body)
            except httpx.ConnectError:
                self.refused += 1
                self.number += 1
                continue
            self.answered[url] = self.answered.get(url, 0) + 1
            return answer


async def restart(fleet: Fleet, place: int, clients: list[Client], *arguments: str) -> None:
    """Stop a server in order and start another at its address; then wait until it is used."""
    old = fleet.servers[place]
    assert await old.stop() == 0
    fleet.servers[place] = new = await fleet.start("--port", old.url.rpartition(":")[2], *arguments)
    assert new.url == old.url
    before = sum(client.answered.get(new.url, 0) for client in clients)
    while sum(client.answered.get(new.url, 0) for client in clients) < before + 2 * len(clients):
        assert not any(client.is_over for client in clients)
        await asyncio.sleep(PAUSE_SECONDS)


async def go_on(clients: list[Client], restarting: Awaitable[None]) -> None:
    """Let all clients ask while servers are restarted; raises what any of them raises, at once."""

    async def restart_all() -> None:
        try:
            await restarting
        finally:
            for client in clients:
                client.is_over = True

    async with asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(client.run())
        tasks.create_task(restart_all())
