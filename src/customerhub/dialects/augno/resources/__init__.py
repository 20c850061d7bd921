"""What stands beside customers: catalogue, addresses, members, keys, logs and history."""

from typing import Final

from customerhub.dialects.augno.resources import addresses, api_keys, audit_events, request_logs, roles, users
from customerhub.dialects.augno.resources.carriers import CARRIERS, SERVICE_LEVELS
from customerhub.dialects.augno.resources.choices import ACCOUNT_STATUSES, PRIORITIES
from customerhub.dialects.augno.resources.groups import ACCOUNT_GROUPS
from customerhub.dialects.augno.resources.rows import to_operations
from customerhub.dialects.augno.resources.terms import PAYMENT_TERMS, SHIPPING_TERMS
from customerhub.dialects.augno.resources.units import UNITS
from customerhub.web.operation import Operation

FAMILIES: Final = (ACCOUNT_GROUPS, PAYMENT_TERMS, SHIPPING_TERMS, CARRIERS, SERVICE_LEVELS, UNITS)

OPERATIONS: Final[tuple[Operation, ...]] = (
    *(row for family in FAMILIES for row in to_operations(family)),
    *PRIORITIES.operations(),
    *ACCOUNT_STATUSES.operations(),
    *addresses.OPERATIONS,
    *users.OPERATIONS,
    *roles.OPERATIONS,
    *api_keys.OPERATIONS,
    *request_logs.OPERATIONS,
    *audit_events.OPERATIONS,
)

TAGS: Final[tuple[dict[str, str], ...]] = (
    {"name": "Account groups", "description": "Groups of customers, for pricing or of one kind."},
    {"name": "Addresses", "description": "Where customers are billed and shipped to."},
    {"name": "Payment terms", "description": "When customers pay."},
    {"name": "Shipping terms", "description": "How freight is charged."},
    {"name": "Carriers", "description": "Who delivers."},
    {"name": "Service levels", "description": "How fast a carrier delivers."},
    {"name": "Units", "description": "Units of measure, currencies among them."},
    {"name": "Priorities", "description": "How urgent a customer's orders are."},
    {"name": "Account statuses", "description": "How a customer stands."},
    {"name": "Account users", "description": "Members of the account."},
    {"name": "Roles", "description": "What keys and members may do."},
    {"name": "API keys", "description": "Keys of this API."},
    {"name": "Request logs", "description": "What was asked and answered."},
    {"name": "Audit events", "description": "What was changed, by whom."},
)
