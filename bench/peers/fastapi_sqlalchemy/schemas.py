"""The bodies of requests and answers, which have the members that the hub's WizCommerce dialect has."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, EmailStr, Field

Text50 = Annotated[str, Field(max_length=50)]
Text255 = Annotated[str, Field(max_length=255)]
Kept50 = Annotated[str, Field(min_length=1, max_length=50)]
Kept255 = Annotated[str, Field(min_length=1, max_length=255)]
Phone = Annotated[str, Field(pattern=r"^(\+[1-9][0-9]{1,14})?$")]
Country = Annotated[str, Field(pattern=r"^([A-Z]{2})?$")]


class AttributeEdit(BaseModel):
    name: Kept255
    value: str


class AddressEdit(BaseModel):
    """What to change in the address named by `id`; members left out stay."""

    id: UUID
    reference_id: Kept255 | None = None
    address_line_1: Kept255 | None = None
    address_line_2: Text255 | None = None
    city: Kept50 | None = None
    state: Text50 | None = None
    country: Country | None = None
    zip_code: Text50 | None = None
    first_name: Text50 | None = None
    last_name: Text50 | None = None
    phone: Phone | None = None
    email: EmailStr | Literal[""] | None = None
    type: Literal["billing", "shipping"] | None = None
    is_default: bool | None = None
    attributes: list[AttributeEdit] | None = Field(default=None, exclude=True)


class ContactEdit(BaseModel):
    """What to change in the contact named by `id`; members left out stay."""

    id: UUID
    reference_id: Kept255 | None = None
    first_name: Kept50 | None = None
    last_name: Text50 | None = None
    email: EmailStr | None = None
    phone: Phone | None = None
    designation: Text50 | None = None
    is_default: bool | None = None
    attributes: list[AttributeEdit] | None = Field(default=None, exclude=True)


class CustomerEdit(BaseModel):
    """What to change in a customer; members left out stay, also inside nested records."""

    company_name: Kept255 | None = None
    display_name: Kept255 | None = None
    display_id: Kept255 | None = None
    freight_term: Text255 | None = None
    shipping_method: Text255 | None = None
    payment_mode: Text255 | None = None
    payment_term: Text255 | None = None
    reference_id: Kept255 | None = None
    first_name: Text255 | None = None
    last_name: Text255 | None = None
    phone: Phone | None = None
    email: EmailStr | Literal[""] | None = None
    attributes: list[AttributeEdit] | None = None
    addresses: list[AddressEdit] = []
    contacts: list[ContactEdit] = []


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: UUID
    created_at: datetime
    updated_at: datetime


class AttributeShown(BaseModel):
    id: UUID
    name: str
    value: str
    created_at: datetime
    updated_at: datetime


class SalesRepShown(_Shown):
    email: str
    first_name: str
    last_name: str


class PriceListShown(_Shown):
    reference_id: str
    name: str


class AddressShown(_Shown):
    customer_id: UUID
    reference_id: str
    address_line_1: str
    address_line_2: str
    city: str
    state: str
    country: str
    zip_code: str
    first_name: str
    last_name: str
    phone: str
    email: str
    type: str
    status: str
    is_default: bool


class ContactShown(_Shown):
    reference_id: str
    first_name: str
    last_name: str
    email: str
    phone: str
    designation: str
    status: str
    is_default: bool


class CustomerShown(_Shown):
    """A customer with everything in it."""

    version: int
    reference_id: str
    display_id: str
    name: str
    display_name: str
    first_name: str
    last_name: str
    phone: str
    email: str
    status: str
    freight_term: str
    shipping_method: str
    payment_mode: str
    payment_term: str
    assigned_sales_reps: list[SalesRepShown]
    assigned_price_list: PriceListShown | None
    addresses: list[AddressShown]
    contacts: list[ContactShown]
    attributes: list[AttributeShown]


class Envelope(BaseModel):
    """An answer."""

    model_config = ConfigDict(from_attributes=True)
    data: CustomerShown
