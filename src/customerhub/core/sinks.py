"""Use cases on sinks: where a team's changes go."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from customerhub.core.command import Command
from customerhub.core.guarded import Done, Later, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.secrets import seal
from customerhub.core.standing import check_precondition
from customerhub.core.trial import Trial
from customerhub.model.answer import COMMAND_LINE, Answer, Caller
from customerhub.model.change import FieldChange
from customerhub.model.error import Conflict, FieldError, Invalid, NotFound
from customerhub.store import deliveries, syncs
from customerhub.store import sinks as store
from customerhub.store.catalogue import AuditRow, insert_audit
from customerhub.store.db import Connection
from customerhub.store.sinks import Sink, SinkKind, SinkState, SinkStatus

__all__ = [
    "NewSink",
    "Sink",
    "SinkPatch",
    "SinkProposal",
    "SinkStatus",
    "SinkView",
    "create_sink",
    "delete_sink",
    "disable_sink",
    "find_secrets",
    "get_sink",
    "hold_sink",
    "list_sinks",
    "note_sink",
    "record_sink",
    "update_sink",
]
MOST_SINKS: Final = 100
"""So many sinks a team has at most."""
_KIND: Final = "sink"
# One account with Stripe for a team: two would both answer for its customers.
_ONE_OF: Final = ("stripe",)
# What the history of a sink tells; of a secret only that it changed.
_TOLD: Final = ("name", "url", "events", "fields", "config", "status", "reason")
_SET: Final = ("name", "url", "events", "types", "fields", "config", "status")
# What makes it worth trying at once again, however often it has failed.
_ABOUT_REACHING: Final = ("url", "config", "secret", "status")
_TRIED: Final = ("url", "config", "secret")
_WORKER: Final = "worker"
_ENDED: Final = "the sink has ended"


class SinkPatch(Struct, frozen=True):
    """What to change in a sink, or what a new one holds.

    `secret` is in clear, None for none; the one before it goes on for `overlap_seconds`. `types` are the hub's own
    types of the events asked for, none for all.
    """

    name: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    events: tuple[str, ...] | UnsetType = UNSET
    types: tuple[str, ...] | UnsetType = UNSET
    fields: tuple[str, ...] | UnsetType = UNSET
    config: dict[str, Any] | UnsetType = UNSET  # Any: JSON
    secret: str | UnsetType | None = UNSET
    overlap_seconds: float = 0
    status: SinkStatus | UnsetType = UNSET


class SinkProposal(Struct, frozen=True):
    """What a door makes of a request for a sink, and the errors it found, with its own paths.

    `is_secret`: the answer shows a secret, which no key keeps.
    """

    patch: SinkPatch
    errors: tuple[FieldError, ...] = ()
    is_secret: bool = False


class NewSink(Struct, frozen=True):
    """What a sink is once and for all: its kind, the dialect in whose words it is told, what stands in `Sink`."""

    kind: SinkKind
    form: str
    holds: bool = True
    is_trusted: bool = False


class SinkView(Struct, frozen=True):
    """A sink, how it fares, how many deliveries wait for it, since when the oldest, and how many changes it is behind.

    What it is behind has no deliveries yet: they are made as it takes them.
    """

    sink: Sink
    state: SinkState
    waiting: int = 0
    behind: int = 0
    oldest: datetime | None = None


Decide = Callable[[Sink | None], SinkProposal]
Render = Callable[[Sink], Answer]


async def list_sinks(hub: Hub, caller: Caller, dialect: str | None = None) -> tuple[SinkView, ...]:
    """The team's sinks, those made through one dialect where one is named, the oldest first. Raises Unauthenticated."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        sinks = await store.list_sinks(connection, caller.team, dialect)
        return await _view(connection, caller.team, sinks)


