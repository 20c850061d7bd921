"""One cell of a file as the value of a canonical member: as people write such values, and as JSON has them."""

import re
from typing import Final
from uuid import UUID

from msgspec import UNSET, Struct

from customerhub.model.cells import find_truth
from customerhub.model.error import FieldError
from customerhub.model.json_text import NotJson, read_json
from customerhub.model.names import Names, Unclear, find_uuid
from customerhub.model.targets import CHOICES, Target

_NEVER_EMPTY: Final = frozenset(("name", "number"))
_SEPARATED: Final = re.compile(r"[;\n]")
_BETWEEN_WORDS: Final = re.compile(r"[\s-]+")
_AROUND_AMOUNTS: Final = re.compile(r"[\s\u00a0\u202f'’]|^[^\d+\-.,]+|[^\d.,]+$")
_GROUPED: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|\d+", re.ASCII)
# Whatever is longer is none, and to take apart what stands around it would take the square of its length.
_LONGEST_AMOUNT: Final = 100
_COMMA: Final = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d+,\d{1,2}", re.ASCII)


class Column(Struct, frozen=True):
    """A column that is led somewhere: whether its member takes any text, and whether that may be empty."""

    name: str
    target: Target
    is_text: bool
    is_clearable: bool


def to_column(name: str, target: Target) -> Column:
    """The column of this name and target."""
    return Column(name, target, target.kind in ("text", "pointer"), _may_be_empty(target))


class CellReader:
    """Reads the cells of one row; what is wrong with them goes to `errors`, by columns.

    `clears` is whether an empty cell empties, `takes_null` whether a null of JSON does. `carrier` is whose service
    levels are meant.
    """

    def __init__(self, names: Names, *, clears: bool, takes_null: bool, carrier: UUID | None) -> None:
        self._names = names
        self._clears = clears
        self._takes_null = takes_null
        self._carrier = carrier
        self.errors: list[FieldError] = []

    def read(self, column: Column, cell: object, now: object) -> object:
        """The value that a cell asks for, UNSET for none; a text that stands there `now` stays as it is."""
        if isinstance(cell, str):
            text = cell if cell == now else cell.strip()
            if text:
                return text if column.is_text else self._read_text(column, text)
            is_empty = self._clears
        elif cell is None:
            is_empty = self._takes_null
        else:
            return self._read_json_value(column, cell)
        if not is_empty or not column.is_clearable:
            return UNSET
        return [] if column.target.kind == "references" else None

    def note_carrier(self, value: object) -> None:
        """The row names a carrier of its own."""
        if isinstance(value, dict):
            entry = self._names.catalogue.find_named("carrier", str(value.get("name")))
            self._carrier = entry.id if entry is not None else None
        else:
            self._carrier = find_uuid(value) if isinstance(value, str) else None

    def _read_json_value(self, column: Column, value: object) -> object:
        """JSON as it is, but numbers where texts are wanted, and names in lists."""
        kind = column.target.kind
        if isinstance(value, bool):
            return ("true" if value else "false") if column.target.attribute is not None else value
        if isinstance(value, int | float) and kind != "flag":
            text = format(value, "d" if isinstance(value, int) else ".15g")
            return text if column.is_text else self._read_text(column, text)
        if kind == "references" and isinstance(value, list) and all(isinstance(item, str) for item in value):
            return self._read_names(column, value)
        return value

    def _read_text(self, column: Column, text: str) -> object:
        target = column.target
        match target.kind:
            case "choice":
                word = _BETWEEN_WORDS.sub("_", text.lower())
                return word if word in CHOICES[target.member] else text
            case "flag":
                truth = find_truth(text)
                return text if truth is None else truth
            case "term":
                return text if find_uuid(text) is not None else {"name": text}
            case "amount":
                return to_amount(text)
            case "references":
                return self._read_names(column, _SEPARATED.split(text))
            case "reference":
                return self._find_name(column, text)
        return self._read_json(column, text)

    def _read_names(self, column: Column, parts: list[str]) -> object:
        ids: list[object] = []
        for part in filter(None, map(str.strip, parts)):
            found = self._find_name(column, part)
            if found is UNSET:
                return UNSET
            ids.append(found)
        return ids

    def _find_name(self, column: Column, text: str) -> object:
        found = self._names.find(column.target.member, text, self._carrier)
        if isinstance(found, Unclear):
            self.errors.append(FieldError((column.name,), found.code, f"{text[:80]}: {found.reason}"))
            return UNSET
        return str(found)

    def _read_json(self, column: Column, text: str) -> object:
        try:
            return read_json(text)
        except NotJson as error:
            self.errors.append(FieldError((column.name,), "json", str(error)))
            return UNSET


def to_amount(text: str) -> str:
    """A decimal as the record writes it: without currency, spaces and signs between thousands, with a point.

    What is no amount in any of these ways stays as it is.
    """
    if len(text) > _LONGEST_AMOUNT:
        return text
    bare = _AROUND_AMOUNTS.sub("", text)
    if _COMMA.fullmatch(bare):
        return bare.replace(".", "").replace(",", ".")
    return bare.replace(",", "") if _GROUPED.fullmatch(bare) else text


def _may_be_empty(target: Target) -> bool:
    if target.attribute is not None:
        return True
    if target.kind in ("list", "values", "flag"):
        return False
    if target.kind == "choice":
        return target.member == "type"
    return bool(target.owner) or target.member not in _NEVER_EMPTY
