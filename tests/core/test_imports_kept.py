"""What imports keep of customers: it goes with an erasure, and with age; what came of a file is found for so long."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from customerhub.core.erasure import Order, erase_customer
from customerhub.core.housekeeping import Housekeeper
from customerhub.core.hub import Hub
from customerhub.core.imports import orders
from customerhub.model.answer import Answer
from customerhub.settings import Settings
from customerhub.store.db import Database
from tests.support.imports import Files
from tests.support.office import make_office

KEPT = """
select (select count(*) from import_row where team = $1), (select count(*) from import_result where team = $1)
"""
HELD = """
select count(*) from (
    select r.cells::text as text from import_row r where r.team = $1
    union all
    select concat_ws(' ', s.key, s.reason, s.changes::text) from import_result s where s.team = $1
) t where t.text ilike '%' || $2 || '%'
"""


@pytest.fixture
async def files(hub: Hub) -> AsyncIterator[Files]:
    """Somebody of a team who has files."""
    async with make_office(hub) as office:
        yield Files(office)


async def test_an_erasure_reaches_rows_and_what_came_of_them(files: Files) -> None:
    """Rows that tell of the customer by any text of theirs lose their cells, also those of other customers' imports
    that wait; other rows stay.
    """
    office = files.office
    done = await files.load(
        [("Zeldakind", "Z1", "zelda@x.example"), ("Zeldakind", "", "nonsense"), ("Birch", "", "no")]
    )
    tried = await files.run(await files.stage([("Zeldakind Ltd", "Z1"), ("Cedar", "C1")]), is_trial=True)
    (made,) = [one.customer for one in await files.results(done) if one.outcome == "created"]
    async with office.hub.database.lease() as connection:
        assert await connection.fetchval(HELD, office.team.id, "zelda") == 3
    await erase_customer(office.hub, office.command(), made, Order, lambda _: Answer(200))
    async with office.hub.database.lease() as connection:
        assert await connection.fetchval(HELD, office.team.id, "zelda") == 0
        assert await connection.fetchval(HELD, office.team.id, "birch") == 1
    assert [one.key for one in await files.results(done)] == [None, None, None]
    later = await files.run(tried)
    assert await files.told(later) == [(2, "refused", None, "erased"), (3, "created", None, None)]


async def test_rows_go_a_while_after_anybody_has_touched_them(files: Files, database_url: str) -> None:
    """The import stays, with its counts; it cannot be run any more."""
    office = files.office
    done = await files.load([("Aster", "A1"), ("Birch", "B1", "nonsense")])
    for days, left in ((29, (1, 2)), (31, (0, 0))):
        database = Database(database_url, size=1)
        when = datetime.now(UTC) + timedelta(days=days)
        await Housekeeper(database, Settings(), lambda when=when: when).sweep()  # type: ignore[misc]
        await database.close()
        async with office.hub.database.lease() as connection:
            row = await connection.fetchrow(KEPT, office.team.id)
        assert row is not None
        assert tuple(row) == left
    after = await orders.get_import(office.hub, office.caller, done.id)
    assert (after.counts, after.is_kept) == (done.counts, False)


async def test_imports_are_listed_from_the_newest_on(files: Files) -> None:
    """Page by page, without those that were taken away."""
    office = files.office
    made = [(await files.stage([(f"Aster {place}",)])).id for place in range(4)]
    await orders.delete_import(office.hub, office.command(), made[1], files.keep)
    first = await orders.list_imports(office.hub, office.caller, None, 2)
    assert [one.id for one in first.items] == [made[3], made[2]]
    second = await orders.list_imports(office.hub, office.caller, first.after, 2)
    assert [one.id for one in second.items] == [made[0]]
    back = await orders.list_imports(office.hub, office.caller, second.before, 2)
    assert [one.id for one in back.items] == [made[3], made[2]]
