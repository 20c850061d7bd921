"""What Stripe's published reference says of a customer's parameters: what is refused, what clears, what is merged."""

import re
from collections.abc import Mapping
from typing import Any, Final

from customerhub.model.text import COUNTRIES

Json = dict[str, Any]  # Any: decoded JSON

LINES: Final = ("city", "country", "line1", "line2", "postal_code", "state")
_TEXTS: Final = {"name": 256, "email": 512, "phone": 20, "description": 5000}
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_MOST_TEXT: Final = 5000
_MOST_KEYS, _MOST_KEY, _MOST_VALUE = 50, 40, 500


class Refusal(Exception):
    """An answer that says what is wrong, in Stripe's shape."""

    def __init__(self, status: int, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {"error": {"type": "invalid_request_error", "message": message, **more}}


def read_form(pairs: list[tuple[str, str]]) -> Json:
    """Nested parameters from names with brackets: `address[city]`."""
    read: Json = {}
    for name, value in pairs:
        first, *rest = re.findall(r"[^\[\]]+", name)
        place: Json = read
        for part in rest:
            place = place.setdefault(first, {})
            first = part
        place[first] = value
    return read


def new_customer(customer_id: str, created: int) -> Json:
    """A customer of whom nothing was said."""
    return {
        "id": customer_id,
        "object": "customer",
        "created": created,
        "livemode": False,
        "name": None,
        "email": None,
        "phone": None,
        "description": None,
        "address": None,
        "shipping": None,
        "metadata": {},
    }


def apply(customer: Mapping[str, Any], parameters: Json) -> Json:
    """The customer after a request; raises Refusal, and then nothing has changed."""
    after = dict(customer)
    for name, value in parameters.items():
        if name in _TEXTS:
            after[name] = _to_text(name, value)
        elif name == "address":
            after[name] = _to_address(name, value)
        elif name == "shipping":
            after[name] = _to_shipping(value)
        elif name == "metadata":
            after[name] = _to_metadata(customer["metadata"], value)
        else:
            raise Refusal(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
    return after


def _to_text(name: str, value: object) -> str | None:
    if not isinstance(value, str):
        raise Refusal(400, "Invalid string", param=name)
    if len(value) > _TEXTS[name]:
        raise Refusal(400, f"Invalid string: must be at most {_TEXTS[name]} characters", param=name)
    if name == "email" and value and not _EMAIL.fullmatch(value):
        raise Refusal(400, f"Invalid email address: {value}", code="email_invalid", param=name)
    return value or None


def _to_address(name: str, value: object) -> Json | None:
    if value == "":
        return None
    if not isinstance(value, dict):
        raise Refusal(400, "Invalid object", param=name)
    for line, text in value.items():
        if line not in LINES:
            raise Refusal(
                400, f"Received unknown parameter: {name}[{line}]", code="parameter_unknown", param=f"{name}[{line}]"
            )
        if not isinstance(text, str) or len(text) > _MOST_TEXT:
            raise Refusal(400, "Invalid string", param=f"{name}[{line}]")
        if line == "country" and text and text not in COUNTRIES:
            raise Refusal(400, f"Country '{text}' is unknown.", param=f"{name}[{line}]")
    return {line: value.get(line) or None for line in LINES}


def _to_shipping(value: object) -> Json | None:
    if value == "":
        return None
    if not isinstance(value, dict):
        raise Refusal(400, "Invalid object", param="shipping")
    unknown = set(value) - {"name", "phone", "address"}
    if unknown:
        param = f"shipping[{min(unknown)}]"
        raise Refusal(400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param)
    _require("shipping[name]", value.get("name"))
    address = value.get("address")
    _require("shipping[address]", address)
    _require("shipping[address][line1]", address.get("line1") if isinstance(address, dict) else None)
    if len(value.get("phone", "")) > _TEXTS["phone"]:
        raise Refusal(400, "Invalid string: must be at most 20 characters", param="shipping[phone]")
    return {
        "name": value["name"],
        "phone": value.get("phone") or None,
        "address": _to_address("shipping[address]", address),
    }


def _require(param: str, value: object) -> None:
    if not value:
        raise Refusal(400, f"Missing required param: {param}.", code="parameter_missing", param=param)


def _to_metadata(before: Json, value: object) -> Json:
    """Keys are merged; an empty value takes its key away, and an empty text all of them."""
    if value == "":
        return {}
    if not isinstance(value, dict):
        raise Refusal(400, "Invalid object", param="metadata")
    after = {**before, **value}
    after = {key: text for key, text in after.items() if text != ""}
    if len(after) > _MOST_KEYS or any(len(key) > _MOST_KEY or len(text) > _MOST_VALUE for key, text in after.items()):
        raise Refusal(400, "Metadata is too large", param="metadata")
    return after
