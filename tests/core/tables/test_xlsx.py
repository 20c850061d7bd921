"""Workbooks are read as people see them, and none of them can do harm."""

import io
import random
import struct
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime, time
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from customerhub.core.tables.opening import open_table
from customerhub.core.tables.rows import LIMITS, Limits, Row
from customerhub.core.tables.sheet import Texts
from customerhub.model.error import UnreadableFile
from tests.support.soak import sized
from tests.support.workbooks import MAIN, PARTS, package, sheet_of, workbook

ROWS = '<row r="1"><c r="A1" t="s"><v>0</v></c></row><row r="2"><c r="A2" t="s"><v>1</v></c></row>'


def read(
    file: io.BytesIO, name: str = "a.xlsx", sheet: str | None = None, limits: Limits = LIMITS
) -> tuple[tuple[str, ...], list[Row]]:
    """Header and rows of a workbook."""
    with open_table(file, name, sheet=sheet, limits=limits) as table:
        assert table.format == "xlsx"
        return table.header, list(table.rows)


def column(values: Sequence[object], style: Any = None) -> list[str]:
    """What is read of a column of values."""
    _, rows = read(workbook([["x"], *([value] for value in values)], style))
    assert all(row.fault is None for row in rows)
    return [str(row.cells["x"]) for row in rows]


def refusal(file: io.BytesIO, limits: Limits = LIMITS) -> str:
    """Why a workbook is refused."""
    with pytest.raises(UnreadableFile) as refused:
        read(file, limits=limits)
    return refused.value.code


def test_cells_are_the_texts_that_people_see() -> None:
    """Whole numbers without a point, dates as ISO 8601, yes and no as words, texts as they are."""
    values = [12.0, 12.5, -3, 1 / 3, 10**14, date(2025, 3, 4), datetime(2025, 3, 4, 10, 20, 30), time(9, 5), True]  # noqa: DTZ001 - a spreadsheet knows no zones
    assert column([*values, False, "a\nb ", " 'tis", "æ_x0041_", "'=1"]) == [
        *("12", "12.5", "-3", "0.333333333333333", "100000000000000", "2025-03-04", "2025-03-04T10:20:30", "09:05:00"),
        *("true", "false", "a\nb ", " 'tis", "æA", "=1"),
    ]


def test_zeros_in_front_are_kept() -> None:
    """Of a number that is shown as a code of five digits."""

    def style(sheet: Worksheet) -> None:
        for row in range(2, 5):
            sheet.cell(row, 1).number_format = "00000"

    assert column([1234, 98765, 0], style) == ["01234", "98765", "00000"]


def test_a_formula_is_what_came_of_it() -> None:
    """Its value as it was kept; one that nobody has worked out yet is empty, and an error is the row's fault."""
    rows = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>N</t></is></c></row>'
        '<row r="2"><c r="A2" t="str"><f>A1&amp;"x"</f><v>Nx</v></c><c r="B2"><f>1+1</f></c></row>'
        '<row r="3"><c r="A3" t="e"><f>1/0</f><v>#DIV/0!</v></c><c r="B3"><v>2</v></c></row>'
    )
    _, (second, third) = read(package(sheet_of(rows)))
    assert second == Row(2, {"Name": "Nx", "N": ""})
    assert third.fault is not None
    assert (third.fault.path, third.fault.code) == (("Name",), "formula")
    assert third.cells["N"] == "2"


def test_rows_and_cells_may_be_missing() -> None:
    """Rows have the numbers that people see; what stands between them is nothing."""
    rows = (
        '<row r="3"><c r="B3" t="s"><v>0</v></c>'
        '<c r="D3" t="inlineStr"><is><r><t>Ci</t></r><r><t>ty</t></r></is></c></row>'
        '<row r="1000000"><c r="D1000000" t="s"><v>1</v></c></row><row><c t="b"><v>1</v></c><c><v>7.10</v></c></row>'
    )
    header, found = read(package(sheet_of(rows)))
    assert header == ("Column 1", "Name", "Column 3", "City")
    assert [(row.line, list(row.cells.values())) for row in found] == [
        (1000000, ["", "", "", "Nordlys"]),
        (1000001, ["true", "7.1", "", ""]),
    ]


def test_a_cell_beyond_the_header_is_at_fault() -> None:
    """Near it or far away; nothing is made for what lies between."""
    rows = ROWS + '<row r="3"><c r="B3"><v>1</v></c></row><row r="4"><c r="XFD4"><v>1</v></c></row>'
    _, found = read(package(sheet_of(rows)))
    assert [(row.line, row.fault and row.fault.code) for row in found] == [
        (2, None),
        (3, "too_many_cells"),
        (4, "too_many_cells"),
    ]


def test_a_sheet_is_named() -> None:
    """Otherwise it is the first one that is not hidden; another name is refused with those that there are."""
    file = workbook([["hidden"], [1]])
    book = load_workbook(file)
    book["Sheet"].sheet_state = "hidden"
    book.create_sheet("Kunder").append(["Navn"])
    book["Kunder"].append(["Nordlys"])
    file = io.BytesIO()
    book.save(file)
    assert read(file)[0] == ("Navn",)
    assert read(file, sheet="Sheet")[0] == ("hidden",)
    with pytest.raises(UnreadableFile, match="its sheets: Kunder, Sheet"):
        read(file, sheet="None")


BOMB = f'<!DOCTYPE x [<!ENTITY a "{"a" * 10}"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
TABLE = sheet_of('<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row>')


