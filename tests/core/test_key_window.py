"""How long an idempotency key remembers: after the window it is new, whatever it was used for."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from customerhub.core.batch import Batch, Row, run_batch
from customerhub.core.catalogue import EntryProposal, EntryValues, create_entry
from customerhub.core.hub import Hub, utc_now
from customerhub.model.answer import Answer
from customerhub.model.catalogue import CatalogueEntry
from customerhub.model.customer import Customer
from customerhub.model.error import Conflict, HubError, KeyMismatch, NotFound
from customerhub.settings import Settings
from customerhub.store.db import Database
from tests.support.ledger import Ledger, key, make_ledger, shown, to_failure
from tests.support.world import World

KEYS = "select key, created_at from idempotency_key where team = $1 order by key"
SPARE = "select id, number from customer where team = $1 and id <> $2 and deleted_at is null order by number"
OTHER = b"\1" * 32


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.time = utc_now()

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, **span: float) -> None:
        """Let so much time go by."""
        self.time += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    """The hub's clock."""
    return Clock()


@pytest.fixture
async def ledger(world: World, database_url: str, clock: Clock) -> Any:
    """The customers of a team, on a hub whose time the test decides."""
    hub = Hub(Database(database_url), Settings(), now=clock)
    yield await make_ledger(world, hub)
    await hub.close()


def is_replayed(answer: Answer) -> bool:
    """Whether the answer was kept."""
    return ("idempotent-replayed", "true") in answer.headers


async def use(ledger: Ledger, customer: Customer, what: str, fingerprint: bytes = b"\0" * 32) -> Answer:
    """Use the key `one` for a change, for one that changes nothing, for a refusal, or for something else."""
    guards = {"key": key("one", fingerprint)}
    match what:
        case "change":
            return await ledger.update(customer, note=str(ledger.hub.now()), guards=guards)
        case "no-op":
            return await ledger.update(customer, guards=guards)
        case "refusal":
            return await ledger.update(customer, payment_term=uuid4(), guards=guards)
        case "creation":
            return await ledger.create(guards=guards)
        case "merge":
            sources = [source for source, _ in await ledger.fetch(SPARE, customer.id)]
            return await ledger.merge(customer, sources[0], key=guards["key"])
        case "entry":
            return await make_term(ledger, guards)
        case _:
            return await make_batch(ledger, guards)


async def make_term(ledger: Ledger, guards: dict[str, Any]) -> Answer:
    """A payment term, which is no customer."""

    def show_entry(entry: CatalogueEntry) -> Answer:
        return Answer(200, entry.name.encode())

    values = EntryValues(f"Net {uuid4()}")
    command = ledger.command(guards)
    return await create_entry(ledger.hub, command, "payment_term", lambda _: EntryProposal(values), show_entry)


async def make_batch(ledger: Ledger, guards: dict[str, Any]) -> Answer:
    """Two customers in one request."""

    async def row(hub: Hub, command: Any) -> Answer:
        answer = await Ledger(hub, ledger.caller).create(guards={"key": command.guards.key})
        return Answer(200, shown(answer).number.encode())

    def to_row_failure(position: int, error: HubError) -> Answer:
        del position
        return to_failure(error)

    rows = [Row(row), Row(row)]
    batch = Batch(rows, to_row_failure, lambda answers: Answer(200, b" ".join(one.body for one in answers)))
    return await run_batch(ledger.hub, ledger.command(guards), lambda: batch)


USES = ("change", "no-op", "refusal", "creation", "merge", "entry", "batch")


