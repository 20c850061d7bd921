"""`/hub/v1/sinks`: where a team's changes go."""

from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from pydantic import TypeAdapter

from customerhub.core import deliveries
from customerhub.core import sinks as core
from customerhub.core.outgoing import Verdict
from customerhub.core.sinks import NewSink, Sink, SinkPatch, SinkProposal
from customerhub.dialects.hub.administration.common import (
    Reading,
    Trace,
    get_id,
    list_rows,
    read_body,
    respond_written,
    to_command,
)
from customerhub.dialects.hub.answers import VERSION, respond
from customerhub.dialects.hub.sinks import wire
from customerhub.dialects.hub.sinks.kinds import find_ways
from customerhub.dialects.hub.sinks.show import to_record, to_sink, to_verdict
from customerhub.model.answer import Answer
from customerhub.model.error import Malformed, in_order
from customerhub.store.sinks import SinkKind
from customerhub.web.operation import Call
from customerhub.web.sink_request import (
    REACHING,
    WEBHOOK,
    Asked,
    choose_secret,
    find_faults,
    make_secret,
    to_patch,
    to_trial,
)

SINKS: Final = f"{VERSION}/sinks"
_KIND: Final = "sink"
_KINDS: Final[tuple[SinkKind, ...]] = get_args(SinkKind)
_CREATION: Final[TypeAdapter[object]] = TypeAdapter(wire.NewSinkBody)
_CHANGE: Final[TypeAdapter[object]] = TypeAdapter(wire.SinkBody)
_ROTATION: Final[TypeAdapter[object]] = TypeAdapter(wire.SinkRotationBody)


async def list_page(call: Call) -> Answer:
    """`GET /hub/v1/sinks`: 200 with a page, the newest first."""
    views = {view.sink.id: view for view in await core.list_sinks(call.hub, call.caller)}
    now = call.hub.now()
    sinks = [view.sink for view in views.values()]
    return list_rows(call, "sinks", sinks, lambda sink: to_record(views[sink.id], now))


async def get(call: Call) -> Answer:
    """`GET /hub/v1/sinks/{id}`: 200; whole in any case, since how it fares moves no version."""
    view = await core.get_sink(call.hub, call.caller, get_id(call, _KIND))
    return respond(call, 200, to_record(view, call.hub.now()), view.sink.version)


async def create(call: Call) -> Answer:
    """`POST /hub/v1/sinks`: 201 with the secret that the hub made, if it made one, this once."""
    sent = _peek(call)
    kind, form = _to_kind(sent), _to_form(sent)
    made = make_secret(find_ways(), kind, form) if "secret" not in sent else None
    faults = await _find_faults(call, sent, wire.NewSinkBody, _CREATION)
    reached: list[str] = []

    def decide(before: Sink | None) -> SinkProposal:
        reading = read_body(call, wire.NewSinkBody, _CREATION)
        reached[:] = [name for name in REACHING if name in reading.values]
        asked = Asked(find_ways(), kind, form, reading.values, before, faults, made)
        return _propose(call, asked, reading, is_secret=made is not None)

    def render(sink: Sink) -> Answer:
        shown, secrets = to_sink(sink, call.hub.now()), {"secret": made} if made is not None else {}
        return respond_written(call, 201, "sink", shown, sink.version, Trace(), secrets=secrets)

    new = NewSink(kind, form)
    return await core.create_sink(call.hub, to_command(call), new, decide, render, trial=to_trial(reached))


