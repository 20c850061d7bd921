"""What the keeper shares with the hub: telling its server from other processes without being fooled."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from customerhub.embedded import keeper, open_cluster
from tests.embedded.support import server_pid


def test_a_process_is_the_server_only_if_it_works_for_this_cluster(ready: Path) -> None:
    """Neither another process nor a number that nobody has is taken for the server."""
    with open_cluster(ready) as cluster:
        pid = server_pid(cluster.cluster_directory)
        assert keeper.is_server(pid, cluster.cluster_directory)
        assert not keeper.is_server(pid, ready / "postgre")
        assert not keeper.is_server(os.getpid(), cluster.cluster_directory)
    assert not keeper.is_server(pid, cluster.cluster_directory)


@pytest.mark.skipif(not Path("/bin/ps").exists(), reason="NOT RUN: there is no ps")
def test_the_server_is_recognised_without_proc(ready: Path) -> None:
    """On a system without /proc the answer comes from ps and is the same."""
    with open_cluster(ready) as cluster:
        pid = server_pid(cluster.cluster_directory)
        assert keeper.is_server_by_ps(pid, cluster.cluster_directory)
        assert not keeper.is_server_by_ps(pid, ready / "postgre")
        assert not keeper.is_server_by_ps(os.getpid(), cluster.cluster_directory)


@pytest.mark.parametrize("text", ["", "\n", "half", "12"])
def test_a_pid_file_that_is_being_written_is_survived(tmp_path: Path, text: str) -> None:
    """A pid file cut short says nothing wrong: no number, or a number that is not ready."""
    (tmp_path / "postmaster.pid").write_text(text)
    found = keeper.find_pid_file(tmp_path)
    assert found == (keeper.PidFile(12, None, is_ready=False) if text == "12" else None)


def test_a_server_that_ends_by_itself_takes_its_keeper_along(ready: Path) -> None:
    """Stopped by hand, the server leaves no process behind, and the next look starts it again."""
    with open_cluster(ready) as cluster:
        pid = server_pid(cluster.cluster_directory)
        keeper.stop_server(cluster.cluster_directory)
        with keeper.FileLock(ready / keeper.KEEPER_LOCK) as lock:
            assert lock.take(deadline=time.monotonic() + 5)
        assert cluster.ensure_running() is True
        assert server_pid(cluster.cluster_directory) != pid


def test_the_keeper_needs_the_standard_library_alone() -> None:
    """As a script it must start where nothing is installed, and stay small: it lives as long as the server."""
    bare = [sys.executable, "-I", "-S", "-c", f"import runpy; runpy.run_path({keeper.__file__!r}, run_name='x')"]
    assert subprocess.run(bare, check=False, capture_output=True).stderr == b""
