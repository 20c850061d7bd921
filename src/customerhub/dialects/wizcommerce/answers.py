"""The answers of the WizCommerce API, for its document and its tests; what is sent is built in `show`."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from customerhub.dialects.wizcommerce.wire import AddressType, Status
from customerhub.model.catalogue import DataType, Entity


class Stamped(TypedDict):
    """Times in UTC, whole seconds (`2025-03-04T09:10:11Z`)."""

    created_at: str
    updated_at: str


class AttributeValue(Stamped):
    """A custom value with its history."""

    id: str
    name: str
    value: str
    created_by: str
    updated_by: str


class SalesRep(Stamped):
    """A user of the team."""

    id: str
    email: str
    first_name: str
    last_name: str
    phone: str
    department: str
    status: Status
    created_by: str
    updated_by: str


class PriceListReference(Stamped):
    """A price list as a customer shows it."""

    id: str
    name: str
    status: Status
    reference_id: str
    description: str


class PriceList(PriceListReference):
    """A price list as its own endpoints show it."""

    currency: str


class AddressWithoutStatus(Stamped):
    """An address as version 2 shows it."""

    id: str
    customer_id: str
    reference_id: str
    first_name: str
    last_name: str
    phone: str
    email: str
    address_line_1: str
    address_line_2: str
    city: str
    state: str
    country: str
    zip_code: str
    type: AddressType
    is_default: bool
    attributes: list[AttributeValue]


class Address(AddressWithoutStatus):
    """An address of a customer."""

    status: Status


class ContactRow(Stamped):
    """A contact in a list."""

    id: str
    reference_id: str
    first_name: str
    last_name: str
    email: str
    phone: str
    designation: str
    status: Status
    is_default: bool


class Contact(ContactRow):
    """A contact of a customer."""

    attributes: list[AttributeValue]


class CustomerRow(Stamped):
    """A customer in a list."""

    id: str
    reference_id: str
    display_id: str
    name: str
    display_name: str
    first_name: str
    last_name: str
    phone: str
    email: str
    status: Status
    freight_term: str
    shipping_method: str
    payment_mode: str
    payment_term: str


class Customer(CustomerRow):
    """A customer with everything in it; no price list, no member."""

    assigned_sales_reps: list[SalesRep]
    assigned_price_list: NotRequired[PriceListReference]
    addresses: list[Address]
    contacts: list[Contact]
    attributes: list[AttributeValue]


class AttributeDefinition(Stamped):
    """A custom field; options come back as their values."""

    id: str
    name: str
    entity: Entity
    data_type: DataType
    options: list[str]


class Pagination(TypedDict):
    """Where a page stands; 0 is no page."""

    total_records: int
    total_pages: int
    current_page: int
    next_page: int
    prev_page: int
    page_size: int


class TokenUser(TypedDict):
    """Who signed in."""

    id: str
    email: str
    first_name: str
    last_name: str
    tenant_id: str


class Token(TypedDict):
    """A new API key, shown this once; it travels in X-API-Key, whatever the type says."""

    token_id: str
    token_type: Literal["Bearer"]
    expires_at: str
    user: TokenUser
    access_token: str


class CustomerData(TypedDict):
    """One customer."""

    data: Customer


class CustomerList(TypedDict):
    """A page of customers."""

    data: list[CustomerRow]
    pagination: Pagination


class AddressData(TypedDict):
    """One address."""

    data: Address


class AddressWithoutStatusData(TypedDict):
    """One address, version 2."""

    data: AddressWithoutStatus


class AddressList(TypedDict):
    """A page of addresses."""

    data: list[Address]
    pagination: Pagination


class ContactData(TypedDict):
    """One contact."""

    data: Contact


class ContactList(TypedDict):
    """A page of contacts."""

    data: list[ContactRow]
    pagination: Pagination


class SalesRepList(TypedDict):
    """A page of sales reps."""

    data: list[SalesRep]
    pagination: Pagination


class PriceListData(TypedDict):
    """One price list."""

    data: PriceList


class PriceListList(TypedDict):
    """A page of price lists."""

    data: list[PriceList]
    pagination: Pagination


class AttributeDefinitionData(TypedDict):
    """One custom field."""

    data: AttributeDefinition


class AttributeDefinitionList(TypedDict):
    """A page of custom fields."""

    data: list[AttributeDefinition]
    pagination: Pagination


class ErrorDetail(TypedDict):
    """One wrong field, by its path in the request (`addresses[1].phone`)."""

    field: str
    reason: str


class Error(TypedDict):
    """Every failure; `details` names every wrong field and is empty where there is none."""

    code: Literal[
        "VALIDATION_ERROR",
        "UNAUTHORIZED",
        "FORBIDDEN",
        "NOT_FOUND",
        "METHOD_NOT_ALLOWED",
        "CONFLICT",
        "GONE",
        "PRECONDITION_FAILED",
        "PAYLOAD_TOO_LARGE",
        "UNPROCESSABLE",
        "PRECONDITION_REQUIRED",
        "TOO_MANY_REQUESTS",
        "INTERNAL_ERROR",
    ]
    message: str
    details: list[ErrorDetail]
