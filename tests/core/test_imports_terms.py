"""Terms that a team does not have yet come with the first row that names them; the others then go together."""

from collections.abc import AsyncIterator

import pytest

from customerhub.core.hub import Hub
from customerhub.core.imports import writing
from customerhub.store.imports import Counts
from tests.support.imports import Files
from tests.support.office import make_office

TERMS = """
select e.name, count(c.id) from catalogue_entry e
left join customer c on c.team = e.team and c.payment_term = e.id
where e.team = $1 and e.kind = 'payment_term' and e.name ilike 'half%' group by e.name order by e.name
"""
COLUMNS = {"Company": "name", "Number": "number", "Email": "email", "Terms": "payment_term"}


@pytest.fixture
async def files(hub: Hub) -> AsyncIterator[Files]:
    """Somebody of a team who has files."""
    async with make_office(hub) as office:
        yield Files(office)


async def test_the_first_row_of_a_new_term_brings_it(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each term is made once, by the first row that is not refused; only rows that bring one are written alone."""
    await files.office.customer(name="Birch", number="B1", email="b@birch.example")
    alone: list[int] = []
    write_alone = writing._write_alone

    async def note(*arguments: object) -> None:
        alone.append(arguments[-1].line)  # type: ignore[attr-defined] # an item
        await write_alone(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(writing, "_write_alone", note)
    rows = [
        ("Aster", "A1", "b@birch.example", "Half later"),
        *((f"Cedar {place}", f"C{place}", f"c{place}@c.example", "half LATER") for place in range(20)),
        *((f"Dogwood {place}", f"D{place}", "", "Half on order") for place in range(10)),
        ("Elm", "C3", "", "Half on order"),
    ]

    done = await files.run(await files.stage(rows, COLUMNS, match_by="number"))

    assert done.counts == Counts(32, 30, 1, 0, 1)
    async with files.office.hub.database.lease() as connection:
        found = [tuple(row) for row in await connection.fetch(TERMS, files.office.team.id)]
    assert sorted(found) == [("Half on order", 11), ("half LATER", 19)]
    assert (await files.results(done))[0].code == "email_taken"
    assert alone == [2, 3, 23, 33]


async def test_a_trial_of_new_terms_leaves_none(files: Files) -> None:
    """What a trial tells of rows with a new term is what a run does; it makes no term."""
    rows = [(f"Cedar {place}", f"C{place}", "", "Half later") for place in range(5)]
    staged = await files.stage(rows, COLUMNS, match_by="number")
    assert staged.rows == 5
    tried = await files.run(staged, is_trial=True)
    assert tried.trial is not None
    assert tried.trial.counts == Counts(5, 5, 0, 0, 0)
    async with files.office.hub.database.lease() as connection:
        assert await connection.fetch(TERMS, files.office.team.id) == []
