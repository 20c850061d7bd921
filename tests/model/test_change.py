"""When a value is another one."""

from decimal import Decimal
from uuid import UUID

import pytest

from customerhub.model.catalogue import Amount, ShippingTermDetails
from customerhub.model.change import differs

OWN, UNIT = UUID(int=1), UUID(int=2)


def flat(value: str) -> ShippingTermDetails:
    """A term with a flat rate of these digits."""
    return ShippingTermDetails(flat_rate=Amount(OWN, Decimal(value), UNIT))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (None, ""),
        ("a", "A"),
        (Decimal("1.0"), Decimal("1.00")),
        (Decimal("1.0"), None),
        (flat("1.0"), flat("1.00")),
        ((Decimal(1),), (Decimal("1.0"),)),
        ((Decimal(1),), ()),
        (flat("1"), ShippingTermDetails()),
    ],
)
def test_another_value_is_one(old: object, new: object) -> None:
    """Other text, other digits of a decimal, also inside another value, and something instead of nothing."""
    assert differs(old, new)
    assert differs(new, old)
    assert not differs(old, old)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (Decimal("1E+3"), Decimal(1000)),
        (Decimal("1.50"), Decimal("1.50")),
        (flat("1.50"), flat("1.50")),
        ((OWN, "a"), (OWN, "a")),
    ],
)
def test_the_same_value_is_none(old: object, new: object) -> None:
    """Equal values with the same digits are the same, however an exponent spells them."""
    assert not differs(old, new)
