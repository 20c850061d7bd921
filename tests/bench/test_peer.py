"""The peer that the hub is measured beside: it does the work that it is compared for."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest

from bench.data import address_id, customer_id
from bench.peers.fastapi_sqlalchemy import app as peer
from bench.peers.fastapi_sqlalchemy.filling import fill
from customerhub.embedded import Cluster
from customerhub.store.db import Connection, connect
from tests.support.databases import empty_database
from tests.support.world import Json

PATH = f"/v1/customers/{customer_id(2)}"
_AUDIT = "select version, actor, changes from audit_entry where customer_id = $1"


@pytest.fixture
async def url(cluster: Cluster) -> AsyncIterator[str]:
    """A database of the peer's with three customers."""
    async with empty_database(cluster) as made:
        await fill(made, "secret", 3)
        yield made


@pytest.fixture
async def rows(url: str) -> AsyncIterator[Connection]:
    """A connection to that database."""
    connection = await connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def api(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the peer, in process."""
    monkeypatch.setenv(peer.DATABASE_URL, url)
    monkeypatch.setenv(peer.POOL_SIZE, "2")
    transport = httpx.ASGITransport(peer.app)
    async with (
        peer.app.router.lifespan_context(peer.app),
        httpx.AsyncClient(transport=transport, base_url="http://peer", headers={"x-api-key": "secret"}) as client,
    ):
        yield client


async def test_the_peer_answers_an_update_with_the_record_and_audits_it(
    api: httpx.AsyncClient, rows: Connection
) -> None:
    """Names and a nested address change, the version is one on, and the audit entry says what was there before."""
    address = str(address_id(2, 1))
    edit = {"display_name": "Nordlys", "addresses": [{"id": address, "city": "Narvik"}]}
    answer = await api.patch(PATH, json=edit)
    assert answer.status_code == 201, answer.text
    shown: Json = answer.json()["data"]
    assert (shown["version"], shown["display_name"], shown["addresses"][0]["city"]) == (2, "Nordlys", "Narvik")
    assert (await api.get(PATH)).json()["data"] == shown
    (entry,) = await rows.fetch(_AUDIT, customer_id(2))
    assert (entry["version"], entry["actor"]) == (2, "bench")
    assert json.loads(entry["changes"]) == [
        {"path": "/display_name", "old": "Company 2", "new": "Nordlys"},
        {"path": f"/addresses/{address}/city", "old": "Oslo", "new": "Narvik"},
    ]


async def test_the_peer_refuses_who_has_no_key(api: httpx.AsyncClient, rows: Connection) -> None:
    """Another key than the one it was filled with gets 401, and nothing is written."""
    answer = await api.patch(PATH, json={"display_name": "Nordlys"}, headers={"x-api-key": "other"})
    assert answer.status_code == 401
    assert await rows.fetch(_AUDIT, customer_id(2)) == []
    assert await rows.fetchval("select max(version) from customer") == 1
