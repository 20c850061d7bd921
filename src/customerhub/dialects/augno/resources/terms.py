"""`/v1/finance/payment-terms` and `/v1/operations/shipping-terms`: when customers pay, and how freight is charged."""

from typing import Annotated, Any, Required, cast
from uuid import UUID

import msgspec
from pydantic import Field
from typing_extensions import TypedDict

from customerhub.dialects.augno.answers import Shown, to_page
from customerhub.dialects.augno.ids import PAYMENT_TERM, SERVICE_LEVEL, SHIPPING_TERM, UNIT, from_id, to_id
from customerhub.dialects.augno.include import NOTHING, Includes
from customerhub.dialects.augno.parts import to_payment_term, to_shipping_term
from customerhub.dialects.augno.quantity import find_decimal, to_digits, to_quantity
from customerhub.dialects.augno.read import Body
from customerhub.dialects.augno.resources.carriers import to_owned_service_level
from customerhub.dialects.augno.resources.family import Family, Reading
from customerhub.dialects.augno.resources.models import OwnedPaymentTerm, OwnedShippingTerm, ShippingType
from customerhub.dialects.augno.resources.queries import (
    OwnedListQuery,
    OwnedQuery,
    ShippingTermListQuery,
    ShippingTermQuery,
)
from customerhub.dialects.augno.resources.shown import put, to_owner, with_owner
from customerhub.dialects.augno.resources.units import to_owned_unit, to_unit_details
from customerhub.dialects.augno.wire import CONFIG, Amount, Name
from customerhub.model import catalogue as model
from customerhub.model.catalogue import Catalogue, CatalogueEntry, NoDetails, ShippingTermDetails

_AMOUNTS = ("flat_rate", "minimum_order_value")
_LEVELS = "free_shipping_service_level_ids"

Levels = Annotated[list[str], Field(max_length=1000)]


class PaymentTermEdit(TypedDict, total=False):
    """What to change in a payment term."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name


class PaymentTermBody(TypedDict):
    """A payment term to make; it is active at once."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name


class AmountBody(TypedDict):
    """How much, in which currency; the digits are kept as they are sent."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    value: Amount
    unit_id: str


class ShippingTermEdit(TypedDict, total=False):
    """What to change in a shipping term; null takes an amount or all service levels away."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name
    type: ShippingType
    flat_rate: AmountBody | None
    minimum_order_value: AmountBody | None
    free_shipping_service_level_ids: Levels | None


class ShippingTermBody(TypedDict, total=False):
    """A shipping term to make."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Required[Name]
    type: Required[ShippingType]
    free_shipping_service_level_ids: Required[Levels]
    flat_rate: AmountBody | None
    minimum_order_value: AmountBody | None


def _show_payment_term(entry: CatalogueEntry, catalogue: Catalogue, includes: Includes) -> Shown:
    return with_owner(to_payment_term(entry), entry, catalogue, includes)


def _show_shipping_term(entry: CatalogueEntry, catalogue: Catalogue, includes: Includes) -> Shown:
    details = cast("ShippingTermDetails", entry.details)
    levels: Shown | None = None
    if "free_shipping_service_levels" in includes:
        found = (catalogue.find_entry("service_level", level) for level in details.free_shipping_service_levels)
        levels = to_page([to_owned_service_level(level, catalogue, NOTHING) for level in found if level is not None])
    amounts = {name: _show_amount(getattr(details, name), catalogue, includes.under(name)) for name in _AMOUNTS}
    return put(
        to_shipping_term(entry),
        {
            "owner": to_owner(catalogue, includes, is_system=entry.is_system),
            **amounts,
            "free_shipping_service_levels": levels,
        },
    )


def _show_amount(amount: model.Amount | None, catalogue: Catalogue, includes: Includes) -> Shown | None:
    if amount is None:
        return None
    shown = to_quantity(amount.id, amount.value, amount.unit, catalogue)
    unit = catalogue.find_entry("unit", amount.unit) if "unit" in includes else None
    return {**shown, "unit": to_owned_unit(unit, catalogue, NOTHING)} if unit is not None else shown


def _to_sent(entry: CatalogueEntry) -> Shown:
    details = cast("ShippingTermDetails", entry.details)
    amounts = {name: _send_amount(getattr(details, name)) for name in _AMOUNTS}
    levels = [to_id(SERVICE_LEVEL, level) for level in details.free_shipping_service_levels]
    return {"name": entry.name, "type": details.type, **amounts, _LEVELS: levels}


def _send_amount(amount: model.Amount | None) -> Shown | None:
    return {"value": to_digits(amount.value), "unit_id": to_id(UNIT, amount.unit)} if amount is not None else None


def _to_shipping_details(reading: Reading) -> ShippingTermDetails:
    old = reading.old(ShippingTermDetails())
    # Any: amounts and ids by the names of their fields.
    parts: dict[str, Any] = {}
    for name in _AMOUNTS:
        if name in reading.sent and not reading.is_shown(name):
            parts[name] = _to_amount(reading, name, getattr(old, name))
    if _LEVELS in reading.sent and not reading.is_shown(_LEVELS):
        parts["free_shipping_service_levels"] = _to_levels(reading)
    return msgspec.structs.replace(reading.changed(old, {"type": "type"}), **parts)


def _to_amount(reading: Reading, name: str, old: model.Amount | None) -> model.Amount | None:
    """The amount that was sent; one that takes another's place keeps its id."""
    sent = cast("Body | None", reading.sent[name])
    if sent is None:
        return None
    reading.draft.note_unknown(("value", "unit_id"), reading.catalogue.settings, (name,), sent)
    unit = reading.catalogue.find_live("unit", from_id(sent["unit_id"], UNIT))
    if unit is None:
        reading.draft.refuse((name, "unit_id"), "unknown_id", "names no unit of this account")
    elif to_unit_details(unit).type != "currency":
        reading.draft.refuse((name, "unit_id"), "wrong_type", "must name a unit of type currency")
    number = find_decimal(cast("str", sent["value"]))
    if unit is None or number is None:
        return old
    return model.Amount(old.id if old is not None else reading.call.hub.new_id(), number, unit.id)


