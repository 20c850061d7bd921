"""API keys through the API: made with a role, renewed, ended; a secret is shown once, and an old one dead at once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec import UNSET, UnsetType, structs

from customerhub.core import admin, api_keys, system
from customerhub.core.access import find_caller
from customerhub.core.api_keys import ApiKey, ApiKeyProposal, ApiKeyValues, RenewalProposal
from customerhub.core.hub import Hub
from customerhub.model.answer import Answer, Caller, IfMatch
from customerhub.model.error import (
    Conflict,
    FieldError,
    Forbidden,
    Invalid,
    KeyGone,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
)
from customerhub.store.db import Database
from tests.support.office import DIALECT, Office, key, make_caller, make_office, refused

PREFIX = "office_sk_"


@dataclass
class Keys:
    """A office's API keys: each call keeps what was shown."""

    office: Office
    shown: list[tuple[ApiKey, str]] = field(default_factory=list)

    def render(self, made: ApiKey, secret: str) -> Answer:
        """An answer with the secret in it."""
        self.shown.append((made, secret))
        return Answer(201, secret.encode())

    async def create(
        self, role: system.SystemRole = "admin", guards: dict[str, Any] | None = None, **values: Any
    ) -> tuple[ApiKey, str]:
        """A new key and its secret; `values` are members of ApiKeyValues."""
        order = ApiKeyValues(**{"name": "ERP sync", "role": system.to_role_id(self.office.team.id, role), **values})
        command = self.office.command(**(guards or {}))
        make = partial(api_keys.create_api_key, self.office.hub, command, prefix=PREFIX, mask="****")
        await make(lambda _: ApiKeyProposal(order), self.render)
        return self.shown[-1]

    async def rotate(self, key_id: UUID, expires_at: datetime | UnsetType = UNSET, **guards: Any) -> tuple[ApiKey, str]:
        """A key after a rotation, and its new secret."""
        rotate = partial(api_keys.rotate_api_key, self.office.hub, self.office.command(**guards), key_id)
        await rotate(self.render, prefix=PREFIX, mask="****", decide=lambda _: RenewalProposal(expires_at))
        return self.shown[-1]

    async def revoke(self, key_id: UUID, **guards: Any) -> ApiKey:
        """A key after its end."""
        ended: list[ApiKey] = []

        def render(made: ApiKey) -> Answer:
            ended.append(made)
            return Answer(200, b"{}")

        await api_keys.revoke_api_key(self.office.hub, self.office.command(**guards), key_id, render)
        return ended[-1]

    async def get(self, key_id: UUID) -> ApiKey:
        """A key as it stands."""
        return (await api_keys.get_api_key(self.office.hub, self.office.caller, key_id))[0]

    async def list(self) -> dict[UUID, ApiKey]:
        """Every key, by id."""
        found, _ = await api_keys.list_api_keys(self.office.hub, self.office.caller)
        return {made.id: made for made in found}

    async def use(self, secret: str) -> Caller:
        """Whoever has this secret, asking for something."""
        caller = await find_caller(self.office.hub, DIALECT, secret)
        await self.office.hub.check_caller(caller)
        return caller


@pytest.fixture
async def keys(hub: Hub) -> AsyncIterator[Keys]:
    """The keys of a team that an administrator asks for."""
    async with make_office(hub) as office:
        yield Keys(office)


async def test_a_key_may_what_its_role_may(keys: Keys) -> None:
    """A new key is shown whole but for its secret, which works at once and is stored nowhere."""
    expires_at = keys.office.hub.now() + timedelta(days=30)
    made, secret = await keys.create("viewer", expires_at=expires_at)
    assert secret.startswith(PREFIX)
    assert made == ApiKey(
        id=made.id,
        name="ERP sync",
        hint=f"office_sk_****{secret[-4:]}",
        role=system.to_role_id(keys.office.team.id, "viewer"),
        created_at=made.created_at,
        updated_at=made.created_at,
        last_used_at=None,
        expires_at=expires_at,
        revoked_at=None,
        version=1,
        credentials=(made.id,),
    )
    caller = await keys.use(secret)
    assert (caller.actor, caller.name, caller.scopes) == (made.id, "ERP sync", frozenset(system.ROLES["viewer"][1]))
    assert await keys.get(made.id) == made
    assert (await keys.list())[made.id] == made
    assert await keys.office.audits("credential") == [
        (keys.office.caller.credential, 1, "created"),
        (made.id, 1, "created"),
    ]
    async with keys.office.hub.database.lease() as connection:
        for table in ("credential", "credential_lookup", "audit", "idempotency_key"):
            statement = f"select count(*) from {table} t where t::text like '%' || $1 || '%'"  # noqa: S608 - tables of ours
            assert await connection.fetchval(statement, secret.removeprefix(PREFIX)) == 0


async def test_a_secret_is_not_kept_by_its_key(keys: Keys) -> None:
    """A repeated request is told that the answer is gone, and makes no second key."""
    guards = {"key": key("once")}
    await keys.create(guards=guards)
    await refused(KeyGone, keys.create(guards=guards), keys.office)
    made, _ = keys.shown[0]
    await keys.rotate(made.id, key=key("twice"))
    await refused(KeyGone, keys.rotate(made.id, key=key("twice")), keys.office)
    assert len(keys.shown) == 2


