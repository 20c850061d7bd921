"""Billing and shipping address: from whole objects on the wire to edits of a customer's addresses and pointers."""

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from msgspec import Struct

from customerhub.dialects.count.read import Body
from customerhub.dialects.count.show import Shown, to_address, to_street
from customerhub.model.customer import Address, AddressType, Customer
from customerhub.model.patch import AddressPatch, AttributesPatch, ListPatch

MEMBERS = {"city": "city", "state": "state", "zipCode": "postal_code", "country": "country"}
POINTERS: tuple[tuple[str, str, AddressType], ...] = (
    ("billingAddress", "bill_to", "billing"),
    ("shippingAddress", "ship_to", "shipping"),
)
# What a copy of an address has from it; the reference is the original's alone.
_COPIED = ("name", "first_name", "last_name", "phone", "email", "is_drop_ship")

# Any: texts or None; with that type an AddressPatch could not be built from them.
Lines = dict[str, Any]


class _Wish(Struct, frozen=True):
    """What one member asks of its pointer: an address of these lines, or none; `current` is what it names now."""

    pointer: str
    kind: AddressType
    lines: Lines | None
    current: Address | None


def to_address_fields(
    body: Body, customer: Customer | None, mint: Callable[[], UUID]
) -> dict[str, Any]:  # Any: fields of a patch, of many types
    """The pointers and the list patch that the address members of a checked body ask for together.

    The address that a pointer names is changed in place, and what this API does not show of it stays. Where both
    pointers name one address, the other pointer keeps it and this one gets a copy, unless both are to read the same.
    Where a pointer names none, an address that the customer has and that reads the same is named; otherwise there is
    a new one. No address only clears the pointer.
    """
    wishes = [_to_wish(body, customer, *names) for names in POINTERS if names[0] in body]
    wishes = [wish for wish in wishes if wish.lines is None or _read(wish.lines) != to_address(wish.current)]
    change = {
        wish.current.id: AddressPatch(**wish.lines)
        for wish in wishes
        if wish.lines is not None and wish.current is not None and _stays(wish, wishes, customer)
    }
    fields: dict[str, Any] = {}
    add: list[tuple[UUID, AddressPatch]] = []
    new_ids = iter(sorted(mint() for _ in wishes))
    for wish in wishes:
        if wish.lines is None:
            fields[wish.pointer] = None
        elif wish.current is None and (found := _find_alike(wish.lines, wish.kind, customer, change)) is not None:
            fields[wish.pointer] = found.id
        elif wish.current is None or not _stays(wish, wishes, customer):
            fields[wish.pointer] = new_id = next(new_ids)
            add.append((new_id, _to_new(wish, wish.lines)))
    if change or add:
        fields["addresses"] = ListPatch(change=change, add=tuple(add))
    return fields


def find_own_addresses(raw: Body, customer: Customer) -> Body:
    """The address members of a request that read as an address of the customer; no check stands in their way."""
    own = [to_address(address) for address in customer.addresses]
    return {member: raw[member] for member, _, _ in POINTERS if raw.get(member) in own}


def _to_wish(body: Body, customer: Customer | None, member: str, pointer: str, kind: AddressType) -> _Wish:
    current = customer.find_address(getattr(customer, pointer)) if customer is not None else None
    return _Wish(pointer, kind, _to_lines(cast("Body | None", body[member])), current)


def _to_lines(sent: Body | None) -> Lines | None:
    """The canonical fields of a sent address; None for null, an empty object and one of blank members only."""
    texts = {name: _to_text(value) for name, value in (sent or {}).items()}
    street = texts.get("street")
    line1, _, line2 = (street or "").replace("\r\n", "\n").partition("\n")
    lines = {"line1": _to_text(line1), "line2": _to_text(line2)}
    lines |= {field: texts.get(member) for member, field in MEMBERS.items()}
    return lines if any(lines.values()) else None


def _to_text(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _read(lines: Lines) -> Shown:
    """How an address of these lines is shown."""
    others: Shown = {member: lines[field] for member, field in MEMBERS.items()}
    return {"street": to_street(lines["line1"], lines["line2"]), **others}


def _stays(wish: _Wish, wishes: list[_Wish], customer: Customer | None) -> bool:
    """Whether the address that a pointer names is changed in place: nobody else needs it as it is."""
    if customer is None or customer.bill_to != customer.ship_to:
        return True
    others = [other for other in wishes if other.pointer != wish.pointer]
    if not others:
        return False
    return others[0].lines in (None, wish.lines) or wish.pointer == "bill_to"


def _find_alike(
    lines: Lines, kind: AddressType, customer: Customer | None, change: dict[UUID, AddressPatch]
) -> Address | None:
    """An address of the customer that reads so and still will; of several, one of this kind rather than another."""
    alike = [
        address
        for address in (customer.addresses if customer is not None else ())
        if address.id not in change and to_address(address) == _read(lines)
    ]
    return min(
        alike, key=lambda address: (kind, None).index(address.type) if address.type in (kind, None) else 2, default=None
    )


def _to_new(wish: _Wish, lines: Lines) -> AddressPatch:
    """A new address, or a copy of the one that the other pointer keeps."""
    source = wish.current
    if source is None:
        return AddressPatch(**lines, type=wish.kind)
    copied = {field: getattr(source, field) for field in _COPIED}
    attributes = AttributesPatch(put={attribute.name: attribute.value for attribute in source.attributes})
    return AddressPatch(**lines, **copied, type=wish.kind, attributes=attributes)
