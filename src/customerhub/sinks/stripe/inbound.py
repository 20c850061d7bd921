"""The door for Stripe's messages: a change that was made over there comes in as an ordinary patch, by "Stripe"."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import msgspec
import stripe
from asyncpg import UniqueViolationError
from msgspec import Struct

from customerhub.core.command import Command
from customerhub.core.customers import Proposal, Written, update_customer
from customerhub.core.hub import Hub
from customerhub.model.answer import Answer, Caller, Guards, IfMatch
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import FieldError, HubError, Invalid, NotFound, Unauthenticated
from customerhub.sinks.stripe.api import Record
from customerhub.sinks.stripe.carrier import StripeCarrier
from customerhub.sinks.stripe.failures import GONE
from customerhub.sinks.stripe.keys import HOOK, find_all_keys
from customerhub.sinks.stripe.ownership import Weighed, weigh
from customerhub.sinks.stripe.snapshot import read_fields, to_snapshot
from customerhub.sinks.stripe.taking import find_errors, to_patch
from customerhub.store import access as access_store
from customerhub.store import deliveries
from customerhub.store import syncs as store
from customerhub.store.access import Credential
from customerhub.store.db import Connection
from customerhub.store.sinks import Sink, find_sink_anywhere
from customerhub.store.syncs import Sync
from customerhub.web.hooks import Hook, Message

NAME: Final = "Stripe"

_DOOR: Final = "stripe"
_TAKEN: Final = ("customer.updated", "customer.deleted")
# The library's own: what was signed longer ago is refused, since somebody else may be sending it again.
_TOLERANCE_SECONDS: Final = 300
_ATTEMPTS: Final = 5
# The places of the record that do not have the names of Stripe's fields.
_FIELDS_AT: Final[Mapping[str, tuple[str, ...]]] = {
    "addresses": ("address", "shipping"),
    "bill_to": ("address",),
    "ship_to": ("shipping",),
}
_DONE: Final = Answer(200, b'{"received":true}')


def create_hooks(carrier: StripeCarrier) -> tuple[Hook, ...]:
    """Where Stripe's messages come in."""

    async def receive(message: Message) -> Answer:
        sink = await _find_sink(message)
        if sink is None:
            return _refuse(404, "There is no such integration.")
        try:
            event = _read_event(message, sink)
        except (stripe.SignatureVerificationError, msgspec.ValidationError, ValueError):
            return _refuse(400, "The signature is not this integration's, or too old.")
        if event.type not in _TAKEN or sink.status == "disabled":
            return _DONE
        return await Arrival(message, sink, carrier, event).take()

    return (Hook(HOOK, receive),)


def _refuse(status: int, detail: str) -> Answer:
    body = msgspec.json.encode({"status": status, "detail": detail})
    return Answer(status, body, (("content-type", "application/problem+json"),))


async def _find_sink(message: Message) -> Sink | None:
    try:
        sink_id = UUID(message.parameters["integration"])
    except ValueError:
        return None
    async with message.hub.database.lease() as connection:
        sink = await find_sink_anywhere(connection, sink_id)
    return sink if sink is not None and sink.kind == "stripe" else None


class Event(Struct, frozen=True):
    """What is read of a message: which it is, of what kind, and about which customer; nothing else of it counts."""

    id: str
    type: str
    about: str


def _read_event(message: Message, sink: Sink) -> Event:
    """The event, if Stripe signed it for this integration; raises SignatureVerificationError, ValueError.

    While one secret follows another, either will do.
    """
    secrets = [keys.webhook_secret for keys in find_all_keys(message.hub, sink)]
    refusal: stripe.SignatureVerificationError | None = None
    for secret in secrets:
        try:
            return _verify(message, secret)
        except stripe.SignatureVerificationError as error:
            refusal = refusal or error
    raise refusal or ValueError("no secret")


def _verify(message: Message, secret: str | None) -> Event:
    signature = message.headers.get("stripe-signature")
    told: dict[str, Any] = stripe.Webhook.construct_event(  # Any: JSON
        message.body, signature, secret, _TOLERANCE_SECONDS, api_key="none"
    ).to_dict()
    about = (told.get("data") or {}).get("object") or {}
    return msgspec.convert({**told, "about": about.get("id", "")}, Event)


