"""A workbook by the library, which knows the format, with its large parts read row by row and kept packed."""

import warnings
from array import array
from collections.abc import Callable, Container, Iterator
from functools import lru_cache
from re import fullmatch
from typing import IO, Any, BinaryIO, Final, Literal
from xml.etree.ElementTree import Element, iterparse
from zipfile import ZipFile, ZipInfo

from msgspec import Struct
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.cell import column_index_from_string
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.utils.escape import unescape
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from typing_extensions import override

from customerhub.core.tables.package import check_prologue
from customerhub.model.error import UnreadableFile

# The parts that are read as a whole: what a workbook has in it, and its styles.
_LARGEST_PART: Final = 8_000_000
# Between the ends of two rows; of what lies between, everything is in memory.
_LARGEST_ROW: Final = 4_000_000
# As many columns, and rows, as a spreadsheet can have.
_MOST_CELLS: Final = 16_384
_MOST_ROWS: Final = 1_048_576


def _tag(name: str) -> str:
    return f"{{{SHEET_MAIN_NS}}}{name}"


_ROW: Final = _tag("row")
_CELL: Final = _tag("c")
_DATA: Final = _tag("sheetData")
_STRING: Final = _tag("si")
_VALUE: Final = _tag("v")
_TEXT: Final = _tag("t")
_RUN: Final = _tag("r")
_INLINE: Final = _tag("is")


class SheetCell(Struct):
    """One cell: its column from 1, its value, whether that is an error, and the number of its style."""

    column: int
    value: object
    is_error: bool
    style: int


class SheetRow(Struct):
    """One row by the number that people see."""

    number: int
    cells: list[SheetCell]


class Texts:
    """Many texts in little memory, by their places."""

    def __init__(self) -> None:
        self._packed = bytearray()
        self._ends = array("Q", [0])

    def append(self, text: str) -> None:
        """Add one at the end."""
        self._packed += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._packed))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, place: int) -> str:
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self._packed[self._ends[place] : self._ends[place + 1]].decode("utf-8", "surrogatepass")


