"""Whatever keeps the embedded server from running is said in one sentence, and leaves everything as it was."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from customerhub.embedded import EmbeddedError, open_cluster
from customerhub.embedded.errors import server_sentence
from customerhub.embedded.keeper import FileLock
from tests.embedded.fakes import make_binaries
from tests.embedded.support import is_server_gone, tree, wait_until


def refusal(directory: Path, binaries: Path | None = None, wait_seconds: float = 20) -> str:
    """Return the sentence with which opening a directory is refused; nothing may run on it afterwards."""
    with pytest.raises(EmbeddedError) as refused:
        open_cluster(directory, binaries=binaries, wait_seconds=wait_seconds)
    wait_until(lambda: is_server_gone(directory / "postgres"), 10, "nothing runs after the refusal")
    return str(refused.value)


def test_a_directory_with_other_files_is_refused_and_untouched(tmp_path: Path) -> None:
    """A directory that holds anything but customerhub's data is never written to, nor its mode changed."""
    foreign = tmp_path / "home"
    (foreign / "letters").mkdir(parents=True)
    (foreign / "letters" / "to-mum.txt").write_text("dear mum")
    foreign.chmod(0o755)
    before = tree(foreign)
    assert refusal(foreign) == (
        f"The directory {foreign} holds files that are not customerhub's: choose an empty or a new directory."
    )
    assert tree(foreign) == before


def test_a_file_in_the_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    """A path that names a file is not a data directory, nor is one below a file."""
    file = tmp_path / "file"
    file.write_text("kept")
    for path in (file, file / "below"):
        assert refusal(path) == f"The data directory {path} is not a directory: choose another path."
    assert file.read_text() == "kept"


@pytest.mark.parametrize("major", [14, 99])
def test_data_of_a_version_without_programs_is_refused_and_untouched(ready: Path, major: int) -> None:
    """Data of another major version is never opened with programs that cannot read it."""
    (ready / "postgres" / "PG_VERSION").write_text(f"{major}\n")
    before = tree(ready / "postgres")
    assert re.fullmatch(
        rf"The data directory was made by PostgreSQL {major} and only that version can read it, but this machine has "
        rf"[\d, ]+: install PostgreSQL {major}, or name its bin directory in CUSTOMERHUB_POSTGRES_BIN\.",
        refusal(ready),
    )
    assert tree(ready / "postgres") == before


def test_a_damaged_version_file_is_said(ready: Path) -> None:
    """A cluster whose version cannot be read is not overwritten by a new one."""
    (ready / "postgres" / "PG_VERSION").write_text("")
    assert refusal(ready) == (f"{ready}/postgres/PG_VERSION names no version: the database is damaged, restore a copy.")


def test_a_directory_without_programs_is_refused(tmp_path: Path) -> None:
    """A bin directory that was named on purpose and holds no PostgreSQL is not silently passed over."""
    assert refusal(tmp_path / "d", tmp_path) == (
        f"{tmp_path} holds no initdb and postgres that run here: name PostgreSQL's bin directory."
    )


def test_programs_that_are_too_old_are_refused(tmp_path: Path) -> None:
    """PostgreSQL before 15 lacks what the hub's SQL uses."""
    old = make_binaries(tmp_path / "bin", version="14.19")
    assert refusal(tmp_path / "d", old) == f"{old} holds PostgreSQL 14: customerhub needs 15 or newer."


def test_a_disk_that_fills_while_the_database_is_made_is_said(small_disk: Path) -> None:
    """A full disk is named as such, and nothing half made is left behind."""
    directory = small_disk / "d"
    assert refusal(directory) == f"The disk that holds {directory} is full: free some space and start again."
    assert not list(directory.glob("postgres*/"))


