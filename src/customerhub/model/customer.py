"""The canonical customer: one frozen value per version, field by field as its row holds it."""

import unicodedata
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal
from uuid import UUID

from msgspec import Struct

Status = Literal["active", "inactive"]
Standing = Literal["normal", "preferred", "hold_shipment", "hold_all"]
Priority = Literal["low", "normal", "high"]
CommissionPolicy = Literal["commission_applied", "commission_exempt"]
FreightPolicy = Literal["free_freight", "billed_freight"]
CarrierBilling = Literal["sender", "third_party"]
AddressType = Literal["billing", "shipping"]


class Attribute(Struct, frozen=True, omit_defaults=True):
    """One custom value; `name` is the key within its owner, `value` is always text."""

    id: UUID
    name: str
    value: str
    created_by: UUID
    updated_by: UUID
    created_at: datetime
    updated_at: datetime


class Address(Struct, frozen=True, omit_defaults=True):
    """A postal address of one customer; `type` is None where no system said what it is for."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    reference_id: str | None = None
    type: AddressType | None = None
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
    attributes: tuple[Attribute, ...] = ()


class Contact(Struct, frozen=True, omit_defaults=True):
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
    attributes: tuple[Attribute, ...] = ()


class Customer(Struct, frozen=True):
    """One customer at one version; the fields stand in the order of the row's columns.

    Text that nobody gave is None, never empty. `display_name` None follows `name`. Addresses and contacts stand in
    order of creation, then id; reps in the order given. `credit_limit` keeps the digits as sent. `merged_into` is
    where a deleted customer went.
    """

    team: UUID
    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    created_by: UUID
    updated_by: UUID
    name: str
    number: str
    deleted_at: datetime | None = None
    display_name: str | None = None
    reference_id: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    website: str | None = None
    note: str | None = None
    status: Status = "active"
    standing: Standing = "normal"
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
    priority: Priority = "normal"
    commission_policy: CommissionPolicy = "commission_exempt"
    freight_policy: FreightPolicy = "billed_freight"
    is_edi_enabled: bool = False
    carrier_billing_type: CarrierBilling = "sender"
    carrier_billing_account: str | None = None
    credit_limit: Decimal | None = None
    credit_limit_unit: UUID | None = None
    credit_limit_id: UUID | None = None
    accepts_invoice_emails: bool = True
    parent: UUID | None = None
    tax_number: str | None = None
    tax_excluded: bool = False
    tax_auto_calculate: bool = False
    addresses: tuple[Address, ...] = ()
    contacts: tuple[Contact, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    bill_to: UUID | None = None
    ship_to: UUID | None = None
    primary_contact: UUID | None = None
    merged_into: UUID | None = None

    def find_address(self, address_id: UUID | None) -> Address | None:
        """The address of this id, if it is this customer's."""
        return next((address for address in self.addresses if address.id == address_id), None)

    def find_contact(self, contact_id: UUID | None) -> Contact | None:
        """The contact of this id, if it is this customer's."""
        return next((contact for contact in self.contacts if contact.id == contact_id), None)


CUSTOMER_FIELDS: tuple[str, ...] = Customer.__struct_fields__
POINTERS: Final = {"bill_to": "addresses", "ship_to": "addresses", "primary_contact": "contacts"}
"""Fields that name an entry of a list, and the list."""
CREDIT_LIMIT: Final = ("credit_limit", "credit_limit_unit", "credit_limit_id")
"""Fields that are one thing to everybody who reads it."""


def email_key(email: str | None) -> str | None:
    """What two spellings of one email address share: NFC, trimmed, lower case; None for none."""
    if email is None:
        return None
    text = email if email.isascii() else unicodedata.normalize("NFC", email)
    return text.strip().lower() or None


def name_key(name: str) -> str:
    """What two spellings of one name share: NFC, trimmed, case folded."""
    return unicodedata.normalize("NFC", name).strip().casefold()
