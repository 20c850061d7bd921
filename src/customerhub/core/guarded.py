"""One transaction for a write of anything that is not a customer, under the same guards as a customer's."""

from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct

from customerhub.core.command import Command
from customerhub.core.hub import Hub
from customerhub.core.keys import find_kept, keep_failure
from customerhub.core.standing import replay
from customerhub.model.answer import Answer
from customerhub.model.catalogue import Catalogue
from customerhub.model.error import Busy
from customerhub.store import keys as store
from customerhub.store.db import Connection

_ATTEMPTS = 5


class Done(Struct, frozen=True):
    """What a guarded write came to; a secret answer is shown once and not kept."""

    answer: Answer
    is_secret: bool = False


class Later(Struct, frozen=True):
    """What must be done before a guarded write can go on, and takes so long that no transaction waits for it."""

    prepare: Callable[[], Awaitable[None]]


class _Again(Exception):
    """No error: takes the transaction back, for the next attempt."""

    def __init__(self, later: Later | None) -> None:
        super().__init__()
        self.later = later


class Work(Struct, frozen=True):
    """What a guarded write works with, inside its transaction."""

    connection: Connection
    catalogue: Catalogue
    requires_precondition: bool


async def look_again(hub: Hub, command: Command, scene: Work) -> Work:
    """The same scene with the catalogue as it is now, for whoever had to wait for a lock. Raises Unauthenticated."""
    standing = await hub.get_standing(scene.connection, command.caller)
    catalogue = await hub.catalogue(scene.connection, command.caller.team, standing.catalogue_version)
    return msgspec.structs.replace(scene, catalogue=catalogue)


async def write_guarded(
    hub: Hub, command: Command, work: Callable[[Work], Awaitable[Done | Later | None]], *, has_credential: bool = True
) -> Answer:
    """Run `work` in a transaction of its own, together with the key; a dry run rolls both back.

    `work` returns None where somebody was faster: what it wrote is rolled back, and it is run again on a new picture;
    Busy after five times. Where it returns Later, that is done between the two. It may be run twice, so it must not
    touch anything but the database. `has_credential` False is for somebody who has just signed in and has no credential
    yet: none is asked after, and the catalogue is empty.
    """

    async def run() -> Answer:
        for _ in range(_ATTEMPTS):
            try:
                return await _attempt(hub, command, work, has_credential=has_credential)
            except _Again as again:
                if again.later is not None:
                    await again.later.prepare()
        raise Busy

    return await keep_failure(hub, command, run)


async def _attempt(
    hub: Hub, command: Command, work: Callable[[Work], Awaitable[Done | Later | None]], *, has_credential: bool
) -> Answer:
    key = command.guards.key
    async with hub.database.transaction(keep=not command.guards.dry_run) as connection:
        standing = await hub.get_standing(connection, command.caller) if has_credential else None
        kept = await find_kept(hub, connection, command.caller, key) if key is not None else None
        if kept is not None and key is not None:
            return replay(kept, key)
        if standing is None:
            scene = Work(connection, Catalogue(0), requires_precondition=False)
        else:
            catalogue = await hub.catalogue(connection, command.caller.team, standing.catalogue_version)
            scene = Work(connection, catalogue, standing.requires_precondition)
        done = await work(scene)
        if not isinstance(done, Done):
            raise _Again(done)
        if key is not None and not await store.keep_answer(
            connection, command.caller, key, done.answer, hub.now(), is_secret=done.is_secret
        ):
            raise _Again(None)
        return done.answer
