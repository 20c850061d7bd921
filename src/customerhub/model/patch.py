"""What a caller asks of a customer: for each field UNSET (leave), None (clear) or a value.

What null, an empty string or a missing member mean on the wire is each dialect's business; here nothing is guessed.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Generic, TypeVar
from uuid import UUID

from msgspec import UNSET, Struct, UnsetType

from customerhub.model.customer import (
    Address,
    AddressType,
    CarrierBilling,
    CommissionPolicy,
    FreightPolicy,
    Priority,
    Standing,
    Status,
)

Text = str | UnsetType | None
Reference = UUID | UnsetType | None


class Named(Struct, frozen=True):
    """A catalogue entry by its name, found ignoring case or made in the write's own call; never blank."""

    name: str


class AttributesPatch(Struct, frozen=True):
    """Custom values by name: `put` sets, `remove` takes away; `keep_others` False takes away all that `put` lacks."""

    put: Mapping[str, str] = {}
    remove: frozenset[str] = frozenset()
    keep_others: bool = True


class AddressPatch(Struct, frozen=True):
    """What to change in one address, or what a new one holds."""

    reference_id: Text = UNSET
    type: AddressType | UnsetType | None = UNSET
    name: Text = UNSET
    first_name: Text = UNSET
    last_name: Text = UNSET
    phone: Text = UNSET
    email: Text = UNSET
    line1: Text = UNSET
    line2: Text = UNSET
    city: Text = UNSET
    state: Text = UNSET
    postal_code: Text = UNSET
    country: Text = UNSET
    is_drop_ship: bool | UnsetType = UNSET
    attributes: AttributesPatch | UnsetType = UNSET


class ContactPatch(Struct, frozen=True):
    """What to change in one contact, or what a new one holds."""

    reference_id: Text = UNSET
    first_name: Text = UNSET
    last_name: Text = UNSET
    email: Text = UNSET
    phone: Text = UNSET
    designation: Text = UNSET
    attributes: AttributesPatch | UnsetType = UNSET


EntryPatch = TypeVar("EntryPatch")


class ListPatch(Struct, Generic[EntryPatch], frozen=True):
    """A nested list in its three modes: merge by id (`change`), add and remove, replace whole (`keep_others` False).

    Entries not named stay as they are, unless `keep_others` is False: then only changed and added ones remain. Ids
    of added entries are given by the caller. `adopt` are addresses that belonged to none until now: they come as they
    are, with their ids; core fills it where a pointer names one of them.
    """

    change: Mapping[UUID, EntryPatch] = {}
    add: tuple[tuple[UUID, EntryPatch], ...] = ()
    remove: frozenset[UUID] = frozenset()
    keep_others: bool = True
    adopt: tuple[Address, ...] = ()


class CustomerPatch(Struct, frozen=True):
    """What to change in a customer, or what a new one holds; field names are the canonical ones."""

    name: str | UnsetType = UNSET
    number: str | UnsetType = UNSET
    display_name: Text = UNSET
    reference_id: Text = UNSET
    first_name: Text = UNSET
    last_name: Text = UNSET
    email: Text = UNSET
    phone: Text = UNSET
    website: Text = UNSET
    note: Text = UNSET
    status: Status | UnsetType = UNSET
    standing: Standing | UnsetType = UNSET
    payment_term: UUID | Named | UnsetType | None = UNSET
    shipping_term: UUID | Named | UnsetType | None = UNSET
    carrier: UUID | Named | UnsetType | None = UNSET
    service_level: Reference = UNSET
    payment_mode: Text = UNSET
    sales_reps: tuple[UUID, ...] | UnsetType = UNSET
    default_sales_rep: Reference = UNSET
    price_list: Reference = UNSET
    price_groups: tuple[UUID, ...] | UnsetType = UNSET
    type_group: Reference = UNSET
    priority: Priority | UnsetType = UNSET
    commission_policy: CommissionPolicy | UnsetType = UNSET
    freight_policy: FreightPolicy | UnsetType = UNSET
    is_edi_enabled: bool | UnsetType = UNSET
    carrier_billing_type: CarrierBilling | UnsetType = UNSET
    carrier_billing_account: Text = UNSET
    credit_limit: Decimal | UnsetType | None = UNSET
    credit_limit_unit: Reference = UNSET
    accepts_invoice_emails: bool | UnsetType = UNSET
    parent: Reference = UNSET
    tax_number: Text = UNSET
    tax_excluded: bool | UnsetType = UNSET
    tax_auto_calculate: bool | UnsetType = UNSET
    addresses: ListPatch[AddressPatch] | UnsetType = UNSET
    contacts: ListPatch[ContactPatch] | UnsetType = UNSET
    attributes: AttributesPatch | UnsetType = UNSET
    bill_to: Reference = UNSET
    ship_to: Reference = UNSET
    primary_contact: Reference = UNSET


NESTED_FIELDS = ("addresses", "contacts", "attributes")
PLAIN_FIELDS: tuple[str, ...] = tuple(field for field in CustomerPatch.__struct_fields__ if field not in NESTED_FIELDS)