async def get_sink(hub: Hub, caller: Caller, sink_id: UUID | None) -> SinkView:
    """One of the team's sinks; raises Unauthenticated, NotFound."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        sink = await store.find_sink(connection, caller.team, sink_id) if sink_id is not None else None
        if sink is None:
            raise NotFound(_KIND, str(sink_id))
        return (await _view(connection, caller.team, (sink,)))[0]


async def _view(connection: Connection, team: UUID, sinks: tuple[Sink, ...]) -> tuple[SinkView, ...]:
    if not sinks:
        return ()
    states = await store.list_states(connection, team)
    depths = await deliveries.get_depths(connection, team)
    return tuple(
        SinkView(sink, states.get(sink.id) or SinkState(sink.id), *depths.get(sink.id, (0, 0, None))) for sink in sinks
    )


async def create_sink(
    hub: Hub, command: Command, kind: NewSink, decide: Decide, render: Render, *, trial: Trial | None = None
) -> Answer:
    """Make a sink, once a `trial` of it went well.

    Raises Invalid, Conflict where the team has as many as it can, and what every guarded write raises.
    """

    async def work(scene: Work) -> Done | Later:
        check_precondition(command.guards, None, is_required=False)
        proposal = _checked(decide(None))
        now, caller = hub.now(), command.caller
        blank = store.to_new_sink(caller.team, hub.new_id(), kind.kind, caller.dialect, kind.form, now)
        blank = msgspec.structs.replace(blank, holds=kind.holds, is_trusted=kind.is_trusted)
        new = await _patched(hub, scene, blank, proposal.patch)
        await store.lock_sinks(scene.connection, caller.team)
        _check_room(await store.list_sinks(scene.connection, caller.team), new)
        if trial is not None and (later := trial.find_wait(hub, new)) is not None:
            return later
        await store.insert_sink(scene.connection, new, caller.actor)
        changes = tuple(
            FieldChange(f"/{field}", None, value) for field in _TOLD if (value := getattr(new, field)) not in (None, ())
        )
        await record_sink(command, scene.connection, new, "created", changes)
        return Done(render(new), is_secret=proposal.is_secret)

    return await write_guarded(hub, command, work)


async def update_sink(
    hub: Hub,
    command: Command,
    sink_id: UUID | None,
    decide: Decide,
    render: Render,
    *,
    only_own: bool = False,
    trial: Trial | None = None,
) -> Answer:
    """Change a sink; nothing is written where nothing differs. Raises NotFound and as creating does.

    `only_own`: one that was made through another dialect is not found. A `trial` is made where it is reached otherwise.
    """

    async def work(scene: Work) -> Done | Later:
        before = await hold_sink(command, scene, sink_id, only_own=only_own)
        proposal = _checked(decide(before))
        after = await _patched(hub, scene, before, proposal.patch)
        changes = _find_changes(before, after)
        if not changes:
            if proposal.patch.status == "active":
                # Whoever asks for that of one that only rests wants it tried now.
                await _hurry(scene.connection, before)
            return Done(render(before), is_secret=proposal.is_secret)
        is_tried = trial is not None and any(getattr(before, field) != getattr(after, field) for field in _TRIED)
        if trial is not None and is_tried and (later := trial.find_wait(hub, after)) is not None:
            return later
        after = msgspec.structs.replace(after, version=before.version + 1, updated_at=max(hub.now(), before.updated_at))
        await store.update_sink(scene.connection, after, command.caller.actor)
        if before.status != "active" == after.status and not _is_waited_for(before):
            await store.skip(scene.connection, after.team, after.id)
        if any(getattr(before, field) != getattr(after, field) for field in _ABOUT_REACHING):
            await _hurry(scene.connection, after)
        await record_sink(command, scene.connection, after, "updated", changes)
        return Done(render(after), is_secret=proposal.is_secret)

    return await write_guarded(hub, command, work)


async def delete_sink(
    hub: Hub, command: Command, sink_id: UUID | None, render: Render, *, only_own: bool = False
) -> Answer:
    """End a sink, and with it whatever is on its way to it; twice is NotFound."""

    async def work(scene: Work) -> Done:
        before = await hold_sink(command, scene, sink_id, only_own=only_own)
        at = max(hub.now(), before.updated_at)
        await store.delete_sink(scene.connection, before, at, command.caller.actor)
        await deliveries.end(scene.connection, before.team, before.id, _ENDED)
        await syncs.forget(scene.connection, before.team, before.id)
        gone = msgspec.structs.replace(before, version=before.version + 1, updated_at=at)
        await record_sink(command, scene.connection, gone, "deleted", ())
        return Done(render(gone))

    return await write_guarded(hub, command, work)


async def disable_sink(hub: Hub, connection: Connection, sink: Sink, reason: str) -> None:
    """Tell a sink nothing any more, for a reason that its owner sees; what waits goes on waiting.

    Inside a transaction; nothing happens where it is not active any more.
    """
    await store.lock_sinks(connection, sink.team)
    before = await store.hold_sink(connection, sink.team, sink.id)
    if before is None or before.status != "active":
        return
    nobody = UUID(int=0)

    def fail(error: Exception) -> Answer:
        raise error

    command = Command(Caller(sink.team, nobody, nobody, _WORKER, COMMAND_LINE), _WORKER, fail)
    at = max(hub.now(), before.updated_at)
    after = msgspec.structs.replace(before, status="disabled", reason=reason, version=before.version + 1, updated_at=at)
    await store.update_sink(connection, after, nobody)
    await record_sink(command, connection, after, "updated", _find_changes(before, after))


def find_secrets(hub: Hub, sink: Sink) -> tuple[str, ...]:
    """A sink's secrets in clear, the newest first; two while one follows another. Raises SecretKeyError."""
    stored = [sink.secret]
    if sink.former_until is not None and hub.now() < sink.former_until:
        stored.append(sink.former_secret)
    return tuple(hub.vault.decrypt(one) for one in stored if one is not None)


