"""Stored secrets: encrypted, under one key at a time, and never out of reach while a key follows another."""

import asyncio
import stat
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import uuid4

import pytest

from customerhub.core.admin import create_team
from customerhub.core.hub import Hub
from customerhub.core.partners import MadeClient, NewClient, create_client
from customerhub.core.rotation import check_key, rotate
from customerhub.core.secrets import Vault, make_key_file, new_key, seal, to_fingerprint, write_key_file
from customerhub.embedded import Cluster
from customerhub.model.error import SecretKeyError
from customerhub.settings import Settings
from customerhub.store.db import Database, connect
from customerhub.store.migrate import migrate
from customerhub.store.partners import find_client

Start = Callable[..., Hub]
WAITING = "select exists (select from pg_locks where not granted)"


@pytest.fixture
async def start(cluster: Cluster) -> AsyncIterator[Start]:
    """Starts hubs on a database of the test's own: its keys are nobody else's."""
    name = f"keys_{uuid4().hex}"
    cluster.create_database(name)
    connection = await connect(cluster.url(name))
    await migrate(connection)
    await connection.close()
    hubs: list[Hub] = []

    def make(**settings: object) -> Hub:
        hubs.append(Hub(Database(cluster.url(name)), Settings.model_validate(settings)))
        return hubs[-1]

    yield make
    for hub in hubs:
        await hub.close()


async def make_client(hub: Hub) -> MadeClient:
    """A client of a new team."""
    team = await create_team(hub, f"Team {uuid4()}")
    return await create_client(hub, team, NewClient("fake", "ERP"))


async def secret_of(hub: Hub, client_id: str) -> str:
    """The secret of a client, as this hub reads it."""
    async with hub.database.lease() as connection:
        client = await find_client(connection, client_id)
    assert client is not None
    return hub.vault.decrypt(client.secret)


async def test_a_secret_comes_back_and_stands_nowhere(start: Start) -> None:
    """What is stored is not the secret, differs each time, and needs the key."""
    hub = start(secret_key=new_key())
    made = await make_client(hub)
    assert await secret_of(hub, made.client_id) == made.secret
    first, second = hub.vault.encrypt("s"), hub.vault.encrypt("s")
    assert first != second
    with pytest.raises(SecretKeyError):
        Vault(new_key(), None).decrypt(first)


async def test_without_a_key_nothing_is_stored(start: Start) -> None:
    """The sentence names the setting; no client was made."""
    hub = start()
    with pytest.raises(SecretKeyError, match="CUSTOMERHUB_SECRET_KEY"):
        await make_client(hub)
    async with hub.database.lease() as connection:
        assert await connection.fetchval("select count(*) from partner_client") == 0
    assert await check_key(hub) == "no secrets are stored"


@pytest.mark.parametrize("key", ["short", "é" * 44, "=" * 44])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    """And is not in the sentence."""
    with pytest.raises(SecretKeyError) as caught:
        Vault(key, None).encrypt("s")
    assert key not in str(caught.value)


def test_a_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    """Made whole, 0600, the same at the next start; nothing else is left in the directory."""
    path = tmp_path / "secret.key"
    make_key_file(path)
    text = path.read_text()
    make_key_file(path)
    assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    assert Vault("", path).open(Vault("", path).encrypt("s")) == "s"


async def test_many_makers_of_a_key_file_make_one(tmp_path: Path) -> None:
    """Processes that start at the same moment end up with the same key."""
    path = tmp_path / "secret.key"
    program = (
        "import sys, pathlib, customerhub.core.secrets as secrets; path = pathlib.Path(sys.argv[1]); "
        "secrets.make_key_file(path); print(path.read_text())"
    )
    makers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(path), stdout=asyncio.subprocess.PIPE)
        for _ in range(3)
    ]
    printed = {(await maker.communicate())[0] for maker in makers}
    assert printed == {f"{path.read_text()}\n".encode()}
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == [path]


async def test_another_key_is_noticed_at_the_start(start: Start) -> None:
    """The sentence names the fingerprint that is wanted; the right key and a list with it in it pass."""
    key = new_key()
    await make_client(start(secret_key=key))
    with pytest.raises(SecretKeyError, match=to_fingerprint(key)):
        await check_key(start(secret_key=new_key()))
    with pytest.raises(SecretKeyError, match="CUSTOMERHUB_SECRET_KEY"):
        await check_key(start())
    assert await check_key(start(secret_key=f"{new_key()}, {key}")) == f"the right one ({to_fingerprint(key)})"


