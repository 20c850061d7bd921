"""The rows of an import that were refused, as a file like the one that was sent: to be mended and sent again."""

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import msgspec

from customerhub.core.hub import Hub
from customerhub.core.imports.orders import get_import
from customerhub.model.answer import Caller
from customerhub.model.csv_line import to_csv_line
from customerhub.store import imports as store
from customerhub.store.imports import Import, RefusedRow

REASON: Final = "import_error"
"""The column, or member, that says why; whoever reads the file again leaves it alone."""
_PIECE: Final = 500
_encode: Final = msgspec.json.Encoder().encode


async def open_failed_rows(
    hub: Hub, caller: Caller, import_id: UUID | None, *, is_trial: bool = False
) -> tuple[str, AsyncIterator[bytes]]:
    """The file's name and its bytes, piece by piece: JSON Lines for such, else CSV (of a workbook too).

    Columns and their order are those of the file that was sent; one before them says why. `is_trial` for those that the
    last trial refused. Rows of customers who were erased meanwhile are not in it. Raises Unauthenticated, NotFound.
    """
    one = await get_import(hub, caller, import_id)
    stem = one.file_name.rpartition(".")[0] or one.file_name
    ending = "jsonl" if one.format == "jsonl" else "csv"
    return f"{stem}-failed.{ending}", _write(hub, one, is_trial=is_trial)


async def _write(hub: Hub, one: Import, *, is_trial: bool) -> AsyncIterator[bytes]:
    if one.format != "jsonl":
        yield to_csv_line((REASON, *_kept(one))).encode()
    behind = -1
    while True:
        async with hub.database.lease() as connection:
            rows = await store.list_refused(connection, one, behind, _PIECE, is_trial=is_trial)
        if not rows:
            return
        behind = rows[-1].line
        lines = [_to_line(one, row) for row in rows if row.cells is not None]
        yield b"".join(lines)


def _kept(one: Import) -> tuple[str, ...]:
    return tuple(column for column in one.columns if column != REASON)


def _to_line(one: Import, row: RefusedRow) -> bytes:
    if isinstance(row.cells, dict) or one.format == "jsonl":
        # A line that is no object has left nothing but its number.
        cells = row.cells if isinstance(row.cells, dict) else {"line": row.line}
        members = {name: value for name, value in cells.items() if name != REASON}
        return _encode({**members, REASON: row.reason}) + b"\n"
    rest = (row.cells or [])[len(one.columns) :]
    named = zip(one.columns, row.cells or [], strict=False)
    return to_csv_line((row.reason, *(cell for column, cell in named if column != REASON), *rest)).encode()
