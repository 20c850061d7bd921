"""Webhooks of the hub's own: Standard Webhooks 1.0, with what changed and the customer as it is read."""

import base64
import binascii
import secrets as chance
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import uuid5

import msgspec
from standardwebhooks import Webhook

from customerhub.core.outgoing import Sink, Told
from customerhub.dialects.hub.canonical import Shown, to_body, to_changes, to_time, to_value
from customerhub.web.webhook import WebhookRequest

CREATED: Final = "customer.created"
ERASED: Final = "customer.erased"
EVENTS: Final = (
    *(CREATED, "customer.updated", "customer.deleted", "customer.restored", "customer.merged"),
    ERASED,
)
TEST: Final = "webhook.test"
MOST_BYTES: Final = 20_000
"""Of a body, as the standard recommends; what a larger one would hold can be read from the hub."""

_PREFIX: Final = "whsec_"
_NEW_SECRET_BYTES: Final = 32
_SECRET_BYTES: Final = range(24, 65)
_MINUTE, _HOUR = 60.0, 3600.0
_SUCCESS: Final = range(200, 300)


class HubWebhooks:
    """The form of receivers that follow the standard."""

    events: tuple[str, ...] = EVENTS
    # The standard's own, about three days in all.
    schedule: tuple[float, ...] = (
        *(5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR),
        24 * _HOUR,
    )
    timeout = 15.0

    def is_success(self, status: int) -> bool:
        """Any 2xx."""
        return status in _SUCCESS

    def to_types(self, events: Sequence[str]) -> tuple[str, ...]:
        """They are the hub's own."""
        return tuple(events)

    def check_secret(self, secret: str) -> str | None:
        """`whsec_` and 24 to 64 bytes in base64."""
        try:
            key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if secret.startswith(_PREFIX) and len(key) in _SECRET_BYTES:
            return None
        return "must be whsec_ and 24 to 64 bytes in base64"

    def check_config(self, config: Mapping[str, object]) -> str | None:
        """There is nothing to set."""
        return "must be empty" if config else None

    def new_secret(self) -> str | None:
        """32 random bytes."""
        return _PREFIX + base64.b64encode(chance.token_bytes(_NEW_SECRET_BYTES)).decode()

    def to_requests(self, sink: Sink, told: Told, secrets: Sequence[str], now: datetime) -> tuple[WebhookRequest, ...]:
        """One message for each event."""
        if sink.events and told.type not in sink.events:
            return ()
        return (_sign(str(told.delivery), now, _fit(_to_message(told)), secrets),)

    def to_test(self, sink: Sink, secrets: Sequence[str], now: datetime) -> WebhookRequest:
        """A message of the type `webhook.test`."""
        message_id = str(uuid5(sink.id, now.isoformat()))
        data = {"sink": str(sink.id)}
        message = {"type": TEST, "id": message_id, "timestamp": to_time(now), "data": data}
        return _sign(message_id, now, msgspec.json.encode(message), secrets)


def _to_message(told: Told) -> Shown:
    customer = told.after
    data: Shown = {"id": str(told.customer), "merged_into": to_value(customer.merged_into)}
    if customer.deleted_at is None:
        data = to_body(customer)
    # A new customer is all in `data`, and of an erased one there is nothing to tell.
    changes = () if told.type in (CREATED, ERASED) else told.changes
    return {
        "type": told.type,
        "id": str(told.delivery),
        "timestamp": to_time(told.at),
        "team": {"id": str(customer.team), "name": told.catalogue.team_name},
        "sequence": told.version,
        "customer": str(told.customer),
        "changes": to_changes(changes),
        "data": data,
        "truncated": False,
        "origin": {
            "actor": {"id": str(told.actor), "name": told.actor_name},
            "dialect": told.dialect,
            "request_id": told.request_id,
        },
    }


def _fit(message: Shown) -> bytes:
    """The message within its limit: without the customer, then without values, then without places."""
    body = msgspec.json.encode(message)
    shorter: tuple[Shown, ...] = (
        {"truncated": True, "data": {"id": message["customer"]}},
        {"changes": [{"path": change["path"]} for change in message["changes"]]},
        {"changes": []},
    )
    for members in shorter:
        if len(body) <= MOST_BYTES:
            break
        message = message | members
        body = msgspec.json.encode(message)
    return body


def _sign(message_id: str, now: datetime, body: bytes, secrets: Sequence[str]) -> WebhookRequest:
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
    }
    if secrets:
        signatures = (Webhook(secret).sign(message_id, now.astimezone(UTC), body.decode()) for secret in secrets)
        headers["webhook-signature"] = " ".join(signatures)
    return WebhookRequest(headers, body)
