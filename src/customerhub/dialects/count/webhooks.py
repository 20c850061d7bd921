"""What a webhook of this dialect says: the event's body, its headers, and the signature over its very bytes."""

import hmac
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.dialects.count.show import Shown, to_customer, to_time
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer

API_VERSION = "1"
CREATED, UPDATED, DELETED = "customer.created", "customer.updated", "customer.deleted"
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
