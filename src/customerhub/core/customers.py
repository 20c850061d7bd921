"""Use cases on one customer: get, create, update, delete; the one write path of every door.

A write is two round trips: one query that reads everything it needs, one statement that writes the next version with
its history, event, key and new terms, only if nobody was faster. No transaction is open between the two.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import msgspec
from msgspec import UNSET, Struct

from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.keys import keep_failure
from customerhub.core.standing import check_alive, check_precondition, replay
from customerhub.model.answer import Answer, Caller
from customerhub.model.apply import TICK, Applied, apply, create, delete
from customerhub.model.catalogue import Catalogue
from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.error import (
    Busy,
    Conflict,
    FieldError,
    Invalid,
    NotFound,
    Taken,
    Unauthenticated,
    check_count,
    in_order,
)
from customerhub.model.patch import CustomerPatch
from customerhub.model.references import reference_errors
from customerhub.store import customers as store
from customerhub.store import keys as key_store
from customerhub.store.db import Connection

# After two lost races the third attempt holds the row, so that it always ends.
_FREE_ATTEMPTS = 2
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
    """What came of a write, for rendering: the record, what it refers to, what changed (nothing for a no-op)."""

    customer: Customer
    catalogue: Catalogue
    before: Customer | None = None
    changes: tuple[FieldChange, ...] = ()


class NumberForm(Struct, frozen=True):
    """How a door writes the numbers it gives: `prefix` and at least `digits` digits."""

    prefix: str
    digits: int

    def of(self, number: int) -> str:
        """The number as text."""
        return f"{self.prefix}{number:0{self.digits}d}"


Render = Callable[[Written], Answer]


async def get_customer(hub: Hub, caller: Caller, customer_id: UUID | None) -> Written:
    """A live customer and its catalogue; raises Unauthenticated or NotFound."""
    async with hub.database.lease() as connection:
        reading = await store.get_for_reader(connection, caller, customer_id)
        if reading is None:
            raise Unauthenticated("unknown")
        check_alive(reading.revoked_at, reading.expires_at, hub.now())
        if reading.customer is None:
            raise NotFound("customer", str(customer_id))
        return Written(reading.customer, await hub.catalogue(connection, caller.team, reading.catalogue_version))


async def update_customer(
    hub: Hub,
    command: Command,
    customer_id: UUID | None,
    decide: Callable[[Customer, Catalogue], Proposal],
    render: Render,
) -> Answer:
    """Change one customer. `decide` may be called again with a newer record after a lost race.

    Raises Unauthenticated, NotFound, PreconditionFailed, PreconditionRequired, KeyMismatch, Invalid, Taken, Busy; a
    key keeps the permanent ones among them and the answer is returned instead.
    """
    if customer_id is None:
        raise NotFound("customer", "")

    async def attempt(connection: Connection) -> Answer | None:
        return await _attempt_update(hub, connection, command, customer_id, decide, render)

    async with hub.turns.turn((command.caller.team, customer_id)):
        return await keep_failure(hub, command, lambda: _run(hub, command, attempt, customer_id))


async def create_customer(
    hub: Hub, command: Command, decide: Callable[[Catalogue], Proposal], render: Render, form: NumberForm
) -> Answer:
    """Make a customer, numbered in the door's form where the proposal names no number. Raises as `update_customer`."""

    async def attempt(connection: Connection) -> Answer | None:
        return await _attempt_create(hub, connection, command, decide, render, form)

    return await keep_failure(hub, command, lambda: _run(hub, command, attempt, None))


async def delete_customer(hub: Hub, command: Command, customer_id: UUID | None, render: Render) -> Answer:
    """Take a customer away from every door; its email address, number and reference are free again.

    Its history stays. Twice is NotFound. Raises Conflict where other customers are below it, and what
    `update_customer` raises.
    """
    if customer_id is None:
        raise NotFound("customer", "")

    async def attempt(connection: Connection) -> Answer | None:
        return await _attempt_delete(hub, connection, command, customer_id, render)

    async with hub.turns.turn((command.caller.team, customer_id)):
        # Holds the row at once: a customer that is just being put below this one has to wait, and is then seen.
        return await keep_failure(hub, command, lambda: _run(hub, command, attempt, customer_id, free_attempts=0))


async def _run(
    hub: Hub,
    command: Command,
    attempt: Callable[[Connection], Awaitable[Answer | None]],
    customer_id: UUID | None,
    *,
    free_attempts: int = _FREE_ATTEMPTS,
) -> Answer:
    """Attempt until it is done: freely at first, then holding the row; a dry run always in a transaction of its own."""
    deadline = hub.now().timestamp() + hub.settings.patience_seconds
    tries = 0
    while True:
        holds_row = tries >= free_attempts or command.guards.dry_run
        if holds_row:
            async with hub.database.transaction(keep=not command.guards.dry_run) as connection:
                if customer_id is not None:
                    await store.lock_customer(connection, command.caller.team, customer_id)
                answer = await attempt(connection)
        else:
            async with hub.database.lease() as connection:
                answer = await attempt(connection)
        if answer is not None:
            return answer
        tries += 1
        if hub.now().timestamp() > deadline:
            raise Busy


