"""What a search looks at stands and falls with the record, is written only where it changes, and can be made anew."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest

from customerhub.cli.database import migrate_at
from customerhub.cli.failure import Refused
from customerhub.core import system
from customerhub.core.access import find_caller
from customerhub.core.search import fill_search
from customerhub.model.answer import Answer
from customerhub.model.change import FieldChange
from customerhub.model.customer import Customer
from customerhub.model.search import find_wanted, to_search_text
from customerhub.store import customers as customer_store
from customerhub.store.customers import NewVersion, write_version
from customerhub.store.db import Connection
from customerhub.store.doctor import find_missing_extensions, get_findings
from customerhub.store.migrate import applied, migrate, migrations
from customerhub.store.search import MOST_MATCHES, search_customers
from tests.support.crowd import put_found
from tests.support.customers import new_address, new_customer, put_customers
from tests.support.world import DIALECT, World, address_body, contact_body

START = datetime(2026, 3, 4, 9, 10, 11, tzinfo=UTC)
BEFORE_SEARCH = 3
ROWS = "select text, ctid::text, xmin::text from customer_search where team = $1 and customer = $2"


async def rows(world: World, customer_id: UUID) -> list[tuple[str, str, str]]:
    """A customer's text with its place and the transaction that put it there."""
    async with world.hub.database.lease() as connection:
        return [tuple(row) for row in await connection.fetch(ROWS, world.team.id, customer_id)]


async def stored(world: World, customer_id: UUID) -> Customer:
    """A live customer as it stands."""
    async with world.hub.database.lease() as connection:
        return (await customer_store.get_customers(connection, world.team.id, [customer_id]))[customer_id]


async def make_team(connection: Connection) -> UUID:
    """A bare team."""
    team = uuid4()
    statement = "insert into team (id, name, name_key, created_at, updated_at) values ($1, $2, $2, $3, $3)"
    await connection.execute(statement, team, str(team), START)
    return team


async def found(connection: Connection, team: UUID, text: str, limit: int = 5000) -> list[str]:
    """The names of whoever is found, the best first."""
    wanted = find_wanted(text)
    assert wanted is not None
    async with connection.transaction():
        return [customer.name for customer in await search_customers(connection, team, wanted, limit)]


@pytest.fixture
async def filled(empty: Connection) -> Connection:
    """A connection to a database of a test's own, with this version's schema."""
    await migrate(empty)
    return empty


async def test_only_a_searched_value_writes_the_text(world: World) -> None:
    """A change of anything else leaves the row where it is, and so its index; each searched value writes it once."""
    customer = await world.create(addresses=[address_body()], contacts=[contact_body()], phone="+4722334455")
    customer_id, path = UUID(customer["id"]), f"/v1/customers/{customer['id']}"
    address, contact = customer["addresses"][0]["id"], customer["contacts"][0]["id"]
    (first,) = await rows(world, customer_id)
    for member in (
        {"display_name": "Nordlys Oslo", "payment_term": "NET45", "first_name": "Ingrid"},
        {"addresses": [{"id": address, "address_line_1": "Storgata 9", "zip_code": "0156"}]},
        {"contacts": [{"id": contact, "email": "kari@nordlys.example"}]},
        {"attributes": [{"name": "Region", "value": "Nordics"}]},
    ):
        assert (await world.api.patch(path, json=member)).status_code == 201
        assert await rows(world, customer_id) == [first]
    last = first
    for member in (
        {"company_name": "Midnattsol"},
        {"reference_id": "SAP-7"},
        {"email": "post@midnattsol.example"},
        {"phone": "+4533445566"},
        {"addresses": [{"id": address, "city": "Bodø"}]},
        {"contacts": [{"id": contact, "last_name": "Dahl"}]},
    ):
        assert (await world.api.patch(path, json=member)).status_code == 201
        (row,) = await rows(world, customer_id)
        assert row[0] == to_search_text(await stored(world, customer_id))
        assert row[0] != last[0]
        last = row


