"""Customers as searches and duplicates tell of them."""

from uuid import UUID

from msgspec import Struct


class Summary(Struct, frozen=True, kw_only=True):
    """What tells a customer from others at a glance."""

    id: UUID
    name: str
    number: str
    reference_id: str | None = None
    email: str | None = None
    phone: str | None = None
    status: str = "active"


class Found(Summary, frozen=True, kw_only=True):
    """A customer that a search found; `matched` are the places that hold what was looked for."""

    matched: tuple[str, ...] = ()


class Shared(Struct, frozen=True, kw_only=True):
    """Something that customers have in common, as it is compared.

    `reason` is `email`, `phone`, `tax_number` or `name_and_postal_code`.
    """

    reason: str
    value: str


class Common(Shared, frozen=True, kw_only=True):
    """The same, which so many have that they are only counted, up to 1,000."""

    count: int


class Candidate(Struct, frozen=True, kw_only=True):
    """Who may be the same customer, and all that says so, the strongest first."""

    customer: Summary
    reasons: tuple[Shared, ...] = ()


class Duplicates(Struct, frozen=True, kw_only=True):
    """Everybody who may be the same customer, the likeliest first; `common` is what too many have to be named."""

    data: tuple[Candidate, ...]
    common: tuple[Common, ...] = ()


class DuplicateGroup(Common, frozen=True, kw_only=True):
    """Customers that share a value; none is named where more than 100 do."""

    customers: tuple[Summary, ...] = ()
