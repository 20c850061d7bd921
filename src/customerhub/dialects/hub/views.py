"""`/hub/v1/customers/{id}/views/{dialect}`: a customer as any dialect shows it, and changed as it would change it."""

from functools import cache
from typing import Final

from customerhub.core import customers as core
from customerhub.core.customers import Proposal, Written
from customerhub.core.versions import check
from customerhub.dialects.base import find_dialects
from customerhub.dialects.hub.answers import Report, respond, to_envelope
from customerhub.dialects.hub.customers import get_id, get_media_type, get_written
from customerhub.dialects.hub.errors import to_pointer
from customerhub.dialects.hub.explain import explained
from customerhub.dialects.hub.patches import JSON
from customerhub.model.answer import Answer
from customerhub.model.apply import apply
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import HubError, NotFound, UnsupportedMediaType
from customerhub.web.body import shorten
from customerhub.web.dialect import Dialect
from customerhub.web.operation import Call

Body = dict[str, object]
# No dialect has as many; whoever sends more is not told which of them were equal.
_MOST_MEMBERS: Final = 200


async def get(call: Call) -> Answer:
    """`GET …/views/{dialect}`: 200 with the customer as that dialect's clients read it, without an envelope."""
    dialect = _get_dialect(call)
    written = await get_written(call)
    return respond(call, 200, dialect.show(written.customer, written.catalogue), written.customer.version)


async def update(call: Call) -> Answer:
    """`PATCH …/views/{dialect}`: 200 with the customer and its view; the body is one of that dialect's updates."""
    dialect, customer_id = _get_dialect(call), get_id(call)
    check_plain(call)
    equal: list[str] = []
    ignored: list[str] = []

    def decide(customer: Customer, catalogue: Catalogue) -> Proposal:
        body = call.json_object()
        proposal, told = dialect.propose(body, customer, catalogue, call.hub.new_id)
        ignored[:] = call.command.ignored[:] = told
        few = body if len(body) <= _MOST_MEMBERS else {}
        equal[:] = (name for name in few if _changes_nothing(call, dialect, {name: body[name]}, customer, catalogue))
        return proposal

    def render(written: Written) -> Answer:
        body = to_envelope(written, Report())
        body |= {"equal": [to_pointer((name,)) for name in equal], "ignored": ignored}
        body["view"] = dialect.show(written.customer, written.catalogue)
        return respond(call, 200, body, written.customer.version)

    work = core.update_customer(call.hub, call.command, customer_id, decide, render)
    return await explained(call, customer_id, work, decide)


def check_plain(call: Call) -> None:
    """Raise UnsupportedMediaType for a body of the record's own patches: an update of a view has the one form there."""
    media_type = get_media_type(call)
    if media_type != JSON:
        raise UnsupportedMediaType(shorten(media_type, 100), (JSON,))


def _changes_nothing(call: Call, dialect: Dialect, body: Body, customer: Customer, catalogue: Catalogue) -> bool:
    """Whether a member of a body, sent alone, is there already; one that is ignored is not told as equal."""
    try:
        proposal, ignored = dialect.propose(body, customer, catalogue, call.hub.new_id)
        check(proposal, customer, catalogue)
    except HubError:
        return False
    return not ignored and not apply(customer, proposal.patch, catalogue, call.hub.moment(call.caller)).changes


def _get_dialect(call: Call) -> Dialect:
    """The dialect in the path; raises NotFound."""
    name = call.path["dialect"]
    if name not in _dialects():
        raise NotFound("view", shorten(name))
    return _dialects()[name]


@cache
def _dialects() -> dict[str, Dialect]:
    return {dialect.name: dialect for dialect in find_dialects()}
