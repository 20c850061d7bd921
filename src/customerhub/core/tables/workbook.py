"""XLSX: the rows of one sheet as the texts that people see, in little memory, whoever has made the file."""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import BinaryIO, Final
from zipfile import BadZipFile

from openpyxl.utils.exceptions import InvalidFileException

from customerhub.core.tables.package import check_package
from customerhub.core.tables.rows import Limits, Row, Table, check_rows, to_faulty, to_header, to_row
from customerhub.core.tables.sheet import SheetCell, SheetRow, WorkbookReader
from customerhub.model.error import FieldError, UnreadableFile
from customerhub.model.json_text import find_unkept

# What comes of a file that somebody has broken on purpose: the library believes most of what it reads.
_BROKEN: Final = (
    *(
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        OSError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
    ),
    *(AssertionError, BadZipFile, InvalidFileException, MemoryError, NotImplementedError, zlib.error),
)
_WHOLE: Final = 1e15
_Records = Iterator[tuple[int, list[str], FieldError | None]]


@contextmanager
def open_workbook(file: BinaryIO, sheet: str | None, limits: Limits) -> Iterator[Table]:
    """The table in a sheet, the first one if none is named. Raises UnreadableFile, also while its rows are walked."""
    check_package(file, limits)
    with _telling():
        reader = WorkbookReader(file)
    try:
        with _telling():
            reader.read()
        rows = _records(reader, _find_sheet(reader.sheets, sheet), limits)
        for line, cells, fault in rows:
            if any(cells):
                if fault is not None:
                    raise UnreadableFile("broken", f"the row of names {fault.reason}", line)
                header = to_header(cells, limits, line)
                yield Table("xlsx", header, _rows(rows, header, limits))
                return
        raise UnreadableFile("empty", "the sheet has no rows")
    finally:
        reader.archive.close()


@contextmanager
def _telling() -> Iterator[None]:
    """What the library stumbles over is a file that is broken."""
    try:
        yield
    except UnreadableFile:
        raise
    except _BROKEN as error:
        raise UnreadableFile("broken", "the workbook is damaged and cannot be read") from error


def _find_sheet(sheets: Mapping[str, str], name: str | None) -> str:
    """The place of a sheet in the package."""
    if name is None and sheets:
        name = next(iter(sheets))
    if name is None or name not in sheets:
        told = ", ".join(list(sheets)[:10]) or "none"
        raise UnreadableFile("no_sheet", f"the workbook has no such sheet; its sheets: {told}")
    return sheets[name]


def _rows(records: _Records, header: tuple[str, ...], limits: Limits) -> Iterator[Row]:
    number = 0
    width = len(header)
    for line, cells, fault in records:
        if fault is None and not any(cells):
            continue
        number += 1
        check_rows(number, limits, line)
        # A spreadsheet does not write the empty cells at the end of a row.
        row = to_row(line, header, [*cells, *("" for _ in range(width - len(cells)))], limits)
        if fault is None:
            yield row
            continue
        place = int(fault.path[0]) if fault.path else width
        path = (header[place],) if place < width else ()
        yield to_faulty(row, FieldError(path, fault.code, fault.reason))


def _records(reader: WorkbookReader, path: str, limits: Limits) -> _Records:
    """The rows with their numbers; a fault's path is the place of the cell."""
    with _telling():
        for row in reader.rows(path):
            yield _to_record(reader, row, limits)


def _to_record(reader: WorkbookReader, row: SheetRow, limits: Limits) -> tuple[int, list[str], FieldError | None]:
    cells: list[str] = []
    fault: FieldError | None = None
    for cell in row.cells:
        place = cell.column - 1
        if place < 0 or place >= limits.columns:
            if cell.value not in (None, ""):
                told = f"has a cell in column {cell.column}, {limits.columns} are read"
                fault = fault or FieldError((), "too_many_cells", told)
            continue
        while len(cells) <= place:
            cells.append("")
        text = _to_text(cell, reader)
        cells[place] = text
        if cell.is_error:
            fault = fault or FieldError((place,), "formula", f"holds an error of the spreadsheet: {text or 'no date'}")
        elif (not text.isascii() or "\0" in text) and (found := find_unkept(text)) is not None:
            fault = fault or FieldError((place,), "character", f"has {found} in it")
    return row.number, cells, fault


def _to_text(cell: SheetCell, reader: WorkbookReader) -> str:
    """A value as people see it: whole numbers without a point, dates as ISO 8601, zeros in front of codes."""
    match cell.value:
        case None:
            return ""
        case str():
            return cell.value
        case bool():
            return "true" if cell.value else "false"
        case int() | float():
            return _to_number(cell.value, reader.digits(cell.style))
        case datetime():
            at = cell.value.replace(microsecond=0)
            return at.date().isoformat() if at.time() == time() else at.isoformat()
        case date() | time():
            return cell.value.isoformat()
        case timedelta():
            return str(cell.value)
    return str(cell.value)


def _to_number(value: float, digits: int) -> str:
    if isinstance(value, int) or (value.is_integer() and abs(value) < _WHOLE):
        return f"{int(value):0{digits}d}" if digits else str(int(value))
    return format(value, ".15g")
