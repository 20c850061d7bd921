"""Use cases on all of a team's credentials, of whichever dialect: list, make, rotate, mark and revoke them.

A credential is a chain of them, one for each of its secrets: the first gives it its id, the newest says what it may.
A rotation may let the old secret go on for a while, so that a client can be moved to the new one without a gap.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct

from customerhub.core.access import check_power, find_end_errors, hash_secret, make_secret
from customerhub.core.command import Command
from customerhub.core.guarded import Done, Work, write_guarded
from customerhub.core.hub import Hub
from customerhub.core.rates import check_rate_power, find_rate_errors
from customerhub.core.standing import check_precondition
from customerhub.core.teams import Made, MakeCredential
from customerhub.model.answer import Answer, Caller
from customerhub.model.catalogue import Catalogue
from customerhub.model.change import FieldChange
from customerhub.model.error import Conflict, FieldError, Invalid, NotFound
from customerhub.store import access as store
from customerhub.store.access import Credential
from customerhub.store.catalogue import AuditRow, bump_catalogue, insert_audit

MOST_OVERLAP_SECONDS = 7 * 86_400


class Pass(Struct, frozen=True):
    """A credential as its team's administrators see it; nothing secret in it.

    `user` is the member it belongs to, `role` the one it was made with; `rate_limit` None is the team's. Until
    `previous_until` a secret that was replaced goes on.
    """

    id: UUID
    dialect: str
    name: str
    hint: str
    user: UUID | None
    role: UUID | None
    scopes: tuple[str, ...]
    requires_precondition: bool
    rate_limit: str | None
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    previous_until: datetime | None
    version: int

    def status(self, now: datetime) -> Literal["active", "expired", "revoked"]:
        """Whether it can be used, as far as it is asked alone: its member may be disabled."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


class CreationProposal(Struct, frozen=True):
    """What a door makes of a request for a credential beside what the dialect is asked, and the errors it found."""

    rate_limit: str | None = None
    expires_at: datetime | None = None
    needs: tuple[str, ...] = ()
    errors: tuple[FieldError, ...] = ()


class RotationProposal(Struct, frozen=True):
    """How many seconds the old secret is to go on, and the errors that the door found."""

    overlap_seconds: int = 0
    errors: tuple[FieldError, ...] = ()


class MarksProposal(Struct, frozen=True):
    """What a credential's marks shall be, and the errors that the door found."""

    requires_precondition: bool
    rate_limit: str | None
    errors: tuple[FieldError, ...] = ()


class KeyShape(Struct, frozen=True):
    """How a dialect's keys look: what they begin with, and what stands between that and the end of a hint."""

    prefix: str
    mask: str


