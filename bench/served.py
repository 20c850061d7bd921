"""What is measured, up and running: PostgreSQL with customers in it, a copy for the floor, and a hub process."""

import os
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from bench.data import customer_id, fill
from bench.request import Subject
from customerhub.app import create_hub
from customerhub.core import admin
from customerhub.core.catalogue import EntryProposal, EntryValues, create_entry
from customerhub.core.hub import Hub
from customerhub.core.system import bring_up
from customerhub.dialects.base import find_dialects
from customerhub.embedded import Cluster, open_cluster
from customerhub.embedded.keeper import find_server
from customerhub.model.answer import Answer
from customerhub.model.catalogue import (
    AccountGroupDetails,
    CarrierDetails,
    Catalogue,
    Details,
    Kind,
    PriceListDetails,
    ShippingTermDetails,
)
from customerhub.settings import Settings
from customerhub.store.access import Team
from customerhub.store.db import connect
from customerhub.web.dialect import CredentialOrder

_MOST_SUBJECTS: Final = 20_000
_STOP_SECONDS: Final = 30
_SUBJECTS: Final = """
select c.id, c.email, array(select a ->> 'city' from jsonb_array_elements(c.addresses) a)
from customer c where c.team = $1 and c.id = any ($2)
"""
_REFERENCES: Final = """
select kind, min(id::text) from catalogue_entry where team = $1 and status = 'active' group by kind
union all select 'user', min(id::text) from team_user where team = $1
"""
_ENTRIES: Final[tuple[tuple[Kind, str, Details], ...]] = (
    ("price_list", "Wholesale EU", PriceListDetails()),
    ("price_list", "Wholesale US", PriceListDetails()),
    ("shipping_term", "Delivered", ShippingTermDetails()),
    ("carrier", "Northbound", CarrierDetails()),
    ("account_group", "Shops", AccountGroupDetails("type_group")),
)
# What stands in no other place than the databases of one run.
SECRET_KEY: Final = b64encode(b"the key of one benchmark's run!!").decode()


@dataclass(frozen=True)
class Place:
    """A team with customers in a database of its own, and what its clients show and refer to, by dialect."""

    cluster: Cluster
    url: str
    team: Team
    credentials: Mapping[str, Mapping[str, str]]
    customers: int

    @property
    def server(self) -> int:
        """The process of PostgreSQL under which all others of it live."""
        found = find_server(self.cluster.cluster_directory)
        if found is None:
            raise RuntimeError("PostgreSQL is gone")
        return found.pid

    def settings(self) -> Settings:
        """Those of a hub on this database."""
        return Settings(database_url=self.url, secret_key=SECRET_KEY)


@asynccontextmanager
async def opened_place(directory: Path, customers: int, *, addresses: int = 2) -> AsyncIterator[Place]:
    """Start PostgreSQL, and make a team of so many customers with a credential for each dialect."""
    with open_cluster(directory / "data") as cluster:
        yield await make_place(cluster, "bench", customers, addresses=addresses)


async def make_place(cluster: Cluster, database: str, customers: int, *, addresses: int = 2) -> Place:
    """A database of this name, with a team of so many customers."""
    cluster.create_database(database)
    url = cluster.url(database)
    hub = create_hub(Settings(database_url=url, secret_key=SECRET_KEY))
    async with hub.database.lease() as connection:
        await bring_up(connection)
    team = await admin.create_team(hub, "Bench")
    await _furnish(hub, team)
    async with hub.database.lease() as connection:
        references = {str(kind): str(entry) for kind, entry in await connection.fetch(_REFERENCES, team.id)}
    credentials = {}
    for dialect in find_dialects():
        made = await dialect.create_credential(hub, team, CredentialOrder(name="bench"))
        credentials[dialect.name] = references | {name: str(value) for name, value in made.items()}
    await hub.close()
    connection = await connect(url)
    await fill(connection, team.id, team.id, customers, addresses=addresses)
    await connection.close()
    return Place(cluster, url, team, credentials, customers)


async def _furnish(hub: Hub, team: Team) -> None:
    """What customers refer to, beside what every team has."""
    for name in ("Priya", "Ravi"):
        await admin.create_user(hub, team, admin.NewUser(f"{name}@bench.example", name, "Nair"))
    for kind, name, details in _ENTRIES:
        proposal = EntryProposal(EntryValues(name, reference_id=name, details=details))
        await create_entry(hub, admin.to_command(team.id), kind, partial(_propose, proposal), lambda _: Answer(201))


def _propose(proposal: EntryProposal, _: Catalogue) -> EntryProposal:
    return proposal


async def copy_database(place: Place, name: str) -> str:
    """The address of a copy of a place's database, to which no hub is connected.

    A hub would give what is written there its place in the feed, and that work would be counted with whatever runs.
    """
    connection = await connect(place.cluster.url("postgres"))
    await connection.execute(f'create database "{name}" template bench strategy file_copy', timeout=600)
    await connection.close()
    return place.cluster.url(name)


async def pick_subjects(place: Place) -> list[Subject]:
    """Customers that requests are about, evenly from all over the team."""
    stride = find_stride(place.customers)
    numbers = range(stride, place.customers + 1, stride)
    connection = await connect(place.url)
    rows = await connection.fetch(_SUBJECTS, place.team.id, [customer_id(number) for number in numbers])
    await connection.close()
    found = {row[0]: row for row in rows}
    return [Subject(number, tuple(found[customer_id(number)][2]), found[customer_id(number)][1]) for number in numbers]


def find_stride(customers: int) -> int:
    """How many customers there are for each that requests are about."""
    return max(1, customers // _MOST_SUBJECTS)


@dataclass(frozen=True)
class Server:
    """A process that answers requests on a port of this machine."""

    process: int
    port: int


def heed_ending() -> None:
    """Hear SIGTERM as Ctrl-C is heard, so that whoever ends this process ends what it started too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextmanager
def running(
    command: list[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """A process for so long as it is needed; told to stop afterwards, and killed where it does not."""
    with log.open("a") as errors:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def serving_hub(place: Place, log: Path, workers: int = 1, **settings: str) -> Iterator[Server]:
    """`customerhub serve`, with everything on that is on by default."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CUSTOMERHUB_")}
    environment["CUSTOMERHUB_SECRET_KEY"] = SECRET_KEY
    environment |= {f"CUSTOMERHUB_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "customerhub", "serve", "--json", "--port", "0"]
    command += ["--database-url", place.url, "--workers", str(workers)]
    with running(command, log, environment) as process:
        assert process.stdout is not None  # noqa: S101 - asked for
        greeting = ""
        while not greeting.endswith("\n}\n"):
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the hub did not start: {log.read_text()}")
            greeting += line
        url = str(msgspec.json.decode(greeting)["url"])
        yield Server(process.pid, int(url.rpartition(":")[2]))
