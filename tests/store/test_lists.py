"""Lists of customers: each filter finds exactly those that it names, page by page, in the order that is asked for."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Final
from uuid import UUID, uuid4

import pytest

from customerhub.model.customer import Customer
from customerhub.model.page import Position
from customerhub.store.db import Connection
from customerhub.store.lists import CustomerFilter, CustomerQuery, Order, list_customers, walk_customers
from tests.support.customers import new_address, new_customer, put_customers
from tests.support.world import World

START = datetime(2026, 3, 4, 9, 10, 11, tzinfo=UTC)
ENTRIES = """
insert into catalogue_entry (team, id, kind, name, created_at, updated_at, created_by, updated_by)
values ($1, $2, $3, $4, $5, $5, $1, $1)
"""
APPLIED: Final = "commission_applied"
BILLED: Final = "billed_freight"
Case = tuple[CustomerFilter, Callable[[Customer], bool]]
REFERENCES = ("payment_term", "shipping_term", "carrier", "service_level")


def minute(number: int) -> datetime:
    """A moment of its own."""
    return START + timedelta(minutes=number)


async def make_entries(connection: Connection, team: UUID) -> dict[str, tuple[UUID, UUID]]:
    """Two of each kind of entry, so that one can be asked for and the other not."""
    made = {}
    for kind in (*REFERENCES, "account_group", "type_group"):
        made[kind] = (uuid4(), uuid4())
        for place, entry in enumerate(made[kind]):
            stored = "account_group" if kind == "type_group" else kind
            await connection.execute(ENTRIES, team, entry, stored, f"{kind} {place}", START)
    return made


async def walk(
    connection: Connection, team: UUID, chosen: CustomerFilter, position: Position | None = None, limit: int = 1000
) -> list[UUID]:
    """The ids of a page, in walking order."""
    found = await walk_customers(connection, team, chosen, position, limit)
    return [customer.id for customer in found]


def ids(customers: list[Customer], chosen: Callable[[Customer], bool]) -> list[UUID]:
    """The ids of those chosen, newest first."""
    ordered = sorted(customers, key=lambda customer: (customer.created_at, customer.id), reverse=True)
    return [customer.id for customer in ordered if chosen(customer)]


@dataclass
class Scene:
    """A team's customers, two entries of each kind and two users: of each the first is the one to be found."""

    team: UUID
    entries: dict[str, tuple[UUID, UUID]]
    reps: tuple[UUID, UUID]
    customers: list[Customer]


async def make_scene(connection: Connection, world: World) -> Scene:
    """Customers with the first, the second and neither of each entry, one below another, and one deleted."""
    team, (rep, other_rep) = world.team.id, map(UUID, world.reps)
    made = await make_entries(connection, team)
    variants = product((None, 0, 1), ("normal", "hold_all"), (True, False))
    customers = [
        new_customer(
            team,
            minute(place),
            standing=standing,
            type_group=None if which is None else made["type_group"][which],
            price_groups=() if which is None else made["account_group"][which:],
            default_sales_rep=None if which is None else (rep, other_rep)[which],
            commission_policy="commission_applied" if flag else "commission_exempt",
            freight_policy="free_freight" if flag else "billed_freight",
            **{field: None if which is None else made[field][which] for field in REFERENCES},
        )
        for place, (which, standing, flag) in enumerate(variants)
    ]
    await put_customers(connection, customers)
    child = new_customer(team, minute(99), parent=customers[4].id)
    gone = new_customer(team, minute(98), parent=customers[5].id, deleted_at=START, standing="hold_all")
    await put_customers(connection, [child, gone])
    return Scene(team, made, (rep, other_rep), [*customers, child])