def _check_room(there: Collection[Sink], new: Sink) -> None:
    if len(there) >= MOST_SINKS:
        raise Conflict(f"a team has at most {MOST_SINKS} sinks")
    if new.kind in _ONE_OF and any(sink.kind == new.kind for sink in there):
        raise Conflict(f"the team has a {new.kind} sink already")


def _checked(proposal: SinkProposal) -> SinkProposal:
    if proposal.errors:
        raise Invalid(proposal.errors)
    return proposal


async def hold_sink(command: Command, scene: Work, sink_id: UUID | None, *, only_own: bool = False) -> Sink:
    """A sink that is to be written, held until the transaction ends; raises NotFound and what `If-Match` raises."""
    caller = command.caller
    await store.lock_sinks(scene.connection, caller.team)
    found = await store.hold_sink(scene.connection, caller.team, sink_id) if sink_id is not None else None
    if found is None or (only_own and found.dialect != caller.dialect):
        raise NotFound(_KIND, str(sink_id))
    check_precondition(command.guards, found.version, is_required=scene.requires_precondition)
    return found


async def _patched(hub: Hub, scene: Work, before: Sink, patch: SinkPatch) -> Sink:
    """The sink after the patch; a secret that stays the same stays as it is encrypted."""
    fields: dict[str, Any] = {field: value for field in _SET if (value := getattr(patch, field)) is not UNSET}
    if fields.get("status", before.status) != before.status:
        fields["reason"] = None
    if patch.secret is not UNSET:
        fields |= await _with_secret(hub, scene, before, patch)
    return msgspec.structs.replace(before, **fields)


async def _with_secret(hub: Hub, scene: Work, before: Sink, patch: SinkPatch) -> Mapping[str, object]:
    if not isinstance(patch.secret, str):
        return {"secret": None, "former_secret": None, "former_until": None}
    if before.secret is not None and hub.vault.decrypt(before.secret) == patch.secret:
        return {}
    now = hub.now()
    fields: dict[str, object] = {"secret": await seal(scene.connection, hub.vault, patch.secret, now)}
    is_overlapping = before.secret is not None and patch.overlap_seconds > 0
    fields["former_secret"] = before.secret if is_overlapping else None
    fields["former_until"] = now + timedelta(seconds=patch.overlap_seconds) if is_overlapping else None
    return fields


async def _hurry(connection: Connection, sink: Sink) -> None:
    """Let a sink be tried at once, and whatever waits for a later attempt with it."""
    await store.revive(connection, sink.team, sink.id)
    await deliveries.hurry(connection, sink.team, sink.id)


def _is_waited_for(sink: Sink) -> bool:
    """Whether what happens waits for a sink that is not active: its owner paused it, or the hub disabled it."""
    return sink.holds and (sink.status == "paused" or sink.reason is not None)


def _find_changes(before: Sink, after: Sink) -> tuple[FieldChange, ...]:
    changes = tuple(
        FieldChange(f"/{field}", old, new)
        for field in _TOLD
        if (old := getattr(before, field)) != (new := getattr(after, field))
    )
    # That it changed, not to what.
    return (*changes, FieldChange("/secret")) if before.secret != after.secret else changes


async def note_sink(
    hub: Hub, command: Command, connection: Connection, before: Sink, action: str, changes: tuple[FieldChange, ...]
) -> Sink:
    """The next version of a sink that is held and stays as it is: what was done with it stands in the audit trail."""
    at = max(hub.now(), before.updated_at)
    after = msgspec.structs.replace(before, version=before.version + 1, updated_at=at)
    await store.update_sink(connection, after, command.caller.actor)
    await record_sink(command, connection, after, action, changes)
    return after


async def record_sink(
    command: Command, connection: Connection, sink: Sink, action: str, changes: tuple[FieldChange, ...]
) -> None:
    """Note in the audit trail what was done to a sink, and whether the team's events are to be written."""
    await store.settle_sinks(connection, sink.team)
    row = AuditRow(_KIND, sink.id, sink.version, sink.updated_at, action, command.request_id, changes)
    await insert_audit(connection, command.caller, row)
