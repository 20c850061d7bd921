"""What teams are furnished with: made by the use cases once in a process, then copied row by row, ten times cheaper."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID, uuid4

from customerhub.core.hub import Hub
from customerhub.model.answer import Caller
from customerhub.store.db import Connection
from tests.support.databases import KeptDatabase

Furniture = Mapping[str, Sequence[UUID]]
"""What was made, by names of the maker's own."""

# All that furniture leaves behind beside a newer version of the catalogue: tables, and what tells when a row was made.
TABLES: Final = {"catalogue_entry": "created_at", "team_user": "created_at", "audit": "at"}
_READ: Final = "select to_json(t)::text from {table} t where team = $1 order by {time}"
_WRITE: Final = "insert into {table} select * from json_populate_recordset(null::{table}, $1)"
_VERSION: Final = "select catalogue_version from team where id = $1"
_BUMP: Final = "update team set catalogue_version = catalogue_version + $2 where id = $1"
# An id, or what makes an address nobody else's.
_MARK: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")


class _Mould(NamedTuple):
    """The rows of one team's furniture, as JSON by table, and who it was made by."""

    by: Caller
    made: Furniture
    rows: Mapping[str, str]
    versions: int


_moulds: dict[str, _Mould] = {}


async def bring_furniture(hub: Hub, by: Caller, name: str, make: Callable[[], Awaitable[Furniture]]) -> Furniture:
    """What `make` makes for a caller's team, or a copy of what it made for the first team that was furnished like that.

    What is called by one name is always the same but for ids and addresses. On databases other than the worker's own,
    whose ids and times may be promised, it is made each time.
    """
    if not isinstance(hub.database, KeptDatabase):
        return await make()
    if name in _moulds:
        async with hub.database.transaction() as connection:
            return await _pour(connection, _moulds[name], by)
    async with hub.database.lease() as connection:
        version, before = await _read(connection, by.team)
    made = await make()
    async with hub.database.lease() as connection:
        newer, after = await _read(connection, by.team)
    rows = {table: f"[{','.join(row for row in after[table] if row not in before[table])}]" for table in TABLES}
    _moulds[name] = _Mould(by, made, rows, newer - version)
    return made


async def _read(connection: Connection, team: UUID) -> tuple[int, dict[str, list[str]]]:
    """The version of the team's catalogue, and its rows as JSON, by table."""
    rows = {
        table: [row[0] for row in await connection.fetch(_READ.format(table=table, time=time), team)]
        for table, time in TABLES.items()
    }
    return int(await connection.fetchval(_VERSION, team)), rows


async def _pour(connection: Connection, mould: _Mould, by: Caller) -> Furniture:
    ids = {one: uuid4() for kind in mould.made.values() for one in kind}
    marks = {str(one): str(copy) for one, copy in ids.items()}
    marks |= {str(getattr(mould.by, part)): str(getattr(by, part)) for part in ("team", "credential", "actor")}

    def copy(mark: re.Match[str]) -> str:
        text = mark[0]
        return marks.get(text, text) if "-" in text else marks.setdefault(text, uuid4().hex)

    for table in TABLES:
        await connection.execute(_WRITE.format(table=table), _MARK.sub(copy, mould.rows[table]))
    await connection.execute(_BUMP, by.team, mould.versions)
    return {kind: [ids[one] for one in made] for kind, made in mould.made.items()}
