"""States of a sandbox under names, on databases of their own: loading one replaces everything."""

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from customerhub.core import admin
from customerhub.core.fixtures import find_fixture, list_fixtures, load_fixture, save_fixture
from customerhub.core.hub import Hub
from customerhub.core.sandbox import Marker, SandboxHub, put_marker, tell_servers
from customerhub.core.secrets import make_key_file
from customerhub.dialects.base import find_dialects
from customerhub.embedded import Cluster
from customerhub.model.error import Conflict, Invalid, NotFound
from customerhub.settings import Settings
from customerhub.store.db import Database, connect
from customerhub.store.migrate import migrate, migrations
from customerhub.store.sandbox import list_tables
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.databases import empty_database
from tests.support.world import World, make_world


def _mark(directory: Path) -> None:
    directory.mkdir()
    make_key_file(directory / "secret.key")
    put_marker(directory, Marker())


@asynccontextmanager
async def _open(cluster: Cluster, directory: Path, *, up_to: int | None = None) -> AsyncIterator[SandboxHub]:
    """A new sandbox, and a hub on it that has noticed all news so far."""
    _mark(directory)
    async with empty_database(cluster) as url:
        connection = await connect(url)
        await migrate(connection, up_to=up_to)
        await connection.close()
        settings = Settings(sandbox=True, data_dir=directory, secret_key_file=directory / "secret.key")
        hub = SandboxHub(Database(url), settings)
        await hub.settle()
        yield hub
        await hub.close()


@pytest.fixture
async def sandbox(cluster: Cluster, tmp_path: Path) -> AsyncIterator[SandboxHub]:
    """A sandbox in which nothing is yet."""
    async with _open(cluster, tmp_path / "sandbox") as hub:
        yield hub


def _to_site(hub: Hub) -> Site:
    return Site(hub, find_dialects(), limits=Limits())


async def _take_contents(hub: Hub) -> dict[str, tuple[int, str]]:
    """Row count and checksum of what every table says, the log of requests too, wherever its rows stand."""
    await hub.recorder.flush()
    contents: dict[str, tuple[int, str]] = {}
    async with hub.database.lease() as connection:
        for (table,) in await connection.fetch("select tablename from pg_tables where schemaname = 'public'"):
            said = "(to_jsonb(t) - 'last_used_at')::text"
            row = await connection.fetchrow(
                f"select count(*), coalesce(sum(hashtextextended({said}, 0)), 0)::text from {table} t"  # noqa: S608 - names from pg_tables
            )
            contents[table] = row[0], row[1]
    return contents


async def _change_everything(world: World, customer_id: str) -> None:
    """Something of every kind: another value, a customer more and one less, another team."""
    await world.api.patch(f"/v1/customers/{customer_id}", json={"first_name": "Somebody else"})
    other = await world.create(world.full_body())
    await world.api.delete(f"/v1/customers/{other['id']}")
    await world.api.post("/v1/price-lists", json={"reference_id": "late", "name": "Late"})
    await admin.change_settings(world.hub, world.team, {"email_policy": "free"})
    await admin.create_team(world.hub, f"Team {uuid4()}")


async def test_a_saved_state_comes_back_whole(sandbox: SandboxHub) -> None:
    """After changes of every kind every row of every table is again as it was, and the team's key still works."""
    async with make_world(sandbox, _to_site(sandbox)) as world:
        customer = await world.create(world.full_body())
        before = await _take_contents(sandbox)
        saved = await save_fixture(sandbox, "mine")
        await _change_everything(world, customer["id"])
        assert (await _take_contents(sandbox)).keys() == before.keys()
        assert await _take_contents(sandbox) != before
        assert await load_fixture(sandbox, "mine") == saved
        assert await _take_contents(sandbox) == before
        assert await world.get(customer["id"]) == customer
    assert (saved.rows["team"], saved.rows["customer"]) == (1, 1)
    assert find_fixture(sandbox, "mine") == saved
    assert list_fixtures(sandbox) == [saved]


