"""How each kind of sink is told: the carriers of a process, and the doors through which the other side answers."""

import asyncio
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib import import_module
from typing import Final, cast

from customerhub.core.outgoing import Carrier, Carriers, LateCarriers
from customerhub.model.answer import Answer
from customerhub.sinks.stripe.keys import HOOK
from customerhub.web.hooks import Handler, Hook, Hooks, Message

# Where the carrier of each kind is. They come with libraries and dialects that take their time to load.
_CARRIERS: Final[Mapping[str, tuple[str, str]]] = {
    "account": ("customerhub.sinks.account", "AccountCarrier"),
    "stripe": ("customerhub.sinks.stripe.carrier", "StripeCarrier"),
    "webhook": ("customerhub.sinks.webhook", "WebhookCarrier"),
}
_STRIPE_DOOR: Final = "customerhub.sinks.stripe.inbound"


def create_carriers() -> Carriers:
    """One carrier for each kind of sink, made and connected when it is first needed."""
    return LateCarriers({kind: partial(_create, *place) for kind, place in _CARRIERS.items()})


def create_hooks(carriers: Carriers) -> Hooks:
    """Where messages of the other sides come in; what answers them is loaded with the first."""

    @cache
    def open_door() -> Handler:
        to_hooks = cast("Callable[[Carrier], tuple[Hook, ...]]", import_module(_STRIPE_DOOR).create_hooks)
        (hook,) = to_hooks(carriers["stripe"])
        return hook.handler

    async def receive(message: Message) -> Answer:
        # The first time it takes a fifth of a second, in which others are answered.
        await asyncio.to_thread(import_module, _STRIPE_DOOR)
        return await open_door()(message)

    return Hooks((Hook(HOOK, receive),))


def _create(module: str, name: str) -> Carrier:
    return cast("Carrier", getattr(import_module(module), name)())