def cases(scene: Scene) -> list[Case]:
    """Filters, and whom each must find."""
    (term, _), (ship, _), (carrier, _), (level, _) = (scene.entries[kind] for kind in REFERENCES)
    (group, other_group), (kind, other_kind) = scene.entries["account_group"], scene.entries["type_group"]
    rep, parent, last = scene.reps[0], scene.customers[4], minute(7)
    held = CustomerFilter(standings=("hold_all",), carriers=(carrier,), created_until=last)
    return [
        (CustomerFilter(), lambda _: True),
        (CustomerFilter(type_groups=(kind,)), lambda c: c.type_group == kind),
        (CustomerFilter(type_groups=(kind, other_kind)), lambda c: c.type_group is not None),
        (CustomerFilter(type_groups=()), lambda _: False),
        (CustomerFilter(price_groups_any=(other_group, uuid4())), lambda c: other_group in c.price_groups),
        (CustomerFilter(price_groups_any=(group,)), lambda c: group in c.price_groups),
        (CustomerFilter(default_sales_reps=(rep,)), lambda c: c.default_sales_rep == rep),
        (CustomerFilter(standings=("hold_all", "preferred")), lambda c: c.standing == "hold_all"),
        (CustomerFilter(payment_terms=(term,)), lambda c: c.payment_term == term),
        (CustomerFilter(shipping_terms=(ship,)), lambda c: c.shipping_term == ship),
        (CustomerFilter(carriers=(carrier,)), lambda c: c.carrier == carrier),
        (CustomerFilter(service_levels=(level,)), lambda c: c.service_level == level),
        (CustomerFilter(service_levels=(term,)), lambda _: False),
        (CustomerFilter(commission_policies=(APPLIED,)), lambda c: c.commission_policy == APPLIED),
        (CustomerFilter(freight_policies=(BILLED,)), lambda c: c.freight_policy == BILLED),
        (CustomerFilter(is_parent=True), lambda c: c is parent),
        (CustomerFilter(is_parent=False), lambda c: c is not parent),
        (CustomerFilter(created_until=last), lambda c: c.created_at <= last),
        (CustomerFilter(created_from=last, created_until=last), lambda c: c.created_at == last),
        (held, lambda c: c.standing == "hold_all" and c.carrier == carrier and c.created_at <= last),
    ]


async def test_each_filter_finds_whom_it_names(world: World) -> None:
    """Any of the values will do, several filters hold together, and pages that are counted find the same."""
    async with world.hub.database.lease() as connection:
        scene = await make_scene(connection, world)
        for chosen, predicate in cases(scene):
            expected = ids(scene.customers, predicate)
            assert await walk(connection, scene.team, chosen) == expected, chosen
            _, total = await list_customers(connection, scene.team, CustomerQuery(filter=chosen, page_size=1))
            assert total == len(expected), chosen


