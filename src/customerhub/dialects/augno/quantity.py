"""Amounts with their unit: digits as they were sent, and as people read them."""

import re
from decimal import Decimal
from typing import Final
from uuid import UUID

from customerhub.dialects.augno.answers import Shown
from customerhub.dialects.augno.ids import QUANTITY, to_id
from customerhub.model.catalogue import Catalogue, UnitDetails

MAX_WHOLE: Final = 30
MAX_FRACTION: Final = 12
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
# More than a number that fits can need, zeros and exponent and all.
_LONGEST: Final = 100


def find_decimal(text: str) -> Decimal | None:
    """The number that a text is, with its digits and without an exponent; None for a text that is none."""
    if len(text) > _LONGEST or not _DECIMAL.fullmatch(text):
        return None
    number = Decimal(to_digits(Decimal(text)))
    return number.copy_abs() if number.is_zero() else number


def fits(number: Decimal) -> bool:
    """Whether a number has no more digits than are kept: 30 before and 12 behind the point."""
    whole, _, fraction = to_digits(number).lstrip("-").partition(".")
    return len(whole) <= MAX_WHOLE and len(fraction) <= MAX_FRACTION


def to_digits(number: Decimal) -> str:
    """A number as it travels: no exponent, no plus, no leading zeros, every trailing zero that was sent."""
    return format(number, "f")


def to_display(number: Decimal, unit: UnitDetails | None) -> str:
    """As people read it: `$1,234.50`, `-CA$3.00`, `1,000.00 CHF`, `100 kg`.

    A currency has two decimals at least and its symbol in front; one that is written in letters stands behind, like
    every other unit.
    """
    if unit is None:
        return to_digits(number)
    if unit.type != "currency":
        return f"{to_digits(number)} {unit.abbreviation}"
    sign = "-" if number.is_signed() else ""
    whole, _, fraction = to_digits(number.copy_abs()).partition(".")
    amount = f"{int(whole):,}.{fraction:0<2}"
    if unit.abbreviation[-1:].isalpha():
        return f"{sign}{amount} {unit.abbreviation}"
    return f"{sign}{unit.abbreviation}{amount}"


def to_quantity(quantity: UUID, number: Decimal, unit: UUID | None, catalogue: Catalogue) -> Shown:
    """An amount as answers have it; `unit` is left null for whoever shows it."""
    entry = catalogue.find_entry("unit", unit)
    details = entry.details if entry is not None and isinstance(entry.details, UnitDetails) else None
    return {
        "id": to_id(QUANTITY, quantity),
        "object": "quantity",
        "value": to_digits(number),
        "display_value": to_display(number, details),
        "unit": None,
    }
