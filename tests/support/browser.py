"""A browser for tests: follows forms as people do, keeps cookies, and shows what a page holds."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx
from typing_extensions import override

from customerhub.web.serve import Site


@dataclass
class Form:
    """One form of a page: where it goes, what it carries, and what can be chosen in it, by the field's name."""

    action: str
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            assert found["method"] == "post"
            self.forms.append(Form(found["action"]))
        elif tag == "input" and found.get("type") == "radio":
            self.forms[-1].choices.setdefault(found["name"], []).append(found["value"])
            if "checked" in found:
                self.forms[-1].values[found["name"]] = found["value"]
        elif tag == "input" and "name" in found:
            self.forms[-1].values[found["name"]] = found.get("value", "")
        elif tag == "button" and "name" in found:
            self.forms[-1].choices.setdefault(found["name"], []).append(found["value"])


def forms(answer: httpx.Response) -> dict[str, Form]:
    """The forms of a page by where they go."""
    parser = _Forms()
    parser.feed(answer.text)
    return {form.action: form for form in parser.forms}


def browse(site: Site, base_url: str = "http://hub") -> httpx.AsyncClient:
    """A browser of its own, without cookies; it shows redirects instead of following them."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(site), base_url=base_url)


async def submit(browser: httpx.AsyncClient, page: httpx.Response, action: str, **values: str) -> httpx.Response:
    """Fill in a form of a page and send it."""
    form = forms(page)[action]
    return await browser.post(action, data=form.values | values)


async def sign_in(browser: httpx.AsyncClient, email: str, password: str, target: str = "/") -> httpx.Response:
    """Sign in on the page; the answer to its form."""
    page = await browser.get("/signin", params={"next": target})
    assert page.status_code == 200, page.text
    return await submit(browser, page, "/signin", email=email, password=password)