async def test_a_role_and_an_end_are_checked(keys: Keys) -> None:
    """A role of another team and an end that has passed are refused together, and nothing is made."""
    failure = await refused(Invalid, keys.create("viewer", expires_at=keys.office.hub.now()), keys.office)
    assert failure.errors == (FieldError(("expires_at",), "past", "must lie in the future"),)
    foreign = system.to_role_id(uuid4(), "viewer")
    values = ApiKeyValues("x", foreign, keys.office.hub.now())
    attempt = api_keys.create_api_key(
        keys.office.hub, keys.office.command(), lambda _: ApiKeyProposal(values), keys.render, prefix=PREFIX
    )
    failure = await refused(Invalid, attempt, keys.office)
    assert [(error.path, error.code) for error in failure.errors] == [
        (("role",), "unknown_id"),
        (("expires_at",), "past"),
    ]


async def test_nobody_hands_out_more_than_they_may(keys: Keys) -> None:
    """A caller makes keys of roles within its own permissions, and rotates no key that may do more."""
    powerful, _ = await keys.create("admin")
    harmless, _ = await keys.create("viewer")
    editor = Keys(replace(keys.office, caller=await make_caller(keys.office.hub, keys.office.team, "editor")))
    failure = await refused(Forbidden, editor.create("admin"), keys.office)
    assert failure.permission == "account_users:create"
    await refused(Forbidden, editor.rotate(powerful.id), keys.office)
    await editor.create("editor")
    await editor.create("viewer")
    await editor.rotate(harmless.id)


async def test_rotating_ends_the_old_secret_at_once(keys: Keys) -> None:
    """The new secret is the same key: its id, name, role, end and actor; the old one is refused as revoked."""
    expires_at = keys.office.hub.now() + timedelta(days=30)
    made, old = await keys.create("editor", expires_at=expires_at)
    first = await keys.use(old)
    rotated, new = await keys.rotate(made.id)
    with pytest.raises(Unauthenticated) as failure:
        await keys.use(old)
    assert failure.value.cause == "revoked"
    second = await keys.use(new)
    assert rotated == structs.replace(
        made,
        hint=f"office_sk_****{new[-4:]}",
        updated_at=rotated.updated_at,
        version=2,
        credentials=(made.id, second.credential),
    )
    assert rotated.updated_at > made.updated_at
    assert (second.actor, second.name, second.scopes) == (first.actor, first.name, first.scopes)
    assert second.credential != first.credential
    assert (await keys.list())[made.id] == rotated
    assert second.credential not in await keys.list()
    for lost in (second.credential, uuid4()):
        await refused(NotFound, keys.rotate(lost), keys.office)
        await refused(NotFound, keys.revoke(lost), keys.office)
    again, newest = await keys.rotate(made.id)
    assert (again.id, again.version) == (made.id, 3)
    with pytest.raises(Unauthenticated):
        await keys.use(new)
    await keys.use(newest)
    assert (await keys.office.audits("credential"))[1:] == [
        (made.id, 1, "created"),
        (made.id, 2, "rotated"),
        (made.id, 3, "rotated"),
    ]


async def test_a_new_secret_may_have_another_end(keys: Keys) -> None:
    """An end that is named takes the place of the old one, and one that has passed is refused."""
    made, _ = await keys.create(expires_at=keys.office.hub.now() + timedelta(days=1))
    failure = await refused(Invalid, keys.rotate(made.id, keys.office.hub.now()), keys.office)
    assert failure.errors == (FieldError(("expires_at",), "past", "must lie in the future"),)
    later = keys.office.hub.now() + timedelta(days=2)
    rotated, _ = await keys.rotate(made.id, later)
    assert (rotated.expires_at, await keys.get(made.id)) == (later, rotated)


async def test_a_revoked_key_is_dead_and_stays_in_the_list(keys: Keys) -> None:
    """It ends with its newest secret, once; it can still be read and never be rotated."""
    made, _ = await keys.create()
    _, secret = await keys.rotate(made.id)
    ended = await keys.revoke(made.id)
    assert (ended.version, ended.status(keys.office.hub.now()), ended.updated_at) == (3, "revoked", ended.revoked_at)
    with pytest.raises(Unauthenticated) as failure:
        await keys.use(secret)
    assert failure.value.cause == "revoked"
    assert await keys.revoke(made.id) == ended
    assert await keys.get(made.id) == ended
    refusal = await refused(Conflict, keys.rotate(made.id), keys.office)
    assert refusal.reason == "this key is revoked"
    assert (await keys.office.audits("credential"))[-1] == (made.id, 3, "revoked")


async def test_a_key_may_end_itself(keys: Keys) -> None:
    """The key that asks can revoke itself, and is then refused."""
    made, secret = await keys.create()
    own = Keys(replace(keys.office, caller=await keys.use(secret)))
    assert (await own.revoke(made.id)).revoked_at is not None
    with pytest.raises(Unauthenticated):
        await own.list()


