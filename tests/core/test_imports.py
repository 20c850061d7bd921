"""A file of customers: who a row is about, what it makes of them, what is told of it, and that it is done once."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID, uuid4

import pytest

from customerhub.core import admin
from customerhub.core.hub import Hub
from customerhub.core.imports import orders
from customerhub.core.imports.failed import open_failed_rows
from customerhub.core.imports.running import run_import
from customerhub.dialects.forms import find_form
from customerhub.model.error import Conflict, FieldError, Invalid, NotFound
from customerhub.store.imports import Counts, Import, Options, Row
from tests.support.imports import COLUMNS, Files
from tests.support.office import make_office, refused

HISTORY = """
select action, actor, actor_name, dialect, request_id from change
where team = $1 and customer = $2 order by version desc limit 1
"""
LEFT = "select (select count(*) from import_row where team = $1), (select count(*) from import_result where team = $1)"
TERMS = "select name from catalogue_entry where team = $1 and kind = 'payment_term' and lower(name) = 'half on order'"


@pytest.fixture
async def files(hub: Hub) -> AsyncIterator[Files]:
    """Somebody of a team who has files."""
    async with make_office(hub) as office:
        yield Files(office)


@pytest.fixture(autouse=True)
def _small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of a few rows, so that a file of a few has several."""
    monkeypatch.setattr("customerhub.core.imports.running.GROUP_SIZE", 4)


async def names(files: Files) -> dict[str, str]:
    """The team's live customers: their names by number."""
    async with files.office.hub.database.lease() as connection:
        rows = await connection.fetch(
            "select number, name from customer where team = $1 and deleted_at is null order by number",
            files.office.team.id,
        )
    return {row[0]: row[1] for row in rows}


async def test_rows_make_customers_and_change_them(files: Files) -> None:
    """What is new is made, what differs is changed, what is equal is left alone; each row has its result."""
    birch = await files.office.customer(name="Birch", number="B1", email="b@birch.example")
    cedar = await files.office.customer(name="Cedar", number="C1")
    rows = [("Aster", "A1", "a@aster.example"), ("Birch Ltd", "B1"), ("Cedar", "C1"), ("Dogwood", "", "d@d.example")]
    done = await files.load(rows)
    assert (done.status, done.counts) == ("done", Counts(4, 2, 1, 1, 0))
    assert [(one.line, one.outcome, one.key) for one in await files.results(done)] == [
        (2, "created", "A1"),
        (3, "changed", "B1"),
        (4, "equal", "C1"),
        (5, "created", None),
    ]
    assert sorted((await names(files)).values()) == ["Aster", "Birch Ltd", "Cedar", "Dogwood"]
    assert (await files.office.get(birch)).email == "b@birch.example"
    assert await files.office.get(cedar) == cedar


async def test_the_history_names_the_person_the_file_and_the_line(files: Files) -> None:
    """A row's version is the person's, by the door of imports, and its request is the import and the line."""
    done = await files.load([("Aster", "A1")])
    (result,) = await files.results(done)
    async with files.office.hub.database.lease() as connection:
        row = await connection.fetchrow(HISTORY, files.office.team.id, result.customer)
    caller = files.office.caller
    assert row is not None
    assert tuple(row) == ("created", caller.actor, caller.name, "import", f"imp_{done.id}:2")
    found = await orders.get_file_names(files.office.hub, caller, [done.id])
    assert found == {done.id: "customers.csv"}


@pytest.mark.parametrize("match_by", ["email", "number", "reference_id", "id"])
async def test_a_customer_is_found_by_each_key(files: Files, match_by: str) -> None:
    """By its email address in any case of letters, by number, reference or id; a key that nobody has makes another."""
    one = await files.office.customer(name="Aster", number="A1", email="A@aster.example", reference_id="R1")
    keys = {"email": "a@ASTER.example", "number": "A1", "reference_id": "R1", "id": str(one.id)}
    columns = {"Key": match_by, "Note": "note"} | ({"Company": "name"} if match_by != "id" else {})
    done = await files.run(await files.stage([(keys[match_by], "found", "Aster")], columns, match_by=match_by))
    assert [(r.outcome, r.customer) for r in await files.results(done)] == [("changed", one.id)]
    assert (await files.office.get(one)).note == "found"
    strange = str(uuid4()) if match_by == "id" else "z@z.example"
    done = await files.run(await files.stage([(strange, "new", "Zelkova")], columns, match_by=match_by))
    expected = ("refused", "not_found") if match_by == "id" else ("created", None)
    assert [(r.outcome, r.code) for r in await files.results(done)] == [expected]


