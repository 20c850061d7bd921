"""`POST /hub/v1/customers/{id}/erase`: a person's values, out of everything that is kept."""

from typing import Annotated, Final, Required, cast

from pydantic import Field, TypeAdapter
from typing_extensions import TypedDict

from customerhub.core.erasure import Erased, Order, erase_customer
from customerhub.dialects.hub import models
from customerhub.dialects.hub.answers import Report, respond, to_envelope
from customerhub.dialects.hub.customers import get_id
from customerhub.dialects.hub.explain import explained
from customerhub.dialects.hub.read import read_closed
from customerhub.dialects.hub.wire import CONFIG, Id
from customerhub.model.answer import Answer
from customerhub.web.operation import Call

LONGEST_REASON: Final = 500


class EraseBody(TypedDict, total=False):
    """Which customer is meant, said once more, and why; the reason is kept, so it names nobody."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    confirm: Required[Annotated[str, Field(max_length=255, description="The customer's id or number.")]]
    reason: Annotated[str | None, Field(max_length=LONGEST_REASON)]


class ErasedAnswer(models.Written):
    """What is left, and all customers that were erased: this one and those that had gone into it."""

    erased: list[Id]


_CHECK: Final[TypeAdapter[object]] = TypeAdapter(EraseBody)


async def erase(call: Call) -> Answer:
    """200 with what is left of the customer; also of one that is deleted. Twice is a no-op."""
    customer_id = get_id(call)

    def read() -> Order:
        return to_order(call.json_object())

    def render(erased: Erased) -> Answer:
        body = {**to_envelope(erased.written, Report()), "erased": [str(one) for one in erased.customers]}
        return respond(call, 200, body, erased.written.customer.version)

    return await explained(call, customer_id, erase_customer(call.hub, call.command, customer_id, read, render))


def to_order(raw: dict[str, object]) -> Order:
    """What is asked for; raises Invalid."""
    body = read_closed(raw, _CHECK, EraseBody)
    return Order(cast("str", body["confirm"]), cast("str | None", body.get("reason")))
