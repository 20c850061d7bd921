"""Audit events: everything that happened to anything, in one order, each to be found again."""

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import msgspec
import pytest

from customerhub.core.history import AuditEvent, EventFilter, get_event, get_event_by_id, walk_events
from customerhub.model.answer import Caller
from customerhub.model.base32 import to_base32
from customerhub.model.change import FieldChange
from customerhub.model.error import NotFound, Unauthenticated
from customerhub.store.history import to_event_id
from tests.support.logs import to_entry
from tests.support.world import DIALECT, World

AT: Final = datetime(2031, 3, 4, 5, 6, 7, 891234, UTC)
PEOPLE: Final = {"a": UUID(int=1), "b": UUID(int=2)}
CHANGE: Final = """
insert into change (team, customer, version, at, action, actor, actor_name, credential, dialect, request_id, changes)
values ($1, $2, $3, $4, $5, $6, 'n', $6, 'd', $7, '[]')
"""
AUDIT: Final = """
insert into audit (
    team, kind, subject, version, at, action, actor, actor_name, credential, dialect, request_id, changes
) values ($1, $8, $2, $3, $4, $5, $6, 'n', $6, 'd', $7, '[]')
"""


async def write(
    world: World,
    at: datetime,
    subject: UUID | None = None,
    *,
    kind: str = "customer",
    version: int = 1,
    action: str = "updated",
    actor: str = "a",
    request_id: str = "cli",
) -> tuple[str, UUID, int]:
    """A row of the history, and what tells it apart."""
    subject = subject or uuid4()
    values = (world.team.id, subject, version, at, action, PEOPLE[actor], request_id)
    async with world.hub.database.lease() as connection:
        await connection.execute(*((CHANGE, *values) if kind == "customer" else (AUDIT, *values, kind)))
    return kind, subject, version


def name_of(event: AuditEvent) -> tuple[str, UUID, int]:
    """What tells an event apart."""
    return event.kind, event.subject, event.version


async def test_an_event_tells_who_did_what(world: World, caller: Caller) -> None:
    """The event of a customer's version is its change row, with the fields that really changed."""
    made = await world.create()
    answer = await world.api.patch(f"/v1/customers/{made['id']}", json={"phone": "+4722334455"})
    event = await get_event(world.hub, caller, "customer", UUID(made["id"]), 2)
    assert event == AuditEvent(
        kind="customer",
        subject=UUID(made["id"]),
        version=2,
        at=event.at,
        action="updated",
        actor=caller.actor,
        actor_name="test key",
        credential=caller.credential,
        dialect=DIALECT,
        request_id=answer.headers["request-id"],
        changes=(FieldChange("/phone", new="+4722334455"),),
    )
    assert event.created_at == event.at
    assert (await walk_events(world.hub, caller, None, 1)).items == (event,)


async def test_everything_that_is_no_customer_has_events_too(world: World, caller: Caller) -> None:
    """Price lists, users and credentials stand in the same list as customers."""
    await world.create()
    found = (await walk_events(world.hub, caller, None, 100)).items
    assert {event.kind for event in found} >= {"customer", "price_list", "user", "credential"}
    [price_list] = [event for event in found if event.subject == UUID(world.price_lists[0])]
    assert await get_event(world.hub, caller, "price_list", price_list.subject, 1) == price_list


async def test_a_walk_meets_every_event_once_both_ways(world: World, caller: Caller) -> None:
    """The order is total, over both sources and among the events of one moment; the way back has the same pages."""
    written = []
    for number in range(24):
        at = AT + timedelta(microseconds=number // 8)
        written.append(await write(world, at, kind=("customer", "carrier", "unit")[number % 3]))
    which = EventFilter(since=AT)
    pages, position = [], None
    while True:
        page = await walk_events(world.hub, caller, position, 5, which)
        pages.append(page)
        if page.after is None:
            break
        position = page.after
    events = [event for page in pages for event in page.items]
    assert [len(page.items) for page in pages] == [5, 5, 5, 5, 4]
    assert sorted(map(name_of, events)) == sorted(written)
    assert [(event.at, event.id) for event in events] == sorted(((e.at, e.id) for e in events), reverse=True)
    back = [pages[-1].items]
    position = pages[-1].before
    while position is not None:
        page = await walk_events(world.hub, caller, position, 5, which)
        back.append(page.items)
        position = page.before
    assert back == [page.items for page in reversed(pages)]


async def test_what_comes_meanwhile_moves_no_page(world: World, caller: Caller) -> None:
    """A position is a place in time, so newer events do not push older ones onto the next page."""
    for second in range(4):
        await write(world, AT + timedelta(seconds=second))
    which = EventFilter(since=AT)
    first = await walk_events(world.hub, caller, None, 2, which)
    newer = await write(world, AT + timedelta(seconds=9))
    second_page = await walk_events(world.hub, caller, first.after, 2, which)
    assert [event.at for event in (*first.items, *second_page.items)] == [
        AT + timedelta(seconds=second) for second in (3, 2, 1, 0)
    ]
    assert second_page.before is not None
    back = await walk_events(world.hub, caller, second_page.before, 5, which)
    assert [name_of(event) for event in back.items] == [newer, *map(name_of, first.items)]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (EventFilter(), "abcde"),
        (EventFilter(kinds=("customer",)), "ab"),
        (EventFilter(kinds=("carrier", "unit")), "cde"),
        (EventFilter(kinds=("customer", "unit")), "abe"),
        (EventFilter(kinds=("nothing",)), ""),
        (EventFilter(kinds=()), ""),
        (EventFilter(subject=UUID(int=77)), "bc"),
        (EventFilter(kinds=("carrier",), subject=UUID(int=77)), "c"),
        (EventFilter(actions=("deleted", "created")), "ad"),
        (EventFilter(actor=PEOPLE["b"]), "be"),
        (EventFilter(request_id="rq_1"), "ce"),
        (EventFilter(until=AT + timedelta(seconds=2)), "abc"),
    ],
)
async def test_filters_choose_events(world: World, caller: Caller, which: EventFilter, expected: str) -> None:
    """Each filter alone and together, over both sources; times are included at both ends."""
    shared = UUID(int=77)
    times = [AT + timedelta(seconds=second) for second in range(5)]
    names = {
        await write(world, times[0], action="created"): "a",
        await write(world, times[1], shared, actor="b"): "b",
        await write(world, times[2], shared, kind="carrier", request_id="rq_1"): "c",
        await write(world, times[3], kind="carrier", action="deleted"): "d",
        await write(world, times[4], kind="unit", actor="b", request_id="rq_1"): "e",
    }
    which = msgspec.structs.replace(which, since=AT)
    found = (await walk_events(world.hub, caller, None, 10, which)).items
    assert "".join(names[name_of(event)] for event in reversed(found)) == expected


