"""The use case that takes a person's values out of everything that this hub keeps, for good.

One transaction does all of it: the record, its history, what else in the team speaks of it. What was on its way
meanwhile is seen to right after it and once more later (`core/settling.py`), by whichever process comes first.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.core import versions
from customerhub.core.admin import operator
from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.keys import keep_failure
from customerhub.core.parted import erase_in_others
from customerhub.core.settling import Traces, finish
from customerhub.core.standing import check_precondition
from customerhub.core.versions import Again, Proposal, Written
from customerhub.model.answer import COMMAND_LINE, Answer
from customerhub.model.apply import Applied
from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.erasure import Marks, erase, find_marks, to_change
from customerhub.model.error import Conflict, FieldError, HubError, Invalid, NotFound
from customerhub.model.needles import to_needles, to_words
from customerhub.model.patch import CustomerPatch
from customerhub.store import erasure as store
from customerhub.store.access import Team
from customerhub.store.catalogue import AuditRow, insert_audit
from customerhub.store.customers import ReadForWrite
from customerhub.store.db import Connection
from customerhub.store.deliveries import erase as erase_deliveries
from customerhub.store.relatives import find_successor

__all__ = ["Erased", "Order", "erase_as_operator", "erase_customer"]

_UNSEEN = Answer(200)
_NOTHING_PROPOSED = Proposal(CustomerPatch())
_REQUEST = COMMAND_LINE
_OPERATOR_ANSWER = Answer(200)


class Order(Struct, frozen=True):
    """What is asked for: `confirm` is the customer's id or number, None where the door has made sure by itself."""

    confirm: str | None = None
    reason: str | None = None


class Erased(Struct, frozen=True):
    """What is left of a customer, and all that were erased: it and those that had gone into it; none for a no-op."""

    written: Written
    customers: tuple[UUID, ...]


Render = Callable[[Erased], Answer]
Enter = Callable[[Connection], Awaitable[ReadForWrite | Answer]]


@dataclass
class _Erasing:
    """One erasure on its way; `traces` and `at` are of the last attempt: what it found, and when it wrote."""

    hub: Hub
    command: Command
    customer_id: UUID
    enter: Enter
    read: Callable[[], Order]
    render: Render
    traces: Traces | None = None
    at: datetime | None = None

    async def attempt(self, connection: Connection, held: frozenset[UUID] | None) -> Answer | Again:
        """All of it, in the transaction that holds the rows of the customer and of all that went into it."""
        self.traces = self.at = None
        state = await self.enter(connection)
        if isinstance(state, Answer):
            return state
        team = self.command.caller.team
        ids = await store.list_chain(connection, team, self.customer_id)
        if not ids:
            raise NotFound("customer", str(self.customer_id))
        records = {record.id: record for record in await store.get_records(connection, team, ids)}
        before = records[self.customer_id]
        check_precondition(self.command.guards, before.version, is_required=state.requires_precondition)
        order = self.read()
        catalogue = await self.hub.catalogue(connection, team, state.catalogue_version)
        if await store.is_erased(connection, team, self.customer_id):
            return self.render(Erased(Written(before, catalogue, before), ()))
        await self._check_whole(connection, before)
        if order.confirm is not None and order.confirm not in (str(before.id), before.number):
            reason = "must be the id or the number of this customer"
            raise Invalid((FieldError(("confirm",), "mismatch", reason),))
        if await store.has_children(connection, team, ids):
            raise Conflict("other customers are below this one")
        if held is None or not held.issuperset(ids):
            return Again(frozenset(ids))
        await self._erase_elsewhere(connection, list(records.values()))
        for source in records.values():
            if source is not before:
                version = versions.next_version(
                    self.command, state, catalogue, source, self._erase(source), "erased", _UNSEEN
                )
                version = msgspec.structs.replace(version, key=None, ignored=())
                outcome = await versions.write(connection, version, _NOTHING_PROPOSED)
                if isinstance(outcome, Again):
                    return outcome
        return await self._write_last(connection, state, before, tuple(records.values()), order)

    def _erase(self, before: Customer) -> Applied:
        return erase(before, self.hub.moment(self.command.caller))

    async def _check_whole(self, connection: Connection, before: Customer) -> None:
        """Raise NotFound or Conflict where its values live on in a customer that it went into, live or deleted."""
        if before.merged_into is not None and not await store.is_erased(connection, before.team, before.merged_into):
            if await find_successor(connection, before.team, before.id) is not None:
                raise NotFound("customer", str(before.id))
            raise Conflict(f"this customer went into {before.merged_into}: erase that one, which erases this one too")

    async def _erase_elsewhere(self, connection: Connection, records: list[Customer]) -> None:
        """Take the values out of the history and of all that only speaks of these customers."""
        team, ids = self.command.caller.team, [record.id for record in records]
        changes: list[FieldChange] = [*map(to_change, records), *await store.list_changes(connection, team, ids)]
        marks = find_marks(changes)
        former = await store.list_address_audits(connection, team, marks.ids)
        marks = Marks(marks.ids | frozenset(ids), marks.texts | find_marks(former).texts)
        await erase_in_others(connection, team, frozenset(ids), marks)
        await store.erase_history(connection, team, ids, marks.ids)
        self.traces = Traces(team, tuple(ids), to_words(marks.ids), to_needles(marks))
        await self.traces.erase(connection, self.hub.now())
        # After the logs, which take a while: whoever is telling of these customers waits from here on.
        await erase_deliveries(connection, team, ids, await store.list_linked(connection, team, ids))

    async def _write_last(
        self,
        connection: Connection,
        state: ReadForWrite,
        before: Customer,
        records: tuple[Customer, ...],
        order: Order,
    ) -> Answer | Again:
        """The version of the customer itself, with the key, and word of the erasure in the audit trail."""
        applied = self._erase(before)
        after = applied.customer
        self.at = after.updated_at
        catalogue = await self.hub.catalogue(connection, before.team, state.catalogue_version)
        ids = tuple(record.id for record in records)
        answer = self.render(Erased(Written(after, catalogue, before, applied.changes), ids))
        version = versions.next_version(self.command, state, catalogue, before, applied, "erased", answer)
        outcome = await versions.write(connection, version, _NOTHING_PROPOSED)
        if isinstance(outcome, Again) or self.traces is None:
            return outcome
        for record in records:
            await store.insert_erasure(
                connection, before.team, record.id, record.version + 1, after.updated_at, self.traces.words
            )
        what = (FieldChange("/customers", None, ids), FieldChange("/reason", None, order.reason))
        row = AuditRow("erasure", after.id, 1, after.updated_at, "erased", self.command.request_id, what)
        await insert_audit(connection, self.command.caller, row)
        return outcome


