"""Clients that go on writing while the hub is killed, and know exactly what they were promised."""

import asyncio
import itertools
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import httpx

from customerhub.store.db import Connection
from tests.support.replay import Stored, check_whole
from tests.support.world import Json, World

_TERM_NAMES = "select id, name from catalogue_entry where team = $1 and kind = 'payment_term' and not is_system"
_WAIT = (429, 503)
_ANSWER_SECONDS = 60


@dataclass
class Order:
    """One write as its client means it: sent with the same key until it is answered; `mark` is in no other."""

    mark: str
    method: str
    path: str
    body: Json
    promised: tuple[UUID, int] | None = None


@dataclass
class Load:
    """Writers on the same few customers; each sends one order at a time, and an unanswered one again."""

    world: World
    customers: Sequence[Json]
    writers: int = 8
    done: list[Order] = field(default_factory=list)
    pending: dict[int, Order] = field(default_factory=dict)
    told_to_wait: int = 0
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _random: random.Random = field(default_factory=lambda: random.Random(9))

    async def run(self, url: str, until: int) -> None:
        """Write until so many orders are done in all, or until there is no answer any more."""
        headers = {"X-API-Key": self.world.api_key}
        limits = httpx.Limits(max_connections=self.writers)
        async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=_ANSWER_SECONDS) as api:
            await asyncio.gather(*(self._write(api, writer, until) for writer in range(self.writers)))

    async def _write(self, api: httpx.AsyncClient, writer: int, until: int) -> None:
        while writer in self.pending or len(self.done) < until:
            order = self.pending.setdefault(writer, self._next_order())
            try:
                answer = await api.request(
                    order.method, order.path, json=order.body, headers={"Idempotency-Key": order.mark}
                )
            except httpx.TransportError:
                return
            if answer.status_code in _WAIT:
                self.told_to_wait += 1
                await asyncio.sleep(int(answer.headers["retry-after"]))
                continue
            assert answer.status_code == 201, answer.text
            order.promised = UUID(answer.json()["data"]["id"]), int(answer.headers["etag"].strip('"'))
            self.done.append(self.pending.pop(writer))

    def _next_order(self) -> Order:
        """Every kind of change in turn, each with its mark as a first name that no other has."""
        number = next(self._numbers)
        mark = f"order {number}"
        if number % 5 == 0:
            return Order(mark, "POST", "/v1/customers", self.world.customer_body(first_name=mark))
        customer = self._random.choice(self.customers)
        body: Json = {"first_name": mark}
        match number % 5:
            case 1:
                body["addresses"] = [{"id": customer["addresses"][0]["id"], "city": mark}]
            case 2:
                attributes = [{"name": "Dock/west", "value": mark}]
                body["addresses"] = [{"id": customer["addresses"][1]["id"], "attributes": attributes}]
                body["contacts"] = [{"id": customer["contacts"][0]["id"], "is_default": number % 2 == 0}]
            case 3:
                body["attributes"] = [{"name": f"Name {number % 7}", "value": mark}]
            case 4:
                body["payment_term"] = mark
        return Order(mark, "PATCH", f"/v1/customers/{customer['id']}", body)

    async def until_done(self, number: int, seconds: float) -> None:
        """Wait until so many orders are done in all."""
        deadline = time.monotonic() + seconds
        while len(self.done) < number:
            assert time.monotonic() < deadline, f"{len(self.done)} of {number} orders done within {seconds} s"
            await asyncio.sleep(0.001)

    async def check(self, connection: Connection) -> Stored:
        """Assert that each promise was kept, that no order was done twice, and that nothing is half there."""
        # Before the changes: what was under way at a kill may still be committed while this is looked through.
        terms = {name for _, name in await connection.fetch(_TERM_NAMES, self.world.team.id)}
        stored = await check_whole(connection, self.world.team.id, has_sinks=True)
        found: dict[str, list[tuple[UUID, int]]] = {}
        for changes in stored.changes.values():
            for change in changes:
                found.setdefault(_mark_of(change.changes), []).append((change.customer, change.version))
        for order in self.done:
            assert found[order.mark] == [order.promised], order
        assert all(len(found.get(order.mark, [])) <= 1 for order in self.pending.values())
        named = {order.mark for order in self.done if order.body.get("payment_term") == order.mark}
        assert named <= terms
        assert terms - named <= {"NET45", *found}
        return stored


def _mark_of(changes: Sequence[Json]) -> str:
    """The first name that a change brought."""
    for change in changes:
        if change["path"] == "/first_name":
            return str(change["new"])
        if change["path"] == "":
            return str(change["new"]["first_name"])
    raise AssertionError(changes)
