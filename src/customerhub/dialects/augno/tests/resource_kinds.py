"""Kinds of catalogue entry as resources, for the tests that hold for each of them."""

from typing import NamedTuple

import pytest

from tests.support.augno import Account, Json


class Kind(NamedTuple):
    """A resource: where, a body, what is shown of it but for id and times, and a change with what it shows."""

    path: str
    prefix: str
    body: Json
    shown: Json
    change: Json
    changed: Json


GROUP = Kind(
    "/v1/sales/account-groups",
    "acgp",
    {"name": "Chefs", "type": "pricing_group"},
    {
        "object": "account_group",
        "name": "Chefs",
        "description": None,
        "commission_policy": "commission_exempt",
        "freight_policy": "billed_freight",
        "type": "pricing_group",
    },
    {"description": "Restaurants", "commission_policy": "commission_applied", "freight_policy": "free_freight"},
    {"description": "Restaurants", "commission_policy": "commission_applied", "freight_policy": "free_freight"},
)
PAYMENT_TERM = Kind(
    "/v1/finance/payment-terms",
    "pytm",
    {"name": "Net 21"},
    {"object": "payment_term", "name": "Net 21", "status": "active", "owner": None},
    {"name": "Net 21 EOM"},
    {"name": "Net 21 EOM"},
)
SHIPPING_TERM = Kind(
    "/v1/operations/shipping-terms",
    "shtm",
    {"name": "Ours", "type": "free_freight", "free_shipping_service_level_ids": []},
    {
        "object": "shipping_term",
        "name": "Ours",
        "type": "free_freight",
        "owner": None,
        "flat_rate": None,
        "minimum_order_value": None,
        "free_shipping_service_levels": None,
    },
    {"type": "carrier_rate_freight", "name": "Theirs"},
    {"type": "carrier_rate_freight", "name": "Theirs"},
)
CARRIER = Kind(
    "/v1/operations/carriers",
    "cr",
    {"name": "Dray", "code": None, "account_number": None},
    {
        "object": "carrier",
        "name": "Dray",
        "code": None,
        "account_number": None,
        "customer_portal_visibility": "visible",
        "owner": None,
        "service_levels": None,
        "deleted_at": None,
    },
    {"customer_portal_visibility": "hidden"},
    {"customer_portal_visibility": "hidden"},
)
UNIT = Kind(
    "/v1/catalog/units",
    "un",
    {
        "name": "Sack",
        "abbreviation": "sk",
        "type": "mass",
        "ratio_numerator": "25.0",
        "ratio_denominator": "1",
        "offset_numerator": "-0.50",
        "offset_denominator": "1",
    },
    {
        "object": "unit",
        "name": "Sack",
        "abbreviation": "sk",
        "type": "mass",
        "ratio_numerator": "25.0",
        "ratio_denominator": "1",
        "offset_numerator": "-0.50",
        "offset_denominator": "1",
        "is_base_unit": False,
        "owner": None,
    },
    {"abbreviation": "sack", "ratio_numerator": "+25.00"},
    {"abbreviation": "sack", "ratio_numerator": "25.00"},
)
KINDS = (GROUP, PAYMENT_TERM, SHIPPING_TERM, CARRIER, UNIT)
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.prefix)


async def make(account: Account, kind: Kind, **members: object) -> Json:
    """A new entry, as answered."""
    answer = await account.api.post(kind.path, json={**kind.body, **members})
    assert answer.status_code == 201, answer.text
    made: Json = answer.json()
    return made


def without(shown: Json, *names: str) -> Json:
    """A record but for these members."""
    return {name: value for name, value in shown.items() if name not in names}
