"""Open a file of rows: its format is told by what is in it, and where that says nothing by its name."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import BinaryIO, Final

from customerhub.core.tables.delimited import read_csv
from customerhub.core.tables.json_lines import read_json_lines
from customerhub.core.tables.rows import LIMITS, Format, Limits, Table
from customerhub.core.tables.workbook import open_workbook
from customerhub.model.error import UnreadableFile

_START: Final = 1 << 16
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_JSON_NAMES: Final = (".jsonl", ".ndjson", ".json")
_SPREADSHEETS: Final = (".xlsx", ".xlsm")


@contextmanager
def open_table(file: BinaryIO, name: str = "", *, sheet: str | None = None, limits: Limits = LIMITS) -> Iterator[Table]:
    """The table in a file that can be read from its start as often as is needed; it stays open.

    `sheet` is a sheet of a workbook, the first one if none is named. Raises UnreadableFile, also while rows are walked.
    """
    match find_format(file, name):
        case "xlsx":
            with open_workbook(file, sheet, limits) as table:
                yield table
        case "jsonl":
            yield read_json_lines(file, limits)
        case "csv":
            yield read_csv(file, limits)


def find_format(file: BinaryIO, name: str = "") -> Format:
    """The format of a file; raises UnreadableFile for one that is of none of them, saying what it is."""
    file.seek(0)
    start = file.read(_START)
    suffix = PurePath(name).suffix.lower()
    if start.startswith(_ZIP):
        return "xlsx"
    if start.startswith(_COMPOUND):
        if _ENCRYPTED in start or _is_encrypted(file):
            raise UnreadableFile("encrypted", "the workbook is protected by a password; save it without one")
        raise UnreadableFile("legacy", "this is an old Excel file (.xls); save it as .xlsx or CSV")
    if suffix in _SPREADSHEETS:
        raise UnreadableFile("format", f"this is not what its name says, an {suffix} workbook")
    if not start.strip():
        raise UnreadableFile("empty", "the file is empty")
    if b"\0" in start[:1024] and not start.startswith(_MARKS):
        raise UnreadableFile("format", "this is no text: CSV, JSON Lines and XLSX are read")
    is_json = start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[") and suffix not in (".csv", ".tsv")
    return "jsonl" if is_json or suffix in _JSON_NAMES else "csv"


def _is_encrypted(file: BinaryIO) -> bool:
    """Whether a compound document holds a package that is encrypted: its directory names it, wherever that stands."""
    file.seek(0)
    before = b""
    while block := file.read(_START):
        if _ENCRYPTED in before + block:
            return True
        before = block[-len(_ENCRYPTED) :]
    return False
