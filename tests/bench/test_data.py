"""Teams that are filled on the server: what the hub would have written, for every dialect."""

import pytest

from bench import data
from bench.data import address_id, contact_id, customer_id, fill
from customerhub.core.hub import Hub
from customerhub.dialects.augno.ids import to_id
from customerhub.store.doctor import get_findings
from customerhub.web.serve import Site
from tests.support.augno import make_account
from tests.support.count import make_partner
from tests.support.hub import make_desk
from tests.support.replay import check_whole
from tests.support.world import World

COUNT = 40


@pytest.fixture
async def filled(hub: Hub, world: World) -> World:
    """A team that was filled, with three addresses to a customer."""
    async with hub.database.lease() as connection:
        await fill(connection, world.team.id, world.team.id, COUNT, addresses=3)
    return world


async def test_filled_customers_are_what_the_hub_would_have_written(hub: Hub, filled: World) -> None:
    """Records, history, feed, searches and duplicates agree with each other, and doctor has nothing to say."""
    async with hub.database.lease() as connection:
        stored = await check_whole(connection, filled.team.id)
        feed = await connection.fetch(
            "select position, customer, version from feed where team = $1 order by position", filled.team.id
        )
        following = await connection.fetchval("select next from feed_counter where team = $1", filled.team.id)
        findings = await get_findings(connection)
    assert set(stored.customers) == {customer_id(number) for number in range(1, COUNT + 1)}
    seventh = stored.customers[customer_id(7)]
    assert [entry.id for entry in seventh.addresses] == [address_id(7, place) for place in (1, 2, 3)]
    assert [entry.id for entry in seventh.contacts] == [contact_id(7, place) for place in (1, 2)]
    assert [tuple(row) for row in feed] == [(number, customer_id(number), 1) for number in range(1, COUNT + 1)]
    assert following == COUNT + 1
    found = (getattr(findings, kind) for kind in findings.__struct_fields__)
    assert [wrong for wrong in found if filled.team.name in wrong] == []


async def test_every_dialect_reads_and_updates_a_filled_customer(hub: Hub, site: Site, filled: World) -> None:
    """One customer through all four, each of which sees what the others changed; its history leads to the record."""
    plain = str(customer_id(3))
    coded = to_id("ac", customer_id(3))
    async with (
        make_partner(hub, site, filled.team) as partner,
        make_account(hub, site, filled.team) as account,
        make_desk(hub, site, filled.team) as desk,
    ):
        edit = {"addresses": [{"id": str(address_id(3, 2)), "city": "Narvik"}]}
        answer = await filled.api.patch(f"/v1/customers/{plain}", json=edit)
        assert answer.status_code == 201, answer.text
        await partner.put(plain, notes="Rings twice.")
        await account.patch(coded, name="Nordlys")
        await desk.patched({"id": plain}, {"phone": "+4799887766"})
        assert (await filled.get(plain))["name"] == "Nordlys"
        assert (await partner.get(plain))["mainPhone"] == "+4799887766"
        assert (await account.get(coded))["note"] == "Rings twice."
        assert (await desk.get(plain))["addresses"][1]["city"] == "Narvik"
    async with hub.database.lease() as connection:
        stored = await check_whole(connection, filled.team.id)
    assert stored.customers[customer_id(3)].version == 5


async def test_a_large_fill_leaves_the_indexes_that_were_there(
    hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some are taken away meanwhile; afterwards they are there again, and find what was filled."""
    monkeypatch.setattr(data, "MANY", COUNT)
    indexes = "select indexname, indexdef from pg_indexes where schemaname = 'public' order by 2"
    async with hub.database.lease() as connection:
        before = await connection.fetch(indexes)
        await fill(connection, world.team.id, world.team.id, COUNT)
        assert await connection.fetch(indexes) == before
