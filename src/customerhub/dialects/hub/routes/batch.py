"""Many writes in one request: the route."""

from typing import Final

from customerhub.dialects.hub import batch, models
from customerhub.dialects.hub.answers import CUSTOMERS
from customerhub.dialects.hub.auth import WRITE
from customerhub.dialects.hub.operations import MAX_BODY, BatchBody
from customerhub.web.operation import Operation

_ID: Final = "5f0f8a0e-3a52-4c0c-9d1e-6f1c2b7e8d10"
_EXAMPLE: Final = {
    "operations": [
        {"op": "create", "patch": {"name": "Kestrel Coffee Roasters", "email": "ap@kestrel.example"}},
        {"op": "update", "id": _ID, "if_match": 4, "patch": {"standing": "hold_shipment", "note": None}},
        {"op": "update", "id": _ID, "form": "json-patch", "patch": [{"op": "remove", "path": "/attributes/Route"}]},
        {"op": "delete", "id": _ID},
    ],
}
_DESCRIPTION: Final = (
    "1 to 1,000 operations in their order, each of which stands for itself: 200 however many fail, and a result for "
    "each with the status that it would have had alone. With `atomic` all of them are done or none: one that fails is "
    "409 or 422 of the whole. Places of what is wrong are places in this request. An `Idempotency-Key` covers the "
    "batch: a retry does no operation twice. `If-Match` is 412, since a batch has no version: each operation has an "
    "`if_match` of its own."
)

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        method="POST",
        path=f"{CUSTOMERS}:batch",
        name="changeCustomers",
        summary="Create, update, delete and restore up to 1,000 customers",
        description=_DESCRIPTION,
        handler=batch.run,
        body=BatchBody,
        answer=models.BatchAnswer,
        errors=(409, 422),
        permissions=(WRITE,),
        tags=("Customers",),
        writes=True,
        creates=True,
        max_body=MAX_BODY,
        examples={"body": _EXAMPLE},
    ),
)