async def erase_customer(
    hub: Hub, command: Command, customer_id: UUID | None, read: Callable[[], Order], render: Render
) -> Answer:
    """Erase a customer, live or deleted, and all that went into it: their last version, which leads to nothing.

    Everything that the team keeps of their values goes with it (`store/personal.py`); versions, paths, times and actors
    stay. Twice is a no-op, which no key keeps. `read` may raise Invalid or Malformed. Raises what `update_customer`
    raises, NotFound also for one that went into a live customer, and Conflict where customers are below it or it went
    into a deleted one.
    """
    if customer_id is None:
        raise NotFound("customer", "")

    async def enter(connection: Connection) -> ReadForWrite | Answer:
        return await versions.read(hub, connection, command, None)

    return await _run(_Erasing(hub, command, customer_id, enter, read, render))


async def erase_as_operator(hub: Hub, team: Team, customer_id: UUID, reason: str | None = None) -> Erased:
    """The same for the person at the command line. Raises NotFound and Conflict."""
    told: list[Erased] = []

    def render(erased: Erased) -> Answer:
        told.append(erased)
        return _OPERATOR_ANSWER

    async def enter(connection: Connection) -> ReadForWrite:
        return await store.read_team(connection, team.id)

    command = Command(operator(team.id), _REQUEST, _to_nothing)
    try:
        await _run(_Erasing(hub, command, customer_id, enter, lambda: Order(reason=reason), render))
    except NotFound as error:
        async with hub.database.lease() as connection:
            successor = await find_successor(connection, team.id, customer_id)
        if successor is None:
            raise
        raise Conflict(f"this customer went into {successor}: erase that one, which erases this one too") from error
    return told[-1]


async def _run(erasing: _Erasing) -> Answer:
    hub, command, customer_id = erasing.hub, erasing.command, erasing.customer_id
    # Less of what this process has seen is logged without its values then.
    await hub.recorder.flush()
    async with hub.turns.turn((command.caller.team, customer_id)):
        answer = await keep_failure(
            hub, command, lambda: versions.run(hub, command, erasing.attempt, customer_id, free_attempts=0)
        )
        if erasing.traces is not None and erasing.at is not None and not command.guards.dry_run:
            await finish(hub.database.lease, erasing.traces, erasing.at, hub.now)
    return answer


def _to_nothing(error: HubError) -> Answer:
    """Nobody keeps a key for the operator."""
    raise error
