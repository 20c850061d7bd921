"""How the database finds what lists ask for: by index, and no dearer in the depth of a list than at its beginning."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from customerhub.model.customer import Customer
from customerhub.model.page import Position
from customerhub.store import addresses
from customerhub.store.db import Connection
from customerhub.store.lists import (
    CustomerFilter,
    CustomerQuery,
    Order,
    page_statement,
    total_statement,
    walk_statement,
)
from tests.support.customers import new_address, new_customer, put_customers
from tests.support.plans import Node, explain, nodes
from tests.support.soak import sized
from tests.support.waiting import wait_until
from tests.support.world import World

START = datetime(2026, 3, 4, 9, 10, 11, tzinfo=UTC)
MANY = sized(3_000, 100_000)
LIMIT = 101
# Of some hundred that the customers stand in, and more at full size.
FEW_BLOCKS = 60
# Whose snapshots and transactions a vacuum heeds.
HOLDERS = """
select datname, backend_type, state, backend_xid::text, backend_xmin::text, now() - xact_start, query
from pg_stat_activity
where backend_xid is not null or backend_xmin is not null
"""


@pytest.fixture
async def connection(world: World) -> AsyncIterator[Connection]:
    """A connection of the hub's own."""
    async with world.hub.database.lease() as lent:
        yield lent
        await lent.execute("reset all")


@pytest.fixture
async def customers(world: World, connection: Connection) -> list[Customer]:
    """Many customers, newest first, as old as they stand in the table."""
    made = [
        new_customer(
            world.team.id,
            START + timedelta(seconds=place),
            number=f"N-{place}",
            addresses=(new_address(START, city=f"City {place % 7}"), new_address(START, postal_code=f"{place}")),
        )
        for place in range(MANY)
    ]
    await put_customers(connection, made)

    async def is_seen() -> bool:
        # Rows are read from an index alone once a vacuum has seen that everybody sees them. It takes that for granted
        # of none that are younger than a snapshot, nor where the commit, or that of a transaction whose number is near,
        # is not on the disk yet: what other connections do at this moment decides whether the first one is enough.
        await connection.execute("vacuum (analyze) customer")
        plan = await explain(connection, *total_statement(world.team.id, CustomerFilter()))
        return not any(node.get("Heap Fetches") for node in nodes(plan))

    await connection.execute("set synchronous_commit = on")
    try:
        await wait_until(is_seen, "a vacuum finds that everybody sees every row", seconds=60)
    except AssertionError as error:
        raise AssertionError(list(map(tuple, await connection.fetch(HOLDERS)))) from error
    # What the index has yet to sort in is read from end to end: never more than 4 MB, but not what is asked about here.
    await connection.execute("select gin_clean_pending_list('customer_addresses')")
    return made[::-1]


def indexes(plan: Node) -> list[str]:
    """The indexes that were used, and `sequential` for each table that was read from end to end."""
    return [
        "sequential" if node["Node Type"] == "Seq Scan" else node["Index Name"]
        for node in nodes(plan)
        if "Index Name" in node or node["Node Type"] == "Seq Scan"
    ]


def blocks(plan: Node) -> int:
    """How many blocks were looked at."""
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def at(customer: Customer, *, is_backward: bool = False) -> Position:
    """The place behind a customer, or before it."""
    return Position(customer.created_at, customer.id, is_backward)


