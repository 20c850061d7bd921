"""A dialect of nothing that shows a request log, entries to fill it with, and a log that hangs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
from typing_extensions import override

from customerhub.core.entry import Entry
from customerhub.core.hub import Hub
from customerhub.core.request_logs import get_request_log
from customerhub.model.answer import Answer, Caller
from customerhub.model.base32 import from_base32
from customerhub.model.error import NotFound
from customerhub.store.db import Connection, connect
from customerhub.web.dialect import Incoming
from customerhub.web.operation import Call, Operation
from customerhub.web.request_id import to_request_number
from tests.web.fake import READ, WRITE, FakeDialect, raising

AT = datetime(2026, 3, 4, 5, 6, 7, 891234, UTC)
# After any request of a test: the latest use of a credential is the one that is kept.
LATER = datetime(2100, 3, 4, 5, 6, 7, 891234, UTC)


async def open_entry(call: Call) -> Answer:
    """The entry that a link leads to."""
    log_id = from_base32(call.path["id"].removeprefix("fk_"))
    found = await get_request_log(call.hub, call.caller, log_id or UUID(int=0))
    return Answer(200, msgspec.json.encode(found))


OPERATIONS = (
    READ,
    WRITE,
    replace(READ, path="/fake/missing/{id}", name="missing", handler=raising(NotFound("thing", "1"))),
    Operation(method="GET", path="/fake/logs/{id}", name="open_entry", summary="Open", handler=open_entry),
)


class Logged(FakeDialect):
    """A dialect that shows a request log to a real caller."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(OPERATIONS, request_prefix="fk_", request_log_path="/fake/logs/{id}")
        self.caller = caller

    @override
    async def authenticate(self, hub: Hub, incoming: Incoming) -> Caller:
        return self.caller


def to_entry(caller: Caller, at: datetime = AT, **members: object) -> Entry:
    """An entry of this time; each call makes another one."""
    plain = Entry(
        number=to_request_number(at, uuid4()),
        at=at,
        caller=caller,
        method="GET",
        path="/fake/things/1",
        route="/fake/things/{id}",
        query=b"",
        status=200,
        latency_us=1500,
        headers=[(b"host", b"hub.test")],
        version_headers=("fake-version",),
        client_ip="192.0.2.7",
    )
    return msgspec.structs.replace(plain, **members)


async def count_entries(hub: Hub, caller: Caller) -> int:
    """How many entries of the team are stored."""
    async with hub.database.lease() as connection:
        return int(await connection.fetchval("select count(*) from request_log where team = $1", caller.team))


async def last_use(hub: Hub, caller: Caller) -> datetime | None:
    """When the credential was used last, as it is stored."""
    async with hub.database.lease() as connection:
        found: datetime | None = await connection.fetchval(
            "select last_used_at from credential where team = $1 and id = $2", caller.team, caller.credential
        )
        return found


@asynccontextmanager
async def locked_log(database_url: str) -> AsyncIterator[Connection]:
    """Somebody holds the whole table, so that every write to it waits."""
    connection = await connect(database_url)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("lock table request_log in access exclusive mode")
    try:
        yield connection
    finally:
        await transaction.rollback()
        await connection.close()
