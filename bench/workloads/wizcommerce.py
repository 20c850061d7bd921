"""What clients of the WizCommerce API ask for."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from random import Random

from bench.data import address_id, contact_id
from bench.request import Request, Subject
from bench.workloads.common import below, given, new_key, new_value, to_writes

_CUSTOMERS = "/v1/customers"


def to_requests(shown: Mapping[str, str]) -> dict[str, Request]:
    """By workload, for a client that shows this key."""
    key = {"x-api-key": shown["api_key"]}
    sends = {**key, "content-type": "application/json"}
    update = Request("PATCH", partial(below, _CUSTOMERS), sends, nested, new_key, expects=201)
    return {
        **to_writes(update),
        "update-scalars": replace(update, body=scalars),
        "get": Request("GET", partial(below, _CUSTOMERS), key),
        "create": Request(
            "POST", partial(given, _CUSTOMERS), sends, partial(_create, dict(shown)), new_key, expects=201
        ),
    }


def scalars(chance: Random, _: Subject) -> dict[str, object]:
    """Three values of the customer's own, none of which a search or a duplicate looks at."""
    value = new_value(chance)
    return {"display_name": f"Trading as {value}", "first_name": f"Ingrid {value}", "payment_mode": f"Card {value}"}


def nested(chance: Random, subject: Subject) -> dict[str, object]:
    """The customer as most clients send it: nearly whole, and changed in three values and one of its addresses."""
    number = subject.number
    return {
        **scalars(chance, subject),
        "reference_id": f"ERP-{number:08d}",
        "display_id": f"C{number:08d}",
        "phone": f"+472{number:07d}",
        "addresses": [_address(chance, subject, place) for place in (1, 2)],
        "contacts": [
            {
                "id": str(contact_id(number, place)),
                "reference_id": f"P-{number}-{place}",
                "phone": f"+4723{100_000 + number % 900_000}",
                "designation": "Buyer",
                "is_default": place == 1,
            }
            for place in (1, 2)
        ],
        "attributes": [{"name": "Region", "value": "Nordics"}],
    }


def _address(chance: Random, subject: Subject, place: int) -> dict[str, object]:
    number = subject.number
    street = f"Storgata {new_value(chance)}" if place == 1 else f"Storgata {1 + (number + place) % 200}"
    return {
        "id": str(address_id(number, place)),
        "reference_id": f"A-{number}-{place}",
        "type": "billing" if place == 1 else "shipping",
        "address_line_1": street,
        "address_line_2": f"Floor {1 + place % 9}",
        "city": subject.towns[place - 1],
        "zip_code": f"{(number + place) % 10_000:04d}",
        "country": "NO",
        "phone": f"+4722{100_000 + number % 900_000}",
        "is_default": True,
    }


def _create(shown: Mapping[str, str], chance: Random, subject: Subject) -> dict[str, object]:
    mark = new_key(chance, subject)
    address = {"address_line_1": "Storgata 8", "city": "Oslo", "country": "NO", "zip_code": "0155"}
    return {
        "reference_id": f"N-{mark}",
        "assigned_sales_rep_ids": [shown["user"]],
        "assigned_price_list_id": shown["price_list"],
        "company_name": f"Company {mark}",
        "email": f"{mark}@nordlys.example",
        "addresses": [
            {**address, "reference_id": f"B-{mark}", "type": "billing", "is_default": True},
            {**address, "reference_id": f"S-{mark}", "type": "shipping", "is_default": True},
        ],
        "contacts": [
            {"reference_id": f"P-{mark}", "first_name": "Ingrid", "email": "ingrid@nordlys.example"},
        ],
    }
