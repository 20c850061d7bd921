"""What requests hold, as they travel and as they are checked: the canonical customer and the three forms of patches."""

import re
from typing import Annotated, Final, Literal, Required

from pydantic import AfterValidator, ConfigDict, Field, JsonValue
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from customerhub.model.customer import (
    AddressType,
    CarrierBilling,
    CommissionPolicy,
    FreightPolicy,
    Priority,
    Standing,
    Status,
)
from customerhub.model.text import EMAIL_LENGTH, is_email

CONFIG: Final = ConfigDict(strict=True, extra="ignore")
MAX_SET: Final = 1000
MAX_OPERATIONS: Final = 1000

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
# RFC 6901, 3.
POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)*")
INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
_AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,12})?", re.ASCII)


def is_uuid(text: object) -> bool:
    """Whether a text is an id in its usual form, in either case."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def _uuid(text: str) -> str:
    if not is_uuid(text):
        raise PydanticCustomError("uuid", "must be a UUID")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank")
    return text


def _not_blank_or_null(text: str) -> str:
    if not text.strip():
        raise PydanticCustomError("blank", "must not be blank; null is none")
    return text


def _email(text: str) -> str:
    if text.strip() and (text != text.strip() or not is_email(text)):
        told = "must be an email address of at most {length} characters"
        raise PydanticCustomError("email", told, {"length": EMAIL_LENGTH})
    return text


def _amount(text: str) -> str:
    if not _AMOUNT.fullmatch(text):
        told = "must be a decimal in a text, such as 25000.00, with at most 30 digits before and 12 behind the point"
        raise PydanticCustomError("decimal", told)
    return text


def _pointer(text: str) -> str:
    if not POINTER.fullmatch(text):
        raise PydanticCustomError("pointer", "must be a JSON Pointer, such as /email")
    return text


Id = Annotated[str, AfterValidator(_uuid), Field(json_schema_extra={"format": "uuid"})]
# The length first: behind a validator of ours it is counted in Python, which takes as long as all the rest.
Name = Annotated[str, Field(max_length=255), AfterValidator(_not_blank)]
Text = Annotated[str, Field(max_length=255), AfterValidator(_not_blank_or_null)]
Note = Annotated[str, Field(max_length=10_000), AfterValidator(_not_blank_or_null)]
Website = Annotated[str, Field(max_length=2048), AfterValidator(_not_blank_or_null)]
Email = Annotated[str, AfterValidator(_not_blank_or_null), AfterValidator(_email)]
Amount = Annotated[str, AfterValidator(_amount), Field(examples=["25000.00"])]
Ids = Annotated[list[Id], Field(max_length=MAX_SET)]
Pointer = Annotated[
    str, Field(description="An id, or the place of an entry that this request sends: `/addresses/0`, `/contacts/0`.")
]


class TermByName(TypedDict):
    """A term by its name, found ignoring case or made."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name


Term = Id | TermByName


class LimitPatch(TypedDict, total=False):
    """What of a limit to change; both where there is none yet. The digits are kept as they are sent."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    value: Amount
    unit: Id


class LimitBody(TypedDict):
    """Up to how much; the digits are kept as they are sent."""

    value: Amount
    unit: Annotated[Id, Field(description="Of type currency.")]


class AddressValues(TypedDict, total=False):
    """What an address says."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    reference_id: Text | None
    type: AddressType | None
    name: Text | None
    first_name: Text | None
    last_name: Text | None
    phone: Text | None
    email: Email | None
    line1: Text | None
    line2: Text | None
    city: Text | None
    state: Text | None
    postal_code: Text | None
    country: Text | None
    is_drop_ship: bool


class ContactValues(TypedDict, total=False):
    """What a contact says."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    reference_id: Text | None
    first_name: Text | None
    last_name: Text | None
    email: Email | None
    phone: Text | None
    designation: Text | None


class CustomerValues(TypedDict, total=False):
    """What a customer says outside its lists and its custom values."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name
    number: Name
    display_name: Text | None
    reference_id: Text | None
    first_name: Text | None
    last_name: Text | None
    email: Email | None
    phone: Text | None
    website: Website | None
    note: Note | None
    status: Status
    standing: Standing
    payment_term: Id | None
    shipping_term: Id | None
    carrier: Id | None
    service_level: Id | None
    payment_mode: Text | None
    sales_reps: Ids
    default_sales_rep: Id | None
    price_list: Id | None
    price_groups: Ids
    type_group: Id | None
    priority: Priority
    commission_policy: CommissionPolicy
    freight_policy: FreightPolicy
    is_edi_enabled: bool
    carrier_billing_type: CarrierBilling
    carrier_billing_account: Text | None
    accepts_invoice_emails: bool
    tax_number: Text | None
    tax_excluded: bool
    tax_auto_calculate: bool
    bill_to: Id | None
    ship_to: Id | None
    primary_contact: Id | None
    parent: Id | None


