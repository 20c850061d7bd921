"""Changes of the history in this API's words."""

from uuid import UUID

import pytest

from customerhub.dialects.augno.resources.changes import to_changes
from customerhub.model.change import FieldChange
from tests.support.augno import Json, to_id

ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("kind", "change", "told"),
    [
        ("customer", FieldChange("/standing", "normal", "hold_all"), ("status", "normal", "hold_all")),
        (
            "customer",
            FieldChange("/payment_term", None, str(ONE)),
            ("default_payment_term_id", None, to_id("pytm", ONE)),
        ),
        (
            "customer",
            FieldChange("/price_groups", [str(ONE)], []),
            ("customer_price_group_ids", [to_id("acgp", ONE)], []),
        ),
        ("customer", FieldChange("/credit_limit", "1.0", "1.00"), ("credit_limit.value", "1.0", "1.00")),
        (
            "customer",
            FieldChange("/credit_limit_unit", None, str(ONE)),
            ("credit_limit.unit_id", None, to_id("un", ONE)),
        ),
        ("customer", FieldChange("/parent", str(ONE), None), ("parent_account_id", to_id("ac", ONE), None)),
        (
            "customer",
            FieldChange(f"/addresses/{ONE}/city", "Oslo", "Bergen"),
            (f"addresses.{to_id('ad', ONE)}.locality", "Oslo", "Bergen"),
        ),
        (
            "customer",
            FieldChange(f"/addresses/{ONE}", {"id": str(ONE), "line1": "8 Quay", "created_at": "x"}, None),
            (f"addresses.{to_id('ad', ONE)}", {"id": to_id("ad", ONE), "street_line_1": "8 Quay"}, None),
        ),
        ("customer", FieldChange("/attributes/a~1b/value", "1", "2"), ("attributes.a/b.value", "1", "2")),
        ("customer", FieldChange("/tax_number", None, "7"), ("tax_number", None, "7")),
        ("address", FieldChange("/line2", "a", None), ("street_line_2", "a", None)),
        (
            "carrier",
            FieldChange("/details", {}, {"visibility": "hidden"}),
            ("customer_portal_visibility", "visible", "hidden"),
        ),
        (
            "service_level",
            FieldChange(
                "/details",
                {"carrier": str(ONE), "token": "a", "visibility": "visible", "is_default": False},
                {"carrier": str(ONE), "token": "b", "visibility": "visible", "is_default": False},
            ),
            ("service_level_token", "a", "b"),
        ),
        (
            "shipping_term",
            FieldChange("/details", {}, {"flat_rate": {"id": str(ONE), "value": "1.00", "unit": str(TWO)}}),
            ("flat_rate", None, {"value": "1.00", "unit_id": to_id("un", TWO)}),
        ),
        (
            "shipping_term",
            FieldChange("/details", {}, {"free_shipping_service_levels": [str(ONE)]}),
            ("free_shipping_service_level_ids", [], [to_id("crop", ONE)]),
        ),
        ("user", FieldChange("/access_role", None, str(ONE)), ("role_id", None, to_id("rl", ONE))),
        ("credential", FieldChange("/hint", "a", "b"), ("redacted_value", "a", "b")),
    ],
)
def test_a_change_is_told_in_the_words_of_requests(
    kind: str, change: FieldChange, told: tuple[str, object, object]
) -> None:
    """The field by its name here, ids as they travel, the place of an address by its members."""
    field, old, new = told
    assert to_changes(kind, (change,)) == [{"field": field, "old_value": old, "new_value": new}]


def test_a_new_record_is_told_field_by_field() -> None:
    """What it has, without what its own answers tell; details and all."""
    record: Json = {
        "id": str(ONE),
        "kind": "account_group",
        "name": "Chefs",
        "created_at": "2026-01-01T00:00:00Z",
        "version": 1,
        "details": {"type": "pricing_group"},
        "description": None,
        "is_system": False,
        "status": "active",
    }
    told = to_changes("account_group", (FieldChange("", None, record),))
    assert {change["field"]: change["new_value"] for change in told} == {
        "name": "Chefs",
        "type": "pricing_group",
        "commission_policy": "commission_exempt",
        "freight_policy": "billed_freight",
        "status": "active",
    }
    assert {change["old_value"] for change in told} == {None}


def test_a_record_that_went_is_told_field_by_field() -> None:
    """With nothing after it."""
    address: Json = {"id": str(ONE), "name": "Dock", "line1": "8 Quay", "created_at": "x", "updated_at": "y"}
    assert to_changes("address", (FieldChange("", address, None),)) == [
        {"field": "name", "old_value": "Dock", "new_value": None},
        {"field": "street_line_1", "old_value": "8 Quay", "new_value": None},
    ]
