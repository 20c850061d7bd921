"""What a webhook of this dialect says: the event's body, its headers, and the signature over its very bytes."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

from customerhub.core.outgoing import Sink, Told
from customerhub.dialects.count.show import Shown, to_customer, to_time
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.web.webhook import WebhookRequest

API_VERSION = "1"
CREATED, UPDATED, DELETED = "customer.created", "customer.updated", "customer.deleted"
EVENTS: Final = (CREATED, UPDATED, DELETED)
TEST: Final = "webhook.test"
# What may happen to a customer, by the hub's own words for it, so that the event is told. Of those who became one, the
# one that stays was changed and the others are gone.
_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    CREATED: ("customer.created", "customer.restored"),
    UPDATED: ("customer.updated", "customer.merged"),
    DELETED: ("customer.deleted", "customer.merged", "customer.erased"),
}
_MOST_CHARACTERS: Final = 255
_SUCCESS: Final = range(200, 300)
# Moves with every version, so it says nothing about one.
_ALWAYS_MOVED = ("updatedAt",)


class Event(Struct, frozen=True):
    """What happened; `id` is the delivery's, the same at every attempt to deliver it."""

    id: UUID
    type: str
    occurred_at: datetime
    team_id: UUID
    team_name: str
    data: Shown
    previous: Shown | None = None

    def to_body(self) -> bytes:
        """The bytes that are sent and signed."""
        body: Shown = {
            "id": str(self.id),
            "event": self.type,
            "apiVersion": API_VERSION,
            "occurredAt": to_time(self.occurred_at),
            "team": {"id": str(self.team_id), "name": self.team_name},
            "data": self.data,
        }
        if self.previous is not None:
            body["previousData"] = self.previous
        return msgspec.json.encode(body)

    def to_headers(self, body: bytes, secret: str | None) -> dict[str, str]:
        """The headers of a delivery; signed only where the subscription has a secret."""
        headers = {
            "Content-Type": "application/json",
            "X-Webhook-Id": str(self.id),
            "X-Webhook-Event": self.type,
        }
        if secret is not None:
            headers["X-Webhook-Signature"] = sign(secret, body)
        return headers


def sign(secret: str, body: bytes) -> str:
    """`sha256=` and the hexadecimal HMAC-SHA256 of the body's bytes."""
    return f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}"


def to_event(
    event_id: UUID, before: Customer | None, after: Customer, catalogue: Catalogue, occurred_at: datetime
) -> Event:
    """What one version of a customer says: whole when it is new, with what was before when it changed, its id alone
    when it is gone.
    """
    team = (after.team, catalogue.team_name)
    if after.deleted_at is not None:
        return Event(event_id, DELETED, occurred_at, *team, {"id": str(after.id)})
    data: Shown = {"id": str(after.id), **to_customer(after, catalogue)}
    if before is None or before.deleted_at is not None:
        return Event(event_id, CREATED, occurred_at, *team, data)
    old = to_customer(before, catalogue)
    previous = {name: value for name, value in old.items() if name not in _ALWAYS_MOVED and value != data[name]}
    return Event(event_id, UPDATED, occurred_at, *team, data, previous)


class CountWebhooks:
    """The form of receivers of COUNT's webhooks: subscriptions to one event each, made through its API."""

    events: tuple[str, ...] = EVENTS
    # The contract says nothing of it: a few attempts, the last one after about an hour.
    schedule: tuple[float, ...] = (10.0, 60.0, 300.0, 900.0, 2700.0)
    timeout = 10.0

    def is_success(self, status: int) -> bool:
        """Any 2xx."""
        return status in _SUCCESS

    def to_types(self, events: Sequence[str]) -> tuple[str, ...]:
        """What may come out as one of these events; which it is, the record tells."""
        return tuple(dict.fromkeys(name for event in events for name in _TYPES[event]))

    def check_secret(self, secret: str) -> str | None:
        """Any text of 1 to 255 characters."""
        return None if secret.strip() and len(secret) <= _MOST_CHARACTERS else "must have 1 to 255 characters"

    def check_config(self, config: Mapping[str, object]) -> str | None:
        """There is nothing to set."""
        return "must be empty" if config else None

    def new_secret(self) -> str | None:
        """None: unsigned unless the receiver names a secret."""
        return None

    def to_requests(self, sink: Sink, told: Told, secrets: Sequence[str], now: datetime) -> tuple[WebhookRequest, ...]:
        """One message; none of a customer that is erased after it was deleted. A retry has the same bytes."""
        del now
        gone_at = told.after.deleted_at
        if gone_at is not None and gone_at < told.after.updated_at:
            return ()
        event = to_event(told.delivery, told.before, told.after, told.catalogue, told.at)
        if event.type == CREATED and told.type in _TYPES[UPDATED]:
            # What was before is not known any more: history that old is kept in one piece.
            event = msgspec.structs.replace(event, type=UPDATED)
        if sink.events and event.type not in sink.events:
            return ()
        return (_to_request(event, secrets),)

    def to_test(self, sink: Sink, secrets: Sequence[str], now: datetime) -> WebhookRequest:
        """A message of an event that no subscription is for."""
        return _to_request(Event(uuid5(sink.id, now.isoformat()), TEST, now, sink.team, "", {}), secrets)


def _to_request(event: Event, secrets: Sequence[str]) -> WebhookRequest:
    body = event.to_body()
    # The contract has room for one signature: the newest secret's.
    return WebhookRequest(event.to_headers(body, secrets[0] if secrets else None), body)
