"""Whether an email address belongs to one customer only is the team's policy, and changes with it at once."""

import asyncio

import httpx
import pytest

from customerhub.core import admin
from customerhub.model.catalogue import TeamSettings
from customerhub.model.error import Conflict
from customerhub.store.customers import NewVersion, write_version
from customerhub.store.db import Connection
from tests.support.world import World

EMAIL = "ingrid@nordlys.example"
KEYS = "select unique_email_key from customer where team = $1 and email is not null order by number"


async def set_policy(world: World, policy: str) -> None:
    """Change the team's policy as the operator would."""
    team = await admin.get_team(world.hub, str(world.team.id))
    await admin.change_settings(world.hub, team, {"email_policy": policy})


async def unique_keys(world: World) -> list[str | None]:
    """The keys that the unique index holds."""
    async with world.hub.database.lease() as connection:
        return [key for (key,) in await connection.fetch(KEYS, world.team.id)]


async def test_a_free_address_may_be_anybodys(world: World, twin: httpx.AsyncClient) -> None:
    """Under the policy `free` the next request may take a taken address, on every process."""
    await world.create(email=EMAIL)
    await set_policy(world, "free")
    for api in (world.api, twin):
        answer = await api.post("/v1/customers", json=world.customer_body(email=EMAIL.upper()))
        assert answer.status_code == 201, answer.text
    assert await unique_keys(world) == [None, None, None]


async def test_a_policy_cannot_be_forced_upon_records_that_break_it(world: World) -> None:
    """Back to `unique` is refused while two customers share an address, and nothing changes; then it goes."""
    await set_policy(world, "free")
    await world.create(email=EMAIL)
    double = await world.create(email=EMAIL)
    before = await world.fingerprint()
    with pytest.raises(Conflict, match="share an email address"):
        await set_policy(world, "unique")
    assert await world.fingerprint() == before
    await world.api.patch(f"/v1/customers/{double['id']}", json={"email": "lars@nordlys.example"})
    await set_policy(world, "unique")
    assert await unique_keys(world) == [EMAIL, "lars@nordlys.example"]
    answer = await world.api.post("/v1/customers", json=world.customer_body(email=EMAIL))
    assert (answer.status_code, answer.json()["details"][0]["field"]) == (400, "email")


@pytest.mark.parametrize("policy", ["free", "unique"])
@pytest.mark.parametrize("write", ["create", "update"])
async def test_a_policy_that_changes_during_a_write_holds_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch, policy: str, write: str
) -> None:
    """A write that read the old policy is stored by the new one."""
    await set_policy(world, "free" if policy == "unique" else "unique")
    customer = await world.create()
    changes = [policy]

    async def write_late(connection: Connection, version: NewVersion) -> bool:
        while changes:
            await set_policy(world, changes.pop())
        return await write_version(connection, version)

    monkeypatch.setattr("customerhub.core.customers.store.write_version", write_late)
    if write == "create":
        answer = await world.api.post("/v1/customers", json=world.customer_body(email=EMAIL))
    else:
        answer = await world.api.patch(f"/v1/customers/{customer['id']}", json={"email": EMAIL})
    assert answer.status_code == 201
    assert await unique_keys(world) == [EMAIL if policy == "unique" else None]


async def test_a_policy_that_forbids_a_write_under_way_refuses_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address that was free when the write began and is not any more when it is stored is refused by its field."""
    await world.create(email=EMAIL)
    await set_policy(world, "free")
    changes = ["unique"]

    async def write_late(connection: Connection, version: NewVersion) -> bool:
        while changes:
            await set_policy(world, changes.pop())
        return await write_version(connection, version)

    monkeypatch.setattr("customerhub.core.customers.store.write_version", write_late)
    answer = await world.api.post("/v1/customers", json=world.customer_body(email=EMAIL))
    assert (answer.status_code, [one["field"] for one in answer.json()["details"]]) == (400, ["email"])
    assert await unique_keys(world) == [EMAIL]


async def test_policy_and_writes_at_the_same_moment_agree(world: World, twin: httpx.AsyncClient) -> None:
    """However writes and changes of the policy fall together, afterwards each record's key is what the policy says."""
    customers = [await world.create() for _ in range(6)]
    clients = [world.api, twin] * 3
    for round_ in range(10):
        policy = "free" if round_ % 2 == 0 else "unique"
        emails = [f"{place}-{round_}@nordlys.example" for place in range(6)]
        answers = await asyncio.gather(
            *(
                api.patch(f"/v1/customers/{customer['id']}", json={"email": email})
                for api, customer, email in zip(clients, customers, emails, strict=True)
            ),
            set_policy(world, policy),
        )
        assert [answer.status_code for answer in answers if answer is not None] == [201] * 6
        assert await unique_keys(world) == ([None] * 6 if policy == "free" else emails)


async def test_settings_changed_at_the_same_moment_all_hold(world: World) -> None:
    """Two who change different settings at once do not undo each other."""
    team = await admin.get_team(world.hub, str(world.team.id))
    wanted: list[dict[str, object]] = [
        {"unknown_members": "refuse"},
        {"free_attributes": True},
        {"relaxed_create": True},
        {"email_policy": "free"},
    ]
    await asyncio.gather(*(admin.change_settings(world.hub, team, values) for values in wanted))
    settings = (await admin.get_team(world.hub, str(world.team.id))).settings
    assert settings == TeamSettings("free", "refuse", "refuse", free_attributes=True, relaxed_create=True)
