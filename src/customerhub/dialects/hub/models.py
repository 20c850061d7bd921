"""What answers look like, for the document and for tests; what is sent is built in `canonical` and `answers`."""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field, JsonValue
from typing_extensions import TypedDict

from customerhub.dialects.hub.wire import Amount, Id
from customerhub.model.customer import (
    AddressType,
    CarrierBilling,
    CommissionPolicy,
    FreightPolicy,
    Priority,
    Standing,
    Status,
)

Row = TypeVar("Row")
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Pointers = Annotated[
    list[str], Field(description="JSON Pointers into the customer; entries of lists stand by their id.")
]


class CreditLimit(TypedDict):
    """Up to how much, with the digits that were sent."""

    value: Amount
    unit: Id | None


class Address(TypedDict):
    """An address, every member always there."""

    id: Id
    created_at: Time
    updated_at: Time
    reference_id: str | None
    type: AddressType | None
    name: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    email: str | None
    line1: str | None
    line2: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None
    is_drop_ship: bool
    attributes: dict[str, str]


class Contact(TypedDict):
    """A contact, every member always there."""

    id: Id
    created_at: Time
    updated_at: Time
    reference_id: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    designation: str | None
    attributes: dict[str, str]


class Customer(TypedDict):
    """A customer, every member always there; null where there is none."""

    id: Id
    version: int
    created_at: Time
    updated_at: Time
    created_by: Id
    updated_by: Id
    name: str
    number: str
    display_name: str | None
    reference_id: str | None
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    website: str | None
    note: str | None
    status: Status
    standing: Standing
    payment_term: Id | None
    shipping_term: Id | None
    carrier: Id | None
    service_level: Id | None
    payment_mode: str | None
    sales_reps: list[Id]
    default_sales_rep: Id | None
    price_list: Id | None
    price_groups: list[Id]
    type_group: Id | None
    priority: Priority
    commission_policy: CommissionPolicy
    freight_policy: FreightPolicy
    is_edi_enabled: bool
    carrier_billing_type: CarrierBilling
    carrier_billing_account: str | None
    credit_limit: CreditLimit | None
    accepts_invoice_emails: bool
    tax_number: str | None
    tax_excluded: bool
    tax_auto_calculate: bool
    addresses: list[Address]
    contacts: list[Contact]
    attributes: dict[str, str]
    bill_to: Id | None
    ship_to: Id | None
    primary_contact: Id | None
    parent: Id | None
    deleted_at: Time | None
    merged_into: Id | None


class Written(TypedDict):
    """A customer after a write, and what came of each value that was named."""

    customer: Customer
    changed: Pointers
    equal: Pointers
    ignored: Annotated[list[str], Field(description="JSON Pointers into the request.")]


class ViewWritten(Written):
    """The same after a write in another dialect's terms, with the customer as that dialect shows it."""

    view: dict[str, JsonValue]


class Page(TypedDict, Generic[Row]):
    """A page of a list; `next` is what `after` takes, null on the last page."""

    data: list[Row]
    next: str | None


class Fault(TypedDict, total=False):
    """One wrong value: where it stands in the request, a code for programs, a sentence for people."""

    pointer: str
    parameter: str
    header: str
    code: str
    detail: str


class Difference(TypedDict):
    """One place in the record at the version that `If-Match` named, as the request would have it, and as it is."""

    path: str
    base: JsonValue
    mine: JsonValue
    theirs: JsonValue


class _Always(TypedDict):
    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Fault]
    request_id: str


class RowProblem(_Always, total=False):
    """The failure of one operation of a batch; the last two members come with 412."""

    current: int | None
    difference: list[Difference]


class _Result(TypedDict):
    index: int
    status: int


class BatchResult(_Result, total=False):
    """What came of one operation of a batch: of the customer, or what was wrong, or which customer it went into."""

    id: Id
    version: int
    changed: Pointers
    equal: Pointers
    ignored: Annotated[list[str], Field(description="JSON Pointers into the request.")]
    merged_into: Id
    error: RowProblem


class BatchAnswer(TypedDict):
    """One result for each operation, in their order."""

    results: list[BatchResult]


class Problem(RowProblem, total=False):
    """A failure (RFC 9457); `current` and `difference` come with 412, `results` with a batch of all or nothing."""

    results: list[BatchResult]


View = dict[str, JsonValue]


class _Values(TypedDict):
    path: str
    old: JsonValue
    new: JsonValue


class Change(_Values, total=False):
    """One place in a customer before and after; the path "" is the whole customer. `erased`: nobody knows any more."""

    erased: bool


class Actor(TypedDict):
    """Who did it: a person or a credential, by the credential's name."""

    id: Id
    name: str


class HistoryEntry(TypedDict):
    """One version of a customer."""

    version: int
    at: Time
    action: Literal["created", "updated", "deleted", "restored", "merged", "erased"]
    actor: Actor
    dialect: str
    request_id: str
    changes: list[Change]
    ignored: list[str]


class FeedEntry(HistoryEntry):
    """One change of the team's feed."""

    position: int
    customer: Id


class Feed(TypedDict):
    """A piece of the team's feed; `next` is the position to go on after."""

    data: list[FeedEntry]
    next: int
