"""The bodies and queries of the COUNT partner API, as they travel and as they are checked."""

from typing import Annotated, Literal, Required

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from customerhub.model.text import is_email

_CONFIG = ConfigDict(strict=True, extra="ignore")
MAX_ROWS = 100
EVENTS = ("customer.created", "customer.updated", "customer.deleted")


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("too_short", "must not be empty")
    return text


def _email(text: str) -> str:
    if not is_email(text):
        raise PydanticCustomError("invalid_email", "must be an email address of at most 254 characters")
    return text


def _email_or_blank(text: str) -> str:
    return _email(text) if text.strip() else text


Text50 = Annotated[str, Field(max_length=50)]
Text255 = Annotated[str, Field(max_length=255)]
Name = Annotated[str, AfterValidator(_not_blank), Field(max_length=255)]
Email = Annotated[str, AfterValidator(_not_blank), AfterValidator(_email), Field(max_length=255)]
EmailOrNone = Annotated[str, AfterValidator(_email_or_blank), Field(max_length=255)] | None
Notes = Annotated[str, Field(max_length=10_000)]
Status = Literal["active", "inactive"]


class AddressBody(TypedDict, total=False):
    """A whole address: a member left out is null. `street` may have two lines; an empty object is no address."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    street: Text255 | None
    city: Text255 | None
    state: Text255 | None
    zipCode: Text255 | None
    country: Text255 | None


class ContactBody(TypedDict, total=False):
    """A person at a new customer; `name` is taken apart where neither first nor last name is given."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    firstName: Text255 | None
    lastName: Text255 | None
    name: Text255 | None
    email: EmailOrNone
    phone: Text50 | None
    isPrimary: bool


class CustomerEdit(TypedDict, total=False):
    """What to change in a customer; members left out stay. An empty text removes what null removes."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    customer: Name
    email: Email
    mainPhone: Text50 | None
    website: Text255 | None
    status: Status
    billingAddress: AddressBody | None
    shippingAddress: AddressBody | None
    notes: Notes | None
    paymentTerm: Text255 | None
    taxNumber: Text255 | None
    taxAutoCalculate: bool
    taxExcluded: bool


class CustomerUpdate(CustomerEdit, total=False):
    """What to change in a customer. Contacts are left alone, so that a whole customer can be sent back."""

    contacts: list[object]


class CustomerBody(CustomerEdit, total=False):
    """A customer to make, with the people at it."""

    customer: Required[Name]  # type: ignore[misc] # narrows what the edit leaves out
    email: Required[Email]  # type: ignore[misc]
    contacts: list[ContactBody]


class BulkUpdateRow(CustomerUpdate):
    """What to change in the customer named by `uuid`."""

    uuid: str


class BulkBody(TypedDict):
    """Rows, each of them on its own: one that fails stops no other."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    customers: Annotated[list[object], Field(min_length=1, max_length=MAX_ROWS)]


class BulkCreateBody(TypedDict):
    """1 to 100 customers to make."""

    customers: Annotated[list[CustomerBody], Field(min_length=1, max_length=MAX_ROWS)]


class BulkUpdateBody(TypedDict):
    """1 to 100 customers to change."""

    customers: Annotated[list[BulkUpdateRow], Field(min_length=1, max_length=MAX_ROWS)]


class ListQuery(TypedDict, total=False):
    """`GET /partners/customers`."""

    search: Annotated[str, Field(max_length=255, description="A part of name, email or phone; no wildcards.")]
    page: Annotated[int, Field(ge=1, le=10_000)]
    limit: Annotated[int, Field(ge=1, le=100)]
    orderBy: Literal["customer", "email", "createdAt", "updatedAt"]
    orderDirection: Literal["ASC", "DESC"]


class EmailQuery(TypedDict):
    """`GET /partners/customers/find-by-email`."""

    email: Annotated[str, Field(max_length=255, description="The whole address, in any case; `+` is sent as `%2B`.")]


class WebhookEdit(TypedDict, total=False):
    """What to change in a subscription; members left out stay."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    event: Literal["customer.created", "customer.updated", "customer.deleted"]
    callbackUrl: Annotated[str, AfterValidator(_not_blank), Field(max_length=2048)]
    signingSecret: Annotated[str, AfterValidator(_not_blank), Field(max_length=255)] | None
    status: Literal["active", "paused", "disabled"]


class WebhookBody(WebhookEdit):
    """Who is to be told of one kind of event."""

    event: Required[Literal["customer.created", "customer.updated", "customer.deleted"]]  # type: ignore[misc]
    callbackUrl: Required[Annotated[str, AfterValidator(_not_blank), Field(max_length=2048)]]  # type: ignore[misc]