@pytest.mark.parametrize("what", USES)
async def test_a_key_is_new_after_its_window(ledger: Ledger, clock: Clock, what: str) -> None:
    """Just before the end it replays and knows its request; from then on it is used anew, by any request."""
    customer, *_ = [await ledger.add() for _ in range(4)]
    first = await use(ledger, customer, what)
    assert not is_replayed(first)
    clock.pass_by(hours=23, minutes=59)
    assert await use(ledger, customer, what) == first.with_header("idempotent-replayed", "true")
    await ledger.refused(KeyMismatch, use(ledger, customer, what, OTHER))
    clock.pass_by(minutes=2)
    second = await use(ledger, customer, what, OTHER)
    assert not is_replayed(second)
    if what not in ("no-op", "refusal"):
        assert second.body != first.body
    assert await use(ledger, customer, what, OTHER) == second.with_header("idempotent-replayed", "true")
    if what in ("change", "merge"):
        assert shown(second).version == shown(first).version + 1
    ((name, at), *_) = await ledger.fetch(KEYS)
    assert (name, at) == ("one", clock.time)


async def test_the_window_is_a_setting(world: World, database_url: str, clock: Clock) -> None:
    """So many hours, of which there may be a part."""
    hub = Hub(Database(database_url), Settings(key_hours=0.5), now=clock)
    ledger = await make_ledger(world, hub)
    customer = await ledger.add()
    first = await use(ledger, customer, "change")
    clock.pass_by(minutes=29)
    assert is_replayed(await use(ledger, customer, "change"))
    clock.pass_by(minutes=1, seconds=1)
    assert shown(await use(ledger, customer, "change")).version == shown(first).version + 1
    await hub.close()


async def test_a_dry_run_under_an_old_key_leaves_it(ledger: Ledger, clock: Clock) -> None:
    """A dry run may not even forget."""
    customer = await ledger.add()
    await use(ledger, customer, "change")
    clock.pass_by(hours=25)
    before = await ledger.fingerprint()
    tried = await ledger.update(customer, note="tried", guards={"key": key("one"), "dry_run": True})
    assert shown(tried).note == "tried"
    assert await ledger.fingerprint() == before


async def test_an_old_key_at_the_same_moment_is_one_change(
    ledger: Ledger, world: World, database_url: str, clock: Clock
) -> None:
    """Twenty requests under one old key over two hubs: one is done, all get its answer."""
    other = Hub(Database(database_url), Settings(), now=clock)
    twin = await make_ledger(world, other)
    customer = await ledger.add()
    await use(ledger, customer, "change")
    clock.pass_by(hours=25)
    answers = await asyncio.gather(*(use(one, customer, "change") for one in [ledger, twin] * 10))
    assert {shown(answer).version for answer in answers} == {3}
    assert sorted(map(is_replayed, answers)) == [False] + [True] * 19
    await ledger.stored()
    await other.close()


async def test_a_door_may_keep_more_failures_than_the_permanent_ones(ledger: Ledger) -> None:
    """What the door names is kept as a refusal is; anybody else's key forgets it."""
    customer = await ledger.add()
    await ledger.delete(customer)
    guards = {"key": key("one")}
    with pytest.raises(NotFound):
        await ledger.update(customer, note="x", guards=guards)
    assert await ledger.fetch(KEYS) == []
    kept = await ledger.update(customer, note="x", guards={**guards, "keeps": (NotFound,)})
    assert kept == to_failure(NotFound("customer", str(customer.id)))
    for _ in range(2):
        assert await ledger.update(customer, note="x", guards=guards) == kept.with_header("idempotent-replayed", "true")


async def test_a_dry_run_keeps_no_failure(ledger: Ledger) -> None:
    """Neither a permanent one nor one that the door names."""
    customer, parent = await ledger.add(), await ledger.add()
    await ledger.update(customer, parent=parent.id)
    guards: dict[str, Any] = {"key": key("one"), "dry_run": True, "keeps": (NotFound, Conflict)}
    failures: list[type[HubError]] = []
    for work in (ledger.delete(parent, **guards), ledger.merge_by(uuid4(), tuple, **guards)):
        try:
            await work
        except HubError as error:
            failures.append(type(error))
    assert failures == [Conflict, NotFound]
    assert await ledger.fetch(KEYS) == []
