"""What a caller with a former version is told: what became of the record since, beside what was asked."""

from collections.abc import Callable
from uuid import UUID

from customerhub.core import customers as core
from customerhub.core.customers import Proposal
from customerhub.core.timeline import get_customer_at
from customerhub.dialects.hub.compare import to_difference
from customerhub.dialects.hub.errors import Stale, TestFailed
from customerhub.model.apply import apply
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import Invalid, Malformed, NotFound, PreconditionFailed
from customerhub.web.operation import Call


async def to_stale(
    call: Call,
    customer_id: UUID,
    error: PreconditionFailed,
    decide: Callable[[Customer, Catalogue], Proposal] | None = None,
) -> PreconditionFailed:
    """The error with the difference between the version that `If-Match` names, the request and the record.

    `decide` is what the request asks of a record; where it asks nothing of its values `mine` is what was read. Without
    a former version that is known there is no difference to tell.
    """
    if_match = call.command.guards.if_match
    former = [version for version in if_match.versions if version < (error.current or 0)] if if_match else []
    if not former:
        return error
    try:
        theirs = await core.get_customer(call.hub, call.caller, customer_id)
        base = await get_customer_at(call.hub, call.caller, customer_id, max(former))
        mine = base.customer
        if decide is not None:
            patch = decide(base.customer, base.catalogue).patch
            mine = apply(base.customer, patch, base.catalogue, call.hub.moment(call.caller)).customer
    except (NotFound, Invalid, Malformed, TestFailed):
        # Of a request that cannot be read nothing is told but that it comes too late.
        return error
    return Stale(theirs.customer.version, to_difference(base.customer, mine, theirs.customer))
