"""The route table of the COUNT partner API: served, documented and tested from here."""

from customerhub.dialects.count import answers, bulk, customers, oauth, subscriptions, wire
from customerhub.web.operation import Operation

_CUSTOMERS = "/partners/customers"
_CUSTOMER = f"{_CUSTOMERS}/{{uuid}}"
_BULK = f"{_CUSTOMERS}/bulk"
_WEBHOOKS = "/partners/webhooks"
_WEBHOOK = f"{_WEBHOOKS}/{{uuid}}"
_PARTIAL = (
    "Only the members sent change. An address is replaced whole, its members left out turning null; null takes it "
    "away. null or an empty text takes `mainPhone` and `website` away. Contacts cannot be changed here: they are left "
    "alone and named in `_partnerWarnings`, so that a whole customer can be sent back. Twice is once."
)
_ROWS = (
    "1 to 100 rows, each of them on its own. 201 once the batch is accepted, even where every row failed; "
    "`results` says what became of each. An `Idempotency-Key` covers the batch: a retry does the rows that are left."
)
_UPDATE = {
    "customer": "Harbour Lights Cafe",
    "mainPhone": None,
    "billingAddress": {"street": "3 Quay Street", "city": "Whitby", "zipCode": "YO21 1DH", "country": "GB"},
}
_CREATE = {
    "customer": "Harbour Lights Cafe",
    "email": "owner@harbourlights.example",
    "mainPhone": "+44 113 496 0000",
    "contacts": [{"firstName": "Mara", "lastName": "Okafor", "isPrimary": True}],
}
_WEBHOOK_BODY = {
    "event": "customer.updated",
    "callbackUrl": "https://crm.example/hooks",
    "signingSecret": "whsec_4f2a",
    "status": "active",
}

CUSTOMERS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path=_CUSTOMERS,
        name="listCustomers",
        summary="List customers, inactive ones too",
        handler=customers.list_page,
        query=wire.ListQuery,
        answer=answers.PageAnswer,
        tags=("Customers",),
    ),
    Operation(
        method="POST",
        path=_CUSTOMERS,
        name="createCustomer",
        summary="Create a customer",
        handler=customers.create,
        status=201,
        body=wire.CustomerBody,
        answer=answers.WrittenCustomerAnswer,
        errors=(409,),
        tags=("Customers",),
        writes=True,
        creates=True,
        examples={"body": _CREATE},
    ),
    Operation(
        method="GET",
        path=f"{_CUSTOMERS}/find-by-email",
        name="findCustomerByEmail",
        summary="Find a customer by email",
        handler=customers.find_by_email,
        query=wire.EmailQuery,
        answer=answers.CustomerAnswer,
        errors=(404,),
        tags=("Customers",),
    ),
    Operation(
        method="GET",
        path=_CUSTOMER,
        name="getCustomer",
        summary="Get a customer",
        handler=customers.get,
        answer=answers.CustomerAnswer,
        tags=("Customers",),
    ),
    Operation(
        method="PUT",
        path=_CUSTOMER,
        name="updateCustomer",
        summary="Update a customer",
        description=_PARTIAL,
        handler=customers.update,
        body=wire.CustomerUpdate,
        answer=answers.WrittenCustomerAnswer,
        errors=(409,),
        tags=("Customers",),
        writes=True,
        examples={"body": _UPDATE},
    ),
    Operation(
        method="DELETE",
        path=_CUSTOMER,
        name="deleteCustomer",
        summary="Delete a customer",
        description="Its email address is free again. A customer that others are below cannot be deleted.",
        handler=customers.delete,
        answer=answers.GoneAnswer,
        errors=(409,),
        tags=("Customers",),
        writes=True,
    ),
    Operation(
        method="POST",
        path=_BULK,
        name="createCustomers",
        summary="Create up to 100 customers",
        description=_ROWS,
        handler=bulk.create_many,
        status=201,
        body=wire.BulkCreateBody,
        answer=answers.BulkAnswer,
        tags=("Customers",),
        writes=True,
        creates=True,
        examples={"body": {"customers": [_CREATE]}},
    ),
    Operation(
        method="PATCH",
        path=_BULK,
        name="updateCustomers",
        summary="Update up to 100 customers",
        description=_ROWS,
        handler=bulk.update_many,
        status=201,
        body=wire.BulkUpdateBody,
        answer=answers.BulkAnswer,
        tags=("Customers",),
        writes=True,
        creates=True,
        examples={"body": {"customers": [{"uuid": "b3d1f0a2-6c47-4e1b-9f58-2a7c0d9e4b16", "status": "inactive"}]}},
    ),
)

WEBHOOKS: tuple[Operation, ...] = (
    Operation(
        method="GET",
        path=_WEBHOOKS,
        name="listWebhooks",
        summary="List webhook subscriptions",
        handler=subscriptions.list_all,
        answer=answers.WebhooksAnswer,
        tags=("Webhooks",),
    ),
    Operation(
        method="POST",
        path=_WEBHOOKS,
        name="createWebhook",
        summary="Subscribe to an event",
        handler=subscriptions.create,
        status=201,
        body=wire.WebhookBody,
        answer=answers.WebhookAnswer,
        tags=("Webhooks",),
        writes=True,
        creates=True,
        examples={"body": _WEBHOOK_BODY},
    ),
    Operation(
        method="PATCH",
        path=_WEBHOOK,
        name="updateWebhook",
        summary="Change a webhook subscription",
        handler=subscriptions.update,
        body=wire.WebhookEdit,
        answer=answers.WebhookAnswer,
        tags=("Webhooks",),
        writes=True,
        examples={"body": {"status": "paused"}},
    ),
    Operation(
        method="DELETE",
        path=_WEBHOOK,
        name="deleteWebhook",
        summary="End a webhook subscription",
        handler=subscriptions.delete,
        answer=answers.GoneAnswer,
        tags=("Webhooks",),
        writes=True,
    ),
)

OPERATIONS = (*CUSTOMERS, *WEBHOOKS, *oauth.OPERATIONS)
