"""From an Augno request to a patch of the canonical record: every wire name and its meaning is in this file."""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from uuid import UUID

from pydantic import TypeAdapter

from customerhub.core.customers import Proposal
from customerhub.dialects.augno import wire
from customerhub.dialects.augno.ids import (
    ACCOUNT,
    ACCOUNT_GROUP,
    ACCOUNT_USER,
    ADDRESS,
    CARRIER,
    PAYMENT_TERM,
    SERVICE_LEVEL,
    SHIPPING_TERM,
    UNIT,
    USER,
    from_path,
)
from customerhub.dialects.augno.quantity import find_decimal
from customerhub.dialects.augno.read import Body, Draft, check, is_shown, without_nulls
from customerhub.dialects.augno.show import to_request
from customerhub.model.catalogue import Catalogue, CatalogueEntry, TeamSettings, UnitDetails
from customerhub.model.customer import AddressType, Customer
from customerhub.model.patch import AddressPatch, CustomerPatch, ListPatch

# Any: canonical fields by name, each of its own type; CustomerPatch is built from them.
Fields = dict[str, Any]

# Members that hold what the record holds.
PLAIN: Final[Mapping[str, str]] = {
    "name": "name",
    "number": "number",
    "note": "note",
    "status": "standing",
    "email": "email",
    "phone": "phone",
    "url": "website",
    "is_edi_enabled": "is_edi_enabled",
    "commission_policy": "commission_policy",
    "freight_policy": "freight_policy",
    "default_priority": "priority",
    "carrier_billing_type": "carrier_billing_type",
    "carrier_billing_account": "carrier_billing_account",
}
# Members that hold an id: the field, and the prefixes that it may have.
REFERENCES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "default_carrier_id": ("carrier", (CARRIER,)),
    "default_service_level_id": ("service_level", (SERVICE_LEVEL,)),
    "default_payment_term_id": ("payment_term", (PAYMENT_TERM,)),
    "default_shipping_term_id": ("shipping_term", (SHIPPING_TERM,)),
    "default_sales_rep_user_id": ("default_sales_rep", (USER, ACCOUNT_USER)),
    "bill_to_address_id": ("bill_to", (ADDRESS,)),
    "ship_to_address_id": ("ship_to", (ADDRESS,)),
    "customer_type_group_id": ("type_group", (ACCOUNT_GROUP,)),
}
POINTERS: Final[tuple[tuple[str, str, AddressType], ...]] = (
    ("bill_to_address", "bill_to", "billing"),
    ("ship_to_address", "ship_to", "shipping"),
)
ADDRESS_TEXTS: Final[Mapping[str, str]] = {
    "name": "name",
    "phone": "phone",
    "email": "email",
    "street_line_1": "line1",
    "street_line_2": "line2",
    "locality": "city",
    "state": "state",
    "postal_code": "postal_code",
}
# The names that canonical fields have here, for errors that the core finds.
NAMES: Final[Mapping[str, str]] = {
    **{field: member for member, field in PLAIN.items()},
    **{field: member for member, (field, _) in REFERENCES.items()},
    "price_groups": "customer_price_group_ids",
    "credit_limit_unit": "credit_limit",
}
NULLABLE: Final = frozenset(
    (
        *("note", "email", "phone", "url", "default_service_level_id", "default_sales_rep_user_id"),
        *("bill_to_address_id", "ship_to_address_id", "carrier_billing_account", "credit_limit"),
    )
)
# What a team may do without although the contract demands it; a customer without a name is nobody.
RELAXED: Final = frozenset(wire.CustomerBody.__required_keys__) - {"name"}
_UPDATED: Final = frozenset(wire.CustomerUpdate.__annotations__)
_CREATED: Final = frozenset(wire.CustomerBody.__optional_keys__ | wire.CustomerBody.__required_keys__)
_REQUIRED: Final = frozenset(wire.CustomerBody.__required_keys__)
_LIMIT: Final = frozenset(wire.CreditLimitBody.__annotations__)
_ADDRESS: Final = frozenset(wire.AddressBody.__annotations__)
_CHECK_UPDATE: Final[TypeAdapter[object]] = TypeAdapter(wire.CustomerUpdate)
_CHECK_BODY: Final[TypeAdapter[object]] = TypeAdapter(wire.CustomerBody)
_CHECK_MERGE: Final[TypeAdapter[object]] = TypeAdapter(wire.MergeBody)


def to_patch(raw: Body, customer: Customer, catalogue: Catalogue) -> tuple[Proposal, list[str]]:
    """What an update asks of a customer, and the members that the team has ignored.

    Members left out stay. A member that is sent as it is shown now always passes and changes nothing.
    """
    settings = catalogue.settings
    shown = to_request(customer)
    if settings.null_members == "ignore":
        raw = without_nulls(raw, _UPDATED - NULLABLE)
    draft = check(_CHECK_UPDATE, raw, shown)
    draft.note_unknown(_UPDATED, settings)
    draft.note_unknown(_LIMIT, settings, ("credit_limit",), raw.get("credit_limit"))
    body = {name: value for name, value in raw.items() if name in _UPDATED and not is_shown(raw, (name,), shown)}
    if "default_carrier_id" in body and "default_service_level_id" in raw:
        # Both were sent, so they must go together; else a new carrier would take away the level that was asked for.
        body["default_service_level_id"] = raw["default_service_level_id"]
    fields = _to_fields(draft, body, catalogue, customer.credit_limit_unit)
    fields = {field: value for field, value in fields.items() if not _is_same(customer, field, value, fields)}
    return Proposal(CustomerPatch(**fields), draft.found(), NAMES, raw), draft.ignored