async def test_what_a_row_may_do_is_chosen(files: Files) -> None:
    """Only making refuses who is there, only changing refuses who is not, and rows without a key."""
    await files.office.customer(name="Aster", number="A1")
    rows = [("Aster Ltd", "A1"), ("Birch", "B1"), ("Cedar", "")]
    done = await files.load(rows, mode="create")
    assert await files.told(done) == [
        (2, "refused", None, "exists"),
        (3, "created", None, None),
        (4, "created", None, None),
    ]
    done = await files.load([("Aster Ltd", "A1"), ("Dogwood", "D1"), ("Elm", "")], mode="update")
    assert await files.told(done) == [
        (2, "changed", None, None),
        (3, "refused", None, "not_found"),
        (4, "refused", None, "no_key"),
    ]


async def test_empty_cells_keep_or_clear(files: Files) -> None:
    """As it was chosen; a name is never emptied."""
    one = await files.office.customer(name="Aster", number="A1", email="a@aster.example", note="kept")
    assert (await files.load([("Aster", "A1", "", "", "")])).counts == Counts(1, 0, 0, 1, 0)
    await files.load([("", "A1", "", "", "")], empty_cells="clear")
    after = await files.office.get(one)
    assert (after.name, after.email, after.note) == ("Aster", None, None)


async def test_wrong_rows_stop_no_other_and_say_all_that_is_wrong(files: Files) -> None:
    """Each error has its column, its place in the customer, a code and a reason."""
    rows = [("Aster", "A1", "nonsense"), ("", "B1", "also nonsense"), ("Cedar", "C1", "c@c.example")]
    done = await files.load(rows)
    assert done.counts == Counts(3, 1, 0, 0, 2)
    results = await files.results(done)
    assert [(r.line, r.number, r.pointer, r.column_name, r.code) for r in results if r.outcome == "refused"] == [
        (2, 0, "/email", "Email", "email"),
        (3, 0, "/email", "Email", "email"),
        (3, 1, "/name", None, "required"),
    ]


async def test_an_email_address_that_is_taken_is_refused(files: Files) -> None:
    """By a customer who is there, by a row of the same group, by a row of an earlier one; and is free once it is given
    up.
    """
    await files.office.customer(name="Zelkova", number="Z1", email="taken@z.example")
    rows = [
        ("Aster", "A1", "taken@z.example"),
        ("Birch", "B1", "one@x.example"),
        ("Cedar", "C1", "ONE@x.example"),
        ("Dogwood", "D1", "two@x.example"),
        ("Elm", "E1", "one@x.example"),
        ("Birch", "B1", "other@x.example"),
        ("Fir", "F1", "one@x.example"),
    ]
    done = await files.load(rows)
    assert await files.told(done) == [
        (2, "refused", "Email", "email_taken"),
        (3, "created", None, None),
        (4, "refused", "Email", "email_taken"),
        (5, "created", None, None),
        (6, "refused", "Email", "email_taken"),
        (7, "changed", None, None),
        (8, "created", None, None),
    ]


async def test_the_same_key_twice_meets_what_the_first_row_left(files: Files) -> None:
    """The later row changes what the earlier one made, in the same group and in another; or is refused."""
    rows = [("Aster", "A1"), ("Aster Ltd", "A1"), ("Birch", "B1"), ("Cedar", "C1"), ("Aster Inc", "A1")]
    done = await files.load(rows)
    assert [one.outcome for one in await files.results(done)] == ["created", "changed", "created", "created", "changed"]
    assert await names(files) == {"A1": "Aster Inc", "B1": "Birch", "C1": "Cedar"}
    done = await files.load([("Dogwood", "D1"), ("Dogwood", "D1")], mode="create")
    assert await files.told(done) == [(2, "created", None, None), (3, "refused", None, "exists")]


async def test_a_trial_says_what_a_run_does_and_writes_nothing(files: Files) -> None:
    """Rows that meet each other, in one group or in several, come to the same as in the run that follows."""
    await files.office.customer(name="Zelkova", number="Z1", email="taken@z.example")
    rows = [
        ("Aster", "A1", "one@x.example"),
        ("Birch", "B1", "taken@z.example"),
        ("Zelkova Ltd", "Z1"),
        ("Cedar", "C1"),
        ("Aster Ltd", "A1"),
        ("Dogwood", "D1", "one@x.example"),
        ("Cedar", "C1"),
        ("Aster", "A1", "free@x.example"),
        ("Elm", "E1", "one@x.example"),
    ]
    staged = await files.stage(rows)
    before = await files.office.fingerprint()
    tried = await files.run(staged, is_trial=True)
    after = await files.office.fingerprint()
    changed = {table for table in before if before[table] != after[table]}
    assert changed <= {"import", "import_result"}
    assert tried.trial is not None
    assert (tried.status, tried.position) == ("staged", 0)
    seen = await files.told(tried, is_trial=True)
    done = await files.run(staged)
    assert tried.trial.counts == done.counts
    assert seen == [one for one in await files.told(done) if one[1] != "equal"]
    shown = {one.line: one.changes for one in await files.results(tried, is_trial=True)}
    assert [(one.path, one.old, one.new) for one in shown[6]] == [("/name", "Aster", "Aster Ltd")]


