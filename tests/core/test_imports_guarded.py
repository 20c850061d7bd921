"""Whoever changes customers only by naming their versions does so in files too: rows name them, or nothing is begun."""

from collections.abc import AsyncIterator

import pytest

from customerhub.core import admin
from customerhub.core.access import find_caller
from customerhub.core.hub import Hub
from customerhub.model.answer import IfMatch
from customerhub.model.customer import Customer
from customerhub.model.error import PreconditionRequired
from customerhub.store.imports import Counts
from tests.support.imports import Files, export
from tests.support.office import DIALECT, Office, make_office, refused

CANONICAL = "hub"
ANY = IfMatch(any_version=True)
DEMAND = "update credential set requires_precondition = true where team = $1"


@pytest.fixture
async def office(hub: Hub) -> AsyncIterator[Office]:
    """Who need not name any."""
    async with make_office(hub) as made:
        yield made


@pytest.fixture
async def files(office: Office) -> Files:
    """Who must."""
    _, secret = await admin.create_credential(
        office.hub, office.team, dialect=DIALECT, name="careful", prefix="", role="admin", requires_precondition=True
    )
    return Files(Office(office.hub, office.team, await find_caller(office.hub, DIALECT, secret)))


async def names(office: Office, *customers: Customer) -> list[tuple[str, int]]:
    """What they are called now, and at which version that is."""
    found = [await office.get(one) for one in customers]
    return [(one.name, one.version) for one in found]


async def test_rows_without_versions_are_not_begun(files: Files) -> None:
    """Neither to be run nor to be tried, unless they only make customers."""
    office = files.office
    one = await office.customer(name="Aster", number="A1")
    staged = await files.stage([("Aster Ltd", "A1"), ("Birch", "B1")])
    for is_trial in (False, True):
        await refused(PreconditionRequired, files.start(staged, is_trial=is_trial, if_match=ANY), office)
    by_email = await files.send(await export(files, CANONICAL, "csv"), match_by="email")
    await refused(PreconditionRequired, files.start(by_email, if_match=ANY), office)
    only_new = await files.stage([("Cedar", "C1"), ("Aster Ltd", "A1")], mode="create")
    done = await files.run(only_new, if_match=ANY)
    assert await files.told(done) == [(2, "created", None, None), (3, "refused", None, "exists")]
    assert await names(office, one) == [("Aster", 1)]


@pytest.mark.parametrize("form", ["csv", "jsonl"])
async def test_rows_that_are_stale_are_refused(office: Office, files: Files, form: str) -> None:
    """Of an export each row changes the version that it shows, in a trial and in a run; one that shows none nothing."""
    aster, birch, cedar = [await office.customer(name=name) for name in ("Aster", "Birch", "Cedar")]
    content = await export(files, CANONICAL, form)  # type: ignore[arg-type] # one of the two
    await office.patch(birch, note="theirs")
    for name in (b"Aster", b"Birch", b"Cedar"):
        content = content.replace(name, name + b" Ltd")
    head, first, *rest = (b"", *content.splitlines(keepends=True))[form == "csv" :]
    staged = await files.send(b"".join((head, first, first.replace(b"Aster Ltd", b"Aster Inc"), *rest)))
    first_line = 2 if form == "csv" else 1
    told = [("changed", None), ("refused", "stale"), ("refused", "stale"), ("changed", None)]
    tried = await files.run(staged, is_trial=True, if_match=ANY)
    assert tried.trial is not None
    assert tried.trial.counts == Counts(4, 0, 2, 0, 2)
    done = await files.run(staged, if_match=ANY)
    results = await files.results(done)
    assert [(one.line - first_line, one.outcome, one.code) for one in results] == [
        (place, *one) for place, one in enumerate(told)
    ]
    assert results[2].reason == "the customer is at version 2 by now"
    assert await names(office, aster, birch, cedar) == [("Aster Ltd", 2), ("Birch", 2), ("Cedar Ltd", 2)]
    assert (await office.get(birch)).note == "theirs"


async def test_a_row_without_its_version_is_refused(office: Office, files: Files) -> None:
    """By itself: others have theirs."""
    aster, birch = await office.customer(name="Aster"), await office.customer(name="Birch")
    content = f"id,version,name,number,bill_to,ship_to\n{aster.id},,Aster Ltd,,,\n{birch.id},1,Birch Ltd,,,\n"
    done = await files.run(await files.send(content.encode(), shape=CANONICAL, match_by="id"), if_match=ANY)
    assert await files.told(done) == [(2, "refused", None, "required"), (3, "changed", None, None)]
    assert await names(office, aster, birch) == [("Aster", 1), ("Birch Ltd", 2)]


async def test_a_demand_that_comes_later_ends_the_import(office: Office) -> None:
    """Before it changes a customer; with the reason."""
    one = await office.customer(name="Aster", number="A1")
    mine = Files(office)
    staged = await mine.stage([("Aster Ltd", "A1")])
    await mine.start(staged)
    async with office.hub.database.lease() as connection:
        await connection.execute(DEMAND, office.team.id)
    done = await mine.again(staged)
    assert (done.status, done.reason) == (
        "failed",
        "who started it may change customers only by naming their versions, and its rows name none",
    )
    assert await names(office, one) == [("Aster", 1)]
