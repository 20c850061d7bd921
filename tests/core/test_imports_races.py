"""Others write while an import runs: what both change stays, no row is done twice, who may no more stops."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

from customerhub.core import admin
from customerhub.core.access import find_caller
from customerhub.core.admin import NewUser
from customerhub.core.hub import Hub
from customerhub.core.imports import running
from customerhub.core.imports.running import run_import
from customerhub.core.imports.writing import write_group
from customerhub.core.members import set_status
from customerhub.dialects.forms import find_form
from customerhub.model.answer import Answer
from customerhub.model.catalogue import AccountGroupDetails
from customerhub.store.imports import Counts
from tests.support.imports import Files
from tests.support.office import DIALECT, Office, make_office

SIZE = 4


@pytest.fixture
async def files(hub: Hub) -> AsyncIterator[Files]:
    """Somebody of a team who has files."""
    async with make_office(hub) as office:
        yield Files(office)


@pytest.fixture(autouse=True)
def _small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups of a few rows, so that a file of a few has several."""
    monkeypatch.setattr(running, "GROUP_SIZE", SIZE)


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Awaitable[object]], int], None]:
    """Lets something happen once a group (from 1 on) is decided, and not yet written."""

    def arrange(work: Callable[[], Awaitable[object]], group: int = 1) -> None:
        seen = 0

        async def write(*arguments: Any) -> None:  # Any: those of `write_group`
            nonlocal seen
            seen += 1
            if seen == group:
                await work()
            await write_group(*arguments)

        monkeypatch.setattr(running, "write_group", write)

    return arrange


Between = Callable[..., None]


async def test_a_row_whose_customer_is_changed_meanwhile_is_decided_anew(files: Files, between: Between) -> None:
    """What somebody has written between the look-up and the write stays, beside what the row says."""
    one = await files.office.customer(name="Aster", number="A1", note="old")
    other = await files.office.customer(name="Birch", number="B1")
    between(lambda: files.office.patch(one, note="theirs"))
    done = await files.load([("Aster Ltd", "A1"), ("Birch Ltd", "B1")])
    assert done.counts == Counts(2, 0, 2, 0, 0)
    after = await files.office.get(one)
    assert (after.version, after.name, after.note) == (3, "Aster Ltd", "theirs")
    assert (await files.office.get(other)).version == 2


async def test_a_row_whose_customer_is_deleted_meanwhile_makes_another(files: Files, between: Between) -> None:
    """As if they had been gone before."""
    one = await files.office.customer(name="Aster", number="A1")
    between(lambda: files.office.drop(one))
    done = await files.load([("Aster Ltd", "A1"), ("Birch", "B1")])
    assert done.counts == Counts(2, 2, 0, 0, 0)
    (result, _) = await files.results(done)
    assert result.customer != one.id


async def test_what_a_row_refers_to_may_go_meanwhile(files: Files, between: Between) -> None:
    """A group that no customer may have any more is refused to its rows; the others are in."""
    office = files.office
    group = await office.add("account_group", "Retailers", AccountGroupDetails("type_group"))
    columns = {"Company": "name", "No": "number", "Group": "type_group"}
    rows: list[Sequence[str]] = [(f"Aster {place}", f"A{place}") for place in range(SIZE)]
    rows += [(f"Birch {place}", f"B{place}", "Retailers" if place % 2 else "") for place in range(SIZE)]
    between(lambda: office.remove(group), 2)
    done = await files.run(await files.stage(rows, columns))
    assert done.counts == Counts(8, 6, 0, 0, 2)
    wrong = [(one.line, one.column_name, one.code) for one in await files.results(done, outcomes=("refused",))]
    assert wrong == [(7, "Group", "unknown_name"), (9, "Group", "unknown_name")]


async def test_two_imports_of_the_same_keys_at_once_make_each_customer_once(files: Files) -> None:
    """Whichever comes first makes it, the other changes it, and what either says stands in it."""
    keys = [f"A{place}" for place in range(5 * SIZE)]
    mine = await files.stage([(key, key, "", "", "mine") for key in keys])
    theirs = await files.stage([(key, key, "", f"R {key}") for key in reversed(keys)])
    for one in (mine, theirs):
        await files.start(one)
    ran = await asyncio.gather(*(run_import(files.office.hub, one.team, one.id, find_form) for one in (mine, theirs)))
    done = [one for one in ran if one is not None]
    assert [one.status for one in done] == ["done", "done"]
    assert sum(one.counts.created for one in done) == sum(one.counts.changed for one in done) == len(keys)
    async with files.office.hub.database.lease() as connection:
        rows = await connection.fetch(
            "select number, reference_id, note from customer where team = $1 order by created_at", files.office.team.id
        )
    assert {tuple(row) for row in rows} == {(key, f"R {key}", "mine") for key in keys}
    assert len(rows) == len(keys)


async def test_a_member_who_is_disabled_meanwhile_writes_no_more(files: Files, between: Between) -> None:
    """The import has failed with the reason behind what was done, and goes on for somebody else."""
    office = files.office
    user = await admin.create_user(office.hub, office.team, NewUser("ingrid@kestrel.example", "Ingrid", "Berg"))
    _, secret = await admin.create_credential(
        office.hub, office.team, dialect=DIALECT, name="hers", prefix="", team_user=user.id, role="admin"
    )
    hers = Files(Office(office.hub, office.team, await find_caller(office.hub, DIALECT, secret)))
    assert hers.office.caller.actor == user.id
    staged = await hers.stage([(f"Aster {place}", f"A{place}") for place in range(3 * SIZE)])

    async def disable() -> None:
        await set_status(office.hub, office.command(), user.id, "inactive", lambda *_: Answer(200))

    between(disable, 2)
    done = await hers.run(staged)
    assert (done.status, done.counts) == ("failed", Counts(SIZE, SIZE, 0, 0, 0))
    assert done.reason == "who started it may write no more: the key was revoked, or the member disabled"
    done = await files.run(done)
    assert (done.status, done.counts) == ("done", Counts(3 * SIZE, 3 * SIZE, 0, 0, 0))
