"""Augno's customer in files: its columns, and a record of a file as the request that it makes."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from customerhub.dialects.augno.ids import ACCOUNT, UNIT, from_id, to_id, to_id_or_none
from customerhub.dialects.augno.read import Body
from customerhub.model.catalogue import Catalogue, UnitDetails
from customerhub.model.cells import Columns
from customerhub.model.customer import Customer
from customerhub.web.shape import Key, Shape

# Where a member of a request is read, and what of it.
READ: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("name",),
    "number": ("number",),
    "note": ("note",),
    "status": ("status",),
    "email": ("contact_info", "email"),
    "phone": ("contact_info", "phone"),
    "url": ("contact_info", "url"),
    "is_edi_enabled": ("is_edi_enabled",),
    "commission_policy": ("commission_policy",),
    "freight_policy": ("freight_preferences", "status"),
    "default_carrier_id": ("freight_preferences", "carrier", "id"),
    "default_service_level_id": ("freight_preferences", "service_level", "id"),
    "default_payment_term_id": ("defaults", "payment_term", "id"),
    "default_shipping_term_id": ("defaults", "shipping_term", "id"),
    "default_priority": ("defaults", "priority", "code"),
    "default_sales_rep_user_id": ("defaults", "sales_rep", "id"),
    "bill_to_address_id": ("bill_to_address", "id"),
    "ship_to_address_id": ("ship_to_address", "id"),
    "customer_type_group_id": ("type", "id"),
    "carrier_billing_type": ("freight_preferences", "billing_type"),
    "carrier_billing_account": ("freight_preferences", "billing_account"),
}
# Members that a request cannot clear, and that a record of another door may lack.
NEVER_NULL: Final = frozenset(
    (
        *("default_carrier_id", "default_payment_term_id", "default_shipping_term_id", "customer_type_group_id"),
        *("name", "number"),
    )
)
_COLUMNS: Final[Columns] = {
    **dict.fromkeys(("id", "name", "number", "status"), "text"),
    **dict.fromkeys(("is_edi_enabled", "is_parent_account"), "boolean"),
    **dict.fromkeys(("commission_policy", "note", "credit_limit.value", "credit_limit.display_value"), "text"),
    **dict.fromkeys((f"contact_info.{name}" for name in ("email", "phone", "url")), "text"),
    **dict.fromkeys((f"freight_preferences.{name}" for name in ("status", "carrier.id", "carrier.name")), "text"),
    **dict.fromkeys((f"freight_preferences.service_level.{name}" for name in ("id", "name")), "text"),
    **dict.fromkeys((f"freight_preferences.{name}" for name in ("billing_type", "billing_account")), "text"),
    **dict.fromkeys((f"defaults.payment_term.{name}" for name in ("id", "name")), "text"),
    **dict.fromkeys((f"defaults.shipping_term.{name}" for name in ("id", "name")), "text"),
    "defaults.priority.code": "text",
    **dict.fromkeys((f"defaults.sales_rep.{name}" for name in ("id", "name", "email")), "text"),
    "notification_preferences.accepts_invoice_emails": "boolean",
    **dict.fromkeys((f"bill_to_address.{name}" for name in ("id", "name", "phone", "email")), "text"),
    **dict.fromkeys((f"ship_to_address.{name}" for name in ("id", "name", "phone", "email")), "text"),
    **dict.fromkeys((f"type.{name}" for name in ("id", "name")), "text"),
    "price_groups": "json",
    **dict.fromkeys(("created_at", "updated_at"), "text"),
}
_GROUPS: Final = "customer_price_group_ids"

SHAPE: Final = Shape(
    columns=_COLUMNS,
    members={
        **{member: ".".join(steps) for member, steps in READ.items()},
        "credit_limit.value": "credit_limit.value",
        "credit_limit.unit_id": "credit_limit.display_value",
        _GROUPS: "price_groups",
    },
)


def find_key(view: Mapping[str, object], key: Key) -> str | None:
    """The id as the record has it, the number, the email address; a customer has no reference here."""
    if key == "id":
        found = from_id(view.get("id"), ACCOUNT)
        return str(found) if found is not None else None
    value = _read(view, READ[key]) if key in READ else None
    return value if isinstance(value, str) and value else None


def to_request(view: Mapping[str, object], customer: Customer | None, catalogue: Catalogue) -> Body:
    """What was read, as a request: parts that are null were not asked for, or are none, and are left out.

    Whether invoices go out by email, and where an address is, no request of this kind can carry.
    """
    body: Body = {}
    for member, steps in READ.items():
        if member.endswith("_address_id") and customer is None:
            continue
        if _has(view, steps):
            value = _read(view, steps)
            if value is not None or member not in NEVER_NULL:
                body[member] = value
    groups = _read(view, ("price_groups", "data"))
    if isinstance(groups, list):
        body[_GROUPS] = [group.get("id") if isinstance(group, dict) else group for group in groups]
    if _has(view, ("credit_limit", "value")):
        value = _read(view, ("credit_limit", "value"))
        body["credit_limit"] = (
            {"value": value, "unit_id": _find_unit(view, customer, catalogue)} if value is not None else None
        )
    if customer is not None:
        return body
    return {name: value for name, value in body.items() if value is not None}


def _find_unit(view: Mapping[str, object], customer: Customer | None, catalogue: Catalogue) -> str | None:
    """The unit that no answer names: the one that the customer's limit has, else the one that people read."""
    if customer is not None and customer.credit_limit is not None:
        return to_id_or_none(UNIT, customer.credit_limit_unit)
    display = _read(view, ("credit_limit", "display_value"))
    symbol = "".join(letter for letter in str(display or "") if letter not in "-0123456789., ")
    found = [unit for unit in _currencies(catalogue) if symbol and unit[1] == symbol]
    return to_id(UNIT, found[0][0]) if len(found) == 1 else ""


def _currencies(catalogue: Catalogue) -> list[tuple[UUID, str]]:
    return [
        (entry.id, entry.details.abbreviation)
        for entry in catalogue.entries("unit")
        if isinstance(entry.details, UnitDetails) and entry.details.type == "currency"
    ]


def _has(view: object, steps: tuple[str, ...]) -> bool:
    """Whether a view tells a member; a null part on the way may just not have been asked for."""
    *owners, last = steps
    view = _read(view, tuple(owners))
    return isinstance(view, Mapping) and last in view


def _read(view: object, steps: tuple[str, ...]) -> object:
    for step in steps:
        view = view.get(step) if isinstance(view, Mapping) else None
    return view
