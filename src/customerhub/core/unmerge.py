"""The use case that takes a merge back: the sources are live again, the target gives up what it had from them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.core import versions
from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.keys import keep_failure
from customerhub.core.returning import check_addresses, check_lasting
from customerhub.core.revert import get_former
from customerhub.core.standing import check_precondition
from customerhub.core.versions import Again, Proposal, Written
from customerhub.model.answer import Answer, Caller
from customerhub.model.apply import Applied
from customerhub.model.customer import Customer
from customerhub.model.error import Conflict, FieldError, HistoryGone, Invalid, NotFound, Taken
from customerhub.model.patch import CustomerPatch
from customerhub.model.unmerge import Prefer, Unmerged, Unmerger, unmerge
from customerhub.store import merges as store
from customerhub.store.customers import NewVersion, get_customers
from customerhub.store.db import Connection
from customerhub.store.merges import MergedRecord
from customerhub.store.relatives import find_successor, get_line
from customerhub.store.timeline import list_versions

_UNSEEN: Final = Answer(200)
_NOTHING_PROPOSED: Final = Proposal(CustomerPatch())
Render = Callable[[Written, tuple[UUID, ...]], Answer]
"""The answer from the target and the ids of the customers that are live again."""


class UnmergeRequest(Struct, frozen=True):
    """Which merge: the version that its target came to by it; and what stands where something was changed since."""

    version: int
    prefer: Prefer | None = None


async def unmerge_customer(
    hub: Hub, command: Command, target_id: UUID | None, read: Callable[[], UnmergeRequest], render: Render
) -> Answer:
    """Take one merge back (`model/unmerge.py`): the target as `updated`, its sources as `restored`, children `updated`.

    All of it is one transaction with one version of each; the key comes with the target's. A customer that went from
    below a source to below the target goes back if it still stands there. `read` may raise Invalid or Malformed.
    Raises what `update_customer` raises; Invalid with `version` (`unknown_version`, `not_a_merge`), HistoryGone where
    the versions around it are not known any more, InTheWay, Conflict where the merge was taken back already, a source
    was erased or refers to what is deleted, or somebody would stand above themselves, and Taken for what a source had
    and others have by now.
    """
    if target_id is None:
        raise NotFound("customer", "")

    async def attempt(connection: Connection, held: frozenset[UUID] | None) -> Answer | Again:
        state = await versions.read(hub, connection, command, target_id)
        if isinstance(state, Answer):
            return state
        target = state.customer
        if target is None:
            raise NotFound("customer", str(target_id))
        check_precondition(command.guards, target.version, is_required=state.requires_precondition)
        unmerger = await _gather(connection, target, read())
        catalogue = await hub.catalogue(connection, target.team, state.catalogue_version)
        unmerged = unmerge(unmerger, catalogue, hub.moment(command.caller))
        rows = await _find_rows(connection, unmerged)
        if held is None or not rows <= held:
            return Again(rows)
        for source in unmerger.sources:
            check_lasting(source, catalogue)
            coming = [one for one in source.addresses if target.find_address(one.id) is None]
            await check_addresses(connection, target.team, coming, ())
        ids = tuple(source.id for source in unmerger.sources)
        answer = render(await versions.written(connection, unmerged.target, catalogue, target, None), ids)
        first = versions.next_version(command, state, catalogue, target, unmerged.target, "updated", answer)
        outcome = await versions.write(connection, first, _NOTHING_PROPOSED)
        for before, after, action in _beside(unmerger, unmerged):
            if isinstance(outcome, Again):
                break
            version = versions.next_version(command, state, catalogue, before, after, action, _UNSEEN)
            outcome = await _write_beside(connection, msgspec.structs.replace(version, key=None, ignored=()))
        return outcome if isinstance(outcome, Again) else answer

    async with hub.turns.turn((command.caller.team, target_id)):
        return await keep_failure(hub, command, lambda: versions.run(hub, command, attempt, target_id))


async def list_merged_away(
    hub: Hub, caller: Caller, target_id: UUID, at: datetime, request_id: str
) -> tuple[Customer, ...]:
    """Those who went into a customer by the merge of a moment and a request, and are still gone; none once that was
    taken back. Raises Unauthenticated.
    """
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        records = await store.list_merged(connection, caller.team, at, request_id)
        ids = [record.customer for record in records if _is_source(record.customer, records)]
        return await store.get_sources(connection, caller.team, ids, target_id, at) if ids else ()


async def _write_beside(connection: Connection, version: NewVersion) -> Answer | Again:
    """One of the versions beside the target's; Taken says whose value it was."""
    try:
        return await versions.write(connection, version, _NOTHING_PROPOSED)
    except Taken as taken:
        owner = ("sources", str(version.after.id))
        errors = (FieldError((*owner, *error.path), error.code, error.reason) for error in taken.errors)
        raise Taken(tuple(errors)) from taken


