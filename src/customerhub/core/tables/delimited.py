"""CSV: commas, semicolons, tabs or bars between cells; line breaks inside quotes; a fault costs its own row only."""

import csv
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO, Final

from customerhub.core.tables.rows import Limits, Row, Table, check_rows, to_faulty, to_header, to_row
from customerhub.core.tables.text import Lines, find_encoding
from customerhub.model.error import FieldError, UnreadableFile
from customerhub.model.json_text import find_unkept

_DELIMITERS: Final = (",", ";", "\t", "|")
_SAMPLE: Final = 20
_SAMPLE_SIZE: Final = 1 << 20
# After a quote that is never closed the lines behind it are read once more. A file of many such is none.
_MOST_RETRIES: Final = 100


class _Misquoted(Exception):
    """No error: the record that is being read goes on for longer than any record may."""


def read_csv(file: BinaryIO, limits: Limits) -> Table:
    """The table in a file. Raises UnreadableFile, also while its rows are walked."""
    encoding = find_encoding(file)
    lines = Lines(file, encoding, limits.record)
    delimiter = _find_delimiter(lines)
    csv.field_size_limit(max(limits.record, csv.field_size_limit()))
    records = _Records(lines, delimiter, limits)
    for line, cells, fault in records:
        if fault is not None:
            raise UnreadableFile("broken", f"the row of names {fault.reason}", line)
        if any(cell.strip() for cell in cells):
            header = to_header(cells, limits, line)
            return Table("csv", header, _rows(records, header, limits, lines))
    raise UnreadableFile("empty", "the file has no rows")


def _rows(records: "_Records", header: tuple[str, ...], limits: Limits, lines: Lines) -> Iterator[Row]:
    number = 0
    for line, cells, fault in records:
        if fault is None and not any(cells):
            continue
        number += 1
        check_rows(number, limits, line)
        row = to_row(line, header, cells, limits) if cells or fault is None else Row(line, {})
        yield row if fault is None else to_faulty(row, fault)
    lines.close()


class _Records:
    """The records of a text with the lines that they begin at."""

    def __init__(self, lines: Lines, delimiter: str, limits: Limits) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._limits = limits
        self._held: list[tuple[str, bool]] = []
        self._size = 0
        self._is_open = False
        self._retries = 0
        self._reader = self._make_reader()
        self._walk = self._run()

    def __iter__(self) -> Iterator[tuple[int, list[str], FieldError | None]]:
        return self._walk

    def _make_reader(self) -> Iterator[list[str]]:
        return csv.reader(self._feed(), delimiter=self._delimiter)

    def _feed(self) -> Iterator[str]:
        """Lines for the reader; those of the record under way are held."""
        while (line := self._lines.read()) is not None:
            if self._held and self._size + len(line[0]) > self._limits.record:
                self._lines.put_back([line])
                raise _Misquoted
            self._held.append(line)
            self._size += len(line[0])
            yield line[0]
        # Asked for one more line while a record is under way: it has a quote that nothing closes.
        self._is_open = bool(self._held)

    def _run(self) -> Iterator[tuple[int, list[str], FieldError | None]]:
        while True:
            start = self._lines.number + 1
            self._held, self._size, self._is_open = [], 0, False
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except (_Misquoted, csv.Error):
                yield start, [], self._retry()
                continue
            if self._is_open:
                yield start, [], self._retry()
            else:
                yield start, cells, self._find_fault()

    def _retry(self) -> FieldError:
        """Go on behind the first line of a record that has no end; says what is wrong with it."""
        self._retries += 1
        if self._retries > _MOST_RETRIES:
            told = f"more than {_MOST_RETRIES} rows have a quote that is not closed"
            raise UnreadableFile("broken", told, self._lines.number)
        self._lines.put_back(self._held[1:])
        self._reader = self._make_reader()
        return FieldError((), "quote", "has a quote that is not closed")

    def _find_fault(self) -> FieldError | None:
        for text, is_whole in self._held:
            if not is_whole:
                return FieldError((), "too_long", f"is longer than {self._limits.record} characters")
            if (not text.isascii() or "\0" in text) and (found := find_unkept(text)) is not None:
                return FieldError((), "character", f"has {found} in it")
        return None


def _find_delimiter(lines: Lines) -> str:
    """What stands between cells: `sep=;` in the first line says it, otherwise what splits the first rows best."""
    sample: list[tuple[str, bool]] = []
    size = 0
    while len(sample) < _SAMPLE and size < _SAMPLE_SIZE and (line := lines.read()) is not None:
        sample.append(line)
        size += len(line[0])
    if sample:
        first = sample[0][0].rstrip("\r\n").lstrip("\ufeff")
        if len(first) == len("sep=;") and first[:4].lower() == "sep=" and first[4] in _DELIMITERS:
            lines.put_back(sample[1:])
            return first[4]
    lines.put_back(sample)
    texts = [text for text, _ in sample if text.strip()]
    return max(_DELIMITERS, key=lambda delimiter: _score(texts, delimiter)) if texts else ","


def _score(texts: list[str], delimiter: str) -> tuple[int, int]:
    """How many of the rows have as many cells as the first, if it has more than one, and how many these are."""
    try:
        widths = [len(cells) for cells in csv.reader(texts, delimiter=delimiter) if cells]
    except csv.Error:
        return 0, 0
    if not widths or widths[0] == 1:
        return 0, 0
    return Counter(widths)[widths[0]], widths[0]
