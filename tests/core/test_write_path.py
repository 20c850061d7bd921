"""The write path: one version at a time, with everything that belongs to it."""

from decimal import Decimal

from tests.support.ledger import make_ledger, shown
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


async def test_the_digits_of_a_limit_are_kept_as_sent(world: World) -> None:
    """Zeros at the end come back from the database as they went in, and others are another version."""
    ledger = await make_ledger(world)
    customer = await ledger.add()
    for version, text in enumerate(("1.0", "1.00", "1", "0.10", "123456789012345678901234567890.120000000000"), 2):
        shown_now = shown(await ledger.update(customer, credit_limit=Decimal(text)))
        stored = (await ledger.get(customer)).customer
        assert (str(shown_now.credit_limit), str(stored.credit_limit), stored.version) == (text, text, version)
        assert shown(await ledger.update(customer, credit_limit=Decimal(text))) == shown_now
    third = (await ledger.stored()).changes[customer.id][2]
    assert third.changes == [{"path": "/credit_limit", "old": "1.0", "new": "1.00"}]
