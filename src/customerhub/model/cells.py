"""Views as the cells of a table, and back: dotted columns, lists as JSON text, and cells that no spreadsheet runs."""

import re
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec
from msgspec import UNSET

from customerhub.model.json_text import find_json

Kind = Literal["text", "boolean", "number", "json"]
"""What a column holds: text, `true` or `false`, a whole number, or JSON (lists, and objects whose names are values)."""
Columns = Mapping[str, Kind]
"""The columns of a shape in their order, by dotted names: `{"name": "text", "billingAddress.city": "text"}`."""

# What a spreadsheet takes for the beginning of a formula; some trim tabs and carriage returns before they look.
_STARTS: Final = r"[=+\-@\t\r]"
_TO_GUARD: Final = re.compile(f"'*{_STARTS}")
_GUARDED: Final = re.compile(f"'+{_STARTS}")
_TRUTHS: Final = {"true": True, "false": False, "yes": True, "no": False, "y": True, "n": False, "1": True, "0": False}
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)


def guard_cell(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would run it as a formula.

    A text that has apostrophes before such a beginning gets one more: so that taking one off always gives it back.
    """
    return f"'{text}" if _TO_GUARD.match(text) else text


def unguard_cell(text: str) -> str:
    """The text without the one apostrophe that `guard_cell` puts in front; any other text as it is."""
    return text[1:] if _GUARDED.match(text) else text


def flatten(view: Mapping[str, object], columns: Columns) -> dict[str, str]:
    """The cells of a view, one for each column; empty for null, for an empty text and for what is not there."""
    return {column: _to_cell(_find(view, column), kind) for column, kind in columns.items()}


def unflatten(cells: Mapping[str, str], columns: Columns, *, empty: object = UNSET) -> dict[str, object]:
    """The view that cells tell; an empty one tells nothing, or where it stands for a text that this is `empty`.

    Objects stand around their members. A cell that is not of its column's kind stays a text, so that whoever checks
    the view refuses it in its own words. Cells of no column are left out.
    """
    view: dict[str, object] = {}
    for column, text in cells.items():
        kind = columns.get(column)
        if kind is not None and (text or (kind == "text" and empty is not UNSET)):
            *owners, name = column.split(".")
            _enter(view, owners)[name] = to_value(text, kind) if text else empty
    return view


def overlay(shown: object, told: object) -> object:
    """What is shown now with what cells tell laid over it: objects member by member, all else in its place."""
    if not isinstance(shown, Mapping) or not isinstance(told, Mapping):
        return told
    return {**shown, **{name: overlay(shown.get(name), value) for name, value in told.items()}}


def to_value(text: str, kind: Kind) -> object:
    """What a cell that is not empty says; its text where it is not of this kind."""
    match kind:
        case "boolean":
            truth = find_truth(text)
            return text if truth is None else truth
        case "number":
            return int(text) if _WHOLE.fullmatch(text.strip()) else text
        case "json":
            return find_json(text, text)
        case "text":
            return text


def find_truth(text: str) -> bool | None:
    """Whether a text says yes or no, in any case of letters: true, yes, y, 1 and their opposites."""
    return _TRUTHS.get(text.strip().lower())


def _find(view: object, column: str) -> object:
    for step in column.split("."):
        view = view.get(step) if isinstance(view, Mapping) else None
    return view


def _to_cell(value: object, kind: Kind) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str() if kind != "json":
            return value
    return msgspec.json.encode(value).decode() if kind == "json" else str(value)


def _enter(view: dict[str, object], owners: Iterable[str]) -> dict[str, object]:
    for owner in owners:
        inner = view.setdefault(owner, {})
        if not isinstance(inner, dict):
            raise TypeError(owner)
        view = inner
    return view
