"""`/partners/webhooks`: who is to be told of customer events; the secret is never shown."""

from typing import Final

import msgspec
from pydantic import TypeAdapter

from customerhub.core import sinks as core
from customerhub.core.sinks import NewSink, Sink, SinkPatch, SinkProposal
from customerhub.dialects.count import wire
from customerhub.dialects.count.customers import get_id, respond
from customerhub.dialects.count.read import Body, check
from customerhub.dialects.count.show import Shown, to_time
from customerhub.dialects.count.webhooks import CountWebhooks
from customerhub.model.answer import Answer
from customerhub.model.error import FieldError
from customerhub.web.callback import find_callback_fault
from customerhub.web.operation import Call

_CHECK_BODY: TypeAdapter[object] = TypeAdapter(wire.WebhookBody)
_CHECK_EDIT: TypeAdapter[object] = TypeAdapter(wire.WebhookEdit)
# Paused is told nothing of what happens meanwhile, not later either: an event goes to those who are active then.
_NEW = NewSink("webhook", "count", holds=False)
_FIELDS = {"event": "event", "callbackUrl": "url", "signingSecret": "secret", "status": "status"}
_FORM: Final = CountWebhooks()
_INTERNAL = ("uuid", "id", "hasSigningSecret", "createdAt", "updatedAt")


def to_webhook(sink: Sink) -> Shown:
    """A sink as the subscription that it is here: to one event."""
    return {
        "uuid": str(sink.id),
        "event": sink.events[0],
        "callbackUrl": sink.url,
        "status": sink.status,
        "hasSigningSecret": sink.secret is not None,
        "createdAt": to_time(sink.created_at),
        "updatedAt": to_time(sink.updated_at),
    }


async def list_all(call: Call) -> Answer:
    """`GET /partners/webhooks`: 200 with all of the team."""
    found = await core.list_sinks(call.hub, call.caller, call.caller.dialect)
    return respond(call, 200, "Webhooks retrieved", {"webhooks": [to_webhook(view.sink) for view in found]})


async def create(call: Call) -> Answer:
    """`POST /partners/webhooks`: 201."""
    fault = await _find_fault(call)

    def decide(before: Sink | None) -> SinkProposal:
        return _propose(call, _CHECK_BODY, before, fault)

    def render(sink: Sink) -> Answer:
        return _respond(call, 201, "Webhook created successfully", sink)

    return await core.create_sink(call.hub, call.command, _NEW, decide, render)


async def update(call: Call) -> Answer:
    """`PATCH /partners/webhooks/{uuid}`: 200; members left out stay, a null secret takes it away."""
    fault = await _find_fault(call)

    def decide(before: Sink | None) -> SinkProposal:
        return _propose(call, _CHECK_EDIT, before, fault)

    def render(sink: Sink) -> Answer:
        return _respond(call, 200, "Webhook updated successfully", sink)

    return await core.update_sink(call.hub, call.command, get_id(call), decide, render, only_own=True)


async def delete(call: Call) -> Answer:
    """`DELETE /partners/webhooks/{uuid}`: 200 with its id; twice is 404."""

    def render(sink: Sink) -> Answer:
        gone = {"uuid": str(sink.id), "id": str(sink.id)}
        return respond(call, 200, "Webhook deleted successfully", gone)

    return await core.delete_sink(call.hub, call.command, get_id(call), render, only_own=True)


def _respond(call: Call, status: int, message: str, sink: Sink) -> Answer:
    return respond(call, status, message, {"webhook": to_webhook(sink)}, sink.version)


async def _find_fault(call: Call) -> str | None:
    """What is wrong with where the callback leads; looked up before any transaction begins."""
    url = call.json_object().get("callbackUrl")
    if not isinstance(url, str) or not url.strip():
        return None
    return await find_callback_fault(url, allows_private=call.hub.settings.private_callbacks)


def _propose(call: Call, adapter: TypeAdapter[object], before: Sink | None, fault: str | None) -> SinkProposal:
    raw: Body = call.json_object()
    shown = to_webhook(before) if before is not None else {}
    draft = check(adapter, raw, shown)
    draft.note_others(raw, (), _FIELDS, _INTERNAL, refuses_unknown=False)
    call.command.ignored[:] = [warned.field for warned in draft.warnings]
    is_new = before is None or raw.get("callbackUrl") != before.url
    if fault is not None and is_new and not any(error.path == ("callbackUrl",) for error in draft.errors):
        draft.errors.append(FieldError(("callbackUrl",), "invalid_url", fault))
    if draft.errors:
        return SinkProposal(SinkPatch(), tuple(draft.errors))
    fields = {field: raw[member] for member, field in _FIELDS.items() if member in raw}
    event = fields.pop("event", None)
    if isinstance(event, str):
        fields |= {"events": (event,), "types": _FORM.to_types((event,))}
    return SinkProposal(msgspec.convert(fields, SinkPatch))
