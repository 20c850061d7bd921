"""The clients against the hub itself, in process: what the stub promises is what the hub does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from uuid import UUID, uuid4

import anyio
import pytest

from customerhub.client import (
    BadRequest,
    Conflict,
    Customer,
    Forbidden,
    Invalid,
    Merged,
    NotFound,
    PreconditionFailed,
    Unauthenticated,
)
from customerhub.core.hub import Hub
from customerhub.core.system import to_system_id
from customerhub.dialects.base import find_dialects
from customerhub.web.dialect import CredentialOrder
from customerhub.web.serve import Site
from tests.client.talker import Kind, Talker, talking
from tests.support.world import World

DIALECT = "hub"
_DIALECTS = {dialect.name: dialect for dialect in find_dialects()}
_ROUTES = {operation.path for dialect in find_dialects() for operation in dialect.operations}

pytestmark = pytest.mark.skipif(DIALECT not in _DIALECTS, reason="the dialect is not installed")


@asynccontextmanager
async def _open(kind: Kind, hub: Hub, site: Site, world: World, *scopes: str) -> AsyncIterator[Talker]:
    """A client of a team, whose key has these scopes, or all."""
    order = CredentialOrder(name="client", scopes=scopes)
    made = await _DIALECTS[DIALECT].create_credential(hub, world.team, order)
    async with talking(kind, site, api_key=str(made["api_key"])) as talker:
        yield talker


@pytest.fixture
async def talk(kind: Kind, hub: Hub, site: Site, world: World) -> AsyncIterator[Talker]:
    """A client of the hub's own API, of a new team."""
    async with _open(kind, hub, site, world) as talker:
        yield talker


async def _make(talk: Talker, **values: object) -> Customer:
    made = await talk("create", {"name": f"Company {uuid4().hex[:8]}", **values})
    assert isinstance(made.customer, Customer)
    return made.customer


async def test_a_customer_goes_there_and_back(talk: Talker) -> None:
    """What is created is read again as it was answered, with its types."""
    address = {"type": "billing", "line1": "Storgata 8", "city": "Oslo", "country": "NO", "attributes": {}}
    made = await _make(talk, email="hello@lantern.example", addresses=[address], bill_to="/addresses/0")
    assert (made.version, made.email, made.addresses[0].city) == (1, "hello@lantern.example", "Oslo")
    assert made.bill_to == made.addresses[0].id
    assert await talk("get", made.id) == made
    assert await talk("list", email="HELLO@lantern.example") == [made]


async def test_three_forms_of_patches(talk: Talker, world: World) -> None:
    """Each is understood as what it is, and tells what changed and what was there already."""
    made = await _make(talk, phone="+4722334455")
    written = await talk(
        "patch", made.id, {"phone": "+4722334455", "note": "Rings twice.", "sales_reps": {"add": [world.reps[0]]}}
    )
    assert (set(written.changed), written.equal) == ({"/note", "/sales_reps"}, ("/phone",))
    assert written.customer.sales_reps == (UUID(world.reps[0]),)
    written = await talk("merge_patch", made.id, {"note": None}, if_match=2)
    assert (written.changed, written.customer.note) == (("/note",), None)
    operations = [{"op": "test", "path": "/phone", "value": "+4722334455"}, {"op": "remove", "path": "/phone"}]
    written = await talk("json_patch", made.id, operations)
    assert (written.customer.phone, written.customer.version) == (None, 4)


async def test_refusals_say_what_is_wrong(talk: Talker, kind: Kind, hub: Hub, site: Site, world: World) -> None:
    """Each with its class, and pointers to what is wrong."""
    made = await _make(talk, email="first@lantern.example")
    with pytest.raises(Invalid) as invalid:
        await talk("patch", made.id, {"email": "nobody", "surprise": 1})
    assert {one.pointer for one in invalid.value.errors} == {"/email", "/surprise"}
    with pytest.raises(Conflict):
        await talk("create", {"name": "Other", "email": "FIRST@lantern.example"})
    with pytest.raises(NotFound) as absent:
        await talk("get", uuid4())
    assert absent.value.request_id.startswith("req_")
    async with _open(kind, hub, site, world, "read") as reader:
        assert await reader("get", made.id) == made
        with pytest.raises(Forbidden):
            await reader("patch", made.id, {"note": "x"})
    async with talking(kind, site, api_key="hub_nobody") as stranger:
        with pytest.raises(Unauthenticated):
            await stranger("get", made.id)
    assert await talk("get", made.id) == made