class _Package(ZipFile):
    """A package of XML without document types, of which no part that is read as a whole is large."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self._checked: set[str] = set()

    @override
    def open(
        self,
        name: str | ZipInfo,
        mode: Literal["r", "w"] = "r",
        pwd: bytes | None = None,
        *,
        force_zip64: bool = False,
    ) -> IO[bytes]:
        filename = name if isinstance(name, str) else name.filename
        if filename not in self._checked:
            self._checked.add(filename)
            with super().open(name) as part:
                check_prologue(part)
        return super().open(name, mode, pwd, force_zip64=force_zip64)

    @override
    def read(self, name: str | ZipInfo, pwd: bytes | None = None) -> bytes:
        if self.getinfo(name if isinstance(name, str) else name.filename).file_size > _LARGEST_PART:
            raise UnreadableFile("expansion", f"{name} in the workbook is larger than {_LARGEST_PART} bytes")
        return super().read(name, pwd)


class _Metered:
    """A part that is being read; what has been read since the last row must not be too much."""

    def __init__(self, part: IO[bytes]) -> None:
        self._part = part
        self._since = 0

    def read(self, size: int = -1) -> bytes:
        """Some more of it."""
        block = self._part.read(size)
        self._since += len(block)
        if self._since > _LARGEST_ROW:
            raise UnreadableFile("expansion", f"a row of the workbook is larger than {_LARGEST_ROW} bytes")
        return block

    def next_row(self) -> None:
        """A row has ended."""
        self._since = 0


class WorkbookReader(ExcelReader):
    """Reads what the rows of a workbook depend on, and then the rows of one sheet. Raises what the library raises."""

    def __init__(self, file: BinaryIO) -> None:
        # Not the library's own: it reads the whole of every part.
        self.archive = _Package(file)
        self.valid_files = self.archive.namelist()
        self.read_only = True
        self.keep_vba = False
        self.data_only = True
        self.keep_links = False
        self.rich_text = False
        self.texts = Texts()
        self.sheets: dict[str, str] = {}
        self._styles: Any = None  # Any: what the library keeps of styles has no type and no public name
        self._digits: dict[int, int] = {}

    @override
    def read(self) -> None:
        """The names of the sheets, the visible ones first; styles and shared texts."""
        with warnings.catch_warnings():
            # Of what other programs leave out.
            warnings.simplefilter("ignore")
            self.read_manifest()
            self.read_workbook()
            apply_stylesheet(self.archive, self.wb)
            found = [(sheet, rel) for sheet, rel in self.parser.find_sheets() if rel.target in self.valid_files]
        self._styles = self.wb
        self.dates: Container[int] = self._styles._date_formats  # noqa: SLF001 - the library has no public name for it
        self.spans: Container[int] = self._styles._timedelta_formats  # noqa: SLF001
        sheets = [(sheet, rel) for sheet, rel in found if "chartsheet" not in rel.Type]
        for sheet, rel in sorted(sheets, key=lambda pair: pair[0].state not in (None, "visible")):
            self.sheets.setdefault(sheet.name, rel.target)
        self._read_texts()

    def rows(self, path: str) -> Iterator[SheetRow]:
        """The rows of the sheet that stands at this path in the package."""
        row = SheetRow(0, [])
        with self.archive.open(path) as part:
            metered = _Metered(part)
            data: Element | None = None
            for event, element in _walk(metered):
                if event == "start":
                    if element.tag == _DATA:
                        data = element
                    elif element.tag == _ROW:
                        row = SheetRow(_to_number(element.get("r"), row.number), [])
                elif element.tag == _CELL and data is not None:
                    if len(row.cells) == _MOST_CELLS:
                        raise UnreadableFile("expansion", f"a row of the workbook has more than {_MOST_CELLS} cells")
                    row.cells.append(self._to_cell(element, row))
                    element.clear()
                elif element.tag == _ROW and data is not None:
                    yield row
                    metered.next_row()
                    data.clear()
                elif element.tag == _DATA:
                    return

    def digits(self, style: int) -> int:
        """How many digits a format of zeros only (`00000`) asks for; 0 for any other format."""
        if style not in self._digits:
            number = self._styles._cell_styles[style].numFmtId  # noqa: SLF001
            own = number - BUILTIN_FORMATS_MAX_SIZE
            form = BUILTIN_FORMATS.get(number, "") if own < 0 else self._styles._number_formats[own]  # noqa: SLF001
            self._digits[style] = len(form) if fullmatch("0{2,20}", form) else 0
        return self._digits[style]

    def _read_texts(self) -> None:
        content = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]
        if content is None:
            return
        with self.archive.open(content.PartName[1:]) as part:
            metered = _Metered(part)
            root: Element | None = None
            for event, element in _walk(metered):
                if root is None:
                    root = element
                if event == "end" and element.tag == _STRING:
                    self.texts.append(_to_text(element))
                    metered.next_row()
                    root.clear()

    def _to_cell(self, element: Element, row: SheetRow) -> SheetCell:
        place = element.get("r")
        column = _to_column(place.rstrip("0123456789")) if place else (row.cells[-1].column if row.cells else 0) + 1
        kind, style = element.get("t", "n"), int(element.get("s") or 0)
        if kind == "inlineStr":
            inner = element.find(_INLINE)
            return SheetCell(column, _to_text(inner) if inner is not None else None, is_error=False, style=style)
        text = element.findtext(_VALUE)
        if not text:
            return SheetCell(column, None, is_error=False, style=style)
        value = _VALUES.get(kind, _as_it_is)(text, self, style)
        return SheetCell(column, value, is_error=kind == "e" or value is None, style=style)


def _to_number(text: str | None, before: int) -> int:
    """The number of a row, by which it is kept and told: two of one number would be one."""
    number = int(text) if text else before + 1
    if not before < number <= _MOST_ROWS:
        raise UnreadableFile("broken", "the rows of the workbook are not numbered in their order", before)
    return number


@lru_cache(maxsize=1024)
def _to_column(letters: str) -> int:
    return column_index_from_string(letters)


def _walk(part: _Metered) -> Iterator[tuple[str, Element]]:
    """The beginnings and ends of a part's elements."""
    # No document type comes this far (`_Package`), and with it no entity.
    yield from iterparse(part, ("start", "end"))  # noqa: S314


def _to_text(element: Element) -> str:
    """A text with all its runs, without how it is pronounced."""
    parts = [
        child.text if child.tag == _TEXT else child.findtext(_TEXT) for child in element if child.tag in (_TEXT, _RUN)
    ]
    text = "".join(part for part in parts if part)
    return unescape(text) if "_x" in text else text


def _shared(text: str, reader: WorkbookReader, style: int) -> object:
    del style
    return reader.texts[int(text)]


def _number(text: str, reader: WorkbookReader, style: int) -> object:
    """A number, or the date that its style makes of it; None for a date that there is not."""
    value = float(text) if any(letter in text for letter in ".eE") else int(text)
    if style not in reader.dates:
        return value
    try:
        return from_excel(value, reader.wb.epoch, timedelta=style in reader.spans)
    except (OverflowError, ValueError):
        return None


def _as_it_is(text: str, reader: WorkbookReader, style: int) -> object:
    del reader, style
    return unescape(text) if "_x" in text else text


def _truth(text: str, reader: WorkbookReader, style: int) -> object:
    del reader, style
    return bool(int(text))


def _date(text: str, reader: WorkbookReader, style: int) -> object:
    del reader, style
    return from_ISO8601(text)  # type: ignore[no-untyped-call]


_VALUES: Final[dict[str, Callable[[str, WorkbookReader, int], object]]] = {
    "s": _shared,
    "n": _number,
    "b": _truth,
    "d": _date,
}
