"""States of a sandbox under names: all rows of all tables in one file, saved and put back as a whole."""

import asyncio
import os
import random
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.core.sandbox import tell_servers
from customerhub.core.secrets import write_key_file
from customerhub.core.system import bring_up
from customerhub.model.error import Busy, Conflict, FieldError, Invalid, NotFound
from customerhub.store import sandbox as store
from customerhub.store.db import Connection
from customerhub.store.migrate import applied, migrate, migrations
from customerhub.store.sandbox import Rows

START: Final = "start"
"""The state that a sandbox was in when it was made."""

_DIRECTORY: Final = "fixtures"
_SUFFIX: Final = ".fixture"
_FORMAT: Final = 1
_RETRIES: Final = 100
_PAUSE_SECONDS: Final = 0.05
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)


class _Head(Struct, frozen=True):
    """The first line of a file; `secret_keys` are those of the sandbox that it was saved in, the newest first."""

    fixture: int
    migration: int
    saved_at: datetime
    secret_keys: tuple[str, ...] = ()


class _Part(Struct, frozen=True):
    """What stands before the rows of a table, each of which is a line."""

    table: str
    columns: tuple[str, ...]
    rows: int


class _State(Struct, frozen=True):
    """All of a file."""

    head: _Head
    tables: tuple[Rows, ...]


class Fixture(Struct, frozen=True):
    """What may be told of a saved state; `saved_at` is by the real clock, `rows` by table."""

    name: str
    saved_at: datetime
    rows: dict[str, int]


def find_fixture(hub: Hub, name: str) -> Fixture | None:
    """The state of this name, if one is saved. Raises Invalid for what is no name, Conflict for what is no fixture."""
    return _to_fixture(name, _read(_to_path(hub, name))) if _to_path(hub, name).exists() else None


def list_fixtures(hub: Hub) -> list[Fixture]:
    """Every saved state, by name."""
    found = sorted((hub.settings.data_dir / _DIRECTORY).glob(f"*{_SUFFIX}"))
    return [_to_fixture(path.stem, _read(path)) for path in found]


async def save_fixture(hub: Hub, name: str) -> Fixture:
    """Save the present state of all teams, in the place of an older one of this name. Raises Invalid."""
    path = _to_path(hub, name)
    async with hub.database.lease() as connection:
        state = await _take(hub, connection)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}")
    # Only for its owner, as the secrets in it are.
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.writelines(_to_lines(state))
    aside.replace(path)
    return _to_fixture(name, state)


async def load_fixture(hub: Hub, name: str) -> Fixture:
    """Put a saved state in the place of the present one, of all teams; servers that run on this sandbox notice.

    One of an older version is brought up to this version's schema first. Raises Invalid, NotFound, and Conflict for a
    file that cannot be loaded; then everything is as it was.
    """
    path = _to_path(hub, name)
    if not path.exists():
        raise NotFound("fixture", name)
    state = _read(path)
    if state.head.migration > len(migrations()):
        raise Conflict(f"The fixture {name} was saved by a newer customerhub: install that one.")
    if state.head.migration < len(migrations()):
        state = await _bring_up(hub, state)
    _adopt_keys(hub, state.head.secret_keys)
    await _replace(hub, state)
    tell_servers(hub.settings.data_dir)
    return _to_fixture(name, state)


async def _take(hub: Hub, connection: Connection, head: _Head | None = None) -> _State:
    """Everything as it stands at one moment."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        tables = [await store.copy_out(connection, table) for table in await store.list_tables(connection)]
        migration = await applied(connection)
    # People look for the newest one by their own clock, and requests never see it.
    saved_at = hub.clients_now().replace(microsecond=0)
    return _State(head or _Head(_FORMAT, migration, saved_at, _own_keys(hub)), tuple(tables))


async def _replace(hub: Hub, state: _State) -> None:
    """Put the state in the place of all rows, however busy servers are with them. Raises Busy in the end."""
    for _ in range(_RETRIES):
        try:
            await _replace_at_once(hub, state)
        except Busy:
            await asyncio.sleep(_PAUSE_SECONDS * random.random())  # noqa: S311 - chance is no secret here
        else:
            return
    await _replace_at_once(hub, state)


async def _replace_at_once(hub: Hub, state: _State) -> None:
    async with hub.database.transaction() as connection:
        await _put(connection, state)


async def _put(connection: Connection, state: _State) -> None:
    tables = await store.list_tables(connection)
    await store.empty(connection, tables)
    rows = {one.table: one for one in state.tables}
    if different := rows.keys() ^ {table.name for table in tables}:
        raise Conflict(f"The fixture is of another schema; only one of the two has: {', '.join(sorted(different))}.")
    for table in tables:
        await store.copy_in(connection, rows[table.name])


async def _bring_up(hub: Hub, state: _State) -> _State:
    """The state after the migrations that came since, tried out on a database of its own."""
    async with store.scratch(hub.database.direct_url) as connection:
        await migrate(connection, up_to=state.head.migration)
        async with connection.transaction():
            await _put(connection, state)
        await bring_up(connection)
        return await _take(hub, connection, state.head)


def _own_keys(hub: Hub) -> tuple[str, ...]:
    """The keys of this sandbox's own file. What an operator has set stays with the operator."""
    has_file = not hub.settings.secret_key and hub.settings.secret_key_file is not None
    return hub.vault.keys() if has_file else ()


def _adopt_keys(hub: Hub, keys: tuple[str, ...]) -> None:
    """Let secrets be read that another sandbox has encrypted; new ones are still encrypted with our own key."""
    own, file = _own_keys(hub), hub.settings.secret_key_file
    new = tuple(key for key in keys if key not in own)
    if own and new and file is not None:
        write_key_file(file, (*own, *new))


def _to_path(hub: Hub, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise Invalid((FieldError(("name",), "invalid", "must be letters, digits, - and _, at most 64"),))
    return hub.settings.data_dir / _DIRECTORY / f"{name}{_SUFFIX}"


def _to_fixture(name: str, state: _State) -> Fixture:
    counts = {one.table: one.lines.count(b"\n") for one in state.tables}
    return Fixture(name, state.head.saved_at, counts)


def _to_lines(state: _State) -> Iterator[bytes]:
    yield msgspec.json.encode(state.head) + b"\n"
    for one in state.tables:
        yield msgspec.json.encode(_Part(one.table, one.columns, one.lines.count(b"\n"))) + b"\n"
        yield one.lines


def _read(path: Path) -> _State:
    """What a file holds; raises Conflict where it was not saved by us."""
    lines = path.read_bytes().splitlines(keepends=True)
    try:
        head = msgspec.json.decode(lines[0], type=_Head) if lines else None
        if head is None or head.fixture != _FORMAT:
            raise Conflict(f"{path} is no fixture that this customerhub can read.")
        return _State(head, tuple(_to_tables(lines[1:])))
    except msgspec.DecodeError as error:
        raise Conflict(f"{path} is no fixture: {error}.") from error


def _to_tables(lines: list[bytes]) -> Iterator[Rows]:
    place = 0
    while place < len(lines):
        part = msgspec.json.decode(lines[place], type=_Part)
        following = place + 1 + part.rows
        if following > len(lines):
            raise Conflict(f"The fixture ends in the middle of its table {part.table}.")
        yield Rows(part.table, part.columns, b"".join(lines[place + 1 : following]))
        place = following