class Arrival:
    """One message on its way in."""

    def __init__(self, message: Message, sink: Sink, carrier: StripeCarrier, event: Event) -> None:
        self._hub = message.hub
        self._request_id = message.request_id
        self._sink = sink
        self._carrier = carrier
        self._event = event

    async def take(self) -> Answer:
        """Make the hub know what Stripe has now, whatever the message says of it.

        Remembered together with what comes of it: a message that failed comes again, one that is known does nothing.
        Answers 503 where Stripe cannot be asked, so that it tells again later.
        """
        for _ in range(_ATTEMPTS):
            async with self._hub.database.lease() as connection:
                sync = await store.find_sync_by_external_id(
                    connection, self._sink.team, self._sink.id, self._event.about
                )
            if sync is None:
                return _DONE
            try:
                record = await self._carrier.open(self._hub, self._sink).retrieve(self._event.about)
            except stripe.StripeError:
                return _refuse(503, "Stripe cannot be asked at the moment.")
            try:
                is_done = await self._apply(sync, record)
            except Unauthenticated:
                return _refuse(403, "This integration may change nothing any more: its credential was revoked.")
            if is_done:
                self._hub.publisher.wake()
                return _DONE
        return _refuse(503, "Somebody else is at this customer.")

    async def _apply(self, sync: Sync, record: Record | None) -> bool:
        """Take in what was fetched; False where it is old by now, since something was sent or came in meanwhile."""
        team, sink = self._sink.team, self._sink.id
        async with (
            self._hub.turns.turn((team, sync.customer)),
            self._hub.database.transaction() as connection,
        ):
            if await store.lock_sync(connection, team, sink, sync.customer) != sync:
                return False
            if not await store.remember_message(connection, team, sink, self._event.id, self._hub.now()):
                return True
            after = await self._to_sync(connection, sync, record)
            if after != sync:
                await store.put_sync(connection, team, sink, after, self._hub.now())
        return True

    async def _to_sync(self, connection: Connection, sync: Sync, record: Record | None) -> Sync:
        """What is known of the customer from now on; the patch, if any, is written by then."""
        if record is None:
            # It is never deleted here for that.
            return msgspec.structs.replace(sync, error=GONE)
        team, sink = self._sink.team, self._sink.id
        await self._make_credential(connection)
        taking = _Taking(self._sink, sync, record, self._hub)
        try:
            refusal = await self._write(connection, sync.customer, taking)
        except NotFound:
            # Deleted or erased here: nothing that Stripe says of it is kept.
            return sync
        weighed = taking.weighed
        if weighed is None:
            return sync
        if weighed.owed:
            await deliveries.enqueue(connection, team, sink, [sync.customer], self._hub.now())
        error = refusal or (None if weighed.taken else sync.error)
        return msgspec.structs.replace(sync, written=weighed.written, error=error)

    async def _write(self, connection: Connection, customer: UUID, taking: "_Taking") -> str:
        """Change the record, field by field where it refuses some of them; why it did, empty where it took all."""
        inside, refusal = self._hub.on(connection), ""
        while True:
            try:
                # A savepoint: a refusal must not take the memory of the message along.
                async with connection.transaction():
                    await update_customer(inside, self._to_command(), customer, taking.decide, _to_nothing)
            except Invalid as invalid:
                refusal = refusal or f"a change in Stripe was refused: {invalid}"[:500]
                if taking.spare(invalid):
                    continue
            return refusal

    def _to_caller(self) -> Caller:
        return Caller(self._sink.team, self._sink.id, self._sink.id, NAME, _DOOR)

    def _to_command(self) -> Command:
        # Whoever demands a precondition of clients means their copies of the record; Stripe's was compared just now.
        return Command(self._to_caller(), self._request_id, _raise, Guards(if_match=IfMatch(any_version=True)))

    async def _make_credential(self, connection: Connection) -> None:
        """What Stripe's changes are made with, under the integration's id: revoked, they are refused."""
        caller = self._to_caller()
        if await access_store.get_standing(connection, caller) is None:
            new = Credential(caller.team, caller.credential, _DOOR, NAME, self._hub.now())
            with suppress(UniqueViolationError):
                async with connection.transaction():
                    await access_store.insert_credential(connection, new, None)


class _Taking:
    """What one fetched customer asks of the record, weighed again whenever the record is read again."""

    def __init__(self, sink: Sink, sync: Sync, record: Record, hub: Hub) -> None:
        self._sink = sink
        self._sync = sync
        self._theirs = read_fields(record)
        self._hub = hub
        self._refused: set[str] = set()
        self.weighed: Weighed | None = None

    def decide(self, customer: Customer, catalogue: Catalogue) -> Proposal:
        """The patch of those fields that Stripe has changed and may change."""
        del catalogue
        ours = to_snapshot(customer).fields
        weighed = weigh(self._sink, ours, self._theirs, self._sync.written)
        if "name" in weighed.taken and self._theirs["name"] is None:
            # A customer always has a name here.
            taken = tuple(field for field in weighed.taken if field != "name")
            weighed = Weighed(taken, (*weighed.owed, "name"), weighed.written)
        self.weighed = weighed
        wanted = tuple(field for field in weighed.taken if field not in self._refused)
        patch = to_patch(customer, wanted, ours, self._theirs, self._hub.new_id)
        return Proposal(patch, find_errors(wanted, self._theirs))

    def spare(self, invalid: Invalid) -> bool:
        """Take no more what the record refused, and say whether anything else is left to take."""
        taken = set(self.weighed.taken if self.weighed is not None else ()) - self._refused
        named = {field for error in invalid.errors for field in _find_fields(error)}
        refused = taken & named or taken
        self._refused |= refused
        return taken > refused


def _find_fields(error: FieldError) -> tuple[str, ...]:
    """Which of Stripe's fields a place of the record is about."""
    place = str(error.path[0]) if error.path else ""
    return _FIELDS_AT.get(place, (place,))


def _raise(error: HubError) -> Answer:
    """Stripe sends no key that a failure could be kept under."""
    raise error


def _to_nothing(written: Written) -> Answer:
    """Stripe is not shown what became of the record."""
    del written
    return _DONE
