"""The record in people's words: what each member is called, and where it stands on a page."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from customerhub.model.catalogue import Kind
from customerhub.model.customer import (
    AddressType,
    CarrierBilling,
    CommissionPolicy,
    FreightPolicy,
    Priority,
    Standing,
    Status,
)

LABELS: Final[Mapping[str, str]] = {
    "name": "Name",
    "display_name": "Display name",
    "number": "Number",
    "reference_id": "Reference",
    "first_name": "First name",
    "last_name": "Last name",
    "email": "Email",
    "phone": "Phone",
    "website": "Website",
    "note": "Note",
    "status": "Status",
    "standing": "Standing",
    "payment_term": "Payment term",
    "shipping_term": "Shipping term",
    "carrier": "Carrier",
    "service_level": "Service level",
    "payment_mode": "Payment mode",
    "sales_reps": "Sales reps",
    "default_sales_rep": "Default sales rep",
    "price_list": "Price list",
    "price_groups": "Price groups",
    "type_group": "Type group",
    "priority": "Priority",
    "commission_policy": "Commission policy",
    "freight_policy": "Freight policy",
    "is_edi_enabled": "EDI enabled",
    "carrier_billing_type": "Carrier billing",
    "carrier_billing_account": "Carrier billing account",
    "credit_limit": "Credit limit",
    "accepts_invoice_emails": "Accepts invoice emails",
    "tax_number": "Tax number",
    "tax_excluded": "Tax excluded",
    "tax_auto_calculate": "Tax calculated",
    "addresses": "Addresses",
    "contacts": "Contacts",
    "attributes": "Attributes",
    "bill_to": "Bill to",
    "ship_to": "Ship to",
    "primary_contact": "Primary contact",
    "parent": "Parent",
    "deleted_at": "Deleted",
    "merged_into": "Merged into",
    "id": "Id",
    "version": "Version",
    "created_at": "Created",
    "updated_at": "Changed",
    "created_by": "Created by",
    "updated_by": "Changed by",
    "line1": "Line 1",
    "line2": "Line 2",
    "city": "City",
    "state": "State",
    "postal_code": "Postal code",
    "country": "Country",
    "is_drop_ship": "Drop ship",
    "designation": "Designation",
    "type": "Type",
    "value": "Value",
    "unit": "Unit",
}


def to_label(name: str) -> str:
    """What a member is called; a word of the API in plain spelling where it has no name of its own."""
    return LABELS.get(name) or name.replace("_", " ").capitalize()


FieldKind = Literal[
    "text",
    "long",
    "choice",
    "flag",
    "entry",
    "entries",
    "user",
    "users",
    "amount",
    "customer",
    "address",
    "contact",
]


@dataclass(frozen=True, slots=True)
class Field:
    """One member of the record as people edit it.

    `kind` is how: a line of text, several lines, one of a few words, yes or no, one or several entries of the catalogue
    (`source`; `only` is the type of an account group or a unit), one or several members of the team, an amount with its
    unit, another customer, an address or a contact of this one. `mode` is the keyboard that phones show.
    """

    name: str
    kind: FieldKind = "text"
    choices: tuple[str, ...] = ()
    source: Kind | None = None
    only: str | None = None
    mode: str | None = None
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Members that stand on one card and are edited together."""

    name: str
    title: str
    fields: tuple[Field, ...]


def _choice(name: str, words: object) -> Field:
    return Field(name, "choice", choices=get_args(words), is_required=True)


GROUPS: Final = (
    Group(
        "identity",
        "Names and numbers",
        (
            Field("name", is_required=True),
            Field("display_name"),
            Field("number", is_required=True),
            Field("reference_id"),
            Field("first_name"),
            Field("last_name"),
        ),
    ),
    Group(
        "reach",
        "How to reach them",
        (
            Field("email", mode="email"),
            Field("phone", mode="tel"),
            Field("website", mode="url"),
            Field("note", "long"),
        ),
    ),
    Group(
        "standing",
        "Status",
        (_choice("status", Status), _choice("standing", Standing), _choice("priority", Priority)),
    ),
    Group(
        "terms",
        "Payment and prices",
        (
            Field("payment_term", "entry", source="payment_term"),
            Field("payment_mode"),
            Field("price_list", "entry", source="price_list"),
            Field("price_groups", "entries", source="account_group", only="pricing_group"),
            Field("type_group", "entry", source="account_group", only="type_group"),
            Field("credit_limit", "amount", source="unit", only="currency", mode="decimal"),
        ),
    ),
    Group(
        "shipping",
        "Shipping",
        (
            Field("shipping_term", "entry", source="shipping_term"),
            Field("carrier", "entry", source="carrier"),
            Field("service_level", "entry", source="service_level"),
            _choice("freight_policy", FreightPolicy),
            _choice("carrier_billing_type", CarrierBilling),
            Field("carrier_billing_account"),
        ),
    ),
    Group(
        "sales",
        "Sales",
        (
            Field("sales_reps", "users"),
            Field("default_sales_rep", "user"),
            _choice("commission_policy", CommissionPolicy),
        ),
    ),
    Group(
        "tax",
        "Tax and paperwork",
        (
            Field("tax_number"),
            Field("tax_excluded", "flag"),
            Field("tax_auto_calculate", "flag"),
            Field("accepts_invoice_emails", "flag"),
            Field("is_edi_enabled", "flag"),
        ),
    ),
    Group("parent", "Parent", (Field("parent", "customer"),)),
)
"""The cards of a customer, but for what stands in lists."""
DEFAULTS: Final = Group("defaults", "Default addresses", (Field("bill_to", "address"), Field("ship_to", "address")))
PRIMARY: Final = Group("primary", "Primary contact", (Field("primary_contact", "contact"),))
_PERSON: Final = (
    Field("first_name"),
    Field("last_name"),
    Field("email", mode="email"),
    Field("phone", mode="tel"),
)
ADDRESS: Final = (
    Field("type", "choice", choices=get_args(AddressType)),
    Field("name"),
    *(Field(name) for name in ("line1", "line2", "city", "state", "postal_code", "country")),
    *_PERSON,
    Field("reference_id"),
    Field("is_drop_ship", "flag"),
)
"""What an address says, but for its custom values."""
CONTACT: Final = (*_PERSON, Field("designation"), Field("reference_id"))
"""What a contact says, but for its custom values."""
