"""From the canonical record to a customer of the Augno API: 22 keys always, and of its parts those that were asked for.

Null says two things: not asked for, or none there.
"""

from collections.abc import Callable
from typing import Final

from customerhub.core.customers import Relatives
from customerhub.core.system import get_priority
from customerhub.dialects.augno.answers import Shown, to_page, to_time
from customerhub.dialects.augno.ids import (
    ACCOUNT,
    ACCOUNT_GROUP,
    ADDRESS,
    CARRIER,
    PAYMENT_TERM,
    SERVICE_LEVEL,
    SHIPPING_TERM,
    UNIT,
    USER,
    to_id,
    to_id_or_none,
)
from customerhub.dialects.augno.include import Includes
from customerhub.dialects.augno.parts import (
    to_account_group,
    to_account_groups,
    to_address,
    to_carrier,
    to_payment_term,
    to_priority,
    to_service_level,
    to_shipping_term,
    to_user,
)
from customerhub.dialects.augno.quantity import to_digits, to_quantity
from customerhub.dialects.augno.wire import INCLUDES
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer

# Children beyond these are counted in `has_next_page` and found in the list of customers.
MOST_CHILDREN: Final = 1000
EVERYTHING: Final = Includes(INCLUDES)
ALONE: Final = Relatives(has_children=False)


def to_customer(customer: Customer, catalogue: Catalogue, relatives: Relatives, includes: Includes) -> Shown:
    """A customer with the parts that `includes` names."""
    shown = to_shallow(customer, is_parent=relatives.has_children)
    if not includes:
        return shown
    parts: dict[str, Callable[[], Shown | None]] = {
        "credit_limit": lambda: _to_credit_limit(customer, catalogue),
        "contact_info": lambda: _to_contact_info(customer),
        "freight_preferences": lambda: _to_freight(customer, catalogue, includes.under("freight_preferences")),
        "defaults": lambda: _to_defaults(customer, catalogue, includes.under("defaults")),
        "notification_preferences": lambda: _to_notifications(customer),
        "bill_to_address": lambda: _to_address(customer, "bill_to"),
        "ship_to_address": lambda: _to_address(customer, "ship_to"),
        "type": lambda: _to_type(customer, catalogue),
        "price_groups": lambda: to_account_groups(customer.price_groups, catalogue),
        "parent_account": lambda: _to_parent(relatives),
        "child_accounts": lambda: _to_children(relatives),
    }
    for name, to_part in parts.items():
        if name in includes:
            shown[name] = to_part()
    return shown


def to_customer_id(customer: Customer) -> str:
    """The customer's id on the wire."""
    return to_id(ACCOUNT, customer.id)


def to_shallow(customer: Customer, *, is_parent: bool) -> Shown:
    """A customer with none of its parts: its own members, and null for the rest."""
    return {
        "id": to_customer_id(customer),
        "object": "customer",
        "name": customer.name,
        "number": customer.number,
        "status": customer.standing,
        "is_edi_enabled": customer.is_edi_enabled,
        "is_parent_account": is_parent,
        "commission_policy": customer.commission_policy,
        "note": customer.note,
        "credit_limit": None,
        "contact_info": None,
        "freight_preferences": None,
        "defaults": None,
        "notification_preferences": None,
        "bill_to_address": None,
        "ship_to_address": None,
        "type": None,
        "price_groups": None,
        "parent_account": None,
        "child_accounts": None,
        "created_at": to_time(customer.created_at),
        "updated_at": to_time(customer.updated_at),
    }


