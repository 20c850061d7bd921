"""The use case that makes one customer of several."""

from collections.abc import Callable, Iterator, Mapping
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.core import versions
from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.keys import keep_failure
from customerhub.core.standing import check_precondition
from customerhub.core.versions import Again, Proposal, Render
from customerhub.model.answer import Answer
from customerhub.model.apply import Applied
from customerhub.model.customer import Customer
from customerhub.model.error import FieldError, Invalid, NotFound
from customerhub.model.merge import SURVIVORS, Merged, Merger, merge
from customerhub.model.patch import CustomerPatch
from customerhub.store import customers as store
from customerhub.store.db import Connection
from customerhub.store.relatives import Wanted, get_children, get_line

MOST_SOURCES = 100
_UNSEEN = Answer(200)
_NOTHING_PROPOSED = Proposal(CustomerPatch())


class MergeRequest(Struct, frozen=True):
    """Who goes into the target, and by canonical field whose value survives there (`model/merge.py`, `SURVIVORS`).

    `member` is what the door calls the sources.
    """

    sources: tuple[UUID, ...]
    survivorship: Mapping[str, UUID] = {}
    member: str = "sources"


async def merge_customers(
    hub: Hub,
    command: Command,
    target_id: UUID | None,
    read: Callable[[], MergeRequest],
    render: Render,
    wanted: Wanted | None = None,
) -> Answer:
    """Make one customer of several: the target takes in what the sources have (`model/merge.py`); they are deleted.

    `read` takes the sources from the request; it may be called again after a lost race, and may raise Invalid or
    Malformed, which a key keeps. All of it is one transaction, with one version each of the target, the sources and
    the customers below these; the key comes with the target's. Raises what `update_customer` raises, Invalid for ids
    that name no live customer (`unknown_id`) or the target (`is_target`) and for what cannot survive (`unknown_field`,
    `not_merged`, `wrong_carrier`), and Conflict where the target would come to stand above itself.
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
        merger = await _gather(connection, target, read())
        merged = merge(merger, hub.moment(command.caller))
        rows = {target.id, *merger.line, *(record.id for record in (*merger.sources, *merger.children))}
        if held is None or not rows <= held:
            return Again(frozenset(rows))
        catalogue = await hub.catalogue(connection, target.team, state.catalogue_version)
        for before, after, action in _beside(merger, merged):
            version = versions.next_version(command, state, catalogue, before, after, action, _UNSEEN)
            version = msgspec.structs.replace(version, key=None, ignored=())
            outcome = await versions.write(connection, version, _NOTHING_PROPOSED)
            if isinstance(outcome, Again):
                return outcome
        answer = render(await versions.written(connection, merged.target, catalogue, target, wanted))
        version = versions.next_version(command, state, catalogue, target, merged.target, "merged", answer)
        return await versions.write(connection, version, _NOTHING_PROPOSED)

    async with hub.turns.turn((command.caller.team, target_id)):
        return await keep_failure(hub, command, lambda: versions.run(hub, command, attempt, target_id))


async def _gather(connection: Connection, target: Customer, asked: MergeRequest) -> Merger:
    """Everything that the merge looks at; an id that is asked for twice counts once. Raises Invalid."""
    places: dict[UUID, int] = {}
    for place, source in enumerate(asked.sources):
        places.setdefault(source, place)
    if not 1 <= len(places) <= MOST_SOURCES:
        raise Invalid((FieldError((asked.member,), "length", f"must name 1 to {MOST_SOURCES} customers"),))
    found = await store.get_customers(connection, target.team, places)
    errors: list[FieldError] = []
    for source, place in places.items():
        if source == target.id:
            errors.append(FieldError((asked.member, place), "is_target", "names the customer that the others go into"))
        elif source not in found:
            errors.append(FieldError((asked.member, place), "unknown_id", "no such customer"))
    errors += _survivor_errors(target, asked)
    if errors:
        raise Invalid(tuple(errors))
    below = await get_children(connection, target.team, places)
    records = {target.id: target, **found}
    survivors = {field: records[survivor] for field, survivor in asked.survivorship.items()}
    lowest = survivors.get("parent", target).id
    _, *line = await get_line(connection, target.team, lowest) or (lowest,)
    return Merger(
        target,
        tuple(found[source] for source in places),
        tuple(child for child in below if child.id != target.id and child.id not in places),
        tuple(line),
        survivors,
    )


def _survivor_errors(target: Customer, asked: MergeRequest) -> Iterator[FieldError]:
    for field, survivor in asked.survivorship.items():
        if field not in SURVIVORS:
            yield FieldError(("survivorship", field), "unknown_field", "is no field whose survivor can be named")
        elif survivor != target.id and survivor not in asked.sources:
            yield FieldError(("survivorship", field), "not_merged", "names neither the target nor a source")


def _beside(merger: Merger, merged: Merged) -> Iterator[tuple[Customer, Applied, str]]:
    """What is written beside the target: sources first, so that their email address, number and reference are free."""
    for source, after in zip(merger.sources, merged.sources, strict=True):
        yield source, after, "merged"
    for child, after in zip(merger.children, merged.children, strict=True):
        yield child, after, "updated"
