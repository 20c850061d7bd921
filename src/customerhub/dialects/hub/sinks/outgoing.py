"""What is on its way to a sink, sending it once more, what mirrors know, and the metrics of all sinks."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, get_args
from uuid import UUID

from pydantic import TypeAdapter

from customerhub.core import deliveries as core
from customerhub.core.deliveries import DeliveryStatus, Replay
from customerhub.core.metrics import CONTENT_TYPE, get_metrics
from customerhub.dialects.hub.administration.common import get_id, read_body, to_command
from customerhub.dialects.hub.answers import respond
from customerhub.dialects.hub.paging import DEFAULT_LIMIT, MAX_LIMIT, QueryReader
from customerhub.dialects.hub.sinks import wire
from customerhub.dialects.hub.sinks.show import to_delivery, to_delivery_record, to_synced
from customerhub.dialects.hub.wire import is_uuid
from customerhub.model.answer import Answer
from customerhub.model.error import FieldError, NotFound
from customerhub.store.sinks import Sink
from customerhub.web.operation import Call

_KIND: Final = "sink"
_STATUSES: Final[tuple[DeliveryStatus, ...]] = get_args(DeliveryStatus)
_POSITION: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_CHOICES: Final = ("deliveries", "dead", "from", "all")
_REPLAY: Final[TypeAdapter[object]] = TypeAdapter(wire.ReplayBody)


async def list_page(call: Call) -> Answer:
    """`GET /hub/v1/sinks/{id}/deliveries`: 200 with a page, the newest first, by the position in the feed."""
    reader = QueryReader(call.query, tuple(wire.DeliveryListQuery.__annotations__))
    sink_id = get_id(call, _KIND)
    limit = reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT)
    status = reader.choice("status", _STATUSES, _STATUSES[0]) if "status" in call.query else None
    after = _read_after(reader, call.query.get("after"), _POSITION.fullmatch)
    customers = reader.uuids("customer")
    if customers is not None and len(customers) > 1:
        reader.refuse("customer", "must be one UUID")
    reader.check()
    found = await core.list_deliveries(
        call.hub,
        call.caller,
        sink_id,
        int(after) if after is not None else None,
        limit,
        status=status,
        customer=UUID(customers[0]) if customers else None,
    )
    end = str(found[-1].position) if len(found) == limit else None
    return respond(call, 200, {"data": [to_delivery(one) for one in found], "next": end})


async def get(call: Call) -> Answer:
    """`GET /hub/v1/sinks/{id}/deliveries/{delivery}`: 200 with the attempts and the change that it tells of."""
    sink_id, text = get_id(call, _KIND), call.path["delivery"]
    if not is_uuid(text):
        raise NotFound("delivery", text)
    view = await core.get_delivery(call.hub, call.caller, sink_id, UUID(text))
    return respond(call, 200, to_delivery_record(view))


async def replay(call: Call) -> Answer:
    """`POST /hub/v1/sinks/{id}/replay`: 200 with how many, and where to go on."""

    def decide(before: Sink) -> Replay:
        del before
        reading = read_body(call, wire.ReplayBody, _REPLAY)
        named = [name for name in call.json_object() if name in _CHOICES]
        return _to_replay(reading.values, named, tuple(reading.errors))

    def render(replayed: core.Replayed) -> Answer:
        body = {"replayed": replayed.count, "is_complete": replayed.is_complete, "next": replayed.next}
        return respond(call, 200, body, replayed.sink.version)

    return await core.replay(call.hub, to_command(call), get_id(call, _KIND), decide, render)


async def list_synced(call: Call) -> Answer:
    """`GET /hub/v1/sinks/{id}/customers`: 200 with what a mirror knows, in the order of the customers' ids."""
    reader = QueryReader(call.query, tuple(wire.SyncListQuery.__annotations__))
    sink_id = get_id(call, _KIND)
    limit = reader.integer("limit", DEFAULT_LIMIT, MAX_LIMIT)
    troubled_only = reader.flag("troubled") or False
    after = _read_after(reader, call.query.get("after"), is_uuid)
    reader.check()
    place = UUID(after) if after is not None else None
    found = await core.list_synced(call.hub, call.caller, sink_id, place, limit, troubled_only=troubled_only)
    end = str(found[-1].customer) if len(found) == limit else None
    return respond(call, 200, {"data": [to_synced(one) for one in found], "next": end})


async def read_metrics(call: Call) -> Answer:
    """`GET /hub/v1/metrics`: 200 in the text format of Prometheus, about every team."""
    return Answer(200, await get_metrics(call.hub, call.caller), (("content-type", CONTENT_TYPE),))


def _read_after(reader: QueryReader, sent: str | None, is_one: Callable[[str], object]) -> str | None:
    if not sent:
        return None
    if is_one(sent):
        return sent
    reader.refuse("after", "must be what a page of this list has given as next")
    return None


def _to_replay(
    values: Mapping[str, Any],  # Any: JSON, checked
    named: Sequence[str],
    errors: tuple[FieldError, ...],
) -> Replay:
    errors = (*errors, *_find_errors(values, named))
    if errors:
        return Replay(errors=errors)
    if "deliveries" in values:
        return Replay(ids=tuple(map(UUID, values["deliveries"])))
    if "dead" in values:
        return Replay(dead=True)
    return Replay(first=values.get("from", 1), **({"last": values["until"]} if "until" in values else {}))


def _find_errors(values: Mapping[str, Any], named: Sequence[str]) -> Iterator[FieldError]:  # Any: JSON, checked
    """Exactly one thing must be asked for."""
    if not named:
        yield FieldError((), "required", f"must have one of {', '.join(_CHOICES)}")
    for name in named[1:]:
        yield FieldError((name,), "ambiguous", f"does not go together with {named[0]}")
    for name in ("dead", "all"):
        if values.get(name) is False:
            yield FieldError((name,), "enum", "must be true")
    if "until" in values and "from" not in named:
        yield FieldError(("until",), "ambiguous", "goes together with from only")
    elif values.get("until", 1 << 63) < values.get("from", 1):
        yield FieldError(("until",), "range", "must not stand before from")
