"""JSON Lines are read object by object."""

import io

import pytest

from customerhub.core.tables.opening import open_table
from customerhub.core.tables.rows import LIMITS, Limits, Row
from customerhub.model.error import UnreadableFile


def read(content: bytes, name: str = "a.jsonl", limits: Limits = LIMITS) -> tuple[tuple[str, ...], list[Row]]:
    """Columns of the first object, and rows of a file."""
    with open_table(io.BytesIO(content), name, limits=limits) as table:
        assert table.format == "jsonl"
        return table.header, list(table.rows)


def test_objects_are_rows() -> None:
    """Those inside as dotted columns; everything as JSON has it, blank lines are none."""
    first = {"name": "Ærlig", "a": {"b": 1, "c": {"d": None}}, "l": [{"x": 1}], "e": {}}
    content = (
        '\ufeff{"name":"Ærlig","a":{"b":1,"c":{"d":null}},"l":[{"x":1}],"e":{}}\r\n\n \n{"name":"=x","z":true}'.encode()
    )
    header, rows = read(content)
    assert header == ("name", "a.b", "a.c.d", "l", "e")
    cells = {"name": "Ærlig", "a.b": 1, "a.c.d": None, "l": [{"x": 1}], "e": {}}
    assert rows == [Row(1, cells, first), Row(4, {"name": "=x", "z": True}, {"name": "=x", "z": True})]


def test_apostrophes_stay() -> None:
    """Only cells of tables are guarded from spreadsheets."""
    assert read(b'{"a":"\'=x"}')[1][0].cells == {"a": "'=x"}


def test_the_format_is_told_by_content_or_name() -> None:
    """An object at the start is JSON, unless the name says that it is CSV."""
    assert read(b'{"a":1}', "upload")[0] == ("a",)
    with open_table(io.BytesIO(b'{"a":1}\n5\n'), "a.csv") as table:
        assert (table.format, table.header) == ("csv", ('{"a":1}',))


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "json"),
        (b"[1]", "json"),
        (b'"x"', "json"),
        (b"nope", "json"),
        (b'{"a":1,"a":2}', "json"),
        (b'{"a":"\\ud800"}', "json"),
        (b'{"a":"\\u0000"}', "json"),
        (b'{"a":"\0"}', "character"),
        (b"[" * 100_000, "json"),
        (b'{"a":' * 90 + b"1" + b"}" * 90, "json"),
        (b'{"a":"' + b"x" * 10_000_000 + b'"}', "too_long"),
        (b'{"x":{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8,"i":9}}', "too_many_cells"),
    ],
)
def test_a_line_that_is_no_object_costs_its_own_row(line: bytes, code: str) -> None:
    """The others are read."""
    _, rows = read(b'{"a":1}' + b" " * 1024 + b"\n" + line + b'\n{"a":2}\n', limits=Limits(columns=8))
    assert [(row.line, row.fault.code if row.fault else None) for row in rows] == [(1, None), (2, code), (3, None)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'[{"a":1},\n{"a":2}]', "format"),
        (b'{\n"a":1\n}', "format"),
        (b"nope\nnope\n", "format"),
        (b"\n\n", "empty"),
        (b'{"a":"\xff"}', "encoding"),
    ],
)
def test_what_is_written_otherwise_is_refused(content: bytes, code: str) -> None:
    """With a hint of how it is to be written."""
    with pytest.raises(UnreadableFile) as refused:
        read(content)
    assert refused.value.code == code


def test_the_first_object_may_come_late() -> None:
    """Lines at fault before it are rows all the same."""
    header, rows = read(b'nope\n{"a":1}\n')
    assert (header, [row.line for row in rows]) == (("a",), [1, 2])


def test_more_rows_than_are_read_are_refused() -> None:
    """With the line where the limit is crossed."""
    with pytest.raises(UnreadableFile) as refused:
        read(b'{"a":1}\n' * 3, limits=Limits(rows=2))
    assert (refused.value.code, refused.value.line) == ("too_many_rows", 3)
