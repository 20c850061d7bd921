"""Files that APIs have shown: an export comes back unchanged, changed cells change what they say; others' files too."""

import csv
from collections.abc import AsyncIterator
from io import StringIO
from typing import Any

import pytest

from customerhub.core.exports import Format
from customerhub.core.hub import Hub
from customerhub.store.imports import Counts, Import
from customerhub.web.serve import Site
from tests.support.hub import Desk, make_desk
from tests.support.imports import Files, export
from tests.support.office import Office

NAMES = {"wizcommerce": "name", "count": "customer", "augno": "name", "hub": "name"}
"""What each shape calls the name."""
EMAILS = {"wizcommerce": "email", "count": "email", "augno": "contact_info.email", "hub": "email"}
every_shape = pytest.mark.parametrize("shape", NAMES)
every_format = pytest.mark.parametrize("form", ["csv", "jsonl"])


@pytest.fixture
async def desk(hub: Hub, site: Site) -> AsyncIterator[Desk]:
    """A team with two of everything that a customer refers to."""
    async with make_desk(hub, site) as made:
        yield made


async def to_files(desk: Desk) -> Files:
    """What somebody there does with files."""
    return Files(Office(desk.hub, desk.team, await desk.caller()))


async def bring(files: Files, content: bytes, **options: Any) -> Import:
    """A file, read as it says itself, and run."""
    return await files.run(await files.send(content, **options))


def edit(content: bytes, column: str, values: list[str]) -> bytes:
    """The same CSV with other cells in a column."""
    rows = list(csv.DictReader(StringIO(content.decode(), newline="")))
    written = StringIO(newline="")
    writer = csv.DictWriter(written, rows[0])
    writer.writeheader()
    writer.writerows({**row, column: value} for row, value in zip(rows, values, strict=True))
    return written.getvalue().encode()


@every_format
@every_shape
async def test_an_export_read_again_changes_nothing(desk: Desk, shape: str, form: Format) -> None:
    """It is known for what it is, and each row is about the customer of its id; empty cells leave, or clear."""
    files = await to_files(desk)
    await desk.create(desk.full_body() | {"name": '-1, "and" \'=1', "note": "one\ntwo"})
    await desk.create(desk.full_body())
    await desk.create(phone="+4722334455")
    content = await export(files, shape, form)
    before = await files.office.fingerprint()
    for empty_cells in ("keep", "clear"):
        done = await bring(files, content, empty_cells=empty_cells)
        assert (done.options.shape, done.options.match_by) == (shape, "id")
        assert done.counts == Counts(3, 0, 0, 3, 0), await files.results(done)
    if form == "jsonl":
        # As rows that were refused come back.
        done = await bring(files, content.replace(b'{"', b'{"import_error":"too late","', 1))
        assert done.counts == Counts(3, 0, 0, 3, 0), await files.results(done)
    after = await files.office.fingerprint()
    assert {table for table in before if before[table] != after[table]} <= {"import", "import_result", "import_row"}


@every_shape
async def test_changed_cells_change_these_fields(desk: Desk, shape: str) -> None:
    """And no other one, of these customers and no other."""
    files = await to_files(desk)
    made = [await desk.create(desk.full_body()), await desk.create(email="b@birch.example")]
    content = edit(await export(files, shape, "csv"), NAMES[shape], ["Aster", made[1]["name"]])
    content = edit(content, EMAILS[shape], [made[0]["email"], "c@cedar.example"])
    done = await bring(files, content)
    assert done.counts == Counts(2, 0, 2, 0, 0), await files.results(done)
    changed = [(made[0], {"name": "Aster"}), (made[1], {"email": "c@cedar.example"})]
    moved = ("version", "updated_at", "updated_by")
    for customer, fields in changed:
        now = await desk.get(customer["id"])
        assert {name: now[name] for name in now if name not in moved} == {
            name: value for name, value in {**customer, **fields}.items() if name not in moved
        }


@every_format
@every_shape
async def test_an_export_of_another_system_goes_by_email(
    hub: Hub, site: Site, desk: Desk, shape: str, form: Format
) -> None:
    """Its ids and numbers are its own: who has the email address is changed, and others are made, once."""
    files = await to_files(desk)
    await desk.create(name="Aster", email="a@aster.example", phone="+4722334455")
    await desk.create(name="Birch", email="b@birch.example", phone="+4722334456")
    content = await export(files, shape, form)
    async with make_desk(hub, site) as there:
        theirs = await to_files(there)
        other = await there.create(name="Somebody else", email="z@z.example", number="Z1")
        kept = await there.create(name="Aster old", email="A@aster.example", number="Z2")
        done = await bring(theirs, content)
        assert (done.options.shape, done.options.match_by) == (shape, "email")
        assert done.counts == Counts(2, 1, 1, 0, 0), await theirs.results(done)
        assert (await there.get(kept["id"]))["name"] == "Aster"
        assert await there.get(other["id"]) == other
        again = await bring(theirs, content)
        assert again.counts == Counts(2, 0, 0, 2, 0), await theirs.results(again)