async def test_a_part_of_a_text(world: World) -> None:
    """Of name, number, email or phone, ignoring case; no character stands for others, and NUL stands nowhere."""
    team = world.team.id
    texts = {
        "name": new_customer(team, minute(1), name="Ærlig 100% Coffee_Bar"),
        "number": new_customer(team, minute(2), number="WC_0000000042"),
        "email": new_customer(team, minute(3), email="Ap@Kestrel.example"),
        "phone": new_customer(team, minute(4), phone="+47 22 33 44 55"),
        "note": new_customer(team, minute(5), note="coffee", first_name="coffee", website="https://coffee.example"),
        "odd": new_customer(team, minute(6), name="back\\slash", display_name="coffee"),
    }
    found = {
        "COFFEE": ["name"],
        "ærlig": ["name"],
        "100%": ["name"],
        "%": ["name"],
        "_": ["name", "number"],
        "0042": ["number"],
        "wc_": ["number"],
        "ap@kestrel": ["email"],
        "22 33": ["phone"],
        "\\": ["odd"],
        "100%bar": [],
        "c.ffee": [],
        "coffee\0": [],
        "\0": [],
        "'": [],
    }
    async with world.hub.database.lease() as connection:
        await put_customers(connection, texts.values())
        for text, names in found.items():
            expected = [texts[name].id for name in reversed(names)]
            assert await walk(connection, team, CustomerFilter(text=text)) == expected, text
        assert (await list_customers(connection, team, CustomerQuery(CustomerFilter(search="\0")))) == ((), 0)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"city": "Portland"}, ["two", "one"]),
        ({"state": "OR"}, ["one"]),
        ({"city": "Portland", "state": "OR"}, ["one"]),
        ({"city": "Portland", "state": "WA"}, []),
        ({"city": "Portland", "state": "ME", "postal_code": "04101"}, ["two"]),
        ({"city": "portland"}, []),
        ({"city": "Port"}, []),
        ({"city": "%"}, []),
        ({"postal_code": "97217"}, ["one"]),
        ({"city": ""}, []),
        ({"city": "Port\0land"}, []),
        ({"city": '"}, {"city": "Portland'}, []),
    ],
    ids=str,
)
async def test_what_is_asked_of_an_address_holds_in_one(
    world: World, asked: Mapping[str, str], names: list[str]
) -> None:
    """Exactly as it is written, and all of it in one and the same of a customer's addresses."""
    team = world.team.id
    customers = {
        "one": new_customer(
            team,
            minute(1),
            addresses=(
                new_address(START, city="Portland", state="OR", postal_code="97217"),
                new_address(START, city="Seattle", state="WA", postal_code="98101"),
            ),
        ),
        "two": new_customer(
            team,
            minute(2),
            addresses=(
                new_address(START, city="Bangor", state="ME"),
                new_address(START, city="Portland", state="ME", postal_code="04101"),
            ),
        ),
        "none": new_customer(team, minute(3), name="Portland"),
        "gone": new_customer(
            team, minute(4), deleted_at=START, addresses=(new_address(START, city="Portland", state="OR"),)
        ),
    }
    async with world.hub.database.lease() as connection:
        await put_customers(connection, customers.values())
        chosen = CustomerFilter(address=asked)  # type: ignore[arg-type]  # a parameter's names are text
        assert await walk(connection, team, chosen) == [customers[name].id for name in names]


