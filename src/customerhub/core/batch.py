"""Many writes in one request: each of them on its own, so that one which fails stops no other, or all or nothing.

A key covers the batch as one answer, and yet each row is done once only, whatever happens in between. Rows on their own
are written together with keys of their own, made from the batch's and their position, some rows in one transaction; the
batch's answer is kept when all rows have theirs. A retry after a crash finds the rows that are done and goes on with
the others. All or nothing is one transaction, and the key with the answer is a part of it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

import asyncpg
from msgspec import Struct

from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.keys import find_kept, keep_answer, keep_failure
from customerhub.core.numbers import Block, NumbersNeeded
from customerhub.core.standing import check_precondition, replay
from customerhub.model.answer import Answer, Guards, IdempotencyKey
from customerhub.model.error import (
    Busy,
    Forbidden,
    HubError,
    KeyMismatch,
    PreconditionRequired,
    Unauthenticated,
    Unavailable,
)
from customerhub.store import customers as customer_store
from customerhub.store import keys as store
from customerhub.store.db import risking_all

# Rows in one transaction, which saves each of them a commit of its own. PostgreSQL keeps as many as 64 savepoints of a
# transaction where everybody's snapshots find them cheaply; and nobody waits long for a row of so few.
GROUP_SIZE: Final = 50
# What would befall every other row too: the whole request fails.
_FATAL = (Unauthenticated, Forbidden, KeyMismatch, Unavailable)
# Stands in no key that a client can send, so a row's key is never taken for a client's.
_SEPARATOR = "\x1f"
_UNDER_WAY = Answer(202)
_ATTEMPTS: Final = 5

Result = TypeVar("Result")


class Row(Struct, frozen=True):
    """One write: `run` makes it on the hub that it is given.

    `customer` is the one that it changes, as far as that is known; `takes_number` where it makes one without a number.
    """

    run: Callable[[Hub, Command], Awaitable[Answer]]
    customer: UUID | None = None
    takes_number: bool = False


class Batch(Struct, frozen=True):
    """Rows and how they are told.

    `to_row_answer` is how the failure of the row at a position looks, `render` makes the batch's answer from one answer
    for each row. With `undone` all rows are done or none: where one fails, it is the answer of all the others.
    """

    rows: Sequence[Row]
    to_row_answer: Callable[[int, HubError], Answer]
    render: Callable[[Sequence[Answer]], Answer]
    undone: Answer | None = None


class _Outcome(Struct, frozen=True):
    """What came of a row: its answer, and the failure that this is, if it is one that was not kept before."""

    answer: Answer
    error: HubError | None = None


class _Undo(Exception):
    """No error: takes the transaction back, for the row at a position that failed; or for a key that is used by now."""

    def __init__(self, position: int = 0, outcome: _Outcome | None = None) -> None:
        self.position = position
        self.outcome = outcome


async def run_batch(hub: Hub, command: Command, read: Callable[[], Batch], *, changes_records: bool = False) -> Answer:
    """Run the rows in their order and answer for all of them.

    `read` makes the batch from the request and may raise Invalid or Malformed, which a key keeps. Rows see each
    other's writes, in a dry run too, where all are rolled back together. An answer in which a row failed for the
    moment only (Busy) is not kept: a retry does what is left. Of all or nothing the key keeps what was done and
    permanent failures. `changes_records`: rows write over what is there and have no place for a precondition, so that a
    credential which demands one may not do it; it hears so before its key is taken. Raises what would befall every row:
    Unauthenticated, PreconditionRequired, PreconditionFailed (a batch has no version), KeyMismatch, Unavailable; Busy
    for all or nothing.
    """

    async def attempt() -> Answer:
        standing = await hub.check_caller(command.caller)
        kept = await _find_answer(hub, command)
        if kept is not None:
            return kept
        check_precondition(command.guards, None, is_required=False)
        if changes_records and standing.requires_precondition:
            raise PreconditionRequired
        batch = read()
        numbers = Block()
        run = _Run(hub.taking(numbers), command, batch, numbers)
        if batch.undone is not None:
            return await run.together(batch.undone)
        return await (run.try_out() if command.guards.dry_run else run.apart())

    return await keep_failure(hub, command, attempt)


async def _find_answer(hub: Hub, command: Command) -> Answer | None:
    key = command.guards.key
    if key is None:
        return None
    async with hub.database.lease() as connection:
        kept = await find_kept(hub, connection, command.caller, key)
    return replay(kept, key) if kept is not None else None


class _Run(Struct, frozen=True):
    """One batch under way, on a hub that takes new numbers from these."""

    hub: Hub
    command: Command
    batch: Batch
    numbers: Block

    async def together(self, undone: Answer) -> Answer:
        """All of them or none, with the key in the same transaction."""
        for _ in range(_ATTEMPTS):
            try:
                return await self._in_transaction(self.batch.rows, self._do_all)
            except _Undo as undo:
                if undo.outcome is not None:
                    answers = [undone] * len(self.batch.rows)
                    answers[undo.position] = undo.outcome.answer
                    return await self._keep_undone(self.batch.render(answers), undo.outcome.error)
            kept = await _find_answer(self.hub, self.command)
            if kept is not None:
                return kept
        raise Busy

    async def try_out(self) -> Answer:
        """A dry run of rows that stand for themselves."""
        positions = range(len(self.batch.rows))

        async def work(inside: Hub) -> list[_Outcome]:
            return [await self._run_row(inside, position) for position in positions]

        outcomes = await self._in_transaction(self.batch.rows, work)
        return self.batch.render([outcome.answer for outcome in outcomes])

    async def apart(self) -> Answer:
        """Each row on its own, under a key of its own where the batch has one."""
        command, key = self.command, self.command.guards.key
        if key is not None:
            await _claim(self.hub, command, key)
        outcomes: list[_Outcome] = []
        for first in range(0, len(self.batch.rows), GROUP_SIZE):
            outcomes += await self._run_group(range(first, min(first + GROUP_SIZE, len(self.batch.rows))))
        answer = self.batch.render([outcome.answer for outcome in outcomes])
        if key is None or any(isinstance(outcome.error, Busy) for outcome in outcomes):
            return answer
        async with self.hub.database.lease() as connection:
            # Where the same request was faster elsewhere its answer has the same rows.
            return await keep_answer(self.hub, connection, command.caller, key, answer)

    async def _run_group(self, positions: range) -> list[_Outcome]:
        """Some rows in one transaction; where others hold what they need, each in one of its own."""

        async def work(inside: Hub) -> list[_Outcome]:
            outcomes: list[_Outcome] = []
            for position in positions:
                outcome = await self._run_row(inside, position, with_key=True)
                if isinstance(outcome.error, Busy):
                    raise outcome.error
                outcomes.append(outcome)
            return outcomes

        try:
            return await self._in_transaction(self.batch.rows[positions.start : positions.stop], work)
        except Busy:
            return [await self._run_row(self.hub, position, with_key=True) for position in positions]

    async def _do_all(self, inside: Hub) -> Answer:
        """The batch's answer, which the key keeps; raises _Undo at the first row that fails."""
        outcomes: list[_Outcome] = []
        for position in range(len(self.batch.rows)):
            outcome = await self._run_row(inside, position)
            if isinstance(outcome.error, Busy):
                raise outcome.error
            if outcome.error is not None:
                raise _Undo(position, outcome)
            outcomes.append(outcome)
        answer = self.batch.render([outcome.answer for outcome in outcomes])
        key = self.command.guards.key
        if key is not None and not self.command.guards.dry_run:
            async with inside.database.lease() as connection:
                if not await store.keep_answer(connection, self.command.caller, key, answer, inside.now()):
                    raise _Undo
        return answer

    async def _keep_undone(self, answer: Answer, error: HubError | None) -> Answer:
        """A failure of the whole batch is kept as any other: if it is permanent."""
        key = self.command.guards.key
        if key is None or self.command.guards.dry_run or error is None or not error.is_permanent:
            return answer
        async with self.hub.database.lease() as connection:
            return await keep_answer(self.hub, connection, self.command.caller, key, answer)

    async def _in_transaction(self, rows: Sequence[Row], work: Callable[[Hub], Awaitable[Result]]) -> Result:
        """Work inside one transaction: at first without a savepoint for each write, which is two questions more.

        A unique value that is taken, or a key that somebody else has used meanwhile, then costs a second attempt.
        """
        is_bold = True
        while True:
            used = self.numbers.used
            try:
                async with self._transaction(rows, is_bold=is_bold) as inside:
                    result = await work(inside)
            except NumbersNeeded:
                self.numbers.fill(await self._take_numbers())
            except asyncpg.UniqueViolationError:
                self.numbers.used = used
                if not is_bold:
                    raise
                is_bold = False
            except (Busy, _Undo):
                self.numbers.used = used
                raise
            else:
                return result

    async def _take_numbers(self) -> range:
        """As many numbers as the rows may need; a dry run only looks which those would be."""
        team, count = self.command.caller.team, sum(row.takes_number for row in self.batch.rows)
        async with self.hub.database.lease() as connection:
            if self.command.guards.dry_run:
                first = await customer_store.find_next_number(connection, team)
            else:
                first = await customer_store.take_numbers(connection, team, count)
        return range(first, first + count)

    @asynccontextmanager
    async def _transaction(self, rows: Sequence[Row], *, is_bold: bool) -> AsyncIterator[Hub]:
        """A hub inside a transaction, which a dry run rolls back; the rows' customers are nobody else's meanwhile.

        Their turns are taken before, in one order everywhere: whoever waited for one inside could wait for somebody
        who waits for the transaction.
        """
        hub, team = self.hub, self.command.caller.team
        customers = sorted({row.customer for row in rows if row.customer is not None})
        async with AsyncExitStack() as turns:
            for customer in customers:
                await turns.enter_async_context(hub.turns.turn((team, customer)))
            async with hub.database.transaction(keep=not self.command.guards.dry_run) as connection:
                await customer_store.lock_customers(connection, team, customers)
                with risking_all(connection) if is_bold else nullcontext():
                    yield hub.on(connection)
        hub.publisher.wake()

    async def _run_row(self, hub: Hub, position: int, *, with_key: bool = False) -> _Outcome:
        """What came of one row; raises what would befall the others too."""
        key = self.command.guards.key if with_key else None
        row_key = IdempotencyKey(f"{key.key}{_SEPARATOR}{position}", key.fingerprint) if key is not None else None
        to_answer = partial(self.batch.to_row_answer, position)
        command = replace(self.command, guards=Guards(key=row_key), to_answer=to_answer, ignored=[])
        try:
            return _Outcome(await self.batch.rows[position].run(hub, command))
        except _FATAL:
            raise
        except HubError as error:
            return _Outcome(to_answer(error), error)


async def _claim(hub: Hub, command: Command, key: IdempotencyKey) -> None:
    """Note which request the key belongs to before any row is written. Raises KeyMismatch where it is another's."""
    mark = IdempotencyKey(f"{key.key}{_SEPARATOR}", key.fingerprint)
    async with hub.database.lease() as connection:
        while not await store.keep_answer(connection, command.caller, mark, _UNDER_WAY, hub.now(), is_secret=True):
            kept = await find_kept(hub, connection, command.caller, mark)
            if kept is None:
                continue
            if kept.fingerprint != key.fingerprint:
                raise KeyMismatch
            return
