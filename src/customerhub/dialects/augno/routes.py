"""The route table of the Augno API: served, documented and tested from here."""

from typing import Final

from customerhub.dialects.augno import customers, resources, wire
from customerhub.dialects.augno.models import Customer, Nothing, Page
from customerhub.web.operation import Operation

_CUSTOMERS: Final = "/v1/sales/customers"
_CUSTOMER: Final = f"{_CUSTOMERS}/{{id}}"
_TAGS: Final = ("Customers",)
_PARTIAL: Final = (
    "Only the members sent change; null clears where it may stand, `customer_price_group_ids` replaces the whole set. "
    "A member that is sent as it stands changes nothing. What is written flat is read inside of parts: `email` in "
    "`contact_info`, `freight_policy` as `freight_preferences.status`; ask for them with `include[]`."
)
_NEW: Final = (
    "Both addresses are made with the customer. A number is given where none is sent. Normal status and priority, "
    "commission exempt, billed freight and the sender's carrier account are what a customer has unless told otherwise."
)
_MERGED: Final = (
    "Everything that the source customers have goes over to the customer in the path, whose own values win, and their "
    "child accounts come below it; the sources are deleted. All in one step, or nothing."
)
_EXAMPLES: Final = {
    "update": {
        "status": "hold_shipment",
        "note": None,
        "freight_policy": "billed_freight",
        "carrier_billing_type": "third_party",
        "carrier_billing_account": "W77-20931",
        "credit_limit": {"value": "25000.00", "unit_id": "un_01jr21762wgq8sspa39z970way"},
    },
    "create": {
        "name": "Kestrel Coffee Roasters",
        "default_carrier_id": "cr_01jrzcb88zmqvvh4xxyvmcag5s",
        "default_payment_term_id": "pytm_01jra7m6ft2c1sqpyt1jgabwy4",
        "default_shipping_term_id": "shtm_01jrpvb42bj11cbn5fvq10b0fe",
        "customer_type_group_id": "acgp_01jrevxc88wbsdm74fqhaqt2yt",
        "customer_price_group_ids": [],
        "bill_to_address": {"name": "Accounts payable", "is_drop_ship": False, "country": "US"},
        "ship_to_address": {"name": "Dock 3", "is_drop_ship": False, "country": "US"},
    },
    "merge": {"source_customer_ids": ["ac_01jrs3abvrcmrmfmpyg027jn7r", "ac_01jrv5g108emywtxppg8qjqb1t"]},
}

CUSTOMERS: Final[tuple[Operation, ...]] = (
    Operation(
        method="GET",
        path=_CUSTOMERS,
        name="listCustomers",
        summary="List customers",
        description="The newest first, page by page with the cursors of `page_info`, both ways.",
        handler=customers.list_page,
        query=wire.CustomerListQuery,
        answer=Page[Customer],
        permissions=("customers:read",),
        tags=_TAGS,
    ),
    Operation(
        method="POST",
        path=_CUSTOMERS,
        name="createCustomer",
        summary="Create a customer",
        description=_NEW,
        handler=customers.create,
        status=201,
        query=wire.IncludeQuery,
        body=wire.CustomerBody,
        answer=Customer,
        errors=(409,),
        permissions=("customers:create",),
        tags=_TAGS,
        writes=True,
        creates=True,
        examples={"body": _EXAMPLES["create"]},
    ),
    Operation(
        method="GET",
        path=_CUSTOMER,
        name="getCustomer",
        summary="Get a customer",
        handler=customers.get,
        query=wire.IncludeQuery,
        answer=Customer,
        permissions=("customers:read",),
        tags=_TAGS,
    ),
    Operation(
        method="PATCH",
        path=_CUSTOMER,
        name="updateCustomer",
        summary="Update a customer",
        description=_PARTIAL,
        handler=customers.update,
        query=wire.IncludeQuery,
        body=wire.CustomerUpdate,
        body_required=False,
        answer=Customer,
        errors=(409,),
        permissions=("customers:update",),
        tags=_TAGS,
        writes=True,
        examples={"body": _EXAMPLES["update"]},
    ),
    Operation(
        method="DELETE",
        path=_CUSTOMER,
        name="deleteCustomer",
        summary="Delete a customer",
        description="Its number and its email address are free again. A customer that others are below cannot go.",
        handler=customers.delete,
        answer=Nothing,
        errors=(409,),
        permissions=("customers:delete",),
        tags=_TAGS,
        writes=True,
        takes_key=False,
    ),
    Operation(
        method="POST",
        path=f"{_CUSTOMER}/actions/merge",
        name="mergeCustomers",
        summary="Merge customers into this one",
        description=_MERGED,
        handler=customers.merge,
        query=wire.IncludeQuery,
        body=wire.MergeBody,
        answer=Customer,
        errors=(409,),
        permissions=("customers:update", "customers:delete"),
        tags=_TAGS,
        writes=True,
        examples={"body": _EXAMPLES["merge"]},
    ),
)

OPERATIONS: Final[tuple[Operation, ...]] = (*CUSTOMERS, *resources.OPERATIONS)
