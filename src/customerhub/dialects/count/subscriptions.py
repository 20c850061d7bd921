"""`/partners/webhooks`: who is to be told of customer events; the secret is never shown."""

import msgspec
from pydantic import TypeAdapter

from customerhub.core import subscriptions as core
from customerhub.core.subscriptions import Subscription, SubscriptionPatch, SubscriptionProposal
from customerhub.dialects.count import wire
from customerhub.dialects.count.customers import get_id, respond
from customerhub.dialects.count.read import Body, check
from customerhub.dialects.count.show import Shown, to_time
from customerhub.model.answer import Answer
from customerhub.model.error import FieldError
from customerhub.web.callback import find_callback_fault
from customerhub.web.operation import Call

_CHECK_BODY: TypeAdapter[object] = TypeAdapter(wire.WebhookBody)
_CHECK_EDIT: TypeAdapter[object] = TypeAdapter(wire.WebhookEdit)
_FIELDS = {"event": "event", "callbackUrl": "url", "signingSecret": "secret", "status": "status"}
_INTERNAL = ("uuid", "id", "hasSigningSecret", "createdAt", "updatedAt")


def to_webhook(subscription: Subscription) -> Shown:
    """A subscription."""
    return {
        "uuid": str(subscription.id),
        "event": subscription.event,
        "callbackUrl": subscription.url,
        "status": subscription.status,
        "hasSigningSecret": subscription.secret is not None,
        "createdAt": to_time(subscription.created_at),
        "updatedAt": to_time(subscription.updated_at),
    }


async def list_all(call: Call) -> Answer:
    """`GET /partners/webhooks`: 200 with all of the team."""
    found = await core.list_subscriptions(call.hub, call.caller)
    return respond(call, 200, "Webhooks retrieved", {"webhooks": list(map(to_webhook, found))})


async def create(call: Call) -> Answer:
    """`POST /partners/webhooks`: 201."""
    fault = await _find_fault(call)

    def decide(before: Subscription | None) -> SubscriptionProposal:
        return _propose(call, _CHECK_BODY, before, fault)

    def render(subscription: Subscription) -> Answer:
        return _respond(call, 201, "Webhook created successfully", subscription)

    return await core.create_subscription(call.hub, call.command, decide, render)


async def update(call: Call) -> Answer:
    """`PATCH /partners/webhooks/{uuid}`: 200; members left out stay, a null secret takes it away."""
    fault = await _find_fault(call)

    def decide(before: Subscription | None) -> SubscriptionProposal:
        return _propose(call, _CHECK_EDIT, before, fault)

    def render(subscription: Subscription) -> Answer:
        return _respond(call, 200, "Webhook updated successfully", subscription)

    return await core.update_subscription(call.hub, call.command, get_id(call), decide, render)


async def delete(call: Call) -> Answer:
    """`DELETE /partners/webhooks/{uuid}`: 200 with its id; twice is 404."""

    def render(subscription: Subscription) -> Answer:
        gone = {"uuid": str(subscription.id), "id": str(subscription.id)}
        return respond(call, 200, "Webhook deleted successfully", gone)

    return await core.delete_subscription(call.hub, call.command, get_id(call), render)


def _respond(call: Call, status: int, message: str, subscription: Subscription) -> Answer:
    return respond(call, status, message, {"webhook": to_webhook(subscription)}, subscription.version)


async def _find_fault(call: Call) -> str | None:
    """What is wrong with where the callback leads; looked up before any transaction begins."""
    url = call.json_object().get("callbackUrl")
    if not isinstance(url, str) or not url.strip():
        return None
    return await find_callback_fault(url, allows_private=call.hub.settings.private_callbacks)


def _propose(
    call: Call, adapter: TypeAdapter[object], before: Subscription | None, fault: str | None
) -> SubscriptionProposal:
    raw: Body = call.json_object()
    shown = to_webhook(before) if before is not None else {}
    draft = check(adapter, raw, shown)
    draft.note_others(raw, (), _FIELDS, _INTERNAL, refuses_unknown=False)
    call.command.ignored[:] = [warned.field for warned in draft.warnings]
    is_new = before is None or raw.get("callbackUrl") != before.url
    if fault is not None and is_new and not any(error.path == ("callbackUrl",) for error in draft.errors):
        draft.errors.append(FieldError(("callbackUrl",), "invalid_url", fault))
    if draft.errors:
        return SubscriptionProposal(SubscriptionPatch(), tuple(draft.errors))
    fields = {field: raw[member] for member, field in _FIELDS.items() if member in raw}
    return SubscriptionProposal(msgspec.convert(fields, SubscriptionPatch))