def test_a_disk_that_is_full_from_the_start_is_said(small_disk: Path) -> None:
    """Not even the marker fits: the same sentence."""
    directory = small_disk / "d"
    directory.mkdir()
    filler = small_disk / "filler"
    subprocess.run(["dd", "if=/dev/zero", f"of={filler}", "bs=4096"], check=False, capture_output=True)
    assert refusal(directory) == f"The disk that holds {directory} is full: free some space and start again."


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MB, a quarter of what a new database needs."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(disk)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("NO SMALL DISK: mounting a tmpfs needs root; the sentence is tested with scripts all the same")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_is_recognised_in_what_the_programs_write(tmp_path: Path) -> None:
    """Both programs' complaints about a full disk become the sentence, without a small disk at hand."""
    directory = tmp_path / "d"
    said = 'echo "could not write to file \\"x\\": No space left on device" >&2; exit 1'
    full = f"The disk that holds {directory} is full: free some space and start again."
    assert refusal(directory, make_binaries(tmp_path / "one", initdb=said)) == full
    assert refusal(directory, make_binaries(tmp_path / "two", postgres=said)) == full


def test_a_server_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    """What has no sentence of its own comes with the server's last words."""
    broken = make_binaries(tmp_path / "bin", postgres='echo "FATAL:  the moon is full" >&2; exit 1')
    directory = tmp_path / "d"
    assert refusal(directory, broken) == (
        f"PostgreSQL did not start in {directory}; its last words: FATAL:  the moon is full"
    )


def test_a_server_that_does_not_answer_in_time_is_quoted_and_stopped(tmp_path: Path) -> None:
    """A start that takes too long ends with the last lines of the log, and leaves no process."""
    slow = make_binaries(tmp_path / "bin", postgres='echo "LOG:  still replaying" >&2; while :; do sleep 0.1; done')
    directory = tmp_path / "d"
    said = refusal(directory, slow, wait_seconds=2)
    assert said == (
        f"PostgreSQL in {directory} did not answer in time; the last lines of postgres.log: LOG:  still replaying"
    )


def test_a_socket_that_another_server_holds_is_said(ready: Path) -> None:
    """A socket lock file that names a living process is not removed: the sentence says who and what to do."""
    with subprocess.Popen(["sleep", "60"]) as other:
        lock = ready / ".s.PGSQL.5432.lock"
        lock.write_text(f"{other.pid}\n{ready}\n1\n5432\n{ready}\n")
        assert refusal(ready) == (
            f"Another server (process {other.pid}) holds the socket of {ready}: stop it, "
            f"or remove {lock} if that process is not PostgreSQL."
        )
        assert lock.exists()
        other.send_signal(signal.SIGKILL)


def test_locks_that_something_else_holds_are_said(ready: Path) -> None:
    """Neither a start that hangs elsewhere nor a program that sits on the locks makes the hub wait for ever."""
    with FileLock(ready / "control.lock") as control:
        control.take()
        assert refusal(ready, wait_seconds=0.2) == (
            f"Another process has been starting or stopping the database in {ready} for too long: "
            f"wait for it, or end the process that holds {ready}/control.lock."
        )
    with FileLock(ready / "holders.lock") as holders:
        holders.take()
        assert refusal(ready, wait_seconds=0.2) == (
            f"Another program holds {ready}/holders.lock: stop it and start again."
        )


def test_a_keeper_out_of_sight_is_said(ready: Path) -> None:
    """A server in another container on the same files, not to be seen from here, gets no second beside it."""
    with FileLock(ready / "keeper.lock") as lock:
        lock.take()
        assert refusal(ready, wait_seconds=0.2) == (
            f"Something else holds {ready}/keeper.lock, such as a customerhub in another container: "
            "stop it, or give each its own data directory."
        )


def test_the_sentence_for_a_server_that_is_still_there_says_so(tmp_path: Path) -> None:
    """What PostgreSQL writes about memory or a pid file in use becomes a sentence."""
    for fatal in (
        'FATAL:  lock file "postmaster.pid" already exists',
        "FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use",
    ):
        assert server_sentence(fatal, tmp_path) == (
            f"Another PostgreSQL still works in {tmp_path}: "
            "stop it, or wait until the processes of a killed one have ended, and start again."
        )


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: only root can make a directory of another user's")
def test_a_directory_of_another_user_is_refused_and_untouched(ready: Path) -> None:
    """Root does not take an ordinary user's data directory over."""
    os.chown(ready, 65534, 65534)
    before = tree(ready)
    assert refusal(ready) == (
        f"The data directory {ready} belongs to nobody, not to root: "
        "run customerhub as nobody or choose another directory."
    )
    assert tree(ready) == before
