"""What clients of the COUNT partner API ask for."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from random import Random

from bench.request import Request, Signing, Subject
from bench.workloads.common import (
    PAGE_SIZE,
    below,
    by_email,
    by_words,
    given,
    list_neighbours,
    new_key,
    new_value,
    to_writes,
)

_CUSTOMERS = "/partners/customers"


def to_requests(shown: Mapping[str, str]) -> dict[str, Request]:
    """By workload, for a client that signs with this secret and shows this token."""
    signing = Signing(shown["client_id"], shown["client_secret"])
    token = {"authorization": f"Bearer {shown['access_token']}"}
    sends = {**token, "content-type": "application/json"}
    get = Request("GET", partial(below, _CUSTOMERS), token, signing=signing)
    update = Request("PUT", partial(below, _CUSTOMERS), sends, nested, new_key, signing=signing)
    create = replace(update, method="POST", path=partial(given, _CUSTOMERS), body=_create, expects=201)
    bulk = replace(create, method="PATCH", path=partial(given, f"{_CUSTOMERS}/bulk"), body=_batch)
    search = f"{_CUSTOMERS}?limit={PAGE_SIZE}&orderBy=createdAt&search="
    return {
        **to_writes(update),
        "update-scalars": replace(update, body=scalars),
        "get": get,
        "find-by-email": replace(get, path=partial(by_email, f"{_CUSTOMERS}/find-by-email?email=")),
        "search": replace(get, path=partial(by_words, search)),
        "create": create,
        "batch": bulk,
    }


def scalars(chance: Random, _: Subject) -> dict[str, object]:
    """Three values of the customer's own, none of which a search or a duplicate looks at."""
    value = new_value(chance)
    return {
        "website": f"https://{value}.example",
        "notes": f"Rings twice, says {value}.",
        "taxExcluded": value[-1] < "5",
    }


def nested(chance: Random, subject: Subject) -> dict[str, object]:
    """Three values and the billing address, which COUNT's clients send whole."""
    return {
        **scalars(chance, subject),
        "billingAddress": {
            "street": f"Storgata {new_value(chance)}",
            "city": subject.towns[0],
            "state": None,
            "zipCode": f"{(subject.number + 1) % 10_000:04d}",
            "country": "NO",
        },
    }


def _create(chance: Random, subject: Subject) -> dict[str, object]:
    mark = new_key(chance, subject)
    address = {"street": "Storgata 8", "city": "Oslo", "zipCode": "0155", "country": "NO"}
    return {
        "customer": f"Company {mark}",
        "email": f"{mark}@nordlys.example",
        "billingAddress": address,
        "shippingAddress": address,
        "contacts": [{"firstName": "Ingrid", "lastName": "Berg", "isPrimary": True}],
    }


def _batch(chance: Random, subject: Subject) -> dict[str, object]:
    return {"customers": [{"uuid": str(one.id), **scalars(chance, one)} for one in list_neighbours(subject)]}
