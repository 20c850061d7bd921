"""The rows of imported files as requests: by a mapping in the canonical form, or as a dialect shows its customers."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import chain, islice
from typing import BinaryIO, Final
from uuid import UUID

import msgspec

from customerhub.core.customers import Proposal
from customerhub.core.imports.failed import REASON
from customerhub.core.imports.forms import Asked, Form
from customerhub.core.imports.orders import Upload
from customerhub.core.tables.json_lines import to_columns
from customerhub.core.tables.opening import open_table
from customerhub.core.tables.rows import Row as TableRow
from customerhub.core.tables.rows import Table
from customerhub.dialects.base import find_canonical, find_dialects
from customerhub.model.catalogue import Catalogue
from customerhub.model.cells import unflatten
from customerhub.model.customer import Customer
from customerhub.model.error import FieldError, Invalid
from customerhub.model.mapping import Empty, RowReader, Told
from customerhub.model.suggest import suggest, to_targets
from customerhub.model.targets import target_errors
from customerhub.store.imports import Cells, Import, MatchBy, Options, Row
from customerhub.web.dialect import Dialect
from customerhub.web.shape import find_view, read_cells, read_record, recognise, recognise_record

_SAMPLE: Final = 20
_PIECE: Final = 1 << 20
_KEYS: Final[tuple[MatchBy, ...]] = ("id", "number", "reference_id", "email")


def find_form(one: Import) -> Form:
    """How an import's rows are read. Raises Invalid for a shape that there is not, and for an unsound mapping."""
    found = find_shape(one.options.shape)
    if found is not None:
        return ShapedForm(one, found)
    canonical = find_canonical(find_dialects())
    if canonical is None:
        raise Invalid((FieldError(("mapping",), "unknown", "the canonical form is not there"),))
    if not any(one.options.mapping.values()):
        reason = "leads no column anywhere: is the first row of the file its header?"
        raise Invalid((FieldError(("mapping",), "empty", reason),))
    errors = target_errors(one.options.mapping, one.columns)
    if errors:
        raise Invalid(tuple(FieldError(("mapping", *error.path), error.code, error.reason) for error in errors))
    return MappedForm(one, canonical)


class _Proposing:
    """What both forms do with a body once they have it."""

    def __init__(self, one: Import, dialect: Dialect) -> None:
        self._options = one.options
        self._columns = one.columns
        self._dialect = dialect
        self._empty: Empty = "clear" if one.options.empty_cells == "clear" else "leave"

    def _propose(self, told: Told, customer: Customer, catalogue: Catalogue, new_id: Callable[[], UUID]) -> Asked:
        body = dict(told.body)
        if customer.version:
            proposal, ignored = self._dialect.propose(body, customer, catalogue, new_id)
        else:
            proposal, ignored = self._dialect.propose_new(body, catalogue, new_id, customer.created_by)
            proposal = _without_demands(proposal)
        return Asked(proposal, ignored, told.find_column, told.errors, told.columns)


def _without_demands(proposal: Proposal) -> Proposal:
    """A creation without the refusals of what its API wants of new customers and the record does not.

    Views do not have all that creations take, and customers that came by another door never had it.
    """
    errors = tuple(error for error in proposal.errors if error.code != "missing" or len(error.path) > 1)
    return msgspec.structs.replace(proposal, errors=errors)


class MappedForm(_Proposing):
    """Rows whose columns are led to members of the canonical record."""

    def __init__(self, one: Import, dialect: Dialect) -> None:
        super().__init__(one, dialect)
        self._reader = RowReader(one.options.mapping, empty=self._empty)

    def find_key(self, cells: Cells) -> str | None:
        """What stands in the column that is led to the key."""
        return self._reader.find_key(to_members(self._columns, cells), self._options.match_by)

    @property
    def names_versions(self) -> bool:
        """No column is led to the version."""
        return False

    def find_version(self, cells: Cells) -> int | None:  # noqa: ARG002 - as above
        """Nothing."""
        return None

    def ask(self, cells: Cells, customer: Customer, catalogue: Catalogue, new_id: Callable[[], UUID]) -> Asked:
        """A patch of the customer, or a whole one."""
        members = to_members(self._columns, cells)
        told = self._reader.to_body(members, catalogue, customer if customer.version else None)
        return self._propose(told, customer, catalogue, new_id)


