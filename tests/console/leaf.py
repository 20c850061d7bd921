"""A page read as people read it: its text, the rows of its tables, where its links and forms lead."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode

import httpx
from typing_extensions import override

from tests.console.visitor import Visitor

_BREAKS = frozenset(("p", "li", "tr", "h1", "h2", "h3", "div", "dt", "dd", "br", "summary", "label", "legend"))
_CELLS = ("td", "th")


@dataclass
class Leaf(HTMLParser):
    """`rows` are those of all tables, a text for each cell; `links` are (text, address); `forms` are what each carries,
    by method and address.
    """

    answer: httpx.Response
    rows: list[list[str]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    forms: dict[tuple[str, str], list[tuple[str, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self._pieces: list[str] = []
        self._cell: list[str] | None = None
        self._link: tuple[list[str], str] | None = None
        self._form: list[tuple[str, str]] = []
        self.feed(self.answer.text)

    @property
    def status(self) -> int:
        """How it was answered."""
        return self.answer.status_code

    @property
    def text(self) -> str:
        """All that it says, a space between words."""
        return " ".join("".join(self._pieces).split())

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag in _BREAKS:
            self.handle_data(" ")
        if tag == "tr":
            self.rows.append([])
        elif tag in _CELLS:
            self._cell = []
        elif tag == "a":
            self._link = ([], found.get("href", ""))
        elif tag == "form":
            self._form = self.forms.setdefault((found["method"], found["action"]), [])
        elif tag == "input" and "name" in found:
            is_box = found.get("type") in ("radio", "checkbox")
            if not is_box or "checked" in found:
                self._form.append((found["name"], found.get("value", "")))

    @override
    def handle_endtag(self, tag: str) -> None:
        if tag in _CELLS and self._cell is not None:
            self.rows[-1].append(" ".join("".join(self._cell).split()))
            self._cell = None
        elif tag == "a" and self._link is not None:
            self.links.append((" ".join("".join(self._link[0]).split()), self._link[1]))
            self._link = None

    @override
    def handle_data(self, data: str) -> None:
        self._pieces.append(data)
        for part in (self._cell, self._link[0] if self._link is not None else None):
            if part is not None:
                part.append(data)

    def link(self, text: str) -> str:
        """Where the first link of this text leads."""
        return next(address for shown, address in self.links if shown == text)

    def row(self, first: str) -> list[str]:
        """The cells behind this one, of the first row that begins with it."""
        return next(row[1:] for row in self.rows if row and row[0] == first)


async def look(visitor: Visitor, path: str) -> Leaf:
    """A page."""
    return Leaf(await visitor.get(path))


async def follow(visitor: Visitor, answer: httpx.Response) -> Leaf:
    """The page that an answer leads to."""
    assert answer.status_code == 303, answer.text
    return await look(visitor, answer.headers["location"])


async def send(visitor: Visitor, leaf: Leaf, action: str, *instead: tuple[str, str]) -> httpx.Response:
    """Send a form of a page, with other values for some of its fields."""
    names = {name for name, _ in instead}
    method = next(method for method, target in leaf.forms if target == action)
    pairs = [(name, value) for name, value in leaf.forms[method, action] if name not in names]
    pairs += instead
    if method == "get":
        return await visitor.get(f"{action}?{urlencode(pairs)}")
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return await visitor.browser.post(action, content=urlencode(pairs), headers=headers)
