"""Accounts with other systems: kept like this hub's customers through the published API of each."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Comparison, Drift, Outcome, Sink, Told, Verdict
from customerhub.dialects.base import find_dialects
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.sinks.account.credentials import plain, read_credentials, renew
from customerhub.sinks.account.keeping import Keeping, choose
from customerhub.sinks.account.line import AccountLine, Pace
from customerhub.sinks.outbound import Clients, create_client
from customerhub.store.syncs import find_sync
from customerhub.web.remote import Locked, Refused, Remote, RemoteError, Stale, Troubled

__all__ = ["AccountCarrier"]

# Minutes first, then hours: 2.5 days in all.
_SCHEDULE: Final = (5.0, 30.0, 120.0, 600.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0)
_SECONDS: Final = 50
_CONCURRENCY: Final = 4
_MOST_PACES: Final = 10_000


class AccountCarrier:
    """Tells accounts of other systems of customers, by value and whoever changed them; one object for the process."""

    is_mirror = True
    concurrency = _CONCURRENCY

    def __init__(
        self,
        remotes: Mapping[str, Remote] | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        known = {dialect.name: dialect.remote for dialect in find_dialects() if dialect.remote is not None}
        self._remotes: Mapping[str, Remote] = known if remotes is None else remotes
        self._jitter = jitter
        self._clients = Clients(lambda allows_private: create_client(allows_private=allows_private))
        self._paces: dict[UUID, Pace] = {}

    def schedule(self, sink: Sink) -> tuple[float, ...]:
        """Ten tries in two and a half days."""
        del sink
        return _SCHEDULE

    async def tell(self, hub: Hub, sink: Sink, told: Told) -> Outcome:
        """Bring the record over there and ours to what both agree on."""
        remote, line = self._remotes.get(sink.form), self._open(hub, sink)
        if remote is None:
            return Outcome("retry", f"nothing here speaks {sink.form}", is_of_sink=True)

        async def act() -> Outcome:
            return await Keeping(hub, sink, told, remote, line, self._jitter).run()

        outcome = await _settled(hub, sink, remote, line, act)
        return msgspec.structs.replace(
            outcome, exchanges=tuple(line.exchanges), retry_after=outcome.retry_after or line.pace.left or None
        )

    async def verify(self, hub: Hub, sink: Sink) -> Verdict:
        """Whether the credentials are complete, and good enough to read one customer."""
        remote, line = self._remotes.get(sink.form), self._open(hub, sink)
        if remote is None:
            return Verdict(is_good=False, reason=f"nothing here speaks {sink.form}")
        fault = remote.check_credentials(line.credentials)
        if fault is not None:
            return Verdict(is_good=False, reason=fault)

        async def act() -> Outcome:
            await remote.verify(line)
            return Outcome("delivered")

        outcome = await _settled(hub, sink, remote, line, act)
        last = line.exchanges[-1] if line.exchanges else None
        return Verdict(outcome.kind == "delivered", outcome.reason, last)

    async def compare(self, hub: Hub, sink: Sink, customer: Customer, catalogue: Catalogue) -> Comparison:
        """The portable values that are not the same on both sides."""
        remote, line = self._remotes.get(sink.form), self._open(hub, sink)
        if remote is None:
            return Comparison(fault=f"nothing here speaks {sink.form}")
        async with hub.database.lease() as connection:
            known = await find_sync(connection, sink.team, sink.id, customer.id)
        external_id = known.external_id if known is not None else None
        if external_id is None:
            return Comparison()
        found: list[Drift] = []

        async def act() -> Outcome:
            theirs = (await remote.read(line, external_id)).values
            ours = choose(sink, remote.to_values(customer, catalogue))
            found[:] = [
                Drift(name, value, theirs.get(name)) for name, value in ours.items() if theirs.get(name) != value
            ]
            return Outcome("delivered")

        outcome = await _settled(hub, sink, remote, line, act)
        fault = outcome.reason if outcome.kind != "delivered" else ""
        return Comparison(tuple(found), external_id, fault, outcome.retry_after)

    async def close(self) -> None:
        """Let go of every connection."""
        await self._clients.close()

    def _open(self, hub: Hub, sink: Sink) -> AccountLine:
        client = self._clients.get(hub, sink)
        if len(self._paces) > _MOST_PACES:
            self._paces.clear()
        pace = self._paces.setdefault(sink.id, Pace())
        defaults = sink.config.get("defaults") or {}
        return AccountLine(client, sink.url, plain(read_credentials(hub, sink)), defaults, pace, hub.now)


async def _settled(
    hub: Hub, sink: Sink, remote: Remote, line: AccountLine, act: Callable[[], Awaitable[Outcome]]
) -> Outcome:
    """What came of acting, once more with renewed credentials where those there are were refused."""
    try:
        async with asyncio.timeout(_SECONDS):
            fault = remote.check_credentials(line.credentials)
            if fault is not None:
                raise Locked(fault)
            if remote.renews and remote.is_running_out(line.credentials, hub.now()):
                await renew(hub, sink, remote, line)
            try:
                return await act()
            except Locked:
                if not remote.renews:
                    raise
            await renew(hub, sink, remote, line)
            return await act()
    except TimeoutError:
        return Outcome("retry", "it took longer than a minute may take", is_of_sink=True)
    except asyncpg.UniqueViolationError:
        return Outcome("retry", "another customer was given the same record over there at the same time")
    except RemoteError as error:
        return _to_outcome(error)


def _to_outcome(error: RemoteError) -> Outcome:
    match error:
        case Refused():
            return Outcome("refused", error.reason)
        case Stale():
            return Outcome("retry", error.reason)
        case Troubled():
            return Outcome("retry", error.reason, retry_after=error.retry_after, is_of_sink=True)
        case Locked():
            return Outcome("retry", error.reason, is_of_sink=True)
    return Outcome("retry", error.reason)
