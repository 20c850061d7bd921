"""What clients of the hub's own API ask for."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from random import Random

from bench.data import address_id
from bench.request import Request, Subject
from bench.workloads.common import (
    PAGE_SIZE,
    ROWS,
    below,
    by_email,
    by_words,
    given,
    list_neighbours,
    new_key,
    new_value,
    to_writes,
)

_CUSTOMERS = "/hub/v1/customers"
_MERGE_PATCH = "application/merge-patch+json"
_LIST_AWARE = "application/vnd.customerhub.patch+json"


def to_requests(shown: Mapping[str, str]) -> dict[str, Request]:
    """By workload, for a client that shows this key. One address among several is changed by a list-aware patch."""
    key = {"authorization": f"Bearer {shown['api_key']}"}
    sends = {**key, "content-type": "application/json"}
    get = Request("GET", partial(below, _CUSTOMERS), key)
    update = Request("PATCH", partial(below, _CUSTOMERS), {**key, "content-type": _LIST_AWARE}, nested, new_key)
    create = Request("POST", partial(given, _CUSTOMERS), sends, _create, new_key, expects=201)
    return {
        **to_writes(update),
        "update-scalars": replace(update, headers={**key, "content-type": _MERGE_PATCH}, body=scalars),
        "get": get,
        "find-by-email": replace(get, path=partial(by_email, f"{_CUSTOMERS}?email=")),
        "search": replace(get, path=partial(by_words, f"/hub/v1/search?limit={PAGE_SIZE}&q=")),
        "create": create,
        "batch": replace(create, path=partial(given, f"{_CUSTOMERS}:batch"), body=_batch, expects=200),
        "feed": replace(get, path=partial(_feed, f"/hub/v1/changes?limit={ROWS}&after=")),
    }


def _feed(path: str, _: Random, subject: Subject) -> str:
    """From somewhere in the feed on: the first change of each customer stands where its number says."""
    return f"{path}{subject.number - 1}"


def scalars(chance: Random, _: Subject) -> dict[str, object]:
    """Three values of the customer's own, none of which a search or a duplicate looks at."""
    value = new_value(chance)
    return {"display_name": f"Trading as {value}", "first_name": f"Ingrid {value}", "payment_mode": f"Card {value}"}


def nested(chance: Random, subject: Subject) -> dict[str, object]:
    """Three values, and two lines of one of the addresses."""
    value = new_value(chance)
    address = {"id": str(address_id(subject.number, 1)), "line1": f"Storgata {value}", "line2": f"Floor {value}"}
    return {**scalars(chance, subject), "addresses": {"mode": "merge", "by": "id", "items": [address]}}


def _create(chance: Random, subject: Subject) -> dict[str, object]:
    mark = new_key(chance, subject)
    address = {"line1": "Storgata 8", "city": "Oslo", "postal_code": "0155", "country": "NO"}
    return {
        "name": f"Company {mark}",
        "email": f"{mark}@nordlys.example",
        "addresses": [{**address, "type": "billing"}, {**address, "type": "shipping"}],
        "contacts": [{"first_name": "Ingrid", "last_name": "Berg"}],
    }


def _batch(chance: Random, subject: Subject) -> dict[str, object]:
    updates = ({"op": "update", "id": str(one.id), "patch": scalars(chance, one)} for one in list_neighbours(subject))
    return {"operations": list(updates)}
