"""Use cases on subscriptions: who is to be told of a team's changes."""

from collections.abc import Callable
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from customerhub.core.command import Command
from customerhub.core.guarded import Done, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.secrets import seal
from customerhub.core.standing import check_precondition
from customerhub.model.answer import Answer, Caller
from customerhub.model.change import FieldChange
from customerhub.model.error import FieldError, Invalid, NotFound
from customerhub.store import subscriptions as store
from customerhub.store.catalogue import AuditRow, insert_audit
from customerhub.store.subscriptions import Subscription, SubscriptionStatus

__all__ = [
    "Subscription",
    "SubscriptionPatch",
    "SubscriptionProposal",
    "create_subscription",
    "delete_subscription",
    "list_subscriptions",
    "update_subscription",
]
_KIND = "subscription"
_TOLD = ("event", "url", "status")


class SubscriptionPatch(Struct, frozen=True):
    """What to change in a subscription, or what a new one holds; `secret` is in clear, None for none."""

    event: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    secret: str | UnsetType | None = UNSET
    status: SubscriptionStatus | UnsetType = UNSET


class SubscriptionProposal(Struct, frozen=True):
    """What a door makes of a request for a subscription, and the errors it found, with its own paths."""

    patch: SubscriptionPatch
    errors: tuple[FieldError, ...] = ()


Decide = Callable[[Subscription | None], SubscriptionProposal]
Render = Callable[[Subscription], Answer]


async def list_subscriptions(hub: Hub, caller: Caller) -> tuple[Subscription, ...]:
    """The team's subscriptions through the caller's dialect, the oldest first. Raises Unauthenticated."""
    await hub.check_caller(caller)
    async with hub.database.lease() as connection:
        return await store.list_subscriptions(connection, caller.team, caller.dialect)


async def create_subscription(hub: Hub, command: Command, decide: Decide, render: Render) -> Answer:
    """Make a subscription. Raises Invalid and what every guarded write raises."""

    async def work(scene: Work) -> Done:
        check_precondition(command.guards, None, is_required=False)
        patch = _checked(decide(None))
        now, caller = hub.now(), command.caller
        blank = Subscription(hub.new_id(), caller.dialect, "", "", None, "active", 1, now, now)
        new = await _patched(hub, scene, blank, patch)
        await store.lock_sinks(scene.connection, caller.team)
        await store.insert_subscription(scene.connection, caller.team, new, caller.actor)
        changes = tuple(FieldChange(f"/{field}", None, getattr(new, field)) for field in _TOLD)
        await _record(command, scene, new, "created", changes)
        return Done(render(new))

    return await write_guarded(hub, command, work)


async def update_subscription(
    hub: Hub, command: Command, subscription_id: UUID, decide: Decide, render: Render
) -> Answer:
    """Change a subscription; nothing is written where nothing differs. Raises NotFound and as creating does."""

    async def work(scene: Work) -> Done:
        before = await _find(command, scene, subscription_id)
        patch = _checked(decide(before))
        after = await _patched(hub, scene, before, patch)
        changes = tuple(
            FieldChange(f"/{field}", old, new)
            for field in _TOLD
            if (old := getattr(before, field)) != (new := getattr(after, field))
        )
        if before.secret != after.secret:
            changes += (FieldChange("/secret"),)  # that it changed, not to what
        if not changes:
            return Done(render(before))
        at = max(hub.now(), before.updated_at)
        after = msgspec.structs.replace(after, version=before.version + 1, updated_at=at)
        await store.update_subscription(scene.connection, command.caller.team, after, command.caller.actor)
        await _record(command, scene, after, "updated", changes)
        return Done(render(after))

    return await write_guarded(hub, command, work)


async def delete_subscription(hub: Hub, command: Command, subscription_id: UUID, render: Render) -> Answer:
    """End a subscription; twice is NotFound."""

    async def work(scene: Work) -> Done:
        before = await _find(command, scene, subscription_id)
        at = max(hub.now(), before.updated_at)
        await store.delete_subscription(scene.connection, command.caller.team, before, at, command.caller.actor)
        gone = msgspec.structs.replace(before, version=before.version + 1, updated_at=at)
        await _record(command, scene, gone, "deleted", ())
        return Done(render(gone))

    return await write_guarded(hub, command, work)


def _checked(proposal: SubscriptionProposal) -> SubscriptionPatch:
    if proposal.errors:
        raise Invalid(proposal.errors)
    return proposal.patch


async def _find(command: Command, scene: Work, subscription_id: UUID) -> Subscription:
    caller = command.caller
    await store.lock_sinks(scene.connection, caller.team)
    found = await store.find_subscription(scene.connection, caller.team, caller.dialect, subscription_id)
    if found is None:
        raise NotFound(_KIND, str(subscription_id))
    check_precondition(command.guards, found.version, is_required=scene.requires_precondition)
    return found


async def _patched(hub: Hub, scene: Work, before: Subscription, patch: SubscriptionPatch) -> Subscription:
    """The subscription after the patch; a secret that stays the same stays as it is encrypted."""
    fields = {field: value for field in _TOLD if (value := getattr(patch, field)) is not UNSET}
    if patch.secret is None:
        fields["secret"] = None
    elif isinstance(patch.secret, str):
        is_same = before.secret is not None and hub.vault.decrypt(before.secret) == patch.secret
        fields["secret"] = (
            before.secret if is_same else await seal(scene.connection, hub.vault, patch.secret, hub.now())
        )
    return msgspec.structs.replace(before, **fields)


async def _record(
    command: Command, scene: Work, subscription: Subscription, action: str, changes: tuple[FieldChange, ...]
) -> None:
    await store.settle_sinks(scene.connection, command.caller.team)
    at, version = subscription.updated_at, subscription.version
    row = AuditRow(_KIND, subscription.id, version, at, action, command.request_id, changes)
    await insert_audit(scene.connection, command.caller, row)
