"""What all pages of the console have in common: templates, what a browser may do with them, how values are written."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from importlib.resources import files
from typing import Final

import msgspec

from customerhub.console.apis import to_api_title
from customerhub.console.fields import to_label
from customerhub.model.answer import Answer
from customerhub.web.page import Page
from customerhub.web.page import to_page as to_fixed_page
from customerhub.web.render import Pages

_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
_STATIC: Final = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
PAGES: Final = Pages("customerhub.console", _POLICY)


def to_page(template: str, status: int = 200, **values: object) -> Answer:
    """A page of the console, of which nobody keeps a copy."""
    return PAGES.render(template, status, form_targets=(), **values).with_header("cache-control", "no-store")


def to_static_pages() -> dict[str, Page]:
    """Style and script, by path."""
    folder = files("customerhub.console").joinpath("static")
    return {
        f"/console/static/{name}": to_fixed_page(folder.joinpath(name).read_bytes(), media_type)
        for name, media_type in _STATIC.items()
    }


def to_time(at: datetime | None) -> str:
    """A time to read, in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if at is not None else ""


def to_machine_time(at: datetime) -> str:
    """A time for `<time datetime>`."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_count(number: int) -> str:
    """A number to read: 1,234,567."""
    return f"{number:,}"


def to_text(value: object) -> str:
    """Any value of a record to read; nothing for none."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return format(value, "f")
        case datetime():
            return to_time(value)
        case list() | tuple() | Mapping():
            return to_json(value)
    return str(value)


def to_json(value: object) -> str:
    """JSON to read."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def to_pretty_text(text: str) -> str:
    """A text that may be JSON, in lines if it is; one that was cut stays as it is."""
    try:
        return msgspec.json.format(text, indent=2)
    except (msgspec.DecodeError, RecursionError):
        return text


PAGES.templates.filters |= {
    "at": to_time,
    "machine_time": to_machine_time,
    "count": to_count,
    "text": to_text,
    "pretty": to_json,
    "pretty_text": to_pretty_text,
    "label": to_label,
    "api": to_api_title,
}
