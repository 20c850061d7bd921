"""A backup is all of a hub as one moment has it; restored it is that hub, on whichever PostgreSQL, and goes on."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from customerhub.app import create_hub
from customerhub.core.access import find_caller
from customerhub.core.admin import get_team
from customerhub.core.hub import Hub
from customerhub.core.secrets import new_key
from customerhub.core.timeline import walk_changes
from customerhub.embedded import Cluster, open_cluster
from customerhub.embedded.binaries import find_major
from customerhub.model.error import Busy, Conflict, SecretKeyError, Unavailable
from customerhub.store import backup as store
from customerhub.store.backup import LEFT_OUT, list_saved_tables
from customerhub.store.db import Connection
from customerhub.store.migrate import applied, migrations
from customerhub.store.sandbox import Table
from tests.support.backups import WELL, examine, load, open_hub, save, take_contents, take_schema, to_site
from tests.support.waiting import wait_until
from tests.support.world import DIALECT, World, make_world

Put = Callable[[bytes], Awaitable[None]]

ALL_TABLES = """
select relname::text from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
"""
# Whoever fills a table and waits for a lock in this database.
_WAITS = "from pg_stat_activity where datname = current_database() and query like 'COPY%' and wait_event_type = 'Lock'"
HELD = f"select exists (select {_WAITS})"
END = f"select count(pg_terminate_backend(pid)) {_WAITS}"
# Another major version than the wheel's; CI machines have it as a package.
OTHER_POSTGRES = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
async def source(cluster: Cluster) -> AsyncIterator[Hub]:
    """A hub to be saved."""
    async with open_hub(cluster) as hub:
        yield hub


@pytest.fixture
async def target(cluster: Cluster) -> AsyncIterator[Hub]:
    """An empty hub."""
    async with open_hub(cluster) as hub:
        yield hub


@pytest.fixture
async def world(source: Hub) -> AsyncIterator[World]:
    """A furnished team there."""
    async with make_world(source, to_site(source)) as made:
        yield made


async def write(world: World) -> tuple[str, httpx.Response]:
    """A customer with everything in it, changed under a key, and a secret that is stored encrypted; its id."""
    customer = await world.create(world.full_body())
    path, headers = f"/v1/customers/{customer['id']}", {"Idempotency-Key": "once"}
    changed = await world.api.patch(path, json={"first_name": 'Ünï\\"\t\n\\.'}, headers=headers)
    assert changed.status_code == 201
    await world.create()
    await walk_changes(world.hub, await find_caller(world.hub, DIALECT, world.api_key), 0, 10)
    async with world.hub.database.transaction() as connection:
        await connection.execute(
            "insert into secret_key (fingerprint, created_at) values ($1, now())", world.hub.vault.fingerprints()[0]
        )
    return customer["id"], changed


async def test_a_restored_hub_is_the_saved_one(world: World, source: Hub, target: Hub) -> None:
    """Every row of every table, every index and key; the doctor finds nothing to mend."""
    await write(world)
    before, schema = await take_contents(source.database), await take_schema(target.database)
    saved = await save(source)
    assert await load(target, saved.whole) == saved.backup
    assert await take_contents(target.database) == before
    assert await take_schema(target.database) == schema
    assert await examine(target.database) == WELL
    assert saved.backup is not None
    assert saved.backup.secret_keys == source.vault.fingerprints()
    assert {table: count for table, (count, _) in before.items() if table not in LEFT_OUT} == saved.backup.rows
    assert dict(saved.told) == {table: count for table, count in saved.backup.rows.items() if count}


async def test_a_restored_hub_goes_on(world: World, source: Hub, target: Hub) -> None:
    """Keys replay, credentials are let in, feeds go on at the position after the last, and versions after theirs."""
    customer, changed = await write(world)
    await load(target, (await save(source)).whole)
    transport, headers = httpx.ASGITransport(to_site(target)), {"X-API-Key": world.api_key}
    async with httpx.AsyncClient(transport=transport, base_url="http://hub", headers=headers) as api:
        path = f"/v1/customers/{customer}"
        again = await api.patch(path, json={"first_name": 'Ünï\\"\t\n\\.'}, headers={"Idempotency-Key": "once"})
        assert (again.status_code, again.content) == (changed.status_code, changed.content)
        assert (await api.get(path)).json()["data"]["first_name"] == 'Ünï\\"\t\n\\.'
        caller = await find_caller(target, DIALECT, world.api_key)
        old = await walk_changes(target, caller, 0, 100)
        assert old == await walk_changes(source, await find_caller(source, DIALECT, world.api_key), 0, 100)
        await api.patch(path, json={"first_name": "Next"})
        news = await walk_changes(target, caller, old.next, 100)
        assert [(entry.position, entry.entry.customer, entry.entry.version) for entry in news.entries] == [
            (old.next + 1, UUID(customer), 3)
        ]


async def test_every_table_is_saved_or_left_out_with_a_reason(source: Hub) -> None:
    """Nothing that a migration makes is forgotten."""
    async with source.database.lease() as connection:
        saved = {table.name for table in await list_saved_tables(connection)}
        there = {row[0] for row in await connection.fetch(ALL_TABLES)}
    assert saved | set(LEFT_OUT) == there
    assert saved & set(LEFT_OUT) == set()


async def test_a_backup_is_one_moment_of_a_busy_hub(
    world: World, source: Hub, target: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written while it is made is not in it, neither a customer nor what belongs to its change."""
    customer = await world.create(world.full_body())
    await source.recorder.flush()
    before = await take_contents(source.database)
    original = store.copy_out
    written: list[int] = []

    async def copy_among_writers(connection: Connection, table: Table, put: Put) -> None:
        answer = await world.api.patch(f"/v1/customers/{customer['id']}", json={"first_name": table.name})
        assert answer.status_code == 201
        written.append((await world.create())["id"])
        await original(connection, table, put)

    monkeypatch.setattr(store, "copy_out", copy_among_writers)
    saved = await save(source)
    await load(target, saved.whole)
    assert saved.backup is not None
    assert len(written) == len(saved.backup.rows)
    assert await take_contents(target.database) == before
    assert await examine(target.database) == WELL
    assert await examine(source.database) == WELL


