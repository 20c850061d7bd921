"""Workbooks for tests: made by the library, and packages put together by hand, as others and enemies make them."""

import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS: Mapping[str, str] = {
    "[Content_Types].xml": (
        f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{KIND}.sharedStrings+xml"/></Types>'
    ),
    "xl/workbook.xml": (
        f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
        '<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>'
    ),
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"></styleSheet>',
    "xl/sharedStrings.xml": (
        f'<sst xmlns="{MAIN}"><si><t>Name</t></si><si><r><t>Nord</t></r><r><t>lys</t></r></si></sst>'
    ),
}


def workbook(rows: Iterable[Sequence[object]], style: Callable[[Worksheet], None] | None = None) -> io.BytesIO:
    """A workbook of one sheet as the library writes it."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    for row in rows:
        sheet.append([*row])
    if style is not None:
        style(sheet)
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def sheet_of(rows: str, before: str = "") -> str:
    """The XML of a sheet with these rows."""
    return f'<worksheet xmlns="{MAIN}">{before}<sheetData>{rows}</sheetData></worksheet>'


def package(sheet: str | bytes, **parts: str | bytes) -> io.BytesIO:
    """A workbook put together by hand; `parts` replace or add members, by names whose slashes are two underlines."""
    members: dict[str, str | bytes] = {**PARTS, "xl/worksheets/sheet1.xml": sheet}
    members |= {name.replace("__", "/"): part for name, part in parts.items()}
    file = io.BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, part in members.items():
            archive.writestr(name, part)
    file.seek(0)
    return file