async def test_a_stale_write_is_told_apart(talk: Talker) -> None:
    """412 says at which version the record is, and what stands against what."""
    made = await _make(talk, note="first")
    await talk("patch", made.id, {"note": "theirs"})
    with pytest.raises(PreconditionFailed) as stale:
        await talk("patch", made.id, {"note": "mine"}, if_match=1)
    assert stale.value.current == 2
    (difference,) = stale.value.difference
    assert (difference.path, difference.base, difference.mine, difference.theirs) == (
        "/note",
        "first",
        "mine",
        "theirs",
    )


async def test_ten_who_count_at_once_lose_nothing(talk: Talker) -> None:
    """Ten updates of one number at the same time, and every one of them is in it."""
    made = await _make(talk, note="0")

    async def count() -> None:
        await talk("update", made.id, lambda found: {"note": str(int(found.note or 0) + 1)}, attempts=50)

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(count)
    counted = await talk("get", made.id)
    assert (counted.note, counted.version) == ("10", 11)


async def test_history_and_the_way_back(talk: Talker) -> None:
    """Every version with its changes; an old one is put back as a new one; a deleted customer comes back."""
    made = await _make(talk, note="first")
    await talk("patch", made.id, {"note": "second", "phone": "+4722334455"})
    entries = await talk("history", made.id, limit=1)
    assert [(entry.version, entry.action, entry.actor.name) for entry in entries] == [
        (2, "updated", "client"),
        (1, "created", "client"),
    ]
    assert {(one.path, one.old, one.new) for one in entries[0].changes} == {
        ("/note", "first", "second"),
        ("/phone", None, "+4722334455"),
    }
    reverted = await talk("revert", made.id, 1, ["/note"], if_match=2)
    assert (reverted.customer.note, reverted.customer.phone, reverted.customer.version) == ("first", "+4722334455", 3)
    deleted = await talk("delete", made.id)
    assert deleted.customer.deleted_at is not None
    with pytest.raises(NotFound):
        await talk("get", made.id)
    restored = await talk("restore", made.id)
    assert (restored.customer.deleted_at, restored.customer.note) == (None, "first")


async def test_views_are_other_dialects_words(talk: Talker) -> None:
    """The customer as another dialect shows it, and an update in that dialect's words."""
    made = await _make(talk, website="lantern.example")
    view = await talk("view", made.id, "count")
    assert view["website"] == "lantern.example"
    written = await talk("patch_view", made.id, "count", {"notes": "From the books."}, if_match=1)
    assert (written.customer.note, written.view["notes"], written.changed) == (
        "From the books.",
        "From the books.",
        ("/note",),
    )


async def test_a_retry_is_heard_again(talk: Talker, world: World) -> None:
    """The same write under the same key is done once, and answers the same twice."""
    dollar = to_system_id(world.team.id, "unit/usd")
    values = {"name": "Lantern", "credit_limit": {"value": Decimal("25000.00"), "unit": dollar}}
    first, again = [await talk("create", values, idempotency_key="order 7") for _ in range(2)]
    assert first == again
    assert str(first.customer.credit_limit.value) == "25000.00"
    assert len(await talk("list")) == 1
    tried = await talk("create", {"name": "Only tried"}, dry_run=True)
    assert tried.customer.name == "Only tried"
    assert len(await talk("list")) == 1


async def test_what_the_hub_does_not_read_is_told(talk: Talker) -> None:
    """An object where a list of operations should stand is refused, and never guessed at."""
    made = await _make(talk)
    with pytest.raises(BadRequest):
        await talk("json_patch", made.id, {"note": "x"})
    assert (await talk("get", made.id)).version == 1


