"""Undoing: a deleted customer back through every door, as it was."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from customerhub.app import create_hub
from customerhub.dialects.base import find_dialects
from customerhub.model.answer import IfMatch
from customerhub.model.catalogue import AccountGroupDetails, Catalogue, UnitDetails
from customerhub.model.customer import Customer
from customerhub.model.error import Conflict, NotFound, PreconditionFailed, Taken
from customerhub.model.references import reference_errors
from customerhub.settings import Settings
from customerhub.store.catalogue import get_snapshot
from customerhub.store.db import Connection
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.fixtures import SECRET_KEY
from tests.support.histories import with_new_ids, without_stamps
from tests.support.patches import customer_patches
from tests.support.replay import check_whole
from tests.support.soak import sized
from tests.support.waiting import wait_until
from tests.support.world import World, make_world
from tests.support.writer import Writer, content, full, make_writer


@pytest.fixture
async def writer(world: World) -> Writer:
    """Somebody of the team."""
    return await make_writer(world)


async def catalogue_of(writer: Writer) -> Catalogue:
    """The team's catalogue as it stands."""
    async with writer.hub.database.lease() as connection:
        return await get_snapshot(connection, writer.team)


def views(customer: Customer, like: Customer, catalogue: Catalogue) -> dict[str, Any]:
    """What every door shows, whenever and by whoever it was changed."""
    shown = without_stamps(customer, like)
    return {dialect.name: dialect.show(shown, catalogue) for dialect in find_dialects()}


