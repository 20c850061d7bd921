"""Credit limits: digits as sent, for people as they read them, never a float."""

from decimal import Decimal
from typing import Any

import pytest

from customerhub.dialects.augno.quantity import find_decimal, fits, to_digits, to_display
from customerhub.dialects.augno.tests.helpers import refused
from customerhub.model.catalogue import UnitDetails
from tests.support.augno import Account, Json


async def test_credit_limits_keep_their_digits_and_their_id(account: Account, customer: Json) -> None:
    """`1.0` and `1.00` are two limits; the id stays while there is a limit at all."""
    quantity = customer["credit_limit"]
    assert (quantity["value"], quantity["display_value"], quantity["unit"]) == ("25000.00", "$25,000.00", None)
    shown = {}
    for sent in ("1.0", "1.00", "+007.50", "1e3", "1.5E-3", "-0", ".5", "2.", "0", f"{'9' * 30}.{'9' * 12}"):
        changed = await account.patch(customer["id"], credit_limit={"value": sent, "unit_id": account.unit})
        assert changed["credit_limit"]["id"] == quantity["id"]
        shown[sent] = (changed["credit_limit"]["value"], changed["credit_limit"]["display_value"])
        assert await account.get(customer["id"]) == changed
    nines = ",".join(["999"] * 10)
    assert shown == {
        "1.0": ("1.0", "$1.00"),
        "1.00": ("1.00", "$1.00"),
        "+007.50": ("7.50", "$7.50"),
        "1e3": ("1000", "$1,000.00"),
        "1.5E-3": ("0.0015", "$0.0015"),
        "-0": ("0", "$0.00"),
        ".5": ("0.5", "$0.50"),
        "2.": ("2", "$2.00"),
        "0": ("0", "$0.00"),
        f"{'9' * 30}.{'9' * 12}": (f"{'9' * 30}.{'9' * 12}", f"${nines}.{'9' * 12}"),
    }
    await account.patch(customer["id"], credit_limit=None)
    again = await account.patch(customer["id"], credit_limit={"value": "1", "unit_id": account.unit})
    assert again["credit_limit"]["id"] != quantity["id"]


@pytest.mark.parametrize(
    ("limit", "code", "param"),
    [
        ({}, "missing_field", "credit_limit.value"),
        ({"value": "1"}, "missing_field", "credit_limit.unit_id"),
        ({"unit_id": "$"}, "missing_field", "credit_limit.value"),
        ({"value": 1, "unit_id": "$"}, "invalid_format", "credit_limit.value"),
        ({"value": 1.5, "unit_id": "$"}, "invalid_format", "credit_limit.value"),
        ({"value": "1,5", "unit_id": "$"}, "invalid_format", "credit_limit.value"),
        ({"value": "", "unit_id": "$"}, "invalid_format", "credit_limit.value"),
        ({"value": "NaN", "unit_id": "$"}, "invalid_format", "credit_limit.value"),
        ({"value": "1_0", "unit_id": "$"}, "invalid_format", "credit_limit.value"),
        ({"value": "٣", "unit_id": "$"}, "invalid_format", "credit_limit.value"),
        ({"value": None, "unit_id": "$"}, "validation_failed", "credit_limit.value"),
        ({"value": "-0.01", "unit_id": "$"}, "validation_failed", "credit_limit.value"),
        ({"value": "1" * 31, "unit_id": "$"}, "validation_failed", "credit_limit.value"),
        ({"value": "1e999", "unit_id": "$"}, "validation_failed", "credit_limit.value"),
        ({"value": f"0.{'1' * 13}", "unit_id": "$"}, "validation_failed", "credit_limit.value"),
        ({"value": "1", "unit_id": "un_x"}, "validation_failed", "credit_limit.unit_id"),
        ({"value": "1", "unit_id": "$", "id": "qty_1"}, "parameter_unknown", "credit_limit.id"),
        ("1.00", "invalid_format", "credit_limit"),
        ([], "invalid_format", "credit_limit"),
    ],
)
async def test_broken_limits(account: Account, customer: Json, limit: Any, code: str, param: str) -> None:
    """Both members are needed, the value is a decimal as text that is kept whole, the unit a currency."""
    if isinstance(limit, dict) and limit.get("unit_id") == "$":
        limit = {**limit, "unit_id": account.unit}
    assert await refused(account, customer, {"credit_limit": limit}) == (400, code, param)


@pytest.mark.parametrize(
    ("digits", "type_", "abbreviation", "shown"),
    [
        ("1234.56", "currency", "$", "$1,234.56"),
        ("-1234.5", "currency", "CA$", "-CA$1,234.50"),
        ("0", "currency", "€", "€0.00"),
        ("1000000", "currency", "CHF", "1,000,000.00 CHF"),
        ("-0.125", "currency", "kr", "-0.125 kr"),
        ("100", "mass", "kg", "100 kg"),
        ("-1000.50", "length", "m", "-1000.50 m"),
    ],
)
def test_for_people(digits: str, type_: Any, abbreviation: str, shown: str) -> None:
    """A currency's symbol stands in front, its letters and every other unit behind."""
    assert to_display(Decimal(digits), UnitDetails(type_, abbreviation)) == shown


def test_without_a_unit() -> None:
    """Digits alone."""
    assert to_display(Decimal("1.50"), None) == "1.50"


@pytest.mark.parametrize(
    ("text", "digits"),
    [("1.00", "1.00"), ("+01", "1"), ("1e2", "100"), ("-0.0", "0.0"), ("1e-3", "0.001"), ("-2", "-2"), (".5", "0.5")],
)
def test_digits(text: str, digits: str) -> None:
    """No exponent, no plus, no leading zeros, every trailing zero; nothing has no sign."""
    number = find_decimal(text)
    assert number is not None
    assert to_digits(number) == digits
    assert fits(number)


@pytest.mark.parametrize("text", ["", "-", ".", "1.2.3", "0x1", "1e", "inf", "nan", " 1", "1 ", "1_000", "9" * 101])
def test_no_decimals(text: str) -> None:
    """Whatever else Python takes for a number is none."""
    assert find_decimal(text) is None
