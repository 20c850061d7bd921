"""`customerhub import` of strange files: each is taken in, or refused in one sentence with nothing done."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from typer.testing import CliRunner

from customerhub.cli import app, imports
from customerhub.cli.failure import EXPECTED, to_sentence
from customerhub.cli.options import Choices
from customerhub.core.hub import Hub
from customerhub.core.imports import running
from customerhub.core.imports.forms import FindForm
from customerhub.core.imports.running import Progress, run_import
from customerhub.store.imports import Import
from tests.support.fixtures import SECRET_KEY

SELECT = """
select c.number, c.name, c.note from customer c join team t on t.id = c.team where t.name = $1 order by c.created_at
"""
SHOWN = """
select c.id, c.name, c.display_name, c.version from customer c join team t on t.id = c.team where t.name = $1
"""
STATUS = "select i.status, i.done from import i join team t on t.id = i.team where t.name = $1"
LEFT = "select count(*) from import i join team t on t.id = i.team where t.name = $1 and i.deleted_at is null"


class Shell:
    """One team, and commands about it in this process: to start one for each takes longer than all they do."""

    def __init__(self, url: str, place: Path) -> None:
        self.url, self.place, self.team = url, place, f"Team {uuid4()}"
        self.run("team", "create", self.team)

    def run(self, *arguments: object) -> tuple[int, str]:
        """The exit code of a command, and what it prints."""
        line = [*map(str, arguments), "--database-url", self.url]
        try:
            done = CliRunner(env={"CUSTOMERHUB_SECRET_KEY": SECRET_KEY}).invoke(
                app, line, obj=Choices(), catch_exceptions=False
            )
        except EXPECTED as error:
            return 1, to_sentence(error)
        return done.exit_code, done.stdout

    def bring(self, content: bytes | str, *options: str, name: str = "rows.csv") -> tuple[int, str]:
        """The same of an import of a file."""
        path = self.place / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self.run("import", path, "--team", self.team, *options)

    def bring_json(self, content: bytes | str, *options: str, name: str = "rows.csv") -> tuple[int, Any]:
        """The exit code, and the only thing on standard output."""
        code, text = self.bring(content, *options, "--json", name=name)
        return code, json.loads(text)

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        """What stands in the database of the team."""
        return asyncio.run(self._ask(statement))

    async def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(self.url)
        try:
            return [tuple(row) for row in await connection.fetch(statement, self.team)]
        finally:
            await connection.close()


@pytest.fixture
def shell(database_url: str, tmp_path: Path) -> Shell:
    """A new team, on the database that all tests share."""
    return Shell(database_url, tmp_path)


UNTOLD = "mapping: leads no column anywhere: is the first row of the file its header?"
REFUSED: list[tuple[str | bytes, tuple[str, ...], str]] = [
    ("", (), "the file is empty"),
    ("\n \n", (), "the file is empty"),
    (",,\nAster,a,b\n", (), "file: has no rows"),
    ("Company,Email\n", (), "file: has no rows"),
    ("Foo,Bar\nAster,Oslo\n", (), UNTOLD),
    ("Aster,Oslo\nBirch,Bergen\n", (), UNTOLD),
    ("Company,Email\nAster,a@a.example\n", ("--match", "number"), "No column goes to number"),
    ("Company,Email\nAster,a@a.example\n", ("--map", "Mail=email"), "mapping"),
    ("Company,Email\nAster,a@a.example\n", ("--map", "Email=name"), "mapping"),
    ("Company,Email\nAster,a@a.example\n", ("--shape", "nobody"), "shape: no API here has this name"),
    (b"PK\x03\x04 no workbook", (), ""),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), (), "this is an old Excel file (.xls)"),
    (b"Company\x00,Email\nAster,a\n", (), "this is no text"),
]


@pytest.mark.parametrize(("content", "options", "words"), REFUSED)
def test_a_file_of_which_nothing_can_be_made_is_refused(
    shell: Shell, content: str | bytes, options: tuple[str, ...], words: str
) -> None:
    """In one sentence, with exit code 1; nothing is left of it."""
    code, told = shell.bring(content, *options)
    assert (code, words in told) == (1, True), told
    assert shell.ask(LEFT) == [(0,)]
    assert shell.ask(SELECT) == []


WRONG = (
    b"Company,Number,Note,Phone\n"
    b"'=cmd|' /C calc'!A0,A1,'+4722334455,\n"
    b"''=x,A2,'tis,\n"
    b"Elm,A8," + b"x" * 70_000 + b",\n"
    b"=1+1,A3,-7,\n"
    b"Aster\x00,A4,,\n"
    b"Bi\xedrch\x81,A5,,\n"
    b"Cedar,A6\n"
    b"Dogwood,A7,,,,more\n"
    b"Fir,A9," + b"y" * 1_000_001 + b",\n"
    b'Gorse,A10,"never closed,\n'
    b"Hazel,A11,last,\n"
)


def test_strange_cells_cost_their_own_rows_only(shell: Shell) -> None:
    """One apostrophe goes, formulas are texts, and a row that cannot be kept is told by its line."""
    code, told = shell.bring_json(WRONG, "--match", "number")
    counts = [told[name] for name in ("status", "rows", "created", "changed", "equal", "refused")]
    assert (code, counts) == (1, ["done", 11, 4, 0, 0, 7])
    assert [(one["line"], one["code"]) for one in told["results"]] == [
        (4, "too_long"),
        (6, "character"),
        (7, "character"),
        (8, "too_few_cells"),
        (9, "too_many_cells"),
        (10, "too_long"),
        (11, "quote"),
    ]
    assert shell.ask(SELECT) == [
        ("A1", "=cmd|' /C calc'!A0", "+4722334455"),
        ("A2", "'=x", "'tis"),
        ("A3", "=1+1", "-7"),
        ("A11", "Hazel", "last"),
    ]


LINES = """\
{"name": "'=Aster", "number": "A1"}
{"name": "Birch\\u0000", "number": "A2"}
{"name": "Cedar \\ud800", "number": "A3"}
[1]
{"name": "Dogwood", "name": "Twice", "number": "A4"}
{"name": "", "number": "A5", "import_error": "old"}
"""


def test_strange_lines_cost_themselves_only(shell: Shell) -> None:
    """Apostrophes are text in JSON; what is refused comes back line by line, and is taken once it is mended."""
    failed = shell.place / "failed.jsonl"
    code, told = shell.bring_json(LINES, "--match", "number", "--failed-to", str(failed), name="rows.jsonl")
    assert (code, told["created"], told["refused"]) == (1, 1, 5)
    codes = [(one["line"], one["code"]) for one in told["results"]]
    assert codes == [(2, "json"), (3, "json"), (4, "json"), (5, "json"), (6, "required")]
    assert failed.read_text(encoding="utf-8").splitlines()[-2:] == [
        '{"line":5,"import_error":"has the member \\"name\\" twice"}',
        '{"name":"","number":"A5","import_error":"name: is required"}',
    ]


def test_a_header_may_name_a_column_twice(shell: Shell) -> None:
    """The second is another one, which is led nowhere unless somebody says where."""
    rows = "Company,Number,Company\nAster,A1,a note\n"
    assert shell.bring(rows, "--map", "Company (2)=note")[0] == 0
    assert shell.ask(SELECT) == [("A1", "Aster", "a note")]


def test_a_file_without_a_header_says_what_it_lacks(shell: Shell) -> None:
    """Its first row is taken for the header: the name is missing, row by row; nothing is written."""
    code, told = shell.bring("Aster,a@a.example\nBirch,b@b.example\nCedar,c@c.example\n")
    assert code == 1
    assert told == (
        "2 rows of rows.csv: 0 created, 0 changed, 0 equal, 2 refused\n"
        "LINE  KEY          COLUMN  CODE      REASON\n"
        "2     b@b.example  /name   required  is required\n"
        "3     c@c.example  /name   required  is required\n"
    )
    assert shell.ask(SELECT) == []


def test_refused_rows_are_mended_and_sent_again(shell: Shell) -> None:
    """Reasons of the first time are no column of the second; what is still wrong is told anew."""
    failed = shell.place / "again.csv"
    rows = "Company,Number,Email\nAster,A1,a@a.example\n,A2,b@b.example\n'=Cedar,A3,nonsense\n"
    options = ("--match", "number", "--failed-to", str(failed))
    assert shell.bring_json(rows, *options)[0] == 1
    mended = failed.read_text(encoding="utf-8").replace(",,A2", ",Birch,A2")
    code, told = shell.bring_json(mended, *options, name="mended.csv")
    assert (code, told["rows"], told["created"], told["refused"]) == (1, 2, 1, 1)
    text = failed.read_text(encoding="utf-8")
    assert text == (
        "import_error,Company,Number,Email\n"
        "Email: must be an email address of at most 254 characters,'=Cedar,A3,nonsense\n"
    )
    code, told = shell.bring_json(text.replace("nonsense", "c@c.example"), *options, name="mended.csv")
    assert (code, told["created"], failed.read_text(encoding="utf-8")) == (0, 1, "import_error,Company,Number,Email\n")
    assert [row[:2] for row in shell.ask(SELECT)] == [("A1", "Aster"), ("A2", "Birch"), ("A3", "=Cedar")]


ROWS = "Company,Number\n" + "".join(f"Aster {place},A{place}\n" for place in range(8))


@pytest.fixture
def interrupted(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """An import that somebody has stopped behind the first rows."""

    async def run_a_little(hub: Hub, team: UUID, one: UUID, find: FindForm, _: Progress) -> Import | None:
        def stop(_: Import) -> None:
            raise asyncio.CancelledError

        return await run_import(hub, team, one, find, stop)

    monkeypatch.setattr(running, "GROUP_SIZE", 3)
    with monkeypatch.context() as stopping:
        stopping.setattr(imports, "run_import", run_a_little)
        with pytest.raises(asyncio.CancelledError):
            shell.bring(ROWS, "--match", "number")
    assert shell.ask(STATUS) == [("paused", 3)]
    return shell


def test_the_same_command_goes_on(interrupted: Shell) -> None:
    """Behind the rows that are done; of another reading of the same file it begins anew."""
    code, told = interrupted.bring_json(ROWS, "--match", "number")
    assert (code, told["status"], told["created"], told["equal"]) == (0, "done", 8, 0)
    assert [row[0] for row in interrupted.ask(SELECT)] == [f"A{place}" for place in range(8)]
    code, told = interrupted.bring_json(ROWS, "--match", "number")
    assert (code, told["created"], told["equal"]) == (0, 0, 8)


def test_an_import_goes_on_by_its_id(interrupted: Shell) -> None:
    """Without the file; once it is done it does not go on."""
    ((one,),) = interrupted.ask("select i.id from import i join team t on t.id = i.team where t.name = $1")
    resume = ("import", "--resume", one, "--team", interrupted.team)
    assert interrupted.run(*resume) == (0, "8 rows of rows.csv: 8 created, 0 changed, 0 equal, 0 refused\n")
    assert [row[0] for row in interrupted.ask(SELECT)] == [f"A{place}" for place in range(8)]
    assert interrupted.run(*resume) == (1, "this import cannot do that: it is done")
    assert interrupted.run("import", "--resume", uuid4(), "--team", interrupted.team)[0] == 1


def test_a_trial_that_is_stopped_leaves_nothing(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would begin anew in any case."""

    async def stop(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(imports, "run_import", stop)
    with pytest.raises(asyncio.CancelledError):
        shell.bring(ROWS, "--dry-run")
    assert shell.ask(LEFT) == [(0,)]


def test_an_export_is_known_unless_somebody_says_otherwise(shell: Shell) -> None:
    """With a mapping, or as no view, its columns are led to members; a view has no mapping."""
    shell.bring("Company,Number\nAster,A1\n")
    ((customer, *_),) = shell.ask(SHOWN)
    rows = f"id,version,name,number,bill_to,ship_to\n{customer},1,NAME,A1,,\n"
    for options, name in (((), "Birch"), (("--shape", ""), "Cedar"), (("--map", "name=display_name"), "Dogwood")):
        code, told = shell.bring_json(rows.replace("NAME", name), *options)
        assert (code, told["changed"]) == (0, 1), told
    assert shell.ask(SHOWN) == [(customer, "Cedar", "Dogwood", 4)]
    assert shell.bring(rows, "--shape", "hub", "--map", "name=name")[0] == 2