async def test_a_key_in_a_file_is_replaced_beside_a_running_server(start: Start, tmp_path: Path) -> None:
    """Before, during and after, the running hub reads old and new secrets and makes new ones."""
    path = tmp_path / "secret.key"
    make_key_file(path)
    old = path.read_text()
    running, operator = start(secret_key_file=path), start(secret_key_file=path)
    before = await make_client(running)
    assert await secret_of(running, before.client_id) == before.secret
    done = await rotate(operator)
    assert (done.renewed, path.read_text() != old, len(path.read_text().split())) == (1, True, 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    after = await make_client(running)
    for hub in (running, operator, start(secret_key_file=path)):
        for made in (before, after):
            assert await secret_of(hub, made.client_id) == made.secret
    with pytest.raises(SecretKeyError):
        await secret_of(start(secret_key=old.strip()), before.client_id)
    assert await check_key(running) == f"the right one ({done.fingerprint})"


async def test_a_rotation_that_broke_off_is_finished_by_the_next(start: Start, tmp_path: Path) -> None:
    """Two keys in the file are those of a rotation on its way: the first is the new one, and no third is made."""
    path = tmp_path / "secret.key"
    make_key_file(path)
    hub = start(secret_key_file=path)
    made = await make_client(hub)
    new = new_key()
    write_key_file(path, (new, path.read_text().strip()))
    done = await rotate(hub)
    assert (done.fingerprint, path.read_text().split()) == (to_fingerprint(new), [new])
    assert await secret_of(start(secret_key=new), made.client_id) == made.secret
    assert (await rotate(hub)).renewed == 1


async def test_keys_in_the_setting_are_replaced_by_the_operator(start: Start) -> None:
    """With one key there is nothing to do but say how; with the new one in front everything goes over to it."""
    old, new = new_key(), new_key()
    made = await make_client(start(secret_key=old))
    with pytest.raises(SecretKeyError, match="new-key"):
        await rotate(start(secret_key=old))
    assert await secret_of(start(secret_key=old), made.client_id) == made.secret
    both = start(secret_key=f"{new},{old}")
    done = await rotate(both)
    assert (done.renewed, done.fingerprint, "CUSTOMERHUB_SECRET_KEY" in done.next) == (1, to_fingerprint(new), True)
    assert (await rotate(both)).renewed == 0
    assert await secret_of(start(secret_key=new), made.client_id) == made.secret
    with pytest.raises(SecretKeyError, match=to_fingerprint(new)):
        await check_key(start(secret_key=old))


async def test_a_server_with_only_the_old_key_stores_nothing_more(start: Start) -> None:
    """What it would store after a rotation nobody could read once the old key is gone."""
    old, new = new_key(), new_key()
    late = start(secret_key=old)
    await make_client(late)
    await rotate(start(secret_key=f"{new},{old}"))
    with pytest.raises(SecretKeyError, match="replaced"):
        await make_client(late)
    async with late.database.lease() as connection:
        assert await connection.fetchval("select count(*) from partner_client") == 1


async def test_a_rotation_waits_for_secrets_on_their_way(start: Start) -> None:
    """A secret encrypted in a transaction that is still open is not passed by."""
    old, new = new_key(), new_key()
    slow, both = start(secret_key=old), start(secret_key=f"{new},{old}")
    made = await make_client(slow)
    async with slow.database.transaction() as connection:
        sealed = await seal(connection, slow.vault, "late", slow.now())
        rotation = asyncio.create_task(rotate(both))
        async with both.database.lease() as watcher, asyncio.timeout(20):
            while not await watcher.fetchval(WAITING):  # noqa: ASYNC110 - the server tells it in no other way
                await asyncio.sleep(0.01)
        assert not rotation.done()
        await connection.execute("update partner_client set secret = $1", sealed)
    assert (await rotation).renewed == 1
    assert await secret_of(start(secret_key=new), made.client_id) == "late"


def test_keys_are_in_no_dump_of_the_settings() -> None:
    """Neither the text of the settings nor a fault in them shows a key."""
    key = new_key()
    assert key not in repr(Settings(secret_key=key))
    assert key not in str(Settings(secret_key=key))