def _beside(unmerger: Unmerger, unmerged: Unmerged) -> Iterator[tuple[Customer, Applied, str]]:
    """What is written beside the target and after it, when the email address and so on that it had are free again."""
    for source, after in zip(unmerger.sources, unmerged.sources, strict=True):
        yield source, after, "restored"
    for (child, _), after in zip(unmerger.children, unmerged.children, strict=True):
        yield child, after, "updated"


async def _gather(connection: Connection, target: Customer, request: UnmergeRequest) -> Unmerger:
    """Everything that is looked at. Raises Invalid, HistoryGone and Conflict."""
    team, version = target.team, request.version
    entries = await list_versions(connection, team, target.id, version, version) if version <= target.version else ()
    if not entries and version <= target.version:
        # Raises that it is not known any more.
        await get_former(connection, team, target.id, version)
    if not entries:
        reason = "must be a version that this customer had"
        raise Invalid((FieldError(("version",), "unknown_version", reason),))
    entry = entries[0]
    records = await store.list_merged(connection, team, entry.at, entry.request_id) if entry.action == "merged" else ()
    if any(_is_folded(record) for record in records):
        # Whom it deleted and who stood below these is not told by all of them any more.
        raise HistoryGone(version)
    if not records or _is_source(target.id, records):
        reason = "must be the version that this customer came to when others went into it"
        raise Invalid((FieldError(("version",), "not_a_merge", reason),))
    former = await get_former(connection, team, target.id, version - 1)
    merged = await get_former(connection, team, target.id, version)
    gone = {record.customer: record.version for record in records if _is_source(record.customer, records)}
    sources = await store.get_sources(connection, team, gone, target.id, entry.at)
    if not sources:
        raise Conflict("this merge was taken back already")
    for source in sources:
        if source.version != gone[source.id]:
            raise Conflict(f"the customer {source.id} was erased, and nothing is left to bring back")
    moved = {record.customer: above for record in records for above in _former_parents(record) if above in gone}
    below = await store.get_below(connection, team, moved, target.id)
    return Unmerger(
        target,
        former,
        merged,
        sources,
        tuple((child, moved[child.id]) for child in below),
        await _find_heirs(connection, former, sources),
        request.prefer,
    )


def _is_folded(record: MergedRecord) -> bool:
    """Whether the whole record stands where its changes were, since what came before is too old to be kept."""
    return any(change.path == "" for change in record.changes)


def _is_source(customer_id: UUID, records: tuple[MergedRecord, ...]) -> bool:
    """Whether a merge deleted this customer."""
    return any(
        record.customer == customer_id and any(change.path == "/merged_into" for change in record.changes)
        for record in records
    )


def _former_parents(record: MergedRecord) -> Iterator[UUID]:
    """Whom a merge took a customer away from, if it only stood below somebody."""
    for change in record.changes:
        if record.action == "updated" and change.path == "/parent" and isinstance(change.old, str):
            yield UUID(change.old)


async def _find_heirs(connection: Connection, former: Customer, sources: tuple[Customer, ...]) -> dict[UUID, UUID]:
    """The live customers that those who stood above them have gone into since."""
    coming = {source.id for source in sources}
    parents = {record.parent for record in (former, *sources) if record.parent is not None} - coming
    dead = parents - set(await get_customers(connection, former.team, parents))
    found = {parent: await find_successor(connection, former.team, parent) for parent in dead}
    return {parent: heir for parent, heir in found.items() if heir is not None}


async def _find_rows(connection: Connection, unmerged: Unmerged) -> frozenset[UUID]:
    """All who must stay as they are until it is done: those who change, and the lines above them. Raises Conflict."""
    records = [applied.customer for applied in (unmerged.target, *unmerged.sources, *unmerged.children)]
    above = {record.id: record.parent for record in records}
    for parent in [record.parent for record in records]:
        if parent is None or parent in above:
            continue
        line = await get_line(connection, records[0].team, parent)
        if not line:
            raise Conflict(f"the customer {parent}, who stood above one of them, is deleted: restore it first")
        for lower, upper in zip(line, (*line[1:], None), strict=True):
            above.setdefault(lower, upper)
    for record in records:
        _check_line(record.id, above)
    return frozenset(above)


def _check_line(customer_id: UUID, above: dict[UUID, UUID | None]) -> None:
    passed = {customer_id}
    upper = above[customer_id]
    while upper is not None:
        if upper in passed:
            raise Conflict(f"the customer {customer_id} would come to stand above itself")
        passed.add(upper)
        upper = above.get(upper)
