"""Whose a field is that the hub and a mirror both have: what a sink's configuration may say, and what is wrong."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

StripeOwner = Literal["hub", "stripe", "both"]
AccountOwner = Literal["hub", "other"]
STRIPE_OWNERS: Final[tuple[str, ...]] = get_args(StripeOwner)
ACCOUNT_OWNERS: Final[tuple[str, ...]] = get_args(AccountOwner)
STRIPE_FIELDS: Final = ("name", "email", "phone", "address", "shipping")
"""The fields that a team can give an owner in its Stripe account; the metadata are always the hub's."""


class OwnerFault(Struct, frozen=True):
    """What is wrong with one entry, by its field."""

    field: str
    code: Literal["unknown", "enum"]
    reason: str


def find_owner_faults(
    ownership: Mapping[str, str], fields: Collection[str], owners: Collection[str]
) -> Iterator[OwnerFault]:
    """Fields that cannot be owned, and owners that there are not."""
    for field, owner in ownership.items():
        if field not in fields:
            yield OwnerFault(field, "unknown", f"is none of {', '.join(fields)}")
        elif owner not in owners:
            yield OwnerFault(field, "enum", f"must be one of {', '.join(owners)}")
