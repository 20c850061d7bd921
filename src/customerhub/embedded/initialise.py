"""Make a new PostgreSQL cluster with the settings of a small machine, whole or not at all."""

import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path

from customerhub.embedded.account import Housing
from customerhub.embedded.errors import EmbeddedError, server_sentence

SUPERUSER = "customerhub"

# From this version on PostgreSQL brings C.UTF-8 itself, the same on every machine, and its programs can flush a whole
# file system (Linux only).
_BUILTIN_LOCALE_MAJOR = 17
# What initdb says of an option that another one may do without: a locale that the machine lacks, a build without
# syncfs, a file system that refuses it or holds somebody else's error.
_REFUSED_WAYS = re.compile("invalid locale|sync method|could not synchronize file system")
# Written once into the new cluster's own postgresql.conf, where an operator may change them;
# what must hold whatever that file says is given on the server's command line (server.py).
_SETTINGS = """
# Set by customerhub for this machine; change what you like.
shared_buffers = '{shared_megabytes}MB'
max_connections = 300
max_wal_size = '1GB'
checkpoint_timeout = '15min'
effective_cache_size = '1GB'
random_page_cost = 1.1
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
log_checkpoints = off
# A refused statement is told to its sender; with these the log never holds its values, which are customers' data.
log_error_verbosity = terse
log_min_error_statement = panic
"""


# PostgreSQL touches its shared memory only as it needs it: a small database takes none of the rest.
_LEAST_SHARED = 128
_MOST_SHARED = 1024


def _to_settings() -> str:
    """The settings for this machine: an eighth of its memory is shared, so that what is used often stays in it."""
    megabytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    return _SETTINGS.format(shared_megabytes=min(max(megabytes // 8, _LEAST_SHARED), _MOST_SHARED))


def server_environment(**extra: str) -> dict[str, str]:
    """Return the environment of PostgreSQL's programs: no secret of ours in it, messages in English."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", **extra}


def find_data_major(cluster: Path) -> int | None:
    """Return the major version that made the cluster; None where there is no cluster yet."""
    try:
        return int((cluster / "PG_VERSION").read_text().strip().split(".")[0])
    except FileNotFoundError:
        return None
    except ValueError:
        raise EmbeddedError(
            f"{cluster}/PG_VERSION names no version: the database is damaged, restore a copy."
        ) from None


def initialise_cluster(housing: Housing, deadline: float) -> None:
    """Make the cluster beside its place, flush it to the disk and rename it into place.

    initdb flushes what it has written: a power cut in the first minutes must not leave a database that starts and is
    hollow. `deadline` is a `time.monotonic` value. Raises `EmbeddedError`, `OSError`.
    """
    place = housing.cluster.parent
    for leftover in place.glob("postgres.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    made = place / f"postgres.new-{secrets.token_hex(4)}"
    try:
        _run_initdb(housing, made, deadline)
        with (made / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(_to_settings())
            settings.flush()
            os.fsync(settings.fileno())
        made.rename(housing.cluster)
        _flush_directory(place)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _run_initdb(housing: Housing, made: Path, deadline: float) -> None:
    options = ("--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--data-checksums", "--no-instructions")
    said = ""
    for ways in _ways(housing.binaries.major):
        command = [*housing.prefix, housing.binaries.initdb, f"--pgdata={made}", f"--username={SUPERUSER}"]
        try:
            result = subprocess.run(
                [*command, *options, *ways],
                cwd="/",
                env=server_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=max(1.0, deadline - time.monotonic()),
            )
        except subprocess.TimeoutExpired:
            raise EmbeddedError(f"Making the database in {housing.cluster} took too long: is the disk busy?") from None
        if result.returncode == 0:
            return
        said = result.stderr or result.stdout
        if not _REFUSED_WAYS.search(said):
            break
    raise EmbeddedError(server_sentence(said, housing.cluster.parent))


def _ways(major: int) -> list[tuple[str, ...]]:
    """Return the options to try in turn, since not every build and every machine has them.

    The new files get to the disk all of their file system at once, or else one after the other. Order is by code point,
    with the letters of all scripts where there is a table of them.
    """
    if major < _BUILTIN_LOCALE_MAJOR:
        return [("--locale=C", "--lc-ctype=C.UTF-8"), ("--locale=C",)]
    locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    return [("--sync-method=syncfs", *locale), locale] if sys.platform == "linux" else [locale]


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
