"""`/v1/customers`: list, create, get, update, deactivate."""

from uuid import UUID

import msgspec

from customerhub.core import customers as core
from customerhub.core.customers import NumberForm, Proposal, Written
from customerhub.core.lists import CustomerFilter, CustomerQuery, Order, list_customers
from customerhub.dialects.wizcommerce import convert
from customerhub.dialects.wizcommerce.nested import find_id
from customerhub.dialects.wizcommerce.paging import QueryReader, to_pagination
from customerhub.dialects.wizcommerce.show import to_customer, to_row
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import NotFound
from customerhub.model.patch import CustomerPatch
from customerhub.web.counterpart import with_counterpart
from customerhub.web.guards import etag, ignored_header
from customerhub.web.operation import Call

NUMBERS = NumberForm("WC_", 10)
_ORDERS: dict[str, Order] = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "company_name": "name",
    "display_name": "display_name",
}


def respond(call: Call, status: int, data: object, version: int | None = None) -> Answer:
    """An answer with `data` as its body (None: no body) and the record's tag."""
    headers: list[tuple[str, str]] = []
    if version is not None:
        headers.append(("etag", etag(version)))
    ignored = ignored_header(call.command.ignored)
    if ignored is not None:
        headers.append(("customerhub-ignored", ignored))
    if data is None:
        return Answer(status, b"", tuple(headers))
    return Answer(status, msgspec.json.encode(data), (("content-type", "application/json"), *headers))


def respond_customer(call: Call, written: Written, status: int) -> Answer:
    """The whole customer in `data`."""
    shown = to_customer(written.customer, written.catalogue)
    return respond(call, status, {"data": shown}, written.customer.version)


async def create(call: Call) -> Answer:
    """`POST /v1/customers`: 201 with the whole record."""

    def decide(catalogue: Catalogue) -> Proposal:
        raw = call.json_object()
        proposal, call.command.ignored[:] = convert.to_new(raw, catalogue, call.hub.new_id, call.caller.actor)
        return proposal

    def render(written: Written) -> Answer:
        return respond_customer(call, written, 201)

    return await core.create_customer(call.hub, call.command, decide, render, NUMBERS)


async def get(call: Call) -> Answer:
    """`GET /v1/customers/{id}`: 200 with the whole record, inactive ones too."""
    written = await core.get_customer(call.hub, call.caller, get_id(call, "id"))
    return respond_customer(call, written, 200)


async def update(call: Call) -> Answer:
    """`PATCH /v1/customers/{id}`: 201 with the whole record, whether anything changed or not."""

    def decide(customer: Customer, catalogue: Catalogue) -> Proposal:
        proposal, call.command.ignored[:] = convert.to_patch(call.json_object(), customer, catalogue)
        return proposal

    def render(written: Written) -> Answer:
        return respond_customer(call, written, 201)

    return await core.update_customer(call.hub, call.command, get_id(call, "id"), decide, render)


async def deactivate(call: Call) -> Answer:
    """`DELETE /v1/customers/{id}`: 204; the record turns inactive and stays readable. Twice is once."""

    def decide(customer: Customer, catalogue: Catalogue) -> Proposal:
        del customer, catalogue
        return Proposal(CustomerPatch(status="inactive"))

    def render(written: Written) -> Answer:
        return respond(call, 204, None, written.customer.version)

    return await core.update_customer(call.hub, call.command, get_id(call, "id"), decide, render)


async def list_page(call: Call) -> Answer:
    """`GET /v1/customers`: a page of rows; past the end an empty one."""
    reader = QueryReader(call.query)
    page, page_size = reader.page()
    query = CustomerQuery(
        filter=CustomerFilter(
            status=reader.status(),
            created_from=reader.time("created_after"),
            created_before=reader.time("created_before"),
            updated_from=reader.time("updated_after"),
            updated_before=reader.time("updated_before"),
            reference_ids=reader.texts("reference_ids"),
        ),
        order=_ORDERS[reader.choice("sort_by", tuple(_ORDERS), "updated_at")],
        is_descending=reader.is_descending(),
        page=page,
        page_size=page_size,
    )
    reader.check()
    found = await list_customers(call.hub, call.caller, query)
    rows = [to_row(customer, found.catalogue) for customer in found.customers]
    answer = respond(call, 200, {"data": rows, "pagination": to_pagination(page, page_size, found.total)})
    return await with_counterpart(call, answer)


def get_id(call: Call, name: str) -> UUID:
    """The id in the path; raises NotFound for anything that is no UUID."""
    found = find_id(call.path[name])
    if found is None:
        raise NotFound("record", call.path[name])
    return found
