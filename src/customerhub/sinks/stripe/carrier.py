"""How Stripe is told: a mirror of the newest state of each customer, through Stripe's own library."""

import asyncio
from typing import Final

import stripe
from asyncpg import UniqueViolationError

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Comparison, Drift, Outcome, Sink, Told, Verdict
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.sinks.outbound import Clients, create_client
from customerhub.sinks.stripe.api import Api
from customerhub.sinks.stripe.attempt import Attempt, Overtaken
from customerhub.sinks.stripe.failures import find_wait, to_outcome, to_reason
from customerhub.sinks.stripe.keys import find_keys
from customerhub.sinks.stripe.snapshot import differ, is_erased, read_fields, to_snapshot
from customerhub.store.syncs import find_sync

SCHEDULE: Final = (1.0, 5.0, 30.0, 120.0, 600.0, 3600.0, 10_800.0, 21_600.0, 43_200.0, 86_400.0, 86_400.0)

_AT_ONCE: Final = 8
_STEP_SECONDS: Final = 20
_ATTEMPT_SECONDS: Final = 50


class StripeCarrier:
    """Implements core's Mirror for sinks of the kind `stripe`."""

    is_mirror = True
    concurrency = _AT_ONCE

    def __init__(self) -> None:
        self._clients = Clients(
            lambda allows_private: create_client(allows_private=allows_private, timeout=_STEP_SECONDS)
        )

    def schedule(self, sink: Sink) -> tuple[float, ...]:
        """The same for every sink: at first within seconds, then for about three days."""
        del sink
        return SCHEDULE

    async def tell(self, hub: Hub, sink: Sink, told: Told) -> Outcome:
        """Make Stripe's customer what ours is now."""
        api = self.open(hub, sink)
        attempt = Attempt(hub, sink, told, api)
        try:
            async with asyncio.timeout(_ATTEMPT_SECONDS):
                return await attempt.run()
        except stripe.StripeError as error:
            await attempt.note_error(error)
            return to_outcome(error, api.exchanges, api.answered)
        except (Overtaken, UniqueViolationError):
            return Outcome("retry", "a change from Stripe came in between", api.exchanges)
        except TimeoutError:
            return Outcome("retry", f"not done within {_ATTEMPT_SECONDS} s", api.exchanges, is_of_sink=True)

    async def verify(self, hub: Hub, sink: Sink) -> Verdict:
        """Whether the key is good: Stripe is asked for one customer."""
        api = self.open(hub, sink)
        try:
            await api.try_out()
        except stripe.StripeError as error:
            return Verdict(is_good=False, reason=to_reason(error), exchange=api.exchanges[-1])
        return Verdict(is_good=True, exchange=api.exchanges[-1])

    async def compare(self, hub: Hub, sink: Sink, customer: Customer, catalogue: Catalogue) -> Comparison:
        """Lay Stripe's customer beside what the hub would send. What is left out is nothing on our side.

        A customer who is deleted here is the same on both sides, whatever Stripe has.
        """
        del catalogue
        api = self.open(hub, sink)
        async with hub.database.lease() as connection:
            sync = await find_sync(connection, sink.team, sink.id, customer.id)
        external_id = sync.external_id if sync is not None else None
        is_kept = customer.deleted_at is None or is_erased(customer)
        if external_id is None or not is_kept:
            return Comparison(external_id=external_id)
        try:
            record = await api.retrieve(external_id)
        except stripe.StripeError as error:
            return Comparison((), external_id, to_reason(error), find_wait(api.answered))
        if record is None:
            return Comparison()
        places = differ(to_snapshot(customer).fields, read_fields(record))
        return Comparison(tuple(Drift(*place) for place in places), external_id)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._clients.close()

    def open(self, hub: Hub, sink: Sink) -> Api:
        """The sink's account, for one attempt. Raises SecretKeyError."""
        keys = find_keys(hub, sink)
        return Api(self._clients.get(hub, sink), keys, str(sink.config.get("api_base") or ""))
