"""Sinks, deliveries and what came of them as this API shows them."""

from datetime import datetime
from typing import Final

import msgspec

from customerhub.core.deliveries import Attempt, Delivery, DeliveryView, Sync
from customerhub.core.outgoing import Exchange, Verdict
from customerhub.core.sinks import Sink, SinkView
from customerhub.dialects.hub.canonical import Shown, to_time, to_value

_PLAIN: Final = ("kind", "dialect", "name", "url", "form", "events", "fields", "config")
_HEALTH: Final = ("failures", "failing_since", "resume_at", "succeeded_at")
_COUNTS: Final = ("delivered", "superseded", "skipped", "retried", "dead")
_STRIPE: Final = "stripe"


def to_sink(sink: Sink, now: datetime) -> Shown:
    """A sink; of its secrets only whether there is one."""
    until = sink.former_until
    return {
        "id": str(sink.id),
        "version": sink.version,
        "created_at": to_time(sink.created_at),
        "updated_at": to_time(sink.updated_at),
        **{name: getattr(sink, name) for name in _PLAIN},
        "has_secret": sink.secret is not None,
        "former_until": to_time(until) if until is not None and until > now else None,
        "status": sink.status,
        "reason": sink.reason,
        "webhook_path": f"/stripe/webhook/{sink.id}" if sink.kind == _STRIPE else None,
    }


def to_record(view: SinkView, now: datetime) -> Shown:
    """A sink and how it fares."""
    state = view.state
    return {
        **to_sink(view.sink, now),
        "health": {
            **{name: to_value(getattr(state, name)) for name in _HEALTH},
            "waiting": view.waiting,
            "behind": view.behind,
            "oldest": to_value(view.oldest),
            **{name: getattr(state, name) for name in _COUNTS},
        },
    }


def to_verdict(verdict: Verdict) -> Shown:
    """What came of trying a sink."""
    exchange = verdict.exchange
    return {
        "is_good": verdict.is_good,
        "reason": verdict.reason,
        "exchange": to_exchange(exchange) if exchange is not None else None,
    }


def to_exchange(exchange: Exchange) -> Shown:
    """A request and its answer."""
    return msgspec.structs.asdict(exchange)


def to_delivery(delivery: Delivery) -> Shown:
    """A delivery, as lists show it."""
    return {
        "id": str(delivery.id),
        "type": delivery.type,
        "customer": str(delivery.customer),
        "version": delivery.version,
        "position": delivery.position,
        "at": to_time(delivery.at),
        "status": delivery.status,
        "reason": delivery.reason,
        "tries": delivery.attempts,
        "settled_at": to_value(delivery.settled_at),
    }


def to_delivery_record(view: DeliveryView) -> Shown:
    """A delivery with its attempts and the change that it tells of."""
    delivery, source = view.delivery, view.source
    shown = to_delivery(delivery)
    shown["attempts"] = [_to_attempt(attempt) for attempt in view.attempts]
    shown["change"] = None
    if source is not None:
        shown["change"] = {
            **{name: shown[name] for name in ("customer", "version", "position")},
            "actor": {"id": str(source.actor), "name": source.actor_name},
            "dialect": source.dialect,
            "request_id": source.request_id,
        }
    return shown


def _to_attempt(attempt: Attempt) -> Shown:
    exchanges = None
    if attempt.exchanges is not None:
        exchanges = [to_exchange(one) for one in msgspec.json.decode(attempt.exchanges, type=list[Exchange])]
    return {
        "number": attempt.number,
        "at": to_time(attempt.at),
        "seconds": attempt.seconds,
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "exchanges": exchanges,
    }


def to_synced(sync: Sync) -> Shown:
    """What a mirror knows of a customer."""
    return {
        "customer": str(sync.customer),
        "external_id": sync.external_id,
        "version": sync.version,
        "left_out": sync.left_out,
        "error": sync.error,
        "at": to_value(sync.at),
    }
