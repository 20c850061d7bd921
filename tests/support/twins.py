"""Two real hubs on two databases whose teams keep each other as accounts, and people who edit on both sides."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

import httpx

from customerhub.core.admin import create_team
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.embedded import Cluster
from customerhub.model.catalogue import TeamSettings
from customerhub.settings import Settings
from customerhub.store import sinks as store
from customerhub.store.access import Team
from customerhub.store.catalogue import get_snapshot
from customerhub.store.customers import get_customers
from customerhub.store.db import Database, connect
from customerhub.store.migrate import migrate
from customerhub.store.syncs import list_syncs
from customerhub.web.dialect import CredentialOrder
from customerhub.web.remote import Values
from tests.support.accounts import make_account_sink
from tests.support.fixtures import SECRET_KEY
from tests.support.hub import CUSTOMERS, Desk, Json, address_body, furnish, make_key
from tests.support.plain import PLAIN
from tests.support.process import running_hub
from tests.support.waiting import wait_until

Wins = Literal["hub", "other"]
_CONCURRENCY = 3
_QUIET = """
    select
        (select count(*) from delivery where status = 'waiting'),
        (select count(*) from lane where due_at is not null),
        (select count(*) from change c where not exists (
            select from delivery d where d.team = c.team and d.customer = c.customer and d.version = c.version
        )),
        (select count(*) from change)
"""
_WAITING = """
    select c.customer, c.version, d.status, d.tries, l.due_at - now(), l.claimed_until - now(), a.outcome, a.reason
    from change c
    left join delivery d on d.team = c.team and d.customer = c.customer and d.version = c.version
    left join lane l on l.team = d.team and l.sink = d.sink and l.customer = d.customer
    left join attempt a on a.team = d.team and a.customer = d.customer and a.version = d.version
    where d.status = 'waiting' or d.status is null or l.due_at is not null
"""
_DEAD = "select customer, reason from delivery where team = $1 and status = 'dead'"
_VERSIONS = "select count(*) from change where team = $1"


@dataclass
class Twin:
    """One of two hubs: its process at `url`, and this process's own hold on its database."""

    hub: Hub
    url: str

    async def is_quiet(self) -> tuple[bool, int]:
        """Whether nothing is on its way, and how many changes there are."""
        async with self.hub.database.lease() as connection:
            waiting, due, unpublished, changes = await connection.fetchrow(_QUIET)
            return waiting == due == unpublished == 0, changes

    async def list_waiting(self) -> list[tuple[object, ...]]:
        """What is on its way, and what came of its last attempt."""
        async with self.hub.database.lease() as connection:
            return [tuple(row) for row in await connection.fetch(_WAITING)]


@dataclass
class Side:
    """One team of one hub, and its sink that keeps the other side's team."""

    twin: Twin
    desk: Desk
    form: str
    sink: UUID | None = None

    @property
    def team(self) -> Team:
        return self.desk.team

    async def values(self) -> dict[str, Values]:
        """The portable values of every live customer, by its id."""
        remote = next(dialect.remote for dialect in find_dialects() if dialect.name == self.form)
        assert remote is not None
        async with self.twin.hub.database.lease() as connection:
            ids = [row[0] for row in await connection.fetch("select id from customer where team = $1", self.team.id)]
            found = await get_customers(connection, self.team.id, ids)
            catalogue = await get_snapshot(connection, self.team.id)
        return {str(one.id): remote.to_values(one, catalogue) for one in found.values()}

    async def links(self) -> dict[str, str]:
        """Our customers by the ids of their records over there; none of them is wrong.

        What was left out of a delivery stays noted until the next one, also where the other side has since come to the
        same by itself: whether both are equal is told by their values.
        """
        assert self.sink is not None
        async with self.twin.hub.database.lease() as connection:
            syncs = await list_syncs(connection, self.team.id, self.sink, UUID(int=0), 10_000)
            dead = await connection.fetch(_DEAD, self.team.id)
        assert [(sync.customer, sync.error) for sync in syncs if sync.error] == []
        assert dead == []
        return {str(sync.customer): str(sync.external_id) for sync in syncs}

    async def count_versions(self) -> int:
        """How many versions were made of the team's customers."""
        async with self.twin.hub.database.lease() as connection:
            return int(await connection.fetchval(_VERSIONS, self.team.id))

    async def create(self) -> None:
        """A customer of ours."""
        await self.desk.create(
            {**self.scalars(random.Random(uuid4().int), 6), **_full(), **addresses("Oslo", "Bergen")}
        )

    async def edit(self, chance: random.Random) -> None:
        """One random edit of one customer of ours."""
        answer = await self.desk.api.get(CUSTOMERS, params={"limit": 100})
        chosen = chance.choice(answer.json()["data"])
        change: Json = self.scalars(chance, chance.randint(1, 3))
        if chance.random() < 0.3:
            change |= addresses(chance.choice(("Oslo", "Tromsø", "Hamar")), chance.choice(("Bergen", "Bodø", None)))
        answer = await self.desk.api.patch(
            f"{CUSTOMERS}/{chosen['id']}", json=change, headers={"content-type": "application/merge-patch+json"}
        )
        assert answer.status_code == 200, answer.text

    def scalars(self, chance: random.Random, number: int) -> Json:
        """New values of some fields, few enough that both sides hit upon the same, and some of them clear."""
        choices: dict[str, Sequence[Any]] = {
            "name": ("Kestrel", "Kestrel Coffee", "Kestrel Roasters"),
            "phone": ("+15035550142", "+15035550143", None),
            "website": ("https://kestrel.example/", "https://roasters.example/", None),
            "note": ("Ships on Tuesdays.", "Rings twice.", None),
            "payment_term": self.desk.payment_terms,
            "status": ("active", "inactive"),
            "standing": ("normal", "preferred", "hold_all"),
            "priority": ("low", "normal", "high"),
            "tax_number": ("NO 1", "NO 2", None),
            "tax_excluded": (True, False),
            "is_edi_enabled": (True, False),
            "email": (f"{uuid4().hex[:12]}@kestrel.example",),
        }
        return {name: chance.choice(choices[name]) for name in chance.sample(sorted(choices), number)}


