"""How customers come to their next version: attempts until one is fast enough, checks before, one statement last."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Struct

from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.keys import without_old
from customerhub.core.standing import check_alive, check_member, replay
from customerhub.model.answer import Answer
from customerhub.model.apply import Applied
from customerhub.model.catalogue import Catalogue
from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.error import Busy, FieldError, Invalid, Taken, Unauthenticated, check_count, in_order
from customerhub.model.patch import CustomerPatch
from customerhub.model.references import reference_errors
from customerhub.store import customers as store
from customerhub.store.db import Connection, risks_all
from customerhub.store.relatives import Relatives, Wanted, get_relatives

# After two lost races the third attempt holds the row, so that it always ends.
FREE_ATTEMPTS = 2
_TAKEN = {
    "email": "belongs to another customer of this team",
    "number": "belongs to another customer of this team",
    "reference_id": "belongs to another customer of this team",
}


class Proposal(Struct, frozen=True):
    """What a door makes of a request: the patch, the errors it found itself, and its names for canonical fields.

    `errors` have the door's own paths; `names` turns the first step of canonical paths into the door's. `sent` is the
    request as the door knows it: errors are told in its order.
    """

    patch: CustomerPatch
    errors: tuple[FieldError, ...] = ()
    names: Mapping[str, str] = {}
    sent: object = None

    def to_wire(self, canonical: Iterable[FieldError]) -> tuple[FieldError, ...]:
        """The door's own errors and canonical ones by the door's names, in the order of the request."""
        named = (
            FieldError((self.names.get(str(error.path[0]), error.path[0]), *error.path[1:]), error.code, error.reason)
            for error in canonical
        )
        return in_order((*self.errors, *named), self.sent)


class Written(Struct, frozen=True):
    """What came of a write, for rendering: the record, what it refers to, what changed (nothing for a no-op).

    `relatives` are there where the use case was asked for them.
    """

    customer: Customer
    catalogue: Catalogue
    before: Customer | None = None
    changes: tuple[FieldChange, ...] = ()
    relatives: Relatives | None = None


Render = Callable[[Written], Answer]


class Again(Struct, frozen=True):
    """An attempt came to nothing: try once more; with `hold`, in a transaction that holds these customers' rows."""

    hold: frozenset[UUID] | None = None


# Works on a connection; None instead of rows where no transaction is open. Whatever it wrote before it returns Again is
# rolled back with the transaction.
Attempt = Callable[[Connection, frozenset[UUID] | None], Awaitable[Answer | Again]]


class _Undo(Exception):
    """No error: takes the transaction of an attempt that came to nothing back."""


async def run(
    hub: Hub, command: Command, attempt: Attempt, customer_id: UUID | None, *, free_attempts: int = FREE_ATTEMPTS
) -> Answer:
    """Attempt until it is done: freely at first, then holding the row; a dry run always in a transaction of its own.

    Raises Busy where that takes longer than the patience.
    """
    deadline = hub.now().timestamp() + hub.settings.patience_seconds
    own = frozenset((customer_id,)) if customer_id is not None else frozenset[UUID]()
    held: frozenset[UUID] | None = own if command.guards.dry_run or not free_attempts else None
    tries = 0
    while True:
        outcome = await _attempt(hub, command, attempt, held)
        if isinstance(outcome, Answer):
            hub.publisher.wake()
            return outcome
        tries += 1
        hub.noted.lost_races += outcome.hold is None
        if outcome.hold is not None:
            held = own | outcome.hold
        elif held is None and tries >= free_attempts:
            held = own
        if hub.now().timestamp() > deadline:
            raise Busy


async def _attempt(hub: Hub, command: Command, attempt: Attempt, held: frozenset[UUID] | None) -> Answer | Again:
    if held is None:
        async with hub.database.lease() as connection:
            return await attempt(connection, None)
    outcome: Answer | Again = Again()
    try:
        async with hub.database.transaction(keep=not command.guards.dry_run) as connection:
            await store.lock_customers(connection, command.caller.team, held)
            outcome = await attempt(connection, held)
            if isinstance(outcome, Again):
                raise _Undo
    except _Undo:
        pass
    return outcome


