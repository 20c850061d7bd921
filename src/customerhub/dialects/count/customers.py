"""`/partners/customers`: list, find by email, get, create, update, delete."""

import re
from uuid import UUID

import msgspec

from customerhub.core import customers as core
from customerhub.core.customers import NumberForm, Proposal, Written
from customerhub.core.lists import CustomerFilter, CustomerQuery, find_customer_by_email, list_customers
from customerhub.dialects.count import convert
from customerhub.dialects.count.paging import ORDERS, QueryReader
from customerhub.dialects.count.read import Body, Warned
from customerhub.dialects.count.show import Shown, to_customer
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue, TeamSettings
from customerhub.model.customer import Customer
from customerhub.model.error import FieldError, Invalid, NotFound
from customerhub.model.text import is_email
from customerhub.web.body import shorten
from customerhub.web.counterpart import with_counterpart
from customerhub.web.guards import etag, ignored_header
from customerhub.web.operation import Call

NUMBERS = NumberForm("C", 5)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def respond(call: Call, status: int, message: str, data: object, version: int | None = None) -> Answer:
    """A success in its envelope, with the record's tag and what was ignored."""
    headers: list[tuple[str, str]] = [("content-type", "application/json")]
    if version is not None:
        headers.append(("etag", etag(version)))
    ignored = ignored_header(call.command.ignored)
    if ignored is not None:
        headers.append(("customerhub-ignored", ignored))
    body = {"status": "success", "message": message, "data": data}
    return Answer(status, msgspec.json.encode(body), tuple(headers))


def to_written(written: Written, warnings: list[Warned]) -> Shown:
    """A customer after a write, with the members of the request that had no effect."""
    shown = to_customer(written.customer, written.catalogue)
    if warnings:
        shown["_partnerWarnings"] = [warned.to_body() for warned in warnings]
    return shown


async def list_page(call: Call) -> Answer:
    """`GET /partners/customers`: a page, past the end an empty one; inactive customers too."""
    reader = QueryReader(call.query)
    page, limit = reader.integer("page", 1, 10_000), reader.integer("limit", 20, 100)
    query = CustomerQuery(
        filter=CustomerFilter(search=reader.text("search", 255)),
        order=ORDERS[reader.choice("orderBy", tuple(ORDERS), "customer")],
        is_descending=reader.choice("orderDirection", ("ASC", "DESC"), "ASC") == "DESC",
        page=page,
        page_size=limit,
        with_nested=True,
    )
    reader.check()
    found = await list_customers(call.hub, call.caller, query)
    rows = [to_customer(customer, found.catalogue) for customer in found.customers]
    data = {
        "records": rows,
        "customers": rows,
        "totalRecords": found.total,
        "totalPages": -(-found.total // limit),
        "page": page,
        "limit": limit,
    }
    return await with_counterpart(call, respond(call, 200, "Customers retrieved", data))


async def find_by_email(call: Call) -> Answer:
    """`GET /partners/customers/find-by-email`: 200 with the customer; none is 404, in the shape of an error."""
    email = call.query.get("email", "")
    if not is_email(email):
        reason = "must be an email address" if email else "is required"
        if " " in email:
            reason += f"; {shorten(email)} was read, since a plus sign that is not sent as %2B means a space"
        raise Invalid((FieldError(("email",), "invalid_email" if email else "required", reason),))
    written = await find_customer_by_email(call.hub, call.caller, email)
    if written is None:
        raise NotFound("email", email)
    shown = to_customer(written.customer, written.catalogue)
    return respond(call, 200, "Customer retrieved", shown, written.customer.version)


async def get(call: Call) -> Answer:
    """`GET /partners/customers/{uuid}`: 200."""
    written = await core.get_customer(call.hub, call.caller, get_id(call))
    shown = to_customer(written.customer, written.catalogue)
    return respond(call, 200, "Customer retrieved", shown, written.customer.version)


async def create(call: Call) -> Answer:
    """`POST /partners/customers`: 201 with the whole record."""
    warnings: list[Warned] = []

    def decide(catalogue: Catalogue) -> Proposal:
        proposal, warnings[:] = convert.to_new(call.json_object(), catalogue, call.hub.new_id)
        call.command.ignored[:] = [warned.field for warned in warnings]
        return proposal

    def render(written: Written) -> Answer:
        shown = to_written(written, warnings)
        return respond(call, 201, "Customer created successfully", shown, written.customer.version)

    return await core.create_customer(call.hub, call.command, decide, render, NUMBERS)


async def update(call: Call) -> Answer:
    """`PUT /partners/customers/{uuid}`: 200 with the whole record, whether anything changed or not."""
    warnings: list[Warned] = []

    def decide(customer: Customer, catalogue: Catalogue) -> Proposal:
        proposal, warnings[:] = convert.to_patch(call.json_object(), customer, catalogue, call.hub.new_id)
        call.command.ignored[:] = [warned.field for warned in warnings]
        return proposal

    def render(written: Written) -> Answer:
        shown = to_written(written, warnings)
        return respond(call, 200, "Customer updated successfully", shown, written.customer.version)

    customer_id = get_id(call)
    try:
        return await core.update_customer(call.hub, call.command, customer_id, decide, render)
    except NotFound:
        check_body(call.json_object())
        raise


def check_body(raw: Body) -> None:
    """What is wrong with an update of a customer that is not there: told first, as the contract orders its checks."""
    errors = convert.check_update(raw, {}, TeamSettings()).errors
    if errors:
        raise Invalid(tuple(errors))


async def delete(call: Call) -> Answer:
    """`DELETE /partners/customers/{uuid}`: 200 with its id; twice is 404."""
    customer_id = get_id(call)

    def render(written: Written) -> Answer:
        gone = {"uuid": str(written.customer.id), "id": str(written.customer.id)}
        return respond(call, 200, "Customer deleted successfully", gone)

    return await core.delete_customer(call.hub, call.command, customer_id, render)


def find_id(text: object) -> UUID | None:
    """An id in its usual form, in either case; None for anything else."""
    return UUID(text) if isinstance(text, str) and _UUID.fullmatch(text) else None


def get_id(call: Call) -> UUID:
    """The id in the path; raises Invalid for anything that is no UUID."""
    found = find_id(call.path["uuid"])
    if found is None:
        raise Invalid((FieldError(("uuid",), "invalid_uuid", "must be a UUID"),))
    return found