@pytest.mark.parametrize("prefix", ["req_", "rq_"])
async def test_an_event_knows_the_key_and_address_of_its_request(world: World, caller: Caller, prefix: str) -> None:
    """As long as the request's entry stands; afterwards, and for what came without a request, nothing is said."""
    entry = to_entry(caller, key="k-1", client_ip="192.0.2.7")
    world.hub.recorder.record(entry)
    text = f"{prefix}{to_base32(entry.number)}"
    for second, request_id in enumerate((text, f"{prefix}{'0' * 26}", "cli", "")):
        await write(world, AT + timedelta(seconds=second), request_id=request_id)
    which = EventFilter(since=AT)
    found = (await walk_events(world.hub, caller, None, 10, which)).items
    assert [(event.idempotency_key, event.source_ip) for event in reversed(found)] == [
        ("k-1", "192.0.2.7"),
        *[(None, None)] * 3,
    ]
    first = found[-1]
    assert await get_event(world.hub, caller, *name_of(first)) == first
    assert await get_event_by_id(world.hub, caller, first.id) == first
    async with world.hub.database.lease() as connection:
        await connection.execute("delete from request_log where team = $1", caller.team)
    assert (await get_event_by_id(world.hub, caller, first.id)).source_ip is None


async def test_an_event_is_found_by_its_id(world: World, caller: Caller) -> None:
    """The id is made of time, kind, subject and version, as the database makes it; another one finds nothing."""
    subject = uuid4()
    names = [
        await write(world, AT, subject),
        await write(world, AT, subject, kind="carrier"),
        await write(world, AT, subject, version=2),
        await write(world, AT, subject, kind="unit"),
    ]
    for name in names:
        event_id = to_event_id(AT, *name)
        event = await get_event_by_id(world.hub, caller, event_id)
        assert (name_of(event), event.id) == (name, event_id)
        for other in (UUID(int=event_id.int ^ 1), UUID(int=event_id.int ^ 1 << 90), UUID(int=0), UUID(int=2**128 - 1)):
            with pytest.raises(NotFound):
                await get_event_by_id(world.hub, caller, other)
    with pytest.raises(NotFound):
        await get_event(world.hub, caller, "customer", subject, 3)


async def test_ids_sort_by_time_and_differ_within_it() -> None:
    """48 bits of milliseconds and 80 of what the event is."""
    first, later = AT, AT + timedelta(milliseconds=1)
    subject = UUID(int=5)
    ids = {to_event_id(first, kind, subject, version) for kind in ("customer", "unit") for version in range(1, 50)}
    assert len(ids) == 98
    assert max(ids) < to_event_id(later, "customer", subject, 1)
    assert {event_id.int >> 80 for event_id in ids} == {int(AT.timestamp() * 1000)}


async def test_a_team_sees_its_own_events(world: World, other_world: World, caller: Caller) -> None:
    """Another team's event is not found, by any name."""
    name = await write(other_world, AT)
    for finding in (
        get_event(world.hub, caller, *name),
        get_event_by_id(world.hub, caller, to_event_id(AT, *name)),
    ):
        with pytest.raises(NotFound):
            await finding
    assert (await walk_events(world.hub, caller, None, 10, EventFilter(since=AT))).items == ()


async def test_an_ended_credential_reads_no_history(world: World, caller: Caller) -> None:
    """Reading asks first whether the credential is alive."""
    async with world.hub.database.lease() as connection:
        await connection.execute(
            "update credential set revoked_at = now() where team = $1 and id = $2", caller.team, caller.credential
        )
    for reading in (
        walk_events(world.hub, caller, None, 1),
        get_event(world.hub, caller, "customer", UUID(int=0), 1),
        get_event_by_id(world.hub, caller, UUID(int=0)),
    ):
        with pytest.raises(Unauthenticated):
            await reading
