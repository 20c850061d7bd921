"""Exports: what is written is what each dialect shows, of any time, as one moment has it; and nothing stays behind."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typing_extensions import override

from customerhub.core.admin import get_team
from customerhub.core.erasure import erase_as_operator
from customerhub.core.exports import LEFT_OUT, CustomerFilter, ExportOrder, View, export_customers
from customerhub.core.hub import Hub
from customerhub.core.lists import walk_customers
from customerhub.dialects.base import find_canonical, find_dialects
from customerhub.dialects.views import find_canonical_view, find_views
from customerhub.model import canonical
from customerhub.model.cells import flatten
from customerhub.model.csv_line import to_csv_line
from customerhub.model.customer import Customer
from customerhub.model.error import Full, Invalid, Unavailable
from customerhub.settings import Settings
from customerhub.store import exports as store
from customerhub.web.serve import Site
from tests.support.customers import put_customers
from tests.support.hub import CUSTOMERS, Desk, Json, make_desk
from tests.support.soak import sized
from tests.support.strategies import catalogues, customers
from tests.support.waiting import wait_until
from tests.support.world import World
from tests.support.writer import START, Clock, Writer, make_writer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(hub: Hub, site: Site) -> AsyncIterator[Desk]:
    """A team with two of everything that a customer refers to."""
    async with make_desk(hub, site) as made:
        yield made


class Kept:
    """An outlet that keeps what it is given."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.headers: dict[str, str] = {}

    def add_header(self, name: str, value: str) -> None:
        """Keep it; nothing may be written yet."""
        assert not self.pieces
        self.headers[name] = value

    async def write(self, piece: bytes) -> None:
        """Keep it."""
        self.pieces.append(piece)

    @property
    def text(self) -> str:
        """All of it."""
        return b"".join(self.pieces).decode()


def canonical_view() -> View:
    """The view that is the record."""
    view = find_canonical_view()
    assert view is not None
    return view


async def export(desk: Desk, **order: Any) -> Kept:  # Any: what an order has
    """An export, the canonical one if nothing else is said."""
    kept = Kept()
    order.setdefault("view", canonical_view())
    await export_customers(desk.hub, await desk.caller(), ExportOrder(**order), kept)
    return kept


async def records(desk: Desk, **order: Any) -> list[Json]:  # Any: what an order has
    """An export in JSON Lines, read."""
    kept = await export(desk, format="jsonl", **order)
    return [msgspec.json.decode(line) for line in kept.text.split("\n")[:-1]]


@given(data=st.data())
@settings(max_examples=sized(25, 1000), suppress_health_check=list(HealthCheck))
def test_a_record_is_written_as_the_canonical_dialect_shows_it(data: st.DataObject) -> None:
    """Its JSON byte for byte, its cells as those of the view."""
    dialect = find_canonical(find_dialects())
    assert dialect is not None
    catalogue = data.draw(catalogues())
    customer = data.draw(customers(catalogue))
    shown = dialect.show(customer, catalogue)
    assert canonical.to_json(customer) == msgspec.json.encode(shown)
    assert canonical.to_cells(customer) == list(flatten(shown, dialect.shape.columns).values())
    assert tuple(dialect.shape.columns) == canonical.COLUMNS


@given(data=st.data())
@settings(max_examples=sized(25, 400), suppress_health_check=list(HealthCheck))
def test_nothing_of_a_csv_line_is_lost_and_nothing_of_it_is_a_formula(data: st.DataObject) -> None:
    """Whatever texts there are, a reader of CSV gets the guarded cells back."""
    cells = data.draw(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=2, max_size=6))
    (read,) = csv.reader(io.StringIO(to_csv_line(cells), newline=""), strict=True)
    assert [one.removeprefix("'") if one != cell else one for one, cell in zip(read, cells, strict=True)] == cells
    assert not [one for one in read if one[:1] in tuple("=+-@\t\r")]


def draw_customers(count: int) -> list[Customer]:
    """Customers of any kind, each of another number."""
    drawn: list[Customer] = []

    @given(data=st.data())
    @settings(max_examples=count, suppress_health_check=list(HealthCheck), database=None)
    def collect(data: st.DataObject) -> None:
        drawn.append(data.draw(customers(data.draw(catalogues()))))

    collect()
    return [
        msgspec.structs.replace(one, id=UUID(int=place), number=f"{place} {one.number}", reference_id=None)
        for place, one in enumerate(drawn, 1)
    ]


async def test_a_row_is_written_as_its_record(hub: Hub) -> None:
    """The statement that makes texts of columns leads to the same bytes as the record that is read from the row."""
    team, drawn = uuid4(), draw_customers(sized(20, 1000))
    async with hub.database.transaction(keep=False) as connection:
        # What they refer to is nowhere.
        await connection.execute("set local session_replication_role = replica")
        await put_customers(connection, [msgspec.structs.replace(customer, team=team) for customer in drawn])
        found = [one async for piece in store.walk_live(connection, team, CustomerFilter()) for one in piece]
        assert [one.id for one in found] == [one.id for one in drawn]
        for write, read in ((canonical.row_to_json, canonical.to_json), (canonical.row_to_cells, canonical.to_cells)):
            rows = [one async for piece in store.walk_canonical(connection, team, CustomerFilter()) for one in piece]
            for row, record in zip(rows, found, strict=True):
                assert write(row) == read(record)


