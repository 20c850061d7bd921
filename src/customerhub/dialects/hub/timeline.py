"""What a customer was: its history, going back to a former version, bringing a deleted one back, the team's feed."""

import re
from typing import Final, cast
from uuid import UUID

from pydantic import TypeAdapter

from customerhub.core import timeline as core
from customerhub.core.customers import Written
from customerhub.core.timeline import HistoryEntry, HistoryFilter, Reversion
from customerhub.dialects.hub import wire
from customerhub.dialects.hub.answers import Report, respond, respond_written
from customerhub.dialects.hub.canonical import LIMIT_FIELDS, Shown, to_changes, to_time
from customerhub.dialects.hub.customers import get_id
from customerhub.dialects.hub.errors import InvalidQuery
from customerhub.dialects.hub.explain import explained
from customerhub.dialects.hub.json_patch import to_steps
from customerhub.dialects.hub.paging import DEFAULT_LIMIT, MAX_LIMIT, QueryReader, to_page, to_scope
from customerhub.dialects.hub.read import read_closed
from customerhub.model.answer import Answer
from customerhub.model.error import Invalid
from customerhub.web.operation import Call

MOST_WAIT: Final = 60
_LONGEST_NAME: Final = 255
_POSITION: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?", re.ASCII)
_CHECK_REVERT: Final[TypeAdapter[object]] = TypeAdapter(wire.RevertBody)


async def list_history(call: Call) -> Answer:
    """`GET /hub/v1/customers/{id}/history`: 200 with a page of its versions, the newest first; of deleted ones too."""
    reader = QueryReader(call.query, tuple(wire.HistoryQuery.__annotations__))
    customer_id = get_id(call)
    scope = to_scope(call, f"history {customer_id}")
    position, limit = reader.position(scope, "after"), reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT)
    actors = reader.uuids("actor")
    paths = reader.texts("path", MAX_LIMIT)
    which = HistoryFilter(
        actor=UUID(actors[0]) if actors else None,
        dialect=reader.text("dialect", _LONGEST_NAME),
        paths=tuple(path for sent in paths for path in to_record_paths(sent)) if paths is not None else None,
        since=reader.time("since"),
        until=reader.time("until"),
    )
    if actors is not None and len(actors) > 1:
        reader.refuse("actor", "must be one UUID")
    reader.check()
    window = await core.get_history(call.hub, call.caller, customer_id, position, limit, which)
    return respond(call, 200, to_page(scope, [to_entry(entry) for entry in window.items], window.after))


async def revert(call: Call) -> Answer:
    """`POST /hub/v1/customers/{id}/revert`: 200 with the customer as it was, as a new version."""
    customer_id, report = get_id(call), Report()

    def read() -> Reversion:
        reversion = to_reversion(call.json_object())
        report.named = [to_steps(path) for path in reversion.paths or ()]
        paths = reversion.paths
        if paths is not None:
            paths = tuple(to_record_paths(path)[0] for path in paths)
        return Reversion(reversion.version, paths)

    def render(written: Written) -> Answer:
        return respond_written(call, 200, written, report)

    return await explained(call, customer_id, core.revert_customer(call.hub, call.command, customer_id, read, render))


async def restore(call: Call) -> Answer:
    """`POST /hub/v1/customers/{id}/restore`: 200 with the customer, back as it was before it was deleted."""

    def render(written: Written) -> Answer:
        return respond_written(call, 200, written, Report())

    return await core.restore_customer(call.hub, call.command, get_id(call), render)


async def list_changes(call: Call) -> Answer:
    """`GET /hub/v1/changes`: 200 with the team's changes after a position, the oldest first; waits if asked to."""
    reader = QueryReader(call.query, tuple(wire.ChangesQuery.__annotations__))
    after, wait = call.query.get("after", "0"), call.query.get("wait", "0")
    limit = reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT)
    if not _POSITION.fullmatch(after):
        reader.refuse("after", "must be a position that this feed has given, or 0")
    if not _SECONDS.fullmatch(wait) or float(wait) > MOST_WAIT:
        reader.refuse("wait", f"must be seconds, from 0 to {MOST_WAIT}")
    reader.check()
    try:
        feed = await core.walk_changes(call.hub, call.caller, int(after), limit, float(wait))
    except Invalid as error:
        raise InvalidQuery(error.errors) from error
    rows = [
        {"position": found.position, "customer": str(found.entry.customer), **to_entry(found.entry)}
        for found in feed.entries
    ]
    return respond(call, 200, {"data": rows, "next": feed.next})


def to_entry(entry: HistoryEntry) -> Shown:
    """One version, with what it changed in the terms of the canonical form."""
    return {
        "version": entry.version,
        "at": to_time(entry.at),
        "action": entry.action,
        "actor": {"id": str(entry.actor), "name": entry.actor_name},
        "dialect": entry.dialect,
        "request_id": entry.request_id,
        "changes": to_changes(entry.changes),
        "ignored": list(entry.ignored),
    }


def to_reversion(raw: dict[str, object]) -> Reversion:
    """The version to go back to and the places that shall; raises Invalid."""
    body = read_closed(raw, _CHECK_REVERT, wire.RevertBody)
    paths = cast("list[str] | None", body.get("paths"))
    return Reversion(cast("int", body["version"]), tuple(paths) if paths is not None else None)


def to_record_paths(path: str) -> tuple[str, ...]:
    """A place in the canonical form as places in the record, whose limit is two fields."""
    whole, *inner = to_steps(path) or ("",)
    if whole != "credit_limit":
        return (path,)
    fields = [field for field, member in LIMIT_FIELDS.items() if member is not None and inner in ([], [member])]
    return tuple(f"/{field}" for field in fields) or (path,)
