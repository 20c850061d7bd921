"""Customers and their views: the routes."""

from typing import Final

from customerhub.dialects.hub import customers, models, views, wire
from customerhub.dialects.hub.answers import CUSTOMER, CUSTOMERS, MOVED, NOT_MODIFIED
from customerhub.dialects.hub.auth import READ, WRITE
from customerhub.dialects.hub.patches import JSON_PATCH, LIST_AWARE, MEDIA_TYPES, MERGE_PATCH
from customerhub.web.operation import Operation

_VIEW: Final = f"{CUSTOMER}/views/{{dialect}}"
_TAGS: Final = ("Customers",)
_ID: Final = "5f0f8a0e-3a52-4c0c-9d1e-6f1c2b7e8d10"
_EXAMPLE: Final = {
    "name": "Kestrel Coffee Roasters",
    "email": "ap@kestrel.example",
    "payment_term": {"name": "NET45"},
    "addresses": [{"type": "billing", "line1": "1180 NW Hoyt St", "city": "Portland", "country": "US"}],
    "bill_to": "/addresses/0",
    "attributes": {"Region": "West"},
}
_LIST_AWARE: Final = {
    "note": None,
    "credit_limit": {"value": "25000.00"},
    "addresses": {"mode": "merge", "by": "reference_id", "items": [{"reference_id": "HQ", "city": "Portland"}]},
    "contacts": {"mode": "remove", "items": [_ID]},
    "attributes": {"mode": "replace", "items": {"Region": "West"}, "max_removals": 2},
    "price_groups": {"add": [_ID]},
}
_MERGE: Final = {"note": None, "standing": "hold_shipment", "attributes": {"Region": "West", "Route": None}}
_STEPS: Final = [
    {"op": "test", "path": "/standing", "value": "normal"},
    {"op": "replace", "path": "/standing", "value": "hold_shipment"},
    {"op": "add", "path": "/addresses/-", "value": {"type": "shipping", "city": "Portland"}},
]
_PATCHED: Final = (
    "The media type says which of three forms the body has: a merge patch (RFC 7396), a JSON Patch (RFC 6902) whose "
    "places may name entries of lists by their id, or the list-aware form, which is `application/json` too: in it each "
    "list says whether it is replaced, merged or has entries removed. Members that nobody knows are refused. Answers "
    "tell what changed, what was equal and what was ignored. A merged customer is 301."
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path=CUSTOMERS,
        name="listCustomers",
        summary="List customers",
        description="The newest first; `next` leads to the next page. All filters must hold.",
        handler=customers.list_page,
        query=wire.CustomerListQuery,
        answer=models.Page[models.Customer],
        errors=(400,),
        permissions=(READ,),
        tags=_TAGS,
    ),
    Operation(
        method="POST",
        path=CUSTOMERS,
        name="createCustomer",
        summary="Create a customer",
        description="By the members of the canonical form; what is left out is as a customer is born.",
        handler=customers.create,
        status=201,
        body=wire.CustomerBody,
        answer=models.Written,
        errors=(409, 422),
        permissions=(WRITE,),
        tags=_TAGS,
        writes=True,
        creates=True,
        examples={"body": _EXAMPLE},
    ),
    Operation(
        method="GET",
        path=CUSTOMER,
        name="getCustomer",
        summary="Get a customer",
        description="With `If-None-Match` 304 where the version is still that one; a merged customer is 301.",
        handler=customers.get,
        query=wire.CustomerQuery,
        answer=models.Customer,
        errors=(400,),
        others={**MOVED, **NOT_MODIFIED},
        permissions=(READ,),
        tags=_TAGS,
    ),
    Operation(
        method="PATCH",
        path=CUSTOMER,
        name="updateCustomer",
        summary="Update a customer",
        description=_PATCHED,
        handler=customers.update,
        body=wire.ListAwarePatch,
        bodies={
            MERGE_PATCH: (wire.MergePatch, _MERGE),
            JSON_PATCH: (wire.JsonPatch, _STEPS),
            LIST_AWARE: (wire.ListAwarePatch, _LIST_AWARE),
        },
        media_types=MEDIA_TYPES,
        answer=models.Written,
        errors=(409, 422),
        others=MOVED,
        permissions=(WRITE,),
        tags=_TAGS,
        writes=True,
        examples={"body": _LIST_AWARE},
    ),
    Operation(
        method="DELETE",
        path=CUSTOMER,
        name="deleteCustomer",
        summary="Delete a customer",
        description="Its number, reference and email address are free again; its history stays.",
        handler=customers.delete,
        answer=models.Written,
        errors=(409,),
        others=MOVED,
        permissions=(WRITE,),
        tags=_TAGS,
        writes=True,
    ),
    Operation(
        method="GET",
        path=_VIEW,
        name="getView",
        summary="Get a customer as another API shows it",
        handler=views.get,
        answer=models.View,
        others=MOVED,
        permissions=(READ,),
        tags=_TAGS,
    ),
    Operation(
        method="PATCH",
        path=_VIEW,
        name="updateView",
        summary="Update a customer as another API would",
        description="The body is one of that API's updates, and means what it means there.",
        handler=views.update,
        body=models.View,
        answer=models.ViewWritten,
        errors=(409, 422),
        others=MOVED,
        permissions=(WRITE,),
        tags=_TAGS,
        writes=True,
    ),
)
