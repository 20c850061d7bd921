"""What clients of the Augno API ask for."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from random import Random
from uuid import UUID

from bench.data import address_id
from bench.request import Request, Subject
from bench.workloads.common import PAGE_SIZE, by_words, given, new_key, new_value, to_writes
from customerhub.dialects.augno import ids

_CUSTOMERS = "/v1/sales/customers"


def to_requests(shown: Mapping[str, str]) -> dict[str, Request]:
    """By workload, for a client that shows this key. An address is changed at a path of its own."""
    key = {"authorization": f"Bearer {shown['api_key']}"}
    sends = {**key, "content-type": "application/json"}
    update = Request("PATCH", _address_path, sends, _address, new_key)
    get = Request("GET", _path, key)
    create = Request("POST", partial(given, _CUSTOMERS), sends, partial(_create, dict(shown)), new_key, expects=201)
    return {
        **to_writes(update),
        "update-scalars": replace(update, path=_path, body=scalars),
        "get": get,
        "search": replace(get, path=partial(by_words, f"{_CUSTOMERS}?limit={PAGE_SIZE}&q=")),
        "create": create,
    }


def _path(_: Random, subject: Subject) -> str:
    return f"{_CUSTOMERS}/{ids.to_id(ids.ACCOUNT, subject.id)}"


def _address_path(_: Random, subject: Subject) -> str:
    return f"/v1/sales/addresses/{ids.to_id(ids.ADDRESS, address_id(subject.number, 1))}"


def scalars(chance: Random, _: Subject) -> dict[str, object]:
    """Three values of the customer's own, none of which a search or a duplicate looks at."""
    value = new_value(chance)
    return {
        "note": f"Rings twice, says {value}.",
        "url": f"https://{value}.example",
        "carrier_billing_account": f"W-{value}",
    }


def _address(chance: Random, _: Subject) -> dict[str, object]:
    value = new_value(chance)
    return {"street_line_1": f"Storgata {value}", "street_line_2": f"Floor {value}"}


def _create(shown: Mapping[str, str], chance: Random, subject: Subject) -> dict[str, object]:
    mark = new_key(chance, subject)
    address = {
        "name": "Accounts payable",
        "is_drop_ship": False,
        "street_line_1": "Storgata 8",
        "locality": "Oslo",
        "postal_code": "0155",
        "country": "NO",
    }
    return {
        "name": f"Company {mark}",
        "email": f"{mark}@nordlys.example",
        "default_carrier_id": ids.to_id(ids.CARRIER, UUID(shown["carrier"])),
        "default_payment_term_id": ids.to_id(ids.PAYMENT_TERM, UUID(shown["payment_term"])),
        "default_shipping_term_id": ids.to_id(ids.SHIPPING_TERM, UUID(shown["shipping_term"])),
        "customer_type_group_id": ids.to_id(ids.ACCOUNT_GROUP, UUID(shown["account_group"])),
        "customer_price_group_ids": [],
        "bill_to_address": address,
        "ship_to_address": address,
    }