async def list_credentials(hub: Hub, caller: Caller) -> tuple[Pass, ...]:
    """Every credential of the team, in no order; raises Unauthenticated."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        chains = await store.list_chains(connection, caller.team, None)
    return tuple(map(to_pass, chains.values()))


async def get_credential(hub: Hub, caller: Caller, credential_id: UUID | None) -> Pass:
    """One credential of the team; raises Unauthenticated, NotFound."""
    async with hub.database.lease() as connection:
        await hub.get_standing(connection, caller)
        chains = await store.list_chains(connection, caller.team, None, credential_id) if credential_id else {}
    if credential_id not in chains:
        raise NotFound("credential", str(credential_id))
    return to_pass(chains[credential_id])


async def create_credential(
    hub: Hub,
    command: Command,
    decide: Callable[[Catalogue], CreationProposal],
    make: MakeCredential,
    render: Callable[[Pass, Made], Answer],
) -> Answer:
    """Make a credential as its dialect does; `render` gets what its owner needs, secrets in clear, this once.

    Raises Invalid, Forbidden where it may do what the caller may not, Conflict for a member who is disabled, and what
    every guarded write raises.
    """

    async def work(scene: Work) -> Done:
        connection, caller = scene.connection, command.caller
        check_precondition(command.guards, None, is_required=False)
        proposal = decide(scene.catalogue)
        errors = (*proposal.errors, *find_rate_errors(("rate_limit",), proposal.rate_limit))
        errors += find_end_errors(proposal.expires_at, hub.now())
        if errors:
            raise Invalid(errors)
        check_power(caller, proposal.needs)
        check_rate_power(hub, caller, proposal.rate_limit)
        team = await store.find_team(connection, caller.team, "")
        if team is None:
            raise NotFound("team", str(caller.team))
        made = await make(hub.on(connection), team, command.author)
        credential_id = UUID(str(made["id"]))
        [credential] = (await store.list_chains(connection, caller.team, None, credential_id))[credential_id]
        # Only now it is known what it may: what is too much is rolled back.
        check_power(caller, credential.scopes)
        if proposal.rate_limit or proposal.expires_at:
            marked = msgspec.structs.replace(
                credential,
                rate_limit=proposal.rate_limit or None,
                expires_at=proposal.expires_at,
                version=credential.version + 1,
            )
            await store.set_marks(connection, credential.id, marked)
            await _record(hub, command, scene, to_pass([marked]), _differences(credential, marked))
            credential = marked
        return Done(render(to_pass([credential]), made), is_secret=True)

    return await write_guarded(hub, command, work)


async def rotate_credential(
    hub: Hub,
    command: Command,
    credential_id: UUID | None,
    decide: Callable[[Pass], RotationProposal],
    find_shape: Callable[[str], KeyShape | None],
    render: Callable[[Pass, str], Answer],
) -> Answer:
    """Give a credential another secret; the one it had goes on for as long as is asked, not at all if nothing is.

    `find_shape` says how a dialect's keys look. Raises NotFound, Conflict for a credential that has ended or has no
    secret of its own, Invalid, Forbidden where it may do what the caller may not, and what every guarded write raises.
    """

    async def work(scene: Work) -> Done:
        connection, team = scene.connection, command.caller.team
        chain = await _lock_chain(command, scene, credential_id)
        old, before, now = chain[-1], to_pass(chain), hub.now()
        proposal = decide(before)
        if proposal.errors:
            raise Invalid(proposal.errors)
        _check_living(before, now)
        shape = find_shape(old.dialect)
        if shape is None or not await store.has_secret(connection, team, old.id):
            raise Conflict("credentials of this dialect have no secret that could be replaced by itself")
        check_power(command.caller, old.scopes)
        secret, hint = make_secret(shape.prefix, shape.mask)
        new = msgspec.structs.replace(
            old, id=hub.new_id(), created_at=now, hint=hint, renews=before.id, last_used_at=None, version=1
        )
        changes = [FieldChange("/hint", old.hint, hint)]
        if proposal.overlap_seconds:
            until = now + timedelta(seconds=proposal.overlap_seconds)
            await store.replace_credential(connection, team, before.id, now, until)
            changes.append(FieldChange("/previous_until", before.previous_until, until))
        else:
            await store.revoke_credential(connection, team, before.id, now)
        await store.insert_credential(connection, new, hash_secret(secret))
        rotated = to_pass((await store.list_chains(connection, team, None, before.id))[before.id])
        row = AuditRow("credential", before.id, rotated.version, now, "rotated", command.request_id, tuple(changes))
        await insert_audit(connection, command.caller, row)
        if new.rate_limit is not None:
            await bump_catalogue(connection, team)
        return Done(render(rotated, secret), is_secret=True)

    return await write_guarded(hub, command, work)


async def mark_credential(
    hub: Hub,
    command: Command,
    credential_id: UUID | None,
    decide: Callable[[Pass], MarksProposal],
    render: Callable[[Pass], Answer],
) -> Answer:
    """Say what a credential must send and how often it may ask; nothing is written where nothing differs.

    Raises NotFound, Conflict for one that has ended, Invalid (`rate_limit`), Forbidden for a limit beyond the hub's
    own, and what every guarded write raises.
    """

    async def work(scene: Work) -> Done:
        chain = await _lock_chain(command, scene, credential_id)
        old, before = chain[-1], to_pass(chain)
        proposal = decide(before)
        errors = (*proposal.errors, *find_rate_errors(("rate_limit",), proposal.rate_limit))
        if errors:
            raise Invalid(errors)
        _check_living(before, hub.now())
        marked = msgspec.structs.replace(
            old, requires_precondition=proposal.requires_precondition, rate_limit=proposal.rate_limit or None
        )
        changes = _differences(old, marked)
        if not changes:
            return Done(render(before))
        if marked.rate_limit != old.rate_limit:
            check_rate_power(hub, command.caller, marked.rate_limit)
        await store.set_marks(scene.connection, before.id, marked)
        after = to_pass([*chain[:-1], msgspec.structs.replace(marked, version=old.version + 1)])
        await _record(hub, command, scene, after, changes)
        return Done(render(after))

    return await write_guarded(hub, command, work)


async def revoke_credential(
    hub: Hub, command: Command, credential_id: UUID | None, render: Callable[[Pass, Pass], Answer]
) -> Answer:
    """End a credential with all its secrets: the very next request is refused, the caller's own too. Twice is once.

    `render` gets it before and after. Raises NotFound and what every guarded write raises.
    """

    async def work(scene: Work) -> Done:
        before, now = to_pass(await _lock_chain(command, scene, credential_id)), hub.now()
        version = await store.revoke_credential(scene.connection, command.caller.team, before.id, now)
        if version is None:
            return Done(render(before, before))
        row = AuditRow("credential", before.id, version, now, "revoked", command.request_id, ())
        await insert_audit(scene.connection, command.caller, row)
        after = msgspec.structs.replace(before, revoked_at=now, previous_until=None, version=version)
        return Done(render(before, after))

    return await write_guarded(hub, command, work)


def to_pass(chain: list[Credential]) -> Pass:
    """A credential from those of its secrets, the oldest first."""
    first, newest = chain[0], chain[-1]
    used = [credential.last_used_at for credential in chain if credential.last_used_at is not None]
    going_on = [
        credential.expires_at
        for credential in chain[:-1]
        if credential.revoked_at is None and credential.expires_at is not None
    ]
    return Pass(
        id=first.id,
        dialect=newest.dialect,
        name=newest.name,
        hint=newest.hint,
        user=newest.team_user,
        role=newest.role,
        scopes=newest.scopes,
        requires_precondition=newest.requires_precondition,
        rate_limit=newest.rate_limit,
        created_at=first.created_at,
        last_used_at=max(used, default=None),
        expires_at=newest.expires_at,
        revoked_at=newest.revoked_at,
        previous_until=max(going_on, default=None),
        version=sum(credential.version for credential in chain) - len(chain) + 1,
    )


async def _lock_chain(command: Command, scene: Work, credential_id: UUID | None) -> list[Credential]:
    """A credential with all its secrets, which nobody else changes until the transaction ends; raises NotFound."""
    team = command.caller.team
    # A statement of its own: what another rotation added is only seen by one that begins after the lock was had.
    if credential_id is None or not await store.lock_credential(scene.connection, team, credential_id):
        raise NotFound("credential", str(credential_id))
    chain = (await store.list_chains(scene.connection, team, None, credential_id))[credential_id]
    check_precondition(command.guards, to_pass(chain).version, is_required=scene.requires_precondition)
    return chain


def _check_living(credential: Pass, now: datetime) -> None:
    status = credential.status(now)
    if status != "active":
        raise Conflict(f"this credential is {status}")


def _differences(before: Credential, after: Credential) -> tuple[FieldChange, ...]:
    pairs = (
        (name, getattr(before, name), getattr(after, name))
        for name in ("requires_precondition", "rate_limit", "expires_at")
    )
    return tuple(FieldChange(f"/{name}", old, new) for name, old, new in pairs if old != new)


async def _record(hub: Hub, command: Command, scene: Work, after: Pass, changes: tuple[FieldChange, ...]) -> None:
    row = AuditRow("credential", after.id, after.version, hub.now(), "updated", command.request_id, changes)
    await insert_audit(scene.connection, command.caller, row)
    if any(change.path == "/rate_limit" for change in changes):
        await bump_catalogue(scene.connection, command.caller.team)
