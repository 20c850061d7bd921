"""A row of a file as a canonical body: each column's text to the member that it is led to."""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec
from msgspec import UNSET, Struct

from customerhub.model.catalogue import Catalogue
from customerhub.model.cell_values import CellReader, Column, to_column
from customerhub.model.customer import Address, Contact, Customer
from customerhub.model.error import FieldError, Path
from customerhub.model.file_lists import Body, find_entry, settle_lists, to_values
from customerhub.model.names import Names
from customerhub.model.targets import Target, Targets, find_target

Empty = Literal["leave", "clear"]
"""What an empty cell asks of a customer that is there already: nothing, or that its member be emptied."""
Cells = Mapping[str, object]
"""A row by columns: texts; from JSON Lines any JSON, where null asks for null."""

_TYPES: Final = {"bill_to": "billing", "ship_to": "shipping"}
_COPIED: Final = ("id", "created_at", "updated_at", "reference_id", "attributes")
_WHOLE: Final = ("addresses", "contacts", "attributes")
_OWNERS: Final = ("bill_to", "ship_to", "primary_contact")


class Told(Struct, frozen=True):
    """What a row tells: a body for the canonical form, the column that each place in it came from, and what is wrong.

    `body` is a list-aware patch of the customer that there is, or a whole customer to make. The paths of `errors` are
    columns.
    """

    body: Body
    columns: Mapping[Path, str]
    errors: tuple[FieldError, ...] = ()

    def to_columns(self, errors: Iterable[FieldError]) -> tuple[FieldError, ...]:
        """The row's own errors and those found in its body, by columns where they came from one, each once."""
        once: dict[Path, FieldError] = {error.path: error for error in self.errors}
        for error in errors:
            column = self.find_column(error.path)
            path: Path = (column,) if column is not None else error.path
            once.setdefault(path, msgspec.structs.replace(error, path=path))
        return tuple(once.values())

    def find_column(self, path: Path) -> str | None:
        """The column that a place in the body came from: that place, what it stands in, or what is nearest to it."""
        for length in range(len(path), 0, -1):
            if (column := self.columns.get(path[:length])) is not None:
                return column
        for length in range(len(path), 0, -1):
            for place, column in self.columns.items():
                if place[:length] == path[:length]:
                    return column
        return None


class RowReader:
    """Reads rows by one mapping, which must be sound (`target_errors`); what it leads nowhere is not looked at."""

    def __init__(self, mapping: Targets, *, empty: Empty = "leave") -> None:
        self._clears = empty == "clear"
        columns = [to_column(name, target) for name, text in mapping.items() if (target := find_target(text or ""))]
        plain = (column for column in columns if not column.target.owner)
        # The carrier first: service levels of one name belong to several.
        self._plain = sorted(plain, key=lambda column: column.target.kind != "term")
        owners = dict.fromkeys(column.target.owner for column in columns if column.target.owner)
        self._groups = [[one for one in columns if one.target.owner == owner] for owner in sorted(owners, key=_rank)]
        self._names = Names(Catalogue(0))
        self._keys = {text: column for column, text in mapping.items() if text is not None}

    def find_key(self, cells: Cells, member: str) -> str | None:
        """What a row says of the member that its customer is found by (`id`, `email`, `number`, `reference_id`)."""
        value = cells.get(self._keys.get(member, ""))
        text = str(value).strip() if isinstance(value, str | int) else ""
        return text or None

    def to_body(self, cells: Cells, catalogue: Catalogue, existing: Customer | None = None) -> Told:
        """What a row asks of the customer that there is, or of a new one."""
        if self._names.catalogue is not catalogue:
            self._names = Names(catalogue)
        is_there = existing is not None
        carrier = existing.carrier if existing is not None else None
        reader = CellReader(self._names, clears=self._clears and is_there, takes_null=is_there, carrier=carrier)
        return _Row(reader, cells, existing).read(self._plain, self._groups)


