"""A merge of customers: nothing of the sources is lost, it is one transaction, under the guards of every write."""

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from customerhub.core.access import find_caller
from customerhub.model.answer import Answer
from customerhub.model.customer import Customer
from customerhub.model.error import (
    Conflict,
    FieldError,
    Invalid,
    KeyMismatch,
    Malformed,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    Unauthenticated,
    Unavailable,
)
from customerhub.model.patch import AttributesPatch
from customerhub.store.customers import NewVersion, write_version
from customerhub.store.db import Connection
from customerhub.store.relatives import Wanted
from tests.support.households import Household, check_tree, cities, make_household
from tests.support.ledger import Ledger, key, make_ledger, only_at, shown, told
from tests.support.world import DIALECT, World, make_key

EVENTS = "select customer, version, type from event where team = $1"
ADD_SINK = "update team set has_sinks = true where id = $1 returning id"


@pytest.fixture
async def ledger(world: World) -> Ledger:
    """The customers of a team."""
    return await make_ledger(world)


@pytest.fixture
async def household(ledger: Ledger) -> Household:
    """A target, three full sources, and customers below them."""
    return await make_household(ledger)


async def merged(ledger: Ledger, household: Household, **guards: Any) -> Customer:  # Any: guards
    """The target once all of its sources are in it."""
    return shown(await ledger.merge(household.target, *household.sources, **guards))


async def test_nothing_of_the_sources_is_lost(ledger: Ledger, household: Household) -> None:
    """Addresses, contacts and custom values are with the target by their ids, those that say the same once."""
    target, (one, two, three) = household.target, household.sources
    after = await merged(ledger, household)
    assert cities(after) == ["Bergen one", "Bergen three", "Bergen two", "Oslo", "Tromsø"]
    kept = [entry for source in household.sources for entry in source.addresses if entry in after.addresses]
    assert set(after.addresses) == {*target.addresses, *kept}
    assert kept[0:2] == list(one.addresses)
    assert sorted(f"{person.first_name} {person.last_name}" for person in after.contacts) == [
        "Ingrid None",
        "Lars one",
        "Lars three",
        "Lars two",
    ]
    assert {value.name: value.value for value in after.attributes} == {
        "Region": "one",
        "Only one": "x",
        "Only two": "x",
        "Only three": "x",
    }
    assert (after.email, after.phone, after.reference_id) == ("one@nordlys.example", "phone one", "ERP-one")
    assert (after.tax_number, after.note) == ("tax one", "note Company one")
    unmoved = ("name", "number", "display_name", "payment_mode", "credit_limit", "bill_to", "primary_contact")
    assert [getattr(after, field) for field in unmoved] == ["Target", target.number, None, None, None, None, None]
    assert (await ledger.get(target)).customer == after
    for source in (one, two, three):
        with pytest.raises(NotFound):
            await ledger.get(source)


async def test_every_history_goes_on(ledger: Ledger, household: Household) -> None:
    """Each record has one more version, its earlier ones untouched; sources say where they went, at one moment."""
    before = (await ledger.stored()).changes
    after = await merged(ledger, household)
    stored = await ledger.stored()
    assert {own: changes[:-1] for own, changes in stored.changes.items() if own in touched(household)} == {
        own: changes for own, changes in before.items() if own in touched(household)
    }
    newest = {own: stored.changes[own][-1] for own in touched(household)}
    assert {change.at for change in newest.values()} == {after.updated_at}
    assert {newest[own.id].action for own in (household.target, *household.sources)} == {"merged"}
    assert {newest[child.id].action for child in household.children} == {"updated"}
    for source in household.sources:
        gone = stored.customers[source.id]
        assert (gone.merged_into, gone.deleted_at) == (after.id, after.updated_at)
        assert (gone.addresses, gone.contacts, gone.email) == (source.addresses, source.contacts, source.email)
        assert [edit["path"] for edit in newest[source.id].changes] == ["/deleted_at", "/merged_into"]
    named = {edit["path"] for edit in newest[after.id].changes}
    assert {f"/addresses/{address.id}" for address in after.addresses[1:]} < named
    assert {"/email", "/attributes/Region", "/reference_id"} < named


