"""Customers as the hub answers them: None where there is nothing; members that came after this version are skipped."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from msgspec import Struct

Json = Any  # Any: decoded JSON


class CreditLimit(Struct, frozen=True, kw_only=True):
    """An amount with the digits as they were set; `unit` is a currency of the team's catalogue."""

    value: Decimal
    unit: UUID | None = None


class Address(Struct, frozen=True, kw_only=True):
    """A postal address; `type` is `billing`, `shipping` or None, `country` a code of two letters."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    reference_id: str | None = None
    type: str | None = None
    name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    phone: str | None = None
    email: str | None = None
    line1: str | None = None
    line2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    is_drop_ship: bool = False
    attributes: dict[str, str] = {}


class Contact(Struct, frozen=True, kw_only=True):
    """A person at the customer."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    reference_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    designation: str | None = None
    attributes: dict[str, str] = {}


class Customer(Struct, frozen=True, kw_only=True):
    """A customer at one version; `bill_to`, `ship_to` and `primary_contact` are ids of entries of its own lists."""

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    created_by: UUID
    updated_by: UUID
    name: str
    number: str
    display_name: str | None = None
    reference_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    note: str | None = None
    status: str = "active"
    standing: str = "normal"
    payment_term: UUID | None = None
    shipping_term: UUID | None = None
    carrier: UUID | None = None
    service_level: UUID | None = None
    payment_mode: str | None = None
    sales_reps: tuple[UUID, ...] = ()
    default_sales_rep: UUID | None = None
    price_list: UUID | None = None
    price_groups: tuple[UUID, ...] = ()
    type_group: UUID | None = None
    priority: str = "normal"
    commission_policy: str = "commission_exempt"
    freight_policy: str = "billed_freight"
    is_edi_enabled: bool = False
    carrier_billing_type: str = "sender"
    carrier_billing_account: str | None = None
    credit_limit: CreditLimit | None = None
    accepts_invoice_emails: bool = True
    tax_number: str | None = None
    tax_excluded: bool = False
    tax_auto_calculate: bool = False
    addresses: tuple[Address, ...] = ()
    contacts: tuple[Contact, ...] = ()
    attributes: dict[str, str] = {}
    bill_to: UUID | None = None
    ship_to: UUID | None = None
    primary_contact: UUID | None = None
    parent: UUID | None = None
    deleted_at: datetime | None = None
    merged_into: UUID | None = None


class Written(Struct, frozen=True, kw_only=True):
    """A customer after a write: JSON Pointers to what changed and what was there already, and what was ignored."""

    customer: Customer
    changed: tuple[str, ...] = ()
    equal: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


class ViewWritten(Written, frozen=True, kw_only=True):
    """The same after a write in a dialect's own words; `view` is the customer as that dialect shows it."""

    view: dict[str, Json]


class Unmerged(Written, frozen=True, kw_only=True):
    """A customer after a merge into it was taken back; `restored` are those that are there again."""

    restored: tuple[UUID, ...] = ()


class Erased(Written, frozen=True, kw_only=True):
    """What is left of a customer; `erased` are it and those that had gone into it, none where it was erased before."""

    erased: tuple[UUID, ...] = ()
