"""Forms as a browser fills them in and sends them: every kind of field, each with what stands in it on the page."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx
from typing_extensions import override

from tests.console.visitor import Visitor

_NAMED = ("input", "select", "textarea")
_ENDINGS = str.maketrans({"\n": "\r\n"})


@dataclass
class Filled:
    """A form: where it goes, what it would send (`pairs`), and what can be chosen, by field."""

    action: str
    pairs: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)

    def values(self, name: str) -> list[str]:
        """What a field would send."""
        return [value for key, value in self.pairs if key == name]

    def value(self, name: str) -> str:
        """What a field with one value would send."""
        [value] = self.values(name)
        return value

    def type(self, name: str, *values: str) -> "Filled":
        """Other values in a field."""
        self.pairs = [*(pair for pair in self.pairs if pair[0] != name), *((name, value) for value in values)]
        return self

    async def send(self, visitor: Visitor) -> httpx.Response:
        """Send it as a browser does, ends of lines and all."""
        data: dict[str, list[str]] = {}
        for name, value in self.pairs:
            data.setdefault(name, []).append(value.replace("\r\n", "\n").translate(_ENDINGS))
        return await visitor.browser.post(self.action, data=data)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Filled] = []
        self._inside: Filled | None = None
        self._select: tuple[str, list[str], list[str]] | None = None
        self._text: tuple[str, list[str]] | None = None
        self._reason: list[str] | None = None

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = Filled(found.get("action", ""))
            self.forms.append(self._inside)
        form = self._inside
        if form is None:
            return
        if tag == "p" and found.get("class") == "reason":
            self._reason = []
        name = found.get("name", "")
        if found.get("aria-invalid") == "true":
            form.invalid.append(name)
        if tag == "input" and name:
            self._see_input(form, name, found)
        elif tag == "button" and name:
            form.choices.setdefault(name, []).append(found.get("value", ""))
        elif tag == "select":
            self._select = (name, [], [])
        elif tag == "option" and self._select is not None:
            self._select[1].append(found["value"])
            if "selected" in found:
                self._select[2].append(found["value"])
        elif tag == "textarea":
            self._text = (name, [])

    @staticmethod
    def _see_input(form: Filled, name: str, found: dict[str, str]) -> None:
        if found.get("type") in ("checkbox", "radio"):
            form.choices.setdefault(name, []).append(found["value"])
            if "checked" not in found:
                return
        value = found.get("value", "")
        # A field of one line has no ends of lines in it, whatever stood there.
        form.pairs.append((name, value if found.get("type") == "hidden" else value.replace("\r", "").replace("\n", "")))

    @override
    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text[1].append(data)
        if self._reason is not None:
            self._reason.append(data)

    @override
    def handle_endtag(self, tag: str) -> None:
        form = self._inside
        if form is None:
            return
        if tag == "form":
            self._inside = None
        elif tag == "select" and self._select is not None:
            name, options, chosen = self._select
            form.choices[name] = options
            form.pairs += [(name, value) for value in chosen or options[:1]]
            self._select = None
        elif tag == "textarea" and self._text is not None:
            text = "".join(self._text[1]).replace("\r\n", "\n").replace("\r", "\n")
            form.pairs.append((self._text[0], text.removeprefix("\n")))
            self._text = None
        elif tag == "p" and self._reason is not None:
            form.reasons.append("".join(self._reason))
            self._reason = None


def find_forms(page: httpx.Response, end: str) -> list[Filled]:
    """The forms of a page that go to a path with this end."""
    parser = _Parser()
    # What a browser makes of ends of lines before it looks at anything else.
    parser.feed(page.text.replace("\r\n", "\n").replace("\r", "\n"))
    return [form for form in parser.forms if form.action.endswith(end)]


def find_form(page: httpx.Response, end: str) -> Filled:
    """The first form of a page that goes to a path with this end."""
    found = find_forms(page, end)
    assert found, f"{page.status_code}: no form to …{end} in {page.text[:2000]}"
    return found[0]


def to_lines(texts: Iterable[str]) -> list[str]:
    """Texts without the blanks around them."""
    return [" ".join(text.split()) for text in texts]