def touched(household: Household) -> set[UUID]:
    """Everybody whose record the merge changes."""
    return {own.id for own in (household.target, *household.sources, *household.children)}


async def test_those_below_the_sources_stand_below_the_target(ledger: Ledger, household: Household) -> None:
    """Each child has the target as its parent, at its next version, and the answer shows them."""
    wanted = Wanted(parent=True, children=3)
    answer = await ledger.merge(household.target, *household.sources, wanted=wanted)
    for child in household.children:
        found = (await ledger.get(child)).customer
        assert (found.parent, found.version) == (household.target.id, child.version + 1)
    shown_relatives = msgspec.json.decode(answer.body)["relatives"]
    newest = [str(child.id) for child in reversed(household.children)]
    assert [child["id"] for child in shown_relatives["children"]] == newest[:3]
    assert (shown_relatives["has_children"], shown_relatives["has_more_children"]) == (True, True)
    await check_tree(ledger)


async def test_what_was_unique_is_free_again(ledger: Ledger, household: Household) -> None:
    """What the target took is the target's; the other sources' email address, number and reference are anybody's."""
    _, two, _ = household.sources
    await merged(ledger, household)
    fields = {"email": "TWO@nordlys.example", "number": two.number, "reference_id": two.reference_id}
    assert (await ledger.add(**fields)).number == two.number
    other = await ledger.add()
    taken = await ledger.refused(Invalid, ledger.update(other, email="one@nordlys.example", reference_id="ERP-one"))
    assert sorted(told(taken)) == [("email", "email_taken"), ("reference_id", "reference_id_taken")]


async def test_what_the_target_has_stays(ledger: Ledger) -> None:
    """Its own email address, phone and reference win over those of every source."""
    own = {"email": "own@nordlys.example", "phone": "own", "reference_id": "own", "note": "own", "tax_number": "own"}
    household = await make_household(ledger, **own)
    after = await merged(ledger, household)
    assert {field: getattr(after, field) for field in own} == own


async def test_sinks_are_told_of_everybody(ledger: Ledger, household: Household) -> None:
    """One event for each record that the merge changed, and none where the team has no sink."""
    await ledger.merge(await ledger.add(), await ledger.add())
    assert await ledger.fetch(EVENTS) == []
    await ledger.fetch(ADD_SINK)  # from now on
    after = await merged(ledger, household)
    expected = {(own.id, own.version + 1, "customer.merged") for own in household.sources}
    expected |= {(after.id, after.version, "customer.merged")}
    expected |= {(child.id, 2, "customer.updated") for child in household.children}
    assert set(await ledger.fetch(EVENTS)) == expected


