"""The bodies and queries of Augno's customer endpoints, as they travel and as they are checked."""

import re
from datetime import datetime
from typing import Annotated, Final, Literal, Required, get_args

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from customerhub.dialects.augno.paging import ListQuery
from customerhub.dialects.augno.quantity import MAX_FRACTION, MAX_WHOLE, find_decimal, fits

CONFIG: Final = ConfigDict(strict=True, extra="ignore")
MAX_GROUPS: Final = 1000

# Told in the document, checked by functions with words of their own.
_FILLED: Final = {"minLength": 1}
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(?:\.[^@\s.]+)+")
_URL: Final = re.compile(r"https?://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE)
_COUNTRY: Final = re.compile(r"[A-Za-z]{2}", re.ASCII)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return text


def _not_empty(text: str) -> str:
    if not text:
        raise PydanticCustomError("empty", "must not be empty; send null for none")
    return text


def _email(text: str) -> str:
    if text and not _EMAIL.fullmatch(text):
        raise PydanticCustomError("email", "must be an email address such as ap@example.com")
    return text


def _url(text: str) -> str:
    if text and not _URL.fullmatch(text):
        raise PydanticCustomError("url", "must be an absolute http or https URL")
    return text


def _country(text: str) -> str:
    if not _COUNTRY.fullmatch(text):
        raise PydanticCustomError("country", "must be a country code of two letters")
    return text


def _decimal(text: str) -> str:
    number = find_decimal(text)
    if number is None:
        raise PydanticCustomError("type", "must be a decimal number in a string")
    if not fits(number):
        told = "must have at most {whole} digits before and {fraction} behind the point"
        raise PydanticCustomError("digits", told, {"whole": MAX_WHOLE, "fraction": MAX_FRACTION})
    return text


def _not_negative(text: str) -> str:
    number = find_decimal(text)
    if number is not None and number < 0:
        raise PydanticCustomError("negative", "must not be negative")
    return text


Name = Annotated[str, AfterValidator(_not_blank), Field(max_length=255, json_schema_extra=_FILLED)]
Text = Annotated[str, AfterValidator(_not_empty), Field(max_length=255, json_schema_extra=_FILLED)]
Note = Annotated[str, AfterValidator(_not_empty), Field(max_length=10_000, json_schema_extra=_FILLED)]
Email = Annotated[
    str, AfterValidator(_not_empty), AfterValidator(_email), Field(max_length=320, json_schema_extra=_FILLED)
]
Phone = Annotated[str, AfterValidator(_not_empty), Field(max_length=64, json_schema_extra=_FILLED)]
Url = Annotated[
    str, AfterValidator(_not_empty), AfterValidator(_url), Field(max_length=2048, json_schema_extra=_FILLED)
]
Country = Annotated[str, AfterValidator(_country), Field(json_schema_extra={"pattern": "^[A-Za-z]{2}$"})]
Decimal = Annotated[str, AfterValidator(_decimal), Field(json_schema_extra={"format": "decimal"})]
Amount = Annotated[Decimal, AfterValidator(_not_negative)]
Status = Literal["normal", "preferred", "hold_shipment", "hold_all"]
Commission = Literal["commission_applied", "commission_exempt"]
Freight = Literal["free_freight", "billed_freight"]
Priority = Literal["low", "normal", "high"]
Billing = Literal["sender", "third_party"]
Groups = Annotated[list[str], Field(max_length=MAX_GROUPS)]


class CreditLimitBody(TypedDict):
    """Up to how much; the digits are kept as they are sent."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    value: Amount
    unit_id: str


class AddressBody(TypedDict, total=False):
    """An address to make."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Required[Name]
    is_drop_ship: Required[bool]
    country: Required[Country]
    phone: Phone | None
    email: Email | None
    street_line_1: Text | None
    street_line_2: Text | None
    locality: Text | None
    state: Text | None
    postal_code: Text | None


class CustomerUpdate(TypedDict, total=False):
    """What to change in a customer; members left out stay, null clears where it may stand."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name
    number: Name
    note: Note | None
    status: Status
    email: Email | None
    phone: Phone | None
    url: Url | None
    is_edi_enabled: bool
    commission_policy: Commission
    freight_policy: Freight
    default_carrier_id: str
    default_service_level_id: str | None
    default_payment_term_id: str
    default_shipping_term_id: str
    default_priority: Priority
    default_sales_rep_user_id: str | None
    bill_to_address_id: str | None
    ship_to_address_id: str | None
    customer_price_group_ids: Groups
    customer_type_group_id: str
    carrier_billing_type: Billing
    carrier_billing_account: Text | None
    credit_limit: CreditLimitBody | None


class CustomerBody(TypedDict, total=False):
    """A customer to make, with both its addresses."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Required[Name]
    default_carrier_id: Required[str]
    default_payment_term_id: Required[str]
    default_shipping_term_id: Required[str]
    customer_type_group_id: Required[str]
    bill_to_address: Required[AddressBody]
    ship_to_address: Required[AddressBody]
    customer_price_group_ids: Groups
    number: Name
    note: Note
    email: Email
    phone: Phone
    url: Url
    status: Status
    is_edi_enabled: bool
    commission_policy: Commission
    freight_policy: Freight
    default_service_level_id: str
    default_priority: Priority
    default_sales_rep_user_id: str
    carrier_billing_type: Billing
    carrier_billing_account: Text
    credit_limit: CreditLimitBody


class MergeBody(TypedDict):
    """Which customers go into the one that the path names."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    source_customer_ids: Annotated[list[str], Field(json_schema_extra={"minItems": 1})]


Include = Literal[
    "bill_to_address",
    "ship_to_address",
    "type",
    "parent_account",
    "child_accounts",
    "contact_info",
    "freight_preferences",
    "freight_preferences.carrier",
    "freight_preferences.service_level",
    "defaults",
    "defaults.payment_term",
    "defaults.shipping_term",
    "defaults.priority",
    "defaults.sales_rep",
    "notification_preferences",
    "price_groups",
    "credit_limit",
]
INCLUDES: Final[tuple[str, ...]] = get_args(Include)
STATUSES: Final[tuple[Status, ...]] = get_args(Status)
COMMISSIONS: Final[tuple[Commission, ...]] = get_args(Commission)
FREIGHTS: Final[tuple[Freight, ...]] = get_args(Freight)

IncludeQuery = TypedDict("IncludeQuery", {"include[]": list[Include]}, total=False)

_Filters = TypedDict(
    "_Filters",
    {
        "customer_group_ids[]": list[str],
        "pricing_group_ids[]": list[str],
        "sales_rep_ids[]": list[str],
        "status_codes[]": list[Status],
        "shipping_term_ids[]": list[str],
        "payment_term_ids[]": list[str],
        "carrier_ids[]": list[str],
        "service_level_ids[]": list[str],
        "commission_status_codes[]": list[Commission],
        "freight_status_codes[]": list[Freight],
    },
    total=False,
)


class CustomerListQuery(ListQuery, _Filters, IncludeQuery, total=False):
    """`GET /v1/sales/customers`: every filter must hold, each of them with any of its values."""

    is_parent_account: bool
    city: Annotated[str, Field(max_length=255)]
    state: Annotated[str, Field(max_length=255)]
    postal_code: Annotated[str, Field(max_length=255)]
    start_date: datetime
    end_date: datetime