async def read(
    hub: Hub, connection: Connection, command: Command, customer_id: UUID | None
) -> store.ReadForWrite | Answer:
    """What the write starts from, or the kept answer of its key; raises Unauthenticated, KeyMismatch, KeyGone."""
    key = command.guards.key
    state = await store.read_for_write(connection, command.caller, customer_id, key)
    if state is None:
        raise Unauthenticated("unknown")
    check_alive(state.revoked_at, state.expires_at, hub.now())
    catalogue = await hub.catalogue(connection, command.caller.team, state.catalogue_version)
    check_member(catalogue, command.caller)
    if catalogue.settings.requires_precondition:
        state = msgspec.structs.replace(state, requires_precondition=True)
    if key is not None and state.kept is not None:
        kept = await without_old(hub, connection, command.caller, key, state.kept)
        if kept is not None:
            return replay(kept, key)
    return state


def check(proposal: Proposal, before: Customer, catalogue: Catalogue, ties: Iterable[FieldError] = ()) -> None:
    """Raise Invalid with the door's errors, those of references and those of ties to other rows, all at once."""
    canonical = [*reference_errors(before, proposal.patch, catalogue), *ties]
    check_count(len(canonical) + len(proposal.errors))
    errors = proposal.to_wire(canonical)
    if errors:
        raise Invalid(errors)


async def written(
    connection: Connection, applied: Applied, catalogue: Catalogue, before: Customer | None, wanted: Wanted | None
) -> Written:
    """What there is to render, with the relatives that are wanted; nothing is asked where none are."""
    customer = applied.customer
    relatives = None
    if wanted is not None:
        relatives = (await get_relatives(connection, customer.team, (customer,), wanted))[customer.id]
    return Written(customer, catalogue.with_entries(applied.new_entries), before, applied.changes, relatives)


def next_version(
    command: Command,
    state: store.ReadForWrite,
    catalogue: Catalogue,
    before: Customer | None,
    applied: Applied,
    action: str,
    answer: Answer,
) -> store.NewVersion:
    """The version that the answer is about, as it is to be stored: the command's key comes with it."""
    return store.NewVersion(
        before=before,
        after=applied.customer,
        changes=applied.changes,
        action=action,
        caller=command.caller,
        request_id=command.request_id,
        ignored=tuple(dict.fromkeys(command.ignored)),
        new_entries=applied.new_entries,
        key=command.guards.key,
        answer=answer,
        tells_sinks=state.has_sinks,
        emails_are_unique=catalogue.settings.email_policy == "unique",
    )


async def write(connection: Connection, version: store.NewVersion, proposal: Proposal) -> Answer | Again:
    """The answer once the version stands, or that it must be tried again. Raises Taken.

    A unique index decides; only then is asked which value it was. Where none of them is taken it was the key or a
    term that somebody else wrote at the same moment: the next attempt will find it. On a connection that risks all
    nothing can be asked then: asyncpg.UniqueViolationError goes to whoever opened the transaction.
    """
    try:
        if connection.is_in_transaction() and not risks_all(connection):
            # A refused statement must not end the transaction; outside of one each statement stands alone anyway.
            async with connection.transaction():
                is_written = await store.write_version(connection, version)
        else:
            is_written = await store.write_version(connection, version)
    except asyncpg.UniqueViolationError as error:
        if risks_all(connection):
            raise
        taken = await store.find_taken(connection, version.after, emails_are_unique=version.emails_are_unique)
        if not taken:
            return Again()
        errors = (FieldError((field,), f"{field}_taken", _TAKEN[field]) for field in taken)
        raise Taken(proposal.to_wire(errors)) from error
    return version.answer if is_written else Again()