async def test_a_running_hub_forgets_what_was_there(sandbox: SandboxHub) -> None:
    """What another process has made since a reset is found, though the same version held something else before it."""
    twin = SandboxHub(Database(sandbox.database.url), sandbox.settings)
    async with make_world(sandbox, _to_site(sandbox)) as world:
        await save_fixture(sandbox, "mine")
        transport, headers = httpx.ASGITransport(_to_site(twin)), {"X-API-Key": world.api_key}
        async with httpx.AsyncClient(transport=transport, base_url="http://twin", headers=headers) as beside:
            for name in ("First", "Second"):
                made = await beside.post("/v1/price-lists", json={"reference_id": name, "name": name})
                await world.create(assigned_price_list_id=made.json()["data"]["id"])
                await load_fixture(twin, "mine")
    await twin.close()


async def test_every_table_is_saved(sandbox: SandboxHub) -> None:
    """Nothing that a migration makes is left out, but the ledger of migrations; none comes before what it refers to."""
    async with sandbox.database.lease() as connection:
        tables = await list_tables(connection)
        rows = await connection.fetch(
            "select relname::text from pg_class where relnamespace = 'public'::regnamespace"
            " and relkind in ('r', 'p') and not relispartition"
        )
    names = [table.name for table in tables]
    assert {*names, "schema_migration"} == {row[0] for row in rows}
    assert [
        (table.name, other)
        for table in tables
        for other in table.refers_to
        if names.index(other) > names.index(table.name)
    ] == []
    assert [table.name for table in tables if not table.key or not set(table.key) <= set(table.columns)] == []


def _edit(hub: Hub, old: bytes, new: bytes) -> None:
    path = hub.settings.data_dir / "fixtures" / "mine.fixture"
    text = path.read_bytes()
    assert old in text
    path.write_bytes(text.replace(old, new, 1))


_SPOILT = [
    (b'{"fixture":1', b'{"fixture":2', "is no fixture that this customerhub can read"),
    (b'{"fixture":1', b"{", "is no fixture: "),
    (b'{"table":"team"', b'{"tabel":"team"', "is no fixture: "),
    (b'{"table":"team"', b'{"table":"pg_authid"', "is of another schema; only one of the two has: pg_authid, team"),
    (b'"columns":["id"', b'"columns":["nothing"', "does not fit the table [a-z_]+: "),
    (b'"columns":["id"', b'"columns":["name"', "does not fit the table [a-z_]+: "),
]


async def test_a_file_that_was_spoilt_changes_nothing(sandbox: SandboxHub) -> None:
    """It is refused with what is wrong with it, and what there is stays."""
    async with make_world(sandbox, _to_site(sandbox)) as world:
        await world.create()
        await save_fixture(sandbox, "mine")
        path = sandbox.settings.data_dir / "fixtures" / "mine.fixture"
        whole = path.read_bytes()
        before = await _take_contents(sandbox)
        for old, new, sentence in _SPOILT:
            assert old in whole
            path.write_bytes(whole.replace(old, new, 1))
            with pytest.raises(Conflict, match=sentence):
                await load_fixture(sandbox, "mine")
        lines = whole.splitlines(keepends=True)
        (team,) = [number for number, line in enumerate(lines) if line.startswith(b'{"table":"team"')]
        for kept, sentence in ((team + 1, "ends in the middle of its table team"), (team, "only one of the two has")):
            path.write_bytes(b"".join(lines[:kept]))
            with pytest.raises(Conflict, match=sentence):
                await load_fixture(sandbox, "mine")
        assert await _take_contents(sandbox) == before


@pytest.mark.parametrize("name", ["", ".", "../start", "a/b", "a b", "é", "-a", "a" * 65, "a.fixture"])
async def test_a_name_is_no_path(name: str, sandbox: SandboxHub) -> None:
    """What could lead out of the sandbox, or hide in it, is refused."""
    with pytest.raises(Invalid):
        await save_fixture(sandbox, name)
    with pytest.raises(Invalid):
        await load_fixture(sandbox, name)
    assert not (sandbox.settings.data_dir / "fixtures").exists()


async def test_what_was_never_saved_cannot_be_loaded(sandbox: SandboxHub) -> None:
    """It is said to be missing."""
    with pytest.raises(NotFound, match="no such fixture: mine"):
        await load_fixture(sandbox, "mine")


