"""kill -9 under load: what was acknowledged is there with its history, and nothing is half there."""

import os
import random
import signal
from pathlib import Path

import anyio
import pytest

from customerhub.app import create_hub
from customerhub.dialects.base import find_dialects
from customerhub.embedded import Cluster, open_cluster
from customerhub.embedded.keeper import find_server
from customerhub.settings import Settings
from customerhub.store.db import connect
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.load import Load
from tests.support.process import running_hub
from tests.support.soak import sized
from tests.support.world import World, make_world

KILLS = sized(4, 20)
SERVER_KILLS = sized(2, 10)
HAVE_SINKS = "update team set has_sinks = true where id = $1"


async def make_load(world: World) -> Load:
    """Writers on four customers of a team that tells sinks."""
    async with world.hub.database.lease() as connection:
        await connection.execute(HAVE_SINKS, world.team.id)
    return Load(world, [await world.create({**world.full_body(), "first_name": f"{place}"}) for place in range(4)])


@pytest.mark.soak
async def test_a_killed_hub_keeps_what_it_promised(world: World, database_url: str, tmp_path: Path) -> None:
    """The hub is killed under load, again and again: each promise is kept, once, and each retry ends as it should."""
    load = await make_load(world)
    log = tmp_path / "hub.log"
    watcher = await connect(database_url)
    chance = random.Random(4)
    for _ in range(KILLS):
        async with running_hub(log, "--database-url", database_url) as hub, anyio.create_task_group() as tasks:
            first = len(load.done)
            tasks.start_soon(load.run, hub.url, first + 100_000)
            await load.until_done(first + chance.randint(20, 80), seconds=60)
            await hub.kill()
        assert hub.process.returncode == -signal.SIGKILL
        assert len(load.pending) > 0
        await load.check(watcher)
    async with running_hub(log, "--database-url", database_url) as hub:
        await load.run(hub.url, len(load.done) + 20)
        assert await hub.stop() == 0
    assert load.pending == {}
    await load.check(watcher)
    await watcher.close()


def kill_server(cluster: Cluster) -> int:
    """End PostgreSQL's first process by kill -9; its number."""
    server = find_server(cluster.cluster_directory)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    return server.pid


@pytest.mark.soak
async def test_a_killed_database_server_comes_back(tmp_path: Path) -> None:
    """The hub's own PostgreSQL is killed under load, again and again: the hub starts it anew and goes on, each promise
    is kept, once, and whoever was not answered gets the answer by asking again.
    """
    directory, log = tmp_path / "data", tmp_path / "hub.log"
    async with running_hub(log, "--data-dir", str(directory)) as process:
        cluster = await anyio.to_thread.run_sync(open_cluster, directory)
        with cluster:
            hub = create_hub(Settings(database_url=cluster.url()))
            async with make_world(hub, Site(hub, find_dialects(), limits=Limits())) as world:
                load = await make_load(world)
                killed = set()
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(load.run, process.url, 40 * (SERVER_KILLS + 1))
                    for place in range(SERVER_KILLS):
                        await load.until_done(40 * (place + 1), seconds=60)
                        killed.add(kill_server(cluster))
                assert len(killed) == SERVER_KILLS
                assert load.pending == {}
                assert load.told_to_wait > 0
                watcher = await connect(cluster.url())
                await load.check(watcher)
                await watcher.close()
            await hub.close()
        assert await process.stop() == 0