async def next_version(world: World, before: Customer, after: Customer, action: str) -> NewVersion:
    """A version as a use case hands it to the store."""
    return NewVersion(
        before=before,
        after=msgspec.structs.replace(after, version=before.version + 1),
        changes=(FieldChange("/deleted_at"),),
        action=action,
        caller=await find_caller(world.hub, DIALECT, world.api_key),
        request_id="req_test",
        ignored=(),
        new_entries=(),
        key=None,
        answer=Answer(200),
        tells_sinks=False,
        emails_are_unique=True,
    )


async def test_a_deleted_customer_leaves_no_text(world: World) -> None:
    """The deletion takes the text along, only if it happens."""
    customer_id = UUID((await world.create())["id"])
    live = await stored(world, customer_id)
    gone = msgspec.structs.replace(live, deleted_at=START, updated_at=live.updated_at + timedelta(seconds=1))
    (row,) = await rows(world, customer_id)
    late = msgspec.structs.replace(live, version=live.version + 5)
    async with world.hub.database.lease() as connection:
        assert not await write_version(connection, await next_version(world, late, gone, "deleted"))
        assert await rows(world, customer_id) == [row]
        assert await write_version(connection, await next_version(world, live, gone, "deleted"))
    assert await rows(world, customer_id) == []


async def test_a_lost_race_writes_no_text(world: World) -> None:
    """Where somebody was faster the text stays theirs."""
    customer_id = UUID((await world.create())["id"])
    live = await stored(world, customer_id)
    (row,) = await rows(world, customer_id)
    late = msgspec.structs.replace(live, version=live.version + 5)
    other = msgspec.structs.replace(live, name="Midnattsol")
    async with world.hub.database.lease() as connection:
        assert not await write_version(connection, await next_version(world, late, other, "updated"))
    assert await rows(world, customer_id) == [row]


async def test_writers_at_the_same_moment_leave_the_last_text(world: World, twin: httpx.AsyncClient) -> None:
    """However changes through two processes fall together, the text is that of the record as it stands."""
    customer = await world.create(contacts=[contact_body()])
    customer_id, path = UUID(customer["id"]), f"/v1/customers/{customer['id']}"
    contact = customer["contacts"][0]["id"]
    for round_ in range(10):
        bodies = [
            {"company_name": f"Nordlys {round_}"},
            {"contacts": [{"id": contact, "last_name": f"Dahl {round_}"}]},
            {"email": f"{round_}@nordlys.example"},
            {"payment_term": f"NET{round_}"},
        ]
        clients = [world.api, twin] * 2
        answers = await asyncio.gather(*(api.patch(path, json=body) for api, body in zip(clients, bodies, strict=True)))
        assert [answer.status_code for answer in answers] == [201] * 4
        (row,) = await rows(world, customer_id)
        assert row[0] == to_search_text(await stored(world, customer_id))


async def test_customers_of_an_older_version_are_found(empty: Connection) -> None:
    """Whoever was there before there was a search is found after the migration, and is found once."""
    await migrate(empty, up_to=BEFORE_SEARCH)
    team = await make_team(empty)
    many = [new_customer(team, START, name=f"Nordlys {n:04}", number=f"N{n:04}") for n in range(1200)]
    gone = new_customer(team, START, name="Nordlys gone", deleted_at=START)
    await put_customers(empty, [*many, gone])
    assert await system.bring_up(empty) == [name for number, name, _ in migrations() if number > BEFORE_SEARCH]
    assert await found(empty, team, "nordlys 0") == [f"Nordlys {place:04}" for place in range(1000)]
    assert await found(empty, team, "nordlys 11") == [f"Nordlys {place:04}" for place in range(1100, 1200)]
    assert await found(empty, team, "gone") == []
    assert await fill_search(empty) == 0


