"""Customers in the database: a version with all that belongs to it, or nothing; indexes decide what is taken."""

import asyncio
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec
import pytest

from customerhub.core.access import find_caller
from customerhub.model.answer import Answer, IdempotencyKey
from customerhub.model.apply import create
from customerhub.model.customer import Customer
from customerhub.model.nested import Moment
from customerhub.model.patch import CustomerPatch, Named
from customerhub.store.customers import NewVersion, read_for_write, write_version
from tests.support.world import DIALECT, Json, World

TERMS = """
select id, kind, name, status from catalogue_entry
where team = $1 and kind <> 'price_list' and not is_system order by name
"""
EVENTS = "select customer, version, type from event where team = $1 order by version"
AUDITED = "select action, actor_name, dialect, changes from audit where team = $1 and subject = $2"
TAKEN = "belongs to another customer of this team"


async def fetch(world: World, statement: str, *parameters: object) -> list[tuple[object, ...]]:
    """What the database holds of the team."""
    async with world.hub.database.lease() as connection:
        return [tuple(row) for row in await connection.fetch(statement, world.team.id, *parameters)]


async def change(world: World, customer: Json, **members: object) -> httpx.Response:
    """An update of a customer."""
    return await world.api.patch(f"/v1/customers/{customer['id']}", json=members)


def refusal(*fields: str) -> Json:
    """The answer to values that belong to others."""
    noun = "field" if len(fields) == 1 else "fields"
    details = [{"field": field, "reason": TAKEN} for field in fields]
    return {"code": "VALIDATION_ERROR", "message": f"The request has {len(fields)} invalid {noun}", "details": details}


async def test_a_term_of_free_text_is_made_with_the_write(world: World) -> None:
    """A name that the team does not know becomes an entry with an audit row; spelled otherwise it is the same entry."""
    customer = await world.create()
    answer = await change(world, customer, payment_term="NET45", shipping_method="DHL", freight_term="Pickup")
    assert answer.status_code == 201
    terms = await fetch(world, TERMS)
    assert [term[1:] for term in terms] == [
        ("carrier", "DHL", "active"),
        ("payment_term", "NET45", "active"),
        ("shipping_term", "Pickup", "active"),
    ]
    audited = await fetch(world, AUDITED, terms[1][0])
    assert audited == [("created", "test key", DIALECT, b'[{"new": {"name": "NET45"}, "path": ""}]')]
    other = await world.create(payment_term=" net45 ")
    assert other["payment_term"] == "NET45"
    assert await fetch(world, TERMS) == terms


async def test_a_refused_write_makes_no_term(world: World) -> None:
    """Neither a wrong field beside it, a value taken by another, a stale tag nor a dry run leaves a term behind."""
    other = await world.create()
    customer = await world.create()
    before = await world.fingerprint()
    path = f"/v1/customers/{customer['id']}"
    term = {"payment_term": "NET90"}
    headers = [
        ({"phone": "none"}, {}, 400),
        ({"reference_id": other["reference_id"]}, {}, 400),
        ({}, {"If-Match": '"7"'}, 412),
        ({}, {"Customerhub-Dry-Run": "true"}, 201),
    ]
    for members, guards, status in headers:
        answer = await world.api.patch(path, json=term | members, headers=guards)
        assert answer.status_code == status, answer.text
        assert await world.fingerprint() == before
    body = world.customer_body(**term)
    for members, guards, status in headers[:3]:
        answer = await world.api.post("/v1/customers", json=body | members, headers=guards)
        assert answer.status_code == status, answer.text
    # A refused creation may have used up a number, and nothing else.
    after = await world.fingerprint()
    assert {table for table in after if after[table] != before[table]} <= {"number_counter"}


async def test_one_new_name_at_the_same_moment_is_one_term(world: World, twin: httpx.AsyncClient) -> None:
    """Writers on several processes that bring the same new name along all succeed, and one entry is made."""
    customers = [await world.create() for _ in range(8)]
    clients = [world.api, twin] * 4
    for round_ in range(5):
        names = [f"Net {round_}", f"NET {round_}"] * 4
        answers = await asyncio.gather(
            *(
                api.patch(f"/v1/customers/{customer['id']}", json={"payment_term": name})
                for api, customer, name in zip(clients, customers, names, strict=True)
            )
        )
        assert [answer.status_code for answer in answers] == [201] * 8
        (shown,) = {answer.json()["data"]["payment_term"] for answer in answers}
        assert shown in (f"Net {round_}", f"NET {round_}")
    assert len(await fetch(world, TERMS)) == 5