class AddressBody(AddressValues, total=False):
    """A whole address; without an id, or with null, it is a new one."""

    id: Id | None
    attributes: dict[str, str | None]


class ContactBody(ContactValues, total=False):
    """A whole contact; without an id, or with null, it is a new one."""

    id: Id | None
    attributes: dict[str, str | None]


class _CustomerMembers(CustomerValues, total=False):
    payment_term: Term | None  # type: ignore[misc] # widens what is checked by hand
    shipping_term: Term | None  # type: ignore[misc]
    carrier: Term | None  # type: ignore[misc]
    bill_to: Pointer | None
    ship_to: Pointer | None
    primary_contact: Pointer | None
    credit_limit: LimitPatch | None


class CustomerBody(_CustomerMembers, total=False):
    """A customer to make; what is left out is as a customer is born."""

    name: Required[Name]  # type: ignore[misc] # narrows what a change leaves out
    credit_limit: LimitBody | None  # type: ignore[misc]
    addresses: list[AddressBody]
    contacts: list[ContactBody]
    attributes: dict[str, str | None]


class MergePatch(_CustomerMembers, total=False):
    """RFC 7396: members left out stay, null removes, arrays are replaced whole."""

    addresses: list[AddressBody]
    contacts: list[ContactBody]
    attributes: dict[str, str | None]


Operation = TypedDict(
    "Operation",
    {
        "op": Required[Literal["add", "remove", "replace", "move", "copy", "test"]],
        "path": Required[str],
        "from": str,
        "value": JsonValue,
    },
    total=False,
)
JsonPatch = Annotated[list[Operation], Field(max_length=MAX_OPERATIONS)]
Mode = Literal["replace", "merge", "remove"]
Key = Literal["id", "reference_id"]


class AddressEdit(TypedDict, total=False):
    """Addresses: put in place of all, changed or added, or taken away; found by what `by` names."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    mode: Required[Mode]
    by: Key
    items: Required[list[AddressBody | str]]
    max_removals: Annotated[int, Field(ge=0)]


class ContactEdit(TypedDict, total=False):
    """Contacts, as addresses."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    mode: Required[Mode]
    by: Key
    items: Required[list[ContactBody | str]]
    max_removals: Annotated[int, Field(ge=0)]


class AttributesEdit(TypedDict, total=False):
    """Custom values: put in place of all, set one by one, or taken away."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    mode: Required[Mode]
    items: Required[dict[str, str | None] | list[str]]
    max_removals: Annotated[int, Field(ge=0)]


class SetEdit(TypedDict, total=False):
    """Ids to add to a set, and to take out of it."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    add: Ids
    remove: Ids


class ListAwarePatch(_CustomerMembers, total=False):
    """Members left out stay, null clears; a list says what becomes of it. A plain array replaces, removing nothing."""

    sales_reps: Ids | SetEdit  # type: ignore[misc] # widens what is checked by hand
    price_groups: Ids | SetEdit  # type: ignore[misc]
    addresses: AddressEdit | list[AddressBody]
    contacts: ContactEdit | list[ContactBody]
    attributes: AttributesEdit | dict[str, str | None]


class CustomerListQuery(TypedDict, total=False):
    """Which page of customers, and which customers; those of several values must have one of them."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=1000)]
    status: Status
    created_since: Annotated[str, Field(description="A time with its zone, included.")]
    updated_since: Annotated[str, Field(description="A time with its zone, included.")]
    ids: Annotated[list[Id], Field(json_schema_extra={"x-explode": False})]
    reference_ids: Annotated[list[str], Field(json_schema_extra={"x-explode": False})]
    email: Annotated[str, Field(description="In any case of letters.")]
    deleted: Annotated[bool, Field(description="Deleted customers instead, the last deleted first; without filters.")]


class CustomerQuery(TypedDict, total=False):
    """Which state of a customer."""

    as_of: Annotated[str, Field(description="A version, or a time with its zone.")]


class HistoryQuery(TypedDict, total=False):
    """Which versions of a customer."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=1000)]
    actor: Id
    dialect: str
    path: Annotated[
        list[str],
        Field(json_schema_extra={"x-explode": False}, description="Versions that changed something there or inside."),
    ]
    since: Annotated[str, Field(description="A time with its zone, included.")]
    until: Annotated[str, Field(description="A time with its zone, included.")]


class ChangesQuery(TypedDict, total=False):
    """Which piece of the team's feed."""

    after: Annotated[int, Field(ge=0, description="From `next` of the piece before; 0 is the beginning.")]
    limit: Annotated[int, Field(ge=1, le=1000)]
    wait: Annotated[float, Field(ge=0, le=60, description="Seconds to wait for a change where there is none yet.")]


class RevertBody(TypedDict, total=False):
    """Which version to go back to, and at which places only; all of them if none are named."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    version: Required[Annotated[int, Field(ge=1, lt=2**63)]]
    paths: Annotated[list[Annotated[str, AfterValidator(_pointer)]], Field(min_length=1, max_length=MAX_OPERATIONS)]