async def test_every_shape_is_what_its_api_shows(desk: Desk) -> None:
    """In JSON Lines the view itself, in CSV its columns; the oldest customer first."""
    made = [await desk.create(desk.full_body()), await desk.create(phone="+4722334455", note='=1+1, "really"\n')]
    assert await records(desk) == made
    for name, view in find_views().items():
        shown = [(await desk.api.get(f"{CUSTOMERS}/{one['id']}/views/{name}")).json() for one in made]
        assert await records(desk, view=view) == shown
        text = (await export(desk, view=view)).text
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        assert lines[0] == list(view.columns)
        cells = [list(flatten(one, view.columns).values()) for one in shown]
        assert [[cell.removeprefix("'") for cell in line] for line in lines[1:]] == cells
        assert text.count("'") == sum(cell[:1] in tuple("=+-@") for line in cells for cell in line if cell)


async def test_chosen_columns_in_their_own_order(desk: Desk) -> None:
    """Of nested columns the objects around them stay; a name that is no column is refused, and nothing is written."""
    made = await desk.create(desk.full_body())
    fields = ("number", "credit_limit.value", "id")
    assert await records(desk, fields=fields) == [
        {"number": made["number"], "credit_limit": {"value": "25000.00"}, "id": made["id"]}
    ]
    kept = await export(desk, fields=fields)
    assert kept.text == f"number,credit_limit.value,id\n{made['number']},25000.00,{made['id']}\n"
    for wrong in (("number", "colour"), ()):
        with pytest.raises(Invalid) as raised:
            await export(desk, fields=wrong)
        assert [error.path for error in raised.value.errors] == [("fields",)]


async def test_filters_find_what_the_list_finds(desk: Desk) -> None:
    """The same customers, in the other order; also of the states of a moment ago."""
    made = [await desk.create(desk.full_body()) for _ in range(3)] + [await desk.create() for _ in range(2)]
    await desk.patched(made[1], {"status": "active"})
    middle = datetime.fromisoformat(made[2]["created_at"])
    filters = (
        CustomerFilter(status="inactive"),
        CustomerFilter(created_from=middle),
        CustomerFilter(updated_from=middle),
        CustomerFilter(ids=(UUID(made[0]["id"]), UUID(made[3]["id"]))),
        CustomerFilter(reference_ids=(made[0]["reference_id"],)),
        CustomerFilter(email_key=made[1]["email"]),
        CustomerFilter(text=made[2]["name"][-6:].upper()),
        CustomerFilter(text="nobody\0"),
    )
    for chosen in filters:
        walk = await walk_customers(desk.hub, await desk.caller(), chosen, None, 10)
        expected = [str(customer.id) for customer in reversed(walk.customers)]
        assert [one["id"] for one in await records(desk, filter=chosen)] == expected
        now = [one["id"] for one in await records(desk, filter=chosen, as_of=desk.hub.now())]
        assert now == expected


@pytest.fixture
async def writer(world: World) -> Writer:
    """Somebody of the team, under whose clock each step takes minutes."""
    world.hub.now = Clock()
    return await make_writer(world)


async def former(writer: Writer, at: datetime, **order: Any) -> tuple[list[Json], str]:  # Any: what an order has
    """The canonical customers of a time, and how many are said to be missing."""
    kept = Kept()
    wanted = ExportOrder(canonical_view(), "jsonl", as_of=at, **order)
    await export_customers(writer.hub, writer.caller, wanted, kept)
    return [msgspec.json.decode(line) for line in kept.text.split("\n")[:-1]], kept.headers[LEFT_OUT]


def shown(*states: Customer) -> list[Json]:
    """States in the canonical form."""
    return [msgspec.json.decode(canonical.to_json(state)) for state in states]


async def test_customers_as_they_stood_at_a_time(writer: Writer) -> None:
    """Those made later are absent, those deleted since present, those deleted then absent, all as they were."""
    first = await writer.create(email="a@aster.example", note="one")
    second = await writer.create(note="one")
    changed = await writer.update(first, note="two")
    gone = await writer.delete(second)
    third = await writer.create()
    again = await writer.update(changed, note="three")
    assert gone.deleted_at is not None
    expected = {
        START: [],
        first.updated_at: shown(first),
        second.updated_at: shown(first, second),
        changed.updated_at: shown(changed, second),
        gone.deleted_at: shown(changed),
        third.updated_at: shown(changed, third),
        again.updated_at: shown(again, third),
    }
    for at, states in expected.items():
        assert await former(writer, at) == (states, "0"), at
    for note, found in (("two", [changed]), ("three", [])):
        chosen = CustomerFilter(updated_from=changed.updated_at, ids=(first.id,))
        at = changed.updated_at if note == "two" else first.updated_at
        assert await former(writer, at, filter=chosen) == (shown(*found), "0")


