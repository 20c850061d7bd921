"""From values that were changed in Stripe to a patch of the record."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from uuid import UUID

from msgspec import Struct

from customerhub.model.customer import Address, AddressType, Customer
from customerhub.model.error import FieldError, Path
from customerhub.model.patch import AddressPatch, AttributesPatch, CustomerPatch, ListPatch
from customerhub.model.text import EMAIL_LENGTH, is_email
from customerhub.sinks.stripe.snapshot import Fields

_POINTERS: Final[dict[str, tuple[str, AddressType]]] = {
    "address": ("bill_to", "billing"),
    "shipping": ("ship_to", "shipping"),
}
# What every door of the hub takes of a text; Stripe holds longer ones.
_MOST_TEXT: Final = 255
# What a copy of an address has from it; the reference is the original's alone.
_COPIED: Final = ("name", "first_name", "last_name", "phone", "email", "is_drop_ship")


# Any: texts or None; with that type an AddressPatch could not be built from them.
Lines = dict[str, Any]


class Wish(Struct, frozen=True):
    """What one of Stripe's two addresses asks of the record's pointer: `lines` that change, or no address at all."""

    pointer: str
    kind: AddressType
    lines: Lines | None


def find_errors(taken: Iterable[str], theirs: Fields) -> tuple[FieldError, ...]:
    """What of these fields no record holds: texts that are too long, and an email that is no address."""
    errors: list[FieldError] = []
    for field in taken:
        for path, text in _find_texts((field,), theirs[field]):
            if field == "email" and not is_email(text):
                told = f"must be an email address of at most {EMAIL_LENGTH} characters"
                errors.append(FieldError(path, "email", told))
            elif len(text) > _MOST_TEXT:
                errors.append(FieldError(path, "too_long", f"must be at most {_MOST_TEXT} characters"))
    return tuple(errors)


def _find_texts(path: Path, value: object) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _find_texts((*path, name), part)


def to_patch(
    customer: Customer, taken: Iterable[str], ours: Fields, theirs: Fields, mint: Callable[[], UUID]
) -> CustomerPatch:
    """A patch that makes the record what Stripe has in these fields; nothing else of it is touched.

    The address that a pointer names is changed in place, but for one that both pointers name: the other keeps it, and
    this one gets a copy. Where a pointer names none there is a new address. An address that was cleared in Stripe
    clears the pointer; the address itself stays.
    """
    fields: dict[str, Any] = {}  # Any: fields of a patch, of many types
    change: dict[UUID, AddressPatch] = {}
    add: list[tuple[UUID, AddressPatch]] = []
    for field in taken:
        if field not in _POINTERS:
            fields[field] = theirs[field]
            continue
        wish = _to_wish(field, ours[field], theirs[field])
        current = customer.find_address(getattr(customer, wish.pointer))
        if wish.lines is None:
            fields[wish.pointer] = None
        elif current is None or customer.bill_to == customer.ship_to:
            fields[wish.pointer] = new_id = mint()
            add.append((new_id, _to_new(wish.kind, wish.lines, current)))
        else:
            change[current.id] = AddressPatch(**wish.lines)
    if change or add:
        fields["addresses"] = ListPatch(change=change, add=tuple(sorted(add)))
    return CustomerPatch(**fields)


def _to_wish(field: str, ours: Fields | None, theirs: Fields | None) -> Wish:
    pointer, kind = _POINTERS[field]
    if theirs is None:
        return Wish(pointer, kind, None)
    before, after = _to_lines(field, ours), _to_lines(field, theirs)
    # Where Stripe was told of no address at all, the record may still have one with values that are to go.
    return Wish(pointer, kind, {line: value for line, value in after.items() if before.get(line, ...) != value})


def _to_lines(field: str, value: Fields | None) -> Lines:
    """The record's own names for what one of Stripe's addresses holds."""
    if value is None:
        return {}
    if field == "address":
        return value
    return {"name": value["name"], "phone": value["phone"], **(value["address"] or {})}


def _to_new(kind: AddressType, lines: Lines, source: Address | None) -> AddressPatch:
    """A new address, or a copy of the one that the other pointer keeps with some of it changed."""
    if source is None:
        return AddressPatch(**lines, type=kind)
    kept = {line: getattr(source, line) for line in ("line1", "line2", "city", "state", "postal_code", "country")}
    copied = {field: getattr(source, field) for field in _COPIED}
    attributes = AttributesPatch(put={attribute.name: attribute.value for attribute in source.attributes})
    return AddressPatch(**{**copied, **kept, **lines}, type=kind, attributes=attributes)
