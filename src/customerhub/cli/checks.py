"""What `customerhub doctor` looks at, one function a matter; each says what it found and how to mend it."""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from msgspec import Struct

from customerhub.app import to_limits
from customerhub.core.hub import Hub
from customerhub.core.rotation import check_key
from customerhub.core.system import list_bare_teams
from customerhub.dialects.base import find_dialects
from customerhub.embedded.binaries import OLDEST_MAJOR
from customerhub.model.error import SecretKeyError
from customerhub.settings import Settings
from customerhub.store.db import Connection, Database
from customerhub.store.doctor import (
    EXTENSIONS,
    Server,
    find_missing_extensions,
    get_findings,
    get_server,
    has_lock_timeout,
)
from customerhub.store.migrate import applied, migrations
from customerhub.web.routing import RouteTable

_LEAST_FREE_BYTES: Final = 500 * 1024 * 1024
_MOST_CLOCK_SECONDS: Final = 5
# No clock that is right shows less; one that does makes every record older than its history.
_FIRST_YEAR: Final = 2024
# What PostgreSQL keeps back for its superuser, and a few for the operator's own commands.
_SPARE_CONNECTIONS: Final = 10
# What a process has beside those that answer requests, for logs, feeds, limits and sinks.
_BESIDE = 7


class Check(Struct, frozen=True):
    """One matter: `found` says how it stands, `mend` what to do about a problem."""

    name: str
    ok: bool
    found: str
    mend: str | None = None


def check_settings(settings: Settings) -> Check:
    """Settings that only their users can judge, and the dialects they will serve."""
    try:
        to_limits(settings, Database(settings.database_url))
    except ValueError as error:
        return Check("settings", ok=False, found=str(error), mend="See `customerhub settings` and set it right.")
    dialects = find_dialects()
    RouteTable(dialects)
    return Check("settings", ok=True, found=f"dialects: {', '.join(dialect.name for dialect in dialects) or 'none'}")


async def check_secrets(hub: Hub) -> Check:
    """Whether the key is the one that stored secrets are encrypted with; needs this version's schema."""
    try:
        return Check("secret key", ok=True, found=await check_key(hub))
    except SecretKeyError as error:
        return Check("secret key", ok=False, found=str(error), mend="The sentence above says how.")


def check_disk(data_directory: Path) -> Check:
    """Room for the hub's own database; a full disk stops every write."""
    # Path.is_dir would raise where we may not look; os.access only says no.
    place = next(path for path in (data_directory, *data_directory.parents) if os.access(path, os.F_OK))
    free = shutil.disk_usage(place).free
    found = f"{free // 1024**2} MB free at {place}"
    if free < _LEAST_FREE_BYTES:
        return Check("disk", ok=False, found=found, mend="Free some space, or move the data directory.")
    return Check("disk", ok=True, found=found)


async def check_database(connection: Connection, settings: Settings) -> AsyncIterator[Check]:
    """Everything that is asked of a database, the records last and only under this version's schema."""
    server = await get_server(connection)
    for check in _check_server(server, settings):
        yield check
    if settings.session_url != settings.database_url:
        yield _check_pooler(is_bounded=await has_lock_timeout(connection))
    missing = await find_missing_extensions(connection)
    if missing:
        mend = "Install PostgreSQL's contrib package on the server."
        yield Check("extensions", ok=False, found=f"not available: {', '.join(missing)}", mend=mend)
    else:
        yield Check("extensions", ok=True, found=f"available: {', '.join(EXTENSIONS)}")
    migration = _check_migrations(await applied(connection))
    yield migration
    if migration.ok:
        async for check in _check_records(connection):
            yield check


