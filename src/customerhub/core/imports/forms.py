"""What an import needs of whoever knows how rows are written: whom a row is about, and what it asks of them."""

from collections.abc import Callable, Mapping
from typing import Protocol
from uuid import UUID

from msgspec import Struct

from customerhub.core.versions import Proposal
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import FieldError, Path
from customerhub.store.imports import Cells, Import


class Asked(Struct, frozen=True):
    """What a row asks of a customer: `errors` are of cells that could not be read, by their columns.

    `columns` are the places of the proposal that columns tell; `find_column` leads from the path of an error to the
    column that says it, or what it stands in.
    """

    proposal: Proposal
    ignored: tuple[str, ...]
    find_column: Callable[[Path], str | None]
    errors: tuple[FieldError, ...] = ()
    columns: Mapping[Path, str] = {}


class Form(Protocol):
    """How the rows of one import are read: in which shape, by which mapping."""

    def find_key(self, cells: Cells) -> str | None:
        """The value that the row's customer is found by, as the file has it, trimmed; None where there is none."""

    @property
    def names_versions(self) -> bool:
        """Whether rows say which version of their customer they were made of, by a column that the file has."""

    def find_version(self, cells: Cells) -> int | None:
        """The version of its customer that the row was made of; None where it says none."""

    def ask(self, cells: Cells, customer: Customer, catalogue: Catalogue, new_id: Callable[[], UUID]) -> Asked:
        """What the row asks of a customer, whose `version` is 0 where it is to be made.

        Raises Invalid or Malformed where nothing can be proposed.
        """


FindForm = Callable[[Import], Form]
"""The form of an import's rows; raises Invalid where its shape or its mapping names what there is not."""
