"""A database for a command: an external one, or the hub's own, shared with a running hub or started for the moment."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

from customerhub.app import create_hub
from customerhub.cli.failure import Refused
from customerhub.cli.options import Choices
from customerhub.core.hub import Hub
from customerhub.core.sandbox import SandboxHub, find_marker
from customerhub.core.secrets import KEY_FILE, make_key_file
from customerhub.embedded import Cluster, open_cluster
from customerhub.embedded.binaries import OLDEST_MAJOR
from customerhub.settings import Settings
from customerhub.store.db import Connection
from customerhub.store.doctor import find_missing_extensions, has_lock_timeout
from customerhub.store.migrate import applied, migrate, migrations
from customerhub.web.log import set_up_logging

DATABASE = "customerhub"

T = TypeVar("T")


class OpenDatabase(NamedTuple):
    """Settings whose `database_url` names a running server, and the server where it is the hub's own.

    They name a key file too where the server is the hub's own and no other key is set, and say whether it is a sandbox.
    """

    settings: Settings
    cluster: Cluster | None


@contextmanager
def open_database(settings: Settings) -> Iterator[OpenDatabase]:
    """The database that the settings ask for; its schema may be any. Raises EmbeddedError, SecretKeyError."""
    if settings.database_url:
        yield OpenDatabase(settings.model_copy(update={"sandbox": False, "seed": None}), None)
        return
    with open_cluster(settings.data_dir, binaries=settings.postgres_bin) as cluster:
        cluster.create_database(DATABASE)
        found: dict[str, object] = {"database_url": cluster.url(DATABASE), "direct_url": ""}
        found["data_dir"] = cluster.data_directory
        marker = find_marker(cluster.data_directory)
        found |= {"sandbox": marker is not None, "seed": marker.seed if marker is not None else None}
        if not settings.secret_key and settings.secret_key_file is None:
            found["secret_key_file"] = cluster.data_directory / KEY_FILE
            make_key_file(cluster.data_directory / KEY_FILE)
        yield OpenDatabase(settings.model_copy(update=found), cluster)


def to_direct(settings: Settings) -> Settings:
    """The same past a pooler of transactions, for what needs a session or takes long."""
    return settings.model_copy(update={"database_url": settings.session_url, "direct_url": ""})


def is_new(directory: Path) -> bool:
    """Whether a server would make it; one that cannot be looked into is left to the server's own sentences."""
    try:
        return not any(directory.iterdir())
    except FileNotFoundError:
        return True
    except OSError:
        return False


def with_hub(choices: Choices, work: Callable[[Hub], Awaitable[T]]) -> T:
    """Run a use case on a database of the right schema; a new one of the hub's own gets it now.

    Raises Refused where the schema is another version's, and what the use case raises.
    """
    settings = choices.to_settings()
    # What is to be said beside the answer goes where nobody reads the answer.
    set_up_logging(settings.log_level, settings.log_format)
    with open_database(settings) as opened:
        return asyncio.run(_work(opened, work))


async def _work(opened: OpenDatabase, work: Callable[[Hub], Awaitable[T]]) -> T:
    hub = create_hub(opened.settings)
    try:
        async with hub.database.lease() as connection:
            await check_usable(connection)
            present = await applied(connection)
            if present == 0 and opened.cluster is not None:
                await migrate(connection)
            elif present < len(migrations()):
                raise Refused("The database lacks migrations: run `customerhub migrate`.")
        if isinstance(hub, SandboxHub):
            await hub.visit()
        return await work(hub)
    finally:
        await hub.close()


async def check_pooler(hub: Hub) -> None:
    """Raise Refused where the sessions behind a pooler lack what the hub cannot ask for there."""
    if not hub.database.is_pooled:
        return
    async with hub.database.lease() as connection:
        is_bounded = await has_lock_timeout(connection)
    if not is_bounded:
        wanted = f"set lock_timeout = {hub.settings.patience_seconds * 1000:.0f}; set jit = off"
        raise Refused(
            "Behind the pooler a statement would wait for a lock for ever: add "
            f"connect_query='{wanted}' to the database's line in pgbouncer.ini."
        )


async def check_usable(connection: Connection) -> None:
    """Raise Refused for a server too old for our SQL or without the extensions that it needs, and for a database that
    a newer version has migrated.
    """
    major = connection.get_server_version().major
    if major < OLDEST_MAJOR:
        raise Refused(f"The server is PostgreSQL {major}: customerhub needs {OLDEST_MAJOR} or newer.")
    missing = await find_missing_extensions(connection)
    if missing:
        raise Refused(
            f"The server lacks {' and '.join(missing)}: install the contrib package of its PostgreSQL, and try again."
        )
    present, known = await applied(connection), len(migrations())
    if present > known:
        raise Refused(
            f"The database is at migration {present} and this version knows {known}: install the newer customerhub."
        )
