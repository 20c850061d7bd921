"""Where a mirror differs from the hub, and sending it what differs once more."""

from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import Field, JsonValue, TypeAdapter
from typing_extensions import TypedDict

from customerhub.core import drift as core
from customerhub.core.drift import MOST_CUSTOMERS, DriftPage, DriftRow, Repair, Wanted
from customerhub.dialects.hub.administration.common import get_id, read_body, to_command, to_id
from customerhub.dialects.hub.answers import respond
from customerhub.dialects.hub.canonical import Shown
from customerhub.dialects.hub.paging import QueryReader
from customerhub.dialects.hub.wire import CONFIG, Id, is_uuid
from customerhub.model.answer import Answer
from customerhub.model.error import FieldError, Invalid, NotFound
from customerhub.web.operation import Call

_KIND: Final = "sink"
_LIMIT: Final = Field(ge=1, le=MOST_CUSTOMERS, description="So many customers are compared, 100 at most.")


class DriftQuery(TypedDict, total=False):
    """Which customers to compare, in the order of their ids."""

    after: Annotated[str, Field(description="From `next` of the page before.")]
    limit: Annotated[int, _LIMIT]


class RepairBody(TypedDict, total=False):
    """Which customers: these, or else a page of all, behind one of them."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    customers: Annotated[list[Id], Field(max_length=MOST_CUSTOMERS)]
    after: Annotated[Id, Field(description="From `next` of the answer before.")]
    limit: Annotated[int, _LIMIT]


class ShownDifference(TypedDict):
    """One value that is not the same on both sides, by the other side's name for it."""

    field: str
    ours: JsonValue
    theirs: JsonValue


class DriftedCustomer(TypedDict):
    """A customer that is not the same on both sides; without an `external_id` it is not there at all."""

    customer: Id
    number: str | None
    name: str
    external_id: str | None
    differences: list[ShownDifference]
    fault: Annotated[str, Field(description="Why it could not be compared; empty where it was.")]


class ShownDrift(TypedDict):
    """How many customers were compared, and those of them that differ or could not be compared."""

    compared: int
    data: list[DriftedCustomer]
    next: Id | None


class Repaired(ShownDrift):
    """The same, and how many go to the mirror once more."""

    repaired: int


_REPAIR: Final[TypeAdapter[object]] = TypeAdapter(RepairBody)


async def check(call: Call) -> Answer:
    """`GET /hub/v1/sinks/{id}/drift`: 200; 409 for a sink that keeps no copy."""
    reader = QueryReader(call.query, tuple(DriftQuery.__annotations__))
    sink_id = get_id(call, _KIND)
    limit = reader.integer("limit", MOST_CUSTOMERS, MOST_CUSTOMERS)
    after = call.query.get("after") or None
    if after is not None and not is_uuid(after):
        reader.refuse("after", "must be what a page of this list has given as next")
    reader.check()
    page = await core.check_drift(call.hub, call.caller, sink_id, to_id(after), limit)
    return respond(call, 200, _to_page(page))


async def repair(call: Call) -> Answer:
    """`POST /hub/v1/sinks/{id}/repair`: 200; 409 for a sink that keeps no copy."""
    sent: list[str] = []

    def decide() -> Wanted:
        reading = read_body(call, RepairBody, _REPAIR)
        values = reading.values
        sent[:] = values.get("customers", ())
        return Wanted(
            tuple(map(UUID, sent)) if "customers" in values else None,
            to_id(values.get("after")),
            values.get("limit", MOST_CUSTOMERS),
            (*reading.errors, *_find_errors(values)),
        )

    def render(found: Repair) -> Answer:
        return respond(call, 200, {"repaired": found.enqueued, **_to_page(found.page)}, found.version)

    sink_id = get_id(call, _KIND)
    try:
        return await core.repair(call.hub, to_command(call), sink_id, decide, render)
    except NotFound as error:
        # One of the customers that the body names, which is nothing that the path lacks.
        if error.kind == _KIND:
            raise
        raise Invalid(tuple(_find_strangers(sent, error.id))) from error


def _find_errors(values: dict[str, Any]) -> list[FieldError]:  # Any: JSON, checked
    if "customers" not in values:
        return []
    told = "does not go together with customers"
    return [FieldError((name,), "ambiguous", told) for name in ("after", "limit") if name in values]


def _find_strangers(sent: Sequence[str], unknown: str) -> list[FieldError]:
    return [
        FieldError(("customers", place), "unknown_id", "names no customer of this team")
        for place, one in enumerate(sent)
        if UUID(one) == UUID(unknown)
    ]


def _to_page(page: DriftPage) -> Shown:
    return {
        "compared": len(page.rows),
        "data": [_to_row(row) for row in page.rows if row.is_different or row.fault],
        "next": str(page.after) if page.after is not None else None,
    }


def _to_row(row: DriftRow) -> Shown:
    return {
        "customer": str(row.customer),
        "number": row.number,
        "name": row.name,
        "external_id": row.external_id,
        "differences": [{"field": one.field, "ours": one.ours, "theirs": one.theirs} for one in row.differences],
        "fault": row.fault,
    }