async def test_a_write_that_fails_leaves_nothing_behind(
    ledger: Ledger, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the versions cannot be written, none is; at last all are."""
    writes: list[NewVersion] = []

    async def write(connection: Connection, version: NewVersion) -> bool:
        writes.append(version)
        is_written = await write_version(connection, version)
        if len(writes) == last:
            raise ConnectionResetError
        return is_written

    monkeypatch.setattr("customerhub.core.versions.store.write_version", write)
    before = await ledger.fingerprint()
    everybody = len(touched(household))
    for last in range(1, everybody + 1):
        writes.clear()
        with pytest.raises(Unavailable):
            await merged(ledger, household)
        assert len(writes) == last
        assert await ledger.fingerprint() == before
    last = 0
    writes.clear()
    await merged(ledger, household)
    assert [version.action for version in writes] == ["merged"] * 3 + ["updated"] * 4 + ["merged"]
    await ledger.stored()


async def test_a_write_that_comes_too_late_is_made_again_with_all_others(
    ledger: Ledger, household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where one version finds its record changed, those before it are taken back, and all are written anew."""
    late = [True, False, False]

    async def write(connection: Connection, version: NewVersion) -> bool:
        return not (late and late.pop()) and await write_version(connection, version)

    monkeypatch.setattr("customerhub.core.versions.store.write_version", write)
    after = await merged(ledger, household)
    assert late == []
    stored = await ledger.stored()
    assert {own.id: stored.customers[own.id].version for own in household.sources} == {
        own.id: own.version + 1 for own in household.sources
    }
    assert after.version == household.target.version + 1


async def test_a_dry_run_shows_the_same_and_changes_nothing(ledger: Ledger, household: Household) -> None:
    """The answer of the dry run is the one that comes then, but for the time."""
    before = await ledger.fingerprint()
    wanted = Wanted(parent=True, children=9)
    tried = await ledger.merge(household.target, *household.sources, wanted=wanted, dry_run=True)
    assert await ledger.fingerprint() == before
    done = await ledger.merge(household.target, *household.sources, wanted=wanted)
    bodies = [msgspec.json.decode(answer.body) for answer in (tried, done)]
    for body in bodies:
        del body["data"]["updated_at"]
        for child in body["relatives"]["children"]:
            del child["updated_at"]
    assert bodies[0] == bodies[1]
    assert tried.headers == done.headers


async def test_a_key_replays_the_merge(ledger: Ledger, household: Household) -> None:
    """The same bytes again, marked, though the sources are gone; another request under the key is refused."""
    first = await ledger.merge(household.target, *household.sources, key=key("one"))
    before = await ledger.fingerprint()
    again = await ledger.merge(household.target, *household.sources, key=key("one"), if_match=only_at(1))
    assert again == first.with_header("idempotent-replayed", "true")
    await ledger.refused(KeyMismatch, ledger.merge(household.target, key=key("one", b"\1" * 32)))
    assert await ledger.fingerprint() == before
    assert (await ledger.stored()).answers == [(household.target.id, 2)]


async def test_a_key_keeps_what_is_wrong_with_the_request(ledger: Ledger) -> None:
    """Refusals of the request, of its sources and of the tree are the key's answer, and stay it."""
    target, child = await ledger.add(), await ledger.add()

    def broken() -> tuple[UUID, ...]:
        raise Malformed("no JSON")

    def wrong() -> tuple[UUID, ...]:
        raise Invalid((FieldError(("source_customer_ids",), "type", "must be a list"),))

    def unknown() -> tuple[UUID, ...]:
        return (UUID(int=1),)

    for read, kept in (
        (broken, b"Malformed: no JSON"),
        (wrong, b"Invalid: source_customer_ids: must be a list"),
        (unknown, b"Invalid: source_customer_ids[0]: no such customer"),
    ):
        name = key(read.__name__)
        assert await ledger.merge_by(target.id, read, key=name) == Answer(400, kept)
        replayed = await ledger.merge_by(target.id, lambda: (child.id,), key=name)
        assert replayed == Answer(400, kept).with_header("idempotent-replayed", "true")
    assert (await ledger.get(child)).customer == child


async def test_the_precondition_is_the_targets(ledger: Ledger, household: Household, world: World) -> None:
    """If-Match names the target's version, whatever the sources are at; a credential may demand it."""
    wrong = household.target.version + 1
    await ledger.refused(PreconditionFailed, merged(ledger, household, if_match=only_at(wrong)))
    secret = await make_key(world.hub, world.team, requires_precondition=True)
    careful = await find_caller(world.hub, DIALECT, secret)
    await ledger.refused(PreconditionRequired, merged(Ledger(world.hub, careful), household))
    after = await merged(Ledger(world.hub, careful), household, if_match=only_at(household.target.version))
    assert after.version == household.target.version + 1


async def test_sources_that_are_none_are_refused_by_their_place(ledger: Ledger, other_world: World) -> None:
    """Unknown, deleted, foreign ids and the target itself are told all at once, each where it stood first."""
    target, source, deleted = [await ledger.add() for _ in range(3)]
    await ledger.delete(deleted)
    foreign = await (await make_ledger(other_world)).add()
    unknown = uuid4()
    asked = (source, unknown, target, source, deleted, foreign, unknown, UUID(int=0))
    error = await ledger.refused(Invalid, ledger.merge(target, *asked))
    assert told(error) == [
        ("source_customer_ids[1]", "unknown_id"),
        ("source_customer_ids[2]", "is_target"),
        ("source_customer_ids[4]", "unknown_id"),
        ("source_customer_ids[5]", "unknown_id"),
        ("source_customer_ids[7]", "unknown_id"),
    ]


async def test_sources_are_counted_once(ledger: Ledger) -> None:
    """None is too few, a hundred and one are too many, the same one again and again is one."""
    target, source = await ledger.add(), await ledger.add()
    many = [uuid4() for _ in range(101)]
    for asked in ([], many):
        error = await ledger.refused(Invalid, ledger.merge(target, *asked))
        assert told(error) == [("source_customer_ids", "length")]
    after = shown(await ledger.merge(target, *[source] * 500))
    assert after.version == 2
    assert len((await ledger.stored()).changes[source.id]) == 2


async def test_a_target_that_is_none_is_not_found(ledger: Ledger, other_world: World) -> None:
    """Unknown, deleted and foreign targets, whatever the request says."""
    source, deleted = await ledger.add(), await ledger.add()
    await ledger.delete(deleted)
    foreign = await (await make_ledger(other_world)).add()
    for target in (uuid4(), deleted.id, foreign.id, None):
        await ledger.refused(NotFound, ledger.merge_by(target, lambda: (source.id,)))


async def test_a_dead_credential_merges_nothing(ledger: Ledger, household: Household, world: World) -> None:
    """The credential is asked after by the merge itself."""
    async with world.hub.database.lease() as connection:
        await connection.execute("update credential set revoked_at = now() where team = $1", world.team.id)
    await ledger.refused(Unauthenticated, merged(ledger, household))


async def test_a_target_below_a_source_moves_up(ledger: Ledger) -> None:
    """It takes the place of the source, also where several above it go; what stood between stays below it."""
    top = await ledger.add()
    upper = await ledger.add(parent=top.id)
    lower = await ledger.add(parent=upper.id)
    target = await ledger.add(parent=lower.id)
    sibling = await ledger.add(parent=lower.id)
    assert shown(await ledger.merge(target, lower, upper)).parent == top.id
    assert (await ledger.get(sibling)).customer.parent == target.id
    assert shown(await ledger.merge(target, top)).parent is None
    await check_tree(ledger)


async def test_sources_below_the_target_and_below_each_other_go(ledger: Ledger) -> None:
    """What is below them comes up to the target; only who stays gets a version for that."""
    target = await ledger.add()
    upper = await ledger.add(parent=target.id)
    lower = await ledger.add(parent=upper.id)
    child = await ledger.add(parent=lower.id)
    assert shown(await ledger.merge(target, upper, lower)).parent is None
    assert (await ledger.get(child)).customer.parent == target.id
    assert len((await ledger.stored()).changes[lower.id]) == 2


async def test_a_target_never_comes_to_stand_above_itself(ledger: Ledger) -> None:
    """Where somebody who stays stands between the source and the target, the merge is refused, and kept so."""
    source = await ledger.add()
    between = await ledger.add(parent=source.id)
    target = await ledger.add(parent=between.id)
    await ledger.refused(Conflict, ledger.merge(target, source))
    kept = await ledger.merge(target, source, key=key("one"))
    assert kept.status == 400
    assert shown(await ledger.merge(target, source, between)).parent is None


async def test_merging_goes_on_from_a_merged_customer(ledger: Ledger) -> None:
    """Who took others in may go into another one; each says where it went itself."""
    first, second, third = [await ledger.add() for _ in range(3)]
    await ledger.merge(second, first)
    await ledger.merge(third, second)
    customers = (await ledger.stored()).customers
    assert (customers[first.id].merged_into, customers[second.id].merged_into) == (second.id, third.id)


async def test_a_hundred_full_sources_go_at_once(ledger: Ledger) -> None:
    """The most that one merge takes."""
    target = await ledger.add()
    sources = [await ledger.add(attributes=AttributesPatch(put={f"Only {place}": "x"})) for place in range(100)]
    after = shown(await ledger.merge(target, *sources))
    assert [value.name for value in after.attributes] == [f"Only {place}" for place in range(100)]
    await ledger.stored()
