"""The one place where a customer changes: a pure function from a record and a patch to the next record."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from operator import attrgetter
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from customerhub.model.catalogue import (
    CarrierDetails,
    Catalogue,
    CatalogueEntry,
    Details,
    Kind,
    NoDetails,
    ServiceLevelDetails,
    ShippingTermDetails,
)
from customerhub.model.change import FieldChange, differs
from customerhub.model.customer import Address, AddressType, Contact, Customer
from customerhub.model.nested import TICK, Moment, join_entries, patch_attributes, patch_list
from customerhub.model.patch import NESTED_FIELDS, PLAIN_FIELDS, CustomerPatch, Named
from customerhub.model.references import find_term

__all__ = ["TICK", "Applied", "advance", "apply", "create", "delete", "settle"]

_TERMS: tuple[Kind, ...] = ("payment_term", "shipping_term", "carrier")
_NEW_TERM: dict[Kind, Details] = {
    "payment_term": NoDetails(),
    "shipping_term": ShippingTermDetails(),
    "carrier": CarrierDetails(),
}
_get_plain = attrgetter(*PLAIN_FIELDS)
_ADDRESS_POINTERS: tuple[tuple[str, AddressType], ...] = (("bill_to", "billing"), ("ship_to", "shipping"))


class Applied(Struct, frozen=True):
    """What a patch made: the record, what changed in it, and catalogue entries that free text brought along.

    Without changes `customer` is the very record that was given.
    """

    customer: Customer
    changes: tuple[FieldChange, ...]
    new_entries: tuple[CatalogueEntry, ...] = ()


def apply(before: Customer, patch: CustomerPatch, catalogue: Catalogue, moment: Moment) -> Applied:
    """The record after the patch, with the consequences that hold for every door.

    `patch` is taken as checked (`reference_errors`). `updated_at` always moves forward, also under a clock that does
    not. Consequences: a new carrier drops another carrier's service level; a rep list that loses the default rep
    makes its first the default, and a default rep outside the list joins it; a pointer to a removed address or
    contact moves to the next one of its kind; a changed address type clears the pointer of the old type.
    """
    moment = moment.after(before.updated_at)
    differing, nested, new_entries = _find_values(before, patch, catalogue, moment)
    if not differing:
        return Applied(before, ())
    return Applied(*advance(before, differing, nested, moment), tuple(new_entries))


def _find_values(
    before: Customer, patch: CustomerPatch, catalogue: Catalogue, moment: Moment
) -> tuple[dict[str, object], list[FieldChange], list[CatalogueEntry]]:
    """The values that are others after the patch, the changes inside lists, and the entries that come along."""
    updates: dict[str, object] = {}
    new_entries: list[CatalogueEntry] = []
    for field, value in zip(PLAIN_FIELDS, _get_plain(patch), strict=True):
        if value is not UNSET:
            updates[field] = (
                _resolve(before, field, value, catalogue, new_entries, moment) if isinstance(value, Named) else value
            )
    nested = _apply_nested(before, patch, updates, moment)
    settle(before, updates, catalogue, moment)
    differing = {
        field: value
        for field, value in updates.items()
        if (old := getattr(before, field)) is not value and differs(old, value)
    }
    return differing, nested, new_entries


def settle(before: Customer, updates: dict[str, object], catalogue: Catalogue, moment: Moment) -> None:
    """Add to new values of a record what follows from them, as `apply` says."""
    _settle_service_level(before, updates, catalogue)
    _settle_sales_reps(before, updates)
    _settle_credit_limit(before, updates, moment)
    _settle_pointers(before, updates)


def advance(
    before: Customer, values: Mapping[str, object], nested: Iterable[FieldChange], moment: Moment
) -> tuple[Customer, tuple[FieldChange, ...]]:
    """The next version with these other values, and its changes: those of lists inside are given (`nested`)."""
    plain = (
        FieldChange(f"/{field}", getattr(before, field), value)
        for field, value in values.items()
        if field not in NESTED_FIELDS
    )
    after = msgspec.structs.replace(
        before, **values, version=before.version + 1, updated_at=moment.now, updated_by=moment.actor
    )
    return after, (*plain, *nested)


def create(blank: Customer, patch: CustomerPatch, catalogue: Catalogue, moment: Moment) -> Applied:
    """The first version of a record: `blank` (version 0, its number given) with the patch and what it is born with.

    The only change holds the whole record. Born with: the team's default price list where the patch names none, and
    the first rep of its list as default rep.
    """
    born: dict[str, object] = {}
    if patch.price_list is UNSET:
        default = catalogue.default_price_list()
        born["price_list"] = default.id if default is not None else None
    if patch.default_sales_rep is UNSET and patch.sales_reps:
        born["default_sales_rep"] = patch.sales_reps[0]
    whole = msgspec.structs.replace(patch, **born)
    values, _, new_entries = _find_values(blank, whole, catalogue, moment.after(blank.updated_at))
    customer = msgspec.structs.replace(
        blank, **values, version=1, created_at=moment.now, updated_at=moment.now, updated_by=moment.actor
    )
    return Applied(customer, (FieldChange("", None, customer),), tuple(new_entries))


def delete(before: Customer, moment: Moment) -> Applied:
    """The last version of a live record: it is there for the history and for nobody else."""
    moment = moment.after(before.updated_at)
    return Applied(*advance(before, {"deleted_at": moment.now}, (), moment))


def _resolve(
    before: Customer,
    field: str,
    named: Named,
    catalogue: Catalogue,
    new_entries: list[CatalogueEntry],
    moment: Moment,
) -> UUID:
    """The id of a free-text term; an entry of that name is made where the team has none."""
    kind = next(term for term in _TERMS if term == field)
    entry = find_term(kind, getattr(before, field), named, catalogue)
    if entry is None:
        entry = CatalogueEntry(
            id=moment.mint(),
            kind=kind,
            name=named.name.strip(),
            details=_NEW_TERM[kind],
            created_at=moment.now,
            updated_at=moment.now,
            created_by=moment.actor,
            updated_by=moment.actor,
        )
        new_entries.append(entry)
    return entry.id


def _apply_nested(
    before: Customer, patch: CustomerPatch, updates: dict[str, object], moment: Moment
) -> list[FieldChange]:
    changes: list[FieldChange] = []
    if patch.addresses is not UNSET:
        addresses = patch_list(before.addresses, patch.addresses, Address, moment, "/addresses", changes)
        updates["addresses"] = join_entries(addresses, patch.addresses.adopt, "/addresses", changes)
    if patch.contacts is not UNSET:
        updates["contacts"] = patch_list(before.contacts, patch.contacts, Contact, moment, "/contacts", changes)
    if patch.attributes is not UNSET:
        updates["attributes"] = patch_attributes(before.attributes, patch.attributes, moment, "/attributes", changes)
    return changes


def _settle_service_level(before: Customer, updates: dict[str, object], catalogue: Catalogue) -> None:
    if "carrier" not in updates or "service_level" in updates or before.service_level is None:
        return
    level = catalogue.find_entry("service_level", before.service_level)
    carrier = level.details.carrier if level is not None and isinstance(level.details, ServiceLevelDetails) else None
    if carrier != updates["carrier"]:
        updates["service_level"] = None


def _settle_sales_reps(before: Customer, updates: dict[str, object]) -> None:
    if "sales_reps" not in updates and "default_sales_rep" not in updates:
        return
    reps: tuple[UUID, ...] = updates.get("sales_reps", before.sales_reps)  # type: ignore[assignment]
    reps = tuple(dict.fromkeys(reps))
    default = updates.get("default_sales_rep", before.default_sales_rep)
    if isinstance(default, UUID) and default not in reps:
        if "default_sales_rep" in updates:
            reps = (*reps, default)
        else:
            default = reps[0] if reps else None
    updates["sales_reps"] = reps
    updates["default_sales_rep"] = default


def _settle_credit_limit(before: Customer, updates: dict[str, object], moment: Moment) -> None:
    """A limit keeps its id while there is one; none has no unit and no id."""
    if "credit_limit" not in updates:
        return
    limit = updates["credit_limit"]
    if isinstance(limit, Decimal):
        # As the column gives it back: the same digits, and no exponent.
        updates["credit_limit"] = Decimal(f"{limit:f}")
        if before.credit_limit_id is None and "credit_limit_id" not in updates:
            updates["credit_limit_id"] = moment.mint()
    else:
        updates |= {"credit_limit_unit": None, "credit_limit_id": None}


def _settle_pointers(before: Customer, updates: dict[str, object]) -> None:
    if "addresses" in updates:
        addresses: tuple[Address, ...] = updates["addresses"]  # type: ignore[assignment]
        for pointer, address_type in _ADDRESS_POINTERS:
            current = before.find_address(getattr(before, pointer))
            if pointer in updates or current is None:
                continue
            now = next((address for address in addresses if address.id == current.id), None)
            if now is None:
                heir = next((address for address in addresses if address.type == address_type), None)
                updates[pointer] = heir.id if heir is not None else None
            elif current.type == address_type != now.type:
                updates[pointer] = None
    if "contacts" in updates and "primary_contact" not in updates and before.primary_contact is not None:
        contacts: tuple[Contact, ...] = updates["contacts"]  # type: ignore[assignment]
        if all(contact.id != before.primary_contact for contact in contacts):
            updates["primary_contact"] = contacts[0].id if contacts else None
