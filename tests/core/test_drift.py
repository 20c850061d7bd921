"""Where a mirror differs from the hub: compared piece by piece, and sent once more."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from customerhub.core.admin import operator, to_command
from customerhub.core.drift import PATIENCE_SECONDS, Drift, DriftPage, Repair, Wanted, check_drift, repair
from customerhub.core.hub import Hub
from customerhub.core.outgoing import Comparison, Sink
from customerhub.core.sinks import NewSink, SinkPatch, SinkProposal, create_sink, get_sink
from customerhub.model.answer import Answer, Guards
from customerhub.model.catalogue import Catalogue
from customerhub.model.customer import Customer
from customerhub.model.error import Conflict, NotFound
from customerhub.store.deliveries import Delivery, list_deliveries
from customerhub.store.sinks import SinkKind
from tests.support.carriers import FakeCarrier
from tests.support.world import World
from tests.support.writer import Writer, make_writer

HIGHEST = 2**62


@dataclass
class FakeMirror(FakeCarrier):
    """The other side has names by the ids of customers; before it compares, it answers what stands in `first`."""

    is_mirror: bool = True
    names: dict[UUID, str] = field(default_factory=dict)
    first: list[Comparison] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    gate: asyncio.Barrier | None = None

    async def compare(self, hub: Hub, sink: Sink, customer: Customer, catalogue: Catalogue) -> Comparison:
        """By the name alone."""
        del sink, catalogue
        self.asked.append(asyncio.get_running_loop().time())
        if self.gate is not None:
            async with hub.database.lease(), asyncio.timeout(5):
                await self.gate.wait()
        if self.first:
            return self.first.pop(0)
        theirs = self.names.get(customer.id)
        if theirs is None:
            return Comparison()
        differences = (Drift("name", customer.name, theirs),) if theirs != customer.name else ()
        return Comparison(differences, f"cus_{customer.name}")


@dataclass
class Mirrored:
    """A team with a mirror, and five customers by their ids."""

    writer: Writer
    mirror: FakeMirror
    sink: Sink
    customers: list[Customer]

    @property
    def hub(self) -> Hub:
        """The process."""
        return self.writer.hub

    async def check(self, **order: Any) -> DriftPage:  # Any: arguments of several types
        """As the operator."""
        return await check_drift(self.hub, operator(self.sink.team), self.sink.id, **order)

    async def repair(
        self, chosen: Sequence[UUID] | None = None, *, dry_run: bool = False, **order: Any
    ) -> Repair:  # Any: arguments of several types
        """As the operator."""
        made: list[Repair] = []

        def render(found: Repair) -> Answer:
            made.append(found)
            return Answer(200)

        command = replace(to_command(self.sink.team), guards=Guards(dry_run=dry_run))
        patience = order.pop("patience", PATIENCE_SECONDS)
        wanted = Wanted(tuple(chosen) if chosen is not None else None, **order)
        await repair(self.hub, command, self.sink.id, lambda: wanted, render, patience=patience)
        return made[-1]

    async def deliveries(self) -> list[Delivery]:
        """What goes to the mirror."""
        async with self.hub.database.lease() as connection:
            return await list_deliveries(connection, self.sink.team, self.sink.id, HIGHEST, 1000)


async def add_sink(hub: Hub, team: UUID, kind: SinkKind) -> Sink:
    """A new sink of a team."""
    made: list[Sink] = []

    def render(sink: Sink) -> Answer:
        made.append(sink)
        return Answer(200)

    patch = SinkPatch(name=kind, url="https://there.test/")
    await create_sink(hub, to_command(team), NewSink(kind, ""), lambda _: SinkProposal(patch), render)
    return made[0]


@pytest.fixture
async def mirrored(world: World) -> AsyncIterator[Mirrored]:
    """The customers are older than the sink, and the other side has all of them."""
    writer = await make_writer(world)
    made = [await writer.create(name=f"Aster {number}") for number in range(5)]
    mirror = FakeMirror(names={one.id: one.name for one in made})
    writer.hub.carriers = {"stripe": mirror, "webhook": FakeCarrier()}
    sink = await add_sink(writer.hub, writer.team, "stripe")
    yield Mirrored(writer, mirror, sink, sorted(made, key=lambda one: one.id))
    async with writer.hub.database.lease() as connection:
        await connection.execute("update sink set deleted_at = now() where team = $1", writer.team)
    writer.hub.carriers = {}


async def test_each_difference_is_told(mirrored: Mirrored) -> None:
    """What differs with both values, what the other side lacks, what is the same; deleted customers are left out."""
    same, other, lacking, gone, last = mirrored.customers
    mirrored.mirror.names[other.id] = "Begonia"
    del mirrored.mirror.names[lacking.id]
    await mirrored.writer.delete(gone)
    page = await mirrored.check()
    assert [row.customer for row in page.rows] == [same.id, other.id, lacking.id, last.id]
    assert page.after is None
    assert [row.is_different for row in page.rows] == [False, True, True, False]
    row = page.rows[1]
    assert (row.number, row.name, row.external_id, row.fault) == (other.number, other.name, f"cus_{other.name}", "")
    assert row.differences == (Drift("name", other.name, "Begonia"),)
    assert (page.rows[2].external_id, page.rows[2].differences) == (None, ())
    assert await mirrored.deliveries() == []


async def test_pages_lead_through_all_customers(mirrored: Mirrored) -> None:
    """Each page goes on behind the last customer of the one before it; the last one says so."""
    seen: list[UUID] = []
    after: UUID | None = None
    sizes: list[int] = []
    while True:
        page = await mirrored.check(after=after, limit=2)
        seen += [row.customer for row in page.rows]
        sizes.append(len(page.rows))
        after = page.after
        if after is None:
            break
    assert (seen, sizes) == ([one.id for one in mirrored.customers], [2, 2, 1])
    few = await mirrored.check(chosen=[mirrored.customers[3].id, mirrored.customers[1].id], limit=1)
    assert [row.customer for row in few.rows] == [mirrored.customers[1].id, mirrored.customers[3].id]
    assert few.after is None


async def test_four_are_asked_at_once_and_hold_no_connection(mirrored: Mirrored) -> None:
    """While the other side thinks, the connections of the process are free: four of them can be had."""
    mirrored.mirror.gate = asyncio.Barrier(4)
    assert mirrored.hub.database.size == 4
    page = await mirrored.check(limit=4)
    assert [row.fault for row in page.rows] == [""] * 4


async def test_a_pause_that_is_asked_for_is_kept(mirrored: Mirrored) -> None:
    """Nobody asks before it is over, and whoever was sent away asks again."""
    mirrored.mirror.first = [Comparison(retry_after=0.2)]
    page = await mirrored.check()
    assert [(row.is_different, row.fault) for row in page.rows] == [(False, "")] * 5
    asked = mirrored.mirror.asked
    assert len(asked) == 1 + 5
    assert asked[1] - asked[0] >= 0.2


async def test_too_long_a_pause_is_a_fault(mirrored: Mirrored) -> None:
    """Whom nobody waits for is said not to have been compared, which is no difference; the other side is left alone."""
    mirrored.mirror.first = [Comparison(retry_after=30)]
    found = await mirrored.repair(patience=0.1)
    assert {row.fault for row in found.page.rows} == {"the other side asks to be left alone for 30 s"}
    assert (len(mirrored.mirror.asked), found.enqueued) == (1, 0)
    assert await mirrored.deliveries() == []


async def test_repairing_sends_what_differs(mirrored: Mirrored) -> None:
    """And what the other side lacks; not what is the same, not what could not be compared. It stands in the audit."""
    first, other, lacking, *_ = mirrored.customers
    mirrored.mirror.first = [Comparison(fault="away")]
    mirrored.mirror.names[first.id] = mirrored.mirror.names[other.id] = "Begonia"
    del mirrored.mirror.names[lacking.id]
    found = await mirrored.repair()
    assert ([row.fault for row in found.page.rows], found.enqueued) == (["away", "", "", "", ""], 2)
    sent = await mirrored.deliveries()
    assert {one.customer for one in sent} == {other.id, lacking.id}
    assert {(one.type, one.version, one.status) for one in sent} == {("customer.updated", 1, "waiting")}
    assert (await get_sink(mirrored.hub, operator(mirrored.sink.team), mirrored.sink.id)).sink.version == 2
    async with mirrored.hub.database.lease() as connection:
        statement = "select action, changes from audit where team = $1 and subject = $2 and version = 2"
        (row,) = await connection.fetch(statement, mirrored.sink.team, mirrored.sink.id)
    assert (row[0], row[1]) == ("repaired", b'[{"new": 2, "path": "/repaired"}]')
    again = await mirrored.repair()
    assert (again.enqueued, {one.id for one in await mirrored.deliveries()} > {one.id for one in sent}) == (3, True)


async def test_only_those_chosen_are_repaired(mirrored: Mirrored) -> None:
    """Of the others nothing is asked; one that is not there refuses all of it."""
    mirrored.mirror.names.clear()
    chosen = mirrored.customers[2].id
    assert (await mirrored.repair([chosen])).enqueued == 1
    assert [one.customer for one in await mirrored.deliveries()] == [chosen]
    before = await mirrored.writer.fingerprint()
    with pytest.raises(NotFound):
        await mirrored.repair([mirrored.customers[0].id, uuid4()])
    assert await mirrored.writer.fingerprint() == before


async def test_a_dry_run_sends_nothing(mirrored: Mirrored) -> None:
    """It says what would be sent, and leaves everything as it was."""
    mirrored.mirror.names.clear()
    before = await mirrored.writer.fingerprint()
    found = await mirrored.repair(dry_run=True)
    assert (found.enqueued, [row.is_different for row in found.page.rows]) == (5, [True] * 5)
    assert await mirrored.writer.fingerprint() == before


async def test_only_a_mirror_can_be_compared(mirrored: Mirrored) -> None:
    """A webhook keeps no copy; a sink of another team, and one that nobody has, are not found."""
    webhook = await add_sink(mirrored.hub, mirrored.sink.team, "webhook")
    before = await mirrored.writer.fingerprint()
    with pytest.raises(Conflict):
        await check_drift(mirrored.hub, operator(mirrored.sink.team), webhook.id)
    with pytest.raises(Conflict):
        await repair(mirrored.hub, to_command(webhook.team), webhook.id, Wanted, lambda _: Answer(200))
    for stranger in (uuid4(), None):
        with pytest.raises(NotFound):
            await check_drift(mirrored.hub, operator(mirrored.sink.team), stranger)
    assert (await mirrored.writer.fingerprint(), mirrored.mirror.asked) == (before, [])
