"""Looking through customers in any order: each once, whatever the filters are, and nothing is sorted for it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import msgspec
import pytest

from customerhub.model.customer import Customer
from customerhub.store import browse
from customerhub.store.browse import ORDERS, BrowseOrder, CustomerFilter, Listing, Place, Stretch
from customerhub.store.db import Connection
from tests.support.customers import new_address, new_customer, put_customers
from tests.support.plans import explain, nodes
from tests.support.world import World

START = datetime(2026, 3, 4, 9, 10, 11, tzinfo=UTC)
MANY = 300
PAGE = 7


@pytest.fixture
async def connection(world: World) -> AsyncIterator[Connection]:
    """A connection of the hub's own."""
    async with world.hub.database.lease() as lent:
        yield lent


@pytest.fixture
async def customers(world: World, connection: Connection) -> list[Customer]:
    """Many customers, some of which share a time, a name but for its case, or a status."""
    made = [
        msgspec.structs.replace(
            new_customer(
                world.team.id,
                START + timedelta(seconds=place // 3),
                name=f"{'abcXYZ'[place % 6]} Company {place // 12}",
                number=f"N-{place * 7919 % 1000:04d}",
                status="inactive" if place % 5 == 0 else "active",
                addresses=(new_address(START, city=f"City {place % 40}"),),
            ),
            updated_at=START + timedelta(seconds=place * 31 % 97),
        )
        for place in range(MANY)
    ]
    await put_customers(connection, [*made, msgspec.structs.replace(made[0], id=world.team.id, deleted_at=START)])
    return made


def key_of(customer: Customer, order: BrowseOrder) -> tuple[object, object]:
    """What a customer stands at."""
    return (customer.name.lower() if order == "name" else getattr(customer, order)), customer.id


async def walk(connection: Connection, world: World, listing: Listing) -> AsyncIterator[tuple[Place | None, Stretch]]:
    """Page after page from the beginning to the end, each with the place that it began at."""
    place: Place | None = None
    while True:
        stretch = await browse.look_through(connection, world.team.id, listing, place, PAGE + 1, listing.reach)
        yield place, stretch
        following = stretch.places[PAGE - 1] if len(stretch.places) > PAGE else stretch.end
        if following is None:
            return
        place = following


@pytest.mark.parametrize("is_descending", [False, True])
@pytest.mark.parametrize("order", ORDERS)
async def test_each_customer_once_in_every_order(
    world: World, connection: Connection, customers: list[Customer], order: BrowseOrder, *, is_descending: bool
) -> None:
    """From page to page the list is what sorting all of it gives; deleted customers are not in it."""
    listing = Listing(order=order, is_descending=is_descending)
    found = [place.id async for _, stretch in walk(connection, world, listing) for place in stretch.places[:PAGE]]
    expected = sorted(customers, key=lambda one: key_of(one, order), reverse=is_descending)
    assert found == [one.id for one in expected]


@pytest.mark.parametrize("order", ORDERS)
async def test_the_way_back_is_the_way_there(
    world: World, connection: Connection, customers: list[Customer], order: BrowseOrder
) -> None:
    """Backward from the first customer of a page is the page before it."""
    listing = Listing(order=order)
    pages = [stretch.places[:PAGE] async for _, stretch in walk(connection, world, listing)]
    for former, page in pairwise(pages):
        back = await browse.look_through(connection, world.team.id, listing, page[0].turned(takes=False), PAGE, MANY)
        assert [one.id for one in reversed(back.places)] == [one.id for one in former]
        again = await browse.look_through(connection, world.team.id, listing, former[-1].turned(takes=True), 1, MANY)
        assert [one.id for one in again.places] == [former[-1].id]


async def test_a_page_that_stops_short_goes_on(
    world: World, connection: Connection, customers: list[Customer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a page may look through fewer than there are, the pages together still have everybody, once."""
    monkeypatch.setattr(browse, "_ROWS", 50)
    monkeypatch.setattr(browse, "_SCATTERED", 50)
    chosen = CustomerFilter(address={"city": "City 3"})
    for order in ORDERS:
        listing = Listing(chosen, order)
        pages = [stretch async for _, stretch in walk(connection, world, listing)]
        found = [place.id for stretch in pages for place in stretch.places[:PAGE]]
        expected = [one for one in customers if one.addresses[0].city == "City 3"]
        assert found == [one.id for one in sorted(expected, key=lambda one: key_of(one, order), reverse=True)]
        assert sum(stretch.end is not None for stretch in pages) >= MANY // 50 - 1
    assert await browse.count(connection, world.team.id, Listing(chosen), 50) == (
        sum(
            one.addresses[0].city == "City 3"
            for one in sorted(customers, key=lambda one: key_of(one, "updated_at"), reverse=True)[:50]
        ),
        50,
    )
    assert await browse.count(connection, world.team.id, Listing(chosen), MANY + 1) == (8, MANY)


async def test_times_narrow_the_order_of_their_own(
    world: World, connection: Connection, customers: list[Customer]
) -> None:
    """A range of the order's own times needs no look at what lies before it, one of other times is a filter."""
    since = START + timedelta(seconds=90)
    expected = {one.id for one in customers if one.created_at < since}
    chosen = CustomerFilter(created_before=since)
    own = await browse.look_through(connection, world.team.id, Listing(chosen, "created_at"), None, 1, 5)
    other = await browse.look_through(connection, world.team.id, Listing(chosen, "name"), None, MANY, 5)
    assert own.places[0].id in expected
    assert own.end is None
    assert len(other.places) <= 5
    assert other.end is not None
    assert len(
        await browse.list_among(connection, world.team.id, Listing(chosen), [one.id for one in customers])
    ) == len(expected)


async def test_addresses_are_found_in_their_index(
    world: World, other_world: World, connection: Connection, customers: list[Customer]
) -> None:
    """By what one address holds, in this team alone, and never more than were asked for."""
    theirs = new_customer(other_world.team.id, START, addresses=(new_address(START, city="City 3"),))
    await put_customers(connection, [theirs])
    expected = {one.id for one in customers if one.addresses[0].city == "City 3"}
    assert set(await browse.find_at_address(connection, world.team.id, {"city": "City 3"}, 100)) == expected
    assert len(await browse.find_at_address(connection, world.team.id, {"city": "City 3"}, 3)) == 3
    assert await browse.find_at_address(connection, world.team.id, {"city": "City 3\0"}, 3) == []


@pytest.mark.parametrize("order", ORDERS)
async def test_no_page_sorts_the_team(
    world: World, connection: Connection, customers: list[Customer], order: BrowseOrder
) -> None:
    """Each order comes from an index, in the depth of the list too; no more is sorted than some of one key."""
    await connection.execute("vacuum (analyze) customer")
    await connection.execute("set enable_seqscan = off")
    try:
        deep = sorted(customers, key=lambda one: key_of(one, order), reverse=True)[MANY // 2]
        key = key_of(deep, order)[0]
        assert isinstance(key, str | datetime)
        for chosen in (CustomerFilter(), CustomerFilter(status="active"), CustomerFilter(standings=("normal",))):
            for place in (None, Place(key, deep.id)):
                statement, parameters = browse.keys_statement(world.team.id, Listing(chosen, order), place, PAGE, MANY)
                found = list(nodes(await explain(connection, statement, parameters)))
                assert "Sort" not in {node["Node Type"] for node in found}, found
                assert max(node["Actual Rows"] for node in found) <= 2 * PAGE + 32, found
    finally:
        await connection.execute("reset all")
