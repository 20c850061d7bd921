"""What a Stripe sink's secret holds, and where Stripe's messages to it come in."""

from typing import Final

import msgspec
from msgspec import Struct

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Sink
from customerhub.core.sinks import find_secrets
from customerhub.model.error import SecretKeyError

HOOK: Final = "/stripe/webhook/{integration}"
"""The path of the door; its parameter is the sink's id."""


class Keys(Struct, frozen=True):
    """What a sink's secret holds, as JSON."""

    api_key: str
    webhook_secret: str | None = None


def find_keys(hub: Hub, sink: Sink) -> Keys:
    """A sink's keys in clear. Raises SecretKeyError, also where it has none any more."""
    keys = find_all_keys(hub, sink)
    if not keys:
        raise SecretKeyError("This integration has no key.")
    return keys[0]


def find_all_keys(hub: Hub, sink: Sink) -> tuple[Keys, ...]:
    """The same, the newest first, with those that go on for a while. Raises SecretKeyError."""
    return tuple(msgspec.json.decode(secret, type=Keys) for secret in find_secrets(hub, sink))
