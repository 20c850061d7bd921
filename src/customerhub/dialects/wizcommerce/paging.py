"""Query parameters and pages of WizCommerce lists."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar, cast

from pydantic import ConfigDict, Field
from starlette.datastructures import QueryParams
from typing_extensions import TypedDict

from customerhub.dialects.wizcommerce.wire import Status
from customerhub.model.error import FieldError, Invalid

Default = TypeVar("Default")
MAX_REFERENCE_IDS = 100
_WHOLE = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
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


class QueryReader:
    """Reads query parameters one by one and names all that are wrong at once; unknown ones are left to others."""

    def __init__(self, query: QueryParams) -> None:
        self._query = query
        self._errors: list[FieldError] = []

    def integer(self, name: str, default: int, highest: int) -> int:
        """A whole number from 1 on."""
        text = self._query.get(name)
        if text is None:
            return default
        if _WHOLE.fullmatch(text) and int(text) <= highest:
            return int(text)
        return self._refuse(name, f"must be a whole number from 1 to {highest}", default)

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        """One of a few words."""
        text = self._query.get(name, default)
        return text if text in choices else self._refuse(name, f"must be one of {', '.join(choices)}", default)

    def time(self, name: str) -> datetime | None:
        """A time in UTC, cut to whole seconds as all times are shown."""
        text = self._query.get(name)
        if text is None:
            return None
        try:
            at = datetime.fromisoformat(text)
            return at.replace(microsecond=0, tzinfo=at.tzinfo or UTC).astimezone(UTC)
        except (ValueError, OverflowError):
            return self._refuse(name, "must be a UTC time, for example 2025-03-04T09:10:11Z", None)

    def texts(self, name: str) -> tuple[str, ...] | None:
        """Texts separated by commas, repeated, or both; blanks are dropped."""
        if name not in self._query:
            return None
        parts = (part.strip() for text in self._query.getlist(name) for part in text.split(","))
        texts = tuple(dict.fromkeys(part for part in parts if part))
        if len(texts) > MAX_REFERENCE_IDS:
            return self._refuse(name, f"must name at most {MAX_REFERENCE_IDS}", texts)
        return texts

    def page(self) -> tuple[int, int]:
        """The page and its size."""
        return self.integer("page", 1, MAX_PAGE), self.integer("page_size", 10, 100)

    def is_descending(self) -> bool:
        """Newest first unless asked otherwise."""
        return self.choice("sort", ("asc", "desc"), "desc") == "desc"

    def status(self) -> Status:
        """Active unless asked otherwise."""
        return cast("Status", self.choice("status", ("active", "inactive"), "active"))

    def check(self) -> None:
        """Raise Invalid with everything that was wrong."""
        if self._errors:
            raise Invalid(tuple(self._errors))

    def _refuse(self, name: str, reason: str, default: Default) -> Default:
        self._errors.append(FieldError((name,), "query", reason))
        return default


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
