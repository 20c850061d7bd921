"""`customerhub export`: a file that is there when it is whole, or a pipe; and what is said beside it."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from customerhub.cli import app
from customerhub.cli.failure import EXPECTED, to_sentence
from customerhub.cli.options import Choices
from customerhub.store.db import connect
from tests.cli.support import run
from tests.support.customers import new_customer, put_customers
from tests.support.fixtures import SECRET_KEY

AT = datetime(2025, 3, 4, 9, 10, 11, tzinfo=UTC)


@pytest.fixture
def team(database_url: str) -> str:
    """A team with three customers, by its name."""
    name = f"Team {uuid4()}"
    _, made = run_here("team", "create", name, "--database-url", database_url, "--json")
    asyncio.run(_fill(database_url, UUID(json.loads(made)["id"])))
    return name


def run_here(*arguments: object) -> tuple[int, str]:
    """The exit code of a command, and what it prints; in this process, since to start one takes ten times as long."""
    runner = CliRunner(env={"CUSTOMERHUB_SECRET_KEY": SECRET_KEY, "COLUMNS": "200"})
    try:
        done = runner.invoke(app, [*map(str, arguments)], obj=Choices(), catch_exceptions=False)
    except EXPECTED as error:
        return 1, to_sentence(error)
    return done.exit_code, done.output


async def _fill(url: str, team: UUID) -> None:
    connection = await connect(url)
    made = [new_customer(team, AT + timedelta(days=day), name=f"=Day {day}", number=f"C{day}") for day in range(3)]
    await put_customers(connection, made)
    await connection.close()


def test_customers_come_out_in_a_file_or_a_pipe(database_url: str, team: str, tmp_path: Path) -> None:
    """The same lines; beside a pipe is said how many, and a file takes the place of an older one."""
    common = ("export", "--team", team, "--database-url", database_url, "--fields", "number,name")
    piped = run(*common)
    assert (piped.returncode, piped.stdout) == (0, "number,name\nC0,'=Day 0\nC1,'=Day 1\nC2,'=Day 2\n")
    assert "exported 3 customers" in piped.stderr
    file = tmp_path / "customers.jsonl"
    file.write_text("older", encoding="utf-8")
    _, told = run_here(*common, "--format", "jsonl", "-o", file, "--created-since", "2025-03-05", "--json")
    assert json.loads(told) == {"file": str(file), "customers": 2, "left_out": 0}
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert lines == [{"number": "C1", "name": "=Day 1"}, {"number": "C2", "name": "=Day 2"}]
    then = tmp_path / "then.csv"
    run_here(*common, "--as-of", "2025-03-04T09:10:11Z", "-o", then)
    assert then.read_text(encoding="utf-8") == "number,name\nC0,'=Day 0\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--shape", "nobody"), "nobody"),
        (("--as-of", "yesterday"), "yesterday"),
        (("--fields", "colour"), "fields"),
        (("--json",), "standard output"),
        (("--team", "Nobody at all"), "Nobody at all"),
    ],
)
def test_what_is_wrong_leaves_no_file(
    database_url: str, team: str, tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Nor harms an older one."""
    file = tmp_path / "customers.csv"
    file.write_text("older", encoding="utf-8")
    target = () if "--json" in arguments else ("-o", str(file))
    code, told = run_here("export", "--team", team, "--database-url", database_url, *target, *arguments)
    assert code != 0
    assert said in told
    assert [(one.name, one.read_text(encoding="utf-8")) for one in tmp_path.iterdir()] == [("customers.csv", "older")]
