"""What a file of rows is, whichever its format: a header, rows with their lines, and limits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

from msgspec import Struct

from customerhub.model.cells import unguard_cell
from customerhub.model.error import FieldError, UnreadableFile
from customerhub.model.json_text import find_unkept

Format = Literal["csv", "jsonl", "xlsx"]


class Limits(Struct, frozen=True):
    """How much of a file is read. Texts are in characters; `expanded` is what an XLSX file may unpack to, in bytes.

    `ratio` is how many times as large a member of it that is not small may become; nothing that people keep in
    spreadsheets is packed so well.
    """

    rows: int = 1_000_000
    columns: int = 500
    name: int = 1_000
    cell: int = 1_000_000
    record: int = 4_000_000
    expanded: int = 1_000_000_000
    members: int = 2_000
    ratio: int = 250


LIMITS: Final = Limits()


class Row(Struct, frozen=True):
    """One row: where it begins in the file, and its cells by columns.

    `line` is the line of the file, from 1; of XLSX the number that the spreadsheet shows. Cells are texts; those of
    JSON Lines any JSON, objects inside as dotted columns, and `record` is the object itself. A row with a `fault`
    cannot be used; what could be read of it stands in `cells` all the same, and what is beyond the header in `rest`.
    """

    line: int
    cells: Mapping[str, object]
    record: Mapping[str, object] | None = None
    fault: FieldError | None = None
    rest: tuple[str, ...] = ()


class Table(Struct, frozen=True):
    """A file that is being read: its rows can be walked once. `header` of JSON Lines are the first object's columns."""

    format: Format
    header: tuple[str, ...]
    rows: Iterator[Row]
    first: Mapping[str, object] | None = None


def to_header(cells: Sequence[str], limits: Limits, line: int) -> tuple[str, ...]:
    """The names of the columns: one without a name is called by its place, one that comes again gets a number.

    Raises UnreadableFile where there are none, or too many.
    """
    names = [unguard_cell(cell).strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise UnreadableFile("empty", "the first row has no names of columns", line)
    if len(names) > limits.columns:
        raise UnreadableFile("too_many_columns", f"there are {len(names)} columns, {limits.columns} are read", line)
    check_names(names, limits, line)
    header: dict[str, None] = {}
    for place, name in enumerate(names, 1):
        plain = unique = name or f"Column {place}"
        count = 1
        while unique in header or (count > 1 and unique in names):
            count += 1
            unique = f"{plain} ({count})"
        header[unique] = None
    return tuple(header)


def check_names(names: Iterable[str], limits: Limits, line: int) -> None:
    """Raise UnreadableFile where the name of a column is a text: wherever an import is shown, its columns are."""
    if any(len(name) > limits.name for name in names):
        raise UnreadableFile("name", f"the name of a column is longer than {limits.name} characters", line)


def to_row(line: int, header: tuple[str, ...], cells: Sequence[str], limits: Limits) -> Row:
    """A row of texts; one that has more or fewer cells than the header, or a text that is too long, is at fault."""
    width = len(header)
    texts = [unguard_cell(cell) for cell in cells]
    while len(texts) > width and not texts[-1]:
        texts.pop()
    named = dict(zip(header, texts, strict=False))
    if len(texts) > width:
        told = f"has {len(texts)} cells, the header has {width}"
        return Row(line, named, fault=FieldError((), "too_many_cells", told), rest=tuple(texts[width:]))
    if len(texts) < width:
        told = f"has {len(texts)} cells, the header has {width}"
        return Row(line, named, fault=FieldError((), "too_few_cells", told))
    if max(map(len, texts)) > limits.cell:
        name = next(name for name, text in named.items() if len(text) > limits.cell)
        return Row(line, {}, fault=FieldError((name,), "too_long", f"is longer than {limits.cell} characters"))
    return Row(line, named)


def to_faulty(row: Row, fault: FieldError) -> Row:
    """The row with what is wrong with it; what no record can keep becomes U+FFFD, so that the rest can be kept."""
    cells = {name: _to_kept(str(text)) for name, text in row.cells.items()}
    return Row(row.line, cells, fault=fault, rest=tuple(map(_to_kept, row.rest)))


def _to_kept(text: str) -> str:
    if find_unkept(text) is None:
        return text
    return text.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def check_rows(number: int, limits: Limits, line: int) -> None:
    """Raise UnreadableFile where there are more rows than are read."""
    if number > limits.rows:
        raise UnreadableFile("too_many_rows", f"there are more than {limits.rows} rows", line)
