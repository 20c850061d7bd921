"""Duplicates of many: values that very many share, pages over a whole team, and keys of an older version."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from customerhub.core import system
from customerhub.core.access import find_caller
from customerhub.core.duplicates import Group, Groups, fill_duplicates, find_duplicates, walk_alike, walk_duplicates
from customerhub.core.hub import Hub
from customerhub.model.answer import Caller
from customerhub.model.customer import Customer
from customerhub.model.duplicates import Match, to_duplicate_keys
from customerhub.model.page import Position
from customerhub.store import duplicates as store
from customerhub.store.db import Connection
from customerhub.store.doctor import get_findings
from customerhub.store.migrate import migrate
from tests.support.customers import new_customer, put_customers
from tests.support.world import DIALECT, World

START = datetime(2026, 3, 4, 9, 10, 11, tzinfo=UTC)
BEFORE_KEYS = 5
Step = Callable[[Hub, Caller, Position | None, int], Awaitable[Groups]]


async def put(connection: Connection, customers: list[Customer]) -> None:
    """Store customers with their keys."""
    await put_customers(connection, customers)
    rows = [(one.team, one.id, *key) for one in customers for key in to_duplicate_keys(one)]
    columns = ("team", "customer", "kind", "key")
    await connection.copy_records_to_table("duplicate_key", records=rows, columns=columns)


async def test_what_very_many_share_is_counted_and_not_listed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that a hundred others have is one reason with its count; walking the team is one group each."""
    caller = await find_caller(world.hub, DIALECT, world.api_key)
    crowd = [new_customer(caller.team, START, phone="+4722334455", tax_number=f"NO{n // 2:06}") for n in range(102)]
    async with world.hub.database.lease() as connection:
        await put(connection, crowd)
    found = await find_duplicates(world.hub, caller, crowd[0].id)
    assert [(one.customer.id, one.matches) for one in found.candidates] == [
        (crowd[1].id, (Match("tax_number", "no000000"),))
    ]
    assert [(one.match, one.count) for one in found.common] == [(Match("phone", "+4722334455"), 102)]
    for most_keys in (20_000, 7):
        monkeypatch.setattr("customerhub.core.duplicates._MOST_KEYS", most_keys)
        groups = await walk(world, 5)
        assert len(groups) == 52
        assert {group.match: len(group.customers) for group in groups if group.count > 2} == {
            Match("phone", "+4722334455"): 0
        }
        members = {frozenset(one.id for one in group.customers) for group in groups if group.count == 2}
        assert members == {frozenset((crowd[n].id, crowd[n + 1].id)) for n in range(0, 102, 2)}


async def test_groups_are_the_same_in_the_order_of_what_is_shared(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both walks find the same groups, whatever a page and a piece hold; one begins anew where its place is gone."""
    caller = await find_caller(world.hub, DIALECT, world.api_key)
    crowd = [new_customer(caller.team, START, phone="+4722334455", tax_number=f"NO{n // 2:06}") for n in range(102)]
    async with world.hub.database.lease() as connection:
        await put(connection, crowd)
    expected = {group.match: group for group in await walk(world, 100)}
    for most_keys, limit in ((7, 5), (7, 1), (50_000, 100), (50_000, 5)):
        monkeypatch.setattr("customerhub.core.duplicates._MOST_ALIKE", most_keys)
        found = await walk(world, limit, walk_alike)
        assert [group.match.value for group in found] == ["+4722334455", *(f"no{n:06}" for n in range(51))]
        assert {group.match: group for group in found} == expected
    page = await walk_alike(world.hub, caller, None, 2)
    assert page.after is not None
    async with world.hub.database.lease() as connection:
        await connection.execute("delete from duplicate_key where team = $1 and key = 'no000000'", caller.team)
    again = await walk_alike(world.hub, caller, page.after, 2)
    assert [group.match.value for group in again.groups] == ["+4722334455", "no000001"]


async def walk(world: World, limit: int, step: Step = walk_duplicates) -> list[Group]:
    """All groups of the team, page by page."""
    caller = await find_caller(world.hub, DIALECT, world.api_key)
    groups: list[Group] = []
    position: Position | None = None
    while True:
        page = await step(world.hub, caller, position, limit)
        assert len(page.groups) <= limit
        groups += page.groups
        position = page.after
        if position is None:
            return groups


async def make_team(connection: Connection) -> UUID:
    """A bare team."""
    team = uuid4()
    statement = "insert into team (id, name, name_key, created_at, updated_at) values ($1, $2, $2, $3, $3)"
    await connection.execute(statement, team, str(team), START)
    return team


async def test_customers_of_an_older_version_get_their_keys(empty: Connection) -> None:
    """After the migration, once; what is missing or wrong later is mended, and nobody else is touched."""
    await migrate(empty, up_to=BEFORE_KEYS)
    team = await make_team(empty)
    many = [new_customer(team, START, email=f"{n // 2}@nordlys.test", phone="+4722334455") for n in range(600)]
    gone = new_customer(team, START, email="gone@nordlys.test", deleted_at=START)
    await put_customers(empty, [*many, gone, new_customer(team, START)])
    assert "0006_duplicates.sql" in await system.bring_up(empty)
    assert await empty.fetchval("select count(*) from duplicate_key") == 1200
    assert await fill_duplicates(empty) == 0
    await empty.execute("update customer set email_key = email")
    assert (await get_findings(empty)).wrong_duplicates == {}
    first, second, third = (customer.id for customer in many[:3])
    await empty.execute("delete from duplicate_key where customer = $1 and kind = 'phone'", first)
    await empty.execute("update duplicate_key set key = 'x' where customer = $1 and kind = 'email'", second)
    await empty.execute("update customer set deleted_at = now() where id = $1", third)
    assert (await get_findings(empty)).wrong_duplicates == {str(team): 2}
    assert await fill_duplicates(empty) == 2
    assert (await get_findings(empty)).wrong_duplicates == {}
    found = await store.list_shared(empty, team, first, 1000)
    assert {key.kind: len(others) for key, others in found.items()} == {"email": 1, "phone": 598}
    # A sample of a key would stay behind where an erasure does not reach.
    await empty.execute("analyze duplicate_key")
    kept = "select count(*) from pg_stats where tablename = 'duplicate_key' and attname = 'key'"
    assert await empty.fetchval(kept) == 0


async def test_only_a_changed_key_writes_a_row(world: World) -> None:
    """A change of anything else leaves the rows where they are; a changed key writes its own."""
    rows = "select kind, key, xmin::text || ctid::text from duplicate_key where team = $1 and customer = $2"
    customer = await world.create(phone="+4722334455", email="a@nordlys.example")

    async def read() -> dict[str, tuple[str, str]]:
        async with world.hub.database.lease() as connection:
            found = await connection.fetch(rows, world.team.id, UUID(customer["id"]))
            return {kind: (key, place) for kind, key, place in found}

    path = f"/v1/customers/{customer['id']}"
    before = await read()
    for member in ({"display_name": "x"}, {"first_name": "x"}, {"email": "A@nordlys.example"}):
        assert (await world.api.patch(path, json=member)).status_code == 201
        assert await read() == before
    assert (await world.api.patch(path, json={"email": "b@nordlys.example"})).status_code == 201
    after = await read()
    assert (after["phone"], after["email"][0]) == (before["phone"], "b@nordlys.example")
