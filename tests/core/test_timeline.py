"""What customers were: their history, any former version, and those that are deleted."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from customerhub.core import timeline
from customerhub.core.timeline import HistoryFilter, get_history, list_deleted
from customerhub.model.answer import Caller
from customerhub.model.customer import Customer
from customerhub.model.error import HistoryGone, NotFound, Unauthenticated
from customerhub.model.page import Position
from customerhub.model.patch import AddressPatch, AttributesPatch, ListPatch
from tests.support.world import World
from tests.support.writer import Clock, Writer, make_writer

ERASE = """
update change set action = case when version = 4 then 'erased' else action end,
    changes = case when version = 4 then jsonb_build_array(jsonb_build_object('path', '', 'new', (
        select changes -> 0 -> 'new' from change where team = $1 and customer = $2 and version = 1
    ))) else '[{"path": ""}]'::jsonb end
where team = $1 and customer = $2 and version <= 4
"""


@pytest.fixture
async def writer(world: World) -> Writer:
    """Somebody of the team."""
    return await make_writer(world)


@pytest.fixture
async def states(writer: Writer) -> list[Customer]:
    """A customer at each of its five versions, the last of which is deleted; a minute and more between them."""
    writer.hub.now = Clock()
    one = await writer.create(name="Aster", email="a@aster.example", note="first")
    address, contact = uuid4(), uuid4()
    two = await writer.update(
        one,
        addresses=ListPatch(add=((address, AddressPatch(city="Oslo", type="billing")),)),
        bill_to=address,
        attributes=AttributesPatch(put={"Region/Zone": "North"}),
    )
    three = await writer.update(
        two,
        addresses=ListPatch(change={address: AddressPatch(city="Bergen")}, add=((contact, AddressPatch(city="Bodø")),)),
        note=None,
    )
    four = await writer.update(three, addresses=ListPatch(remove=frozenset((address,))), name="Aster & Co")
    return [one, two, three, four, await writer.delete(four)]


async def test_every_version_can_be_read(writer: Writer, states: list[Customer]) -> None:
    """Exactly as it was, by its number or by any time until the next one; also of a customer that is deleted."""
    for place, state in enumerate(states):
        assert repr(await writer.at(state, place + 1)) == repr(state)
        assert await writer.at(state, state.updated_at) == state
        until = states[place + 1].updated_at if place + 1 < len(states) else state.updated_at + timedelta(days=900)
        assert await writer.at(state, until - timedelta(microseconds=1)) == state
    assert states[-1].deleted_at is not None


async def test_what_was_not_is_not_found(writer: Writer, other_world: World, states: list[Customer]) -> None:
    """A version that is not there, a time before the first one, an id that nobody has, another team's customer."""
    customer = states[0]
    for when in (0, -1, 6, 2**70, customer.created_at - timedelta(microseconds=1)):
        with pytest.raises(NotFound):
            await writer.at(customer, when)
    stranger = await make_writer(other_world)
    for who, customer_id in ((writer, uuid4()), (writer, None), (stranger, customer.id)):
        with pytest.raises(NotFound) as caught:
            await who.at(customer_id, 1)
        assert not isinstance(caught.value, HistoryGone)
        with pytest.raises(NotFound):
            await get_history(who.hub, who.caller, customer_id, None, 10)


async def test_an_erased_version_is_not_known_any_more(writer: Writer, states: list[Customer]) -> None:
    """From the erasure on there is something to read; before it there is nothing, and it is said that there was."""
    await writer.execute(ERASE, states[0].id)
    for when in (1, 3, states[1].updated_at):
        with pytest.raises(HistoryGone):
            await writer.at(states[0], when)
    assert (await writer.at(states[0], 4)).name == "Aster"
    assert (await writer.at(states[0], 5)).deleted_at == states[4].deleted_at
    assert [entry.version for entry in await writer.history(states[0])] == [5, 4, 3, 2, 1]


async def test_the_history_tells_of_each_version(writer: Writer, states: list[Customer]) -> None:
    """Newest first: who, when, through which door, under which request, and each path with both values as JSON."""
    entries = await writer.history(states[0])
    assert [entry.version for entry in entries] == [5, 4, 3, 2, 1]
    assert [entry.action for entry in entries] == ["deleted", "updated", "updated", "updated", "created"]
    assert [entry.at for entry in entries] == [state.updated_at for state in reversed(states)]
    caller = writer.caller
    for entry in entries:
        assert (entry.customer, entry.actor, entry.actor_name) == (states[0].id, caller.actor, caller.name)
        assert (entry.credential, entry.dialect, entry.ignored) == (caller.credential, caller.dialect, ())
    assert len({entry.request_id for entry in entries}) == 5
    address = states[1].addresses[0]
    changed = {change.path: (change.old, change.new) for change in entries[2].changes}
    assert changed.pop("/note") == ("first", None)
    assert changed.pop(f"/addresses/{address.id}/city") == ("Oslo", "Bergen")
    assert list(changed) == [f"/addresses/{states[2].addresses[1].id}"]


