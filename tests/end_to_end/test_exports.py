"""Exports over a real socket: sent while they are made, as fast as they are taken, and whole or visibly broken."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from customerhub.core.hub import Hub
from customerhub.dialects.hub.tests.helpers import refusal
from customerhub.web.serve import Site
from tests.support.customers import new_customer, put_customers
from tests.support.hub import Desk, Json, make_desk
from tests.support.process import HubProcess, running_hub
from tests.support.soak import sized
from tests.support.waiting import wait_until

EXPORT = "/hub/v1/exports/customers"
STALL = 1.0
# More than sockets hold between a server that sends and a client that does not read.
MANY = sized(1_500, 1_000_000)
NOTE = "n" * sized(20_000, 2_000)
_HOLDERS = """
    select pid from pg_stat_activity
    where datname = current_database() and query like '%c.created_at%' and backend_xmin is not null
        and pid <> pg_backend_pid()
"""


@dataclass
class Office:
    """A team with more customers than fit into any buffer, on a server of its own."""

    desk: Desk
    server: HubProcess
    log: Path

    @property
    def headers(self) -> dict[str, str]:
        """What shows the team's key."""
        return {"Authorization": f"Bearer {self.desk.api_key}"}

    async def holders(self) -> list[int]:
        """The database's sessions that hold a snapshot for an export."""
        async with self.desk.hub.database.lease() as connection:
            return [row[0] for row in await connection.fetch(_HOLDERS)]

    async def ask(self, query: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection on which an export is asked for, and nothing is read."""
        place = urlsplit(self.server.url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=1024)
        lines = (f"GET {EXPORT}{query} HTTP/1.1", "host: hub", f"authorization: Bearer {self.desk.api_key}", "", "")
        writer.write("\r\n".join(lines).encode())
        await writer.drain()
        return reader, writer

    def logged(self) -> list[Json]:
        """What the server has told of exports."""
        lines = [line for line in self.log.read_text(encoding="utf-8").splitlines() if EXPORT in line]
        return [msgspec.json.decode(line) for line in lines]

    def peak(self) -> int:
        """The most memory that the server has had, in bytes."""
        status = Path(f"/proc/{self.server.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


@pytest.fixture
async def office(hub: Hub, site: Site, database_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    """A team with many customers, whose server waits a second for those who take nothing."""
    log = tmp_path / "serve.log"
    running = running_hub(log, "--database-url", database_url, stall_seconds=str(STALL), exports="1", log_format="json")
    async with make_desk(hub, site) as desk, running as server:
        start = hub.now() - timedelta(days=30)
        async with hub.database.lease() as connection:
            for first in range(0, MANY, 10_000):
                numbers = range(first, min(first + 10_000, MANY))
                made = [new_customer(desk.team.id, start + timedelta(seconds=one), note=NOTE) for one in numbers]
                await put_customers(connection, made)
        yield Office(desk, server, log)
        async with hub.database.lease() as connection:
            await connection.execute("delete from customer where team = $1", desk.team.id)


@pytest.mark.soak
async def test_an_export_is_sent_while_it_is_made(office: Office) -> None:
    """In chunks, under a name, in memory that does not grow with it; HEAD tells the same without making one."""
    async with httpx.AsyncClient(base_url=office.server.url, headers=office.headers, timeout=600) as api:
        head = await api.head(EXPORT, params={"format": "jsonl"})
        before, size, lines = office.peak(), 0, 0
        async with api.stream("GET", EXPORT, params={"format": "jsonl"}) as answer:
            async for piece in answer.aiter_raw():
                size += len(piece)
                lines += piece.count(b"\n")
    assert (answer.status_code, lines) == (200, MANY)
    assert size > MANY * len(NOTE)
    assert office.peak() - before < 24_000_000
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["content-disposition"] == 'attachment; filename="customers-hub.jsonl"'
    mine = ("content-type", "content-disposition", "cache-control")
    assert [head.headers[name] for name in mine] == [answer.headers[name] for name in mine]
    assert (head.status_code, head.content, "content-length" in head.headers) == (200, b"", False)
    assert [(one["method"], one.get("bytes")) for one in office.logged()] == [("HEAD", None), ("GET", size)]


async def test_whoever_goes_or_takes_nothing_leaves_nothing_behind(office: Office) -> None:
    """No snapshot is held for a client that is gone, nor for one that stopped reading a while ago."""

    async def is_held() -> bool:
        return bool(await office.holders())

    async def is_free() -> bool:
        return not await office.holders()

    _, gone = await office.ask()
    await wait_until(is_held, "the export has begun")
    async with httpx.AsyncClient(base_url=office.server.url, headers=office.headers) as api:
        full = await api.get(EXPORT)
    assert (refusal(full), full.headers["retry-after"]) == ((503, "full", []), "5")
    gone.close()
    await wait_until(is_free, "nothing is held for a client that is gone")
    reader, idle = await office.ask()
    await wait_until(is_held, "the next export has begun")
    await wait_until(is_free, "nothing is held for a client that takes nothing", seconds=20)
    body = await asyncio.wait_for(reader.read(-1), 20)
    assert body.startswith(b"HTTP/1.1 200 ")
    assert not body.endswith(b"0\r\n\r\n")
    idle.close()
    await wait_until(lambda: _has_told(office, 3), "both are logged")
    assert [one["status"] for one in office.logged()] == [503, 499, 499]


async def _has_told(office: Office, count: int) -> bool:
    return len(office.logged()) == count


async def test_a_failure_in_the_middle_breaks_the_connection(office: Office) -> None:
    """What has come by then cannot be taken for whole, and the log says that it broke."""
    async with httpx.AsyncClient(base_url=office.server.url, headers=office.headers) as api:
        with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012 - it comes in the middle
            async with api.stream("GET", EXPORT) as answer:
                assert answer.status_code == 200
                async with office.desk.hub.database.lease() as connection:
                    for session in await office.holders():
                        await connection.fetchval("select pg_terminate_backend($1)", session)
                async for _ in answer.aiter_raw():
                    pass
        await wait_until(lambda: _has_told(office, 1), "it is logged")
        (told,) = office.logged()
        assert (told["status"], told["broken"], told["error"]) == (200, True, "Unavailable")
        again = await api.get(EXPORT, params={"fields": "id", "ids": str(office.desk.team.id)})
        assert (again.status_code, again.text) == (200, "id\n")


async def test_what_is_wrong_with_an_order_is_told_before_it_begins(hub: Hub, site: Site) -> None:
    """By the parameter, as problem details; and nobody gets one without a key."""
    wrong = {
        "format": "xml",
        "shape": "nobody",
        "fields": "id,colour",
        "as_of": "yesterday",
        "status": "asleep",
        "colour": "red",
    }
    async with make_desk(hub, site) as desk:
        for name, value in wrong.items():
            answer = await desk.api.get(EXPORT, params={name: value})
            assert (answer.status_code, [one["parameter"] for one in answer.json()["errors"]]) == (400, [name])
        answer = await desk.api.get(EXPORT, headers={"Authorization": "Bearer hub_nobody"})
    assert refusal(answer) == (401, "unauthenticated", [])