async def test_events_are_written_only_where_somebody_listens(world: World) -> None:
    """Without a sink a team has no event rows; with one each version has its own, of the same moment."""
    customer = await world.create()
    await change(world, customer, phone="+4722334455")
    assert await fetch(world, EVENTS) == []
    await fetch(world, "update team set has_sinks = true where id = $1 returning id")
    await change(world, customer, phone="+4722334456")
    await change(world, customer, phone="+4722334456")
    made = await world.create()
    assert await fetch(world, EVENTS) == [
        (UUID(made["id"]), 1, "customer.created"),
        (UUID(customer["id"]), 3, "customer.updated"),
    ]
    joined = "select e.version from event e join change c using (team, customer, version, at) where e.team = $1"
    assert len(await fetch(world, joined)) == 2


async def new_version(world: World, key: IdempotencyKey) -> NewVersion:
    """A creation as the core hands it to the store: with a term, an event and a key."""
    caller = await find_caller(world.hub, DIALECT, world.api_key)
    async with world.hub.database.lease() as connection:
        state = await read_for_write(connection, caller, None, key)
        assert state is not None
        catalogue = await world.hub.catalogue(connection, caller.team, state.catalogue_version)
    moment = Moment(caller.actor, world.hub.now(), uuid4)
    blank = Customer(caller.team, uuid4(), 0, moment.now, moment.now, caller.actor, caller.actor, "", f"N-{uuid4()}")
    patch = CustomerPatch(name="Nordlys", payment_term=Named("NET45"), email=f"{uuid4()}@nordlys.example")
    applied = create(blank, patch, catalogue, moment)
    return NewVersion(
        before=None,
        after=applied.customer,
        changes=applied.changes,
        action="created",
        caller=caller,
        request_id="req_test",
        ignored=("name",),
        new_entries=applied.new_entries,
        key=key,
        answer=Answer(201, b"{}", (("content-type", "application/json"),)),
        tells_sinks=True,
        emails_are_unique=True,
    )


async def test_a_version_is_written_with_all_that_belongs_to_it(world: World) -> None:
    """Record, change, what finds it and its duplicates, event, key, term, audit row, the team's snapshot; no more."""
    version = await new_version(world, IdempotencyKey("k", b"\x01" * 32))
    before = await world.fingerprint()
    async with world.hub.database.lease() as connection:
        assert await write_version(connection, version) is True
    after = await world.fingerprint()
    rows = {table: after[table][0] - before[table][0] for table in after if after[table] != before[table]}
    # Each part of a table that is in parts counts with the whole.
    rows = {table: number for table, number in rows.items() if not table[-1].isdigit()}
    written = (
        "customer",
        "change",
        "feed_waiting",
        "customer_search",
        "duplicate_key",
        "event",
        "idempotency_key",
        "catalogue_entry",
        "audit",
    )
    assert rows == dict.fromkeys(written, 1) | {"team": 0}


@pytest.mark.parametrize("conflict", ["key", "term", "email", "number"])
async def test_one_conflict_undoes_the_whole_version(world: World, conflict: str) -> None:
    """Where the key, a term or a unique value is somebody's already, nothing of the version is written."""
    first = await new_version(world, IdempotencyKey("k", b"\x01" * 32))
    # Both have read before either has written.
    second = await new_version(world, IdempotencyKey("k" if conflict == "key" else "other", b"\x02" * 32))
    if conflict != "term":
        second = msgspec.structs.replace(second, new_entries=())
        second = msgspec.structs.replace(second, after=msgspec.structs.replace(second.after, payment_term=None))
    if conflict in ("email", "number"):
        after = msgspec.structs.replace(second.after, **{conflict: getattr(first.after, conflict)})
        second = msgspec.structs.replace(second, after=after)
    async with world.hub.database.lease() as connection:
        assert await write_version(connection, first) is True
    before = await world.fingerprint()
    async with world.hub.database.lease() as connection:
        with pytest.raises(asyncpg.UniqueViolationError):
            await write_version(connection, second)
    assert await world.fingerprint() == before


