"""The queries of the supporting resources, as the document describes them; they are read by each resource itself."""

from datetime import datetime
from typing import Literal

from typing_extensions import TypedDict

from customerhub.dialects.augno.paging import ListQuery
from customerhub.dialects.augno.resources.models import Action, GroupType, RoleType, UnitType

Owned = Literal["owner", "owner.account"]
OwnedQuery = TypedDict("OwnedQuery", {"include[]": list[Owned]}, total=False)
Carried = Literal["owner", "owner.account", "service_levels"]
CarrierQuery = TypedDict("CarrierQuery", {"include[]": list[Carried]}, total=False)
Shipped = Literal[
    "owner", "owner.account", "flat_rate.unit", "minimum_order_value.unit", "free_shipping_service_levels"
]
ShippingTermQuery = TypedDict("ShippingTermQuery", {"include[]": list[Shipped]}, total=False)
Granted = Literal["owner", "owner.account", "permissions"]
RoleQuery = TypedDict("RoleQuery", {"include[]": list[Granted]}, total=False)
Employed = Literal["role", "department"]
AccountUserQuery = TypedDict("AccountUserQuery", {"include[]": list[Employed]}, total=False)
Keyed = Literal["role", "role.permissions"]
ApiKeyQuery = TypedDict("ApiKeyQuery", {"include[]": list[Keyed]}, total=False)
Logged = Literal["account", "actor", "actor.role"]
LoggedWhole = Literal[
    "account",
    "actor",
    "actor.role",
    "actor.role.permissions",
    "query_json",
    "request_body_json",
    "response_body_json",
]
RequestLogQuery = TypedDict("RequestLogQuery", {"include[]": list[LoggedWhole]}, total=False)
Audited = Literal["actor", "changes", "metadata"]
AuditEventQuery = TypedDict("AuditEventQuery", {"include[]": list[Audited]}, total=False)
KeyStatus = Literal["active", "expired", "revoked"]


class OwnedListQuery(ListQuery, OwnedQuery, total=False):
    """A list of what accounts and the system have."""


class AccountGroupListQuery(ListQuery, total=False):
    """`GET /v1/sales/account-groups`."""

    type: GroupType


class CarrierListQuery(ListQuery, CarrierQuery, total=False):
    """`GET /v1/operations/carriers`."""


class ShippingTermListQuery(ListQuery, ShippingTermQuery, total=False):
    """`GET /v1/operations/shipping-terms`."""


class UnitListQuery(OwnedListQuery, total=False):
    """`GET /v1/catalog/units`."""

    type: UnitType


class RoleListQuery(ListQuery, RoleQuery, total=False):
    """`GET /v1/identity/roles`."""


class AccountUserListQuery(ListQuery, AccountUserQuery, total=False):
    """`GET /v1/identity/account-users`."""

    role_type: RoleType
    include_removed: bool


_Statuses = TypedDict("_Statuses", {"statuses[]": list[KeyStatus]}, total=False)


class ApiKeyListQuery(ListQuery, ApiKeyQuery, _Statuses, total=False):
    """`GET /v1/auth/api-keys`."""


_LogFilters = TypedDict(
    "_LogFilters",
    {
        "include[]": list[Logged],
        "methods[]": list[Literal["GET", "POST", "PUT", "PATCH", "DELETE"]],
        "status_codes[]": list[int],
    },
    total=False,
)


class RequestLogListQuery(ListQuery, _LogFilters, total=False):
    """`GET /v1/core/request-logs`: every filter must hold, each of them with any of its values."""

    method: str
    status_code: int
    normalized_route: str
    start_date: datetime
    end_date: datetime


_EventFilters = TypedDict("_EventFilters", {"resource_types[]": list[str]}, total=False)


class AuditEventListQuery(ListQuery, AuditEventQuery, _EventFilters, total=False):
    """`GET /v1/core/audit-events`: every filter must hold."""

    resource_id: str
    actor_id: str
    action: Action
    start_date: datetime
    end_date: datetime