async def test_what_is_missing_is_found_out_and_mended(filled: Connection, empty_url: str) -> None:
    """A live customer without a text and a text without a live customer are told by team; `migrate` mends both."""
    team, other = await make_team(filled), await make_team(filled)
    customers = [new_customer(team, START, name=f"Nordlys {place}") for place in range(3)]
    await put_found(filled, [*customers, new_customer(other, START, name="Nordlys")])
    assert (await get_findings(filled)).wrong_searches == {}
    first, second = (customer.id for customer in customers[:2])
    await filled.execute("delete from customer_search where team = $1 and customer = $2", team, first)
    await filled.execute("update customer set deleted_at = now() where team = $1 and id = $2", team, second)
    assert (await get_findings(filled)).wrong_searches == {str(team): 2}
    assert await found(filled, team, "nordlys") == ["Nordlys 2"]
    assert await migrate_at(empty_url, mends_search=True) == ([], await applied(filled))
    assert (await get_findings(filled)).wrong_searches == {}
    assert await found(filled, team, "nordlys") == ["Nordlys 0", "Nordlys 2"]
    assert await found(filled, other, "nordlys") == ["Nordlys"]


def named(team: UUID, names: Sequence[str], **fields: object) -> list[Customer]:
    """Customers of these names."""
    return [new_customer(team, START, name=name, **fields) for name in names]


async def test_of_too_many_the_best_are_found(filled: Connection) -> None:
    """Among thousands that match, whole keys are found for certain, beginnings before parts, the whole before words."""
    team = await make_team(filled)
    crowd = [f"Altberg {place:04}" for place in range(3000)]
    await put_found(filled, named(team, crowd, addresses=(new_address(START, city="Oslo"),)))
    assert await found(filled, team, "zz") == []
    best = [
        *named(team, ["By number"], number="Berg"),
        *named(team, ["By reference"], reference_id="BERG"),
        *named(team, ["Bergen Oslo", "Bergen Sport"]),
        *named(team, ["Oslo Altberg 9999"]),
    ]
    await put_found(filled, best)
    names = await found(filled, team, "berg")
    assert names[:4] == ["By number", "By reference", "Bergen Oslo", "Bergen Sport"]
    assert len(names) == MOST_MATCHES
    assert set(names[4:]) <= {*crowd, "Oslo Altberg 9999"}
    assert await found(filled, team, "oslo altb", 1) == ["Oslo Altberg 9999"]
    assert len(await found(filled, team, "oslo altb")) == MOST_MATCHES


async def test_an_exact_key_is_found_among_thousands_that_begin_with_it(filled: Connection) -> None:
    """The number, reference or email address that was typed comes first, though thousands begin with it."""
    team = await make_team(filled)
    await put_found(filled, named(team, [f"ab {place}" for place in range(3000)]))
    await put_found(filled, named(team, ["By number"], number="AB"))
    await put_found(filled, named(team, ["By reference"], reference_id="ab"))
    assert await found(filled, team, "Ab", 2) == ["By number", "By reference"]


async def test_a_server_without_the_extensions_is_refused(
    filled: Connection, empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server lacks is named before anything is tried, with what to do."""
    assert await find_missing_extensions(filled) == ()
    monkeypatch.setattr("customerhub.store.doctor.EXTENSIONS", ("pg_trgm", "pg_telepathy"))
    assert await find_missing_extensions(filled) == ("pg_telepathy",)
    with pytest.raises(Refused) as refused:
        await migrate_at(empty_url)
    assert str(refused.value) == (
        "The server lacks pg_telepathy: install the contrib package of its PostgreSQL, and try again."
    )


async def test_no_sample_of_a_text_stays_behind(filled: Connection) -> None:
    """PostgreSQL keeps no values of texts for its planner, so that who is erased is not in there either."""
    team = await make_team(filled)
    await put_found(filled, named(team, ["Nordlys"] * 500))
    await filled.execute("analyze customer_search")
    kept = "select count(*) from pg_stats where tablename like 'customer_search%' and attname = 'text'"
    assert await filled.fetchval(kept) == 0
