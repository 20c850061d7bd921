"""One customer of one account: brought from what is known of it to what both sides agree on."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import msgspec

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Outcome, Sink, Told
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.sinks.account.decide import Owner, Plan, compare
from customerhub.sinks.account.known import Known
from customerhub.sinks.account.line import AccountLine
from customerhub.sinks.account.linking import Linking
from customerhub.sinks.account.past import list_former
from customerhub.sinks.account.refusals import without_refused
from customerhub.store.catalogue import get_snapshot
from customerhub.store.customers import get_customers
from customerhub.store.syncs import Sync
from customerhub.web.remote import Found, Missing, Refused, Remote, Stale, Troubled, Values

# No value of either side.
_NEITHER: Final = object()
# A record that is being written by others is read again this often, after longer and longer moments.
_ROUNDS: Final = 10
_MOMENT_SECONDS: Final = 0.03
# So soon after the last time it may be that both sides write at once: then the one that yields lets the other go first.
_CROSSING: Final = timedelta(seconds=3)
_YIELD_SECONDS: Final = 0.4
_GONE: Final = "the record over there is gone"
_DELETED: Final = Outcome("skipped", "deleted here; the record over there is left as it is")
_NOT_THERE: Final = Outcome("skipped", "there is no such record over there, and none is to be made")
_ERASED: Final = "customer.erased"


def choose(sink: Sink, whole: Values) -> Values:
    """The values that travel to an account; every portable one where nothing was chosen."""
    chosen = sink.config.get("fields") or [path.removeprefix("/") for path in sink.fields]
    return {name: value for name, value in whole.items() if not chosen or name in chosen}


@dataclass
class Keeping:
    """One attempt to keep one customer. `jitter` gives numbers from 0 to 1; `left_out` is what was refused so far."""

    hub: Hub
    sink: Sink
    told: Told
    remote: Remote
    line: AccountLine
    jitter: Callable[[], float]
    left_out: dict[str, str] = field(default_factory=dict)
    known: Known = field(init=False)

    async def run(self) -> Outcome:
        """Do it; raises RemoteError."""
        self.known = Known(self.hub, self.sink, self.told.customer)
        await self.known.load()
        if self.told.type == _ERASED:
            return await self._erase()
        if self.told.after.deleted_at is not None:
            return _DELETED
        try:
            return await self._keep()
        except Refused as error:
            await self.known.set(error=error.reason)
            raise
        except Missing as error:
            if self.known.now.external_id is None:
                # No record was asked about: it is the API that is not there, and nothing is to be given up for that.
                raise Troubled(error.reason) from error
            await self.known.set(error=_GONE)
            return Outcome("skipped", _GONE)

    async def _keep(self) -> Outcome:
        ours, catalogue = self.told.after, self.told.catalogue
        is_yielding = True
        for number in range(_ROUNDS):
            if number:
                await asyncio.sleep(_MOMENT_SECONDS * number * self.jitter())
                newest = await self._find_newest()
                if newest is None:
                    return _DELETED
                ours, catalogue = newest
            whole = self.remote.to_values(ours, catalogue)
            try:
                external_id = self.known.now.external_id or await self._linking().run(whole, choose(self.sink, whole))
                if external_id is None:
                    return _NOT_THERE
                found = await self.remote.read(self.line, external_id)
                plan = await self._compare(ours, whole, found, catalogue)
                if plan.send and is_yielding and self._may_cross(plan):
                    is_yielding = False
                    await asyncio.sleep(_YIELD_SECONDS * (1 + self.jitter()) / 2)
                    continue
                # What is sent must be what stands here, or two sides that write at once could go on swapping values.
                if not plan.send or await self._is_newest(ours):
                    await self._settle(ours, found, plan)
                    return Outcome("delivered")
            except Stale:
                continue
        return Outcome("retry", "the record over there changes faster than it can be written")

    def _linking(self) -> Linking:
        return Linking(self.known, self.remote, self.line, self.left_out)

    async def _compare(self, ours: Customer, whole: Values, found: Found, catalogue: Catalogue) -> Plan:
        values = choose(self.sink, whole)
        past: tuple[Customer, ...] = ()
        if any(found.values.get(name) != value for name, value in values.items()):
            async with self.hub.database.lease() as connection:
                past = await list_former(connection, ours, self.known.now.version)
        former = [self.remote.to_values(one, catalogue) for one in past]
        written = self.known.now.written
        # Asked for once more: where the two differ, whoever wins is to stand, whichever side it was that changed.
        base = dict.fromkeys(written, _NEITHER) if self.told.is_asked_again else written
        plan = compare(values, found.values, base, former, self._owners())
        agreed = {name: written[name] if value is _NEITHER else value for name, value in plan.base.items()}
        return msgspec.structs.replace(plan, base=agreed)

    async def _settle(self, ours: Customer, found: Found, plan: Plan) -> None:
        """Send what is to be sent and keep what both sides agree on; raises RemoteError."""
        # What was refused a moment ago is refused again.
        values = {name: value for name, value in plan.send.items() if name not in self.left_out}
        await self._update(found, values)
        refused = {name for name in self.left_out if name in plan.send}
        before = self.known.now.written
        base = {name: value for name, value in plan.base.items() if name not in refused}
        await self.known.set(
            version=ours.version,
            written=base | {name: before[name] for name in refused if name in before},
            left_out={**plan.left, **self.left_out},
            error=None,
        )

    async def _update(self, found: Found, values: Values) -> None:
        async def update(rest: Values) -> Found:
            return await self.remote.update(self.line, found, rest)

        await without_refused(values, update, self.left_out)

    async def _erase(self) -> Outcome:
        """Empty the record over there as far as that goes, and forget every value that is known of it here."""
        creation, external_id = self.known.now.creation, self.known.now.external_id
        if external_id is None and creation is not None:
            # It is not certain that there is none: it may have been made without an answer.
            external_id = await self._linking().find(creation["values"])
        if external_id is not None:
            try:
                found = await self.remote.read(self.line, external_id)
                blank = self.remote.to_blank(found)
                values = {name: value for name, value in blank.items() if found.values.get(name) != value}
                await self._update(found, values)
            except Missing:
                external_id = None
        await self.known.put(Sync(self.told.customer, external_id, self.told.version, left_out=self.left_out))
        if external_id is None:
            return Outcome("skipped", "there is no record of it over there")
        return Outcome("delivered", f"emptied over there, but for {self.remote.remains}")

    def _owners(self) -> dict[str, Owner]:
        owners: dict[str, Owner] = self.sink.config.get("ownership") or {}
        return owners

    def _may_cross(self, plan: Plan) -> bool:
        """Whether the other side may be writing too, and is the one that goes first."""
        at, owners = self.known.now.at, self._owners()
        is_recent = at is not None and self.hub.now() - at < _CROSSING
        return is_recent and any(owners.get(name) == "other" for name in plan.send)

    async def _is_newest(self, ours: Customer) -> bool:
        async with self.hub.database.lease() as connection:
            found = await get_customers(connection, ours.team, (ours.id,))
        return ours.id in found and found[ours.id].version == ours.version

    async def _find_newest(self) -> tuple[Customer, Catalogue] | None:
        """The record as it stands, with its catalogue; None where it is deleted."""
        team, customer = self.sink.team, self.told.customer
        async with self.hub.database.lease() as connection:
            found = (await get_customers(connection, team, (customer,))).get(customer)
            if found is None:
                return None
            is_told = found.version == self.told.version
            return found, self.told.catalogue if is_told else await get_snapshot(connection, team)
