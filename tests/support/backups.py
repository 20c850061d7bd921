"""Hubs on databases of their own, to save and to restore, and what all tables of one say."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from customerhub.app import create_hub
from customerhub.core.backup import Backup, load_backup, save_backup
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.embedded import Cluster
from customerhub.settings import Settings
from customerhub.store.db import Database, connect
from customerhub.store.doctor import Findings, get_findings
from customerhub.store.migrate import migrate
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.databases import empty_database
from tests.support.fixtures import SECRET_KEY

WELL = Findings({}, {}, {}, {}, (), ())
"""What the doctor finds in records that agree with each other."""

_TABLES = """
select relname::text from pg_class
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
order by relname
"""
_SCHEMA = """
select 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid) from pg_index
join pg_class on pg_class.oid = indexrelid where relnamespace = 'public'::regnamespace
union all
select 'constraint', conrelid::regclass::text || ' ' || conname, pg_get_constraintdef(oid) from pg_constraint
where connamespace = 'public'::regnamespace and contype <> 'n'
union all
select 'column', attrelid::regclass::text || ' ' || attname,
    concat_ws(' ', atttypid::regtype, attnotnull, attstattarget)
from pg_attribute join pg_class on pg_class.oid = attrelid
where relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped
"""

Contents = dict[str, tuple[int, str]]


@asynccontextmanager
async def open_hub(cluster: Cluster, *, up_to: int | None = None, secret_key: str = SECRET_KEY) -> AsyncIterator[Hub]:
    """An empty hub on a database that is gone afterwards."""
    async with empty_database(cluster) as url:
        connection = await connect(url)
        await migrate(connection, up_to=up_to)
        await connection.close()
        hub = create_hub(Settings(database_url=url, secret_key=secret_key))
        yield hub
        await hub.close()


def to_site(hub: Hub) -> Site:
    """Every dialect on that hub."""
    return Site(hub, find_dialects(), limits=Limits())


@dataclass
class Saved:
    """A backup in memory: its bytes, and what was told of it."""

    pieces: list[bytes] = field(default_factory=list)
    told: list[tuple[str, int]] = field(default_factory=list)
    backup: Backup | None = None

    @property
    def whole(self) -> bytes:
        """The file."""
        return b"".join(self.pieces)


async def save(hub: Hub) -> Saved:
    """A backup of a hub."""
    saved = Saved()
    saved.backup = await save_backup(hub, saved.pieces.append, lambda table, rows: saved.told.append((table, rows)))
    return saved


async def load(hub: Hub, content: bytes, size: int = 4096) -> Backup:
    """Restore a file that comes in small pieces."""
    return await load_backup(hub, cut(content, size))


def cut(content: bytes, size: int) -> Iterator[bytes]:
    """The content in pieces."""
    return (content[place : place + size] for place in range(0, len(content), size))


async def take_contents(database: Database) -> Contents:
    """Row count and checksum of what every table says, whatever PostgreSQL it stands in."""
    contents: Contents = {}
    async with database.lease() as connection:
        for (table,) in await connection.fetch(_TABLES):
            row = await connection.fetchrow(
                f"select count(*), coalesce(sum(hashtextextended(to_jsonb(t)::text, 0)), 0)::text from {table} t"  # noqa: S608 - names from the catalogue
            )
            contents[table] = row[0], row[1]
    del contents["schema_migration"]
    return contents


async def take_schema(database: Database) -> set[tuple[str, str, str]]:
    """Every index, constraint and column, with what it says."""
    async with database.lease() as connection:
        return {(row[0], row[1], row[2]) for row in await connection.fetch(_SCHEMA)}


async def examine(database: Database) -> Findings:
    """What the doctor finds."""
    async with database.lease() as connection:
        return await get_findings(connection)
