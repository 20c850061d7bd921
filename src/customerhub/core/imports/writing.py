"""Write a group of an import's rows in one transaction, with what came of each and how far the import is."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Final
from uuid import UUID

import asyncpg
import msgspec

from customerhub.core import versions
from customerhub.core.hub import Hub
from customerhub.core.imports.deciding import (
    Group,
    Scene,
    advance,
    ask,
    check,
    check_seen,
    decide_again,
    make_blank,
    read_state,
    to_version,
)
from customerhub.core.imports.forms import Asked
from customerhub.core.imports.items import COLUMNS, Item, Refused, choose, claims_of, errors_of
from customerhub.core.ties import Ties, find_ties, finish_adoption
from customerhub.core.versions import Again, Proposal
from customerhub.model.customer import Customer
from customerhub.model.error import Busy, FieldError, Invalid, Malformed, Taken
from customerhub.store import bulk
from customerhub.store import customers as customer_store
from customerhub.store.customers import NewVersion
from customerhub.store.db import Connection
from customerhub.store.imports import Outcome

_ATTEMPTS: Final = 5


class _Undo(Exception):
    """No error: takes what was written together back, so that each row is written for itself."""


async def write_group(scene: Scene, connection: Connection, group: Group) -> None:
    """Write all rows of a group, inside a transaction; each then has its results.

    Those that were decided go together. Where that is refused, or somebody was faster, and for rows that may meet each
    other, one comes after the other in the order of the file. Raises Unauthenticated, Busy.
    """
    inside = scene.hub.on(connection)
    await read_state(inside, connection, scene.one.caller)
    await bulk.plan_anew(connection)
    held = await bulk.hold_team(connection, scene.one.team)
    bold = [item for item in group.items if item.version is not None and not item.is_careful]
    known = {item.version.before.id for item in bold if item.version is not None and item.version.before is not None}
    await customer_store.lock_customers(connection, scene.one.team, known)
    await _write_together(connection, bold, held)
    await _write_bringing(scene, inside, connection, group, held)
    for item in sorted(group.items, key=lambda one: one.line):
        if not item.results:
            await _write_alone(scene, inside, connection, item)


async def _write_bringing(scene: Scene, inside: Hub, connection: Connection, group: Group, held: bulk.HeldTeam) -> None:
    """Of rows with terms that there are not yet, the first of each brings it along; the others then go together."""
    waiting = sorted((item for item in group.items if item.brings and not item.results), key=lambda one: one.line)
    there: set[tuple[str, object]] = set()
    for item in waiting:
        if not item.brings <= there:
            await _write_alone(scene, inside, connection, item)
            there |= item.brings if item.results[0].outcome != "refused" else set()
    rest = [item for item in waiting if not item.results]
    if rest:
        await decide_again(scene, inside, connection, rest)
        await _write_together(connection, [item for item in rest if item.version is not None], held)


async def _write_together(connection: Connection, items: list[Item], held: bulk.HeldTeam) -> None:
    """Write what was decided; rows that were not written have no results then."""
    decided = [(item, item.ready) for item in items if item.version is not None and item.ready is not None]
    done: frozenset[UUID] = frozenset()
    with suppress(_Undo):
        async with connection.transaction():
            try:
                written = await bulk.write_versions(connection, [ready for _, ready in decided], held)
            except asyncpg.UniqueViolationError:
                written = None
            if written is None:
                raise _Undo
            done = written
    for item, ready in decided:
        if ready.version.after.id in done:
            _end(item, ready.version)


def _end(item: Item, version: NewVersion) -> None:
    outcome: Outcome = "created" if version.before is None else "changed"
    item.end(outcome, version.after.id, version.changes)


async def _write_alone(scene: Scene, inside: Hub, connection: Connection, item: Item) -> None:
    """Decide a row by what is there now, and write it as any other write."""
    for _ in range(_ATTEMPTS):
        if await _attempt(scene, inside, connection, item):
            return
    raise Busy


async def _attempt(scene: Scene, inside: Hub, connection: Connection, item: Item) -> bool:
    """Whether it is done, one way or the other; otherwise somebody was faster."""
    options, team = scene.one.options, scene.one.team
    state, catalogue = await read_state(inside, connection, scene.one.caller)
    sought = [item.sought] if item.sought is not None else []
    found = await bulk.find_matches(connection, team, COLUMNS[options.match_by], sought)
    asked: Asked | None = None
    try:
        before = choose(found, options.match_by, options.mode, has_key=item.sought is not None)
        check_seen(scene, item, before, state)
        await _make_ready(scene, connection, before)
        record = before or make_blank(scene)
        asked = ask(scene, item, record, catalogue)
        item.claims |= claims_of(asked.proposal, before)
        ties = await _hold_ties(connection, record, asked.proposal)
        proposal = msgspec.structs.replace(asked.proposal, patch=ties.patch)
        check(msgspec.structs.replace(asked, proposal=proposal), record, catalogue, ties.errors)
        applied = advance(scene, record, proposal, catalogue)
        if not applied.changes:
            item.end("equal", applied.customer.id)
            return True
        version = to_version(scene, item, state, catalogue, before, applied, asked.ignored)
        outcome = await versions.write(connection, version, proposal)
    except Taken as taken:
        if asked is None or not _is_own_number(asked.proposal, taken.errors):
            item.fail(taken.errors, asked)
            return True
        await scene.numbers.skip(connection)
        return False
    except (Invalid, Malformed, Refused) as error:
        item.fail(errors_of(error), asked)
        return True
    if isinstance(outcome, Again):
        return False
    await finish_adoption(connection, scene.to_command(item.line), applied.customer, ties)
    _end(item, version)
    return True


async def _make_ready(scene: Scene, connection: Connection, before: Customer | None) -> None:
    if before is not None:
        await customer_store.lock_customers(connection, scene.one.team, (before.id,))
    else:
        await scene.numbers.have(1)


def _is_own_number(proposal: Proposal, errors: Iterable[FieldError]) -> bool:
    """Whether all that was taken is a number that the hub gave; the next are then other ones."""
    return not isinstance(proposal.patch.number, str) and all(error.code == "number_taken" for error in errors)


async def _hold_ties(connection: Connection, record: Customer, proposal: Proposal) -> Ties:
    """What a row is tied to, which stays as it is until the transaction ends."""
    held: frozenset[UUID] = frozenset()
    while True:
        ties = await find_ties(connection, record, proposal.patch, holds=True)
        if ties.are_held(held):
            return ties
        held |= ties.rows
        await customer_store.lock_customers(connection, record.team, held)