async def test_inactive_customers_are_found_and_deleted_ones_are_not(files: Files) -> None:
    """Who is inactive keeps their keys; of who was deleted a row makes another."""
    inactive = await files.office.customer(name="Aster", number="A1", status="inactive")
    deleted = await files.office.customer(name="Birch", number="B1")
    await files.office.drop(deleted)
    done = await files.load([("Aster Ltd", "A1"), ("Birch", "B1")])
    results = await files.results(done)
    assert [one.outcome for one in results] == ["changed", "created"]
    assert results[0].customer == inactive.id
    assert results[1].customer != deleted.id


async def test_references_are_checked_and_terms_are_made(files: Files) -> None:
    """A price list that there is not is refused; a payment term by a new name is made once."""
    columns = {"Company": "name", "Terms": "payment_term", "Prices": "price_list"}
    rows = [("Aster", "Half on order", ""), ("Birch", "half ON order", ""), ("Cedar", "", "No such list")]
    done = await files.run(await files.stage(rows, columns, match_by="number"))
    assert [(one.outcome, one.column_name) for one in await files.results(done)] == [
        ("created", None),
        ("created", None),
        ("refused", "Prices"),
    ]
    async with files.office.hub.database.lease() as connection:
        made = await connection.fetch(TERMS, files.office.team.id)
    assert [row[0] for row in made] == ["Half on order"]


async def test_numbers_jump_past_typed_ones(files: Files) -> None:
    """A number that the hub gives is never one that somebody has."""
    await files.office.customer(name="Typed", number="C00002")
    done = await files.load([("Aster", ""), ("Birch", ""), ("Cedar", "")])
    assert done.counts == Counts(3, 3, 0, 0, 0)
    assert len(await names(files)) == 4


async def test_no_more_numbers_are_taken_than_there_are_rows(files: Files) -> None:
    """The next customer that somebody makes has the next number, and rows that make none take none."""
    await files.load([("Aster", ""), ("Birch", "")])
    await files.load([("Aster Ltd", "C00001")])
    assert (await files.office.customer(name="Cedar")).number == "C00003"


async def test_whoever_is_ended_on_the_way_writes_no_more(files: Files) -> None:
    """The import has failed then, with the reason, behind the rows that were done."""
    staged = await files.stage([(f"Aster {place}", f"A{place}") for place in range(12)])
    await files.start(staged)
    hub = files.office.hub

    seen: list[Import] = []
    await _run_and(files, staged, seen)
    await admin.revoke_credential(hub, files.office.caller.credential)
    done = await run_import(hub, staged.team, staged.id, find_form)
    assert done is not None
    assert (done.status, done.counts.done) == ("failed", 4)
    assert done.reason == "who started it may write no more: the key was revoked, or the member disabled"
    assert len(await names(files)) == 4


class _Enough(Exception):
    """Somebody pulls the plug."""


async def _run_and(files: Files, staged: Import, seen: list[Import]) -> None:
    """Run until the first group is done."""

    def stop(one: Import) -> None:
        seen.append(one)
        raise _Enough

    with pytest.raises(_Enough):
        await run_import(files.office.hub, staged.team, staged.id, find_form, stop)


async def test_a_run_that_breaks_off_goes_on_where_it_was(files: Files) -> None:
    """No row is done twice, and none is left out."""
    staged = await files.stage([(f"Aster {place}", "") for place in range(10)])
    await files.start(staged)
    seen: list[Import] = []
    await _run_and(files, staged, seen)
    assert (seen[0].position, len(await names(files))) == (5, 4)
    done = await run_import(files.office.hub, staged.team, staged.id, find_form)
    assert done is not None
    assert (done.status, done.counts) == ("done", Counts(10, 10, 0, 0, 0))
    assert sorted((await names(files)).values()) == sorted(f"Aster {place}" for place in range(10))