def to_request(customer: Customer) -> Shown:
    """A customer by the names of requests, as an update would send it to change nothing."""
    limit: Shown | None = None
    if customer.credit_limit is not None:
        unit = to_id_or_none(UNIT, customer.credit_limit_unit)
        limit = {"value": to_digits(customer.credit_limit), "unit_id": unit}
    return {
        "name": customer.name,
        "number": customer.number,
        "note": customer.note,
        "status": customer.standing,
        "email": customer.email,
        "phone": customer.phone,
        "url": customer.website,
        "is_edi_enabled": customer.is_edi_enabled,
        "commission_policy": customer.commission_policy,
        "freight_policy": customer.freight_policy,
        "default_carrier_id": to_id_or_none(CARRIER, customer.carrier),
        "default_service_level_id": to_id_or_none(SERVICE_LEVEL, customer.service_level),
        "default_payment_term_id": to_id_or_none(PAYMENT_TERM, customer.payment_term),
        "default_shipping_term_id": to_id_or_none(SHIPPING_TERM, customer.shipping_term),
        "default_priority": customer.priority,
        "default_sales_rep_user_id": to_id_or_none(USER, customer.default_sales_rep),
        "bill_to_address_id": to_id_or_none(ADDRESS, customer.bill_to),
        "ship_to_address_id": to_id_or_none(ADDRESS, customer.ship_to),
        "customer_price_group_ids": [to_id(ACCOUNT_GROUP, group) for group in customer.price_groups],
        "customer_type_group_id": to_id_or_none(ACCOUNT_GROUP, customer.type_group),
        "carrier_billing_type": customer.carrier_billing_type,
        "carrier_billing_account": customer.carrier_billing_account,
        "credit_limit": limit,
    }


def _to_credit_limit(customer: Customer, catalogue: Catalogue) -> Shown | None:
    if customer.credit_limit is None or customer.credit_limit_id is None:
        return None
    return to_quantity(customer.credit_limit_id, customer.credit_limit, customer.credit_limit_unit, catalogue)


def _to_contact_info(customer: Customer) -> Shown:
    return {
        "object": "customer_contact_info",
        "email": customer.email,
        "phone": customer.phone,
        "url": customer.website,
    }


def _to_freight(customer: Customer, catalogue: Catalogue, includes: Includes) -> Shown:
    carrier = catalogue.find_entry("carrier", customer.carrier) if "carrier" in includes else None
    level = catalogue.find_entry("service_level", customer.service_level) if "service_level" in includes else None
    return {
        "object": "customer_freight_preferences",
        "status": customer.freight_policy,
        "carrier": to_carrier(carrier) if carrier is not None else None,
        "service_level": to_service_level(level) if level is not None else None,
        "billing_type": customer.carrier_billing_type,
        "billing_account": customer.carrier_billing_account,
    }


def _to_defaults(customer: Customer, catalogue: Catalogue, includes: Includes) -> Shown:
    payment = catalogue.find_entry("payment_term", customer.payment_term) if "payment_term" in includes else None
    shipping = catalogue.find_entry("shipping_term", customer.shipping_term) if "shipping_term" in includes else None
    rep = catalogue.find_user(customer.default_sales_rep) if "sales_rep" in includes else None
    return {
        "object": "customer_defaults",
        "payment_term": to_payment_term(payment) if payment is not None else None,
        "shipping_term": to_shipping_term(shipping) if shipping is not None else None,
        "priority": to_priority(get_priority(catalogue, customer.priority)) if "priority" in includes else None,
        "sales_rep": to_user(rep) if rep is not None else None,
    }


def _to_notifications(customer: Customer) -> Shown:
    return {
        "object": "customer_notification_preferences",
        "accepts_invoice_emails": customer.accepts_invoice_emails,
    }


def _to_address(customer: Customer, pointer: str) -> Shown | None:
    address = customer.find_address(getattr(customer, pointer))
    return to_address(address) if address is not None else None


def _to_type(customer: Customer, catalogue: Catalogue) -> Shown | None:
    group = catalogue.find_entry("account_group", customer.type_group)
    return to_account_group(group) if group is not None else None


def _to_parent(relatives: Relatives) -> Shown | None:
    parent = relatives.parent
    return to_shallow(parent, is_parent=parent.id in relatives.parents) if parent is not None else None


def _to_children(relatives: Relatives) -> Shown | None:
    """None where there are none, as the contract says, and not an empty list."""
    if not relatives.has_children:
        return None
    rows = [to_shallow(child, is_parent=child.id in relatives.parents) for child in relatives.children]
    return to_page(rows, has_next=relatives.has_more_children)
