"""Make a new PostgreSQL cluster with the settings of a small machine, whole or not at all."""

import os
import secrets
import shutil
import subprocess
import time
from pathlib import Path

from customerhub.embedded.account import Housing
from customerhub.embedded.errors import EmbeddedError, server_sentence

SUPERUSER = "customerhub"

# From this version on PostgreSQL brings C.UTF-8 itself, the same on every machine.
_BUILTIN_LOCALE_MAJOR = 17
# Written once into the new cluster's own postgresql.conf, where an operator may change them;
# what must hold whatever that file says is given on the server's command line (server.py).
_SETTINGS = """
# Set by customerhub for a small machine; change what you like.
shared_buffers = '128MB'
max_connections = 100
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

    initdb keeps its own fsync of every file (0.3 s of 0.7 s): a power cut in the first minutes must not leave a
    database that starts and is hollow. `deadline` is a `time.monotonic` value. Raises `EmbeddedError`, `OSError`.
    """
    place = housing.cluster.parent
    for leftover in place.glob("postgres.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    made = place / f"postgres.new-{secrets.token_hex(4)}"
    try:
        _run_initdb(housing, made, deadline)
        with (made / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.write(_SETTINGS)
            settings.flush()
            os.fsync(settings.fileno())
        made.rename(housing.cluster)
        _flush_directory(place)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _run_initdb(housing: Housing, made: Path, deadline: float) -> None:
    options = ("--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--data-checksums", "--no-instructions")
    said = ""
    for locale in _locales(housing.binaries.major):
        command = [*housing.prefix, housing.binaries.initdb, f"--pgdata={made}", f"--username={SUPERUSER}"]
        try:
            result = subprocess.run(
                [*command, *options, *locale],
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
        if "invalid locale" not in said:
            break
    raise EmbeddedError(server_sentence(said, housing.cluster.parent))


def _locales(major: int) -> list[tuple[str, ...]]:
    """Return the locale options to try in turn: order by code point, letters of all scripts where there is a table."""
    if major >= _BUILTIN_LOCALE_MAJOR:
        return [("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")]
    return [("--locale=C", "--lc-ctype=C.UTF-8"), ("--locale=C",)]


def _flush_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
