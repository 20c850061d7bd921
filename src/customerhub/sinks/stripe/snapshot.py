"""What Stripe is to hold of a customer, as values by field; from the record, from Stripe's own, and to a request."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from customerhub.model.customer import Address, Customer
from customerhub.model.text import COUNTRIES, is_email

Fields = dict[str, Any]  # Any: JSON

FIELDS: Final = ("name", "email", "phone", "address", "shipping", "metadata")
"""What is kept the same on both sides, by Stripe's own names."""
ID: Final = "customerhub_id"
NUMBER: Final = "customerhub_number"

_LINES: Final = ("line1", "line2", "city", "state", "postal_code", "country")
# Where Stripe's reference names a limit, that one; otherwise its general one for texts.
_MOST_NAME: Final = 256
_MOST_EMAIL: Final = 512
_MOST_PHONE: Final = 20
_MOST_METADATA: Final = 500
_MOST_TEXT: Final = 5000


class Snapshot(Struct, frozen=True):
    """What Stripe is to hold, each field with a value or None, and what it would refuse: field and why.

    What is left out is None, so that Stripe holds nothing rather than a value that the hub no longer has.
    """

    fields: Fields
    left_out: dict[str, str] = {}

    def without(self, field: str, reason: str) -> "Snapshot":
        """The same with one more field left out."""
        return Snapshot({**self.fields, field: None}, {**self.left_out, field: reason})


def to_snapshot(customer: Customer) -> Snapshot:
    """The customer as Stripe is to hold it; of an erased one there is nothing left but its id."""
    left_out: dict[str, str] = {}
    email = _to_text(customer.email)
    if email is not None and not is_email(email):
        left_out["email"], email = "Stripe takes no text that is not an email address", None
    fields: Fields = {
        "name": _fit(left_out, "name", _to_text(customer.name), _MOST_NAME),
        "email": _fit(left_out, "email", email, _MOST_EMAIL),
        "phone": _fit(left_out, "phone", _to_text(customer.phone), _MOST_PHONE),
        "address": _to_address(left_out, "address", customer.find_address(customer.bill_to)),
        "shipping": _to_shipping(left_out, customer),
        "metadata": {
            ID: str(customer.id),
            NUMBER: _fit(left_out, f"metadata.{NUMBER}", _to_text(customer.number), _MOST_METADATA),
        },
    }
    return Snapshot(fields, left_out)


def is_erased(customer: Customer) -> bool:
    """Whether nothing of the customer may be known any more: an erasure leaves a deleted record without a name."""
    return customer.deleted_at is not None and not customer.name


def _to_address(left_out: dict[str, str], field: str, address: Address | None) -> Fields | None:
    if address is None:
        return None
    values: Fields = {}
    for line in _LINES:
        values[line] = _fit(left_out, f"{field}.{line}", _to_text(getattr(address, line)), _MOST_TEXT)
    country = values["country"]
    if country is not None:
        values["country"] = country.upper()
        if values["country"] not in COUNTRIES:
            values["country"] = None
            left_out[f"{field}.country"] = "Stripe takes a country by its two letters (ISO 3166-1 alpha-2)"
    return values if any(values.values()) else None


def _to_shipping(left_out: dict[str, str], customer: Customer) -> Fields | None:
    address = customer.find_address(customer.ship_to)
    if address is None:
        return None
    own: dict[str, str] = {}
    lines = _to_address(own, "shipping.address", address)
    name = _fit(own, "shipping.name", to_shipping_name(address) or _to_text(customer.name), _MOST_TEXT)
    phone = _fit(own, "shipping.phone", _to_text(address.phone), _MOST_PHONE)
    lacking = [what for what, value in (("name", name), ("line 1", (lines or {}).get("line1"))) if value is None]
    if lacking:
        left_out["shipping"] = f"Stripe takes no shipping address without a {' and a '.join(lacking)}"
        return None
    left_out.update(own)
    return {"name": name, "phone": phone, "address": lines}


def to_shipping_name(address: Address) -> str | None:
    """Who receives the goods: the address's own name, otherwise its person's."""
    return _to_text(address.name) or _to_text(" ".join(filter(None, (address.first_name, address.last_name))))


def _fit(left_out: dict[str, str], field: str, text: str | None, most: int) -> str | None:
    if text is None or len(text) <= most:
        return text
    left_out[field] = f"Stripe takes {most} characters at most"
    return None


def _to_text(value: object) -> str | None:
    """A text without blanks around it, and without NULs, which no record keeps; None for a blank one or no text."""
    return (value.replace("\0", "").strip() or None) if isinstance(value, str) else None


def read_fields(record: Mapping[str, Any]) -> Fields:  # Any: JSON
    """What Stripe holds, from one of its customers: an empty text or address is none."""
    metadata = record.get("metadata") or {}
    return {
        "name": _to_text(record.get("name")),
        "email": _to_text(record.get("email")),
        "phone": _to_text(record.get("phone")),
        "address": _read_address(record.get("address")),
        "shipping": _read_shipping(record.get("shipping")),
        "metadata": {key: _to_text(metadata.get(key)) for key in (ID, NUMBER)},
    }


def _read_address(address: object) -> Fields | None:
    if not isinstance(address, Mapping):
        return None
    values = {line: _to_text(address.get(line)) for line in _LINES}
    return values if any(values.values()) else None


def _read_shipping(shipping: object) -> Fields | None:
    if not isinstance(shipping, Mapping):
        return None
    values: Fields = {key: _to_text(shipping.get(key)) for key in ("name", "phone")}
    values["address"] = _read_address(shipping.get("address"))
    return values if any(values.values()) else None


def to_update(fields: Fields) -> Fields:
    """The parameters of an update that makes Stripe hold these: an empty text clears, in Stripe's words."""
    return {field: _to_parameter(value) for field, value in fields.items()}


def _to_parameter(value: object) -> object:
    """Every member of an address is named, so that none stays whether Stripe merges it or replaces it."""
    if isinstance(value, dict):
        return {key: _to_parameter(part) for key, part in value.items()}
    return "" if value is None else value


def to_creation(fields: Fields) -> Fields:
    """The parameters of a creation: only what there is, in one order.

    Without the shipping address: some stand-ins for Stripe take none then, and the update that follows brings it.
    """
    return {field: _present(value) for field, value in sorted(fields.items()) if value and field != "shipping"}


def _present(value: object) -> object:
    if not isinstance(value, dict):
        return value
    return {key: _present(part) for key, part in sorted(value.items()) if part is not None}


def differ(one: Fields, other: Fields) -> tuple[tuple[str, object, object], ...]:
    """The places where two holdings of the same fields differ, with both values: `address.city`, `name`."""
    found: list[tuple[str, object, object]] = []
    for field in one:
        left, right = one[field], other.get(field)
        if isinstance(left, dict) and isinstance(right, dict):
            found += ((f"{field}.{path}", a, b) for path, a, b in differ(left, right))
        elif left != right:
            found.append((field, left, right))
    return tuple(found)


def is_same(one: Fields, other: Fields) -> bool:
    """Whether all fields of the first are the same in the other."""
    return all(field in other and other[field] == value for field, value in one.items())


def decode_creation(creation: Mapping[str, Any]) -> Fields:  # Any: JSON
    """The body of a creation that was begun, as it was sent: in one order again, which JSON in a database has not."""
    return to_creation(msgspec.convert(creation["body"], dict[str, Any]))
