"""Merging: several customers become one, with a say in whose values survive; and a merge taken back."""

from typing import Annotated, Final, Required, cast
from uuid import UUID

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from customerhub.core.customers import Written
from customerhub.core.merge import MOST_SOURCES, MergeRequest, merge_customers
from customerhub.core.unmerge import UnmergeRequest, unmerge_customer
from customerhub.dialects.hub import models
from customerhub.dialects.hub.answers import Report, respond, respond_written, to_envelope
from customerhub.dialects.hub.customers import get_id
from customerhub.dialects.hub.explain import explained
from customerhub.dialects.hub.read import read_closed
from customerhub.dialects.hub.wire import CONFIG, Id
from customerhub.model.answer import Answer
from customerhub.model.unmerge import Prefer
from customerhub.web.operation import Call

_LENGTH: Final = {"minItems": 1, "maxItems": MOST_SOURCES}


class MergeBody(TypedDict, total=False):
    """Who goes into the customer, and by member of the canonical form whose value survives."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    sources: Required[Annotated[list[Id], Field(json_schema_extra=_LENGTH)]]
    survivorship: Annotated[
        dict[str, Id],
        Field(description="By member the customer, the target or a source, whose value stands then; see the README."),
    ]


class UnmergeBody(TypedDict, total=False):
    """Which merge to take back, and what stands where something was changed since."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    version: Required[
        Annotated[int, Field(ge=1, lt=2**63, description="That the customer came to when the others went into it.")]
    ]
    prefer: Annotated[Prefer, Field(description="Without it a later change is 409, and named.")]


class Unmerged(models.Written):
    """A customer after a merge into it was taken back, and who is there again."""

    restored: list[Id]


_CHECK_MERGE: Final[TypeAdapter[object]] = TypeAdapter(MergeBody)
_CHECK_UNMERGE: Final[TypeAdapter[object]] = TypeAdapter(UnmergeBody)


async def merge(call: Call) -> Answer:
    """`POST /hub/v1/customers/{id}/merge`: 200 with the customer that the others went into."""
    customer_id, report = get_id(call), Report()

    def read() -> MergeRequest:
        body = read_closed(call.json_object(), _CHECK_MERGE, MergeBody)
        survivorship = cast("dict[str, str]", body.get("survivorship", {}))
        report.named = [(field,) for field in survivorship]
        return MergeRequest(
            tuple(map(UUID, cast("list[str]", body["sources"]))),
            {field: UUID(survivor) for field, survivor in survivorship.items()},
        )

    def render(written: Written) -> Answer:
        return respond_written(call, 200, written, report)

    return await explained(call, customer_id, merge_customers(call.hub, call.command, customer_id, read, render))


async def unmerge(call: Call) -> Answer:
    """`POST /hub/v1/customers/{id}/unmerge`: 200 with the customer without what a merge had brought it."""
    customer_id = get_id(call)

    def read() -> UnmergeRequest:
        body = read_closed(call.json_object(), _CHECK_UNMERGE, UnmergeBody)
        return UnmergeRequest(cast("int", body["version"]), cast("Prefer | None", body.get("prefer")))

    def render(written: Written, restored: tuple[UUID, ...]) -> Answer:
        body = {**to_envelope(written, Report()), "restored": list(map(str, restored))}
        return respond(call, 200, body, written.customer.version)

    return await explained(call, customer_id, unmerge_customer(call.hub, call.command, customer_id, read, render))