async def test_entries_are_filtered(writer: Writer, states: list[Customer]) -> None:
    """By who, by which door, by when, and by what: the place itself, what is in it, and what is around it."""
    customer, address = states[0], states[1].addresses[0].id

    async def versions(**which: object) -> list[int]:
        return [entry.version for entry in await writer.history(customer, **which)]

    assert await versions(actor=writer.caller.actor, dialect=writer.caller.dialect) == [5, 4, 3, 2, 1]
    assert await versions(actor=uuid4()) == await versions(dialect="hub") == await versions(dialect="\0") == []
    assert await versions(since=states[1].updated_at, until=states[3].updated_at) == [4, 3, 2]
    assert await versions(paths=("/note",)) == [3, 1]
    assert await versions(paths=("/name",)) == [4, 1]
    assert await versions(paths=("/name", "/note")) == [4, 3, 1]
    assert await versions(paths=("/addresses",)) == [4, 3, 2, 1]
    assert await versions(paths=(f"/addresses/{address}",)) == [4, 3, 2, 1]
    assert await versions(paths=(f"/addresses/{address}/city",)) == [4, 3, 2, 1]
    assert await versions(paths=(f"/addresses/{address}/line1",)) == [4, 2, 1]
    assert await versions(paths=("/attributes/Region~1Zone",)) == [2, 1]
    assert await versions(paths=("/not",)) == [1]
    assert await versions(paths=("/note/x%_",)) == [3, 1]
    assert await versions(paths=("",)) == [5, 4, 3, 2, 1]
    assert await versions(paths=()) == await versions(paths=("/\0",)) == []


async def test_pages_follow_each_other_both_ways(writer: Writer, states: list[Customer]) -> None:
    """Each version once, whatever is written meanwhile; from any page back to the one before."""
    customer = states[0]

    async def page(position: Position | None, limit: int = 2) -> tuple[list[int], Position | None, Position | None]:
        window = await get_history(writer.hub, writer.caller, customer.id, position, limit)
        return [entry.version for entry in window.items], window.before, window.after

    first, before, after = await page(None)
    assert (first, before) == ([5, 4], None)
    second, before, after = await page(after)
    assert second == [3, 2]
    assert (await page(before))[0] == [5, 4]
    third, before, after = await page(after)
    assert (third, after) == ([1], None)
    assert (await page(before))[0] == [3, 2]
    end = Position(states[0].updated_at, UUID(int=2**128 - 1))
    assert (await page(end))[0] == [5, 4]
    which = HistoryFilter(paths=("/note",))
    window = await get_history(writer.hub, writer.caller, customer.id, None, 1, which)
    rest = await get_history(writer.hub, writer.caller, customer.id, window.after, 1, which)
    assert [entry.version for entry in (*window.items, *rest.items)] == [3, 1]
    assert rest.after is None


async def test_deleted_customers_are_listed(writer: Writer, other_world: World) -> None:
    """The last deleted first, whole as they were, page by page and back; the living and other teams' are not there."""
    writer.hub.now = Clock()
    made = [await writer.create(name=f"Aster {place}") for place in range(4)]
    for place in (1, 0, 2):
        made[place] = await writer.delete(made[place])
    stranger = await make_writer(other_world)
    await stranger.delete(await stranger.create())

    async def page(position: Position | None) -> tuple[tuple[Customer, ...], Position | None, Position | None]:
        window = await list_deleted(writer.hub, writer.caller, position, 2)
        return window.items, window.before, window.after

    first, before, after = await page(None)
    assert (first, before) == ((made[2], made[0]), None)
    second, before, after = await page(after)
    assert (second, after) == ((made[1],), None)
    assert (await page(before))[0] == first


async def test_nobody_without_a_living_credential_reads_anything(writer: Writer, states: list[Customer]) -> None:
    """Each of them is asked of the database, whatever the process remembers of the caller."""
    caller = writer.caller
    gone = Caller(caller.team, uuid4(), caller.actor, caller.name, caller.dialect)
    stranger, hub = replace(gone), writer.hub
    for ask in (
        get_history(hub, stranger, states[0].id, None, 1),
        timeline.get_customer_at(hub, stranger, states[0].id, 1),
        list_deleted(hub, stranger, None, 1),
        timeline.walk_changes(hub, stranger, 0, 1),
    ):
        with pytest.raises(Unauthenticated):
            await ask
