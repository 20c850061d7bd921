"""One customer as each system sees it: every dialect's JSON side by side, and the requests that read and change it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec
from markupsafe import Markup, escape
from typing_extensions import override

from customerhub.console.apis import to_api_title
from customerhub.console.customer.lighting import Lamp, Node
from customerhub.console.customer.subject import Subject, of_customer
from customerhub.console.desk import PREFIX, Desk
from customerhub.model.answer import Answer
from customerhub.web.dialect import Dialect
from customerhub.web.screens import Screen

_CANONICAL_TITLE: Final = "The record itself"
_INDENT: Final = "  "
# A name that a shell is to put a secret in the place of, as it stands inside single quotes.
_PLACEHOLDER: Final = re.compile(r"\$([A-Z][A-Z_]*)")
_HOST: Final = re.compile(r"[A-Za-z0-9.:\[\]-]+", re.ASCII)
_CREDENTIAL: Final = "$CUSTOMERHUB_"


class _Placeholders(Mapping[str, object]):
    """A credential of which nobody tells anything: each part is a variable of the shell."""

    @override
    def __getitem__(self, name: str) -> str:
        return _CREDENTIAL + name.upper()

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(())

    @override
    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class View:
    """How one system sees the customer; `read` and `update` are shell commands, `variables` what is to be put there."""

    name: str
    title: str
    json: Markup
    read: str
    update: str
    variables: list[str]


async def show(desk: Desk, subject: Subject) -> Answer:
    """`GET …/customers/{id}/systems`: all views; on a small screen the one that `system` names."""
    dialects = sorted(desk.dialects(), key=lambda one: (not one.is_canonical, one.name))
    views = [to_view(desk, subject, one) for one in dialects]
    chosen = desk.visit.query.get("system", "")
    here = chosen if any(view.name == chosen for view in views) else next((view.name for view in views), "")
    return desk.render("views.html", subject=subject, tab="systems", views=views, here=here)


def to_view(desk: Desk, subject: Subject, dialect: Dialect) -> View:
    """How one dialect shows the customer."""
    base_url, credential = to_base_url(desk), _Placeholders()
    commands = [make(base_url, credential, subject.customer) for make in (dialect.example_read, dialect.example)]
    variables = [name for name in dict.fromkeys(_PLACEHOLDER.findall(commands[0])) if _is_ours(name)]
    read, update = map(_to_shell, commands)
    title = _CANONICAL_TITLE if dialect.is_canonical else to_api_title(dialect)
    shown = dialect.show(subject.customer, subject.catalogue)
    return View(dialect.name, title, to_markup(shown, Lamp(dialect, subject.customer)), read, update, variables)


def to_base_url(desk: Desk) -> str:
    """Where clients reach this hub: as it was told, or as this browser does."""
    visit, host = desk.visit, desk.visit.headers.get("host", "")
    # It is pasted into a shell.
    host = host if _HOST.fullmatch(host) else "localhost"
    return visit.hub.settings.public_url.rstrip("/") or f"{visit.scheme}://{host}"


def _is_ours(name: str) -> bool:
    return f"${name}".startswith(_CREDENTIAL)


def _to_shell(command: str) -> str:
    """The command with its placeholders outside of single quotes, where a shell sees them."""

    def open_quotes(found: re.Match[str]) -> str:
        return f"'\"{found[0]}\"'" if _is_ours(found[1]) else found[0]

    opened = _PLACEHOLDER.sub(open_quotes, command)
    return opened.replace("''\"$", '"$').replace("\"''", '"')


def to_markup(shown: Mapping[str, object], lamp: Lamp) -> Markup:
    """JSON to read, each value marked with the fields of the record behind it."""
    pieces: list[str] = []
    _Writer(lamp, pieces).write(shown, _Place(lamp.root), "")
    # Every piece is escaped by whoever adds it; a format for each value would take three times as long.
    return Markup("".join(pieces))  # noqa: S704 - see above


class _Place(NamedTuple):
    """Where a value stands: what is known of it, what stood at the loose steps to it, the fields behind it."""

    node: Node | None
    bound: tuple[str | int, ...] = ()
    names: str = ""


class _Writer:
    """Adds JSON to `pieces`, escaped for a page."""

    def __init__(self, lamp: Lamp, pieces: list[str]) -> None:
        self._lamp = lamp
        self._add = pieces.append
        self._labels: dict[str | int, str] = {}

    def write(self, value: Mapping[str, object] | list[object], place: _Place, indent: str) -> None:
        """An object or an array that is not empty."""
        inner, is_object = indent + _INDENT, isinstance(value, Mapping)
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        self._add("{" if is_object else "[")
        comma = "\n"
        for key, item in items:
            within = self._step(place, key)
            label = self._label(key) if is_object else ""
            if isinstance(item, Mapping | list) and item:
                self._add(f"{comma}{inner}{label}")
                self.write(item, within, inner)
            else:
                text = _mark(f"{label}{escape(_encode(item))}", within)
                self._add(f"{comma}{inner}{text}")
            comma = ",\n"
        self._add(f"\n{indent}}}" if is_object else f"\n{indent}]")

    def _label(self, key: str | int) -> str:
        """What stands before a value, escaped; the entries of a list have the same ones."""
        found = self._labels.get(key)
        if found is None:
            found = self._labels[key] = str(escape(f"{_encode(key)}: "))
        return found

    def _step(self, place: _Place, key: str | int) -> _Place:
        node = place.node.find(key) if place.node is not None else None
        if node is None:
            return _Place(None, place.bound, place.names)
        is_loose = place.node is None or key not in place.node.inside
        bound = (*place.bound, key) if is_loose else place.bound
        return _Place(node, bound, self._lamp.name(node, bound) or place.names)


def _mark(escaped: str, place: _Place) -> str:
    if not place.names:
        return escaped
    # What stands in lists is not stopped at with Tab: there may be thousands of them.
    stop = "" if place.bound else ' tabindex="0"'
    return f'<span data-field="{place.names}"{stop}>{escaped}</span>'


def _encode(value: object) -> str:
    return msgspec.json.encode(value).decode()


SCREENS: Final[dict[str, dict[str, Screen]]] = {
    f"{PREFIX}/{{team}}/customers/{{id}}/systems": {"GET": of_customer(show, permission="customers:read")},
}
