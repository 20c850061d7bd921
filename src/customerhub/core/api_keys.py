"""Use cases on a team's API keys: list, get, create, rotate and revoke them through the API itself.

A key is a chain of credentials, one for each of its secrets: the first gives the key its id, only the newest can be
alive. So the very next request with an old secret is refused, by what every use case asks anyway.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType

from customerhub.core.access import check_power, find_end_errors, hash_secret, make_secret, store_credential
from customerhub.core.command import Command
from customerhub.core.guarded import Done, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.standing import check_precondition
from customerhub.core.users import hold_role
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import Catalogue, RoleDetails
from customerhub.model.change import FieldChange
from customerhub.model.error import Conflict, FieldError, Invalid, NotFound
from customerhub.store import access as store
from customerhub.store.access import Credential
from customerhub.store.catalogue import AuditRow, bump_catalogue, insert_audit


class ApiKey(Struct, frozen=True):
    """A key as its team sees it; nothing secret in it. `role` is None for one that the operator made without.

    `credentials` are those of all its secrets, the oldest first: what the history and the request log name.
    """

    id: UUID
    name: str
    hint: str
    role: UUID | None
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    version: int
    credentials: tuple[UUID, ...] = ()

    def status(self, now: datetime) -> Literal["active", "expired", "revoked"]:
        """Whether the key can be used."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


class ApiKeyValues(Struct, frozen=True):
    """All that a caller decides of a new key; without `expires_at` it lives until it is revoked."""

    name: str
    role: UUID
    expires_at: datetime | None = None


class ApiKeyProposal(Struct, frozen=True):
    """What a door makes of a request for a key: its values, and the errors it found, with its own paths."""

    values: ApiKeyValues
    errors: tuple[FieldError, ...] = ()


class RenewalProposal(Struct, frozen=True):
    """What a door makes of a request for another secret: when that one ends, if not as before, and its errors."""

    expires_at: datetime | UnsetType = UNSET
    errors: tuple[FieldError, ...] = ()


async def list_api_keys(hub: Hub, caller: Caller) -> tuple[tuple[ApiKey, ...], Catalogue]:
    """Every key of the team in the caller's dialect, in no order, and the catalogue with their roles.

    Raises Unauthenticated.
    """
    async with hub.database.lease() as connection:
        standing = await hub.get_standing(connection, caller)
        chains = await store.list_chains(connection, caller.team, caller.dialect)
        catalogue = await hub.catalogue(connection, caller.team, standing.catalogue_version)
    return tuple(map(_to_api_key, chains.values())), catalogue


async def get_api_key(hub: Hub, caller: Caller, key_id: UUID | None) -> tuple[ApiKey, Catalogue]:
    """One key of the team in the caller's dialect; raises Unauthenticated, NotFound."""
    keys, catalogue = await list_api_keys(hub, caller)
    for key in keys:
        if key.id == key_id:
            return key, catalogue
    raise NotFound("API key", str(key_id))


async def create_api_key(
    hub: Hub,
    command: Command,
    decide: Callable[[Catalogue], ApiKeyProposal],
    render: Callable[[ApiKey, str], Answer],
    *,
    prefix: str,
    mask: str = "…",
) -> Answer:
    """Make a key of a role; `render` gets its secret, which nobody gets again.

    Raises Invalid (`role`, `expires_at`), Forbidden where the role may do what the caller may not, and what every
    guarded write raises.
    """

    async def work(scene: Work) -> Done | None:
        check_precondition(command.guards, None, is_required=False)
        proposal = decide(scene.catalogue)
        if proposal.errors:
            raise Invalid(proposal.errors)
        values = proposal.values
        permissions = _get_permissions(scene.catalogue, values, hub.now())
        check_power(command.caller, permissions)
        if not await hold_role(scene, command, values.role):
            return None
        credential, secret = await store_credential(
            hub,
            scene.connection,
            command.caller,
            name=values.name,
            prefix=prefix,
            mask=mask,
            request_id=command.request_id,
            scopes=permissions,
            expires_at=values.expires_at,
            role=values.role,
        )
        return Done(render(_to_api_key([credential]), secret), is_secret=True)

    return await write_guarded(hub, command, work)