async def _attempt_update(
    hub: Hub,
    connection: Connection,
    command: Command,
    customer_id: UUID,
    decide: Callable[[Customer, Catalogue], Proposal],
    render: Render,
) -> Answer | None:
    state = await _read(hub, connection, command, customer_id)
    if isinstance(state, Answer):
        return state
    before = state.customer
    if before is None:
        raise NotFound("customer", str(customer_id))
    check_precondition(command.guards, before.version, is_required=state.requires_precondition)
    catalogue = await hub.catalogue(connection, command.caller.team, state.catalogue_version)
    proposal = decide(before, catalogue)
    _check(proposal, before, catalogue)
    applied = apply(before, proposal.patch, catalogue, hub.moment(command.caller))
    answer = _render(render, applied, catalogue, before)
    if not applied.changes:
        return answer if await _keep_noop(hub, connection, command, answer) else None
    version = _new_version(command, state, before, applied, catalogue, answer, "updated")
    return await _write(connection, version, proposal)


async def _attempt_create(
    hub: Hub,
    connection: Connection,
    command: Command,
    decide: Callable[[Catalogue], Proposal],
    render: Render,
    form: NumberForm,
) -> Answer | None:
    state = await _read(hub, connection, command, None)
    if isinstance(state, Answer):
        return state
    check_precondition(command.guards, None, is_required=False)
    team = command.caller.team
    catalogue = await hub.catalogue(connection, team, state.catalogue_version)
    moment = hub.moment(command.caller)
    proposal = decide(catalogue)
    blank = Customer(
        team, hub.new_id(), 0, moment.now, moment.now - TICK, moment.actor, moment.actor, name="", number=""
    )
    _check(proposal, blank, catalogue)
    is_numbered = proposal.patch.number is not UNSET
    if not is_numbered:
        number = form.of(await store.take_number(connection, team))
        blank = msgspec.structs.replace(blank, number=number)
    applied = create(blank, proposal.patch, catalogue, moment)
    answer = _render(render, applied, catalogue, None)
    version = _new_version(command, state, None, applied, catalogue, answer, "created")
    try:
        return await _write(connection, version, proposal)
    except Taken as taken:
        if is_numbered or not any(error.code == "number_taken" for error in taken.errors):
            raise
        await store.skip_numbers(connection, team, form.prefix, form.digits)
        # In the same transaction, if there is one: a dry run's would take the jump back, and clash for ever.
        return await _attempt_create(hub, connection, command, decide, render, form)


async def _attempt_delete(
    hub: Hub, connection: Connection, command: Command, customer_id: UUID, render: Render
) -> Answer | None:
    state = await _read(hub, connection, command, customer_id)
    if isinstance(state, Answer):
        return state
    before = state.customer
    if before is None:
        raise NotFound("customer", str(customer_id))
    check_precondition(command.guards, before.version, is_required=state.requires_precondition)
    if await store.has_children(connection, command.caller.team, customer_id):
        raise Conflict("other customers are below this one")
    catalogue = await hub.catalogue(connection, command.caller.team, state.catalogue_version)
    applied = delete(before, hub.moment(command.caller))
    answer = _render(render, applied, catalogue, before)
    version = _new_version(command, state, before, applied, catalogue, answer, "deleted")
    return await _write(connection, version, Proposal(CustomerPatch()))


async def _read(
    hub: Hub, connection: Connection, command: Command, customer_id: UUID | None
) -> store.ReadForWrite | Answer:
    """What the write starts from, or the kept answer of its key; raises Unauthenticated, KeyMismatch, KeyGone."""
    state = await store.read_for_write(connection, command.caller, customer_id, command.guards.key)
    if state is None:
        raise Unauthenticated("unknown")
    check_alive(state.revoked_at, state.expires_at, hub.now())
    if state.kept is not None and command.guards.key is not None:
        return replay(state.kept, command.guards.key)
    return state


def _check(proposal: Proposal, before: Customer, catalogue: Catalogue) -> None:
    """Raise Invalid with the door's errors and those of references, all at once."""
    references = reference_errors(before, proposal.patch, catalogue)
    check_count(len(references) + len(proposal.errors))
    errors = proposal.to_wire(references)
    if errors:
        raise Invalid(errors)


def _render(render: Render, applied: Applied, catalogue: Catalogue, before: Customer | None) -> Answer:
    return render(Written(applied.customer, catalogue.with_entries(applied.new_entries), before, applied.changes))


async def _keep_noop(hub: Hub, connection: Connection, command: Command, answer: Answer) -> bool:
    """A no-op writes nothing but its key; False where the same key was faster elsewhere."""
    if command.guards.key is None:
        return True
    try:
        async with _savepoint(connection):
            await key_store.keep_answer(connection, command.caller, command.guards.key, answer, hub.now())
    except asyncpg.UniqueViolationError:
        return False
    return True


def _new_version(
    command: Command,
    state: store.ReadForWrite,
    before: Customer | None,
    applied: Applied,
    catalogue: Catalogue,
    answer: Answer,
    action: str,
) -> store.NewVersion:
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


async def _write(connection: Connection, version: store.NewVersion, proposal: Proposal) -> Answer | None:
    """The answer once the version stands; None where it must be tried again. Raises Taken.

    A unique index decides; only then is asked which value it was. Where none of them is taken it was the key or a
    term that somebody else wrote at the same moment: the next attempt will find it.
    """
    try:
        async with _savepoint(connection):
            is_written = await store.write_version(connection, version)
    except asyncpg.UniqueViolationError as error:
        taken = await store.find_taken(connection, version.after, emails_are_unique=version.emails_are_unique)
        if not taken:
            return None
        errors = (FieldError((field,), f"{field}_taken", _TAKEN[field]) for field in taken)
        raise Taken(proposal.to_wire(errors)) from error
    return version.answer if is_written else None


@asynccontextmanager
async def _savepoint(connection: Connection) -> AsyncIterator[None]:
    """Inside a transaction a refused statement must not end it; outside, each statement stands alone anyway."""
    if connection.is_in_transaction():
        async with connection.transaction():
            yield
    else:
        yield
