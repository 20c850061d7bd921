"""Imports: files that were staged row by row, how far they are, and what came of each row."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec
from asyncpg import Record
from msgspec import Struct

from customerhub.model.answer import Caller
from customerhub.model.change import FieldChange
from customerhub.model.error import FieldError
from customerhub.model.page import Position
from customerhub.store.db import Connection
from customerhub.store.queries import load_queries

QUERIES = load_queries("imports.sql")
FileFormat = Literal["csv", "jsonl", "xlsx"]
MatchBy = Literal["email", "number", "reference_id", "id"]
Mode = Literal["create", "update", "both"]
EmptyCells = Literal["keep", "clear"]
ImportStatus = Literal["reading", "staged", "running", "paused", "done", "failed", "cancelled"]
Outcome = Literal["created", "changed", "equal", "refused"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("created", "changed", "equal", "refused")
Cells = list[str] | dict[str, Any]
"""The cells of a row in the order of the columns, or the members of a row that is an object of its own."""

encode = msgspec.json.Encoder(decimal_format="string").encode
_read_cells = msgspec.json.Decoder().decode
_read_fault = msgspec.json.Decoder(FieldError).decode
_read_changes = msgspec.json.Decoder(tuple[FieldChange, ...]).decode


class Counts(Struct, frozen=True):
    """How many rows are done, and what came of them."""

    done: int = 0
    created: int = 0
    changed: int = 0
    equal: int = 0
    refused: int = 0


class Options(Struct, frozen=True):
    """How rows become customers: which member each column is, in whose shape, found by what, and what may happen.

    `mapping` leads from columns to members; `shape` is a dialect's name, empty for the canonical form. `empty_cells`:
    whether a cell that is empty leaves a value as it is or takes it away.
    """

    shape: str = ""
    mapping: Mapping[str, str | None] = {}
    match_by: MatchBy = "number"
    mode: Mode = "both"
    empty_cells: EmptyCells = "keep"


class Trial(Struct, frozen=True):
    """What the last trial found, and when: the rows of it that are worth looking at stand with the results."""

    at: datetime
    counts: Counts


class Import(Struct, frozen=True):
    """One file on its way; `caller` is who started it last, `position` the line of the last row that is done.

    `is_trial` while a trial of it runs. `is_kept`: its rows are still there.
    """

    team: UUID
    id: UUID
    version: int
    file_name: str
    format: FileFormat
    columns: tuple[str, ...]
    digest: bytes
    options: Options
    status: ImportStatus
    is_trial: bool
    is_kept: bool
    reason: str | None
    rows: int
    position: int
    counts: Counts
    trial: Trial | None
    caller: Caller
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class Row(NamedTuple):
    """A row of the file by the line where it begins; None for cells that told of a customer who was erased.

    `fault` is why it cannot be read at all.
    """

    line: int
    cells: Cells | None
    fault: FieldError | None = None


class Result(Struct, frozen=True):
    """What came of a row, or one of the errors for which it was refused.

    `key` is the value that it was matched by, `pointer` the place in the customer, `column_name` that in the file.
    """

    line: int
    outcome: Outcome
    number: int = 0
    key: str | None = None
    customer: UUID | None = None
    pointer: str | None = None
    column_name: str | None = None
    code: str | None = None
    reason: str | None = None
    changes: tuple[FieldChange, ...] = ()


class RefusedRow(NamedTuple):
    """A row that was refused, with all reasons as one text."""

    line: int
    cells: Cells | None
    reason: str


_FIELDS: Final = (
    *("team", "id", "version", "file_name", "format", "columns", "shape", "mapping", "match_by", "mode", "empty_cells"),
    *("status", "is_trial", "is_kept", "reason", "rows", "position", "done", "created", "changed", "equal", "refused"),
    *("trial", "actor", "credential", "caller", "door", "created_at", "updated_at", "started_at", "ended_at", "digest"),
)
_COLUMNS = ", ".join(f"i.{field}" for field in _FIELDS)
_GET, _HOLD, _LIST = (QUERIES[name].format(columns=_COLUMNS) for name in ("get", "hold", "list"))
_FIND_UNFINISHED = QUERIES["find_unfinished"].format(columns=_COLUMNS)
_LIST_OLDER, _LIST_NEWER = (QUERIES[name].format(columns=_COLUMNS) for name in ("list_older", "list_newer"))
_ROW: Final = ("team", "import", "line", "cells", "fault")
_RESULT: Final = (
    *("team", "import", "is_trial", "line", "number", "outcome", "key", "customer", "pointer", "column_name", "code"),
    *("reason", "changes"),
)


def _to_import(row: Record) -> Import:
    shape, mapping, match_by, mode, empty_cells = row[6:11]
    return Import(
        team=row[0],
        id=row[1],
        version=row[2],
        file_name=row[3],
        format=row[4],
        columns=tuple(msgspec.json.decode(row[5])),
        options=Options(shape, msgspec.json.decode(mapping), match_by, mode, empty_cells),
        status=row[11],
        is_trial=row[12],
        is_kept=row[13],
        reason=row[14],
        rows=row[15],
        position=row[16],
        counts=Counts(*row[17:22]),
        trial=msgspec.json.decode(row[22], type=Trial) if row[22] is not None else None,
        caller=Caller(row[0], row[24], row[23], row[25], row[26]),
        created_at=row[27],
        updated_at=row[28],
        started_at=row[29],
        ended_at=row[30],
        digest=row[31],
    )


async def insert_import(connection: Connection, new: Import) -> None:
    """Store what is known of a file, whose rows come with it."""
    own, caller = new.options, new.caller
    await connection.execute(
        QUERIES["insert"],
        *(new.team, new.id, new.file_name, new.format, encode(new.columns), own.shape, encode(own.mapping)),
        *(own.match_by, own.mode, own.empty_cells, new.rows, caller.actor, caller.credential, caller.name),
        *(caller.dialect, new.created_at, new.digest),
    )


async def insert_rows(connection: Connection, team: UUID, import_id: UUID, rows: Iterable[Row]) -> None:
    """Stage a piece of the rows."""
    records = [
        (team, import_id, row.line, encode(row.cells), encode(row.fault) if row.fault is not None else None)
        for row in rows
    ]
    await connection.copy_records_to_table(
        "import_row", records=records, columns=("team", "import", "line", "cells", "fault")
    )


async def find_import(connection: Connection, team: UUID, import_id: UUID) -> Import | None:
    """An import of the team."""
    row = await connection.fetchrow(_GET, team, import_id)
    return _to_import(row) if row is not None else None


async def hold_import(connection: Connection, team: UUID, import_id: UUID) -> Import | None:
    """The same; nobody else changes it, or goes on with it, until the transaction ends."""
    row = await connection.fetchrow(_HOLD, team, import_id)
    return _to_import(row) if row is not None else None


async def find_unfinished(connection: Connection, team: UUID, digest: bytes, door: str) -> Import | None:
    """The newest import of the same file by the same door that was begun and is not at its end."""
    row = await connection.fetchrow(_FIND_UNFINISHED, team, digest, door)
    return _to_import(row) if row is not None else None


async def set_staged(connection: Connection, team: UUID, import_id: UUID, rows: int) -> None:
    """All rows are there: from now on it can be seen."""
    await connection.execute(QUERIES["set_staged"], team, import_id, rows)


async def list_imports(connection: Connection, team: UUID, position: Position | None, limit: int) -> list[Import]:
    """The team's imports in walking order: from the newest, or from a position."""
    if position is None:
        rows = await connection.fetch(_LIST, team, limit)
    else:
        statement = _LIST_NEWER if position.is_backward else _LIST_OLDER
        rows = await connection.fetch(statement, team, limit, *position.key)
    return [_to_import(row) for row in rows]


