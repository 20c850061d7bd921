"""`customerhub backup` and `restore`: files and pipes, what is refused, and a restore that is killed."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from customerhub.app import create_hub
from customerhub.cli import main
from customerhub.cli.files import written
from customerhub.cli.opened import OpenDatabase
from customerhub.cli.restore import _load
from customerhub.core.admin import create_team
from customerhub.core.sandbox import MARKER, Marker, put_marker
from customerhub.embedded import Cluster
from customerhub.settings import Settings
from customerhub.store.db import connect
from customerhub.store.migrate import migrate
from tests.cli.support import COMMAND, clean_environment, run, run_here, run_json, run_json_here, wait_until
from tests.support.backups import save
from tests.support.databases import empty_database

# Filling this database, and waiting for more of the file.
RESTORING = """
select count(*) from pg_stat_activity
where datname = current_database() and query like 'COPY%' and wait_event = 'ClientRead'
"""
OTHERS = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"


@pytest.fixture
def urls(cluster: Cluster) -> Iterator[list[str]]:
    """Two databases of the test's own without a schema."""
    with asyncio.Runner() as runner:
        opened = [empty_database(cluster) for _ in range(2)]
        yield [runner.run(one.__aenter__()) for one in opened]
        for one in opened:
            runner.run(one.__aexit__(None, None, None))


def ask(url: str, statement: str) -> Any:  # Any: a value of any type
    """What a database answers."""

    async def fetch() -> Any:
        connection = await connect(url)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def make_hub(url: str) -> bytes:
    """A hub with a team, and a backup of it."""

    async def make() -> bytes:
        hub = create_hub(Settings(database_url=url))
        try:
            async with hub.database.lease() as connection:
                await migrate(connection)
            await create_team(hub, "Aster")
            return (await save(hub)).whole
        finally:
            await hub.close()

    return asyncio.run(make())


def test_a_hub_is_saved_and_restored(urls: list[str], tmp_path: Path) -> None:
    """One file that only its owner may read; the hub made of it has all that the first one had, and is well."""
    here, there = urls
    make_hub(here)
    file = tmp_path / "hub.backup"
    file.write_text("an older one")
    saved = run_json("backup", file, "--database-url", here)
    assert (saved["file"], saved["bytes"], saved["secret_keys"]) == (str(file), file.stat().st_size, [])
    assert (saved["rows"]["team"], saved["rows"]["customer"]) == (1, 0)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["hub.backup"]
    restored = run("restore", file, "--database-url", there)
    assert restored.returncode == 0, restored.stderr
    assert restored.stdout.startswith(
        f"restored {sum(saved['rows'].values())} rows of {len(saved['rows'])} tables, as "
    )
    assert run_json_here("team", "list", "--database-url", there) == run_json_here(
        "team", "list", "--database-url", here
    )
    again = run_here("restore", file, "--database-url", there)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr.startswith("customerhub: This hub is not empty")


