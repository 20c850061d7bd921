"""What tests of this dialect say often: failures by their members, customers by the names of requests."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import httpx

from customerhub.core.access import find_caller
from customerhub.core.customers import Proposal, update_customer
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.patch import CustomerPatch
from tests.support.augno import ALL, CUSTOMERS, DIALECT, Account, Json, to_command, to_id, uuid_of

ENVELOPE = ["code", "type", "message", "param", "doc_url", "is_transient", "quota", "request_log_url"]
# Where answers have what requests name, as paths into a customer with all its parts.
PLACES: Mapping[str, tuple[str, ...]] = {
    "name": ("name",),
    "number": ("number",),
    "note": ("note",),
    "status": ("status",),
    "email": ("contact_info", "email"),
    "phone": ("contact_info", "phone"),
    "url": ("contact_info", "url"),
    "is_edi_enabled": ("is_edi_enabled",),
    "commission_policy": ("commission_policy",),
    "freight_policy": ("freight_preferences", "status"),
    "default_carrier_id": ("freight_preferences", "carrier", "id"),
    "default_service_level_id": ("freight_preferences", "service_level", "id"),
    "default_payment_term_id": ("defaults", "payment_term", "id"),
    "default_shipping_term_id": ("defaults", "shipping_term", "id"),
    "default_priority": ("defaults", "priority", "code"),
    "default_sales_rep_user_id": ("defaults", "sales_rep", "id"),
    "bill_to_address_id": ("bill_to_address", "id"),
    "ship_to_address_id": ("ship_to_address", "id"),
    "customer_type_group_id": ("type", "id"),
    "carrier_billing_type": ("freight_preferences", "billing_type"),
    "carrier_billing_account": ("freight_preferences", "billing_account"),
}


def read_back(shown: Json, member: str) -> Any:
    """What a customer with all its parts says of a request's member; of a limit its amount alone."""
    if member == "customer_price_group_ids":
        return [group["id"] for group in shown["price_groups"]["data"]]
    if member == "credit_limit":
        return shown["credit_limit"] and shown["credit_limit"]["value"]
    value: Any = shown
    for step in PLACES[member]:
        value = value[step] if value is not None else None
    return value


def to_update(shown: Json) -> Json:
    """A customer with all its parts as an update that changes nothing; a limit's unit is told nowhere."""
    members = (*PLACES, "customer_price_group_ids")
    return {member: read_back(shown, member) for member in members}


def failure(answer: httpx.Response) -> Json:
    """The failure in an answer, whose envelope is whole."""
    body: Json = answer.json()
    assert list(body) == ["error"], answer.text
    found: Json = body["error"]
    assert list(found) == ENVELOPE
    assert found["doc_url"] == f"https://docs.augno.com/api/errors#{found['code']}"
    assert found["quota"] is None
    return found


def refusal(answer: httpx.Response) -> tuple[int, str, str | None]:
    """Status, code and parameter of a failure."""
    found = failure(answer)
    return answer.status_code, found["code"], found["param"]


async def patch(account: Account, customer: Json, body: object, **headers: str) -> httpx.Response:
    """An update and its answer, with all the parts of the customer."""
    path = f"{CUSTOMERS}/{customer['id']}"
    return await account.api.patch(path, json=body, params={"include": ALL}, headers=headers)


async def refused(account: Account, customer: Json, body: object) -> tuple[int, str, str | None]:
    """How an update is refused, which then has changed nothing."""
    before = await account.fingerprint()
    answer = await patch(account, customer, body)
    assert await account.fingerprint() == before, answer.text
    return refusal(answer)


def strange_id(prefix: str) -> str:
    """A well-formed id that nobody has."""
    return to_id(prefix, uuid4())


async def put_below(account: Account, child: Json, parent: Json) -> None:
    """Make one customer the parent of another; no endpoint of this dialect does."""

    def decide(_: Customer, __: Catalogue) -> Proposal:
        return Proposal(CustomerPatch(parent=uuid_of(parent["id"])))

    command = to_command(await find_caller(account.hub, DIALECT, account.api_key))
    await update_customer(account.hub, command, uuid_of(child["id"]), decide, lambda _: Answer(200))
