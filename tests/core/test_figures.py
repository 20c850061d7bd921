"""Figures that are counted a piece at a time come to what counting all at once comes to."""

from collections.abc import Mapping
from copy import copy
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from customerhub.core import figures
from customerhub.core.access import find_caller
from customerhub.core.figures import Counted, Figures, count_on
from customerhub.core.hub import Hub
from customerhub.store import overview as store
from customerhub.store.db import Connection
from customerhub.store.overview import Piece
from tests.support.customers import new_customer, put_customers
from tests.support.fingerprint import take_fingerprint
from tests.support.world import DIALECT, World

PIECE = 7


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few at a time, and one piece of each figure at a look."""
    monkeypatch.setattr(figures, "_PIECE", PIECE)
    monkeypatch.setattr(figures, "_ENTRIES", PIECE)
    monkeypatch.setattr(figures, "_KEYS", PIECE)
    monkeypatch.setattr(figures, "_GENTLY", 1)
    monkeypatch.setattr(figures, "_BUDGET_SECONDS", -1)


async def look(hub: Hub, team: UUID, *sinks: UUID) -> Figures:
    """What one look sees."""
    async with hub.database.lease() as connection:
        return await count_on(hub, connection, team, sinks)


async def look_on(hub: Hub, team: UUID, *sinks: UUID) -> tuple[Figures, int]:
    """What is seen once everything is counted, and how many looks that took."""
    looks = 0
    while True:
        seen = await look(hub, team, *sinks)
        looks += 1
        if not any(one.is_counting for one in (seen.customers, seen.changes, seen.deliveries, seen.duplicates)):
            return seen, looks
        assert looks < 100


def at(moment: datetime, hub: Hub) -> Hub:
    """The same hub at another time."""
    other = copy(hub)
    other.now = lambda: moment
    return other


async def put_changes(connection: Connection, team: UUID, times: Mapping[datetime, str]) -> None:
    """A change at each of these times through a door."""
    records = [
        (team, uuid4(), 1, moment, "created", team, "Ada", team, door, "req", b"[]") for moment, door in times.items()
    ]
    columns = (
        *("team", "customer", "version", "at", "action", "actor", "actor_name", "credential", "dialect", "request_id"),
        "changes",
    )
    await connection.copy_records_to_table("change", records=records, columns=columns)


async def test_customers_are_counted_in_pieces(world: World) -> None:
    """By status and standing, deleted ones not; nothing is shown before all are counted, then as of the beginning."""
    hub, team, now = world.hub, world.team.id, world.hub.now()
    made = [
        new_customer(
            team,
            now - timedelta(seconds=place // 4),
            status="inactive" if place % 3 == 0 else "active",
            standing="hold_all" if place % 5 == 0 else "normal",
            deleted_at=now if place % 11 == 0 else None,
        )
        for place in range(40)
    ]
    async with hub.database.lease() as connection:
        await put_customers(connection, made)
    # Those whose standing is not the usual one come first, in two pieces.
    for so_far in (0, 0, PIECE):
        assert (await look(hub, team)).customers == Counted({}, None, is_counting=True, so_far=so_far)
    seen, looks = await look_on(hub, team)
    expected: dict[str, dict[str, int]] = {}
    for customer in made:
        if customer.deleted_at is None:
            row = expected.setdefault(customer.status, {})
            row[customer.standing] = row.get(customer.standing, 0) + 1
    assert seen.customers.numbers == expected
    assert seen.customers.at is not None
    assert now <= seen.customers.at <= hub.now()
    assert looks == -(-36 // PIECE) - 1


async def test_a_look_begins_with_little(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each piece is twice the one before, up to a whole one, and the next look begins with little again."""
    hub, team, now = world.hub, world.team.id, world.hub.now()
    async with hub.database.lease() as connection:
        await put_customers(connection, [new_customer(team, now) for _ in range(12 * PIECE)])
    limits: list[int] = []
    count = store.count_customers

    async def note(connection: Connection, own: UUID, place: tuple[datetime, UUID], word: str, most: int) -> Piece:
        limits.append(most)
        return await count(connection, own, place, word, most)

    monkeypatch.setattr(store, "count_customers", note)
    monkeypatch.setattr(figures, "_GENTLY", 4)
    assert (await look(hub, team)).customers.is_counting
    monkeypatch.setattr(figures, "_BUDGET_SECONDS", 60)
    seen = await look(hub, team)
    assert seen.customers.numbers == {"active": {"normal": 12 * PIECE}}
    # The first look went to those whose standing is not the usual one.
    assert limits == [PIECE // 4, PIECE // 2, *[PIECE] * 12]


async def test_a_figure_is_counted_anew_when_it_is_old(world: World) -> None:
    """After some minutes; meanwhile it stands, and the last one stands while the next is being counted."""
    hub, team, now = world.hub, world.team.id, world.hub.now()
    before, _ = await look_on(hub, team)
    assert before.customers.numbers == {}
    async with hub.database.lease() as connection:
        await put_customers(connection, [new_customer(team, now) for _ in range(2 * PIECE)])
        await connection.execute(
            "update figure set state = jsonb_set(state, '{seconds}', '100') where team = $1 and name = $2",
            *(team, "customers"),
        )
    assert (await look(at(now + timedelta(seconds=200), hub), team)).customers == before.customers
    later = at(now + timedelta(seconds=400), hub)
    counting = await look(later, team)
    assert counting.customers == msgspec.structs.replace(before.customers, is_counting=True)
    after, _ = await look_on(later, team)
    assert after.customers == Counted({"active": {"normal": 2 * PIECE}}, now + timedelta(seconds=400))


async def test_two_who_look_count_once(world: World) -> None:
    """Of two that count the same piece at once one keeps it: nobody is counted twice."""
    hub, team, now = world.hub, world.team.id, world.hub.now()
    async with hub.database.lease() as connection:
        await put_customers(connection, [new_customer(team, now) for _ in range(3 * PIECE)])
    async with hub.database.lease() as one, hub.database.lease() as other:
        kept = await store.list_figures(one, team)
        assert kept == {}
        await count_on(hub, one, team, ())
        stale = store.Figure("customers", 0, now, {"numbers": {"active": {"normal": 500}}}, None, None)
        await store.keep_figures(other, team, [stale])
    seen, _ = await look_on(hub, team)
    assert seen.customers.numbers == {"active": {"normal": 3 * PIECE}}


async def test_changes_are_counted_by_day_and_door(world: World) -> None:
    """Of thirty days, up to this moment; what was counted is not looked at again, and what came since is added."""
    hub, team = world.hub, world.team.id
    now = datetime(2027, 5, 31, 12, tzinfo=UTC)
    times = {now - timedelta(hours=7 * place + 1): "hub" if place % 3 else "console" for place in range(120)}
    async with hub.database.lease() as connection:
        await put_changes(connection, team, times)
    then = at(now, hub)
    begun = (await look(then, team)).changes
    assert (begun.is_counting, begun.so_far) == (True, PIECE)
    seen, _ = await look_on(then, team)
    expected: dict[str, dict[str, int]] = {}
    for moment, door in times.items():
        if moment.date() > now.date() - timedelta(days=30):
            row = expected.setdefault(moment.date().isoformat(), {})
            row[door] = row.get(door, 0) + 1
    assert len(expected) == 30
    assert seen.changes == Counted(expected, now)
    async with hub.database.lease() as connection:
        await put_changes(connection, team, {now - timedelta(seconds=5): "import", now - timedelta(days=9): "late"})
    day = now.date().isoformat()
    expected[day] = {**expected[day], "import": 1}
    assert (await look(then, team)).changes == Counted(expected, now)
    tomorrow = now + timedelta(days=1)
    del expected[(now.date() - timedelta(days=29)).isoformat()]
    assert (await look(at(tomorrow, hub), team)).changes == Counted(expected, tomorrow)


async def test_deliveries_are_counted_by_day_and_outcome(world: World) -> None:
    """Of seven days, sink by sink from the newest back, and no other sink's."""
    hub, team = world.hub, world.team.id
    now = hub.now()
    sinks = (uuid4(), uuid4())
    records = [
        (team, sink, uuid4(), 1, uuid4(), "customer.updated", place, now - timedelta(hours=9 * (60 - place)), status)
        for sink in (*sinks, uuid4())
        for place in range(1, 60)
        for status in [("delivered", "dead", "waiting")[place % 3]]
    ]
    columns = ("team", "sink", "customer", "version", "id", "type", "position", "at", "status")
    async with hub.database.lease() as connection:
        await connection.copy_records_to_table("delivery", records=records, columns=columns)
    seen, looks = await look_on(hub, team, *sinks)
    expected: dict[str, dict[str, int]] = {}
    for _, sink, *_, moment, status in records:
        assert isinstance(moment, datetime)
        if sink in sinks and moment >= now - timedelta(days=7):
            row = expected.setdefault(moment.astimezone(UTC).date().isoformat(), {})
            row[str(status)] = row.get(str(status), 0) + 1
    assert seen.deliveries.numbers == expected
    assert looks == 2 * -(-20 // PIECE)


async def test_a_look_writes_nothing_but_figures(world: World) -> None:
    """Whoever looks changes nothing that anybody asks for."""
    caller = await find_caller(world.hub, DIALECT, world.api_key)
    before = await take_fingerprint(world.hub)
    await look_on(world.hub, caller.team)
    after = await take_fingerprint(world.hub)
    assert {table for table in after if after[table] != before[table]} == {"figure"}
