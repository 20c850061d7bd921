"""WizCommerce's customer in files: its columns, and a record of a file as the request that it makes."""

from collections.abc import Mapping
from typing import Final, cast, get_type_hints

from customerhub.dialects.wizcommerce import wire
from customerhub.dialects.wizcommerce.read import Body
from customerhub.model.customer import Customer
from customerhub.web.shape import Key, Shape

_REFERENCE: Final = "assigned_price_list"
_KEYS: Final[Mapping[Key, str]] = {
    "id": "id",
    "email": "email",
    "number": "display_id",
    "reference_id": "reference_id",
}
_NESTED: Final = {"addresses": wire.AddressEdit, "contacts": wire.ContactEdit}
_NEW: Final = {"addresses": wire.AddressBody, "contacts": wire.ContactBody}

SHAPE: Final = Shape(
    columns={
        **dict.fromkeys(("id", "reference_id", "display_id", "name", "display_name"), "text"),
        **dict.fromkeys(("first_name", "last_name", "phone", "email", "status"), "text"),
        **dict.fromkeys(("freight_term", "shipping_method", "payment_mode", "payment_term"), "text"),
        **dict.fromkeys(("created_at", "updated_at"), "text"),
        "assigned_sales_reps": "json",
        **dict.fromkeys((f"{_REFERENCE}.{name}" for name in ("id", "name", "reference_id")), "text"),
        **dict.fromkeys(("addresses", "contacts", "attributes"), "json"),
    },
    envelope="data",
    empty="",
    members={
        "company_name": "name",
        "assigned_sales_rep_ids": "assigned_sales_reps",
        "assigned_price_list_id": f"{_REFERENCE}.id",
        "default_billing_address_id": "addresses",
        "default_shipping_address_id": "addresses",
        "primary_contact_id": "contacts",
    },
)


def find_key(view: Mapping[str, object], key: Key) -> str | None:
    """What a customer is found by."""
    value = view.get(_KEYS[key])
    return value if isinstance(value, str) and value else None


def to_request(view: Mapping[str, object], customer: Customer | None) -> Body:
    """A customer, or parts of one, as read; an empty list of reps and a price list of none have no request.

    A creation has no ids of its own in it, and no empty texts.
    """
    body = to_members(view, wire.CustomerEdit if customer is not None else wire.CustomerBody)
    if "name" in view:
        body["company_name"] = view["name"]
    reps = view.get("assigned_sales_reps")
    if reps:
        body["assigned_sales_rep_ids"] = _ids(reps)
    price_list = view.get(_REFERENCE)
    if isinstance(price_list, dict) and price_list.get("id"):
        body["assigned_price_list_id"] = price_list["id"]
    models = _NESTED if customer is not None else _NEW
    for member, model in models.items():
        items = view.get(member)
        if isinstance(items, list):
            body[member] = [to_members(item, model) if isinstance(item, dict) else item for item in items]
            if customer is not None:
                body |= _defaults(member, items)
    if customer is not None:
        return body
    return cast("Body", _without_empty(body))


def to_members(shown: Mapping[str, object], model: type) -> Body:
    """What was read of one record, as far as a request of this model can carry it."""
    known = get_type_hints(model)
    request = {name: value for name, value in shown.items() if name in known}
    attributes = request.get("attributes")
    if isinstance(attributes, list):
        request["attributes"] = [
            {name: item.get(name) for name in ("name", "value")} if isinstance(item, dict) else item
            for item in attributes
        ]
    return request


def _defaults(member: str, items: list[object]) -> Body:
    """The default records by the members that name them."""
    found: Body = {}
    for item in items:
        if isinstance(item, dict) and item.get("is_default") is True:
            pointer = "primary_contact_id" if member == "contacts" else f"default_{item.get('type')}_address_id"
            found[pointer] = item.get("id")
    known = get_type_hints(wire.CustomerEdit)
    return {name: value for name, value in found.items() if name in known}


def _ids(records: object) -> object:
    if not isinstance(records, list):
        return records
    return [record.get("id") if isinstance(record, dict) else record for record in records]


def _without_empty(value: object) -> object:
    """Objects without their empty texts; custom values keep theirs."""
    if isinstance(value, list):
        return [_without_empty(item) for item in value]
    if isinstance(value, dict):
        is_custom = value.keys() == {"name", "value"}
        return {name: _without_empty(item) for name, item in value.items() if is_custom or item != ""}
    return value
