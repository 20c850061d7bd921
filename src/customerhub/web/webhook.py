"""What a dialect does so that webhooks can be told in its words: events, bodies, headers, signatures."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from customerhub.core.outgoing import Sink, Told


class WebhookRequest(Struct, frozen=True):
    """One POST to a receiver, with its very bytes. `secret_headers` are headers that no log may show."""

    headers: dict[str, str]
    body: bytes
    secret_headers: tuple[str, ...] = ()


class WebhookForm(Protocol):
    """One dialect's webhooks."""

    @property
    def events(self) -> tuple[str, ...]:
        """The events that a receiver can ask for, in this dialect's words."""

    @property
    def schedule(self) -> tuple[float, ...]:
        """Seconds to wait after each failed attempt; after the last it is a dead letter."""

    @property
    def timeout(self) -> float:
        """Seconds that a receiver may take in all."""

    def is_success(self, status: int) -> bool:
        """Whether this status of a receiver's answer says that it has the message."""

    def to_types(self, events: Sequence[str]) -> tuple[str, ...]:
        """The hub's own types of events that may lead to one of these; none stand for all."""

    def check_secret(self, secret: str) -> str | None:
        """What is wrong with a secret as one of this dialect's, None where it will do."""

    def check_config(self, config: Mapping[str, object]) -> str | None:
        """What is wrong with what a sink says beside its URL and its secret (`Sink.config`), None where it will do."""

    def new_secret(self) -> str | None:
        """A random secret; None where deliveries are unsigned unless the receiver names a secret."""

    def to_requests(self, sink: Sink, told: Told, secrets: Sequence[str], now: datetime) -> tuple[WebhookRequest, ...]:
        """What is sent of one event, in order; nothing where this sink did not ask for it.

        The same event gives the same ids at every attempt. `secrets` are in clear, the newest first; several while one
        follows another.
        """

    def to_test(self, sink: Sink, secrets: Sequence[str], now: datetime) -> WebhookRequest:
        """A message that says nothing of any customer, to see whether the receiver takes and trusts it."""
