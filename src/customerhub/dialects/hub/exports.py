"""The canonical customer in files: its columns, and a record of a file as the request that it makes."""

from collections.abc import Mapping
from typing import Final

from customerhub.dialects.hub.canonical import LISTS, READ_ONLY, SETS
from customerhub.dialects.hub.read import Body
from customerhub.model.canonical import COLUMNS
from customerhub.model.cells import Kind
from customerhub.model.customer import Customer
from customerhub.model.file_lists import settle_lists
from customerhub.web.shape import Key, Shape

_FLAGS: Final = ("is_edi_enabled", "accepts_invoice_emails", "tax_excluded", "tax_auto_calculate")
_KINDS: Final[Mapping[str, Kind]] = {
    "version": "number",
    **dict.fromkeys(_FLAGS, "boolean"),
    **dict.fromkeys((*SETS, *LISTS, "attributes"), "json"),
}
SHAPE: Final = Shape(columns={column: _KINDS.get(column, "text") for column in COLUMNS}, version="version")


def find_key(view: Mapping[str, object], key: Key) -> str | None:
    """What a customer is found by, under the name that it has here too."""
    value = view.get(key)
    return value if isinstance(value, str) and value else None


def to_request(view: Mapping[str, object], customer: Customer | None) -> Body:
    """The members that can be set; lists change and add entries, and take none away."""
    body = {name: value for name, value in view.items() if name not in READ_ONLY}
    limit = body.get("credit_limit")
    if isinstance(limit, dict) and "value" in limit and limit["value"] is None:
        body["credit_limit"] = None
    return settle_lists(body, customer)
