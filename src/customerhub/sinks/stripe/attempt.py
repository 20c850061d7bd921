"""One attempt to make Stripe's customer what ours is: created on first need, then updated, snapshot by snapshot."""

from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import msgspec
import stripe

from customerhub.core.hub import Hub
from customerhub.core.outgoing import Outcome, Told
from customerhub.sinks.stripe.api import Api, Record
from customerhub.sinks.stripe.failures import GONE, is_gone, is_spent, leave_out, to_outcome, to_reason
from customerhub.sinks.stripe.ownership import OWNED, find_owner
from customerhub.sinks.stripe.snapshot import (
    Fields,
    Snapshot,
    decode_creation,
    is_erased,
    is_same,
    read_fields,
    to_creation,
    to_snapshot,
    to_update,
)
from customerhub.store import deliveries
from customerhub.store import syncs as store
from customerhub.store.sinks import Sink
from customerhub.store.syncs import Sync

# Clocks differ; and Stripe keeps a key for a day at least.
_MARGIN: Final = timedelta(minutes=15)
_KEY_LIFE: Final = timedelta(hours=23)
_MOST_LEFT_OUT: Final = 4
# What is older than this a search finds; usually it takes a minute.
_SEARCH_LAG: Final = timedelta(hours=1)
# What a former connection had under way may still be made after the next one began.
_UNDER_WAY: Final = timedelta(seconds=5)


class Overtaken(Exception):
    """No error: a change from Stripe was taken in meanwhile, so what this attempt knows is old."""


