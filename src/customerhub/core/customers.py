"""Use cases on one customer: get, create, update, delete; the one write path of every door.

A write is two round trips: one query that reads everything it needs, one statement that writes the next version with
its history, event, key and new terms, only if nobody was faster. No transaction is open between the two, unless what is
written depends on other rows too.
"""

from collections.abc import Callable
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct

from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.keys import keep_answer, keep_failure
from customerhub.core.standing import check_alive, check_member, check_precondition
from customerhub.core.ties import find_ties, finish_adoption
from customerhub.core.versions import (
    Again,
    Proposal,
    Render,
    Written,
    check,
    next_version,
    read,
    run,
    write,
    written,
)
from customerhub.model.answer import Answer, Caller
from customerhub.model.apply import TICK, Applied, apply, create, delete
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import Conflict, NotFound, Taken, Unauthenticated
from customerhub.model.patch import CustomerPatch
from customerhub.store import customers as store
from customerhub.store import relatives as relative_store
from customerhub.store.db import Connection
from customerhub.store.relatives import Relatives, Wanted, has_children

__all__ = [
    "NumberForm",
    "Proposal",
    "Relatives",
    "Render",
    "Wanted",
    "Written",
    "create_customer",
    "delete_customer",
    "find_successor",
    "get_customer",
    "update_customer",
]


class NumberForm(Struct, frozen=True):
    """How a door writes the numbers it gives: `prefix` and at least `digits` digits."""

    prefix: str
    digits: int

    def of(self, number: int) -> str:
        """The number as text."""
        return f"{self.prefix}{number:0{self.digits}d}"


async def get_customer(hub: Hub, caller: Caller, customer_id: UUID | None, wanted: Wanted | None = None) -> Written:
    """A live customer and its catalogue, with the relatives that are wanted; raises Unauthenticated or NotFound."""
    async with hub.database.lease() as connection:
        reading = await store.get_for_reader(connection, caller, customer_id)
        if reading is None:
            raise Unauthenticated("unknown")
        check_alive(reading.revoked_at, reading.expires_at, hub.now())
        catalogue = await hub.catalogue(connection, caller.team, reading.catalogue_version)
        check_member(catalogue, caller)
        if reading.customer is None:
            raise NotFound("customer", str(customer_id))
        return await written(connection, Applied(reading.customer, ()), catalogue, None, wanted)


async def find_successor(hub: Hub, caller: Caller, customer_id: UUID | None) -> UUID | None:
    """The live customer that a merged one went into, however many merges that took; None for any other id.

    Raises Unauthenticated.
    """
    if customer_id is None:
        return None
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        return await relative_store.find_successor(connection, caller.team, customer_id)


async def update_customer(
    hub: Hub,
    command: Command,
    customer_id: UUID | None,
    decide: Callable[[Customer, Catalogue], Proposal],
    render: Render,
    wanted: Wanted | None = None,
) -> Answer:
    """Change one customer. `decide` may be called again with a newer record after a lost race.

    Raises Unauthenticated, NotFound, PreconditionFailed, PreconditionRequired, KeyMismatch, Invalid, Taken, Busy; a
    key keeps the permanent ones among them and the answer is returned instead.
    """
    if customer_id is None:
        raise NotFound("customer", "")

    async def attempt(connection: Connection, held: frozenset[UUID] | None) -> Answer | Again:
        state = await read(hub, connection, command, customer_id)
        if isinstance(state, Answer):
            return state
        before = state.customer
        if before is None:
            raise NotFound("customer", str(customer_id))
        check_precondition(command.guards, before.version, is_required=state.requires_precondition)
        catalogue = await hub.catalogue(connection, command.caller.team, state.catalogue_version)
        proposal = decide(before, catalogue)
        ties = await find_ties(connection, before, proposal.patch, holds=held is not None)
        proposal = msgspec.structs.replace(proposal, patch=ties.patch)
        check(proposal, before, catalogue, ties.errors)
        if not ties.are_held(held):
            return Again(ties.rows)
        applied = apply(before, proposal.patch, catalogue, hub.moment(command.caller))
        answer = render(await written(connection, applied, catalogue, before, wanted))
        if not applied.changes:
            return await _keep_noop(hub, connection, command, answer)
        version = next_version(command, state, catalogue, before, applied, "updated", answer)
        outcome = await write(connection, version, proposal)
        if isinstance(outcome, Answer):
            await finish_adoption(connection, command, applied.customer, ties)
        return outcome

    async with hub.turns.turn((command.caller.team, customer_id)):
        return await keep_failure(hub, command, lambda: run(hub, command, attempt, customer_id))