async def test_a_place_among_customers_of_one_moment(world: World) -> None:
    """Those born together stand by id; from any of them the walk goes on at the next one, both ways, in both orders."""
    team = world.team.id
    customers = [new_customer(team, minute(place // 5)) for place in range(15)]
    everybody = ids(customers, lambda _: True)
    by_id = {customer.id: customer for customer in customers}
    async with world.hub.database.lease() as connection:
        await put_customers(connection, customers)
        for place, own in enumerate(everybody):
            at = by_id[own].created_at
            assert await walk(connection, team, CustomerFilter(), Position(at, own)) == everybody[place + 1 :]
            backward = Position(at, own, is_backward=True)
            assert await walk(connection, team, CustomerFilter(), backward) == everybody[:place][::-1]
            assert await walk(connection, team, CustomerFilter(), backward, 2) == everybody[:place][::-1][:2]


async def test_a_place_and_a_filter_hold_together(world: World) -> None:
    """A page in the depth of a filtered list has the next ones of those that the filter names, and no others."""
    team = world.team.id
    customers = [
        new_customer(
            team,
            minute(place // 3),
            standing="preferred" if place % 2 else "normal",
            name=f"Kestrel {place % 4}",
            addresses=(new_address(START, city="Oslo"), new_address(START, city=f"City {place % 5}")),
        )
        for place in range(60)
    ]
    chosen = CustomerFilter(standings=("preferred",), text="kestrel 3", address={"city": "City 2"})
    wanted = ids(customers, lambda customer: customer.name == "Kestrel 3" and customer.addresses[1].city == "City 2")
    by_id = {customer.id: customer for customer in customers}
    assert len(wanted) == 3
    async with world.hub.database.lease() as connection:
        await put_customers(connection, customers)
        assert await walk(connection, team, chosen) == wanted
        middle = by_id[wanted[1]]
        assert await walk(connection, team, chosen, Position(middle.created_at, middle.id)) == wanted[2:]
        backward = Position(middle.created_at, middle.id, is_backward=True)
        assert await walk(connection, team, chosen, backward) == wanted[:1]


ORDERS: dict[Order, Callable[[Customer], str | datetime | None]] = {
    "created_at": lambda customer: customer.created_at,
    "updated_at": lambda customer: customer.updated_at,
    "name": lambda customer: customer.name.lower(),
    "display_name": lambda customer: (customer.display_name or customer.name).lower(),
    "email": lambda customer: customer.email,
}


@pytest.mark.parametrize("page_size", [4, 5, 15, 20])
@pytest.mark.parametrize("is_descending", [True, False])
@pytest.mark.parametrize("order", ORDERS)
async def test_pages_by_number_have_everybody_once(
    world: World, order: Order, page_size: int, *, is_descending: bool
) -> None:
    """In order, equal ones by id and those without a value last; each page, and past the end, says how many in all."""
    team = world.team.id
    customers = [
        new_customer(
            team,
            minute(place // 2),
            name=("kestrel", "Kestrel", "Anchor")[place % 3],
            display_name=("Zebra", None)[place % 2],
            email=(f"{place // 2}@kestrel.example", None, None)[place % 3],
        )
        for place in range(15)
    ]
    gone = new_customer(team, minute(3), deleted_at=START)
    key = ORDERS[order]
    by_id = sorted(customers, key=lambda customer: customer.id, reverse=is_descending)
    known = [customer for customer in by_id if key(customer) is not None]
    without = [customer for customer in by_id if key(customer) is None]
    expected = [*sorted(known, key=key, reverse=is_descending), *without]  # type: ignore[arg-type]  # of one type
    async with world.hub.database.lease() as connection:
        await put_customers(connection, [*customers, gone])
        found: list[Customer] = []
        for page in range(1, -(-15 // page_size) + 1):
            query = CustomerQuery(order=order, is_descending=is_descending, page=page, page_size=page_size)
            shown, total = await list_customers(connection, team, query)
            assert total == 15
            found += shown
        beyond = CustomerQuery(order=order, is_descending=is_descending, page=page + 1, page_size=page_size)
        assert await list_customers(connection, team, beyond) == ((), 15)
    assert found == expected


async def test_a_list_of_nobody(world: World) -> None:
    """No customers on any page, and none in all."""
    async with world.hub.database.lease() as connection:
        for page in (1, 2):
            assert await list_customers(connection, world.team.id, CustomerQuery(page=page)) == ((), 0)


async def test_the_longest_name_has_its_place_in_the_order(world: World) -> None:
    """255 characters of four bytes each, which cannot be pressed together, are not too much for the index."""
    drawn = random.Random(7)
    name = "".join(chr(drawn.randrange(0x20000, 0x2A6D0)) for _ in range(255))
    long, short = new_customer(world.team.id, minute(1), name=name), new_customer(world.team.id, minute(2), name="A")
    async with world.hub.database.lease() as connection:
        await put_customers(connection, [long, short])
        found = await list_customers(connection, world.team.id, CustomerQuery(order="name"))
    assert found == ((long, short), 2)


async def test_another_teams_customers_are_nowhere(world: World, other_world: World) -> None:
    """Neither in a list nor below a customer that is asked whether it is a parent."""
    mine, theirs = new_customer(world.team.id, minute(1)), new_customer(other_world.team.id, minute(1))
    async with world.hub.database.lease() as connection:
        await put_customers(connection, [mine, theirs])
        assert await walk(connection, world.team.id, CustomerFilter()) == [mine.id]
        assert await walk(connection, other_world.team.id, CustomerFilter(is_parent=False)) == [theirs.id]


async def test_without_what_stands_inside(world: World) -> None:
    """A page of rows leaves addresses, contacts and custom values where they are; all else is the record's own."""
    whole = new_customer(world.team.id, minute(1), addresses=(new_address(START, city="Oslo"),), phone="+4722334455")
    async with world.hub.database.lease() as connection:
        await put_customers(connection, [whole])
        (found,) = await walk_customers(connection, world.team.id, CustomerFilter(), None, 5)
        (plain,) = await walk_customers(connection, world.team.id, CustomerFilter(), None, 5, with_nested=False)
    assert found == whole
    assert (plain.addresses, plain.phone, plain.id) == ((), "+4722334455", whole.id)