async def refused(target: Hub, content: bytes, sentence: str, size: int = 4096) -> None:
    """A file that is not restored, and leaves the hub as it was."""
    before, schema = await take_contents(target.database), await take_schema(target.database)
    with pytest.raises(Conflict, match=sentence):
        await load(target, content, size)
    assert await take_contents(target.database) == before
    assert await take_schema(target.database) == schema


async def test_a_hub_with_anything_in_it_is_not_restored_into(world: World, source: Hub, target: Hub) -> None:
    """Be it a single team; not into the hub that was saved either."""
    content = (await save(source)).whole
    await refused(source, content, "^This hub is not empty ")
    async with target.database.lease() as connection:
        await connection.execute(
            "insert into team (id, name, name_key, created_at, updated_at) values ($1, 'A', 'a', now(), now())", uuid4()
        )
    await refused(target, content, r"^This hub is not empty \(there are rows in team\): restore into a new ")


async def test_what_is_damaged_is_not_restored(world: World, source: Hub, target: Hub) -> None:
    """Cut short, with a wrong checksum, with rows changed or lost, or with something behind its end."""
    await write(world)
    content = (await save(source)).whole
    plain = gzip.decompress(content)
    row, name = next(line for line in plain.splitlines(keepends=True) if b"Wholesale EU" in line), b"Wholesale EU"
    changes = [
        (content[: len(content) * 2 // 3], "it ends too early"),
        (content[:-1], "it ends too early"),
        (content[:-6] + b"\0" + content[-5:], "it cannot be unpacked"),
        (content + b"x", "something follows its end"),
        (gzip.compress(plain.replace(name, b"Wholesale US", 1)), "the rows of .* are not those that were saved"),
        (gzip.compress(plain.replace(row, b"", 1)), "the rows of .* are not those that were saved"),
        (gzip.compress(plain[: plain.index(row)]), "it ends in the middle of audit"),
        (gzip.compress(plain[: plain.rindex(b"\n", 0, -1) + 1]), "it ends too early"),
        (gzip.compress(plain + b"{}\n"), "something follows its end"),
        (gzip.compress(plain.replace(b'{"table":"audit"', b'{"table":"team"', 1)), "audit is to follow, and team does"),
    ]
    for spoilt, how in changes:
        await refused(target, spoilt, rf"^The backup is damaged \({how}.*\): nothing was restored\.$")


async def test_what_is_no_backup_is_not_restored(source: Hub, target: Hub) -> None:
    """Nor one of another format, of a newer version, or of a schema that no version has had."""
    plain = gzip.decompress((await save(source)).whole)
    for content in (b"", b"PGDMP", gzip.compress(b""), gzip.compress(b"{}\n"), gzip.compress(b"x" * 3_000_000)):
        await refused(target, content, "^This is no backup of customerhub")
    newer = len(migrations()) + 1
    changes = [
        (b'{"backup":1', b'{"backup":2', "^The backup has format 2, and this version reads 1"),
        (b'"migration":%d' % (newer - 1), b'"migration":%d' % newer, "^The backup was made by customerhub .* newer"),
        (b'"tables":["', b'"tables":["pg_authid","', "^The backup is of another schema; only one .*: pg_authid"),
        (
            b'"columns":["team"',
            b'"columns":["other"',
            "^The backup is of another schema; of attempt only .*: other, team",
        ),
    ]
    for old, new, sentence in changes:
        spoilt = plain.replace(old, new, 1)
        assert spoilt != plain
        await refused(target, gzip.compress(spoilt), sentence)


async def test_the_key_of_stored_secrets_is_asked_for(world: World, source: Hub, cluster: Cluster) -> None:
    """Before anything is restored; it is named by its fingerprint, and the file does not hold it."""
    await write(world)
    content = (await save(source)).whole
    (key,), (fingerprint,) = source.vault.keys(), source.vault.fingerprints()
    assert key.encode() not in gzip.decompress(content)
    for other in (new_key(), ""):
        async with open_hub(cluster, secret_key=other) as target:
            before = await take_contents(target.database)
            with pytest.raises(SecretKeyError, match=fingerprint if other else "Set CUSTOMERHUB_SECRET_KEY"):
                await load(target, content)
            assert await take_contents(target.database) == before
    async with open_hub(cluster, secret_key=f"{new_key()},{key}") as target:
        await load(target, content)


async def test_an_older_backup_is_brought_up(cluster: Cluster, target: Hub) -> None:
    """One of the second migration gets all later ones, and its team what comes with every team since."""
    async with open_hub(cluster, up_to=2) as old:
        async with old.database.lease() as connection:
            await connection.execute(
                "insert into team (id, name, name_key, created_at, updated_at) values ($1, 'A', 'a', now(), now())",
                team := uuid4(),
            )
            await connection.execute("insert into number_counter (team) values ($1)", team)
        saved = await save(old)
    schema = await take_schema(target.database)
    loaded = await load(target, saved.whole)
    assert (loaded.migration, loaded.rows["team"]) == (2, 1)
    assert await take_schema(target.database) == schema
    assert (await get_team(target, "A")).id == team
    assert await examine(target.database) == WELL
    async with target.database.lease() as connection:
        assert await applied(connection) == len(migrations())


async def test_a_database_without_a_schema_gets_one(world: World, source: Hub, cluster: Cluster) -> None:
    """There is nothing to be done to a new database first; and of one without a hub there is no backup."""
    async with open_hub(cluster, up_to=0) as bare:
        with pytest.raises(Conflict, match="There is no hub in this database"):
            await save(bare)
        await load(bare, (await save(source)).whole)
        assert await take_contents(bare.database) == await take_contents(source.database)


async def test_nobody_uses_a_hub_that_is_being_filled(source: Hub, target: Hub) -> None:
    """Whoever has a table open is not waited for longer than the settings say."""
    content = (await save(source)).whole
    hurried = create_hub(target.settings.model_copy(update={"patience_seconds": 0.1}))
    async with target.database.transaction() as connection:
        await connection.execute("select from team")
        with pytest.raises(Busy):
            await load(hurried, content)
    await hurried.close()
    await load(target, content)


async def test_a_server_that_goes_away_ends_a_restore(target: Hub) -> None:
    """Also while it takes no more rows, so that nobody is there to whom the loss would be told."""
    table = Table("secret_key", ("fingerprint", "created_at"), ("fingerprint",), ())

    async def endless() -> AsyncIterator[bytes]:
        yield b"held\t2026-01-01\n"
        while True:
            yield b"".join(b"%s\t2026-01-01\n" % uuid4().hex.encode() for _ in range(1000))

    async def copy() -> None:
        async with target.database.transaction() as connection:
            await store.copy_in(connection, table, endless())

    beside = target.database.beside(2)
    async with beside.transaction(keep=False) as holder, beside.lease() as other:
        # The server waits for whoever holds that key, and so reads no further.
        await holder.execute("insert into secret_key (fingerprint, created_at) values ('held', now())")
        copying = asyncio.create_task(copy())
        await wait_until(partial(other.fetchval, HELD), "the server waits")
        assert await other.fetchval(END) == 1
        with pytest.raises(Unavailable):
            await asyncio.wait_for(copying, 20)
    await beside.close()
    assert (await take_contents(target.database))["secret_key"][0] == 0


@pytest.mark.skipif(find_major(OTHER_POSTGRES) is None, reason="there is no second PostgreSQL on this machine")
async def test_a_backup_goes_from_one_postgresql_to_another(
    world: World, source: Hub, target: Hub, tmp_path: Path
) -> None:
    """To an older major version and back; every row of every table is the same."""
    await write(world)
    before = await take_contents(source.database)
    other = await asyncio.to_thread(open_cluster, tmp_path / "other", binaries=OTHER_POSTGRES)
    with other:
        async with open_hub(other) as between:
            await load(between, (await save(source)).whole)
            assert await take_contents(between.database) == before
            assert await examine(between.database) == WELL
            back = await save(between)
    assert back.backup is not None
    assert back.backup.postgres.startswith("15.")
    await load(target, back.whole)
    assert await take_contents(target.database) == before
