"""Clients of every API at once, who go on while servers are killed, and remember exactly what they were promised."""

import asyncio
import itertools
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx

from customerhub.core.hub import Hub
from customerhub.store.access import Team
from customerhub.web.serve import Site
from tests.support import augno, count, hub, world

Json = dict[str, Any]  # Any: decoded JSON
_WAIT = (429, 503)
_REFUSED = (400, 404, 409, 422)
_MERGE_PATCH = {"content-type": hub.MERGE_PATCH}
# Customers that are changed over and over; of those that are made only the newest.
_FEW = 6


@dataclass
class Order:
    """One write as its client means it: sent with the same key until it is answered; `mark` is in no other.

    `promised` is the version that the answer tells, 0 where it tells none; None while there is no answer, or where it
    was refused. `changed`: whether the answer says that anything did.
    """

    mark: str
    dialect: str
    action: str
    method: str
    path: str
    body: Json | None = None
    customer: UUID | None = None
    headers: Json = field(default_factory=dict)
    target: int = 0
    promised: int | None = None
    changed: bool = True
    refused: bool = False
    tries: int = 0


@dataclass
class Traffic:
    """Writers of one team through four doors, on the same few customers, over any server that answers."""

    team: Team
    desk: hub.Desk
    sessions: dict[str, Json]
    customers: list[UUID] = field(default_factory=list)
    versions: dict[UUID, int] = field(default_factory=dict)
    deleted: set[UUID] = field(default_factory=set)
    done: list[Order] = field(default_factory=list)
    refused: list[Order] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    lost: int = 0
    is_over: bool = False
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _random: random.Random = field(default_factory=lambda: random.Random(5))

    async def run(self, seconds: float) -> None:
        """Two writers through each door for so long, and until each has its last answer."""
        async with AsyncExitStack() as stack:
            writers = [
                (dialect, await stack.enter_async_context(httpx.AsyncClient(**self.sessions[dialect], timeout=60)))
                for dialect in list(_KINDS) * 2
            ]
            for _ in range(_FEW):
                await self._write_one(writers[0][1], _hub_create)
            deadline = time.monotonic() + seconds
            await asyncio.gather(*(self._write(api, _KINDS[dialect], deadline) for dialect, api in writers))
        self.is_over = True

    async def _write(self, api: httpx.AsyncClient, makers: Sequence["Maker"], deadline: float) -> None:
        while time.monotonic() < deadline:
            await self._write_one(api, self._random.choice(makers))

    async def _write_one(self, api: httpx.AsyncClient, make: "Maker") -> None:
        order = make(self, f"mark-{next(self._numbers)}-x")
        while order.promised is None and not order.refused:
            await self._send(api, order)
        (self.refused if order.refused else self.done).append(order)

    async def _send(self, api: httpx.AsyncClient, order: Order) -> None:
        order.tries += 1
        headers = {"Idempotency-Key": order.mark, **order.headers}
        url = self.urls[(order.tries + hash(order.mark)) % len(self.urls)] + order.path
        try:
            answer = await api.request(order.method, url, json=order.body, headers=headers)
        except httpx.TransportError:
            self.lost += 1
            await asyncio.sleep(0.02)
            return
        if answer.status_code in _WAIT:
            await asyncio.sleep(int(answer.headers["retry-after"]))
            return
        order.refused = answer.status_code in _REFUSED
        if order.refused:
            return
        assert answer.is_success, (order, answer.status_code, answer.text)
        self._note(order, answer)

    def _note(self, order: Order, answer: httpx.Response) -> None:
        tag = answer.headers.get("etag")
        order.promised = int(tag.strip('"')) if tag is not None else 0
        shown = answer.json() if answer.content else {}
        order.changed = shown.get("changed") != []
        if order.customer is None:
            order.customer = _CREATED[order.dialect](shown)
            self.customers = [*self.customers[: _FEW - 1], order.customer]
        if order.action == "deleted":
            self.deleted.add(order.customer)
        elif order.action == "restored":
            self.deleted.discard(order.customer)
        self.versions[order.customer] = max(self.versions.get(order.customer, 0), order.promised)

    def some_customer(self, *, deleted: bool = False) -> UUID:
        """One of those that are written at; of the deleted ones, as far as is known and there are any."""
        fitting = [customer for customer in self.customers if (customer in self.deleted) == deleted]
        return self._random.choice(fitting or self.customers)

    def some_version(self, customer: UUID) -> int:
        """One that the customer has had."""
        return self._random.randint(1, self.versions[customer])

    def chance(self, of: int) -> bool:
        """Once in so many times."""
        return self._random.randrange(of) == 0


Maker = Callable[[Traffic, str], Order]


def _hub_create(_: Traffic, mark: str) -> Order:
    return Order(mark, "hub", "created", "POST", hub.CUSTOMERS, {"name": f"Hub {mark}", "note": mark})