async def create_customer(
    hub: Hub,
    command: Command,
    decide: Callable[[Catalogue], Proposal],
    render: Render,
    form: NumberForm,
    wanted: Wanted | None = None,
) -> Answer:
    """Make a customer, numbered in the door's form where the proposal names no number. Raises as `update_customer`."""

    async def attempt(connection: Connection, held: frozenset[UUID] | None) -> Answer | Again:
        state = await read(hub, connection, command, None)
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
        ties = await find_ties(connection, blank, proposal.patch, holds=held is not None)
        proposal = msgspec.structs.replace(proposal, patch=ties.patch)
        check(proposal, blank, catalogue, ties.errors)
        if not ties.are_held(held):
            return Again(ties.rows)
        is_numbered = proposal.patch.number is not UNSET
        if not is_numbered:
            number = form.of(await hub.numbers.take(connection, team))
            blank = msgspec.structs.replace(blank, number=number)
        applied = create(blank, proposal.patch, catalogue, moment)
        answer = render(await written(connection, applied, catalogue, None, wanted))
        version = next_version(command, state, catalogue, None, applied, "created", answer)
        try:
            outcome = await write(connection, version, proposal)
        except Taken as taken:
            if is_numbered or not any(error.code == "number_taken" for error in taken.errors):
                raise
            await hub.numbers.skip(connection, team, form.prefix, form.digits)
            # In the same transaction, if there is one: a dry run's would take the jump back, and clash for ever.
            return await attempt(connection, held)
        if isinstance(outcome, Answer):
            await finish_adoption(connection, command, applied.customer, ties)
        return outcome

    return await keep_failure(hub, command, lambda: run(hub, command, attempt, None))


async def delete_customer(hub: Hub, command: Command, customer_id: UUID | None, render: Render) -> Answer:
    """Take a customer away from every door; its email address, number and reference are free again.

    Its history stays. Twice is NotFound. Raises Conflict where other customers are below it, and what
    `update_customer` raises.
    """
    if customer_id is None:
        raise NotFound("customer", "")

    async def attempt(connection: Connection, held: frozenset[UUID] | None) -> Answer | Again:
        del held
        state = await read(hub, connection, command, customer_id)
        if isinstance(state, Answer):
            return state
        before = state.customer
        if before is None:
            raise NotFound("customer", str(customer_id))
        check_precondition(command.guards, before.version, is_required=state.requires_precondition)
        if await has_children(connection, command.caller.team, customer_id):
            raise Conflict("other customers are below this one")
        catalogue = await hub.catalogue(connection, command.caller.team, state.catalogue_version)
        applied = delete(before, hub.moment(command.caller))
        answer = render(await written(connection, applied, catalogue, before, None))
        version = next_version(command, state, catalogue, before, applied, "deleted", answer)
        return await write(connection, version, Proposal(CustomerPatch()))

    async with hub.turns.turn((command.caller.team, customer_id)):
        # Holds the row at once: a customer that is just being put below this one has to wait, and is then seen.
        return await keep_failure(hub, command, lambda: run(hub, command, attempt, customer_id, free_attempts=0))


async def _keep_noop(hub: Hub, connection: Connection, command: Command, answer: Answer) -> Answer:
    """A no-op writes nothing but its key; where the same key was faster elsewhere the answer is that one's."""
    hub.noted.no_ops += 1
    key = command.guards.key
    return await keep_answer(hub, connection, command.caller, key, answer) if key is not None else answer
