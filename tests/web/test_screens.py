"""Screens: paths with parameters, forms with files, and failures of both."""

import httpx
import pytest

from customerhub.core.hub import Hub
from customerhub.model.answer import Answer
from customerhub.web.limit import Limits
from customerhub.web.screens import Screens, Visit
from customerhub.web.serve import Site
from tests.support.browser import browse

FORM = {"content-type": "application/x-www-form-urlencoded"}
MAX_FILE_FORM = 400_000


async def show(visit: Visit) -> Answer:
    """What the screen was given, in one line."""
    files = {name: (one.name, len(one.content.read())) for name, one in visit.uploads.items()}
    text = f"{visit.method} {dict(visit.parameters)} {visit.fields} {files}"
    return Answer(200, text.encode(), (("content-type", "text/plain"),))


@pytest.fixture
def desk(hub: Hub) -> Site:
    """A site with screens alone; the form of one of them takes files."""
    screens = {
        "/desk/{team}/{id}": {"GET": show, "POST": show},
        "/desk/{team}/files": {"POST": show},
    }
    return Site(
        hub,
        (),
        limits=Limits(),
        screens=Screens(screens, prefixes=("/desk/",), uploads={"/desk/{team}/files": MAX_FILE_FORM}),
    )


async def send_file(desk: Site, path: str, size: int) -> httpx.Response:
    """A form with a file of so many bytes."""
    async with browse(desk) as browser:
        return await browser.post(path, data={"x": "1"}, files={"file": ("a b.csv", b"x" * size, "text/csv")})


async def test_a_path_says_what_it_is_about(desk: Site) -> None:
    """Parameters are whole segments, decoded."""
    async with browse(desk) as browser:
        answer = await browser.get("/desk/a%20b/c%2Cd?x=1")
    assert answer.text == "GET {'team': 'a b', 'id': 'c,d'} () {}"


@pytest.mark.parametrize("path", ["/desk/", "/desk/a", "/desk/a/b/c", "/desk/a/b%00"])
async def test_what_is_no_screen_is_a_page_too(desk: Site, path: str) -> None:
    """Below a prefix of screens everything else is a 404 that a browser can show."""
    async with browse(desk) as browser:
        answer = await browser.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_a_path_that_only_begins_alike_is_nobodys(desk: Site) -> None:
    """It is answered as anything else that the hub does not have."""
    async with browse(desk) as browser:
        answer = await browser.get("/desks")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_a_form_may_have_a_field_many_times(desk: Site) -> None:
    """All pairs are there, in their order."""
    async with browse(desk) as browser:
        answer = await browser.post("/desk/a/b", content="x=1&x=2&y=", headers=FORM)
    assert answer.text == "POST {'team': 'a', 'id': 'b'} (('x', '1'), ('x', '2'), ('y', '')) {}"


async def test_a_file_comes_with_its_form(desk: Site) -> None:
    """The path that names its segment wins over the one that takes any, and what is large is there as a whole."""
    answer = await send_file(desk, "/desk/a/files", 300_000)
    assert answer.text == "POST {'team': 'a'} (('x', '1'),) {'file': ('a b.csv', 300000)}"


async def test_a_file_is_refused_where_none_is_expected(desk: Site) -> None:
    """Other forms are what people type."""
    assert (await send_file(desk, "/desk/a/b", 10)).status_code == 415


async def test_a_file_may_be_too_large(desk: Site) -> None:
    """The whole form counts, and the answer is a page."""
    answer = await send_file(desk, "/desk/a/files", MAX_FILE_FORM)
    assert (answer.status_code, answer.headers["content-type"]) == (413, "text/html; charset=utf-8")


@pytest.mark.parametrize("content", [b"", b"--x\r\n", b"--x\r\nno header\r\n\r\n1\r\n--x--\r\n", b"\xff" * 100])
async def test_half_a_form_is_no_fault_of_ours(desk: Site, content: bytes) -> None:
    """What cannot be read is refused, or holds nothing."""
    async with browse(desk) as browser:
        answer = await browser.post(
            "/desk/a/files", content=content, headers={"content-type": "multipart/form-data; boundary=x"}
        )
    assert answer.status_code in (200, 400)
    assert answer.status_code == 400 or answer.text == "POST {'team': 'a'} () {}"
