"""People load a spreadsheet without fear: they see how it is read, what would become of it, and what became of it."""

import re
from uuid import UUID

import httpx
import pytest

from customerhub.core.hub import Hub
from customerhub.core.imports.running import run_import
from customerhub.dialects.forms import find_form
from tests.console.house import Bureau
from tests.console.leaf import Leaf, follow, look, send
from tests.console.visitor import Visitor
from tests.support.fingerprint import take_fingerprint
from tests.support.hub import CUSTOMERS

HTML = "<script>hurt()</script>"
ROWS = f"""Customer name,Email Address,Phone,Town,Odd
Kestrel & Sons,kestrel@a.example,+47 1,Oslo,x
Ravn,ravn@a.example,+47 2,,x
"Falk {HTML}",no address {HTML},+47 3,Bergen,x
Hauk,hauk@a.example,+47 4,Oslo,x
"""


async def bring(visitor: Visitor, bureau: Bureau, content: str | bytes, name: str = "spring.csv") -> httpx.Response:
    """Send a file with the form for files."""
    data = content.encode() if isinstance(content, str) else content
    return await visitor.browser.post(
        bureau.path("imports"), data={"csrf": visitor.csrf, "sheet": ""}, files={"file": (name, data)}
    )


async def brought(visitor: Visitor, bureau: Bureau, content: str | bytes, name: str = "spring.csv") -> Leaf:
    """The page of the import of a file that was just brought."""
    return await follow(visitor, await bring(visitor, bureau, content, name))


async def work(hub: Hub, bureau: Bureau, page: Leaf) -> None:
    """What a worker does with the import of a page."""
    await run_import(hub, bureau.desk.team.id, UUID(id_of(page)), find_form)


def id_of(page: Leaf) -> str:
    """The import that a page is about."""
    found = re.search(r"/imports/([0-9a-f-]{36})", str(page.answer.url))
    assert found is not None
    return found[1]


def at(bureau: Bureau, page: Leaf, *segments: str) -> str:
    """The path of one of the pages of the import of a page."""
    return bureau.path("imports", id_of(page), *segments)


def chosen(page: Leaf, field: str) -> str:
    """What is selected in a list of the page."""
    select = re.search(rf'<select id="in-{field}".*?</select>', page.answer.text, re.DOTALL)
    assert select is not None
    found = re.search(r'<option value="([^"]*)" selected>', select[0])
    return found[1] if found else ""


async def test_columns_are_shown_with_what_they_seem_to_be(admin: Visitor, bureau: Bureau) -> None:
    """Each column has its first values beside it and goes where its name says; nothing is written."""
    empty = await look(admin, bureau.path("imports"))
    assert "No file was imported yet." in empty.text
    page = await brought(admin, bureau, ROWS, "C:\\files\\spring <1>.csv")
    assert page.status == 200
    assert "spring <1>.csv Not run yet 4 rows, 5 columns" in page.text
    assert [chosen(page, f"c{place}") for place in range(5)] == ["name", "email", "phone", "bill_to.city", ""]
    assert [row[:2] for row in page.rows[1:]] == [
        ["Customer name", f"Kestrel & Sons Ravn Falk {HTML}"],
        ["Email Address", f"kestrel@a.example ravn@a.example no address {HTML}"],
        ["Phone", "+47 1 +47 2 +47 3"],
        ["Town", "Oslo Bergen"],
        ["Odd", "x"],
    ]
    assert HTML not in page.answer.text
    listed = await look(admin, bureau.path("imports"))
    assert listed.row("spring <1>.csv")[:2] == ["Not run yet", "4"]
    assert (await bureau.desk.api.get(CUSTOMERS)).json()["data"] == []