def _hub_patch(traffic: Traffic, mark: str) -> Order:
    customer = traffic.some_customer()
    body: Json = {"note": mark, "attributes": {f"Name {mark[-3]}": mark}}
    if traffic.chance(3):
        body["addresses"] = [hub.address_body(city=mark), hub.address_body(type="shipping")]
    return Order(
        mark, "hub", "updated", "PATCH", f"{hub.CUSTOMERS}/{customer}", body, customer, headers=dict(_MERGE_PATCH)
    )


def _hub_step(action: str, method: str, step: str) -> Maker:
    def make(traffic: Traffic, mark: str) -> Order:
        customer = traffic.some_customer(deleted=action == "restored")
        target = traffic.some_version(customer) if step == "/revert" else 0
        body = {"version": target} if target else None
        path = f"{hub.CUSTOMERS}/{customer}{step}"
        return Order(mark, "hub", action, method, path, body, customer, target=target)

    return make


def _wizcommerce_create(traffic: Traffic, mark: str) -> Order:
    reps, prices = traffic.desk.reps, traffic.desk.price_lists
    body = {
        "reference_id": mark,
        "assigned_sales_rep_ids": reps[:1],
        "assigned_price_list_id": prices[0],
        "company_name": f"Wiz {mark}",
        "first_name": mark,
    }
    return Order(mark, "wizcommerce", "created", "POST", "/v1/customers", body)


def _wizcommerce_patch(traffic: Traffic, mark: str) -> Order:
    customer = traffic.some_customer()
    body: Json = {"first_name": mark, "attributes": [{"name": f"Name {mark[-3]}", "value": mark}]}
    if traffic.chance(8):
        body["contacts"] = [world.contact_body(last_name=mark)]
    return Order(mark, "wizcommerce", "updated", "PATCH", f"/v1/customers/{customer}", body, customer)


def _count_create(_: Traffic, mark: str) -> Order:
    body = {"customer": f"Count {mark}", "email": f"{mark}@count.example", "notes": mark}
    return Order(mark, "count", "created", "POST", "/partners/customers", body)


def _count_put(traffic: Traffic, mark: str) -> Order:
    customer = traffic.some_customer()
    body: Json = {"notes": mark}
    if traffic.chance(3):
        body["billingAddress"] = count.address_body(city=mark)
    return Order(mark, "count", "updated", "PUT", f"/partners/customers/{customer}", body, customer)


def _count_delete(traffic: Traffic, mark: str) -> Order:
    customer = traffic.some_customer()
    return Order(mark, "count", "deleted", "DELETE", f"/partners/customers/{customer}", None, customer)


def _augno_create(traffic: Traffic, mark: str) -> Order:
    desk = traffic.desk
    body = {
        "name": f"Augno {mark}",
        "note": mark,
        "default_carrier_id": augno.to_id("cr", UUID(desk.carriers[0])),
        "default_payment_term_id": augno.to_id("pytm", UUID(desk.payment_terms[0])),
        "default_shipping_term_id": augno.to_id("shtm", UUID(desk.shipping_terms[0])),
        "customer_price_group_ids": [],
        "customer_type_group_id": augno.to_id("acgp", UUID(desk.type_groups[0])),
        "bill_to_address": augno.address_body(),
        "ship_to_address": augno.address_body(name="Dock 3"),
    }
    return Order(mark, "augno", "created", "POST", augno.CUSTOMERS, body)


def _augno_patch(traffic: Traffic, mark: str) -> Order:
    customer = traffic.some_customer()
    path = f"{augno.CUSTOMERS}/{augno.to_id('ac', customer)}"
    return Order(mark, "augno", "updated", "PATCH", path, {"note": mark}, customer)


_KINDS: dict[str, list[Maker]] = {
    "hub": [
        *[_hub_patch] * 4,
        *[_hub_step("updated", "POST", "/revert")] * 3,
        *[_hub_step("restored", "POST", "/restore")] * 3,
        _hub_step("deleted", "DELETE", ""),
        _hub_create,
    ],
    "wizcommerce": [*[_wizcommerce_patch] * 5, _wizcommerce_create],
    "count": [*[_count_put] * 5, _count_create, _count_delete],
    "augno": [*[_augno_patch] * 5, _augno_create],
}
_CREATED: dict[str, Callable[[Json], UUID]] = {
    "hub": lambda shown: UUID(shown["customer"]["id"]),
    "wizcommerce": lambda shown: UUID(shown["data"]["id"]),
    "count": lambda shown: UUID(shown["data"]["uuid"]),
    "augno": lambda shown: augno.uuid_of(shown["id"]),
}


async def make_traffic(opened: Hub, site: Site) -> Traffic:
    """A furnished team with a credential for each door."""
    async with hub.make_desk(opened, site) as desk:
        team = desk.team
        signer = await count.make_client(opened, team)
        sessions: dict[str, Json] = {
            "hub": {"headers": augno.bearer(desk.api_key)},
            "augno": {"headers": augno.bearer(augno.key_of(await augno.make_key(opened, team)))},
            "wizcommerce": {"headers": {"X-API-Key": await world.make_key(opened, team)}},
            "count": {"auth": count.Signed(signer["client_id"], signer["client_secret"], signer["access_token"])},
        }
        return Traffic(team, desk, sessions)