def test_a_pipe_takes_a_hub_along(urls: list[str], tmp_path: Path) -> None:
    """From an external database into the hub's own PostgreSQL, without a file; the doctor finds it well."""
    make_hub(urls[0])
    with subprocess.Popen(
        [*COMMAND, "backup", "-", "--database-url", urls[0]],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as backup:
        restore = subprocess.run(
            [*COMMAND, "restore", "-", "--data-dir", tmp_path / "hub"],
            env=clean_environment(),
            stdin=backup.stdout,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = backup.communicate(timeout=60)[1].decode()
    assert (backup.returncode, restore.returncode) == (0, 0), said + restore.stderr
    assert said.startswith("saved ")
    assert run_json_here("doctor", "--data-dir", tmp_path / "hub")["ok"] is True


def test_a_killed_restore_leaves_the_hub_empty(urls: list[str], tmp_path: Path) -> None:
    """By kill -9 with most rows in: nothing is there, and the next restore does all of it."""
    here, there = urls
    content = make_hub(here)
    file = tmp_path / "hub.backup"
    file.write_bytes(content)
    with subprocess.Popen(
        [*COMMAND, "restore", "-", "--database-url", there], env=clean_environment(), stdin=subprocess.PIPE
    ) as restore:
        assert restore.stdin is not None
        restore.stdin.write(content[: len(content) * 2 // 3])
        restore.stdin.flush()
        wait_until(lambda: ask(there, RESTORING), 30, "the first rows are in")
        restore.kill()
        assert restore.wait(timeout=20) == -signal.SIGKILL
    wait_until(lambda: ask(there, OTHERS) == 0, 20, "the server has noticed")
    assert ask(there, "select count(*) from pg_class where relnamespace = 'public'::regnamespace") == 0
    assert run_json_here("restore", file, "--database-url", there)["rows"]["team"] == 1


def test_what_cannot_be_done_is_said(
    urls: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """In one sentence, with exit code 1, and without leaving anything behind."""
    here = urls[0]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    nowhere, missing, hub = tmp_path / "no" / "where", tmp_path / "missing", tmp_path / "hub"
    for command, sentence in (
        (("backup", tmp_path / "x", "--data-dir", hub), f"There is no hub in {hub}: nothing was saved."),
        (("backup", tmp_path / "x", "--database-url", here), "There is no hub in this database: nothing was saved."),
        (("backup", pipe, "--database-url", here), f"{pipe} is no file: name one, or - for standard output."),
        (("backup", nowhere, "--database-url", here), f"{nowhere} cannot be written: No such file or directory."),
        (("backup", "/dev/full", "--database-url", here), "/dev/full is no file: name one, or - for standard output."),
        (("restore", missing, "--data-dir", hub), f"{missing} cannot be read: No such file or directory."),
        (("restore", tmp_path, "--database-url", here), f"{tmp_path} cannot be read: Is a directory."),
    ):
        monkeypatch.setattr(sys, "argv", ["customerhub", *map(str, command)])
        with pytest.raises(SystemExit, match="1"):
            main()
        assert capfd.readouterr() == ("", f"customerhub: {sentence}\n")
    monkeypatch.setattr(sys, "argv", ["customerhub", "backup", "-", "--json", "--database-url", here])
    with pytest.raises(SystemExit, match="2"):
        main()
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_a_backup_that_is_told_to_stop_leaves_nothing(
    tmp_path: Path,
) -> None:
    """By SIGTERM in the middle: no half of a file, and the older one is as it was."""
    file = tmp_path / "hub.backup"
    file.write_text("an older one")
    handler = signal.getsignal(signal.SIGTERM)

    def write_half() -> None:
        with written(str(file)) as target:
            target.write(b"half")
            assert len(list(tmp_path.iterdir())) == 2
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(SystemExit, match="143"):
        write_half()
    assert [path.name for path in tmp_path.iterdir()] == ["hub.backup"]
    assert file.read_text() == "an older one"
    assert signal.getsignal(signal.SIGTERM) is handler


def test_a_pipe_that_breaks_is_a_failure(urls: list[str]) -> None:
    """Whoever reads it is gone, or the disk behind it is full: the exit code says that there is no backup."""
    make_hub(urls[0])
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "backup", "-", "--database-url", urls[0]],
            env=clean_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "customerhub: standard output cannot be written: No space left on device.\n"


def test_servers_on_a_sandbox_hear_of_a_restore(urls: list[str], tmp_path: Path) -> None:
    """They forget what they remember of a hub that had nothing in it."""
    here, there = urls
    content = make_hub(here)
    put_marker(tmp_path, Marker())
    before = (tmp_path / MARKER).stat().st_ino
    opened = OpenDatabase(Settings(database_url=there, data_dir=tmp_path, sandbox=True), None)
    restored = asyncio.run(_load(opened, iter([content])))
    assert restored.rows["team"] == 1
    assert (tmp_path / MARKER).stat().st_ino != before
