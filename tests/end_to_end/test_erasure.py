"""After an erasure a search of every table, dump and log finds nothing of the person; what happened is still told."""

import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
import structlog

from customerhub.core.housekeeping import Housekeeper
from customerhub.core.hub import Hub
from customerhub.core.imports.running import run_import
from customerhub.dialects.base import find_dialects
from customerhub.dialects.forms import find_form
from customerhub.embedded import Cluster
from customerhub.settings import Settings
from customerhub.store.db import Database, connect
from customerhub.store.migrate import migrate
from customerhub.web.limit import Limits
from customerhub.web.log import set_up_logging
from customerhub.web.serve import Site
from tests.support.augno import Account, make_account
from tests.support.count import Partner, make_partner
from tests.support.databases import empty_database
from tests.support.fixtures import SECRET_KEY
from tests.support.hub import CUSTOMERS, Desk, make_desk
from tests.support.listeners import tell_everybody
from tests.support.person import (
    Person,
    dump,
    erased_columns,
    find_everywhere,
    find_samples,
    live_through,
)
from tests.support.world import Json, World, make_world

# Where nothing of the person of this test stands: an address went from there, and what failures say quotes nobody.
NEVER = {
    ("unowned_address", "address"),
    ("idempotency_key", "headers"),
    ("request_log", "error_message"),
    ("import_result", "reason"),
}


@dataclass
class House:
    """One team through all four dialects, on a database of its own, and what the process has logged."""

    url: str
    hub: Hub
    desk: Desk
    world: World
    partner: Partner
    account: Account
    log: io.StringIO

    async def find(self, words: tuple[str, ...]) -> set[tuple[str, str]]:
        """The columns that have any of the words."""
        await self.hub.recorder.flush()
        async with self.hub.database.lease() as connection:
            return await find_everywhere(connection, words)

    async def fetch(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """What the database holds; the first value is the team."""
        async with self.hub.database.lease() as connection:
            return [tuple(row) for row in await connection.fetch(statement, self.desk.team.id, *values)]

    async def keep_house(self, later: timedelta) -> None:
        """A sweep of another process, so much later."""
        database = Database(self.url, size=1)
        await Housekeeper(database, Settings(), lambda: self.hub.now() + later).sweep()
        await database.close()

    async def erase(self, customer: Json, **headers: str) -> Json:
        """The envelope of an erasure."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        path = f"{CUSTOMERS}/{customer['id']}/erase"
        answer = await self.desk.api.post(path, json={"confirm": customer["id"], "reason": "ticket 1"}, headers=named)
        assert answer.status_code == 200, answer.text
        envelope: Json = answer.json()
        return envelope


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is logged; the loggers are put back afterwards."""
    root = logging.getLogger()
    before = root.handlers, root.level
    stream = io.StringIO()
    set_up_logging("debug", "json", stream)
    yield stream
    root.handlers, root.level = before
    logging.getLogger("uvicorn.access").disabled = False
    structlog.reset_defaults()


@pytest.fixture
async def house(cluster: Cluster, log: io.StringIO) -> AsyncIterator[House]:
    """A team that tells sinks, on a hub that keeps bodies of requests."""
    async with AsyncExitStack() as open_:
        url = await open_.enter_async_context(empty_database(cluster))
        connection = await connect(url)
        await migrate(connection)
        hub = Hub(Database(url), Settings(secret_key=SECRET_KEY, request_log_bodies=True))
        open_.push_async_callback(hub.close)
        hub.recorder.start()
        site = Site(hub, find_dialects(), limits=Limits())
        world = await open_.enter_async_context(make_world(hub, site))
        desk = await open_.enter_async_context(make_desk(hub, site, world.team))
        partner = await open_.enter_async_context(make_partner(hub, site, world.team))
        account = await open_.enter_async_context(make_account(hub, site, world.team))
        await connection.execute("update team set has_sinks = true")
        await connection.close()
        yield House(url, hub, desk, world, partner, account, log)


HISTORY = """
select customer, version, at, action, actor, actor_name, credential, dialect, request_id,
    (select array_agg(e ->> 'path') from jsonb_array_elements(changes) e)
from change where team = $1 order by customer, version
"""


async def bring_file(desk: Desk, person: Person) -> None:
    """A file that changes them and has a row that is refused, tried and left to wait."""
    rows = f"number,note\nZ-{person.mark},Told by {person.mark}\nZ-{person.mark},{'x' * 9_000}\n"
    answer = await desk.api.post("/hub/v1/imports", content=rows, headers={"content-type": "text/csv"})
    staged = answer.json()
    assert (answer.status_code, staged["match"], staged["rows"]) == (201, "number", 2), answer.text
    assert (await desk.api.post(f"/hub/v1/imports/{staged['id']}/try")).status_code == 200
    tried = await run_import(desk.hub, desk.team.id, UUID(staged["id"]), find_form)
    assert tried is not None


async def test_nothing_of_an_erased_person_is_found_anywhere(house: House, cluster: Cluster) -> None:
    """Written through four dialects, refused, tried, merged and logged: then nowhere, and everything still counts."""
    person, other = Person(), Person()
    envelope = await live_through(person, house.desk, house.world, house.partner, house.account)
    neighbour = await house.desk.create(other.body())
    customer = envelope["customer"]
    await tell_everybody(house.hub, house.desk.team.id, UUID(customer["id"]), person.values)
    await bring_file(house.desk, person)
    assert await house.find(person.values) == erased_columns() - NEVER
    before, elsewhere = await house.fetch(HISTORY), await house.find(other.values)
    async with house.hub.database.lease() as connection:
        await connection.execute("analyze")
        assert await find_samples(connection, person.values) != []

    erased = await house.erase(customer, idempotency_key="erase", if_match=f'"{customer["version"]}"')

    assert await house.find(person.values) == set()
    assert person.mark not in dump(cluster, house.url).lower()
    assert person.mark not in house.log.getvalue().lower()
    await house.keep_house(timedelta(minutes=10))
    async with house.hub.database.lease() as connection:
        assert await find_samples(connection, person.values) == []
    assert await house.find(other.values) == elsewhere
    shown = await house.account.api.get("/v1/core/audit-events", params={"include": "changes", "limit": 100})
    assert (shown.status_code, person.mark in shown.text) == (200, False)
    after = {(row[0], row[1]): row for row in await house.fetch(HISTORY)}
    assert [after.pop((row[0], row[1])) for row in before] == before
    last = sorted((row[3], row[9]) for row in after.values())
    assert last == [("erased", [""]), ("erased", [""])]
    told = await house.fetch("select customer, type from event where team = $1 and type = 'customer.erased'")
    assert {(str(one), kind) for one, kind in told} == {(one, "customer.erased") for one in erased["erased"]}
    assert len(told) == 2
    assert await house.desk.get(neighbour["id"]) == neighbour
