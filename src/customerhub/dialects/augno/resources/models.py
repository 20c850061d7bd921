"""Answers of the supporting resources, for the document and its readers; what is sent is built by `show` functions."""

from typing import Literal

from typing_extensions import TypedDict

from customerhub.dialects.augno.models import Digits, Page, Time, Visibility
from customerhub.dialects.augno.wire import Priority, Status

# In the models below `object` is the name of a member.
Json = object
UnitType = Literal["currency", "quantity", "time", "mass", "volume", "length", "temperature", "area"]
ShippingType = Literal["free_freight", "flat_rate_freight", "carrier_rate_freight"]
CarrierCode = Literal["fedex", "ups", "usps", "will_call", "delivery", "ltl", "ltl1", "freight_collect"]
GroupType = Literal["pricing_group", "type_group"]
RoleType = Literal["admin", "user", "scanner", "sales_rep", "agent"]
ActorType = Literal["user", "api_key", "agent"]
Action = Literal["create", "update", "delete", "restore", "archive"]


class Account(TypedDict):
    """The account of a key: the team itself."""

    id: str
    object: Literal["account"]
    name: str
    default_billing_address: None
    default_shipping_address: None
    branding: None
    portal: None
    created_at: Time
    updated_at: Time


class Owner(TypedDict):
    """Whose a record is; those of `system` come with every account and cannot be changed."""

    object: Literal["owner"]
    type: Literal["system", "account"]
    account: Account | None


class Geolocation(TypedDict):
    """Where an address is."""

    id: str
    object: Literal["geolocation"]
    street_line_1: str | None
    street_line_2: str | None
    locality: str | None
    state: str | None
    postal_code: str | None
    country: str


class PlacedAddress(TypedDict):
    """An address, with where it is."""

    id: str
    object: Literal["address"]
    name: str
    phone: str | None
    email: str | None
    is_drop_ship: bool
    geolocation: Geolocation
    created_at: Time
    updated_at: Time


class OwnedPaymentTerm(TypedDict):
    """When customers pay."""

    id: str
    object: Literal["payment_term"]
    name: str
    status: Literal["active", "inactive"]
    owner: Owner | None
    created_at: Time
    updated_at: Time


class Unit(TypedDict):
    """A unit of measure: its value in base units is value times ratio plus offset, both of them fractions."""

    id: str
    object: Literal["unit"]
    name: str
    abbreviation: str
    type: UnitType
    ratio_numerator: Digits
    ratio_denominator: Digits
    offset_numerator: Digits
    offset_denominator: Digits
    is_base_unit: bool
    owner: Owner | None
    created_at: Time
    updated_at: Time


class UnitQuantity(TypedDict):
    """An amount, with its digits as they were sent and as people read it."""

    id: str
    object: Literal["quantity"]
    value: Digits
    display_value: str
    unit: Unit | None


class OwnedServiceLevel(TypedDict):
    """How fast a carrier delivers; `service_level_token` is what requests call `code`."""

    id: str
    object: Literal["service_level"]
    name: str
    service_level_token: str
    customer_portal_visibility: Visibility
    is_default: bool
    owner: Owner | None
    created_at: Time
    updated_at: Time


class OwnedCarrier(TypedDict):
    """Who delivers; without a code it is none of the carriers that the contract knows."""

    id: str
    object: Literal["carrier"]
    name: str
    code: CarrierCode | None
    account_number: str | None
    customer_portal_visibility: Visibility
    owner: Owner | None
    service_levels: Page[OwnedServiceLevel] | None
    deleted_at: Time | None
    created_at: Time
    updated_at: Time


class OwnedShippingTerm(TypedDict):
    """How freight is charged."""

    id: str
    object: Literal["shipping_term"]
    name: str
    type: ShippingType
    owner: Owner | None
    flat_rate: UnitQuantity | None
    minimum_order_value: UnitQuantity | None
    free_shipping_service_levels: Page[OwnedServiceLevel] | None
    created_at: Time
    updated_at: Time


class OwnedPriority(TypedDict):
    """How urgent a customer's orders are."""

    id: str
    object: Literal["priority"]
    code: Priority
    name: str
    owner: Owner | None
    created_at: Time
    updated_at: Time


class AccountStatus(TypedDict):
    """How a customer stands; the holds are kept and shown, and stop nothing here."""

    id: str
    object: Literal["account_status"]
    code: Status
    name: str
    owner: Owner | None
    created_at: Time
    updated_at: Time


class Role(TypedDict):
    """What those who have it may do, as `resource:action`."""

    id: str
    object: Literal["role"]
    name: str
    type: RoleType
    owner: Owner | None
    permissions: list[str] | None
    created_at: Time
    updated_at: Time


class AccountUser(TypedDict):
    """A member of the account; there are no departments here."""

    id: str
    object: Literal["account_user"]
    name: str | None
    email: str | None
    username: str | None
    image_url: None
    status: Literal["active", "disabled", "removed"]
    role: Role | None
    department: None
    last_used_at: Time | None
    created_at: Time
    updated_at: Time


class ApiKey(TypedDict):
    """An API key, without its secret."""

    id: str
    object: Literal["api_key"]
    name: str
    redacted_value: str
    role: Role | None
    created_at: Time
    updated_at: Time
    last_used_at: Time | None
    expires_at: Time | None
    revoked_at: Time | None


class NewApiKey(TypedDict):
    """An API key with its secret, which is shown this once."""

    api_key_secret: str
    api_key_info: ApiKey


class Actor(TypedDict):
    """Who did something: a member, an API key, or (`agent`) whoever runs this server."""

    id: str
    object: Literal["actor"]
    type: ActorType
    name: str | None
    handle: str | None
    role: Role | None


class RequestLog(TypedDict):
    """One request and what was answered."""

    id: str
    object: Literal["request_log"]
    method: str
    host: str
    path: str
    normalized_route: str
    query_json: str | None
    status_code: int
    latency_us: int
    api_version: str | None
    identity_type: str | None
    client_ip: str | None
    user_agent: str | None
    referrer: str | None
    error_code: str | None
    error_message: str | None
    occurred_at: Time
    created_at: Time
    account: Account | None
    actor: Actor | None
    idempotency_key: str | None
    request_body_json: str | None
    response_body_json: str | None


class Change(TypedDict):
    """One field before and after."""

    field: str
    old_value: object
    new_value: object


class AuditEvent(TypedDict):
    """One thing that happened to one record."""

    id: str
    object: Literal["audit_event"]
    action: Action
    resource_type: str
    resource_id: str
    actor: Actor | None
    changes: Page[Change] | None
    metadata: dict[str, Json] | None
    request_id: str | None
    idempotency_key: str | None
    source_ip: str | None
    occurred_at: Time
    created_at: Time