@pytest.mark.soak
@pytest.mark.parametrize("plan_cache_mode", ["force_custom_plan", "force_generic_plan"])
async def test_a_page_costs_the_same_wherever_it_is(
    world: World, connection: Connection, customers: list[Customer], plan_cache_mode: str
) -> None:
    """First, middle and last page, forward and backward: one index, exactly the rows that are wanted, as few blocks.

    A statement is planned anew for its values at first, and once for all values later.
    """
    await connection.execute(f"set plan_cache_mode = {plan_cache_mode}")
    places = {
        "first": None,
        "middle": at(customers[MANY // 2]),
        "last": at(customers[-LIMIT - 1]),
        "back from the end": at(customers[-1], is_backward=True),
        "back to the beginning": at(customers[LIMIT], is_backward=True),
    }
    costs = {}
    for name, place in places.items():
        plan = await explain(connection, *walk_statement(world.team.id, CustomerFilter(), place, LIMIT))
        (scan,) = (node for node in nodes(plan) if "Index Name" in node)
        assert indexes(plan) == ["customer_created"], name
        assert (scan["Actual Rows"], scan.get("Rows Removed by Filter", 0)) == (LIMIT, 0), name
        assert all(node["Node Type"] in ("Limit", "Index Scan") for node in nodes(plan)), name
        costs[name] = blocks(plan)
    # However the rows lie: a block for each of them at the most, and a few of the index. Depth adds none.
    assert max(costs.values()) <= LIMIT + 10, costs


@pytest.mark.soak
@pytest.mark.parametrize("plan_cache_mode", ["force_custom_plan", "force_generic_plan"])
async def test_what_a_numbered_page_skips_is_read_from_an_index_alone(
    world: World, connection: Connection, customers: list[Customer], plan_cache_mode: str
) -> None:
    """In each order that has an index, both ways, with a status or without: no row but those that are shown."""
    await connection.execute(f"set plan_cache_mode = {plan_cache_mode}")
    orders: dict[Order, str] = {
        "created_at": "customer_created",
        "updated_at": "customer_updated",
        "name": "customer_name",
    }
    filters = (CustomerFilter(), CustomerFilter(status="active"))
    page = len(customers) // LIMIT
    for (order, index), is_descending, chosen in product(orders.items(), (True, False), filters):
        query = CustomerQuery(chosen, order, is_descending, page, LIMIT)
        plan = await explain(connection, *page_statement(world.team.id, query))
        assert sorted(indexes(plan)) == sorted([index, "customer_pkey"]), query
        (skipping,) = (node for node in nodes(plan) if node["Node Type"] == "Index Only Scan")
        assert (skipping["Heap Fetches"], skipping["Actual Rows"]) == (0, page * LIMIT), query
        plan = await explain(connection, *total_statement(world.team.id, query.filter))
        (counting,) = (node for node in nodes(plan) if "Index Name" in node)
        assert (counting["Node Type"], counting["Heap Fetches"]) == ("Index Only Scan", 0), query


@pytest.mark.soak
@pytest.mark.parametrize("plan_cache_mode", ["force_custom_plan", "force_generic_plan"])
async def test_an_address_is_found_by_index(
    world: World, connection: Connection, customers: list[Customer], plan_cache_mode: str
) -> None:
    """The customer of an address, and customers by what stands in one, without looking at the others."""
    await connection.execute(f"set plan_cache_mode = {plan_cache_mode}")
    team = world.team.id
    wanted = customers[MANY // 2]
    one = wanted.addresses[1]
    chosen = CustomerFilter(address={"postal_code": str(one.postal_code)})
    plan = await explain(connection, *walk_statement(team, chosen, at(customers[0]), LIMIT))
    # In a small table the team's own rows may be looked up beside it, where that is cheap.
    assert "customer_addresses" in indexes(plan)
    assert plan["Actual Rows"] == 1
    assert blocks(plan) < FEW_BLOCKS
    for address_id, rows in ((one.id, 1), (UUID(int=1), 0)):
        statement, parameters = addresses.find_statement(team, address_id)
        plan = await explain(connection, statement, parameters)
        *inside, of_none = indexes(plan)
        assert "customer_addresses" in inside
        # Of few rows that belong to no customer anything finds one.
        assert of_none in ("unowned_address_pkey", "unowned_address_created", "sequential")
        assert plan["Actual Rows"] == rows
        assert blocks(plan) < FEW_BLOCKS