async def test_a_preview_says_what_would_become_of_each_row(hub: Hub, admin: Visitor, bureau: Bureau) -> None:
    """New, changed with old and new, equal and refused ones, each with its reason; and nothing is written."""
    desk = bureau.desk
    await desk.create(name="Kestrel", email="kestrel@a.example", phone="+47 1")
    await desk.create(name="Ravn", email="ravn@a.example", phone="+47 2")
    page = await brought(admin, bureau, ROWS)
    before = (await desk.api.get(CUSTOMERS)).json()
    answer = await send(
        admin, page, at(bureau, page, "options"), *mapped("name", "email", "phone", "", ""), ("then", "try")
    )
    running = await follow(admin, answer)
    assert "Being previewed: 0 of 4 rows, 0 %." in running.text
    assert 'data-poll="1000"' in running.answer.text
    assert "<progress" in running.answer.text
    await work(hub, bureau, page)
    tried = await look(admin, at(bureau, page))
    assert "What would become of the rows" in tried.text
    assert "1 new 1 changed 1 unchanged 1 refused" in tried.text
    assert tried.row("4")[:2] == ["Email Address", f"no address {HTML}"]
    assert "must be an email address" in tried.row("4")[2]
    assert tried.row("2")[0] == "kestrel@a.example"
    assert tried.link("Kestrel").startswith(bureau.path("customers"))
    assert "Name Kestrel → Kestrel & Sons" in tried.text
    assert HTML not in tried.answer.text
    assert (await desk.api.get(CUSTOMERS)).json() == before


def mapped(*targets: str) -> tuple[tuple[str, str], ...]:
    """The form's fields for these places of the columns, and to find customers by their email addresses."""
    fields = ((f"c{place}", target) for place, target in enumerate(targets))
    return (*fields, ("shape", ""), ("match", "email"), ("mode", "both"), ("empty", "keep"))


async def test_failed_rows_are_mended_and_brought_again(hub: Hub, admin: Visitor, bureau: Bureau) -> None:
    """What was right is written under the person's name, what was wrong is a file that can be mended and brought."""
    desk = bureau.desk
    page = await brought(admin, bureau, ROWS)
    options = mapped("name", "email", "phone", "bill_to.city", "")
    await send(admin, page, at(bureau, page, "options"), *options, ("then", "run"))
    await work(hub, bureau, page)
    done = await look(admin, at(bureau, page))
    assert "3 new 0 changed 0 unchanged 1 refused" in done.text
    assert done.rows[1][:2] == ["4", "Email Address"]
    file = await admin.get(done.link("Download only these rows"))
    assert file.headers["content-disposition"] == 'attachment; filename="spring-failed.csv"'
    header, row = file.text.splitlines()
    assert header == "import_error,Customer name,Email Address,Phone,Town,Odd"
    assert row.endswith(f",Falk {HTML},no address {HTML},'+47 3,Bergen,x")
    mended = await brought(admin, bureau, file.text.replace(f"no address {HTML}", "falk@a.example"), "mended.csv")
    assert [chosen(mended, f"c{place}") for place in range(6)] == ["", "name", "email", "phone", "bill_to.city", ""]
    options = mapped("", "name", "email", "phone", "bill_to.city", "")
    await send(admin, mended, at(bureau, mended, "options"), *options, ("then", "run"))
    await work(hub, bureau, mended)
    assert "1 new 0 changed 0 unchanged 0 refused" in (await look(admin, at(bureau, mended))).text
    customers = (await desk.api.get(CUSTOMERS)).json()["data"]
    assert {customer["email"] for customer in customers} == {
        f"{name}@a.example" for name in ("kestrel", "ravn", "hauk", "falk")
    }
    assert {customer["created_by"] for customer in customers} == {str(bureau.admin.user.id)}
    start = await look(admin, bureau.path())
    assert "Last import: mended.csv, done" in start.text


async def test_a_mapping_that_cannot_be_is_refused(hub: Hub, admin: Visitor, bureau: Bureau) -> None:
    """The reason stands at its column, what was chosen stays chosen, and nothing is kept of it."""
    page = await brought(admin, bureau, ROWS)
    before = await take_fingerprint(hub)
    options = mapped("name", "name", "phone", "nothing.of.it", "attributes.Odd")
    answer = await send(admin, page, at(bureau, page, "options"), *options, ("then", "run"))
    assert answer.status_code == 400
    wrong = Leaf(answer)
    assert "the column Customer name goes to the same place" in wrong.row("Email Address")[1]
    assert "nothing.of.it is no member of a customer that can be set" in wrong.row("Town")[1]
    assert (chosen(wrong, "c1"), chosen(wrong, "c4"), chosen(wrong, "match")) == ("name", "attributes.Odd", "email")
    assert await take_fingerprint(hub) == before