async def get_names(connection: Connection, team: UUID, ids: Collection[UUID]) -> dict[UUID, str]:
    """What the files of imports were called, whatever has become of them."""
    return {row[0]: row[1] for row in await connection.fetch(QUERIES["get_names"], team, list(ids))}


async def update_options(connection: Connection, one: Import, options: Options, at: datetime) -> None:
    """Let rows be read otherwise."""
    values = options.shape, encode(options.mapping), options.match_by, options.mode, options.empty_cells
    await connection.execute(QUERIES["update_options"], one.team, one.id, *values, at)


async def begin(connection: Connection, one: Import, caller: Caller, at: datetime, *, is_trial: bool) -> None:
    """From the first row on, for this caller."""
    values = is_trial, at, caller.actor, caller.credential, caller.name, caller.dialect
    await connection.execute(QUERIES["begin"], one.team, one.id, *values)


async def resume(connection: Connection, one: Import, caller: Caller, at: datetime) -> None:
    """On from where it is, for this caller."""
    values = at, caller.actor, caller.credential, caller.name, caller.dialect
    await connection.execute(QUERIES["resume"], one.team, one.id, *values)


async def set_status(
    connection: Connection, one: Import, status: ImportStatus, at: datetime, reason: str | None = None
) -> None:
    """Let it be at rest, or at its end."""
    ended = at if status in ("done", "failed", "cancelled") else None
    await connection.execute(QUERIES["set_status"], one.team, one.id, status, reason, at, ended)