law = settings(
    max_examples=sized(8, 200),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


async def open_writer(stack: AsyncExitStack, url: str) -> Writer:
    """Somebody of a team, on a hub of their own."""
    hub = create_hub(Settings(database_url=url, secret_key=SECRET_KEY))
    stack.push_async_callback(hub.close)
    return await make_writer(
        await stack.enter_async_context(make_world(hub, Site(hub, find_dialects(), limits=Limits())))
    )


@pytest.mark.soak
def test_whatever_it_was_it_is_again(database_url: str) -> None:
    """Deleted and restored, a record of any history is as it was through every door; and any of its versions comes
    back, as a new version.
    """
    # Draws end an example by what no task of the tests' own loop would survive.
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        writer = runner.run(open_writer(stack, database_url))
        # What is drawn must not hang on what other examples have made, nor on the order of ids by chance.
        catalogue = runner.run(catalogue_of(writer))
        numbers = count(uuid4().int >> 64 << 64)

        @law
        @given(st.data())
        def holds(data: st.DataObject) -> None:
            runner.run(check_return(writer, data, catalogue, lambda: UUID(int=next(numbers))))

        try:
            holds()
        finally:
            runner.run(stack.aclose())


async def check_return(writer: Writer, data: st.DataObject, known: Catalogue, new_id: Callable[[], UUID]) -> None:
    """One history."""
    states = [await full(writer, f"{uuid4().hex}@aster.example", new_id)]
    for _ in range(data.draw(st.integers(0, 3))):
        patch = data.draw(customer_patches(states[-1], known))
        if not reference_errors(states[-1], patch, known):
            patch = with_new_ids(patch, new_id)
            fields = {name: getattr(patch, name) for name in patch.__struct_fields__}
            # What one customer has no other can have.
            unique = ("email", "number", "reference_id")
            alone = {name: uuid4().hex for name in unique if fields[name] not in (UNSET, None)}
            kept = {name: value for name, value in {**fields, **alone}.items() if value is not UNSET}
            states.append(await writer.update(states[-1], **kept))
    before = states[-1]
    restored = await writer.restore(await writer.delete(before))
    catalogue = await catalogue_of(writer)
    assert content(restored) == content(before)
    assert views(restored, before, catalogue) == views(before, before, catalogue)
    then = data.draw(st.sampled_from(states))
    after = await writer.revert(restored, then.version)
    assert without_stamps(after, then) == without_stamps(then, then)
    assert views(after, then, catalogue) == views(then, then, catalogue)
    assert after.version <= restored.version + 1
    await writer.delete(after)


async def test_a_deleted_customer_comes_back_as_it_was(writer: Writer) -> None:
    """As a new version, found again by everything that it is found by; its values are its own again."""
    one = await full(writer)
    two = await writer.delete(one)
    before = await writer.fingerprint()
    assert (await writer.under(dry_run=True).restore(two)).deleted_at is None
    assert await writer.fingerprint() == before
    with pytest.raises(PreconditionFailed):
        await writer.under(if_match=IfMatch(frozenset((1,)))).restore(two)
    three = await writer.under(if_match=IfMatch(frozenset((2,)))).restore(two)
    assert content(three) == content(one)
    assert (three.version, await writer.get(three)) == (3, three)
    latest, *_ = await writer.history(three)
    assert latest.action == "restored"
    assert [change.path for change in latest.changes] == ["/deleted_at"]
    with pytest.raises(Taken):
        await writer.create(email="AP@aster.example", reference_id=one.reference_id, number=one.number)
    async with writer.hub.database.lease() as connection:
        await check_whole(connection, writer.team)


async def test_what_cannot_be_restored(writer: Writer, other_world: World) -> None:
    """A living one, one that never was, another team's, one whose values are taken, one that was merged or erased."""
    one = await writer.create(email="a@aster.example", number="A-1", reference_id="R-1")
    stranger = await make_writer(other_world)
    for who, customer in ((writer, one), (writer, uuid4()), (writer, None), (stranger, one)):
        with pytest.raises(NotFound):
            await who.restore(customer)
    await writer.delete(one)
    with pytest.raises(NotFound):
        await stranger.restore(one)
    heir = await writer.create(email="A@aster.example", number="A-1", reference_id="R-1")
    before = await writer.fingerprint()
    with pytest.raises(Taken) as caught:
        await writer.restore(one)
    assert {error.code for error in caught.value.errors} == {"email_taken", "number_taken", "reference_id_taken"}
    assert await writer.fingerprint() == before
    source = await writer.create()
    await writer.merge(heir, source)
    with pytest.raises(Conflict):
        await writer.restore(source)
    await writer.delete(heir)
    await writer.execute(
        "update change set action = 'erased' where team = $1 and customer = $2 and version = 1", heir.id
    )
    with pytest.raises(Conflict):
        await writer.restore(heir)


async def test_a_customer_does_not_come_back_without_what_it_refers_to(writer: Writer) -> None:
    """A group or a unit that was deleted since: they are named, and nothing changes; a deleted term is no hindrance."""
    kinds = {"Gold": AccountGroupDetails(type="pricing_group"), "Grocer": AccountGroupDetails(type="type_group")}
    groups = [await writer.entry("account_group", f"{name} {uuid4()}", details) for name, details in kinds.items()]
    unit = await writer.entry("unit", f"Florin {uuid4()}", UnitDetails("currency", "fl"))
    term = await writer.entry("payment_term", f"NET {uuid4()}")
    limit: dict[str, Any] = {"credit_limit": Decimal(5), "credit_limit_unit": unit}
    one = await writer.create(payment_term=term, price_groups=(groups[0],), type_group=groups[1], **limit)
    two = await writer.delete(one)
    await writer.delete_entry("payment_term", term)
    assert content(await writer.restore(two)) == content(one)
    two = await writer.delete(one)
    await writer.delete_entry("account_group", groups[0])
    await writer.delete_entry("unit", unit)
    before = await writer.fingerprint()
    with pytest.raises(Conflict, match=r"is deleted: Gold .*, Florin") as caught:
        await writer.restore(two)
    assert "Grocer" not in caught.value.reason
    assert await writer.fingerprint() == before


async def test_what_comes_back_is_held(writer: Writer, world: World, database_url: str) -> None:
    """A group is not deleted between the look at it and the write that brings it back."""
    group = await writer.entry("account_group", f"Gold {uuid4()}", AccountGroupDetails(type="pricing_group"))
    two = await writer.delete(await writer.create(price_groups=(group,)))
    other = await make_writer(
        world, create_hub(Settings(database_url=database_url, secret_key=world.hub.settings.secret_key))
    )
    async with writer.hub.database.transaction() as connection:
        await Writer(writer.hub.on(connection), writer.caller).delete_entry("account_group", group)
        restoring = asyncio.create_task(other.restore(two))
        await wait_until(lambda: is_waiting(connection), "the restoration waits for the group")
    with pytest.raises(Conflict, match="is deleted: Gold"):
        await restoring
    await other.hub.close()


async def is_waiting(connection: Connection) -> bool:
    """Whether some session waits for what this one holds.

    Asked of the locks: who else is connected is told once in a transaction, and again only in the next.
    """
    statement = (
        "select exists (select from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid)))"
    )
    return bool(await connection.fetchval(statement))


async def test_a_customer_comes_back_below_its_parent(writer: Writer) -> None:
    """Not below one that is deleted; where that went into another, below the other."""
    top, other = await writer.create(name="Top"), await writer.create(name="Other")
    one = await writer.create(parent=top.id)
    await writer.delete(one)
    assert (await writer.restore(one)).parent == top.id
    two = await writer.delete(one)
    await writer.delete(top)
    before = await writer.fingerprint()
    with pytest.raises(Conflict):
        await writer.restore(two)
    assert await writer.fingerprint() == before
    await writer.restore(top)
    await writer.merge(other, top)
    three = await writer.restore(two)
    assert three.parent == other.id
    latest, *_ = await writer.history(three)
    assert [change.path for change in latest.changes] == ["/deleted_at", "/parent"]
    async with writer.hub.database.lease() as connection:
        await check_whole(connection, writer.team)


async def test_of_two_who_restore_one_does(writer: Writer, world: World, database_url: str) -> None:
    """The other finds that there is nothing to restore any more."""
    one = await writer.create()
    other = await make_writer(
        world, create_hub(Settings(database_url=database_url, secret_key=world.hub.settings.secret_key))
    )
    await writer.delete(one)
    outcomes = await asyncio.gather(*(who.restore(one) for who in (writer, other)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Customer, NotFound}
    assert [entry.action for entry in await writer.history(one)] == ["restored", "deleted", "created"]
    await other.hub.close()
