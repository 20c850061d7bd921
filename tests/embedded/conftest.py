"""Data directories for the tests of the embedded PostgreSQL: new ones, and copies of one made once a worker."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from customerhub.embedded import open_cluster
from tests.embedded.support import is_server_gone, wait_until


@pytest.fixture(scope="session")
def made_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stopped data directory with the database `customerhub`, for copying."""
    directory = tmp_path_factory.mktemp("made") / "data"
    with open_cluster(directory) as cluster:
        cluster.create_database("customerhub")
    return directory


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """A path for a new data directory; afterwards no server may live on it."""
    path = tmp_path / "d"
    yield path
    wait_until(lambda: is_server_gone(path / "postgres"), 10, f"the server of {path} ends")


@pytest.fixture
def ready(directory: Path, made_directory: Path) -> Path:
    """A stopped data directory of the test's own, with its database made."""
    shutil.copytree(made_directory, directory)
    return directory
