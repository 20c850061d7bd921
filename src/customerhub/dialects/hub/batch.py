"""`/hub/v1/customers:batch`: up to 1,000 creations, updates, deletions and restorations in one request."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import UUID

import msgspec

from customerhub.core import customers as core
from customerhub.core.batch import Batch, Row, run_batch
from customerhub.core.command import Command
from customerhub.core.customers import Proposal, Written
from customerhub.core.hub import Hub
from customerhub.core.timeline import restore_customer
from customerhub.dialects.hub import errors
from customerhub.dialects.hub.answers import Report, respond, to_report
from customerhub.dialects.hub.canonical import Shown
from customerhub.dialects.hub.customers import NUMBERS, note
from customerhub.dialects.hub.explain import explained
from customerhub.dialects.hub.fields import Reading
from customerhub.dialects.hub.operations import Asked, InvalidOperation, read_envelope, read_operation
from customerhub.dialects.hub.patches import from_body, from_json_patch, from_list_aware, from_merge_patch
from customerhub.model.answer import Answer, IfMatch
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import (
    MAX_ERRORS,
    FieldError,
    HubError,
    Invalid,
    Path,
    dotted,
)
from customerhub.web.operation import Call
from customerhub.web.origin import Origin

_FIRST_FAILURE: Final = 300
_MOVED: Final = 301
_UNDONE: Final = 424
# Failures of what a row says itself; those of what it met are conflicts.
_OF_THE_REQUEST: Final = frozenset((400, 422, 428))
_IGNORED: Final = "customerhub-ignored"
_FORMS: Final[Mapping[str, Callable[[Any, Customer, Catalogue, Callable[[], UUID]], Reading]]] = {  # Any: as checked
    "list-aware": from_list_aware,
    "merge": from_merge_patch,
    "json-patch": from_json_patch,
}


async def run(call: Call) -> Answer:
    """`POST /hub/v1/customers:batch`: 200 with one result for each operation, even where all of them failed.

    With `atomic` 409 or 422 where one fails, and nothing is stored.
    """

    def read() -> Batch:
        sent = read_envelope(call.json_object())
        rows = [_to_row(call, position, raw) for position, raw in enumerate(sent.operations)]
        undone = _to_undone(call) if sent.is_atomic else None
        return Batch(rows, _Failures(call, rows).to_answer, partial(_render, call, sent.is_atomic), undone)

    return await run_batch(call.hub, call.command, read)


def _to_row(call: Call, position: int, raw: object) -> Row:
    try:
        asked = read_operation(raw)
    except InvalidOperation as error:
        refusal = error

        async def refuse(hub: Hub, command: Command) -> Answer:
            del hub, command
            raise refusal

        return Row(refuse)

    async def run_one(hub: Hub, command: Command) -> Answer:
        if asked.if_match is not None:
            if_match = IfMatch(frozenset((asked.if_match,)))
            command.guards = msgspec.structs.replace(command.guards, if_match=if_match)
        return await _RUN[asked.op](replace(call, hub=hub, command=command), asked, position)

    return Row(run_one, asked.id, asked.op == "create" and "number" not in asked.patch)


async def _create(call: Call, asked: Asked, position: int) -> Answer:
    report = Report()

    def decide(catalogue: Catalogue) -> Proposal:
        return note(call, report, from_body(asked.patch, catalogue, call.hub.new_id))

    render = partial(_render_row, 201, position, report)
    return await core.create_customer(call.hub, call.command, decide, render, NUMBERS)


async def _update(call: Call, asked: Asked, position: int) -> Answer:
    report = Report()

    def read(customer: Customer, catalogue: Catalogue) -> Reading:
        return _FORMS[asked.form](asked.patch, customer, catalogue, call.hub.new_id)

    def decide(customer: Customer, catalogue: Catalogue) -> Proposal:
        return note(call, report, read(customer, catalogue))

    render = partial(_render_row, 200, position, report)
    work = core.update_customer(call.hub, call.command, asked.id, decide, render)
    return await explained(call, _id_of(asked), work, lambda *base: read(*base).proposal)


async def _delete(call: Call, asked: Asked, position: int) -> Answer:
    render = partial(_render_row, 200, position, Report())
    return await explained(call, _id_of(asked), core.delete_customer(call.hub, call.command, asked.id, render))


async def _restore(call: Call, asked: Asked, position: int) -> Answer:
    render = partial(_render_row, 200, position, Report())
    return await restore_customer(call.hub, call.command, asked.id, render)


_RUN: Final[Mapping[str, Callable[[Call, Asked, int], Awaitable[Answer]]]] = {
    "create": _create,
    "update": _update,
    "delete": _delete,
    "restore": _restore,
}


def _id_of(asked: Asked) -> UUID:
    assert asked.id is not None  # noqa: S101 - an operation without one is refused before
    return asked.id


def _render_row(status: int, position: int, report: Report, written: Written) -> Answer:
    """What came of a row; the headers tell the batch what of it was ignored."""
    customer, told = written.customer, to_report(written, report)
    body = {"id": str(customer.id), "version": customer.version, **told}
    body["ignored"] = [errors.to_pointer(_placed(path, position)) for path in report.ignored]
    ignored = tuple((_IGNORED, dotted(_placed(path, position))) for path in report.ignored)
    return Answer(status, msgspec.json.encode(body), ignored)


def _placed(path: Path, position: int) -> Path:
    """A place in a patch as one in the request."""
    if path[:1] == ("credit_limit_unit",):
        path = ("credit_limit", "unit", *path[1:])
    return ("operations", position, "patch", *path)


class _Failures:
    """How failed rows are told; of all wrong values together so many, as of one customer.

    With the id of the customer they are about: by it an erasure finds what a kept answer says of one.
    """

    def __init__(self, call: Call, rows: Sequence[Row]) -> None:
        self._origin = Origin(call.command.request_id)
        self._rows = rows
        self._told = 0

    def to_answer(self, position: int, error: HubError) -> Answer:
        """A row's failure, by the places of what is wrong in the request."""
        if isinstance(error, errors.Moved):
            return Answer(_MOVED, msgspec.json.encode({"id": error.id, "merged_into": str(error.new)}))
        if isinstance(error, InvalidOperation):
            error = _with_errors(error, lambda path: ("operations", position, *path))
        elif isinstance(error, Invalid | errors.TestFailed):
            error = _with_errors(error, lambda path: _placed(path, position))
        if isinstance(error, Invalid):
            self._told += len(error.errors)
            if self._told > MAX_ERRORS:
                reason = f"is wrong: the batch has more than {MAX_ERRORS} wrong values, which are not told apart"
                error = Invalid((FieldError(("operations", position), "too_many", reason),))
        status, problem = errors.to_problem(error, self._origin)
        about = self._rows[position].customer
        named = {"id": str(about)} if about is not None else {}
        return Answer(status, msgspec.json.encode({**named, "error": problem}))