def _check_server(server: Server, settings: Settings) -> Iterator[Check]:
    is_new = server.version // 10_000 >= OLDEST_MAJOR
    mend = f"Customerhub needs PostgreSQL {OLDEST_MAJOR} or newer."
    yield Check("server version", ok=is_new, found=f"PostgreSQL {server.version_text}", mend=None if is_new else mend)
    is_utf8 = server.encoding == "UTF8"
    mend = "Make the database anew with ENCODING 'UTF8' and TEMPLATE template0, and restore into it."
    yield Check("encoding", ok=is_utf8, found=server.encoding, mend=None if is_utf8 else mend)
    yield Check(
        "durability",
        ok=not server.unsafe,
        found=f"off: {', '.join(server.unsafe)}" if server.unsafe else "commits are on the disk when answered",
        mend="Turn them on: without them a power cut loses answered writes." if server.unsafe else None,
    )
    yield _check_connections(server, settings)
    yield _check_clock(server.now)


def _check_pooler(*, is_bounded: bool) -> Check:
    if is_bounded:
        return Check("pooler", ok=True, found="its sessions stop waiting for locks")
    mend = "Give the database connect_query='set lock_timeout = …; set jit = off' in pgbouncer.ini."
    return Check("pooler", ok=False, found="its sessions wait for locks for ever", mend=mend)


def _check_connections(server: Server, settings: Settings) -> Check:
    wanted = settings.workers * (settings.connections + settings.exports + _BESIDE)
    found = f"{wanted} wanted, {server.max_connections} allowed by the server"
    if wanted + _SPARE_CONNECTIONS > server.max_connections:
        mend = "Lower `workers` or `connections`, or raise max_connections on the server."
        return Check("connections", ok=False, found=found, mend=mend)
    return Check("connections", ok=True, found=found)


def _check_clock(server_now: datetime) -> Check:
    ours = datetime.now(UTC)
    apart = abs(ours - server_now)
    found = f"{ours.isoformat(timespec='seconds')}, {apart.total_seconds():.1f} s from the server's"
    if ours.year < _FIRST_YEAR:
        return Check("clock", ok=False, found=found, mend="Set this machine's clock: records take their times from it.")
    if apart > timedelta(seconds=_MOST_CLOCK_SECONDS):
        return Check("clock", ok=False, found=found, mend="Let both machines take their time from the network (NTP).")
    return Check("clock", ok=True, found=found)


def _check_migrations(present: int) -> Check:
    known = len(migrations())
    found = f"at {present} of {known}"
    if present < known:
        return Check("migrations", ok=False, found=found, mend="Run `customerhub migrate`.")
    if present > known:
        return Check("migrations", ok=False, found=found, mend="Install the newer customerhub that made this database.")
    return Check("migrations", ok=True, found=found)


async def _check_records(connection: Connection) -> AsyncIterator[Check]:
    findings = await get_findings(connection)
    policy = "For each team: `customerhub team set TEAM email_policy=free`, then `email_policy=unique`."
    yield _check_counts("email keys", findings.wrong_email_keys, "agree with each team's policy", policy)
    restore = "Something wrote past the hub: restore from a backup, or change each of them once to give it a history."
    yield _check_counts("history", findings.without_history, "every record's version has its change", restore)
    bare = ", ".join(name for _, name, _ in await list_bare_teams(connection))
    if bare:
        found = f"units, payment terms or roles are missing in {bare}"
        yield Check("system rows", ok=False, found=found, mend="Run `customerhub migrate`: it adds them.")
    else:
        yield Check("system rows", ok=True, found="every team has what comes with every team")
    migrate = "Run `customerhub migrate`."
    yield _check_counts("search", findings.wrong_searches, "finds every live customer", migrate)
    yield _check_counts("duplicates", findings.wrong_duplicates, "keys are those of live customers", migrate)
    if findings.missing_counters:
        found = f"none in {', '.join(findings.missing_counters)}"
        yield Check("counters", ok=False, found=found, mend="Restore the table number_counter from a backup.")
    elif findings.late_counters:
        found = f"behind typed numbers in {', '.join(findings.late_counters)}; the next number steps past them"
        yield Check("counters", ok=True, found=found)
    else:
        yield Check("counters", ok=True, found="ahead of every number given")


def _check_counts(name: str, wrong: dict[str, int], right: str, mend: str) -> Check:
    if not wrong:
        return Check(name, ok=True, found=right)
    found = ", ".join(f"{count} wrong in {team}" for team, count in wrong.items())
    return Check(name, ok=False, found=found, mend=mend)
