"""What idempotency keys remember: found, replayed while they are young enough, kept for permanent failures too."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.standing import replay
from customerhub.model.answer import Answer, Caller, IdempotencyKey
from customerhub.model.error import HubError
from customerhub.store import keys as store
from customerhub.store.customers import KeptAnswer
from customerhub.store.db import Connection


async def find_kept(hub: Hub, connection: Connection, caller: Caller, key: IdempotencyKey) -> KeptAnswer | None:
    """What the key remembers; one that is too old is new again."""
    kept = await store.find_kept(connection, caller, key)
    return await without_old(hub, connection, caller, key, kept) if kept is not None else None


async def without_old(
    hub: Hub, connection: Connection, caller: Caller, key: IdempotencyKey, kept: KeptAnswer
) -> KeptAnswer | None:
    """The same, or None where it is older than keys are kept: then it is forgotten, and the key may be used anew."""
    if hub.now() - kept.created_at < timedelta(hours=hub.settings.key_hours):
        return kept
    await store.forget(connection, caller, key, kept.created_at)
    return None


async def keep_answer(hub: Hub, connection: Connection, caller: Caller, key: IdempotencyKey, answer: Answer) -> Answer:
    """The answer once it is kept; where the same request was faster elsewhere it is that one's.

    Raises KeyMismatch and KeyGone as `replay`.
    """
    while not await store.keep_answer(connection, caller, key, answer, hub.now()):
        kept = await find_kept(hub, connection, caller, key)
        if kept is not None:
            return replay(kept, key)
    return answer


async def keep_failure(hub: Hub, command: Command, run: Callable[[], Awaitable[Answer]]) -> Answer:
    """Run, and turn a failure that the key keeps into its kept answer; every other failure is raised.

    Kept are permanent failures and those that the door names.
    """
    key = command.guards.key
    try:
        return await run()
    except HubError as error:
        if key is None or command.guards.dry_run or not (error.is_permanent or isinstance(error, command.keeps)):
            raise
        answer = command.to_answer(error)
        async with hub.database.lease() as connection:
            return await keep_answer(hub, connection, command.caller, key, answer)
