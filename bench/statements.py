"""The two statements that the hub sends for a write, taken from a hub at work, as a script for pgbench."""

import asyncio
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import httpx
from asyncpg.connection import LoggedQuery

from bench.request import Request, Subject, take_apart
from bench.served import Place
from customerhub.app import create_hub
from customerhub.dialects.base import find_dialects
from customerhub.store.db import connect
from customerhub.web.limit import Limits
from customerhub.web.log import set_up_logging
from customerhub.web.serve import Site

_COMMENT: Final = re.compile(r"^--.*\n", re.MULTILINE)
_PLACEHOLDER: Final = re.compile(r"\$(\d+)")
_PRINTABLE: Final = range(0x20, 0x7F)
_BACKSLASH: Final = ord("\\")
# One customer's addresses in every row would be a kinder index to write to than any team has.
_ADDRESSES: Final = re.compile(r"\baddresses = :\w+")
# Where the hub's write has the version that it starts from (store/customers.sql, `update`).
_VERSION_READ: Final = 3


@dataclass(frozen=True)
class Statement:
    """One statement, the values that went with it, and the names of their types."""

    text: str
    values: tuple[object, ...]
    types: tuple[str, ...]


@dataclass(frozen=True)
class Captured:
    """What the hub asked PostgreSQL for one request: about which customer, and under which key."""

    statements: tuple[Statement, ...]
    customer: UUID
    key: str


@dataclass(frozen=True)
class Script:
    """A script of pgbench, and the variables that it is started with."""

    text: str
    variables: Mapping[str, str]


async def capture(place: Place, request: Request, subject: Subject) -> Captured:
    """What the hub sends for such a request, once it knows its caller and the team's catalogue.

    Raises RuntimeError where the hub answers otherwise than expected.
    """
    set_up_logging("warning", "json")
    hub = create_hub(place.settings())
    site = Site(hub, find_dialects(), limits=Limits())
    sent: list[LoggedQuery] = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url="http://bench") as client:
        await _ask(client, request, subject)
        # The connection that was given back last is the next to be lent.
        async with hub.database.lease() as connection:
            pass
        with connection.query_logger(sent.append):
            key = await _ask(client, request, subject)
            # The driver tells of a query when the loop comes round.
            await asyncio.sleep(0)
    await hub.close()
    connection = await connect(place.url)
    found = []
    for query in sent:
        prepared = await connection.prepare(query.query)
        types = tuple(parameter.name for parameter in prepared.get_parameters())
        found.append(Statement(query.query, tuple(query.args), types))
    await connection.close()
    return Captured(tuple(found), subject.id, key)


async def _ask(client: httpx.AsyncClient, request: Request, subject: Subject) -> str:
    """The key of a request that was answered as expected."""
    method, path, headers, body = take_apart(request.build(random.Random(), subject))  # noqa: S311 - no secret
    answer = await client.request(method, path, headers=headers, content=body)
    if answer.status_code != request.expects:
        raise RuntimeError(f"{method} {path} was answered {answer.status_code}: {answer.text}")
    return headers.get("idempotency-key", "")


def to_script(captured: Captured, stride: int, places: range) -> Script:
    """The hub's reading and its write, for the customers at these places of those that `pick_subjects` picks.

    All values are parameters, as they are the hub's. What differs from write to write differs here too: customer,
    version, key, time, which is asked for with the reading, since pgbench has no clock to tell it by, and addresses,
    which are the row's own as they were read.
    Raises ValueError where the hub asked otherwise than by a reading and a write.
    """
    read, write = captured.statements
    changing: dict[object, str] = {captured.key: ":key", captured.customer: "md5('customer ' || :number::text)::uuid"}
    reading = _to_command(read, "read", changing)
    changing |= {captured.customer: ":r_id", write.values[_VERSION_READ - 1]: ":r_version"}
    writing = _to_command(write, "write", changing)
    if not reading.text.startswith("select"):
        raise ValueError(reading.text)
    lines = (
        f"\\set number {stride} * random({places.start + 1}, {places.stop})",
        "\\set key random(1000000000000000000, 8999999999999999999)",
        reading.text.replace("select", "select clock_timestamp() as now,", 1),
        "\\gset r_",
        f"{_ADDRESSES.sub('addresses = :r_addresses', writing.text)};",
    )
    return Script("\n".join(lines) + "\n", {**reading.variables, **writing.variables})


def _to_command(statement: Statement, prefix: str, changing: Mapping[object, str]) -> Script:
    """A statement with a variable of pgbench in the place of each parameter, and what the variables hold."""
    variables: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        place = int(match.group(1))
        value = statement.values[place - 1]
        if isinstance(value, datetime):
            return ":r_now"
        if isinstance(value, str | int | UUID) and value in changing:
            return changing[value]
        if value is None:
            return "null"  # pgbench cannot send it
        variables[f"{prefix}_{place}"] = to_text(value, statement.types[place - 1])
        return f":{prefix}_{place}"

    return Script(_PLACEHOLDER.sub(name, _COMMENT.sub("", statement.text)), variables)


def to_text(value: object, type_name: str) -> str:
    """A value as PostgreSQL reads it from text; bytes in the form that costs it least (bytea's escape format)."""
    match value:
        case bytes() if type_name == "bytea":
            return "".join(_escape(byte) for byte in value)
        case bytes():
            return value.decode()
        case bool():
            return str(value).lower()
        case list() | tuple():
            quoted = (str(one).replace("\\", "\\\\").replace('"', '\\"') for one in value)
            return "{" + ",".join(f'"{one}"' for one in quoted) + "}"
        case _:
            return str(value)


def _escape(byte: int) -> str:
    if byte == _BACKSLASH:
        return "\\\\"
    return chr(byte) if byte in _PRINTABLE else f"\\{byte:03o}"
