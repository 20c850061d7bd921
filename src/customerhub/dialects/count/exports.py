"""COUNT's customer in files: its columns, and a record of a file as the request that it makes."""

from collections.abc import Mapping
from typing import Final

from customerhub.dialects.count import answers, wire
from customerhub.dialects.count.read import Body
from customerhub.model.cells import Kind
from customerhub.model.customer import Customer
from customerhub.web.shape import Key, Shape

_ADDRESSES: Final = ("billingAddress", "shippingAddress")
_KINDS: Final[Mapping[str, Kind]] = {"contacts": "json", "taxAutoCalculate": "boolean", "taxExcluded": "boolean"}
_KEYS: Final[Mapping[Key, tuple[str, ...]]] = {"id": ("uuid", "id"), "email": ("email",)}
_EDITED: Final = frozenset(wire.CustomerEdit.__annotations__)
_MARKS: Final = ("uuid", "id")

SHAPE: Final = Shape(
    columns={
        column: _KINDS.get(column, "text")
        for name in answers.Customer.__annotations__
        if name != "_partnerWarnings"
        for column in ([f"{name}.{part}" for part in answers.Address.__annotations__] if name in _ADDRESSES else [name])
    },
    identity="uuid",
    envelope="data",
)


def find_key(view: Mapping[str, object], key: Key) -> str | None:
    """The id or the email address; a customer has no other key here."""
    values = (view.get(name) for name in _KEYS.get(key, ()))
    return next((value for value in values if isinstance(value, str) and value), None)


def to_request(view: Mapping[str, object], customer: Customer | None) -> Body:
    """What an update can set: all but the marks and the contacts. A creation takes contacts, and has no nulls."""
    body = {name: value for name, value in view.items() if name in _EDITED}
    if customer is not None:
        return body
    contacts = view.get("contacts")
    if isinstance(contacts, list) and contacts:
        body["contacts"] = [_to_new(contact) for contact in contacts]
    return {name: value for name, value in body.items() if value is not None}


def _to_new(contact: object) -> object:
    if not isinstance(contact, dict):
        return contact
    return {name: value for name, value in contact.items() if name not in _MARKS}
