"""CSV from anywhere is read, and what cannot be read costs its own row only."""

import csv
import io
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from customerhub.core.tables.opening import open_table
from customerhub.core.tables.rows import LIMITS, Limits, Row
from customerhub.model.cells import guard_cell
from customerhub.model.error import UnreadableFile
from tests.support.strategies import CHARACTERS


def read(content: bytes, name: str = "a.csv", limits: Limits = LIMITS) -> tuple[tuple[str, ...], list[Row]]:
    """Header and rows of a file."""
    with open_table(io.BytesIO(content), name, limits=limits) as table:
        return table.header, list(table.rows)


def cells(content: bytes) -> list[list[object]]:
    """The cells of a file's sound rows."""
    _, rows = read(content)
    assert [row.fault for row in rows if row.fault is not None] == []
    return [list(row.cells.values()) for row in rows]


def faults(content: bytes, limits: Limits = LIMITS) -> list[tuple[int, str]]:
    """Line and code of each row at fault."""
    return [(row.line, row.fault.code) for row in read(content, limits=limits)[1] if row.fault is not None]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_stands_between_cells_is_found(delimiter: str, end: str) -> None:
    """A comma, a semicolon, a tab or a bar; of several the one that splits the rows evenly."""
    lines = (("Name", "Note"), ("Nordlys", "a.b:c"), ("Sørlys", "x"))
    content = end.join(delimiter.join(line) for line in lines).encode()
    assert read(content) == (
        ("Name", "Note"),
        [Row(2, {"Name": "Nordlys", "Note": "a.b:c"}), Row(3, {"Name": "Sørlys", "Note": "x"})],
    )


def test_commas_in_texts_do_not_split() -> None:
    """Where semicolons split all rows alike; and where the first line says so."""
    assert cells(b"a;b\n1,2;3,4\n5,6,7;8\n") == [["1,2", "3,4"], ["5,6,7", "8"]]
    assert cells(b"sep=;\r\na;b,c\r\n1;2\r\n") == [["1", "2"]]
    assert read(b"sep=;\na\n1\n")[1] == [Row(3, {"a": "1"})]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings_are_told(encoding: str) -> None:
    """UTF-8 with its mark and without, UTF-16 by its mark, otherwise Windows-1252."""
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    content = f"{mark}Näme,Preis\nBjörn,5 €\n".encode(encoding)
    assert read(content) == (("Näme", "Preis"), [Row(2, {"Näme": "Björn", "Preis": "5 €"})])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b" \r\n\n", "empty"),
        (b",,\n", "empty"),
        (b"\xff\xfe\0\0a\0\0\0", "encoding"),
        (b"\xef\xbb\xbfa\nb\xff\n", "encoding"),
        (b"\xff\xfea\0\x00\xd8", "encoding"),
        (b"a\0b,c\n", "format"),
        (b"%PDF-1.7\n\0\0", "format"),
        (b"\x1f\x8b\x08\0\0\0", "format"),
    ],
)
def test_what_is_no_table_is_refused(content: bytes, code: str) -> None:
    """With a code and a reason; nothing of it is read."""
    with pytest.raises(UnreadableFile) as refused:
        read(content)
    assert refused.value.code == code


def test_lines_are_those_of_the_file() -> None:
    """A row has the line that it begins at, with line breaks inside quotes and lines without anything between."""
    content = b'a,b\n"x\ny","1"\n\n,\n"z ""q""",2'
    assert read(content)[1] == [Row(2, {"a": "x\ny", "b": "1"}), Row(6, {"a": 'z "q"', "b": "2"})]


def test_columns_without_a_name_or_with_the_same() -> None:
    """Are called by their places, and by numbers; empty ones at the end are none."""
    header, rows = read(b"Name,,Name,Name (2),\n1,2,3,4,\n")
    assert header == ("Name", "Column 2", "Name (3)", "Name (2)")
    assert rows == [Row(2, {"Name": "1", "Column 2": "2", "Name (3)": "3", "Name (2)": "4"})]


def test_rows_of_another_length_are_at_fault() -> None:
    """With what could be read of them; empty cells beyond the header are none."""
    _, rows = read(b"a,b\n1,2,,\n1,2,3,4\n1\n1,\n")
    assert [(row.line, dict(row.cells), row.rest, row.fault and row.fault.reason) for row in rows] == [
        (2, {"a": "1", "b": "2"}, (), None),
        (3, {"a": "1", "b": "2"}, ("3", "4"), "has 4 cells, the header has 2"),
        (4, {"a": "1"}, (), "has 1 cells, the header has 2"),
        (5, {"a": "1", "b": ""}, (), None),
    ]


def test_one_apostrophe_is_taken_off() -> None:
    """Of cells that a spreadsheet would run, in the header too; of no other."""
    assert read(b"'=a,b\n'+47,'tis\n''=x,=1+1\n") == (
        ("=a", "b"),
        [Row(2, {"=a": "+47", "b": "'tis"}), Row(3, {"=a": "'=x", "b": "=1+1"})],
    )


