"""Use cases of the operator's: all of a hub into one file as one moment has it, and such a file into an empty hub."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from typing import Final

from msgspec import Struct

from customerhub import __version__
from customerhub.core.backup_file import FORMAT, BackupReader, BackupWriter, Head, Part
from customerhub.core.hub import Hub
from customerhub.core.system import bring_up
from customerhub.model.error import Conflict, SecretKeyError
from customerhub.store import backup as store
from customerhub.store.db import Connection
from customerhub.store.migrate import applied, migrate, migrations
from customerhub.store.sandbox import MISFITS, Table
from customerhub.store.secrets import list_keys

Tell = Callable[[str, int], None]
"""Told now and then of the table that is being written, and how many of its rows are."""

_NOT_A_HUB: Final = "There is no hub in this database: nothing was saved."


class Backup(Struct, frozen=True):
    """What was saved or restored: from when, at which migration, needing which keys, and how many rows by table."""

    saved_at: datetime
    hub: str
    migration: int
    postgres: str
    secret_keys: tuple[str, ...]
    rows: dict[str, int]


async def count_expected_rows(hub: Hub) -> int:
    """About how many rows a backup will have."""
    async with hub.database.lease() as connection:
        return await store.count_expected_rows(connection)


async def save_backup(hub: Hub, put: Callable[[bytes], object], tell: Tell) -> Backup:
    """Hand on a file with all that the hub holds, while it goes on; `put` gets it piece by piece.

    The schema may be an older one. Raises Conflict where there is none at all, and what `put` raises.
    """
    async with hub.database.lease() as connection, store.snapshot(connection):
        head, tables = await _survey(connection, hub.clients_now())
        writer = BackupWriter(put, head)
        for table in tables:
            part = Part(table.name, table.columns)
            writer.begin(part)

            async def write(piece: bytes, table: Table = table) -> None:
                tell(table.name, writer.write(piece))

            await store.copy_out(connection, table, write)
            writer.end(part)
        writer.close()
    return _to_backup(head, writer.rows)


async def _survey(connection: Connection, now: datetime) -> tuple[Head, tuple[Table, ...]]:
    migration = await applied(connection)
    if migration == 0:
        raise Conflict(_NOT_A_HUB)
    tables = await store.list_saved_tables(connection)
    head = Head(
        backup=FORMAT,
        hub=__version__,
        migration=migration,
        postgres=await store.get_server_version(connection),
        saved_at=now,
        # Before there were keys there was no table of them.
        secret_keys=await list_keys(connection) if any(table.name == "secret_key" for table in tables) else (),
        tables=tuple(table.name for table in tables),
        left_out=dict(store.LEFT_OUT),
    )
    return head, tables


async def load_backup(hub: Hub, pieces: Iterator[bytes]) -> Backup:
    """Fill an empty hub with what a backup holds, and bring it up to this version's schema.

    All or nothing: a process that is killed in the middle leaves the hub as empty as it was. Raises Conflict for a hub
    that is not empty, and for a file that is no backup, is damaged or is of a newer version; SecretKeyError where the
    secrets in it could not be decrypted here; and Busy where somebody uses the tables.
    """
    reader = BackupReader(pieces)
    head = reader.head
    if head.migration > len(migrations()):
        raise Conflict(f"The backup was made by customerhub {head.hub}, which is newer: restore it with that one.")
    _check_keys(hub, head)
    async with hub.database.transaction() as connection:
        await _make_room(connection, head.migration)
        tables = {table.name: table for table in await store.list_saved_tables(connection)}
        if strange := sorted(tables.keys() ^ set(head.tables)):
            raise Conflict(f"The backup is of another schema; only one of the two has: {', '.join(strange)}.")
        try:
            async with store.loaded_bare(connection):
                for part in reader.parts():
                    await _load(connection, tables[part.table], part, reader)
        except MISFITS as error:
            what = " ".join(str(error).split())
            raise Conflict(f"The rows of the backup do not fit its schema ({what}): nothing was restored.") from error
    async with hub.database.lease() as connection:
        await store.learn(connection)
        await bring_up(connection)
    return _to_backup(head, reader.rows)


def _check_keys(hub: Hub, head: Head) -> None:
    """Secrets that nobody can decrypt are lost: better no restored hub than one that finds out later."""
    if not head.secret_keys:
        return
    missing = sorted(set(head.secret_keys) - set(hub.vault.fingerprints()))
    if missing:
        raise SecretKeyError(
            f"The secrets in this backup are encrypted with another secret key ({', '.join(missing)}), which is not in "
            "it: set CUSTOMERHUB_SECRET_KEY to that key, or CUSTOMERHUB_SECRET_KEY_FILE to its file, which is "
            "secret.key in the data directory that the backup was made of."
        )


async def _make_room(connection: Connection, migration: int) -> None:
    """An empty schema of that migration, which nobody else looks into. Raises Conflict where there are rows."""
    await store.close_doors(connection)
    occupied = await store.find_table_with_rows(connection)
    if occupied is not None:
        raise Conflict(
            f"This hub is not empty (there are rows in {occupied}): restore into a new data directory or database."
        )
    present = await applied(connection)
    if present == migration:
        return
    if present:
        await store.drop_tables(connection)
    await migrate(connection, up_to=migration)
    # Migrations bound what a statement may take, until the transaction ends.
    await store.close_doors(connection)


async def _load(connection: Connection, table: Table, part: Part, reader: BackupReader) -> None:
    if set(part.columns) != set(table.columns):
        strange = sorted(set(part.columns) ^ set(table.columns))
        raise Conflict(f"The backup is of another schema; of {table.name} only one has: {', '.join(strange)}.")

    async def read() -> AsyncIterator[bytes]:
        for lines in reader.take_rows(part):
            yield lines

    await store.copy_in(connection, Table(table.name, part.columns, table.key, table.refers_to), read())


def _to_backup(head: Head, rows: dict[str, int]) -> Backup:
    return Backup(head.saved_at, head.hub, head.migration, head.postgres, head.secret_keys, rows)
