"""Why nothing came of a request about one customer: it is at another version, or it went into another one."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

from customerhub.core.customers import Proposal, find_successor
from customerhub.dialects.hub.answers import CUSTOMERS
from customerhub.dialects.hub.errors import Moved
from customerhub.dialects.hub.stale import to_stale
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import NotFound, PreconditionFailed
from customerhub.web.operation import Call

Found = TypeVar("Found")


async def explained(
    call: Call,
    customer_id: UUID,
    work: Awaitable[Found],
    decide: Callable[[Customer, Catalogue], Proposal] | None = None,
) -> Found:
    """What the work gives; of a stale tag and a customer that is not there the caller is told more.

    `decide` is what the request asks of a record, where it asks for values. Raises Stale and Moved beside what the work
    raises.
    """
    try:
        return await work
    except PreconditionFailed as error:
        raise await to_stale(call, customer_id, error, decide) from error
    except NotFound as error:
        raise await _to_absence(call, customer_id, error) from error


async def _to_absence(call: Call, customer_id: UUID, error: NotFound) -> NotFound:
    """Why there is no such customer: it never was, is deleted, or went into another one."""
    successor = await find_successor(call.hub, call.caller, customer_id)
    if successor is None:
        return error
    beneath = call.incoming.raw_path.split("/")[len(CUSTOMERS.split("/")) + 1 :]
    place = "/".join((CUSTOMERS, str(successor), *beneath))
    if call.incoming.raw_query:
        place = f"{place}?{call.incoming.raw_query}"
    return Moved(customer_id, successor, quote(place, safe="/?%:@!$&'()*+,;=-._~", encoding="latin-1"))