async def end_trial(connection: Connection, one: Import, trial: Trial) -> None:
    """Keep what a trial found; the import is as it was before."""
    await connection.execute(QUERIES["end_trial"], one.team, one.id, trial.at, encode(trial))


async def restart(connection: Connection, team: UUID, import_id: UUID) -> None:
    """Once more from the first row."""
    await connection.execute(QUERIES["restart"], team, import_id)


async def remove(connection: Connection, one: Import, at: datetime) -> None:
    """Take it out of sight."""
    await connection.execute(QUERIES["remove"], one.team, one.id, at)


async def list_due(connection: Connection, limit: int) -> list[tuple[UUID, UUID]]:
    """Team and id of imports that are to be run and that nobody runs, of any team."""
    return [(row[0], row[1]) for row in await connection.fetch(QUERIES["list_due"], limit)]


async def claim(connection: Connection, team: UUID, import_id: UUID, token: UUID, seconds: float) -> bool:
    """Take an import that is to be run, for so long unless renewed; False where somebody else has it."""
    return await connection.fetchval(QUERIES["claim"], team, import_id, token, seconds) is not None


async def renew(connection: Connection, team: UUID, import_id: UUID, token: UUID, seconds: float) -> int | None:
    """The position, if it still is the claimer's and to be run; it then stays so until the transaction ends."""
    found: int | None = await connection.fetchval(QUERIES["renew"], team, import_id, token, seconds)
    return found


async def release(connection: Connection, team: UUID, import_id: UUID, token: UUID) -> None:
    """Let go of it."""
    await connection.execute(QUERIES["release"], team, import_id, token)


async def advance(connection: Connection, team: UUID, import_id: UUID, line: int, counts: Counts, at: datetime) -> None:
    """Count rows that are done, up to this line."""
    values = counts.done, counts.created, counts.changed, counts.equal, counts.refused
    await connection.execute(QUERIES["advance"], team, import_id, line, *values, at)


async def list_rows(connection: Connection, team: UUID, import_id: UUID, behind: int, limit: int) -> list[Row]:
    """The next rows behind a line."""
    rows = await connection.fetch(QUERIES["rows_behind"], team, import_id, behind, limit)
    return [_to_row(row) for row in rows]


async def get_rows(connection: Connection, team: UUID, import_id: UUID, lines: Collection[int]) -> list[Row]:
    """Rows by their lines."""
    return [_to_row(row) for row in await connection.fetch(QUERIES["rows_of"], team, import_id, list(lines))]


def _to_row(row: Record) -> Row:
    fault = _read_fault(row[2]) if row[2] is not None else None
    return Row(row[0], _read_cells(row[1]) if row[1] is not None else None, fault)


async def insert_results(
    connection: Connection, team: UUID, import_id: UUID, results: Iterable[Result], *, is_trial: bool
) -> None:
    """Note what came of rows."""
    records = [
        (
            *(team, import_id, is_trial, one.line, one.number, one.outcome, one.key, one.customer, one.pointer),
            *(one.column_name, one.code, one.reason, encode(one.changes) if one.changes else None),
        )
        for one in results
    ]
    await connection.copy_records_to_table("import_result", records=records, columns=_RESULT)


async def list_results(
    connection: Connection,
    one: Import,
    *,
    is_trial: bool,
    behind: tuple[int, int],
    limit: int,
    outcomes: Sequence[Outcome] = OUTCOMES,
) -> list[Result]:
    """What came of rows behind a line and number, in the order of the file."""
    values = is_trial, *behind, limit, list(outcomes)
    rows = await connection.fetch(QUERIES["results"], one.team, one.id, *values)
    return [
        Result(
            *(row["line"], row["outcome"], row["number"], row["key"], row["customer"], row["pointer"]),
            *(row["column_name"], row["code"], row["reason"]),
            changes=_read_changes(row["changes"]) if row["changes"] is not None else (),
        )
        for row in rows
    ]


async def list_refused(
    connection: Connection, one: Import, behind: int, limit: int, *, is_trial: bool
) -> list[RefusedRow]:
    """Refused rows behind a line, with their cells."""
    rows = await connection.fetch(QUERIES["refused_rows"], one.team, one.id, is_trial, behind, limit)
    return [RefusedRow(*_to_row(row)[:2], row[3]) for row in rows]
