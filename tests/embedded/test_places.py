"""The server's socket finds a place whatever the data directory is called."""

import os
import stat
from pathlib import Path

import pytest

from customerhub.embedded import EmbeddedError, open_cluster
from customerhub.embedded import directory as places
from tests.embedded.support import Holder, ask, is_server_gone, server_pid


def test_a_directory_too_deep_for_a_socket_works(tmp_path: Path) -> None:
    """Past 107 bytes the socket goes to a private temporary directory, which others find and the last one removes."""
    deep = tmp_path / ("deep" * 30) / "d"
    with open_cluster(deep) as cluster:
        sockets = cluster.socket_directory
        assert sockets != deep
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert ask(cluster.url("postgres"), "SELECT 1") == 1
        with Holder(deep) as other:
            assert other.read_line() == cluster.url("postgres")
            other.close()
        assert server_pid(cluster.cluster_directory)
    assert not sockets.exists()
    assert is_server_gone(deep / "postgres")


@pytest.mark.parametrize("name", ['it\'s 50% of "Ærø"', "a,b", "a+b&c=d#e?f\\g"])
def test_a_directory_of_any_name_works(ready: Path, name: str) -> None:
    """Spaces, quotes, commas and letters of other scripts in the path reach PostgreSQL and asyncpg unharmed."""
    directory = ready.rename(ready.with_name(name))
    with open_cluster(directory) as cluster:
        assert ask(cluster.url(), "SELECT current_setting('data_directory')") == str(directory / "postgres")
    assert is_server_gone(directory / "postgres")


def test_a_directory_with_a_name_that_is_no_text_works(ready: Path) -> None:
    """A path in Latin-1 cannot stand in an address, so its socket goes to a temporary directory."""
    directory = ready.rename(ready.with_name(os.fsdecode(b"caf\xe9")))
    with open_cluster(directory) as cluster:
        assert cluster.socket_directory != directory
        assert ask(cluster.url(), "SELECT 1") == 1
    assert is_server_gone(directory / "postgres")


def test_a_directory_with_a_line_feed_is_refused(tmp_path: Path) -> None:
    """PostgreSQL's pid file holds one path a line, so such a path is refused before anything is made."""
    with pytest.raises(EmbeddedError, match=r"has a line feed in its path: choose another one\.$"):
        open_cluster(tmp_path / "a\nb")
    assert list(tmp_path.iterdir()) == []


def test_no_place_for_a_socket_is_said(tmp_path: Path) -> None:
    """Where even the temporary directory is too deep, the sentence names both and the ways out."""
    deep = tmp_path / ("deep" * 30)
    with pytest.raises(EmbeddedError) as refused:
        places.choose_socket_directory(deep, None, bases=[deep])
    assert str(refused.value) == (
        f"No socket fits under {deep} nor in the temporary directory (at most 107 bytes and no comma): "
        "choose a shorter data directory, or a shorter TMPDIR."
    )


def test_a_temporary_directory_is_used_again_only_if_it_is_private(tmp_path: Path) -> None:
    """A pid file's old socket directory that others could have put there is not trusted."""
    deep = tmp_path / ("deep" * 30)
    own = tmp_path / "customerhub-own"
    own.mkdir(mode=0o700)
    assert places.choose_socket_directory(deep, own) == own
    own.chmod(0o755)
    other = places.choose_socket_directory(deep, own)
    assert other != own
    other.rmdir()
