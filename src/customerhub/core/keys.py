"""Keep the permanent failures of requests that carry an idempotency key, so that a retry gets the same bytes."""

from collections.abc import Awaitable, Callable

import asyncpg

from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.standing import replay
from customerhub.model.answer import Answer
from customerhub.model.error import HubError
from customerhub.store import keys as store


async def keep_failure(hub: Hub, command: Command, run: Callable[[], Awaitable[Answer]]) -> Answer:
    """Run, and turn a permanent failure under a key into its kept answer; every other failure is raised."""
    key = command.guards.key
    try:
        return await run()
    except HubError as error:
        if key is None or command.guards.dry_run or not error.is_permanent:
            raise
        answer = command.to_answer(error)
        async with hub.database.lease() as connection:
            try:
                await store.keep_answer(connection, command.caller, key, answer, hub.now())
            except asyncpg.UniqueViolationError:
                kept = await store.find_kept(connection, command.caller, key)
                if kept is None:
                    raise
                return replay(kept, key)
        return answer
