"""`/v1/sales/customers`: list, get, create, update, delete, merge."""

from collections.abc import Mapping
from typing import Final, Literal
from uuid import UUID

from customerhub.core import customers as core
from customerhub.core.customers import NumberForm, Proposal, Wanted, Written
from customerhub.core.lists import CustomerFilter, get_catalogue, walk_customers
from customerhub.core.merge import MergeRequest, merge_customers
from customerhub.dialects.augno import convert, wire
from customerhub.dialects.augno.answers import Shown, respond
from customerhub.dialects.augno.ids import (
    ACCOUNT,
    ACCOUNT_GROUP,
    ACCOUNT_USER,
    CARRIER,
    PAYMENT_TERM,
    SERVICE_LEVEL,
    SHIPPING_TERM,
    USER,
    from_id,
    from_path,
    to_id,
)
from customerhub.dialects.augno.include import Includes, ask, read_includes
from customerhub.dialects.augno.paging import QueryReader, read_page, to_scope, to_window_page
from customerhub.dialects.augno.read import read_body
from customerhub.dialects.augno.show import ALONE, MOST_CHILDREN, to_customer
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.web.counterpart import with_counterpart
from customerhub.web.operation import Call

NUMBERS: Final = NumberForm("C", 5)
# Parts that are told from the lists inside a customer.
_NESTED: Final = ("bill_to_address", "ship_to_address")
_PLACES: Final[tuple[Literal["city", "state", "postal_code"], ...]] = ("city", "state", "postal_code")


async def get(call: Call) -> Answer:
    """`GET /v1/sales/customers/{id}`: 200."""
    includes = read_includes(call.query, wire.INCLUDES)
    written = await core.get_customer(call.hub, call.caller, _get_id(call), _to_wanted(includes))
    return _respond(call, 200, written, includes)


async def create(call: Call) -> Answer:
    """`POST /v1/sales/customers`: 201 with the customer."""
    asked = ask(call.query, wire.INCLUDES)

    def decide(catalogue: Catalogue) -> Proposal:
        asked.check()
        proposal, call.command.ignored[:] = convert.to_new(read_body(call), catalogue, call.hub.new_id)
        return proposal

    def render(written: Written) -> Answer:
        return _respond(call, 201, written, asked.includes)

    return await core.create_customer(call.hub, call.command, decide, render, NUMBERS, _to_wanted(asked.includes))


async def update(call: Call) -> Answer:
    """`PATCH /v1/sales/customers/{id}`: 200 with the customer, whether anything changed or not."""
    asked = ask(call.query, wire.INCLUDES)

    def decide(customer: Customer, catalogue: Catalogue) -> Proposal:
        asked.check()
        proposal, call.command.ignored[:] = convert.to_patch(read_body(call), customer, catalogue)
        return proposal

    def render(written: Written) -> Answer:
        return _respond(call, 200, written, asked.includes)

    wanted = _to_wanted(asked.includes)
    return await core.update_customer(call.hub, call.command, _get_id(call), decide, render, wanted)


async def delete(call: Call) -> Answer:
    """`DELETE /v1/sales/customers/{id}`: 200 with nothing in it; twice is 404."""
    return await core.delete_customer(call.hub, call.command, _get_id(call), lambda _: respond(call, 200, {}))


async def merge(call: Call) -> Answer:
    """`POST /v1/sales/customers/{id}/actions/merge`: 200 with the customer that the others went into."""
    asked = ask(call.query, wire.INCLUDES)
    settings = (await get_catalogue(call.hub, call.caller)).settings

    def read() -> MergeRequest:
        asked.check()
        sources, call.command.ignored[:] = convert.to_sources(read_body(call), settings)
        return MergeRequest(sources, member="source_customer_ids")

    def render(written: Written) -> Answer:
        return _respond(call, 200, written, asked.includes)

    return await merge_customers(call.hub, call.command, _get_id(call), read, render, _to_wanted(asked.includes))


async def list_page(call: Call) -> Answer:
    """`GET /v1/sales/customers`: 200 with a page, the newest first."""
    includes = read_includes(call.query, wire.INCLUDES)
    reader, scope = QueryReader(call.query), to_scope(call, "customers")
    page = read_page(reader, scope)
    wanted = _to_filter(reader, page.text)
    reader.check()
    walk = await walk_customers(
        call.hub,
        call.caller,
        wanted,
        page.position,
        page.limit,
        _to_wanted(includes),
        with_nested=any(name in includes for name in _NESTED),
    )
    rows = [
        to_customer(customer, walk.catalogue, walk.relatives.get(customer.id, ALONE), includes)
        for customer in walk.customers
    ]
    answer = respond(call, 200, to_window_page(scope, rows, walk.before, walk.after))
    return await with_counterpart(call, answer, lambda customer: to_id(ACCOUNT, customer))


def _to_filter(reader: QueryReader, text: str | None) -> CustomerFilter:
    """What a list asks of its customers; an id of nothing is nobody's, so that nobody is found."""

    def ids(name: str, *prefixes: str) -> tuple[UUID, ...] | None:
        return reader.ids(name, lambda sent: from_id(sent, *prefixes)) or None

    return CustomerFilter(
        type_groups=ids("customer_group_ids", ACCOUNT_GROUP),
        price_groups_any=ids("pricing_group_ids", ACCOUNT_GROUP),
        default_sales_reps=ids("sales_rep_ids", USER, ACCOUNT_USER),
        standings=reader.choices("status_codes", wire.STATUSES) or None,
        shipping_terms=ids("shipping_term_ids", SHIPPING_TERM),
        payment_terms=ids("payment_term_ids", PAYMENT_TERM),
        carriers=ids("carrier_ids", CARRIER),
        service_levels=ids("service_level_ids", SERVICE_LEVEL),
        commission_policies=reader.choices("commission_status_codes", wire.COMMISSIONS) or None,
        freight_policies=reader.choices("freight_status_codes", wire.FREIGHTS) or None,
        is_parent=reader.flag("is_parent_account"),
        address=_to_place(reader),
        created_from=reader.time("start_date"),
        created_until=reader.time("end_date"),
        text=text,
    )


def _to_place(reader: QueryReader) -> Mapping[Literal["city", "state", "postal_code"], str] | None:
    """What one and the same address must hold."""
    sent = {name: reader.text(name, 255) for name in _PLACES}
    return {name: text for name, text in sent.items() if text is not None} or None


def _to_wanted(includes: Includes) -> Wanted:
    """Which relatives must be asked for; whether there are children is always shown."""
    return Wanted(parent="parent_account" in includes, children=MOST_CHILDREN if "child_accounts" in includes else 0)


def _get_id(call: Call) -> UUID:
    return from_path(call.path["id"], ACCOUNT)


def _respond(call: Call, status: int, written: Written, includes: Includes) -> Answer:
    shown: Shown = to_customer(written.customer, written.catalogue, written.relatives or ALONE, includes)
    return respond(call, status, shown, written.customer.version)