@pytest.mark.skipif("/hub/v1/changes" not in _ROUTES, reason="there is no feed")
async def test_the_feed_tells_every_change(talk: Talker) -> None:
    """All changes of the team in order, from the beginning and behind a position."""
    made = [await _make(talk) for _ in range(3)]
    await talk("patch", made[0].id, {"note": "x"})
    changes = await talk("changes", limit=2)
    positions = [change.position for change in changes]
    assert positions == sorted(set(positions))
    ours = [(change.customer, change.version) for change in changes if change.customer in {one.id for one in made}]
    assert ours == [*((one.id, 1) for one in made), (made[0].id, 2)]
    assert [change.position for change in await talk("changes", positions[-2])] == positions[-1:]


@pytest.mark.skipif("/hub/v1/search" not in _ROUTES, reason="there is no search")
async def test_a_search_finds_by_a_part(talk: Talker) -> None:
    """A customer is found by a part of its name, and it is said where it was found."""
    made = await _make(talk, name="Lantern Street Books")
    (found,) = await talk("search", "treet Boo")
    assert (found.id, found.name, found.matched) == (made.id, "Lantern Street Books", ("/name",))


async def test_a_merged_customer_leads_on(talk: Talker) -> None:
    """Duplicates are named with their reasons; after a merge the source's id leads on, and it can be taken back."""
    target, source = [await _make(talk, phone=phone) for phone in ("+4722334455", "+47 22 33 44 55")]
    (group,) = await talk("duplicates")
    assert (group.reason, group.value, group.count) == ("phone", "+4722334455", 2)
    assert {one.id for one in group.customers} == {target.id, source.id}
    (candidate,) = (await talk("duplicates_of", target.id)).data
    assert (candidate.customer.id, [one.reason for one in candidate.reasons]) == (source.id, ["phone"])
    await talk("merge", target.id, [source.id], dry_run=True)
    assert (await talk("get", source.id)).id == source.id
    merged = await talk("merge", target.id, [source.id], {"name": source.id})
    assert (merged.customer.name, (await talk("get", source.id)).id) == (source.name, target.id)
    with pytest.raises(Merged) as caught:
        await talk("patch", source.id, {"note": "x"})
    assert caught.value.merged_into == target.id
    await talk("patch", target.id, {"name": "Changed since"})
    with pytest.raises(Conflict):
        await talk("unmerge", target.id, merged.customer.version)
    unmerged = await talk("unmerge", target.id, merged.customer.version, prefer="former")
    assert (unmerged.restored, unmerged.customer.name) == ((source.id,), target.name)
    assert (await talk("get", source.id)).name == source.name


async def test_a_batch_has_an_outcome_for_each(talk: Talker) -> None:
    """What can be done is done and the rest is told; with `atomic` one failure undoes all, and says which it was."""
    made = await _make(talk)
    operations = [
        {"op": "update", "id": made.id, "patch": {"note": "x"}},
        {"op": "update", "id": uuid4(), "patch": {"note": "x"}},
    ]
    with pytest.raises(Conflict) as undone:
        await talk("batch", operations, atomic=True)
    assert [one.status for one in undone.value.problem.results] == [424, 404]
    done, failed = await talk("batch", operations)
    assert (done.index, done.status, done.id, done.version, done.changed) == (0, 200, made.id, 2, ("/note",))
    assert (failed.index, failed.status, failed.error.status) == (1, 404, 404)


async def test_an_erased_customer_has_nothing_left(talk: Talker) -> None:
    """Its history counts its versions and knows no value any more."""
    made = await _make(talk, note="A person's words.")
    with pytest.raises(Invalid):
        await talk("erase", made.id, confirm="another")
    erased = await talk("erase", made.id, confirm=made.number, reason="Asked for")
    assert (erased.erased, erased.customer.note, erased.customer.version) == ((made.id,), None, 2)
    with pytest.raises(NotFound):
        await talk("get", made.id)
    entries = await talk("history", made.id)
    assert [(entry.version, entry.action) for entry in entries] == [(2, "erased"), (1, "created")]
    assert [change.erased for change in entries[1].changes] == [True]
    assert "person" not in str(entries)
