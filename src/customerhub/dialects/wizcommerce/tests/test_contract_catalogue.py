"""Price lists: the one default, what may change, and what customers keep of an inactive one."""

from uuid import UUID

from customerhub.dialects.wizcommerce.tests.conftest import Clock
from customerhub.dialects.wizcommerce.tests.promises import data, fields, nothing_stored, patch, patched
from customerhub.model.catalogue import PriceListDetails
from customerhub.store.catalogue import get_snapshot
from tests.support.world import Json, World


async def default(world: World) -> list[str]:
    """The ids of the lists that are marked as the default."""
    async with world.hub.database.lease() as connection:
        snapshot = await get_snapshot(connection, world.team.id)
    return [
        str(entry.id)
        for entry in snapshot.entries("price_list")
        if isinstance(entry.details, PriceListDetails) and entry.details.is_default
    ]


async def make(world: World, reference_id: str, **members: object) -> Json:
    """A new price list, as answered."""
    return data(await world.api.post("/v1/price-lists", json={"reference_id": reference_id, "name": "New", **members}))


async def test_the_mark_of_the_default_moves(world: World) -> None:
    """The newest one to claim it has it, by POST or by PATCH; there is never more than one."""
    assert await default(world) == []
    first = await make(world, "PL-1", is_default=True)
    assert await default(world) == [first["id"]]
    second = await make(world, "PL-2", is_default=True)
    assert await default(world) == [second["id"]]
    data(await world.api.patch(f"/v1/price-lists/{first['id']}", json={"is_default": True}))
    assert await default(world) == [first["id"]]
    data(await world.api.patch(f"/v1/price-lists/{first['id']}", json={"is_default": False}))
    assert await default(world) == []


async def test_a_price_list_is_changed_by_member(timed: World, clock: Clock) -> None:
    """What is not sent stays; `reference_id` cannot change; the same again changes nothing."""
    made = await make(timed, "PL-1", description="Kroner", priority=1)
    path = f"/v1/price-lists/{made['id']}"
    clock.forward(hours=1)
    after = await timed.api.patch(path, json={"name": "Nordics", "reference_id": "PL-9"})
    assert data(after) == {**made, "name": "Nordics", "updated_at": "2025-03-04T10:10:11Z"}
    assert after.headers["customerhub-ignored"] == "reference_id"
    clock.forward(hours=1)
    async with nothing_stored(timed):
        again = await timed.api.patch(path, json={"name": "Nordics", "priority": 1})
    assert (data(again), again.headers["etag"]) == (data(after), '"2"')


async def test_references_of_price_lists_are_unique_and_names_are_not(world: World, other_world: World) -> None:
    """A second list of one reference is refused by the field; another team has its own."""
    first = await make(world, "PL-1")
    async with nothing_stored(world):
        answer = await world.api.post("/v1/price-lists", json={"reference_id": "PL-1", "name": "Other"})
    assert fields(answer) == ["reference_id"]
    assert (await make(world, "PL-2"))["name"] == first["name"]
    await make(other_world, "PL-1")


async def test_an_inactive_price_list_stays_with_those_who_have_it(world: World) -> None:
    """DELETE makes it inactive, twice is once; customers keep it and may be sent back, nobody else gets it."""
    gone, other = world.price_lists
    customer, stranger = await world.create(), await world.create(assigned_price_list_id=other)
    path = f"/v1/price-lists/{gone}"
    assert (await world.api.delete(path)).status_code == 204
    async with nothing_stored(world):
        assert (await world.api.delete(path)).status_code == 204
    assert data(await world.api.get(path), 200)["status"] == "inactive"
    shown = await world.get(customer["id"])
    assert shown["assigned_price_list"]["status"] == "inactive"
    async with nothing_stored(world):
        assert await patched(world, customer, assigned_price_list_id=gone) == shown
        assert fields(await patch(world, stranger, assigned_price_list_id=gone)) == ["assigned_price_list_id"]
        answer = await world.api.post("/v1/customers", json=world.customer_body(display_id="N-1"))
        assert fields(answer) == ["assigned_price_list_id"]
    rows = {}
    for status in ("active", "inactive"):
        listed = (await world.api.get(f"/v1/price-lists?status={status}")).json()["data"]
        rows[status] = [row["id"] for row in listed]
    assert rows == {"active": [other], "inactive": [gone]}


async def test_an_inactive_rep_stays_with_those_who_have_it(world: World) -> None:
    """The same of sales reps: kept where they stand, refused where they are new."""
    customer, stranger = await world.create(), await world.create(assigned_sales_rep_ids=[world.reps[1]])
    async with world.hub.database.transaction() as connection:
        await connection.execute(
            "update team_user set status = 'inactive' where team = $1 and id = $2", world.team.id, UUID(world.reps[0])
        )
        await connection.execute(
            "update team set catalogue_version = catalogue_version + 1 where id = $1", world.team.id
        )
    after = await patched(world, customer, assigned_sales_rep_ids=[world.reps[1], world.reps[0]])
    assert [rep["status"] for rep in after["assigned_sales_reps"]] == ["active", "inactive"]
    async with nothing_stored(world):
        answer = await patch(world, stranger, assigned_sales_rep_ids=[world.reps[1], world.reps[0]])
    assert fields(answer) == ["assigned_sales_rep_ids[1]"]


async def test_a_customer_without_a_price_list_does_not_show_one(world: World) -> None:
    """The contract has no null: the member is not there."""
    customer = await world.create()
    async with world.hub.database.lease() as connection:
        await connection.execute(
            "update customer set price_list = null where team = $1 and id = $2", world.team.id, UUID(customer["id"])
        )
    shown = await world.get(customer["id"])
    assert shown == {name: value for name, value in customer.items() if name != "assigned_price_list"}
