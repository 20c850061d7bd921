"""Tell receivers: every message in the words of its sink's dialect, one after the other, and what came of each."""

import ssl
import time
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from typing_extensions import override

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Carrier, Exchange, Outcome, Sink, Told, Verdict
from customerhub.core.sinks import find_secrets
from customerhub.dialects.base import find_dialects
from customerhub.model.change import touches
from customerhub.sinks.exchange import Reply, exchange
from customerhub.sinks.outbound import Clients, Resolve, create_client
from customerhub.web.webhook import WebhookForm, WebhookRequest

_CONCURRENCY: Final = 4
# No further message of one event is begun after this: whoever waits for the attempt to end has other customers too.
_ATTEMPT_SECONDS: Final = 25.0
_GONE: Final = 410
_TOO_MANY: Final = 429
_REDIRECTS: Final = range(300, 400)
_SERVER_FAULTS: Final = 500
_ASK_TO_WAIT: Final = (_TOO_MANY, 502, 503, 504)
# These say something of the receiver or of the way to it (no access, no such path), not of one message.
_OF_SINK: Final = frozenset((401, 403, 404, 405, 407, 408, 421, 425, _TOO_MANY))
_UPDATED: Final = "customer.updated"
# The only places of the record whose names are not those that its readers know.
_PLACES: Final = {"/credit_limit": "/credit_limit/value", "/credit_limit_unit": "/credit_limit/unit"}


class WebhookCarrier(Carrier):
    """POST requests to URLs of teams, in order per customer."""

    def __init__(self, *, resolve: Resolve | None = None, certificates: ssl.SSLContext | None = None) -> None:
        self._clients = Clients(
            lambda allows_private: create_client(
                allows_private=allows_private, resolve=resolve, certificates=certificates
            )
        )
        self._forms: Mapping[str, WebhookForm] = {
            dialect.name: form for dialect in find_dialects() if (form := dialect.webhook_form) is not None
        }

    @property
    @override
    def is_mirror(self) -> bool:
        return False

    @property
    @override
    def concurrency(self) -> int:
        return _CONCURRENCY

    @override
    def schedule(self, sink: Sink) -> tuple[float, ...]:
        form = self._forms.get(sink.form)
        return form.schedule if form is not None else ()

    @override
    async def tell(self, hub: Hub, sink: Sink, told: Told) -> Outcome:
        form = self._forms.get(sink.form)
        if form is None:
            return Outcome("refused", f"no messages are known in the words of {sink.form!r}", parts=told.parts)
        if not concerns(sink.fields, told):
            return Outcome("skipped", "nothing changed at the places that it asked for")
        requests = form.to_requests(sink, told, find_secrets(hub, sink), hub.clients_now())
        if not requests:
            return Outcome("skipped", "it did not ask for this event")
        return await self._send(hub, sink, form, requests, told.parts)

    async def _send(
        self, hub: Hub, sink: Sink, form: WebhookForm, requests: Sequence[WebhookRequest], parts: int
    ) -> Outcome:
        began = time.monotonic()
        exchanges: list[Exchange] = []
        for request in requests[parts:]:
            if exchanges and time.monotonic() - began > _ATTEMPT_SECONDS:
                reason = f"{parts} of {len(requests)} messages are accepted, and the others follow"
                return Outcome("retry", reason, tuple(exchanges), parts=parts)
            reply = await self._exchange(hub, sink, form, request)
            exchanges.append(reply.exchange)
            failure = _find_failure(form, reply)
            if failure is not None:
                return msgspec.structs.replace(failure, exchanges=tuple(exchanges), parts=parts)
            parts += 1
        return Outcome("delivered", exchanges=tuple(exchanges), parts=parts)

    @override
    async def verify(self, hub: Hub, sink: Sink) -> Verdict:
        form = self._forms.get(sink.form)
        if form is None:
            return Verdict(is_good=False, reason=f"no messages are known in the words of {sink.form!r}")
        request = form.to_test(sink, find_secrets(hub, sink), hub.clients_now())
        reply = await self._exchange(hub, sink, form, request)
        failure = _find_failure(form, reply)
        return Verdict(failure is None, failure.reason if failure is not None else "", reply.exchange)

    async def _exchange(self, hub: Hub, sink: Sink, form: WebhookForm, request: WebhookRequest) -> Reply:
        return await exchange(
            self._clients.get(hub, sink),
            sink.url,
            request.headers,
            request.body,
            seconds=form.timeout,
            secret_headers=request.secret_headers,
        )

    @override
    async def close(self) -> None:
        await self._clients.close()


def concerns(fields: Sequence[str], told: Told) -> bool:
    """Whether an event is about one of these places of the record (JSON Pointers; none stand for all).

    An update is where it changed one of them, something inside or something around it. All other events are about the
    whole record.
    """
    if not fields or told.type != _UPDATED:
        return True
    places = [_PLACES.get(change.path, change.path) for change in told.changes]
    return any(touches(field, place) for field in fields for place in places)


def _find_failure(form: WebhookForm, reply: Reply) -> Outcome | None:
    """What to do about an answer that does not take the message; None for one that does."""
    status, fault = reply.exchange.status, reply.exchange.fault
    if status is None:
        return Outcome("retry", fault, is_of_sink=True)
    if form.is_success(status):
        return None
    if status == _GONE:
        return Outcome("ended", "the receiver answered 410 Gone", is_of_sink=True)
    if status in _REDIRECTS:
        return Outcome("retry", f"the receiver answered {status}, and redirects are not followed", is_of_sink=True)
    return Outcome(
        "retry",
        f"the receiver answered {status}",
        retry_after=reply.retry_after if status in _ASK_TO_WAIT else None,
        is_of_sink=status >= _SERVER_FAULTS or status in _OF_SINK,
    )