async def update(call: Call) -> Answer:
    """`PATCH /hub/v1/sinks/{id}`: 200 with the sink; what leads to it or signs it is tried at once."""
    sent, trace = _peek(call), Trace()
    faults = await _find_faults(call, sent, wire.SinkBody, _CHANGE)
    reached = [name for name in REACHING if name in sent]

    def decide(before: Sink | None) -> SinkProposal:
        # Only a new one is not there before.
        sink = cast("Sink", before)
        reading = read_body(call, wire.SinkBody, _CHANGE)
        trace.before, trace.named = to_sink(sink, call.hub.now()), tuple(reading.values)
        return _propose(call, Asked(find_ways(), sink.kind, sink.form, reading.values, sink, faults), reading)

    def render(sink: Sink) -> Answer:
        return _respond(call, sink, trace)

    trial = to_trial(reached) if reached else None
    sink_id = get_id(call, _KIND)
    return await core.update_sink(call.hub, to_command(call), sink_id, decide, render, trial=trial)


async def delete(call: Call) -> Answer:
    """`DELETE /hub/v1/sinks/{id}`: 200 with the sink as it was last; what is on its way to it goes nowhere."""

    def render(sink: Sink) -> Answer:
        return _respond(call, sink, Trace(to_sink(sink, call.hub.now())))

    return await core.delete_sink(call.hub, to_command(call), get_id(call, _KIND), render)


async def rotate(call: Call) -> Answer:
    """`POST /hub/v1/sinks/{id}/rotate`: 200 with the new secret, this once."""
    trace, secrets = Trace(), dict[str, str]()

    def decide(before: Sink | None) -> SinkProposal:
        sink = cast("Sink", before)
        reading = read_body(call, wire.SinkRotationBody, _ROTATION)
        trace.before = to_sink(sink, call.hub.now())
        secret, found = choose_secret(find_ways(), sink, reading.values.get("secret") or secrets.get("secret"))
        errors = [*reading.errors, *found]
        if secret is None or errors:
            return SinkProposal(SinkPatch(), in_order(errors, call.json_object()))
        secrets["secret"] = secret
        patch = SinkPatch(secret=secret, overlap_seconds=reading.values.get("overlap_seconds", 0))
        return SinkProposal(patch, is_secret=True)

    def render(sink: Sink) -> Answer:
        return _respond(call, sink, trace, secrets=secrets)

    return await core.update_sink(call.hub, to_command(call), get_id(call, _KIND), decide, render)


async def verify(call: Call) -> Answer:
    """`POST /hub/v1/sinks/{id}/verify`: 200, whether it went well or not."""

    def render(sink: Sink, verdict: Verdict) -> Answer:
        return respond(call, 200, to_verdict(verdict), sink.version)

    return await deliveries.verify_sink(call.hub, to_command(call), get_id(call, _KIND), render)


def _respond(call: Call, sink: Sink, trace: Trace, **more: object) -> Answer:
    shown = to_sink(sink, call.hub.now())
    # Of a secret it is told that it was named, and nowhere whether it is the one that stood.
    trace.named = [name for name in trace.named if name in shown]
    return respond_written(call, 200, _KIND, shown, sink.version, trace, **more)


def _propose(call: Call, asked: Asked, reading: Reading, *, is_secret: bool = False) -> SinkProposal:
    patch, errors = to_patch(call.hub, asked)
    return SinkProposal(patch, in_order((*reading.errors, *errors), call.json_object()), is_secret=is_secret)


def _peek(call: Call) -> Mapping[str, Any]:  # Any: JSON, unchecked
    """The body before anything of it is checked; whoever reads it in turn says what is wrong with it."""
    try:
        return call.json_object()
    except Malformed:
        return {}


def _to_kind(sent: Mapping[str, object]) -> SinkKind:
    return next((kind for kind in _KINDS if kind == sent.get("kind")), WEBHOOK)


def _to_form(sent: Mapping[str, object]) -> str:
    form = sent.get("form")
    if isinstance(form, str):
        return form
    return find_ways().own if _to_kind(sent) == WEBHOOK else ""


async def _find_faults(
    call: Call, sent: Mapping[str, object], model: type[object], adapter: TypeAdapter[object]
) -> dict[str, str]:
    if "url" not in sent and "api_base" not in sent:
        return {}
    return await find_faults(call.hub, sent, is_refused=bool(read_body(call, model, adapter).errors))