class Attempt:
    """What one attempt works with; `sync` is what is known of the customer, as it is stored."""

    def __init__(self, hub: Hub, sink: Sink, told: Told, api: Api) -> None:
        self.hub = hub
        self.sink = sink
        self.told = told
        self.api = api
        self.sync = Sync(told.customer)
        self.is_erased = is_erased(told.after)

    async def run(self) -> Outcome:
        """Try once. Raises stripe.StripeError and Overtaken."""
        async with self.hub.database.lease() as connection:
            found = await store.find_sync(connection, self.sink.team, self.sink.id, self.told.customer)
        self.sync = found or self.sync
        if self.told.after.deleted_at is not None and not self.is_erased:
            return Outcome("skipped", "deleted in the hub; in Stripe it stays as it is")
        wanted = to_snapshot(self.told.after)
        if self._is_wanted_anew():
            await self.keep(external_id=None, written={}, error=None)
        if self.sync.external_id is None:
            made = await self._make(wanted)
            if made is None:
                return Outcome("skipped", "erased before Stripe knew of it", self.api.exchanges)
            wanted = made
        return await self._update(wanted)

    def _is_wanted_anew(self) -> bool:
        """Whether it was deleted in Stripe, and a version that was told before is told again.

        So an edit here does not bring back what somebody deleted there, but a repair or a replay does.
        """
        is_gone_there = (self.sync.error or "").startswith(GONE)
        return is_gone_there and not self.is_erased and self._is_told_again()

    def _is_told_again(self) -> bool:
        return self.sync.version == self.told.version

    def _key(self, *marks: object) -> str:
        """Of this attempt alone: an answer that Stripe keeps must not be a later attempt's."""
        return "-".join(map(str, (self.told.customer, self.told.version, self.told.attempt, *marks)))

    # Creation: its exact body and key are stored before it is sent. Whatever becomes of it, the next attempt first
    # looks for our id in Stripe, and only then sends the same body with the same key: so none is made twice.

    async def _make(self, wanted: Snapshot) -> Snapshot | None:
        """Find or make the customer in Stripe; what it is to hold then, None where none is needed."""
        creation = self.sync.creation
        found = await (self._find_begun(creation) if creation is not None else self._find_former())
        if found is not None:
            # Made by an attempt of which nobody heard, so that all of it is ours; or by a former connection, and then
            # what is Stripe's own stays.
            theirs = read_fields(found) if creation is None else {}
            kept = {field: theirs[field] for field in OWNED if theirs and find_owner(self.sink, field) == "stripe"}
            await self.keep(external_id=str(found["id"]), creation=None, written=kept)
            return wanted
        if self.is_erased:
            if creation is not None:
                await self.keep(creation=None, written={}, left_out={}, error=None)
            return None
        return await self._create(wanted, creation)

    async def _create(self, wanted: Snapshot, creation: dict[str, Any] | None) -> Snapshot:  # Any: JSON
        """Send a creation that was begun once more, or a new one; with a field less where Stripe refuses one."""
        for mark in range(_MOST_LEFT_OUT):
            if creation is None or creation["is_spent"]:
                creation = self._begin(wanted, mark, creation)
                await self.keep(creation=creation)
            try:
                record = await self.api.create(decode_creation(creation), creation["key"])
            except stripe.StripeError as error:
                lesser = await self._fail_creation(error, creation, wanted)
                if lesser is None or mark == _MOST_LEFT_OUT - 1:
                    raise
                creation, wanted = None, lesser
                continue
            written = read_fields(record)
            if wanted.fields["shipping"] is not None:
                # Nothing was said of it yet.
                del written["shipping"]
            await self.keep(external_id=str(record["id"]), creation=None, written=written, error=None)
            break
        return wanted

    def _id(self) -> str:
        return str(self.told.customer)

    def _begin(self, wanted: Snapshot, mark: int, former: dict[str, Any] | None) -> dict[str, Any]:  # Any: JSON
        """A creation to be stored and sent; `since` is when the first one of this customer was begun."""
        since = former["since"] if former is not None else int(self.hub.now().timestamp())
        key = self._key("create", mark) if mark else self._key("create")
        return {"key": key, "body": to_creation(wanted.fields), "since": since, "is_spent": False}

    async def _find_former(self) -> Record | None:
        """What a former connection of the team made, if there is something; also right before this one began."""
        found, began = await self.api.search(self._id()), self.sink.created_at
        if found is None and self.hub.now() - began < _SEARCH_LAG:
            since, until = int((began - _SEARCH_LAG).timestamp()), int((began + _UNDER_WAY).timestamp())
            found = await self.api.find_listed(self._id(), since, until=until)
        return found

    async def _find_begun(self, creation: dict[str, Any]) -> Record | None:  # Any: JSON
        """The customer of a creation that ended uncertainly, if there is one.

        Among those with its email address, which is quick. While Stripe keeps the key it is safe by itself; after that,
        among all that were made since.
        """
        since = creation["since"]
        age = self.hub.now().timestamp() - since
        email = creation["body"].get("email") if age < _KEY_LIFE.total_seconds() and not creation["is_spent"] else None
        return await self.api.find_listed(self._id(), since - int(_MARGIN.total_seconds()), email=email)

    async def _fail_creation(
        self, error: stripe.StripeError, creation: dict[str, Any], wanted: Snapshot
    ) -> Snapshot | None:  # Any: JSON
        """Note how a creation ended, where that is certain; what to try instead, if a field was to blame."""
        if is_spent(error) or isinstance(error, stripe.IdempotencyError):
            await self.keep(creation={**creation, "is_spent": True})
            return None
        if to_outcome(error).kind != "refused":
            return None
        await self.keep(creation=None, error=to_reason(error))
        is_old = creation["body"] != to_creation(wanted.fields)
        return leave_out(error, wanted) or (wanted if is_old else None)

    # Update

    async def _update(self, wanted: Snapshot) -> Outcome:
        """Make Stripe hold what ours is, a field less where it refuses one."""
        for mark in range(_MOST_LEFT_OUT):
            sent = self._find_sent(wanted)
            # Whoever has a version told again knows of a difference that we do not.
            if not mark and is_same(sent, self.sync.written) and not self._is_told_again():
                return await self._skip(wanted)
            known = self.sync.written
            await self._doubt(sent)
            try:
                record, is_replayed = await self.api.update(
                    str(self.sync.external_id), to_update(sent), self._key(mark) if mark else self._key()
                )
            except stripe.StripeError as error:
                if is_gone(error):
                    return await self._miss(error)
                if to_outcome(error).kind == "refused":
                    # Nothing was written, for certain.
                    await self.keep(written=known)
                lesser = leave_out(error, wanted)
                if lesser is None or mark == _MOST_LEFT_OUT - 1:
                    raise
                wanted = lesser
                continue
            if is_replayed:
                # What was answered once, and Stripe may have been changed since: said once more under another key.
                continue
            await self._settle(wanted, sent, record)
            return Outcome("delivered", exchanges=self.api.exchanges)
        return Outcome("retry", "Stripe gave the answers of former attempts", self.api.exchanges)

    async def _doubt(self, sent: Fields) -> None:
        """Stored before anything is sent: whether it arrives, nobody may hear.

        Otherwise a value that goes back to what was written before would count as being there already.
        """
        sure = {field: value for field, value in self.sync.written.items() if sent.get(field, value) == value}
        if sure != self.sync.written:
            await self.keep(written=sure)

    async def _miss(self, error: stripe.StripeError) -> Outcome:
        """Somebody deleted it in Stripe: of an erased customer that is all that was wanted, otherwise a dead letter."""
        if self.is_erased:
            await self.keep(external_id=None, written={}, left_out={}, version=self.told.version, error=None)
            return Outcome("skipped", GONE, self.api.exchanges)
        await self.keep(version=self.told.version, error=f"{GONE}: {to_reason(error)}")
        return Outcome("refused", f"{GONE}: {to_reason(error)}", self.api.exchanges)

    async def _skip(self, wanted: Snapshot) -> Outcome:
        """Nothing is left to send: the creation said it all, or Stripe had it before."""
        await self.keep(left_out=wanted.left_out, version=self.told.version, error=None)
        if self.api.exchanges:
            return Outcome("delivered", exchanges=self.api.exchanges)
        return Outcome("skipped", "Stripe has these values already")

    def _find_sent(self, wanted: Snapshot) -> Fields:
        """What the hub may write: not what is Stripe's own, once both had it; but an erasure spares nothing."""
        return {
            field: value
            for field, value in wanted.fields.items()
            if self.is_erased or field not in self.sync.written or find_owner(self.sink, field) != "stripe"
        }

    async def _settle(self, wanted: Snapshot, sent: Fields, record: Record) -> None:
        """Keep what Stripe answered for what was sent: its changes of other fields are yet to be told."""
        theirs = read_fields(record)
        written = {**self.sync.written, **{field: theirs[field] for field in sent}}
        try:
            await self.keep(written=written, left_out=wanted.left_out, version=self.told.version, error=None)
        except Overtaken:
            await self._forget(sent)
            raise

    async def _forget(self, sent: Fields) -> None:
        """Nobody knows whether Stripe had this write or that change last: what was written is unknown.

        So the customer is told of once more, also where it is another process's by now, which will not hear of this.
        """
        async with self.hub.database.transaction() as connection:
            current = await store.lock_sync(connection, self.sink.team, self.sink.id, self.told.customer)
            if current is not None:
                written = {field: value for field, value in current.written.items() if field not in sent}
                await store.put_sync(
                    connection,
                    self.sink.team,
                    self.sink.id,
                    msgspec.structs.replace(current, written=written),
                    self.hub.now(),
                )
                again = [self.told.customer]
                await deliveries.enqueue(connection, self.sink.team, self.sink.id, again, self.hub.now())

    async def note_error(self, error: stripe.StripeError) -> None:
        """Let everybody see what Stripe said last of a customer, unless that was erased or changed meanwhile."""
        reason = to_reason(error)
        if self.sync.error != reason:
            with suppress(Overtaken):
                await self.keep(error=reason)

    async def keep(self, **fields: object) -> None:
        """Store these fields of what is known, unless somebody else has stored something since. Raises Overtaken."""
        at = self.hub.now()
        async with self.hub.database.transaction() as connection:
            current = await store.lock_sync(connection, self.sink.team, self.sink.id, self.told.customer)
            if (current or Sync(self.told.customer)) != self.sync:
                raise Overtaken
            after = msgspec.structs.replace(self.sync, at=at, **fields)
            await store.put_sync(connection, self.sink.team, self.sink.id, after, at)
        self.sync = after