def _to_levels(reading: Reading) -> tuple[UUID, ...]:
    """The service levels that were sent, each once and in their order."""
    found: dict[UUID, None] = {}
    for position, text in enumerate(cast("list[str] | None", reading.sent[_LEVELS]) or ()):
        level = reading.catalogue.find_live("service_level", from_id(text, SERVICE_LEVEL))
        if level is None:
            reading.draft.refuse((_LEVELS, position), "unknown_id", "names no service level of this account")
        else:
            found[level.id] = None
    return tuple(found)


PAYMENT_TERMS = Family(
    kind="payment_term",
    prefix=PAYMENT_TERM,
    noun="payment term",
    plural="payment terms",
    path="/v1/finance/payment-terms",
    body=PaymentTermBody,
    edit=PaymentTermEdit,
    answer=OwnedPaymentTerm,
    query=OwnedListQuery,
    include_query=OwnedQuery,
    includes=("owner", "owner.account"),
    show=_show_payment_term,
    to_sent=to_payment_term,
    to_details=lambda _: NoDetails(),
    texts=lambda entry: (entry.name,),
    notes={
        "list": "Those that come with every account are among them; `q` looks into the name.",
        "delete": "Customers that have it keep it; no customer can be given it any more.",
    },
    examples={"create": {"name": "Net 21"}, "update": {"name": "Net 21, end of month"}},
)
SHIPPING_TERMS = Family(
    kind="shipping_term",
    prefix=SHIPPING_TERM,
    noun="shipping term",
    plural="shipping terms",
    path="/v1/operations/shipping-terms",
    body=ShippingTermBody,
    edit=ShippingTermEdit,
    answer=OwnedShippingTerm,
    query=ShippingTermListQuery,
    include_query=ShippingTermQuery,
    includes=(
        "owner",
        "owner.account",
        "flat_rate.unit",
        "minimum_order_value.unit",
        "free_shipping_service_levels",
    ),
    show=_show_shipping_term,
    to_sent=_to_sent,
    to_details=_to_shipping_details,
    texts=lambda entry: (entry.name,),
    notes={
        "list": "`q` looks into the name.",
        "delete": "Customers that have it keep it; no customer can be given it any more.",
    },
    examples={
        "create": {
            "name": "Flat nine fifty",
            "type": "flat_rate_freight",
            "flat_rate": {"value": "9.50", "unit_id": "un_3m5x0c8d1q4v7t9r2k6w0b1f2h"},
            "free_shipping_service_level_ids": [],
        },
        "update": {"type": "free_freight", "flat_rate": None},
    },
)