class _Row:
    """One row on its way to a body."""

    def __init__(self, reader: CellReader, cells: Cells, existing: Customer | None) -> None:
        self._reader = reader
        self._cells = cells
        self._existing = existing
        # Where items stand in an edit of what is there, and in a new customer.
        self._inside = ("items",) if existing is not None else ()
        self._body: Body = {}
        self._columns: dict[Path, str] = {}
        self._lists: dict[str, list[Body]] = {}
        self._sources: dict[str, Body] = {}

    def read(self, plain: list[Column], groups: list[list[Column]]) -> Told:
        """What the columns of the customer itself tell, then those of its addresses and contacts."""
        custom: Body = {}
        existing, read = self._existing, self._reader.read
        cells = self._cells
        for column in plain:
            target, name = column.target, column.name
            if name not in cells:
                continue
            value = read(column, cells[name], _now(existing, target) if existing is not None else None)
            if value is UNSET:
                continue
            if target.attribute is not None:
                custom[target.attribute] = value
                self._columns["attributes", *self._inside, target.attribute] = column.name
            else:
                self._put(target.member, value, column.name)
        for group in groups:
            self._read_entry(group)
        self._settle(custom)
        return Told(self._body, self._columns, tuple(self._reader.errors))

    def _put(self, member: str, value: object, column: str) -> None:
        owner, _, name = member.partition(".") if "." in member else (member, "", "")
        if not name:
            self._body[owner] = value
            self._columns[owner,] = column
            if owner == "carrier":
                self._reader.note_carrier(value)
        elif value is None:
            self._body.setdefault(owner, None)
            self._columns.setdefault((owner,), column)
        else:
            limit = self._body.get(owner)
            self._body[owner] = {**(limit if isinstance(limit, dict) else {}), name: value}
            self._columns[owner, name] = column

    def _settle(self, custom: Body) -> None:
        """The lists and custom values of the body as edits; a limit with the part of it that the row does not tell."""
        if any(member in self._body for member in _WHOLE):
            self._body = settle_lists(self._body, self._existing)
        for member, items in self._lists.items():
            self._body[member] = {"mode": "merge", "items": items} if self._existing is not None else items
        if custom:
            self._body["attributes"] = to_values(custom, self._existing)
        limit, now = self._body.get("credit_limit"), self._existing
        if isinstance(limit, dict) and now is not None and now.credit_limit is not None:
            unit = str(now.credit_limit_unit) if now.credit_limit_unit is not None else None
            self._body["credit_limit"] = {"value": format(now.credit_limit, "f"), "unit": unit, **limit}

    def _read_entry(self, group: list[Column]) -> None:
        """What the columns of one address or contact tell: an edit of the one that is there, or a new one."""
        first = group[0].target
        entry = self._find_entry(group)
        values: Body = {}
        cells, read = self._cells, self._reader.read
        for column in group:
            target, name = column.target, column.name
            if target.member == "id" or name not in cells:
                continue
            value = read(column, cells[name], _now(entry, target) if entry is not None else None)
            if value is not UNSET and (value is not None or entry is not None):
                _set(values, target, value)
        if not values:
            return
        if entry is None:
            kind = {"type": _TYPES[first.owner]} if first.owner in _TYPES else {}
            self._add(group, {**kind, **values})
        elif (told := self._sources.get(str(entry.id))) is not None:
            self._read_again(group, entry, told, values)
        else:
            item: Body = {"id": str(entry.id), **values}
            self._sources[str(entry.id)] = item
            self._add(group, item)

    def _add(self, group: list[Column], item: Body) -> None:
        first = group[0].target
        items = self._lists.setdefault(first.list, [])
        place = len(items)
        items.append(item)
        for column in group:
            target = column.target
            inner = (target.member,) if target.attribute is None else ("attributes", target.attribute)
            self._columns[(first.list, *self._inside, place, *inner)] = column.name
        if first.place is None and "id" not in item:
            self._body[first.owner] = f"/{first.list}/{place}"
            self._columns[first.owner,] = group[0].name

    def _read_again(self, group: list[Column], entry: Address | Contact, told: Body, values: Body) -> None:
        """Two owners name one entry: what says the same is the same; else the second pointer gets a copy of its own."""
        first = group[0].target
        shown: Body = {name: getattr(entry, name) for name in entry.__struct_fields__ if name not in _COPIED}
        custom: Body = {one.name: one.value for one in entry.attributes}
        after = {**shown, "reference_id": entry.reference_id, **told, "attributes": custom | _inner(told)}
        merged = {**after, **values, "attributes": custom | _inner(told) | _inner(values)}
        if merged == after:
            return
        if first.place is not None:
            reason = "says otherwise than another column of the same entry"
            self._reader.errors.append(FieldError((group[0].name,), "contradiction", reason))
            return
        copy = {**shown, "type": _TYPES.get(first.owner), **values, "attributes": custom | _inner(values)}
        self._add(group, {name: value for name, value in copy.items() if value is not None})

    def _find_entry(self, group: list[Column]) -> Address | Contact | None:
        """The entry that is there: the one that the pointer names; by id or reference, else the one at that place."""
        existing, first = self._existing, group[0].target
        if existing is None:
            return None
        entries: tuple[Address | Contact, ...] = getattr(existing, first.list)
        if first.place is None:
            wanted = getattr(existing, first.owner)
        else:
            keys = {one.target.member: self._cells.get(one.name) for one in group}
            keyed = {name: str(keys[name]).strip() for name in ("id", "reference_id") if keys.get(name)}
            if not any(keyed.values()):
                return entries[first.place] if first.place < len(entries) else None
            wanted = find_entry(keyed, first.list, existing)
        return next((entry for entry in entries if entry.id == wanted), None)


def _set(values: Body, target: Target, value: object) -> None:
    if target.attribute is None:
        values[target.member] = value
    else:
        values["attributes"] = {**_inner(values), target.attribute: value}


def _now(owner: Customer | Address | Contact | None, target: Target) -> object:
    """What stands at a target now."""
    if owner is None or target.attribute is None:
        return getattr(owner, target.member, None)
    return next((one.value for one in owner.attributes if one.name == target.attribute), None)


def _inner(values: Body) -> Body:
    """The custom values among the values of an entry."""
    custom = values.get("attributes")
    return custom if isinstance(custom, dict) else {}


def _rank(owner: str) -> tuple[int, str]:
    """Pointers before places in lists, and where bills go first."""
    return (_OWNERS.index(owner) if owner in _OWNERS else len(_OWNERS), owner)
