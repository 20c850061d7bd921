"""`customerhub import`: tries, imports, says what was refused, and gives the refused rows back to be mended."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from customerhub.embedded import Cluster
from customerhub.store.db import connect
from tests.cli.support import run, run_here, run_json_here
from tests.support.databases import migrated_database

ROWS = "Company,Email,City\nAster,a@aster.example,Oslo\nBirch,nonsense,Oslo\nAster Ltd,A@aster.example,Bergen\n"
REASON = "must be an email address of at most 254 characters"


@pytest.fixture
def url(cluster: Cluster) -> Iterator[str]:
    """A database of the test's own, with a team in it."""
    with migrated_database(cluster) as address:
        run_json_here("team", "create", "Aster", "--database-url", address)
        yield address


async def _names(url: str) -> list[str]:
    connection = await connect(url)
    try:
        return [row[0] for row in await connection.fetch("select name from customer order by name")]
    finally:
        await connection.close()


def test_a_file_is_tried_imported_and_mended(url: str, tmp_path: Path) -> None:
    """A trial does nothing; a run says what was refused, with exit code 1; the mended rows are all in."""
    path, failed = tmp_path / "customers.csv", tmp_path / "failed.csv"
    path.write_text(ROWS, encoding="utf-8")
    command = ("import", path, "--team", "Aster", "--match", "email", "--database-url", url)
    tried = run_here(*command, "--dry-run")
    assert (tried.returncode, asyncio.run(_names(url))) == (1, [])
    counted, titles, name, _, city, gap, *refused = tried.stdout.splitlines()
    assert counted == (
        "3 rows of customers.csv (dry run, nothing was written): 1 created, 1 changed, 0 equal, 1 refused"
    )
    assert titles.split() == ["LINE", "KEY", "PLACE", "OLD", "NEW"]
    assert name.split() == ["4", "A@aster.example", "name", '"Aster"', '"Aster', 'Ltd"']
    assert (city.split()[2].endswith("/city"), city.split()[3:]) == (True, ['"Oslo"', '"Bergen"'])
    assert [gap, *refused] == ["", "LINE  KEY       COLUMN  CODE   REASON", f"3     nonsense  Email   email  {REASON}"]
    done = run(*command, "--failed-to", failed)
    assert done.returncode == 1
    assert done.stdout.startswith("3 rows of customers.csv: 1 created, 1 changed, 0 equal, 1 refused\n")
    assert asyncio.run(_names(url)) == ["Aster Ltd"]
    text = failed.read_text(encoding="utf-8")
    assert text == f"import_error,Company,Email,City\nEmail: {REASON},Birch,nonsense,Oslo\n"
    failed.write_text(text.replace("nonsense", "b@birch.example"), encoding="utf-8")
    mended = run_json_here("import", failed, "--team", "Aster", "--match", "email", "--database-url", url)
    assert (mended["status"], mended["created"], mended["refused"]) == ("done", 1, 0)
    assert asyncio.run(_names(url)) == ["Aster Ltd", "Birch"]


def test_wrong_uses_are_told_before_anything_is_begun() -> None:
    """A key that there is not, a mapping that is none, no file."""
    for arguments, words in (
        (("x.csv", "--match", "name"), "must be one of email, number, reference_id, id"),
        (("x.csv", "--map", "Company"), "'Company' is not COLUMN=MEMBER"),
        ((), "name a file, or an import to go on with"),
    ):
        done = run_here("import", *arguments, "--team", "Aster")
        assert done.returncode == 2
        assert words in done.stderr
