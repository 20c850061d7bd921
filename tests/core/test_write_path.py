"""The write path: one version at a time, with everything that belongs to it."""

from tests.support.world import World


async def test_a_change_is_stored_with_its_history(world: World) -> None:
    """An update moves the version by one and leaves one change row that names what changed."""
    customer = await world.create()
    answer = await world.api.patch(f"/v1/customers/{customer['id']}", json={"phone": "+4722334455"})
    assert answer.status_code == 201
    assert answer.headers["etag"] == '"2"'
    assert await world.versions(customer["id"]) == [1, 2]


async def test_a_no_op_writes_nothing(world: World) -> None:
    """The whole record sent back gives the same record, and no table has changed."""
    customer = await world.create(world.full_body())
    before = await world.fingerprint()
    answer = await world.api.patch(f"/v1/customers/{customer['id']}", json=customer)
    assert (answer.status_code, answer.json()["data"]) == (201, customer)
    assert await world.fingerprint() == before
