"""Spreadsheets, in a real browser: brought, looked at first, mended where rows were refused, and taken out again."""

import csv
import re
from pathlib import Path

from playwright.async_api import Page, expect

from tests.console.house import Bureau
from tests.console.window import Window
from tests.support.hub import CUSTOMERS, Json

GOOD = [(f"Company {number}", f"c{number}@file.example", f"F-{number}") for number in range(1, 6)]
BAD = [("Heron", "no address", "F-6"), ("", "empty@file.example", "F-7"), ("Ibis", "c1@file.example", "F-8")]
REASONS = (
    ("7", "Mail", "email address"),
    ("8", re.compile("Name|Company"), "required"),
    ("9", "Mail", "customer"),
)
MENDED = {"F-6": {"Mail": "heron@file.example"}, "F-7": {"Company": "Jay"}, "F-8": {"Mail": "ibis@file.example"}}


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    """A CSV file of these rows."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


async def list_customers(lodgers: Bureau) -> list[Json]:
    """All customers of the team."""
    found: list[Json] = (await lodgers.desk.api.get(CUSTOMERS)).json()["data"]
    return found


async def bring(window: Window, file: Path) -> None:
    """Upload a file."""
    page = window.page
    await window.choose("Imports")
    await page.get_by_label("CSV, JSON Lines or XLSX").set_input_files(file)
    await page.get_by_role("button", name="Upload").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(file.name)


async def map_columns(page: Page) -> None:
    """Say where the columns go, and that a number tells a row's customer."""
    for column, target in (("Company", "name"), ("Mail", "email"), ("Code", "number")):
        await page.get_by_label(f"Where the column {column} goes").select_option(target)
    await page.get_by_label("Find a row's customer by").select_option("number")


async def download(page: Page, name: str, role: str, folder: Path) -> Path:
    """What a link or a button of this name gives."""
    async with page.expect_download() as begun:
        await page.get_by_role("link" if role == "link" else "button", name=name).click()
    target = folder / (await begun.value).suggested_filename
    await (await begun.value).save_as(target)
    return target


async def test_a_file_with_three_bad_rows_is_mended(lodgers: Bureau, window: Window, tmp_path: Path) -> None:
    """A preview writes nothing; good rows are in, bad ones are told with their reasons and come back as a file."""
    rows = [{"Company": name, "Mail": email, "Code": number} for name, email, number in (*GOOD, *BAD)]
    page = window.page
    page.on("dialog", lambda dialog: dialog.accept())
    await bring(window, write(tmp_path / "spring.csv", rows))
    await map_columns(page)
    assert await window.look("import-mapping") == []
    await page.get_by_role("button", name="Preview").click()
    glance = page.locator(".glance")
    await expect(page.get_by_role("heading", name="What would become of the rows")).to_be_visible()
    await expect(glance).to_contain_text("5 new")
    await expect(glance).to_contain_text("3 refused")
    assert await list_customers(lodgers) == []
    await page.get_by_role("button", name="Import now").click()
    await expect(page.get_by_role("heading", name="What became of the rows")).to_be_visible()
    refused = page.get_by_role("table", name="Refused")
    await expect(refused.get_by_role("row")).to_have_count(4)
    for line, column, reason in REASONS:
        row = refused.get_by_role("row").filter(has=page.get_by_role("rowheader", name=line, exact=True))
        await expect(row).to_contain_text(column)
        await expect(row).to_contain_text(reason)
    assert sorted(one["number"] for one in await list_customers(lodgers)) == [number for _, _, number in GOOD]
    assert await window.look("import-refused") == []
    failed = await download(page, "Download only these rows", "link", tmp_path)
    kept = read(failed)
    assert [row["Code"] for row in kept] == ["F-6", "F-7", "F-8"]
    mended = [{**row, **MENDED[row["Code"]]} for row in kept]
    await bring(window, write(tmp_path / "mended.csv", mended))
    await map_columns(page)
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(glance).to_contain_text("3 new")
    await expect(glance).to_contain_text("0 refused")
    numbers = sorted(one["number"] for one in await list_customers(lodgers))
    assert numbers == [f"F-{number}" for number in range(1, 9)]


async def test_a_list_is_taken_out_and_brought_back_unchanged(lodgers: Bureau, window: Window, tmp_path: Path) -> None:
    """What the filters let through is downloaded; brought back as it is, it changes nothing."""
    customer = await lodgers.desk.create({"name": "=1+1", "number": "E-1", "note": "-1"})
    await lodgers.desk.create({"name": "Another", "number": "E-2"})
    page = window.page
    page.on("dialog", lambda dialog: dialog.accept())
    await window.choose("Customers")
    await page.get_by_role("searchbox").fill("E-1")
    await expect(page.locator("#results tbody tr")).to_have_count(1)
    await page.locator("summary", has_text="Export").click()
    file = await download(page, "Download", "button", tmp_path)
    (row,) = read(file)
    assert (row["name"], row["note"]) == ("'=1+1", "'-1")
    await bring(window, file)
    await page.get_by_role("button", name="Import", exact=True).click()
    await expect(page.locator(".glance")).to_contain_text("1 unchanged")
    assert (await lodgers.desk.get(customer["id"]))["version"] == 1