def _with_errors(error: Invalid | errors.TestFailed, place: Callable[[Path], Path]) -> HubError:
    return type(error)(tuple(msgspec.structs.replace(one, path=place(one.path)) for one in error.errors))


def _render(call: Call, is_atomic: bool, answers: Sequence[Answer]) -> Answer:  # noqa: FBT001 - a part of a closure
    """The batch's answer; a failure where all or nothing was asked for and one of the rows failed."""
    call.command.ignored[:] = [value for answer in answers for name, value in answer.headers if name == _IGNORED]
    results: list[Shown] = [
        {"index": index, "status": answer.status, **msgspec.json.decode(answer.body, type=dict[str, msgspec.Raw])}
        for index, answer in enumerate(answers)
    ]
    if is_atomic:
        for index, answer in enumerate(answers):
            if answer.status >= _FIRST_FAILURE and answer.status != _UNDONE:
                return _to_refusal(call, index, answer, results)
    return respond(call, 200, {"results": results})


def _to_refusal(call: Call, index: int, answer: Answer, results: list[Shown]) -> Answer:
    """A batch of which nothing was done: the problem of the row that failed, and what became of all of them."""
    status = 422 if answer.status in _OF_THE_REQUEST else 409
    members = msgspec.json.decode(answer.body)
    failed = members.get("error", {"detail": f"This customer went into {members.get('merged_into')}.", "errors": []})
    problem: Shown = {
        "type": f"{errors.TYPE}batch-undone",
        "title": "Nothing was done, since an operation failed",
        "status": status,
        "detail": f"Operation {index}: {failed['detail']}",
        "instance": errors.INSTANCE + call.command.request_id,
        "errors": failed["errors"],
        "request_id": call.command.request_id,
        "results": results,
    }
    return Answer(status, msgspec.json.encode(problem), (("content-type", errors.PROBLEM_JSON),))


def _to_undone(call: Call) -> Answer:
    """What is told of every other row."""
    problem: Shown = {
        "type": f"{errors.TYPE}undone",
        "title": "Not done",
        "status": _UNDONE,
        "detail": "Another operation of the batch failed.",
        "instance": errors.INSTANCE + call.command.request_id,
        "errors": [],
        "request_id": call.command.request_id,
    }
    return Answer(_UNDONE, msgspec.json.encode({"error": problem}))
