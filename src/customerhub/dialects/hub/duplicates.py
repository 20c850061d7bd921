"""Duplicates: who may be the same customer as another one, and why; of one customer, and of the whole team."""

from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from customerhub.core import duplicates as core
from customerhub.core.duplicates import MOST_COUNTED, MOST_HOLDERS, Common, Group, Match, Summary
from customerhub.dialects.hub.answers import respond
from customerhub.dialects.hub.canonical import Shown, to_value
from customerhub.dialects.hub.customers import get_id
from customerhub.dialects.hub.explain import explained
from customerhub.dialects.hub.paging import QueryReader, to_page, to_scope
from customerhub.dialects.hub.wire import Id
from customerhub.model.answer import Answer
from customerhub.model.customer import Status
from customerhub.model.duplicates import Reason
from customerhub.web.operation import Call

DEFAULT_LIMIT: Final = 20
MAX_LIMIT: Final = 100


class DuplicatesQuery(TypedDict, total=False):
    """Which piece of the team's groups."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)]


class CustomerSummary(TypedDict):
    """What tells a customer from others at a glance."""

    id: Id
    name: str
    number: str
    reference_id: str | None
    email: str | None
    phone: str | None
    status: Status


class SharedValue(TypedDict):
    """Something that customers have in common; `value` is written in the one way in which it is compared."""

    reason: Reason
    value: str


class CommonValue(SharedValue):
    """The same where so many have it that they are only counted, up to 1,000."""

    count: Annotated[int, Field(le=MOST_COUNTED)]


class CandidateRow(TypedDict):
    """A customer that may be the same one, with everything that says so, the strongest first."""

    customer: CustomerSummary
    reasons: list[SharedValue]


class CandidatePage(TypedDict):
    """All candidates of a customer, the likeliest first, and what it shares with more than 100 others."""

    data: list[CandidateRow]
    common: list[CommonValue]
    next: None


class GroupRow(CommonValue):
    """Customers that share a value; none is named where more than 100 do."""

    customers: Annotated[list[CustomerSummary], Field(max_length=MOST_HOLDERS)]


async def list_candidates(call: Call) -> Answer:
    """`GET /hub/v1/customers/{id}/duplicates`: 200 with everybody who may be the same customer."""
    reader = QueryReader(call.query, ())
    reader.check()
    customer_id = get_id(call)
    found = await explained(call, customer_id, core.find_duplicates(call.hub, call.caller, customer_id))
    rows = [
        {"customer": _to_summary(candidate.customer), "reasons": [_to_reason(match) for match in candidate.matches]}
        for candidate in found.candidates
    ]
    return respond(call, 200, {"data": rows, "common": [_to_common(one) for one in found.common], "next": None})


async def list_groups(call: Call) -> Answer:
    """`GET /hub/v1/duplicates`: 200 with a piece of the team's groups of customers that share a value."""
    reader = QueryReader(call.query, tuple(DuplicatesQuery.__annotations__))
    scope = to_scope(call, "duplicates")
    position, limit = reader.position(scope, "after"), reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT)
    reader.check()
    found = await core.walk_duplicates(call.hub, call.caller, position, limit)
    return respond(call, 200, to_page(scope, [_to_group(group) for group in found.groups], found.after))


def _to_summary(customer: Summary) -> Shown:
    return {name: to_value(getattr(customer, name)) for name in customer.__struct_fields__}


def _to_reason(match: Match) -> Shown:
    return {"reason": match.reason, "value": match.value}


def _to_common(shared: Common | Group) -> Shown:
    return {**_to_reason(shared.match), "count": shared.count}


def _to_group(group: Group) -> Shown:
    return {**_to_common(group), "customers": [_to_summary(customer) for customer in group.customers]}