async def test_what_nobody_knows_any_more_is_left_out_and_counted(database_url: str, writer: Writer) -> None:
    """A customer whose history was folded or erased since is missing from the times before, and is told as missing."""
    folded, whole, erased = [await writer.create(note="one") for _ in range(3)]
    states = [await writer.update(one, note="two") for one in (folded, whole, erased)]
    states = [await writer.update(one, note="three") for one in states]
    before = whole.updated_at
    assert [len(found) for found in await former(writer, before)] == [2, 1]
    async with writer.hub.database.lease() as connection:
        await connection.execute(
            "delete from change where team = $1 and customer = $2 and version = 1", writer.team, folded.id
        )
    await erase_as_operator(writer.hub, await get_team(writer.hub, str(writer.team)), erased.id)
    assert await former(writer, erased.updated_at) == (shown(whole), "2")
    assert await former(writer, states[2].updated_at) == (shown(*states[:2]), "1")
    now, missing = await former(writer, writer.hub.now())
    assert (now, missing) == (shown(*states[:2]), "0")


async def test_an_export_while_writers_write_is_one_state(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is committed after its first line is not in it, wherever in the list it stands."""
    monkeypatch.setattr(store, "PAGE", 1)
    made = [await desk.create(note="before") for _ in range(4)]

    class Writing(Kept):
        @override
        async def write(self, piece: bytes) -> None:
            if not self.pieces:
                await desk.patched(made[3], {"note": "after"})
                await desk.api.delete(f"{CUSTOMERS}/{made[2]['id']}")
                await desk.create(note="after")
            await super().write(piece)

    for fields in (None, canonical.COLUMNS):
        kept = Writing()
        order = ExportOrder(canonical_view(), "jsonl", fields=fields)
        await export_customers(desk.hub, await desk.caller(), order, kept)
        assert [json["note"] for json in map(msgspec.json.decode, kept.text.split("\n")[:-1])] == ["before"] * 4
        assert len(kept.pieces) == 4
        made = [await desk.create(note="before") for _ in range(4)]
        for one in await records(desk):
            if one["id"] not in {own["id"] for own in made}:
                await desk.api.delete(f"{CUSTOMERS}/{one['id']}")


async def is_quiet(hub: Hub) -> bool:
    """Whether no session of this database is in a transaction, but the one that asks."""
    async with hub.database.lease() as connection:
        count = await connection.fetchval(
            "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            " and xact_start is not null"
        )
    return count == 0 and not hub.exporting.locked() and hub.database.in_use == 0


async def test_whoever_ends_an_export_leaves_nothing_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outlet that fails, and one that is cancelled while it waits: no lease, no place, no transaction stays."""
    monkeypatch.setattr(store, "PAGE", 1)
    for _ in range(3):
        await desk.create()
    caller = await desk.caller()

    class Failing(Kept):
        @override
        async def write(self, piece: bytes) -> None:
            await super().write(piece)
            if len(self.pieces) == 2:
                raise ConnectionResetError

    class Stuck(Kept):
        @override
        async def write(self, piece: bytes) -> None:
            await super().write(piece)
            await asyncio.Event().wait()

    for order in (ExportOrder(canonical_view()), ExportOrder(canonical_view(), as_of=desk.hub.now())):
        with pytest.raises((ConnectionResetError, Unavailable)):
            await export_customers(desk.hub, caller, order, Failing())
        await wait_until(lambda: is_quiet(desk.hub), "nothing stays of an export that failed")
        stuck = Stuck()
        task = asyncio.create_task(export_customers(desk.hub, caller, order, stuck))

        async def has_begun(stuck: Stuck = stuck) -> bool:
            return bool(stuck.pieces)

        await wait_until(has_begun, "the export has begun")
        assert not await is_quiet(desk.hub)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await wait_until(lambda: is_quiet(desk.hub), "nothing stays of an export that was cancelled")


async def test_only_so_many_exports_at_a_time_and_none_for_ever(desk: Desk) -> None:
    """One more is told to come again at once; one that takes too long is broken off."""
    desk.hub.settings = Settings(secret_key=desk.hub.settings.secret_key, exports=1, export_seconds=0.2)
    desk.hub.exporting = asyncio.Semaphore(1)
    await desk.create()
    entered, caller = asyncio.Event(), await desk.caller()

    class Slow(Kept):
        @override
        async def write(self, piece: bytes) -> None:
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(export_customers(desk.hub, caller, ExportOrder(canonical_view()), Slow()))
    await entered.wait()
    kept = Kept()
    with pytest.raises(Full):
        await export_customers(desk.hub, caller, ExportOrder(canonical_view()), kept)
    with pytest.raises(Unavailable):
        await task
    assert kept.pieces == []
    await wait_until(lambda: is_quiet(desk.hub), "nothing stays of an export that took too long")
    assert len((await export(desk)).text.splitlines()) == 2
