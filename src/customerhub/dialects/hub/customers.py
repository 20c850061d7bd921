"""`/hub/v1/customers`: list, create, get, update, delete."""

from collections.abc import Callable
from hashlib import sha256
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct
from starlette.datastructures import QueryParams

from customerhub.core import customers as core
from customerhub.core.customers import NumberForm, Proposal, Written
from customerhub.core.lists import CustomerFilter, walk_customers
from customerhub.core.timeline import get_customer_at, list_deleted
from customerhub.dialects.hub.answers import CUSTOMERS, Report, respond, respond_record, respond_written
from customerhub.dialects.hub.canonical import to_body
from customerhub.dialects.hub.explain import explained
from customerhub.dialects.hub.fields import Reading
from customerhub.dialects.hub.paging import DEFAULT_LIMIT, MAX_LIMIT, QueryReader, to_page, to_scope
from customerhub.dialects.hub.patches import (
    JSON,
    JSON_PATCH,
    LIST_AWARE,
    MEDIA_TYPES,
    MERGE_PATCH,
    from_body,
    from_json_patch,
    from_list_aware,
    from_merge_patch,
)
from customerhub.dialects.hub.wire import CustomerListQuery, is_uuid
from customerhub.model.answer import Answer, IdempotencyKey
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer, email_key
from customerhub.model.error import NotFound, UnsupportedMediaType, dotted
from customerhub.web.body import read_json_array, shorten
from customerhub.web.operation import Call

NUMBERS: Final = NumberForm("C", 5)
_STATUSES: Final = ("active", "inactive")
_PARAMETERS: Final = tuple(CustomerListQuery.__annotations__)
_LONGEST_EMAIL: Final = 320


class Patch(Struct, frozen=True):
    """How a request asks for changes, of whichever form it is: asked again where the record has moved on."""

    read: Callable[[Customer, Catalogue], Reading]
    report: Report


async def list_page(call: Call) -> Answer:
    """`GET /hub/v1/customers`: 200 with a page, the newest first; with `deleted=true` of those that are deleted."""
    if call.query.get("deleted") == "true":
        return await _list_deleted(call)
    reader, scope = QueryReader(call.query, _PARAMETERS), to_scope(call, "customers")
    position, limit = reader.position(scope, "after"), reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT)
    chosen = read_filter(reader, call.query)
    reader.flag("deleted")
    reader.check()
    walk = await walk_customers(call.hub, call.caller, chosen, position, limit)
    return respond(call, 200, to_page(scope, [to_body(customer) for customer in walk.customers], walk.after))


def read_filter(reader: QueryReader, query: QueryParams) -> CustomerFilter:
    """Which customers a list or an export is to have."""
    ids, email = reader.uuids("ids"), reader.text("email", _LONGEST_EMAIL)
    status = reader.choice("status", _STATUSES, "") if "status" in query else None
    return CustomerFilter(
        status=status or None,  # type: ignore[arg-type] # it is one of the two
        created_from=reader.time("created_since"),
        updated_from=reader.time("updated_since"),
        ids=tuple(map(UUID, ids)) if ids is not None else None,
        reference_ids=reader.texts("reference_ids", MAX_LIMIT),
        email_key=email_key(email),
    )


async def _list_deleted(call: Call) -> Answer:
    """The same of deleted customers, the last deleted first."""
    reader, scope = QueryReader(call.query, ("after", "limit", "deleted")), to_scope(call, "deleted customers")
    position, limit = reader.position(scope, "after"), reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT)
    reader.check()
    window = await list_deleted(call.hub, call.caller, position, limit)
    return respond(call, 200, to_page(scope, [to_body(customer) for customer in window.items], window.after))