@pytest.mark.parametrize("prologue", [BOMB, OUTSIDE, '<!DOCTYPE x SYSTEM "http://x.test/a.dtd">', "<!DOCTYPE x>"])
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", *PARTS])
def test_a_document_type_is_refused(part: str, prologue: str) -> None:
    """In every part that is read, whatever it declares: laughs, files, addresses; in another encoding too."""
    parts = {**PARTS, "xl/worksheets/sheet1.xml": TABLE}
    for text in (prologue + parts[part], f"<!--{'x' * 40_000}-->{prologue}{parts[part]}"):
        assert refusal(package(TABLE, **{part.replace("/", "__"): text})) == "document_type"
    wide = f'<?xml version="1.0" encoding="UTF-16"?>{prologue}{parts[part]}'.encode("utf-16")
    assert refusal(package(TABLE, **{part.replace("/", "__"): wide})) == "document_type"


def test_an_entity_that_nobody_declared_is_broken() -> None:
    """There is nothing that it could stand for."""
    assert refusal(package(TABLE)) == "broken"


def test_what_unpacks_to_too_much_is_refused() -> None:
    """By what all members say together, by how well one is packed, by their number."""
    assert refusal(package(sheet_of(ROWS)), Limits(expanded=1000)) == "expansion"
    assert refusal(package(sheet_of(ROWS + " " * 11_000_000))) == "expansion"
    assert refusal(package(sheet_of(ROWS)), Limits(members=3)) == "expansion"


def test_a_size_that_is_a_lie_is_broken() -> None:
    """No more is unpacked of a member than it says, and what does not come out even is refused."""
    content = bytearray(package(sheet_of(ROWS * 2000)).getvalue())
    name = b"xl/worksheets/sheet1.xml"
    entry = content.rfind(b"PK\x01\x02", 0, content.rfind(name))
    struct.pack_into("<I", content, entry + 24, 300)
    assert refusal(io.BytesIO(bytes(content))) == "broken"


@pytest.mark.parametrize(
    "sheet",
    [
        sheet_of(f'<row r="1"><c r="A1" t="inlineStr"><is><t>{"x" * 5_000_000}</t></is></c></row>'),
        sheet_of('<row r="1">' + "<c><v>1</v></c>" * 20_000 + "</row>"),
        sheet_of(ROWS, "<cols>" + '<col min="1" max="1"/>' * 190_000 + "</cols>"),
    ],
    ids=["a text", "cells", "before the rows"],
)
def test_a_row_that_is_too_large_is_refused(sheet: str) -> None:
    """One text of megabytes, hundreds of thousands of cells, or whatever else never ends."""
    assert refusal(package(sheet), Limits(ratio=10_000)) == "expansion"


def test_a_part_that_is_read_whole_is_small() -> None:
    """Styles of megabytes are none."""
    styles = f'<styleSheet xmlns="{MAIN}"><!--{"x" * 9_000_000}--></styleSheet>'
    assert refusal(package(sheet_of(ROWS), **{"xl__styles.xml": styles}), Limits(ratio=10_000)) == "expansion"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "legacy"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 70_000 + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (b"name,note\n", "format"),
        (b"PK\x03\x04", "broken"),
        (b"PK\x05\x06" + b"\0" * 18, "format"),
    ],
)
def test_what_is_no_workbook_is_refused(content: bytes, code: str) -> None:
    """An old one, one with a password, something else under that name."""
    assert refusal(io.BytesIO(content)) == code


def test_another_zip_file_is_refused() -> None:
    """Also one of paths that lead elsewhere, which nobody follows, and a binary workbook."""
    for name, code in (
        ("../../etc/passwd", "format"),
        ("xl/workbook.bin", "format"),
        ("[Content_Types].xml", "broken"),
    ):
        file = io.BytesIO()
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            archive.writestr(name, "x")
        assert refusal(file) == code


def test_names_of_parts_lead_nowhere_else() -> None:
    """A sheet that says that it stands outside the package is not there."""
    away = PARTS["xl/_rels/workbook.xml.rels"].replace("worksheets/sheet1.xml", "/../../../../etc/passwd")
    assert refusal(package(sheet_of(ROWS), **{"xl___rels__workbook.xml.rels": away})) == "no_sheet"


def test_a_workbook_without_rows_is_empty() -> None:
    """Without cells, or with empty ones only."""
    assert refusal(workbook([])) == "empty"
    assert refusal(workbook([["", None]])) == "empty"


@pytest.mark.soak
def test_a_damaged_workbook_is_read_or_refused() -> None:
    """Bytes changed anywhere in the package or in any of its parts: rows, or one clear refusal."""
    chance = random.Random(7)
    whole = workbook([["Name", "Since"], *([f"N{n}", date(2025, 1, 1)] for n in range(20))]).getvalue()
    with ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(sized(150, 5000)):
        if chance.random() < 0.3:
            content = _damage(whole, chance)
        else:
            name = chance.choice(sorted(parts))
            file = io.BytesIO()
            with ZipFile(file, "w") as archive:
                for one, part in parts.items():
                    archive.writestr(one, _damage(part, chance) if one == name else part)
            content = file.getvalue()
        with suppress(UnreadableFile):
            read(io.BytesIO(content))


def _damage(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(damaged))
        damaged[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    return bytes(damaged)


@pytest.mark.parametrize("number", ["1", "0", "-5", "1048577", "9" * 30])
def test_rows_have_numbers_in_their_order(number: str) -> None:
    """A row is kept by its number: two of one, or one below the first, would be lost."""
    assert refusal(package(sheet_of(ROWS.replace('r="2"', f'r="{number}"')))) == "broken"


def test_shared_texts_are_kept_packed() -> None:
    """Each by its place, halves of characters too; no place before the first or behind the last."""
    texts = Texts()
    for text in ("", "æ", "\ud800", "x" * 1000):
        texts.append(text)
    assert [texts[place] for place in range(len(texts))] == ["", "æ", "\ud800", "x" * 1000]
    for place in (-1, 4):
        with pytest.raises(IndexError):
            texts[place]
