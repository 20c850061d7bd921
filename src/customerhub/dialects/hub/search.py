"""`/hub/v1/search`: customers by a few characters of what they are called or how they are reached."""

from typing import Annotated, Required

from pydantic import Field
from typing_extensions import TypedDict

from customerhub.core.search import Found, search_customers
from customerhub.dialects.hub.answers import respond
from customerhub.dialects.hub.canonical import Shown
from customerhub.dialects.hub.paging import DEFAULT_LIMIT, MAX_LIMIT, QueryReader, to_page
from customerhub.dialects.hub.wire import Id
from customerhub.model.answer import Answer
from customerhub.model.customer import Status
from customerhub.web.operation import Call


class SearchQuery(TypedDict, total=False):
    """What to look for, and how many to tell."""

    q: Required[Annotated[str, Field(description="The first 60 characters count.", examples=["kestr"])]]
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)]


class FoundCustomer(TypedDict):
    """A customer that was found, and where: JSON Pointers into it, entries of lists by their id."""

    id: Id
    name: str
    number: str
    reference_id: str | None
    email: str | None
    phone: str | None
    status: Status
    matched: list[str]


async def search(call: Call) -> Answer:
    """`GET /hub/v1/search`: 200 with the best matches, the best first; there is no further page."""
    reader = QueryReader(call.query, tuple(SearchQuery.__annotations__))
    if "q" not in call.query:
        reader.refuse("q", "is required", "required")
    limit = reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT)
    reader.check()
    found = await search_customers(call.hub, call.caller, call.query["q"], limit)
    return respond(call, 200, to_page("", list(map(_to_body, found)), None))


def _to_body(found: Found) -> Shown:
    return {
        "id": str(found.id),
        "name": found.name,
        "number": found.number,
        "reference_id": found.reference_id,
        "email": found.email,
        "phone": found.phone,
        "status": found.status,
        "matched": list(found.matched),
    }
