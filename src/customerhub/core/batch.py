"""Many writes in one request, each of them on its own: one that fails stops no other.

A key covers the batch as one answer, and yet each row is done once only, whatever happens in between: a row is written
together with a key of its own, made from the batch's and its position, and the batch's answer is kept when all rows
have theirs. A retry after a crash finds the rows that are done and goes on with the others.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from msgspec import Struct

from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.keys import find_kept, keep_answer, keep_failure
from customerhub.core.standing import check_precondition, replay
from customerhub.model.answer import Answer, Guards, IdempotencyKey
from customerhub.model.error import (
    Forbidden,
    HubError,
    KeyMismatch,
    NotFound,
    PreconditionRequired,
    Unauthenticated,
    Unavailable,
)
from customerhub.store import keys as store

# What would befall every other row too: the whole request fails.
_FATAL = (Unauthenticated, Forbidden, PreconditionRequired, KeyMismatch, Unavailable)
# Stands in no key that a client can send, so a row's key is never taken for a client's.
_SEPARATOR = "\x1f"
_UNDER_WAY = Answer(202)

Row = Callable[[Hub, Command], Awaitable[Answer]]


class Batch(Struct, frozen=True):
    """Rows and how their failures look; `render` makes the batch's answer from one answer for each row."""

    rows: Sequence[Row]
    to_row_answer: Callable[[HubError], Answer]
    render: Callable[[Sequence[Answer]], Answer]


async def run_batch(hub: Hub, command: Command, read: Callable[[], Batch], *, changes_records: bool = False) -> Answer:
    """Run the rows in their order and answer for all of them.

    `read` makes the batch from the request and may raise Invalid or Malformed, which a key keeps. Rows see each
    other's writes, in a dry run too, where all are rolled back together. An answer in which a row failed for the
    moment only (Busy) is not kept: a retry does what is left. `changes_records`: rows write over what is there, which
    a credential that demands `If-Match` may not do in a batch; it hears so before its key is taken. Raises what would
    befall every row: Unauthenticated, PreconditionRequired, PreconditionFailed (a batch has no version), KeyMismatch,
    Unavailable.
    """
    key = command.guards.key

    async def run() -> Answer:
        standing = await hub.check_caller(command.caller)
        if key is not None:
            async with hub.database.lease() as connection:
                kept = await find_kept(hub, connection, command.caller, key)
            if kept is not None:
                return replay(kept, key)
        check_precondition(command.guards, None, is_required=False)
        if changes_records and standing.requires_precondition:
            raise PreconditionRequired
        batch = read()
        if command.guards.dry_run:
            async with hub.database.transaction(keep=False) as connection:
                answers, _ = await _run_rows(hub.on(connection), command, batch)
            return batch.render(answers)
        if key is not None:
            await _claim(hub, command, key)
        answers, is_settled = await _run_rows(hub, command, batch)
        answer = batch.render(answers)
        if key is None or not is_settled:
            return answer
        async with hub.database.lease() as connection:
            # Where the same request was faster elsewhere its answer has the same rows.
            return await keep_answer(hub, connection, command.caller, key, answer)

    return await keep_failure(hub, command, run)


async def _run_rows(hub: Hub, command: Command, batch: Batch) -> tuple[list[Answer], bool]:
    """One answer for each row, and whether a retry would find nothing left to do."""
    answers: list[Answer] = []
    is_settled = True
    key = command.guards.key if not command.guards.dry_run else None
    for position, row in enumerate(batch.rows):
        row_key = IdempotencyKey(f"{key.key}{_SEPARATOR}{position}", key.fingerprint) if key is not None else None
        row_command = replace(command, guards=Guards(key=row_key), to_answer=batch.to_row_answer)
        try:
            answers.append(await row(hub, row_command))
        except _FATAL:
            raise
        except HubError as error:
            is_settled = is_settled and (error.is_permanent or isinstance(error, NotFound))
            answers.append(batch.to_row_answer(error))
    return answers, is_settled


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
