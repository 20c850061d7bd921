"""What the demo team holds: invented firms under `.example`, with telephone numbers kept for fiction."""

from decimal import Decimal
from importlib.resources import files
from typing import Final

import msgspec
from msgspec import UNSET, Struct, UnsetType

from customerhub.core.admin import NewUser
from customerhub.core.catalogue import EntryValues
from customerhub.model.catalogue import (
    AccountGroupDetails,
    AttributeDetails,
    AttributeOption,
    CarrierDetails,
    Kind,
    PriceListDetails,
    ShippingTermDetails,
)
from customerhub.model.customer import AddressType, Standing

TEAM: Final = "Demo Trading Co"
OWNER: Final = NewUser(
    email="dana.whitfield@demo-trading.example",
    first_name="Dana",
    last_name="Whitfield",
    phone="+12065550100",
    department="Management",
    role="admin",
)
SALES_REPS: Final = (
    NewUser(
        email="maya.santiago@demo-trading.example",
        first_name="Maya",
        last_name="Santiago",
        phone="+12065550101",
        department="Sales, West and Pacific",
    ),
    NewUser(
        email="tom.harrigan@demo-trading.example",
        first_name="Tom",
        last_name="Harrigan",
        phone="+13125550102",
        department="Sales, Central and East",
    ),
    NewUser(
        email="anneke.vos@demo-trading.example",
        first_name="Anneke",
        last_name="Vos",
        phone="+442079460103",
        department="Sales, Europe",
    ),
)
_INDUSTRIES: Final = (
    "Bookshop",
    "Craft supplies",
    "Furniture",
    "Garden centre",
    "General store",
    "Gift shop",
    "Grocery",
    "Hospitality",
    "Interior design",
    "Kitchenware",
    "Lighting",
    "Outdoor",
    "Stationery",
    "Textiles",
    "Wholesale trade",
)
ENTRIES: Final[tuple[tuple[Kind, EntryValues], ...]] = (
    ("price_list", EntryValues("Wholesale USD", "demo-wholesale", details=PriceListDetails(is_default=True))),
    ("price_list", EntryValues("Distributor USD", "demo-distributor", details=PriceListDetails())),
    ("price_list", EntryValues("Europe EUR", "demo-europe", details=PriceListDetails(currency="EUR"))),
    ("payment_term", EntryValues("Prepaid")),
    ("payment_term", EntryValues("NET30")),
    ("payment_term", EntryValues("NET45")),
    ("payment_term", EntryValues("NET60")),
    ("shipping_term", EntryValues("Carrier rates", details=ShippingTermDetails())),
    ("shipping_term", EntryValues("Free freight", details=ShippingTermDetails(type="free_freight"))),
    ("carrier", EntryValues("UPS", details=CarrierDetails(code="ups"))),
    ("carrier", EntryValues("FedEx", details=CarrierDetails(code="fedex"))),
    ("carrier", EntryValues("DHL Express", details=CarrierDetails())),
    *(
        ("account_group", EntryValues(name, details=AccountGroupDetails(type="type_group")))
        for name in ("Shop", "Hospitality", "Design studio", "Distributor")
    ),
    (
        "account_group",
        EntryValues(
            "Tier 1 wholesale",
            description="Fifteen percent off list",
            details=AccountGroupDetails(type="pricing_group", commission_policy="commission_applied"),
        ),
    ),
    (
        "account_group",
        EntryValues(
            "Tier 2 wholesale",
            description="Ten percent off list",
            details=AccountGroupDetails(type="pricing_group", commission_policy="commission_applied"),
        ),
    ),
    (
        "attribute_definition",
        EntryValues(
            "industry",
            details=AttributeDetails(
                entity="customer",
                data_type="select",
                options=tuple(AttributeOption(label, label) for label in _INDUSTRIES),
            ),
        ),
    ),
    (
        "attribute_definition",
        EntryValues("customer_since", details=AttributeDetails(entity="customer", data_type="date_only")),
    ),
    (
        "attribute_definition",
        EntryValues("tax_exempt", details=AttributeDetails(entity="customer", data_type="checkbox")),
    ),
)

# Carrier, name and token; the first of each carrier is its default.
SERVICE_LEVELS: Final = (
    ("UPS", "UPS Ground", "ups_ground"),
    ("UPS", "UPS 2nd Day Air", "ups_second_day_air"),
    ("FedEx", "FedEx Ground", "fedex_ground"),
    ("FedEx", "FedEx Priority Overnight", "fedex_priority_overnight"),
)


class DemoAddress(Struct, frozen=True, forbid_unknown_fields=True):
    """An address of a demo customer."""

    type: AddressType
    line1: str
    city: str
    postal_code: str
    country: str
    name: str | UnsetType = UNSET
    line2: str | UnsetType = UNSET
    state: str | UnsetType = UNSET


class DemoContact(Struct, frozen=True, forbid_unknown_fields=True):
    """A person at a demo customer."""

    first_name: str
    last_name: str
    email: str
    designation: str
    phone: str | UnsetType = UNSET


class DemoCustomer(Struct, frozen=True, forbid_unknown_fields=True):
    """A demo customer; reps by email address, a parent by reference, everything else by name."""

    reference_id: str
    name: str
    first_name: str
    last_name: str
    email: str
    website: str
    payment_term: str
    shipping_term: str
    carrier: str
    payment_mode: str
    sales_reps: tuple[str, ...]
    price_list: str
    attributes: dict[str, str]
    addresses: tuple[DemoAddress, ...]
    contacts: tuple[DemoContact, ...]
    type_group: str
    price_groups: tuple[str, ...]
    phone: str | UnsetType = UNSET
    note: str | UnsetType = UNSET
    credit_limit: Decimal | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    standing: Standing | UnsetType = UNSET
    parent: str | UnsetType = UNSET


def get_customers() -> tuple[DemoCustomer, ...]:
    """The demo customers, in the order in which they are made."""
    text = files(__package__).joinpath("customers.json").read_bytes()
    return msgspec.json.decode(text, type=tuple[DemoCustomer, ...])