async def test_it_rests_and_ends_when_it_is_told_to(files: Files) -> None:
    """A paused one goes on; a cancelled one stays as it is until somebody starts it again."""
    office, render = files.office, files.keep
    staged = await files.stage([(f"Aster {place}", f"A{place}") for place in range(6)])
    await files.start(staged)
    await orders.pause_import(office.hub, office.command(), staged.id, render)
    assert await run_import(office.hub, staged.team, staged.id, find_form) is None
    await refused(Conflict, orders.pause_import(office.hub, office.command(), staged.id, render), office)
    await files.start(staged)
    await orders.cancel_import(office.hub, office.command(), staged.id, render)
    assert (await orders.get_import(office.hub, office.caller, staged.id)).status == "cancelled"
    done = await files.run(staged)
    assert (done.status, done.counts.created) == ("done", 6)
    await refused(Conflict, files.start(done), office)


async def test_refused_rows_come_back_as_a_file(files: Files) -> None:
    """The same columns, the reason before them; formulas are guarded; mended and sent again they are all in."""
    rows: list[Sequence[str] | Row] = [
        ("=1+1", "A1", "nonsense"),
        ("Birch", "B1", "b@b.example"),
        Row(9, ["Cedar"], FieldError((), "x", "short")),
    ]
    done = await files.load(rows)
    name, pieces = await open_failed_rows(files.office.hub, files.office.caller, done.id)
    assert name == "customers-failed.csv"
    assert b"".join([piece async for piece in pieces]).decode() == (
        "import_error,Company,No,Email,Ref,Note\n"
        "Email: must be an email address of at most 254 characters,'=1+1,A1,nonsense,,\n"
        "short,Cedar\n"
    )
    async with files.office.hub.database.lease() as connection:
        left = await connection.fetch("select line from import_row where team = $1", files.office.team.id)
    assert [row[0] for row in left] == [2, 9]


async def test_a_mapping_that_does_not_hold_is_refused(files: Files) -> None:
    """Before anything is run; and options stay as they are once it was."""
    office = files.office
    staged = await files.stage([("Aster", "A1")])

    async def change(**options: object) -> None:
        def decide(one: Import) -> Options:
            return Options(**{"mapping": one.options.mapping, **options})  # type: ignore[arg-type]

        await orders.change_options(office.hub, office.command(), staged.id, decide, find_form, files.keep)

    await refused(Invalid, change(mapping={"Company": "nothing"}), office)
    await refused(Invalid, change(shape="nobody"), office)
    await change(match_by="email", mode="create")
    assert files.made[-1].options.mode == "create"
    await files.run(staged)
    await refused(Conflict, change(), office)


async def test_a_file_without_rows_is_none(files: Files) -> None:
    """And leaves nothing behind."""
    await refused(Invalid, files.stage([]), files.office)


async def test_nobody_else_sees_a_teams_imports(files: Files, hub: Hub) -> None:
    """Another team hears that there is no such import, whatever it asks."""
    done = await files.load([("Aster", "A1", "nonsense")])
    async with make_office(hub) as other:
        caller = other.caller
        assert (await orders.list_imports(hub, caller, None, 10)).items == ()
        assert await orders.get_file_names(hub, caller, [done.id]) == {}
        for asked in (
            orders.get_import(hub, caller, done.id),
            orders.get_preview(hub, caller, done.id),
            orders.list_results(hub, caller, done.id, is_trial=False),
            open_failed_rows(hub, caller, done.id),
            orders.start_import(hub, other.command(), done.id, find_form, files.keep),
            orders.delete_import(hub, other.command(), done.id, files.keep),
        ):
            await refused(NotFound, asked, other)


async def test_a_deleted_import_leaves_its_name(files: Files) -> None:
    """Its rows go, and what came of them; what it wrote stays."""
    office = files.office
    done = await files.load([("Aster", "A1", "nonsense"), ("Birch", "B1")])
    await orders.delete_import(office.hub, office.command(), done.id, files.keep)
    with pytest.raises(NotFound):
        await orders.get_import(office.hub, office.caller, done.id)
    assert await orders.get_file_names(office.hub, office.caller, [done.id]) == {done.id: "customers.csv"}
    assert await names(files) == {"B1": "Birch"}
    async with office.hub.database.lease() as connection:
        left = await connection.fetchrow(LEFT, office.team.id)
    assert left is not None
    assert tuple(left) == (0, 0)


async def test_rows_that_change_need_no_version_where_one_is_not_asked_for(files: Files) -> None:
    """Columns that go nowhere are not looked at."""
    columns = {**COLUMNS, "Whatever": None}
    staged = await files.stage([("Aster", "A1", "", "", "", "x")], columns)  # type: ignore[arg-type]
    assert (await files.run(staged)).counts.created == 1
    assert isinstance(staged.id, UUID)