async def rotate_api_key(
    hub: Hub,
    command: Command,
    key_id: UUID | None,
    render: Callable[[ApiKey, str], Answer],
    *,
    prefix: str,
    mask: str = "…",
    decide: Callable[[Catalogue], RenewalProposal] | None = None,
) -> Answer:
    """Give a key another secret and end the one it had, both at once; all else about it stays.

    Raises NotFound, Conflict for a key that has ended, Invalid, Forbidden where it may do what the caller may not, and
    what every guarded write raises.
    """

    async def work(scene: Work) -> Done:
        chain = await _lock_chain(command, scene, key_id)
        key, old, now = _to_api_key(chain), chain[-1], hub.now()
        status = key.status(now)
        if status != "active":
            raise Conflict(f"this key is {status}")
        proposal = decide(scene.catalogue) if decide is not None else RenewalProposal()
        if proposal.errors:
            raise Invalid(proposal.errors)
        expires_at = old.expires_at if proposal.expires_at is UNSET else proposal.expires_at
        ended = find_end_errors(expires_at, now)
        if ended:
            raise Invalid(ended)
        check_power(command.caller, old.scopes)
        secret, hint = make_secret(prefix, mask)
        new = msgspec.structs.replace(
            old,
            id=hub.new_id(),
            created_at=now,
            hint=hint,
            renews=key.id,
            last_used_at=None,
            expires_at=expires_at,
            version=1,
        )
        await store.revoke_credential(scene.connection, old.team, key.id, now)
        await store.insert_credential(scene.connection, new, hash_secret(secret))
        rotated = _to_api_key([*chain[:-1], _ended(old, now), new])
        changes: tuple[FieldChange, ...] = (FieldChange("/hint", old.hint, hint),)
        if expires_at != old.expires_at:
            changes += (FieldChange("/expires_at", old.expires_at, expires_at),)
        row = AuditRow("credential", key.id, rotated.version, now, "rotated", command.request_id, changes)
        await insert_audit(scene.connection, command.caller, row)
        if new.rate_limit is not None:
            # The new secret would have no limit of its own until something else changes the snapshot.
            await bump_catalogue(scene.connection, old.team)
        return Done(render(rotated, secret), is_secret=True)

    return await write_guarded(hub, command, work)


async def revoke_api_key(hub: Hub, command: Command, key_id: UUID | None, render: Callable[[ApiKey], Answer]) -> Answer:
    """End a key: the very next request with it is refused, the caller's own too. Twice is once.

    Raises NotFound and what every guarded write raises.
    """

    async def work(scene: Work) -> Done:
        chain = await _lock_chain(command, scene, key_id)
        key, now = _to_api_key(chain), hub.now()
        version = await store.revoke_credential(scene.connection, command.caller.team, key.id, now)
        if version is None:
            return Done(render(key))
        row = AuditRow("credential", key.id, version, now, "revoked", command.request_id, ())
        await insert_audit(scene.connection, command.caller, row)
        return Done(render(_to_api_key([*chain[:-1], _ended(chain[-1], now)])))

    return await write_guarded(hub, command, work)


async def _lock_chain(command: Command, scene: Work, key_id: UUID | None) -> list[Credential]:
    """The credentials of a key, which nobody else rotates or revokes until the transaction ends; raises NotFound."""
    caller = command.caller
    # A statement of its own: what another rotation added is only seen by one that begins after the lock was had.
    if key_id is None or not await store.lock_credential(scene.connection, caller.team, key_id):
        raise NotFound("API key", str(key_id))
    chains = await store.list_chains(scene.connection, caller.team, caller.dialect, key_id)
    if key_id not in chains:
        raise NotFound("API key", str(key_id))
    chain = chains[key_id]
    check_precondition(command.guards, _to_api_key(chain).version, is_required=scene.requires_precondition)
    return chain


def _get_permissions(catalogue: Catalogue, values: ApiKeyValues, now: datetime) -> tuple[str, ...]:
    """What the role of a key to be may do; raises Invalid."""
    errors = find_end_errors(values.expires_at, now)
    role = catalogue.find_live("role", values.role)
    if role is None:
        errors = (FieldError(("role",), "unknown_id", "no such role"), *errors)
    if errors:
        raise Invalid(errors)
    assert role is not None  # noqa: S101 - refused above
    assert isinstance(role.details, RoleDetails)  # noqa: S101 - of its kind
    return role.details.permissions


def _ended(credential: Credential, now: datetime) -> Credential:
    return msgspec.structs.replace(credential, revoked_at=now, version=credential.version + 1)


def _to_api_key(chain: list[Credential]) -> ApiKey:
    """A key from its credentials, the oldest first."""
    first, newest = chain[0], chain[-1]
    used = [credential.last_used_at for credential in chain if credential.last_used_at is not None]
    return ApiKey(
        id=first.id,
        name=newest.name,
        hint=newest.hint,
        role=newest.role,
        created_at=first.created_at,
        updated_at=newest.revoked_at or newest.created_at,
        last_used_at=max(used, default=None),
        expires_at=newest.expires_at,
        revoked_at=newest.revoked_at,
        # A rotation ends one credential and makes another: one change of the key.
        version=sum(credential.version for credential in chain) - len(chain) + 1,
        credentials=tuple(credential.id for credential in chain),
    )