async def test_a_fixture_is_its_owner_s(sandbox: SandboxHub) -> None:
    """It holds what secrets are encrypted with, so nobody else may read it."""
    await save_fixture(sandbox, "mine")
    place = sandbox.settings.data_dir / "fixtures"
    assert stat.S_IMODE((place / "mine.fixture").stat().st_mode) == 0o600
    assert [path.name for path in place.iterdir()] == ["mine.fixture"]


async def test_a_fixture_of_another_sandbox_brings_its_key(
    sandbox: SandboxHub, cluster: Cluster, tmp_path: Path
) -> None:
    """Secrets that were encrypted there are read here; new ones are still encrypted with the key of the place."""
    stored = sandbox.vault.encrypt("a secret")
    await save_fixture(sandbox, "mine")
    async with _open(cluster, tmp_path / "other") as other:
        own = other.vault.keys()
        (tmp_path / "other" / "fixtures").mkdir()
        text = (tmp_path / "sandbox" / "fixtures" / "mine.fixture").read_bytes()
        (tmp_path / "other" / "fixtures" / "theirs.fixture").write_bytes(text)
        for _ in range(2):
            await load_fixture(other, "theirs")
        assert other.vault.decrypt(stored) == "a secret"
        assert other.vault.keys() == (*own, *sandbox.vault.keys())


async def test_an_operator_s_key_stays_out_of_the_file(sandbox: SandboxHub) -> None:
    """A key that is set, and not the sandbox's own, may be that of other hubs: it is in no fixture."""
    key = "c2V0IGJ5IGFuIG9wZXJhdG9yLCBhbmQgbm90IG91cnM="
    settings = sandbox.settings.model_copy(update={"secret_key": key})
    hub = SandboxHub(sandbox.database, settings)
    await save_fixture(hub, "mine")
    text = (settings.data_dir / "fixtures" / "mine.fixture").read_text()
    assert key not in text
    assert '"secret_keys":[]' in text


async def test_an_older_fixture_is_brought_up(sandbox: SandboxHub, cluster: Cluster, tmp_path: Path) -> None:
    """One that was saved before migrations is loaded with them, and its team has what comes with every team since."""
    team = uuid4()
    async with _open(cluster, tmp_path / "old", up_to=2) as old:
        async with old.database.lease() as connection:
            await connection.execute(
                "insert into team (id, name, name_key, created_at, updated_at) values ($1, 'Old', 'old', now(), now())",
                team,
            )
            await connection.execute("insert into number_counter (team) values ($1)", team)
        await save_fixture(old, "old")
    (tmp_path / "sandbox" / "fixtures").mkdir()
    (tmp_path / "old" / "fixtures" / "old.fixture").rename(tmp_path / "sandbox" / "fixtures" / "old.fixture")
    loaded = await load_fixture(sandbox, "old")
    assert (loaded.rows["team"], loaded.rows["customer"]) == (1, 0)
    assert loaded.rows["catalogue_entry"] > 20
    found = await admin.get_team(sandbox, "old")
    assert found.id == team


async def test_a_newer_fixture_is_refused(sandbox: SandboxHub) -> None:
    """What a later version has saved is not guessed at."""
    await save_fixture(sandbox, "mine")
    _edit(sandbox, f'"migration":{len(migrations())}'.encode(), f'"migration":{len(migrations()) + 1}'.encode())
    with pytest.raises(Conflict, match="newer customerhub"):
        await load_fixture(sandbox, "mine")


async def test_every_mark_is_news_to_servers(sandbox: SandboxHub) -> None:
    """A hub forgets its callers when the sandbox is marked anew, also as what it was, and otherwise remembers them."""
    async with make_world(sandbox, _to_site(sandbox)) as world:
        await world.create()
        known = dict(sandbox.callers)
        assert len(known) == 1
        await sandbox.settle()
        assert sandbox.callers == known
        for _ in range(2):
            tell_servers(sandbox.settings.data_dir)
            await sandbox.settle()
            assert sandbox.callers == {}
            await world.create()
            assert sandbox.callers == known
