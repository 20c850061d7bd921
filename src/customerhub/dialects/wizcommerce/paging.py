"""Query parameters and pages of WizCommerce lists."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict, override

from customerhub.dialects.wizcommerce.wire import Status
from customerhub.web import query

_STATUSES: tuple[Status, ...] = ("active", "inactive")
# Further on an offset would cost more than any list is worth.
MAX_PAGE = 10_000_000


class PageQuery(TypedDict, total=False):
    """Which page, counted from 1."""

    __pydantic_config__ = ConfigDict(extra="ignore")  # type: ignore[misc]
    page: Annotated[int, Field(ge=1, le=MAX_PAGE)]
    page_size: Annotated[int, Field(ge=1, le=100)]


class SortedQuery(PageQuery, total=False):
    """Direction and status; inactive records are hidden unless asked for."""

    sort: Literal["asc", "desc"]
    status: Status


class DatedQuery(SortedQuery, total=False):
    """Windows of time, half-open by whole second: `…_after` is included, `…_before` is not."""

    created_after: datetime
    created_before: datetime
    updated_after: datetime
    updated_before: datetime


class CustomerListQuery(DatedQuery, total=False):
    """`GET /v1/customers`."""

    reference_ids: Annotated[str, Field(description="Up to 100, comma-separated or repeated.")]
    sort_by: Literal["created_at", "updated_at", "company_name", "display_name"]


class AddressListQuery(SortedQuery, total=False):
    """`GET /v1/customers/{customer_id}/addresses`."""

    reference_ids: Annotated[str, Field(description="Up to 100, comma-separated or repeated.")]
    sort_by: Literal["created_at", "updated_at"]


class ContactListQuery(DatedQuery, total=False):
    """`GET /v1/customers/{customer_id}/contacts`."""

    sort_by: Literal["created_at", "updated_at"]


class SalesRepListQuery(SortedQuery, total=False):
    """`GET /v1/sales-reps`."""

    sort_by: Literal["created_at", "updated_at", "first_name", "last_name"]
    email: str


class PriceListListQuery(SortedQuery, total=False):
    """`GET /v1/price-lists`."""

    sort_by: Literal["created_at", "updated_at", "name"]


class DefinitionListQuery(PageQuery, total=False):
    """`GET /v1/attributes`."""

    entity: Literal["customer", "product", "address", "contact", "order"]


class QueryReader(query.QueryReader):
    """The common reader, with what most lists of this API take."""

    @override
    def time(self, name: str) -> datetime | None:
        """A time in UTC, cut to whole seconds as all times are shown."""
        at = super().time(name)
        return at.replace(microsecond=0) if at is not None else None

    def page(self) -> tuple[int, int]:
        """The page and its size."""
        return self.integer("page", 1, MAX_PAGE), self.integer("page_size", 10, 100)

    def is_descending(self) -> bool:
        """Newest first unless asked otherwise."""
        return self.choice("sort", ("asc", "desc"), "desc") == "desc"

    def status(self) -> Status:
        """Active unless asked otherwise."""
        return self.choice("status", _STATUSES, "active")


def to_pagination(page: int, page_size: int, total: int) -> dict[str, int]:
    """Where a page stands; 0 is no page, at both ends."""
    pages = -(-total // page_size)
    return {
        "total_records": total,
        "total_pages": pages,
        "current_page": page,
        "next_page": page + 1 if page < pages else 0,
        "prev_page": page - 1,
        "page_size": page_size,
    }
