"""kill -9 between the commit and the answer: whoever did not hear it asks again, and hears what was done."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from customerhub.core.hub import Hub
from customerhub.store.db import Connection, connect
from customerhub.web.serve import Site
from tests.end_to_end.doors import DIALECTS
from tests.support.augno import CUSTOMERS, Account, Json, bearer, make_account, uuid_of
from tests.support.mute import muted
from tests.support.process import HubProcess, running_hub
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif("augno" not in DIALECTS, reason="the dialect is not installed")
VERSION = "select version from customer where team = $1 and id = $2"
HOLD = "select 1 from customer where team = $1 and id = $2 for update"
WAITING = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
STORED = "select body from idempotency_key where team = $1 and key = $2"
HISTORY = "select version from change where team = $1 and customer = $2 order by version"


@pytest.fixture
async def account(hub: Hub, site: Site) -> AsyncIterator[Account]:
    """A furnished team."""
    async with make_account(hub, site) as made:
        yield made


@pytest.fixture
async def watcher(database_url: str) -> AsyncIterator[Connection]:
    """A session of its own, which sees what is committed."""
    connection = await connect(database_url)
    yield connection
    await connection.close()


async def send(account: Account, process: HubProcess, customer: Json) -> httpx.Response:
    """The one update that is sent twice."""
    async with httpx.AsyncClient(base_url=process.url, headers=bearer(account.api_key), timeout=30) as api:
        return await api.patch(
            f"{CUSTOMERS}/{customer['id']}",
            params={"include": "contact_info,credit_limit"},
            json={"phone": "+1-503-555-0100", "credit_limit": {"value": "31000.50", "unit_id": account.unit}},
            headers={"Idempotency-Key": "one update"},
        )


async def test_what_was_committed_and_not_answered_is_answered_later(
    account: Account, watcher: Connection, database_url: str, tmp_path: Path
) -> None:
    """The database has the change, the hub has not heard so and is killed: another one answers from what was stored."""
    customer = await account.create(account.full_body())
    record = account.team.id, uuid_of(customer["id"])
    other = await connect(database_url)
    log = tmp_path / "hub.log"
    async with muted(database_url) as mute, running_hub(log, "--database-url", mute.url) as process:
        holding = watcher.transaction()
        await holding.start()
        await watcher.execute(HOLD, *record)
        sending = asyncio.create_task(send(account, process, customer))
        await wait_until(lambda: is_waiting(other), "the write waits for the row")
        mute.fall_silent()
        await holding.rollback()
        await wait_until(lambda: is_at(other, record, 2), "the change is committed")
        assert not sending.done()
        await process.kill()
        with suppress(httpx.TransportError):
            await sending
        assert process.process.returncode == -signal.SIGKILL
    stored = await other.fetchval(STORED, account.team.id, "one update")
    async with running_hub(log, "--database-url", database_url) as process:
        again = await send(account, process, customer)
        third = await send(account, process, customer)
    for answer in (again, third):
        assert (answer.status_code, answer.headers["idempotent-replayed"]) == (200, "true"), answer.text
        assert answer.content == stored
        assert answer.headers["etag"] == '"2"'
    told = again.json()
    assert (told["contact_info"]["phone"], told["credit_limit"]["value"]) == ("+1-503-555-0100", "31000.50")
    assert [row[0] for row in await other.fetch(HISTORY, *record)] == [1, 2]
    assert (await account.get(customer["id"]))["updated_at"] == told["updated_at"]
    await other.close()


async def is_waiting(connection: Connection) -> bool:
    """Whether some session waits for what another one holds."""
    return bool(await connection.fetchval(WAITING))


async def is_at(connection: Connection, record: tuple[object, object], version: int) -> bool:
    """Whether the record stands at a version."""
    return bool(await connection.fetchval(VERSION, *record) == version)