def _full() -> Json:
    mark = uuid4().hex[:12]
    return {"name": f"New {mark}", "number": f"N-{mark}", "email": f"{mark}@kestrel.example"}


def addresses(billing: str, shipping: str | None) -> Json:
    """Both addresses anew, or none to ship to."""
    bodies = [address_body(city=billing), *([address_body(type="shipping", city=shipping)] if shipping else [])]
    return {"addresses": bodies, "bill_to": "/addresses/0", "ship_to": "/addresses/1" if shipping else None}


@asynccontextmanager
async def two_hubs(cluster: Cluster, directory: Path) -> AsyncIterator[tuple[Twin, Twin]]:
    """Start them, each on a database of its own, which is gone afterwards."""
    async with AsyncExitStack() as stack:
        twins: list[Twin] = []
        for _ in range(2):
            name = f"twin_{uuid4().hex}"
            cluster.create_database(name)
            stack.push_async_callback(_drop, cluster, name)
            connection = await connect(cluster.url(name))
            await migrate(connection)
            await connection.execute(f"alter database {name} set synchronous_commit = off")
            await connection.close()
            hub = Hub(Database(cluster.url(name)), Settings(secret_key=SECRET_KEY))
            stack.push_async_callback(hub.close)
            arguments = ("--database-url", cluster.url(name))
            process = await stack.enter_async_context(running_hub(directory / f"{name}.log", *arguments, tells=True))
            twins.append(Twin(hub, process.url))
        yield twins[0], twins[1]


async def _drop(cluster: Cluster, name: str) -> None:
    keeper = await connect(cluster.url("postgres"))
    await keeper.execute(f"drop database {name} with (force)")
    await keeper.close()


@asynccontextmanager
async def synced(twins: tuple[Twin, Twin], form: str) -> AsyncIterator[tuple[Side, Side]]:
    """A team on each hub that keeps the other one through a dialect; in a conflict the first one's value wins."""
    async with AsyncExitStack() as stack:
        sides: list[Side] = []
        for twin in twins:
            team = await create_team(twin.hub, f"Team {uuid4()}", TeamSettings(relaxed_create=True))
            key = await make_key(twin.hub, team)
            headers = {"Authorization": f"Bearer {key['api_key']}"}
            api = await stack.enter_async_context(
                httpx.AsyncClient(base_url=twin.url, headers=headers, timeout=30, verify=PLAIN)
            )
            desk = Desk(twin.hub, team, api, key)
            await furnish(desk)
            sides.append(Side(twin, desk, form))
        await _connect(sides[0], sides[1], "hub")
        await _connect(sides[1], sides[0], "other")
        yield sides[0], sides[1]


async def _connect(ours: Side, theirs: Side, wins: Wins) -> None:
    dialect = next(found for found in find_dialects() if found.name == ours.form)
    made = await dialect.create_credential(theirs.twin.hub, theirs.team, CredentialOrder(name="other hub"))
    credentials = {name: value for name, value in made.items() if name not in ("id", "name")}
    remote = dialect.remote
    assert remote is not None
    ownership = dict.fromkeys(remote.fields, wins)
    sink = make_account_sink(ours.twin.hub, ours.team, ours.form, theirs.twin.url, credentials, ownership=ownership)
    async with ours.twin.hub.database.transaction() as connection:
        await store.lock_sinks(connection, ours.team.id)
        await store.insert_sink(connection, sink, ours.team.id)
        await store.settle_sinks(connection, ours.team.id)
    ours.sink = sink.id


async def edit_on_both(sides: tuple[Side, Side], edits: int, seed: int) -> None:
    """So many random edits in all, several at a time on each side."""
    turns = iter(range(edits))

    async def work(side: Side, number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        for turn in turns:
            if turn % 25 == 24:
                await side.create()
            else:
                await side.edit(chance)

    await asyncio.gather(*(work(side, number) for side in sides for number in range(_CONCURRENCY)))


async def wait_until_settled(sides: tuple[Side, Side], seconds: float) -> None:
    """Wait for it, and fail with what still waits and what came of its last attempt."""
    twins = (sides[0].twin, sides[1].twin)
    try:
        await wait_until(lambda: is_settled(twins), "nothing is on its way", seconds)
    except AssertionError as error:
        raise AssertionError([await twin.list_waiting() for twin in twins]) from error


async def is_settled(twins: tuple[Twin, Twin]) -> bool:
    """Whether nothing is on its way in either hub, nor came between looking at the one and at the other."""
    first = [await twin.is_quiet() for twin in twins]
    second = [await twin.is_quiet() for twin in twins]
    return first == second and all(quiet for quiet, _ in first)
