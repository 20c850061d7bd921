"""What customers and the parts of them look like, for the document and for tests; what is sent is built in `show`.

What others show of the same records by themselves (owners, amounts of shipping terms) is described beside them.
"""

from typing import Annotated, Generic, Literal, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

from customerhub.dialects.augno.wire import Billing, Commission, Freight, Priority, Status

Row = TypeVar("Row")
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Digits = Annotated[str, Field(json_schema_extra={"format": "decimal"})]
Visibility = Literal["visible", "hidden"]


class PageInfo(TypedDict):
    """Where a page stands; a cursor of null leads nowhere."""

    next_cursor: str | None
    prev_cursor: str | None
    has_next_page: bool
    has_prev_page: bool


class Page(TypedDict, Generic[Row]):
    """A list, or a page of one."""

    object: Literal["list"]
    page_info: PageInfo
    data: list[Row]


class Quantity(TypedDict):
    """An amount: `value` has the digits that were sent, `display_value` is for people."""

    id: str
    object: Literal["quantity"]
    value: Digits
    display_value: str
    unit: None


class ContactInfo(TypedDict):
    """How a customer is reached."""

    object: Literal["customer_contact_info"]
    email: str | None
    phone: str | None
    url: str | None


class Carrier(TypedDict):
    """A carrier, as a customer shows it."""

    id: str
    object: Literal["carrier"]
    name: str
    code: str | None
    account_number: str | None
    customer_portal_visibility: Visibility
    owner: None
    service_levels: None
    deleted_at: Time | None
    created_at: Time
    updated_at: Time


class ServiceLevel(TypedDict):
    """A carrier's service level, as a customer shows it."""

    id: str
    object: Literal["service_level"]
    name: str
    service_level_token: str
    customer_portal_visibility: Visibility
    is_default: bool
    created_at: Time
    updated_at: Time


class FreightPreferences(TypedDict):
    """Who carries a customer's goods, and who pays; carrier and service level are asked for by themselves."""

    object: Literal["customer_freight_preferences"]
    status: Freight
    carrier: Carrier | None
    service_level: ServiceLevel | None
    billing_type: Billing | None
    billing_account: str | None


class PaymentTerm(TypedDict):
    """A payment term, as a customer shows it."""

    id: str
    object: Literal["payment_term"]
    name: str
    status: Literal["active", "inactive"]
    owner: None
    created_at: Time
    updated_at: Time


class ShippingTerm(TypedDict):
    """A shipping term, as a customer shows it: without its amounts."""

    id: str
    object: Literal["shipping_term"]
    name: str
    type: Literal["free_freight", "flat_rate_freight", "carrier_rate_freight"]
    owner: None
    flat_rate: None
    minimum_order_value: None
    free_shipping_service_levels: None
    created_at: Time
    updated_at: Time


class PriorityRecord(TypedDict):
    """A priority, as a customer shows it."""

    id: str
    object: Literal["priority"]
    code: Priority
    name: str
    owner: None
    created_at: Time
    updated_at: Time


class User(TypedDict):
    """A member of the team."""

    id: str
    object: Literal["user"]
    email: str | None
    name: str | None
    username: str | None
    email_verified_at: Time | None
    image_url: str | None
    created_at: Time
    updated_at: Time


class Defaults(TypedDict):
    """What a new order starts with; each is asked for by itself."""

    object: Literal["customer_defaults"]
    payment_term: PaymentTerm | None
    shipping_term: ShippingTerm | None
    priority: PriorityRecord | None
    sales_rep: User | None


class NotificationPreferences(TypedDict):
    """What a customer is told."""

    object: Literal["customer_notification_preferences"]
    accepts_invoice_emails: bool


class Address(TypedDict):
    """An address, as a customer shows it: without the place."""

    id: str
    object: Literal["address"]
    name: str
    phone: str | None
    email: str | None
    is_drop_ship: bool
    geolocation: None
    created_at: Time
    updated_at: Time


class AccountGroup(TypedDict):
    """A group of customers."""

    id: str
    object: Literal["account_group"]
    name: str
    description: str | None
    commission_policy: Commission
    freight_policy: Freight
    type: Literal["pricing_group", "type_group"]
    created_at: Time
    updated_at: Time


class _Own(TypedDict):
    id: str
    object: Literal["customer"]
    name: str
    number: str
    status: Status
    is_edi_enabled: bool
    is_parent_account: bool
    commission_policy: Commission
    note: str | None


class ShallowCustomer(_Own):
    """A customer above or below another one, with none of its parts."""

    credit_limit: None
    contact_info: None
    freight_preferences: None
    defaults: None
    notification_preferences: None
    bill_to_address: None
    ship_to_address: None
    type: None
    price_groups: None
    parent_account: None
    child_accounts: None
    created_at: Time
    updated_at: Time


class Customer(_Own):
    """A customer: every key always, its parts null unless they are asked for."""

    credit_limit: Quantity | None
    contact_info: ContactInfo | None
    freight_preferences: FreightPreferences | None
    defaults: Defaults | None
    notification_preferences: NotificationPreferences | None
    bill_to_address: Address | None
    ship_to_address: Address | None
    type: AccountGroup | None
    price_groups: Page[AccountGroup] | None
    parent_account: ShallowCustomer | None
    child_accounts: Page[ShallowCustomer] | None
    created_at: Time
    updated_at: Time


class Nothing(TypedDict):
    """What is left of what was deleted."""


class Quota(TypedDict):
    """How much of something may be used."""

    limit: int
    used: int
    reset_at: Time | None


class Failure(TypedDict):
    """What went wrong: `code` is for programs, `message` for people; `param` is the first that is to blame."""

    code: str
    type: Literal["invalid_request_error", "api_error", "idempotency_error"]
    message: str
    param: str | None
    doc_url: str
    is_transient: bool
    quota: Quota | None
    request_log_url: str | None


class Error(TypedDict):
    """Every failure."""

    error: Failure
