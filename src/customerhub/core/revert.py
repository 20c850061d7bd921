"""Use cases that undo: a customer back to a former version as a new one, and a deleted one back into every door."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.core import versions
from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.keys import keep_answer, keep_failure
from customerhub.core.returning import check_addresses, check_lasting
from customerhub.core.standing import check_precondition
from customerhub.core.ties import Ties, find_ties
from customerhub.core.versions import Again, Proposal, Render
from customerhub.model.answer import Answer
from customerhub.model.apply import Applied, advance
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import Conflict, FieldError, HistoryGone, Invalid, NotFound
from customerhub.model.nested import Moment
from customerhub.model.patch import CustomerPatch
from customerhub.model.replay import replay
from customerhub.model.revert import revert
from customerhub.store import timeline as store
from customerhub.store.db import Connection
from customerhub.store.relatives import find_successor

# What `versions.write` words its refusals by: here nothing stands between a request's names and the record's.
_NOTHING_PROPOSED: Final = Proposal(CustomerPatch())


class Reversion(Struct, frozen=True):
    """What to go back to: a version, as a whole or only at these JSON Pointers of the record.

    Pointers are those of changes: `/name`, `/addresses`, `/addresses/<id>`, `/addresses/<id>/city`,
    `/attributes/<name>`; `/credit_limit` stands for value and unit.
    """

    version: int
    paths: tuple[str, ...] | None = None


async def revert_customer(
    hub: Hub, command: Command, customer_id: UUID | None, read: Callable[[], Reversion], render: Render
) -> Answer:
    """Give a live customer the values of a former version, as an ordinary new version (`updated`).

    All of it but id, number of the version, and who made and changed it when: also entries of lists with their ids.
    An entry that differs has this moment as its `updated_at`. `read` may raise Invalid or Malformed. Raises what
    `update_customer` raises; Invalid with `version` (`unknown_version`) and `paths/<n>` (`unknown_path`), or with the
    canonical field of a reference that is gone; Taken; Conflict; HistoryGone for what is not known any more.
    """
    if customer_id is None:
        raise NotFound("customer", "")

    async def attempt(connection: Connection, held: frozenset[UUID] | None) -> Answer | Again:
        state = await versions.read(hub, connection, command, customer_id)
        if isinstance(state, Answer):
            return state
        before = state.customer
        if before is None:
            raise NotFound("customer", str(customer_id))
        check_precondition(command.guards, before.version, is_required=state.requires_precondition)
        wanted = read()
        then = await _get_version(connection, before, wanted.version)
        catalogue = await hub.catalogue(connection, before.team, state.catalogue_version)
        applied = revert(before, then, wanted.paths, catalogue, hub.moment(command.caller))
        ties = await _find_ties(connection, before, applied.customer, holds=held is not None)
        if not ties.are_held(held):
            return Again(ties.rows)
        coming = [one for one in applied.customer.addresses if before.find_address(one.id) is None]
        await check_addresses(connection, before.team, coming, (before.id,))
        answer = render(await versions.written(connection, applied, catalogue, before, None))
        if not applied.changes:
            key = command.guards.key
            return answer if key is None else await keep_answer(hub, connection, command.caller, key, answer)
        version = versions.next_version(command, state, catalogue, before, applied, "updated", answer)
        return await versions.write(connection, version, _NOTHING_PROPOSED)

    async with hub.turns.turn((command.caller.team, customer_id)):
        return await keep_failure(hub, command, lambda: versions.run(hub, command, attempt, customer_id))


async def restore_customer(hub: Hub, command: Command, customer_id: UUID | None, render: Render) -> Answer:
    """Bring a deleted customer back as it was, as a new version (`restored`); `If-Match` names its last version.

    Raises NotFound where there is no deleted one of this id, Taken where its email address, number or reference is
    another's by now, Conflict where it went into another customer, was erased, or what it refers to is gone: the
    customer above it, an account group, its credit limit's unit, an address that has another customer by now.
    """
    if customer_id is None:
        raise NotFound("customer", "")

    async def attempt(connection: Connection, held: frozenset[UUID] | None) -> Answer | Again:
        state = await versions.read(hub, connection, command, None)
        if isinstance(state, Answer):
            return state
        before = await store.get_deleted(connection, command.caller.team, customer_id)
        if before is None:
            raise NotFound("customer", str(customer_id))
        check_precondition(command.guards, before.version, is_required=state.requires_precondition)
        catalogue = await hub.catalogue(connection, before.team, state.catalogue_version)
        await _check_restorable(connection, before, catalogue)
        applied, ties = await _restore(connection, before, hub.moment(command.caller), holds=held is not None)
        if not ties.are_held(held):
            return Again(ties.rows)
        answer = render(await versions.written(connection, applied, catalogue, before, None))
        version = versions.next_version(command, state, catalogue, before, applied, "restored", answer)
        return await versions.write(connection, version, _NOTHING_PROPOSED)

    async with hub.turns.turn((command.caller.team, customer_id)):
        return await keep_failure(hub, command, lambda: versions.run(hub, command, attempt, customer_id))


async def get_former(connection: Connection, team: UUID, customer_id: UUID, at: int | datetime) -> Customer:
    """A customer as it was at a version or at a time; raises NotFound and HistoryGone."""
    extent = await store.find_extent(connection, team, customer_id, at if isinstance(at, datetime) else None)
    if extent is None:
        raise NotFound("customer", str(customer_id))
    version = at if isinstance(at, int) else extent.standing
    if version is None or not 1 <= version <= extent.newest:
        # Of a time before all that is kept nobody can say whether it was before the first version.
        if version is None and extent.oldest > 1:
            raise HistoryGone(extent.oldest - 1)
        raise NotFound("version", str(at))
    erased = extent.erased or 0
    if version < erased:
        raise HistoryGone(version)
    entries = await store.list_versions(connection, team, customer_id, max(erased, 1), version)
    if not entries or entries[-1].version != version:
        raise HistoryGone(version)
    return replay(entries)


async def _get_version(connection: Connection, before: Customer, version: int) -> Customer:
    """The former version of a live customer that it may go back to."""
    if version == before.version:
        return before
    try:
        then = await get_former(connection, before.team, before.id, version)
    except HistoryGone:
        raise
    except NotFound as error:
        reason = "must be a version that this customer had"
        raise Invalid((FieldError(("version",), "unknown_version", reason),)) from error
    if then.deleted_at is not None:
        raise Conflict("at this version the customer was deleted: delete it instead")
    return then


async def _find_ties(connection: Connection, before: Customer, after: Customer, *, holds: bool) -> Ties:
    """What a parent that comes back ties the customer to; raises Invalid where it cannot come back."""
    ties = await find_ties(connection, before, CustomerPatch(parent=after.parent), holds=holds)
    if ties.errors:
        raise Invalid(ties.errors)
    return ties


async def _check_restorable(connection: Connection, before: Customer, catalogue: Catalogue) -> None:
    if before.merged_into is not None:
        raise Conflict("this customer went into another one: undo the merge instead")
    extent = await store.find_extent(connection, before.team, before.id, None)
    if extent is not None and extent.erased is not None:
        raise Conflict("this customer was erased, and nothing is left to bring back")
    check_lasting(before, catalogue)
    await check_addresses(connection, before.team, before.addresses, (before.id,))


async def _restore(connection: Connection, before: Customer, moment: Moment, *, holds: bool) -> tuple[Applied, Ties]:
    """The live version, and what ties it to the customer above it: where that one was merged, to what it went into."""
    values: dict[str, object] = {"deleted_at": None}
    parent = before.parent
    alone = msgspec.structs.replace(before, parent=None)
    ties = await find_ties(connection, alone, CustomerPatch(parent=parent), holds=holds)
    if ties.errors and parent is not None:
        parent = values["parent"] = await find_successor(connection, before.team, parent)
        ties = await find_ties(connection, alone, CustomerPatch(parent=parent), holds=holds)
        if parent is None or ties.errors:
            raise Conflict("the customer above this one is deleted: restore that one first")
    return Applied(*advance(before, values, (), moment.after(before.updated_at))), ties
