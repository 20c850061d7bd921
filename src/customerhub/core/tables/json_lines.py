"""JSON Lines: one object in each line; a line that is none costs its own row only."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final

from customerhub.core.tables.rows import Limits, Row, Table, check_names, check_rows
from customerhub.core.tables.text import Lines, find_encoding
from customerhub.model.error import FieldError, UnreadableFile
from customerhub.model.json_text import NotJson, find_unkept, read_json

_DEEPEST: Final = 3


def read_json_lines(file: BinaryIO, limits: Limits) -> Table:
    """The objects in a file, with those inside as dotted columns. Raises UnreadableFile, also while rows are walked.

    The header are the columns of the first object.
    """
    encoding = find_encoding(file)
    if encoding == "cp1252":
        raise UnreadableFile("encoding", "JSON Lines are UTF-8, and this is not")
    lines = Lines(file, encoding, limits.record)
    rows = _rows(lines, limits)
    seen: list[Row] = []
    for row in rows:
        seen.append(row)
        if row.record:
            check_names(row.cells, limits, row.line)
            return Table("jsonl", tuple(row.cells), _after(seen, rows), row.record)
        if row.line == 1 and row.fault is not None:
            _check_is_lines(lines.first)
        if len(seen) == limits.columns:
            break
    code, reason = ("format", "no line holds a JSON object") if seen else ("empty", "the file has no rows")
    raise UnreadableFile(code, reason)


def _check_is_lines(first: str) -> None:
    """Raise UnreadableFile for JSON that is not written line by line."""
    text = first.strip()
    if text.startswith("["):
        raise UnreadableFile("format", "this is a JSON array; write one object to a line, without brackets around them")
    if text == "{":
        raise UnreadableFile("format", "this is a JSON document over several lines; write one object to a line")


def _after(seen: list[Row], rows: Iterator[Row]) -> Iterator[Row]:
    yield from seen
    yield from rows


def _rows(lines: Lines, limits: Limits) -> Iterator[Row]:
    number = 0
    for text, is_whole in lines:
        if not text.strip():
            continue
        number += 1
        check_rows(number, limits, lines.number)
        yield (
            _to_row(lines.number, text, limits)
            if is_whole
            else Row(lines.number, {}, fault=FieldError((), "too_long", f"is longer than {limits.record} characters"))
        )
    lines.close()


def _to_row(line: int, text: str, limits: Limits) -> Row:
    found = find_unkept(text)
    if found is not None:
        return Row(line, {}, fault=FieldError((), "character", f"has {found} in it"))
    try:
        value = read_json(text)
    except NotJson as error:
        return Row(line, {}, fault=FieldError((), "json", str(error)))
    if not isinstance(value, dict):
        return Row(line, {}, fault=FieldError((), "json", "is not a JSON object"))
    cells = dict(_flat(value))
    if len(cells) > limits.columns:
        told = f"has {len(cells)} members, {limits.columns} are read"
        return Row(line, {}, fault=FieldError((), "too_many_cells", told))
    return Row(line, cells, value)


def _flat(value: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Members by dotted names; an empty object, and one that stands too deep, as it is."""
    for name, inner in value.items():
        if isinstance(inner, dict) and inner and prefix.count(".") < _DEEPEST:
            yield from _flat(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", inner


def to_columns(record: Mapping[str, object]) -> dict[str, object]:
    """A record as the cells of its row."""
    return dict(_flat(record))