def test_a_quote_that_is_not_closed_costs_one_row() -> None:
    """At the end of the file, and in its midst where a record would become too long; the lines behind it are read."""
    assert faults(b'a,b\n1,2\n3,"4\n') == [(3, "quote")]
    small = Limits(record=40)
    content = b'a,b\n1,"2\n' + b"".join(b"%d,%d\n" % (n, n) for n in range(20))
    _, rows = read(content, limits=small)
    assert [(row.line, row.fault.code) for row in rows if row.fault] == [(2, "quote")]
    assert [row.cells["a"] for row in rows if not row.fault] == [str(n) for n in range(20)]
    assert cells(b'a,b\nPipe 5",x\nPipe 6",y') == [['Pipe 5"', "x"], ['Pipe 6"', "y"]]


def test_too_many_such_quotes_are_no_table() -> None:
    """Each of them is read twice, and that has an end."""
    with pytest.raises(UnreadableFile) as refused:
        read(b"a,b\n" + b'"x,1\n' * 1 + b'1,"x\n2,3\n4,5\n' * 400, limits=Limits(record=10))
    assert (refused.value.code, refused.value.line is not None) == ("broken", True)


def test_what_no_record_can_keep_is_at_fault() -> None:
    """NUL, and bytes that Windows-1252 has no character for; the other rows are read."""
    assert faults(b"a,b\n1," + b"x" * 2000 + b"\0\n2,3\n") == [(2, "character")]
    assert faults(b"a,b\n1,\x81\xe9\n2,\xe9\n") == [(2, "character")]
    _, (row, *_) = read(b"a,b\n1,\x81\xe9" + b"x" * 2000 + b"\0,3\n")
    assert (row.fault is not None, row.cells["b"], row.rest) == (True, "\ufffdé" + "x" * 2000 + "\ufffd", ("3",))


def test_a_name_of_a_column_is_no_text() -> None:
    """Wherever an import is shown its columns are, so that they are short."""
    for content in (b"a," + b"x" * 1001 + b"\n1,2\n", b'{"a":1,"' + b"x" * 1001 + b'":2}\n'):
        with pytest.raises(UnreadableFile) as refused, open_table(io.BytesIO(content)) as table:
            list(table.rows)
        assert (refused.value.code, refused.value.line) == ("name", 1)
    header, _ = read(b"a," + b"x" * 1000 + b"\n1,2\n")
    assert header == ("a", "x" * 1000)


def test_a_long_line_or_cell_is_at_fault() -> None:
    """Ten megabytes in one line: its row is refused, and the next is read."""
    content = b"a,b\n1," + b"x" * 10_000_000 + b"\n2,3\n"
    assert faults(content) == [(2, "too_long")]
    assert faults(b"a,b\n1," + b"x" * 20 + b"\n2,3\n", Limits(cell=19)) == [(2, "too_long")]
    _, rows = read(content)
    assert rows[-1] == Row(3, {"a": "2", "b": "3"})


def test_more_than_is_read_is_refused() -> None:
    """Rows and columns have a limit each, and the line where it is crossed is told."""
    with pytest.raises(UnreadableFile) as refused:
        read(b"a\n1\n2\n3\n", limits=Limits(rows=2))
    assert (refused.value.code, refused.value.line) == ("too_many_rows", 4)
    with pytest.raises(UnreadableFile) as refused:
        read(b"a,b,c\n1,2,3\n", limits=Limits(columns=2))
    assert refused.value.code == "too_many_columns"


def test_a_spooled_file_is_read_and_stays_open() -> None:
    """As an upload arrives: in memory first, on disk when it is large."""
    with tempfile.SpooledTemporaryFile(max_size=10) as file:
        file.write(b"a,b\n" + b"1,2\n" * 100)
        with open_table(file) as table:  # type: ignore[arg-type]  # it has all that is asked of a file
            assert len(list(table.rows)) == 100
        file.seek(0)
        assert file.read(3) == b"a,b"


TEXTS = st.text(CHARACTERS | st.sampled_from("\"\n\r,;\t|'=+-@ "), max_size=8)


@settings(deadline=None)
@given(st.integers(1, 4), st.data(), st.sampled_from([",", ";", "\t", "|"]))
def test_what_the_csv_module_writes_is_read_back(width: int, data: st.DataObject, delimiter: str) -> None:
    """Any texts, guarded, with any delimiter, come back as they were; rows without any text are none."""
    rows = data.draw(st.lists(st.lists(TEXTS, min_size=width, max_size=width), max_size=6))
    header = [f"c{place}" for place in range(width)]
    file = io.StringIO(newline="")
    file.write(f"sep={delimiter}\n")
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows([guard_cell(text) for text in row] for row in rows)
    assert cells(file.getvalue().encode()) == [row for row in rows if any(row)]


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["a.csv", "a.jsonl", "a.xlsx", "a"]))
def test_any_bytes_are_read_or_refused(content: bytes, name: str) -> None:
    """Nothing else comes of a file than rows, rows at fault, or one clear refusal."""
    try:
        header, rows = read(b"name,note\n" + content, name)
    except UnreadableFile:
        return
    for row in rows:
        assert row.fault is not None or set(row.cells) <= set(header)
