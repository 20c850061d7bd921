"""The answers of the COUNT partner API, for its document and its tests; what is sent is built in `show`."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from customerhub.dialects.count.wire import Status


class Warned(TypedDict):
    """A member that had no effect; `internal_only` ones cannot be set here, `unknown_field` ones do not exist."""

    field: str
    reason: Literal["internal_only", "unknown_field"]
    message: str


class Address(TypedDict):
    """An address; lines 1 and 2 are one `street` with a line feed between them."""

    street: str | None
    city: str | None
    state: str | None
    zipCode: str | None
    country: str | None


class Contact(TypedDict):
    """A person at a customer."""

    uuid: str
    firstName: str | None
    lastName: str | None
    email: str | None
    phone: str | None
    isPrimary: bool


class Customer(TypedDict):
    """A customer; `uuid` and `id` are the same. Times are UTC with milliseconds."""

    uuid: str
    id: str
    customer: str
    email: str | None
    mainPhone: str | None
    website: str | None
    status: Status
    billingAddress: Address | None
    shippingAddress: Address | None
    contacts: list[Contact]
    notes: str | None
    paymentTerm: str | None
    taxNumber: str | None
    taxAutoCalculate: bool
    taxExcluded: bool
    createdAt: str
    updatedAt: str


class WrittenCustomer(Customer):
    """A customer after a write, with the members of the request that had no effect, if there were any."""

    _partnerWarnings: NotRequired[list[Warned]]


class CustomerAnswer(TypedDict):
    """One customer."""

    status: Literal["success"]
    message: str
    data: Customer


class WrittenCustomerAnswer(TypedDict):
    """One customer after a write."""

    status: Literal["success"]
    message: str
    data: WrittenCustomer


class Page(TypedDict):
    """A page of customers under the names of both kinds of client."""

    records: list[Customer]
    customers: list[Customer]
    totalRecords: int
    totalPages: int
    page: int
    limit: int


class PageAnswer(TypedDict):
    """A page of customers."""

    status: Literal["success"]
    message: str
    data: Page


class Gone(TypedDict):
    """What was deleted."""

    uuid: str
    id: str


class GoneAnswer(TypedDict):
    """What was deleted."""

    status: Literal["success"]
    message: str
    data: Gone


class BulkResult(TypedDict):
    """What became of one row: a customer, or a sentence that says why there is none."""

    index: int
    success: bool
    customer: NotRequired[WrittenCustomer]
    error: NotRequired[str]


class Bulk(TypedDict):
    """What became of every row, in their order."""

    successCount: int
    errorCount: int
    results: list[BulkResult]


class BulkAnswer(TypedDict):
    """What became of every row."""

    status: Literal["success"]
    message: str
    data: Bulk


class Webhook(TypedDict):
    """A subscription; its secret is never shown."""

    uuid: str
    event: str
    callbackUrl: str
    status: Literal["active", "paused", "disabled"]
    hasSigningSecret: bool
    createdAt: str
    updatedAt: str


class OneWebhook(TypedDict):
    """One subscription."""

    webhook: Webhook


class WebhookAnswer(TypedDict):
    """One subscription."""

    status: Literal["success"]
    message: str
    data: OneWebhook


class Webhooks(TypedDict):
    """All subscriptions, the oldest first."""

    webhooks: list[Webhook]


class WebhooksAnswer(TypedDict):
    """All subscriptions of the team."""

    status: Literal["success"]
    message: str
    data: Webhooks


class FieldProblem(TypedDict):
    """One wrong member."""

    field: str
    code: str
    message: str


class Error(TypedDict):
    """A failure, for readers of `code` and for readers of `error`, `error_description` and `type`."""

    status: Literal["error"]
    message: str
    code: str
    details: NotRequired[dict[str, object]]
    errors: NotRequired[list[FieldProblem]]
    error: NotRequired[str]
    error_description: NotRequired[str]
    type: NotRequired[Literal["RATE_LIMITED"]]
    statusCode: int
    requestId: str
