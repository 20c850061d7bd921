"""`/partners/customers/bulk`: up to 100 customers made or changed in one request, each of them on its own."""

from collections.abc import Callable, Sequence
from functools import partial

import msgspec
from pydantic import TypeAdapter

from customerhub.core import customers as core
from customerhub.core.batch import Batch, Row, run_batch
from customerhub.core.command import Command
from customerhub.core.customers import Proposal, Written
from customerhub.core.hub import Hub
from customerhub.dialects.count import convert, wire
from customerhub.dialects.count.customers import NUMBERS, check_body, find_id, respond, to_written
from customerhub.dialects.count.errors import to_text
from customerhub.dialects.count.read import Body, Warned, check
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import FieldError, HubError, Invalid, NotFound
from customerhub.web.operation import Call

_CHECK: TypeAdapter[object] = TypeAdapter(wire.BulkBody)
_FIRST_FAILURE = 400


async def create_many(call: Call) -> Answer:
    """`POST /partners/customers/bulk`: 201 with one result for each row, even where all of them failed."""
    return await _run(call, partial(_create_row, call))


async def update_many(call: Call) -> Answer:
    """`PATCH /partners/customers/bulk`: 201 too, as `create_many`; each row names its customer by `uuid`."""
    return await _run(call, partial(_update_row, call), changes_records=True)


async def _run(call: Call, to_row: Callable[[int, object], Row], *, changes_records: bool = False) -> Answer:
    def read() -> Batch:
        raw = call.json_object()
        rows = _read_rows(raw)
        call.command.ignored += (name for name in raw if name != "customers")
        return Batch([to_row(position, row) for position, row in enumerate(rows)], _to_row_failure, render)

    def render(answers: Sequence[Answer]) -> Answer:
        return respond(call, 201, "Batch accepted", _to_results(answers))

    return await run_batch(call.hub, call.command, read, changes_records=changes_records)


def _read_rows(raw: Body) -> list[object]:
    """The rows as sent; raises Invalid for an envelope that is none, or holds no row or too many."""
    rows = raw.get("customers")
    if isinstance(rows, list) and len(rows) > wire.MAX_ROWS:
        reason = f"has {len(rows)} rows: Bulk requests are capped at {wire.MAX_ROWS}"
        raise Invalid((FieldError(("customers",), "too_long", reason),))
    if rows == []:
        raise Invalid((FieldError(("customers",), "too_short", "must hold one row at least"),))
    draft = check(_CHECK, raw, {})
    if draft.errors or not isinstance(rows, list):
        raise Invalid(tuple(draft.errors))
    return rows


def _create_row(call: Call, position: int, raw: object) -> Row:
    async def run(hub: Hub, command: Command) -> Answer:
        body = _to_body(raw)
        warnings: list[Warned] = []

        def decide(catalogue: Catalogue) -> Proposal:
            proposal, warnings[:] = convert.to_new(body, catalogue, hub.new_id)
            command.ignored[:] = [warned.field for warned in warnings]
            return proposal

        def render(written: Written) -> Answer:
            return Answer(200, msgspec.json.encode(to_written(written, warnings)))

        return _note(call, position, warnings, await core.create_customer(hub, command, decide, render, NUMBERS))

    return Row(run, takes_number=True)


def _update_row(call: Call, position: int, raw: object) -> Row:
    customer_id = find_id(raw.get("uuid")) if isinstance(raw, dict) else None

    async def run(hub: Hub, command: Command) -> Answer:
        row = _to_body(raw)
        body = {name: value for name, value in row.items() if name != "uuid"}
        if customer_id is None:
            reason = "must be a UUID" if "uuid" in row else "is required"
            raise Invalid((FieldError(("uuid",), "invalid_uuid", reason),))
        warnings: list[Warned] = []

        def decide(customer: Customer, catalogue: Catalogue) -> Proposal:
            proposal, warnings[:] = convert.to_patch(body, customer, catalogue, hub.new_id)
            command.ignored[:] = [warned.field for warned in warnings]
            return proposal

        def render(written: Written) -> Answer:
            return Answer(200, msgspec.json.encode(to_written(written, warnings)))

        try:
            answer = await core.update_customer(hub, command, customer_id, decide, render)
            return _note(call, position, warnings, answer)
        except NotFound:
            check_body(body)
            raise

    return Row(run, customer_id)


def _to_body(row: object) -> Body:
    if not isinstance(row, dict):
        raise Invalid((FieldError(("row",), "invalid_type", "must be an object"),))
    return row


def _note(call: Call, position: int, warnings: list[Warned], answer: Answer) -> Answer:
    """The answer of a row; what a row that was done has ignored is named in the batch's answer too."""
    if answer.status < _FIRST_FAILURE:
        call.command.ignored += (f"customers[{position}].{warned.field}" for warned in warnings)
    return answer


def _to_row_failure(position: int, error: HubError) -> Answer:
    del position
    return Answer(_FIRST_FAILURE, msgspec.json.encode(to_text(error)))


def _to_results(answers: Sequence[Answer]) -> dict[str, object]:
    results: list[dict[str, object]] = []
    for index, answer in enumerate(answers):
        is_done = answer.status < _FIRST_FAILURE
        member = "customer" if is_done else "error"
        results.append({"index": index, "success": is_done, member: msgspec.Raw(answer.body)})
    failed = sum(not result["success"] for result in results)
    return {"successCount": len(results) - failed, "errorCount": failed, "results": results}
