"""The bodies of the WizCommerce API, as they travel: requests as they are checked, answers as they are documented."""

from typing import Annotated, Literal, NotRequired, Required

from pydantic import AfterValidator, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from customerhub.model.catalogue import DataType, Entity
from customerhub.model.text import COUNTRIES, is_e164, is_email

_CONFIG = ConfigDict(strict=True, extra="ignore")


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be empty")
    return text


def _clear_or_text(text: str) -> str:
    if text and not text.strip():
        raise PydanticCustomError("blank", "must not be blank; an empty string clears")
    return text


def _email(text: str) -> str:
    if text and not is_email(text):
        raise PydanticCustomError("email", "must be an email address of at most 254 characters")
    return text


def _phone(text: str) -> str:
    if text and not is_e164(text):
        raise PydanticCustomError("phone", "must be E.164, for example +4722334455")
    return text


def _country(text: str) -> str:
    if text and text.upper() not in COUNTRIES:
        raise PydanticCustomError("country", "must be a two-letter code of ISO 3166-1, for example NO")
    return text


Text50 = Annotated[str, Field(max_length=50)]
Text255 = Annotated[str, Field(max_length=255)]
Term = Annotated[str, Field(max_length=255), AfterValidator(_clear_or_text)]
Kept50 = Annotated[str, Field(max_length=50), AfterValidator(_not_blank)]
Kept255 = Annotated[str, Field(max_length=255), AfterValidator(_not_blank)]
Id = Annotated[str, AfterValidator(_not_blank), Field(examples=["01f5d171-d3e3-4b2b-bd57-0727194b5bed"])]
Email = Annotated[str, AfterValidator(_email), Field(description="At most 254 characters; empty clears.")]
KeptEmail = Annotated[str, AfterValidator(_not_blank), AfterValidator(_email)]
Phone = Annotated[str, AfterValidator(_phone), Field(description="E.164, for example +4722334455; empty clears.")]
Country = Annotated[str, AfterValidator(_country), Field(description="ISO 3166-1 alpha-2; empty clears.")]
AddressType = Literal["billing", "shipping"]
Status = Literal["active", "inactive"]


class AttributeBody(TypedDict):
    """A custom value; the name is the key within its owner."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    name: Kept255
    value: str


class _AddressMembers(TypedDict, total=False):
    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    first_name: Text50
    last_name: Text50
    phone: Phone
    email: Email
    address_line_2: Text255
    state: Text50
    country: Country
    zip_code: Text50
    is_default: bool
    attributes: list[AttributeBody]


class AddressBody(_AddressMembers):
    """An address to make, or the whole of one to put in its place."""

    reference_id: Kept255
    address_line_1: Kept255
    city: Kept50
    type: AddressType


class AddressEdit(_AddressMembers):
    """What to change in the address named by `id`; members left out stay."""

    id: Id
    reference_id: NotRequired[Kept255]
    address_line_1: NotRequired[Kept255]
    city: NotRequired[Kept50]
    type: NotRequired[AddressType]


class _ContactMembers(TypedDict, total=False):
    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    last_name: Text50
    phone: Phone
    designation: Text50
    is_default: bool
    attributes: list[AttributeBody]


class ContactBody(_ContactMembers):
    """A contact to make, or the whole of one to put in its place."""

    reference_id: Kept255
    first_name: Kept50
    email: KeptEmail


class ContactEdit(_ContactMembers):
    """What to change in the contact named by `id`; members left out stay."""

    id: Id
    reference_id: NotRequired[Kept255]
    first_name: NotRequired[Kept50]
    email: NotRequired[KeptEmail]


class _CustomerMembers(TypedDict, total=False):
    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    company_name: Kept255
    display_name: Kept255
    display_id: Kept255
    freight_term: Term
    shipping_method: Term
    payment_mode: Text255
    payment_term: Term
    reference_id: Kept255
    assigned_sales_rep_ids: Annotated[list[Id], Field(min_length=1)]
    assigned_price_list_id: Id
    first_name: Text255
    last_name: Text255
    phone: Phone
    email: Email
    attributes: list[AttributeBody]


class CustomerBody(_CustomerMembers, total=False):
    """A customer to make."""

    addresses: list[AddressBody]
    contacts: list[ContactBody]


class CustomerEdit(_CustomerMembers, total=False):
    """What to change in a customer; members left out stay, also inside nested records."""

    primary_contact_id: Id
    default_shipping_address_id: Id
    default_billing_address_id: Id
    addresses: list[AddressEdit]
    contacts: list[ContactEdit]


class PriceListEdit(TypedDict, total=False):
    """What to change in a price list; its reference id cannot change."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    name: Kept50
    description: Text255
    status: Status
    is_default: bool
    priority: Annotated[int, Field(ge=-(2**31), lt=2**31)]


class PriceListBody(PriceListEdit):
    """A price list to make."""

    reference_id: Required[Kept50]
    name: Required[Kept50]  # type: ignore[misc] # narrows what the edit leaves out


class AttributeOptionBody(TypedDict):
    """One choice of a select attribute."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    label: str
    value: str


class AttributeConfiguration(TypedDict, total=False):
    """How a custom field behaves."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    default_value: JsonValue
    options: list[AttributeOptionBody]
    show_label: bool


class AttributeDefinitionBody(TypedDict, total=False):
    """A custom field to define."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    entity: Required[Entity]
    name: Required[Kept255]
    data_type: Required[DataType]
    configuration: AttributeConfiguration
    priority: Annotated[int, Field(ge=-(2**31), lt=2**31)]
    is_mandatory: bool


class TokenBody(TypedDict):
    """Who wants an API key."""

    __pydantic_config__ = _CONFIG  # type: ignore[misc]
    email: str
    password: str