def to_new(raw: Body, catalogue: Catalogue, mint: Callable[[], UUID]) -> tuple[Proposal, list[str]]:
    """What a creation makes, and the members that the team has ignored.

    Both addresses are made with it. A null is nothing where a member may be left out.
    """
    settings = catalogue.settings
    is_lenient = settings.relaxed_create or settings.null_members == "ignore"
    raw = without_nulls(raw, _CREATED if is_lenient else _CREATED - _REQUIRED)
    draft = check(_CHECK_BODY, raw)
    if settings.relaxed_create:
        draft.errors = [error for error in draft.errors if error.path[0] not in RELAXED or error.path[0] in raw]
    draft.note_unknown(_CREATED, settings)
    draft.note_unknown(_LIMIT, settings, ("credit_limit",), raw.get("credit_limit"))
    for member, _, _ in POINTERS:
        draft.note_unknown(_ADDRESS, settings, (member,), raw.get(member))
    fields = _to_fields(draft, raw, catalogue, None)
    if not draft.errors:
        fields |= _to_new_addresses(raw, mint)
    return Proposal(CustomerPatch(**fields), draft.found(), NAMES, raw), draft.ignored


def to_sources(raw: Body, settings: TeamSettings) -> tuple[tuple[UUID, ...], list[str]]:
    """The customers that a merge takes in, and the members that the team has ignored; raises Invalid.

    An id that is none is told by whoever looks for its customer, like any other that is not known.
    """
    draft = check(_CHECK_MERGE, raw)
    draft.note_unknown(wire.MergeBody.__annotations__, settings)
    draft.check()
    sent = cast("list[str]", raw["source_customer_ids"])
    return tuple(from_path(text, ACCOUNT) for text in sent), draft.ignored


def to_address_patch(body: Body, kind: AddressType | None = None) -> AddressPatch:
    """A checked address as a patch of what is sent; country codes are kept in capitals."""
    fields: Fields = {field: body[member] for member, field in ADDRESS_TEXTS.items() if member in body}
    if "is_drop_ship" in body:
        fields["is_drop_ship"] = body["is_drop_ship"]
    if "country" in body:
        fields["country"] = cast("str", body["country"]).upper()
    if kind is not None:
        fields["type"] = kind
    return AddressPatch(**fields)


def _to_fields(draft: Draft, body: Body, catalogue: Catalogue, unit: UUID | None) -> Fields:
    """The members of a body as canonical fields; those that broke a check are left out.

    What is no id stands there as nobody's, so that it is refused like any other that is not known. `unit` is that of
    the credit limit as it stands.
    """
    wrong = {error.path[0] for error in draft.errors}
    body = {name: value for name, value in body.items() if name not in wrong}
    fields: Fields = {field: body[member] for member, field in PLAIN.items() if member in body}
    for member, (field, prefixes) in REFERENCES.items():
        if member in body:
            fields[field] = from_path(body[member], *prefixes) if body[member] is not None else None
    if "default_carrier_id" in wrong:
        # Whose level it is cannot be told without the carrier that was meant.
        fields.pop("service_level", None)
    if "customer_price_group_ids" in body:
        groups = cast("list[str]", body["customer_price_group_ids"])
        fields["price_groups"] = tuple(dict.fromkeys(from_path(text, ACCOUNT_GROUP) for text in groups))
    if "credit_limit" in body:
        fields |= _to_credit_limit(draft, cast("Body | None", body["credit_limit"]), catalogue, unit)
    return fields


def _to_credit_limit(draft: Draft, limit: Body | None, catalogue: Catalogue, current: UUID | None) -> Fields:
    """A limit's amount and unit; a unit that it has already may stay, whatever has become of it."""
    if limit is None:
        return {"credit_limit": None, "credit_limit_unit": None}
    unit = from_path(limit["unit_id"], UNIT)
    if unit != current and (reason := _find_fault(catalogue.find_live("unit", unit))) is not None:
        draft.refuse(("credit_limit", "unit_id"), "unit", reason)
        return {}
    return {"credit_limit": find_decimal(cast("str", limit["value"])), "credit_limit_unit": unit}


def _find_fault(unit: CatalogueEntry | None) -> str | None:
    if unit is None or not isinstance(unit.details, UnitDetails):
        return "names no unit of this account"
    if unit.details.type != "currency":
        return "must name a unit of type currency"
    return None if unit.status == "active" else "names a unit that is inactive"


def _to_new_addresses(body: Body, mint: Callable[[], UUID]) -> Fields:
    fields: Fields = {}
    add: list[tuple[UUID, AddressPatch]] = []
    new_ids = iter(sorted(mint() for _ in POINTERS))
    for member, pointer, kind in POINTERS:
        if member in body:
            fields[pointer] = new_id = next(new_ids)
            add.append((new_id, to_address_patch(cast("Body", body[member]), kind)))
    return {**fields, "addresses": ListPatch(add=tuple(add))} if add else {}


def _is_same(customer: Customer, field: str, value: object, fields: Fields) -> bool:
    """Whether a field holds what the record holds, although it was spelled another way; groups are a set."""
    if field == "service_level" and "carrier" in fields:
        return False
    if field == "price_groups":
        return set(cast("tuple[UUID, ...]", value)) == set(customer.price_groups)
    return field not in ("credit_limit", "credit_limit_unit") and value == getattr(customer, field)