async def test_whoever_reads_an_old_version_writes_nothing(world: World) -> None:
    """An update that starts from a version that is gone writes neither record, change, event, key nor term."""
    customer = await world.create()
    key = IdempotencyKey("k", b"\x01" * 32)
    caller = await find_caller(world.hub, DIALECT, world.api_key)
    async with world.hub.database.lease() as connection:
        state = await read_for_write(connection, caller, UUID(customer["id"]), key)
    assert state is not None
    assert state.customer is not None
    assert (await change(world, customer, phone="+4722334455")).status_code == 201
    created = await new_version(world, key)
    after = msgspec.structs.replace(state.customer, version=2, name="Late")
    late = msgspec.structs.replace(created, before=state.customer, after=after, action="updated")
    before = await world.fingerprint()
    async with world.hub.database.lease() as connection:
        assert await write_version(connection, late) is False
    assert await world.fingerprint() == before


async def test_fifty_creations_at_once_get_fifty_numbers(world: World, twin: httpx.AsyncClient) -> None:
    """Numbers are given once each, without a gap where nothing was refused, whoever asks."""
    answers = await asyncio.gather(
        *(api.post("/v1/customers", json=world.customer_body()) for api in [world.api, twin] * 25)
    )
    assert [answer.status_code for answer in answers] == [201] * 50
    numbers = {answer.json()["data"]["display_id"] for answer in answers}
    assert numbers == {f"WC_{number:010}" for number in range(1, 51)}


async def test_a_typed_number_is_jumped_over(world: World) -> None:
    """A number that somebody typed is not given again: the counter goes on past the highest of its form."""
    for typed in ("WC_0000000002", "WC_0000000900", "WC_0000000950x", "C99999", "WC_7"):
        assert (await world.create(display_id=typed))["display_id"] == typed
    assert [(await world.create())["display_id"] for _ in range(3)] == [
        "WC_0000000001",
        "WC_0000000901",
        "WC_0000000902",
    ]
    answer = await world.api.post("/v1/customers", json=world.customer_body(display_id="WC_0000000901"))
    assert (answer.status_code, answer.json()) == (400, refusal("display_id"))


async def test_a_dry_run_jumps_over_a_typed_number_too(world: World) -> None:
    """A dry run answers as the real request will, and leaves the counter where it was."""
    await world.create(display_id="WC_0000000001")
    before = await world.fingerprint()
    body = world.customer_body()
    dry = await world.api.post("/v1/customers", json=body, headers={"Customerhub-Dry-Run": "true"})
    assert (dry.status_code, dry.json()["data"]["display_id"]) == (201, "WC_0000000002")
    assert await world.fingerprint() == before
    assert (await world.create(body))["display_id"] == "WC_0000000002"


async def test_every_taken_value_is_named_at_once(world: World) -> None:
    """Number, reference and email address that belong to one other customer or to several are all told."""
    await world.create(display_id="N-1", email="one@nordlys.example")
    other = await world.create()
    before = await world.fingerprint()
    body = {"reference_id": other["reference_id"], "display_id": "N-1", "email": "ONE@nordlys.example"}
    answer = await world.api.post("/v1/customers", json=world.customer_body(**body))
    assert (answer.status_code, answer.json()["code"]) == (400, "VALIDATION_ERROR")
    assert answer.json()["details"] == [{"field": field, "reason": TAKEN} for field in body]
    assert await world.fingerprint() == before


async def test_the_index_decides_a_race_for_an_email_address(world: World, twin: httpx.AsyncClient) -> None:
    """Of ten that take one address at the same moment, in any spelling, one gets it; the others are told its field."""
    spellings = [" Ingrid@Nordlys.example", "ingrid@nordlys.example"] * 5
    created = await asyncio.gather(
        *(
            api.post("/v1/customers", json=world.customer_body(email=email))
            for api, email in zip([world.api, world.api, twin, twin, twin] * 2, spellings, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in created) == [201] + [400] * 9
    assert all(answer.json() == refusal("email") for answer in created if answer.status_code == 400)
    others = [await world.create() for _ in range(6)]
    changed = await asyncio.gather(
        *(
            api.patch(f"/v1/customers/{customer['id']}", json={"email": "lars@nordlys.example"})
            for api, customer in zip([world.api, twin] * 3, others, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in changed) == [201] + [400] * 5
    rows = await fetch(world, "select unique_email_key from customer where team = $1 and email is not null")
    assert sorted(rows) == [("ingrid@nordlys.example",), ("lars@nordlys.example",)]


async def test_an_address_is_taken_in_its_own_team_only(world: World, other_world: World) -> None:
    """Two teams can have customers of one email address, number and reference."""
    body = {"email": "ingrid@nordlys.example", "display_id": "N-1", "reference_id": "ERP-1"}
    for one in (world, other_world):
        made = await one.create(one.customer_body(**body))
        assert {member: made[member] for member in body} == body