class ShapedForm(_Proposing):
    """Rows that are a dialect's views of customers, as columns or as JSON."""

    def __init__(self, one: Import, dialect: Dialect) -> None:
        super().__init__(one, dialect)
        self._find_keys = KeyFinder(dialect, one.columns)

    def find_key(self, cells: Cells) -> str | None:
        """What the view has of the key."""
        return self._find_keys.find(cells, self._options.match_by)

    @property
    def names_versions(self) -> bool:
        """Whether the view has the version: it is that of the customer with the row's id, and of no other."""
        version = self._dialect.shape.version
        return bool(version) and self._options.match_by == "id" and version in self._columns

    def find_version(self, cells: Cells) -> int | None:
        """What the view has of the version."""
        return self._find_keys.find_version(cells)

    def ask(self, cells: Cells, customer: Customer, catalogue: Catalogue, new_id: Callable[[], UUID]) -> Asked:
        """An update in the dialect's words, or its creation."""
        existing = customer if customer.version else None
        if isinstance(cells, dict):
            record = {name: value for name, value in cells.items() if name != REASON}
            told = read_record(self._dialect, record, existing, catalogue)
        else:
            named = dict(zip(self._columns, cells, strict=False))
            told = read_cells(self._dialect, named, existing, catalogue, empty=self._empty)
        return self._propose(told, customer, catalogue, new_id)


class KeyFinder:
    """Finds in rows of a dialect's views by what their customers are found."""

    def __init__(self, dialect: Dialect, columns: Sequence[str]) -> None:
        self._dialect = dialect
        self._columns = columns
        # Lists are left alone: to read them takes as long as all the rest, and no key is in one.
        self._plain = {name: kind for name, kind in dialect.shape.columns.items() if kind != "json"}

    def find(self, cells: Cells, key: MatchBy) -> str | None:
        """A key, trimmed; an id that is none of this dialect's as it stands there."""
        view = self._to_view(cells)
        found: object = self._dialect.find_key(view, key)
        if found is None and key == "id":
            found = view.get(self._dialect.shape.identity)
        return str(found).strip() or None if found is not None else None

    def find_version(self, cells: Cells) -> int | None:
        """The version that the row was read at; None where views have none."""
        value = self._to_view(cells).get(self._dialect.shape.version)
        return value if isinstance(value, int) else None

    def _to_view(self, cells: Cells) -> Mapping[str, object]:
        if isinstance(cells, dict):
            return find_view(cells, self._dialect.shape)
        return unflatten(dict(zip(self._columns, cells, strict=False)), self._plain)


def to_members(columns: tuple[str, ...], cells: Cells) -> Mapping[str, object]:
    """A row by the names of its columns."""
    return to_columns(cells) if isinstance(cells, dict) else dict(zip(columns, cells, strict=False))


@contextmanager
def open_upload(
    file: BinaryIO, file_name: str, *, sheet: str | None = None, shape: str | None = None
) -> Iterator[Upload]:
    """A file as it can be staged: its shape is recognised, or else a mapping suggested.

    `shape` is the name of the API whose views rows are, "" for none, None for the file to say. Raises UnreadableFile,
    and Invalid for an API that there is not.
    """
    digest = sha256()
    while piece := file.read(_PIECE):
        digest.update(piece)
    with open_table(file, file_name, sheet=sheet) as table:
        sample = list(islice(table.rows, _SAMPLE))
        rows = [_to_row(table.header, row) for row in sample]
        found = _recognise(table) if shape is None else find_shape(shape)
        mapping = to_targets(suggest(table.header, [row.cells for row in sample])) if found is None else {}
        keys = _find_keys(found, table.header, mapping, [row for row in rows if row.fault is None])
        known = {key for one in keys for key in one} if found is not None else set(mapping.values())
        match_by: MatchBy = next((key for key in _KEYS if key in known), "number")
        options = Options(found.name if found is not None else "", mapping, match_by=match_by)
        rest = (_to_row(table.header, row) for row in table.rows)
        yield Upload(file_name, table.format, table.header, chain(rows, rest), options, digest.digest(), keys)


def find_shape(name: str) -> Dialect | None:
    """The API whose views rows are, None for no name. Raises Invalid where there is none of it."""
    if not name:
        return None
    found = next((dialect for dialect in find_dialects() if dialect.name == name), None)
    if found is None:
        raise Invalid((FieldError(("shape",), "unknown", "no API here has this name"),))
    return found


def _recognise(table: Table) -> Dialect | None:
    dialects = find_dialects()
    return recognise_record(table.first, dialects) if table.first is not None else recognise(table.header, dialects)


def _find_keys(
    dialect: Dialect | None, columns: tuple[str, ...], mapping: Mapping[str, str | None], rows: Iterable[Row]
) -> tuple[Mapping[MatchBy, str], ...]:
    """What each row has to find its customer by."""
    if dialect is not None:
        found = KeyFinder(dialect, columns)
        pairs = ([(key, found.find(row.cells or [], key)) for key in _KEYS] for row in rows)
    else:
        reader = RowReader(mapping)
        members = (to_members(columns, row.cells or []) for row in rows)
        pairs = ([(key, reader.find_key(one, key)) for key in _KEYS] for one in members)
    return tuple({key: value for key, value in one if value is not None} for one in pairs)


def _to_row(header: tuple[str, ...], row: TableRow) -> Row:
    if row.record is not None:
        return Row(row.line, dict(row.record), row.fault)
    cells = [str(row.cells.get(column, "")) for column in header]
    return Row(row.line, [*cells, *row.rest], row.fault)