async def get(call: Call) -> Answer:
    """`GET /hub/v1/customers/{id}`: 200 with the customer, 304 where the reader has it, 301 where it was merged.

    With `as_of` it is what the customer was at a version or a time, also of one that is deleted by now.
    """
    reader = QueryReader(call.query, ("as_of",))
    at = reader.moment("as_of")
    reader.check()
    written = await (get_written(call) if at is None else get_customer_at(call.hub, call.caller, get_id(call), at))
    return respond_record(call, to_body(written.customer), written.customer.version)


async def create(call: Call) -> Answer:
    """`POST /hub/v1/customers`: 201 with the customer."""
    report = Report()

    def decide(catalogue: Catalogue) -> Proposal:
        return note(call, report, from_body(call.json_object(), catalogue, call.hub.new_id))

    def render(written: Written) -> Answer:
        return respond_written(call, 201, written, report, ("location", f"{CUSTOMERS}/{written.customer.id}"))

    return await core.create_customer(call.hub, call.command, decide, render, NUMBERS)


async def update(call: Call) -> Answer:
    """`PATCH /hub/v1/customers/{id}`: 200 with the customer, and what of the patch changed it."""
    patch = to_patch(call)

    def decide(customer: Customer, catalogue: Catalogue) -> Proposal:
        return note(call, patch.report, patch.read(customer, catalogue))

    def render(written: Written) -> Answer:
        return respond_written(call, 200, written, patch.report)

    customer_id = get_id(call)
    work = core.update_customer(call.hub, call.command, customer_id, decide, render)
    return await explained(call, customer_id, work, lambda *base: patch.read(*base).proposal)


async def delete(call: Call) -> Answer:
    """`DELETE /hub/v1/customers/{id}`: 200 with the customer as it was last; twice is 404."""
    customer_id = get_id(call)

    def render(written: Written) -> Answer:
        return respond_written(call, 200, written, Report())

    return await explained(call, customer_id, core.delete_customer(call.hub, call.command, customer_id, render))


def to_patch(call: Call) -> Patch:
    """The request's patch by its media type, which its key is for too; raises UnsupportedMediaType."""
    media_type = get_media_type(call)
    if media_type not in MEDIA_TYPES:
        raise UnsupportedMediaType(shorten(media_type, 100), MEDIA_TYPES)
    _bind_key(call, JSON if media_type == LIST_AWARE else media_type)

    def read(customer: Customer, catalogue: Catalogue) -> Reading:
        if media_type == JSON_PATCH:
            return from_json_patch(read_json_array(call.raw_body), customer, catalogue, call.hub.new_id)
        read_object = from_merge_patch if media_type == MERGE_PATCH else from_list_aware
        return read_object(call.json_object(), customer, catalogue, call.hub.new_id)

    return Patch(read, Report())


def get_media_type(call: Call) -> str:
    """What the body is declared as, without parameters; plain JSON where it is not."""
    return call.incoming.headers.get("content-type", JSON).partition(";")[0].strip().lower() or JSON


def _bind_key(call: Call, form: str) -> None:
    """The same bytes in another form are another request."""
    guards = call.command.guards
    if guards.key is not None and form != JSON:
        fingerprint = sha256(guards.key.fingerprint + form.encode()).digest()
        key = IdempotencyKey(guards.key.key, fingerprint)
        call.command.guards = msgspec.structs.replace(guards, key=key)


def note(call: Call, report: Report, reading: Reading) -> Proposal:
    """The proposal of a request, whose ignored members the history is to keep."""
    report.named, report.ignored = reading.named, reading.ignored
    call.command.ignored[:] = map(dotted, reading.ignored)
    return reading.proposal


async def get_written(call: Call) -> Written:
    """The customer in the path; raises NotFound, and Moved for one that went into another."""
    customer_id = get_id(call)
    return await explained(call, customer_id, core.get_customer(call.hub, call.caller, customer_id))


def get_id(call: Call) -> UUID:
    """The id in the path; raises NotFound for what is no UUID."""
    text = call.path["id"]
    if not is_uuid(text):
        raise NotFound("customer", text)
    return UUID(text)
