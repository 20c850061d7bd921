"""A creation that ended uncertainly: whatever became of it, there is one customer in Stripe in the end."""

import asyncio

import msgspec
import pytest

from customerhub.core.outgoing import Outcome
from customerhub.model.customer import Customer
from customerhub.sinks.stripe.api import Api, Record
from customerhub.sinks.stripe.snapshot import Fields
from tests.support.hub import address_body
from tests.support.integration import Integration
from tests.support.localstripe import DoubleAccount

UNCERTAIN = ["dropped", "dropped_after", "failed", "failed_after", "unavailable", "rate_limit", "lock_timeout"]


async def tell_until_done(integration: Integration, customer: Customer, most: int = 6) -> list[Outcome]:
    """Attempt after attempt, as the worker does."""
    outcomes: list[Outcome] = []
    while not outcomes or outcomes[-1].kind == "retry":
        assert len(outcomes) < most, outcomes
        outcomes.append(await integration.tell(customer))
    return outcomes


@pytest.mark.parametrize("kind", UNCERTAIN)
async def test_a_creation_is_never_done_twice(integration: Integration, account: DoubleAccount, kind: str) -> None:
    """However the first request ends, before its work or after, there is exactly one customer, and it is the newest."""
    customer = await integration.create(phone="+4722")
    await account.befall(kind, on="create")
    first = await integration.tell(customer)
    assert first.kind == "retry"
    assert (await integration.find_sync(customer)).creation is not None
    newer = await integration.patch(customer, phone="+4733", name="Newer")
    outcomes = await tell_until_done(integration, newer)
    assert outcomes[-1].kind == "delivered"
    assert len(await account.list_all()) == 1
    await integration.check_same(newer)


@pytest.mark.parametrize("kind", ["dropped_after", "failed_after"])
async def test_what_was_made_is_found_though_the_key_is_forgotten(
    integration: Integration, account: DoubleAccount, kind: str
) -> None:
    """Stripe forgets keys after a day: what was made under one is found by the hub's id, and not made again."""
    customer = await integration.create(email="found@again.example")
    await account.befall(kind, on="create")
    await integration.tell(customer)
    await account.ask("DELETE", "/keys")
    await tell_until_done(integration, customer)
    assert len(await account.requests("create")) == 1
    await integration.check_same(customer)


async def test_the_very_same_body_goes_out_under_the_very_same_key(
    integration: Integration, account: DoubleAccount
) -> None:
    """Nothing was found, so the stored creation is sent once more, byte for byte; the newest follows."""
    customer = await integration.create(phone="+4722", addresses=[address_body()], bill_to="/addresses/0")
    await account.befall("dropped", on="create")
    await integration.tell(customer)
    newer = await integration.patch(customer, phone="+4733")
    await integration.tell(newer)
    first, second = await account.requests("create")
    assert first["key"] == second["key"] == f"{customer.id}-{customer.version}-1-create"
    assert first["form"] == second["form"]
    assert first["headers"]["content-length"] == second["headers"]["content-length"]
    (update,) = await account.requests("update")
    assert update["key"] == f"{customer.id}-{newer.version}-2"
    await integration.check_same(newer)


async def test_a_failure_that_stripe_keeps_is_not_repeated_for_ever(
    integration: Integration, account: DoubleAccount
) -> None:
    """Stripe answers a key with its first 5xx for a day: the next creation has another key, once nothing was found."""
    customer = await integration.create()
    await account.befall("failed", on="create")
    outcomes = await tell_until_done(integration, customer)
    assert [outcome.kind for outcome in outcomes] == ["retry", "retry", "delivered"]
    keys = [request["key"] for request in await account.requests("create")]
    assert keys == [f"{customer.id}-1-{attempt}-create" for attempt in (1, 1, 3)]
    assert len(await account.list_all()) == 1


@pytest.mark.parametrize("has_worked", [False, True], ids=["before", "after"])
async def test_a_process_that_dies_while_it_creates_leaves_a_trail(
    either: Integration, monkeypatch: pytest.MonkeyPatch, *, has_worked: bool
) -> None:
    """Nobody waits for the answer any more: the next process finds the creation, and the customer if there is one."""
    customer = await either.create(phone="+4722")
    create = Api.create

    async def die(api: Api, body: Fields, key: str) -> Record:
        if has_worked:
            await create(api, body, key)
        raise asyncio.CancelledError

    with monkeypatch.context() as patching:
        patching.setattr(Api, "create", die)
        with pytest.raises(asyncio.CancelledError):
            await either.tell(customer)
    assert len(await either.account.find(customer.id)) == int(has_worked)
    sync = await either.find_sync(customer)
    assert (sync.external_id, (sync.creation or {})["key"]) == (None, f"{customer.id}-1-1-create")
    await tell_until_done(either, customer)
    assert len(await either.account.find(customer.id)) == 1
    await either.check_same(customer)


async def test_a_refused_creation_is_over(integration: Integration, account: DoubleAccount) -> None:
    """What Stripe refuses was not made: it is a dead letter with Stripe's words, and the next change begins anew."""
    customer = await integration.create()
    await account.befall("refused", on="create", message="Your account cannot make customers.")
    outcome = await integration.tell(customer)
    assert (outcome.kind, outcome.reason) == ("refused", "Your account cannot make customers.")
    sync = await integration.find_sync(customer)
    assert (sync.creation, sync.error, sync.external_id) == (None, "Your account cannot make customers.", None)
    renamed = await integration.patch(customer, name="Renamed")
    assert (await integration.tell(renamed)).kind == "delivered"
    await integration.check_same(renamed)


async def test_an_erasure_finishes_a_creation_that_nobody_heard_of(
    integration: Integration, account: DoubleAccount
) -> None:
    """A customer who was made and whose answer was lost is found and emptied, not forgotten."""
    customer = await integration.create(phone="+4722")
    await account.befall("dropped_after", on="create")
    await integration.tell(customer)
    gone = msgspec.structs.replace(
        customer, name="", number="", phone=None, deleted_at=customer.updated_at, version=customer.version + 1
    )
    assert (await integration.tell(gone)).kind == "delivered"
    (found,) = await account.find(customer.id)
    assert (found["name"], found["phone"], list(found["metadata"])) == (None, None, ["customerhub_id"])