async def test_the_operator_ends_a_renewed_key(keys: Keys) -> None:
    """At the command line the key ends by its first id and by that of any of its secrets."""
    for names_first in (True, False):
        made, _ = await keys.create()
        _, secret = await keys.rotate(made.id)
        newest = (await keys.use(secret)).credential
        await admin.revoke_credential(keys.office.hub, made.id if names_first else newest)
        with pytest.raises(Unauthenticated):
            await keys.use(secret)
        assert (await keys.get(made.id)).version == 3
        assert (await keys.office.audits("credential"))[-1] == (made.id, 3, "revoked")


async def test_an_expired_key_is_not_rotated(keys: Keys, database_url: str) -> None:
    """Its status says so, and a new secret would be dead too."""
    made, _ = await keys.create(expires_at=keys.office.hub.now() + timedelta(hours=1))
    assert made.status(keys.office.hub.now()) == "active"
    later = keys.office.hub.now() + timedelta(hours=1)
    hub = Hub(Database(database_url), keys.office.hub.settings, now=lambda: later)
    tomorrow = Keys(Office(hub, keys.office.team, keys.office.caller))
    assert made.status(later) == "expired"
    refusal = await refused(Conflict, tomorrow.rotate(made.id), tomorrow.office)
    assert refusal.reason == "this key is expired"
    await tomorrow.revoke(made.id)
    await hub.close()


async def test_a_key_has_a_version(keys: Keys) -> None:
    """`If-Match` names how often the key has been given a secret or an end."""
    made, _ = await keys.create()
    await keys.rotate(made.id, if_match=IfMatch(frozenset((1,))))
    await refused(PreconditionFailed, keys.rotate(made.id, if_match=IfMatch(frozenset((1,)))), keys.office)
    await refused(PreconditionFailed, keys.revoke(made.id, if_match=IfMatch(frozenset((1,)))), keys.office)
    await keys.revoke(made.id, if_match=IfMatch(frozenset((2,))))


async def test_of_many_rotations_at_once_the_last_secret_lives(keys: Keys) -> None:
    """Eight at the same moment take turns: eight new secrets, of which exactly one is alive."""
    made, _ = await keys.create()
    shown = await asyncio.gather(*(Keys(keys.office).rotate(made.id) for _ in range(8)))
    assert sorted(rotated.version for rotated, _ in shown) == list(range(2, 10))
    alive = []
    for rotated, secret in shown:
        try:
            await keys.use(secret)
        except Unauthenticated:
            continue
        alive.append(rotated)
    assert alive == [await keys.get(made.id)]


async def test_a_rotation_and_an_end_at_once_leave_no_secret_alive(keys: Keys) -> None:
    """Whichever comes first, after both of them the key is dead."""
    for _ in range(5):
        made, _ = await keys.create()
        rotator = Keys(keys.office)
        await asyncio.gather(rotator.rotate(made.id), keys.revoke(made.id), return_exceptions=True)
        assert (await keys.get(made.id)).revoked_at is not None
        for _, secret in rotator.shown:
            with pytest.raises(Unauthenticated):
                await keys.use(secret)


async def test_a_dry_run_leaves_everything_as_it_was(keys: Keys) -> None:
    """It answers as the real thing would, with a secret that nobody can use."""
    made, secret = await keys.create()
    before = await keys.office.fingerprint()
    _, tried = await keys.create(guards={"dry_run": True})
    _, rotated = await keys.rotate(made.id, dry_run=True)
    assert (await keys.revoke(made.id, dry_run=True)).revoked_at is not None
    assert await keys.office.fingerprint() == before
    await keys.use(secret)
    for lost in (tried, rotated):
        with pytest.raises(Unauthenticated):
            await keys.use(lost)


async def test_keys_of_others_are_unknown(keys: Keys) -> None:
    """Another team's keys and another dialect's are not there for anybody else."""
    made, _ = await keys.create()
    async with make_office(keys.office.hub) as other:
        foreign = Keys(other)
        assert made.id not in await foreign.list()
        for attempt in (foreign.get(made.id), foreign.rotate(made.id), foreign.revoke(made.id)):
            await refused(NotFound, attempt, keys.office)
    credential, _ = await admin.create_credential(
        keys.office.hub, keys.office.team, dialect="another", name="theirs", prefix=""
    )
    assert credential.id not in await keys.list()
    for attempt in (keys.get(credential.id), keys.rotate(credential.id), keys.revoke(credential.id)):
        await refused(NotFound, attempt, keys.office)


async def test_the_newest_use_of_any_secret_is_the_keys(keys: Keys) -> None:
    """What is noted of a secret before a rotation is still shown after it."""
    made, secret = await keys.create()
    used_at = keys.office.hub.now()
    async with keys.office.hub.database.lease() as connection:
        await connection.execute(
            "update credential set last_used_at = $3 where team = $1 and id = $2",
            keys.office.team.id,
            (await keys.use(secret)).credential,
            used_at,
        )
    rotated, _ = await keys.rotate(made.id)
    assert rotated.last_used_at == used_at