async def test_an_export_is_recognised(hub: Hub, admin: Visitor, bureau: Bureau) -> None:
    """Every shape that the list exports is known when it comes back, and brings no change."""
    desk = bureau.desk
    await desk.create(name="Ravn", email="ravn@a.example", payment_term=desk.payment_terms[0], phone="=1+1")
    customers = await look(admin, bureau.path("customers"))
    shapes = re.findall(
        r'<option value="(\w+)"', customers.answer.text.partition('id="export-shape"')[2].partition("</select>")[0]
    )
    assert len(shapes) > 1
    for shape in shapes:
        for ending in ("csv", "jsonl"):
            export = await admin.get(bureau.path("customers", "export") + f"?format={ending}&shape={shape}")
            assert (export.status_code, export.headers["cache-control"]) == (200, "no-store")
            page = await brought(admin, bureau, export.content, f"back.{ending}")
            assert "is read as one: no column needs to be mapped." in page.text, shape
            assert chosen(page, "shape") == shape
            await send(
                admin,
                page,
                at(bureau, page, "options"),
                ("shape", shape),
                ("match", chosen(page, "match")),
                ("then", "try"),
            )
            await work(hub, bureau, page)
            assert "0 new 0 changed 1 unchanged 0 refused" in (await look(admin, at(bureau, page))).text, shape


async def test_an_import_can_rest_go_on_and_end(hub: Hub, admin: Visitor, bureau: Bureau) -> None:
    """Each state offers what can be done in it, and refuses what cannot."""
    page = await brought(admin, bureau, ROWS)
    options = mapped("name", "email", "phone", "", "")
    running = await follow(admin, await send(admin, page, at(bureau, page, "options"), *options, ("then", "run")))
    resting = await follow(admin, await send(admin, running, at(bureau, page, "pause")))
    assert "Paused" in resting.text
    again = await follow(admin, await send(admin, resting, at(bureau, page, "run")))
    assert "Running: 0 of 4 rows" in again.text
    refused = await admin.post(at(bureau, page, "delete"))
    assert refused.status_code == 409
    assert "it runs" in Leaf(refused).text
    ended = await follow(admin, await send(admin, again, at(bureau, page, "cancel")))
    assert "Stopped" in ended.text
    gone = await follow(admin, await send(admin, ended, at(bureau, page, "delete")))
    assert "No file was imported yet." in gone.text
    assert (await admin.get(at(bureau, page))).status_code == 404


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.csv", b"", "empty"),
        ("only.csv", b"name,email\n", "has no rows"),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\0", "cannot be read"),
        (HTML + ".xlsx", b"PK\x03\x04nothing", "cannot be read"),
    ],
)
async def test_what_is_no_table_is_said(
    hub: Hub, admin: Visitor, bureau: Bureau, name: str, content: bytes, reason: str
) -> None:
    """A file that cannot be read leaves nothing behind but a sentence."""
    answer = await bring(admin, bureau, content, name)
    assert answer.status_code == 400
    assert reason in Leaf(answer).text
    assert HTML not in answer.text
    assert "No file was imported yet." in Leaf(answer).text


async def test_without_a_file_nothing_is_brought(admin: Visitor, bureau: Bureau) -> None:
    """The form says so."""
    answer = await admin.browser.post(bureau.path("imports"), data={"csrf": admin.csrf})
    assert answer.status_code == 400
    assert "Choose a file first." in answer.text


async def test_many_refused_rows_have_pages(hub: Hub, admin: Visitor, bureau: Bureau) -> None:
    """Each reason stands on one page, with the value of its own row."""
    rows = "".join(f"Name {place},wrong {place}\n" for place in range(60))
    page = await brought(admin, bureau, f"name,email\n{rows}")
    await send(admin, page, at(bureau, page, "options"), *mapped("name", "email"), ("then", "run"))
    await work(hub, bureau, page)
    first = await look(admin, at(bureau, page))
    second = await look(admin, first.link("More refused rows"))
    shown = [row[:3] for one in (first, second) for row in one.rows if len(row) == 4 and row[0].isdigit()]
    assert shown == [[str(place + 2), "email", f"wrong {place}"] for place in range(60)]
