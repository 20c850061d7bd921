"""The reference at /docs."""

import re

import pytest

from customerhub.web.docs import to_document_pages
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.web.fake import READ, FakeDialect, FakeHub, to_client


@pytest.fixture
def site() -> Site:
    """Two dialects and their reference."""
    dialects = [FakeDialect((READ,)), FakeDialect(name="other", prefixes=("/other",))]
    return Site(FakeHub(), dialects, limits=Limits(), pages=to_document_pages(dialects))


async def test_the_reference_loads_nothing_from_elsewhere(site: Site) -> None:
    """Every script, style and picture of the page is served here, so that it works offline."""
    async with to_client(site) as client:
        page = await client.get("/docs")
        loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        answers = {path: await client.get(path) for path in loaded}
    assert {path: (answer.status_code, answer.headers["content-type"]) for path, answer in answers.items()} == {
        "/docs/favicon-32x32.png": (200, "image/png"),
        "/docs/swagger-ui.css": (200, "text/css; charset=utf-8"),
        "/docs/index.css": (200, "text/css; charset=utf-8"),
        "/docs/swagger-ui-bundle.js": (200, "text/javascript; charset=utf-8"),
        "/docs/swagger-ui-standalone-preset.js": (200, "text/javascript; charset=utf-8"),
        "/docs/start.js": (200, "text/javascript; charset=utf-8"),
    }
    assert len(answers["/docs/swagger-ui-bundle.js"].content) > 500_000


async def test_the_reference_runs_under_a_strict_policy(site: Site) -> None:
    """Scripts come from files of this server alone: the page has none of its own, and none may be added."""
    async with to_client(site) as client:
        page = await client.get("/docs")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert re.findall(r"<script[^>]*>([^<]*)</script>", page.text) == ["", "", ""]
    assert not re.search(r"\son\w+=|<style", page.text)
    assert page.headers["x-content-type-options"] == "nosniff"


async def test_the_reference_has_every_dialect_and_asks_nobody(site: Site) -> None:
    """All dialects can be chosen, and no document is sent to a validator elsewhere."""
    async with to_client(site) as client:
        start = (await client.get("/docs/start.js")).text
        documents = [await client.get(path) for path in re.findall(r'"url":"([^"]+)"', start)]
    assert '{"name":"Fake API","url":"/fake/openapi.json"}' in start
    assert [document.status_code for document in documents] == [200, 200]
    assert "validatorUrl: null" in start
    assert "http" not in start


async def test_the_front_page_leads_everywhere(site: Site) -> None:
    """`/` links the console, the reference, the documents and the health of the process."""
    async with to_client(site) as client:
        page = await client.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert re.findall(r'href="([^"]+)"', page.text) == [
        "/docs/front.css",
        "/console",
        "/docs",
        "/fake/openapi.json",
        "/other/openapi.json",
        "/healthz",
        "/readyz",
    ]
    assert "<style" not in page.text
