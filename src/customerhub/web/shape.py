"""A dialect's views as files have them: which columns they are, whose they are, and a row of them as a request."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, Literal, Protocol, TypeVar
from uuid import UUID

from msgspec import UNSET, Struct

from customerhub.core.customers import Proposal
from customerhub.model.catalogue import Catalogue
from customerhub.model.cells import Columns, overlay, unflatten
from customerhub.model.customer import Customer
from customerhub.model.error import Path
from customerhub.model.mapping import Empty, Told

Key = Literal["id", "email", "number", "reference_id"]
"""What a customer is found by."""
View = Mapping[str, object]

# Fewer columns than these say nothing of where a file comes from.
_LEAST: Final = 3
_LEAST_OWN: Final = 2
_LEAST_SHARE: Final = 0.6


class Shape(Struct, frozen=True):
    """A dialect's view of a customer as the columns of a table.

    `identity` is the column of its id, which every export has. `envelope` is the member of an answer that holds the
    view, "" where the answer is the view. `empty` is what the view has where a text is empty. `members` are members of
    requests that have another name than the column that they come from. `version` is the column of the customer's
    version, "" where the view has none.
    """

    columns: Columns
    identity: str = "id"
    envelope: str = ""
    empty: str | None = None
    members: Mapping[str, str] = {}
    version: str = ""


class Shaped(Protocol):
    """What is needed of a dialect to read rows of its views."""

    @property
    def shape(self) -> Shape:
        """Its view as columns."""

    def show(self, customer: Customer, catalogue: Catalogue) -> Mapping[str, object]:
        """Its view of a customer."""

    def to_request(self, view: View, customer: Customer | None, catalogue: Catalogue) -> dict[str, object]:
        """The request that a view makes, or a part of one."""

    def propose(
        self, body: dict[str, object], customer: Customer, catalogue: Catalogue, new_id: Callable[[], UUID]
    ) -> tuple[Proposal, tuple[str, ...]]:
        """What an update asks for."""


AnyShaped = TypeVar("AnyShaped", bound=Shaped)


def recognise(names: Collection[str], dialects: Iterable[AnyShaped]) -> AnyShaped | None:
    """The dialect whose view has these columns; None where it is none's, or could be of several.

    Its id must be there, and two columns at least that no other dialect has; most columns must be the dialect's.
    """
    known = {dialect: set(_with_owners(dialect.shape.columns)) for dialect in dialects}
    found: list[tuple[int, AnyShaped]] = []
    for dialect, columns in known.items():
        hits = columns.intersection(names)
        others = set[str]().union(*(other for one, other in known.items() if one is not dialect))
        is_likely = len(hits) >= max(_LEAST, _LEAST_SHARE * len(names)) and len(hits - others) >= _LEAST_OWN
        if dialect.shape.identity in names and is_likely:
            found.append((len(hits), dialect))
    found.sort(key=lambda one: one[0], reverse=True)
    if not found or (len(found) > 1 and found[0][0] == found[1][0]):
        return None
    return found[0][1]


def recognise_record(record: View, dialects: Iterable[AnyShaped]) -> AnyShaped | None:
    """The dialect whose view, or whose answer with the view in it, a JSON object is.

    What stands inside its objects speaks for a dialect that has such a column, and against none: custom values have any
    names, and whole records stand where a table shows a name.
    """
    dialects = tuple(dialects)
    columns = {column for dialect in dialects for column in _with_owners(dialect.shape.columns)}
    for dialect in dialects:
        inner = find_view(record, dialect.shape)
        names = tuple(name for name in _names_in(inner) if name in inner or name in columns)
        if recognise(names, dialects) is dialect:
            return dialect
    return None


def find_view(record: View, shape: Shape) -> View:
    """The view that a JSON object is, or that it has in its envelope."""
    inner = record.get(shape.envelope) if shape.envelope and shape.identity not in record else None
    return inner if isinstance(inner, Mapping) else record


def read_cells(
    dialect: Shaped,
    cells: Mapping[str, str],
    customer: Customer | None,
    catalogue: Catalogue,
    *,
    empty: Empty = "leave",
) -> Told:
    """The request that a row of a table makes; members that have no cell with a text in it stay as they are shown."""
    shape = dialect.shape
    clears = empty == "clear" and customer is not None
    told = unflatten(cells, shape.columns, empty=shape.empty if clears else UNSET)
    shown = dialect.show(customer, catalogue) if customer is not None else {}
    view = {name: overlay(shown.get(name), value) for name, value in told.items()}
    return _to_told(dialect.to_request(view, customer, catalogue), shape, cells)


def read_record(dialect: Shaped, record: View, customer: Customer | None, catalogue: Catalogue) -> Told:
    """The request that a JSON object makes; null is null, what is not there stays."""
    view = find_view(record, dialect.shape)
    return _to_told(dialect.to_request(view, customer, catalogue), dialect.shape, ())


def _to_told(body: dict[str, object], shape: Shape, columns: Iterable[str]) -> Told:
    places: dict[Path, str] = {tuple(column.split(".")): column for column in columns}
    for member, column in shape.members.items():
        if column in places.values():
            places[tuple(member.split("."))] = column
    return Told(body, places)


def _with_owners(columns: Iterable[str]) -> Iterable[str]:
    """The names and those of the objects around them, which stand alone where they are null."""
    for column in columns:
        steps = column.split(".")
        yield from (".".join(steps[:length]) for length in range(1, len(steps) + 1))


def _names_in(view: View, prefix: str = "") -> Iterable[str]:
    for name, value in view.items():
        yield f"{prefix}{name}"
        if isinstance(value, Mapping) and not prefix.count("."):
            yield from _names_in(value, f"{prefix}{name}.")
