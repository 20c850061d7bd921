"""Scripts that stand in for PostgreSQL's programs, for failures that cannot be had from the real ones."""

from pathlib import Path

INITDB_MAKES_A_CLUSTER = """
for word in "$@"; do case $word in --pgdata=*) made=${word#--pgdata=};; esac; done
mkdir "$made" && echo 18 > "$made/PG_VERSION" && touch "$made/postgresql.conf"
"""


def make_binaries(
    directory: Path, *, version: str = "18.6", initdb: str = INITDB_MAKES_A_CLUSTER, postgres: str = ""
) -> Path:
    """Return a bin directory whose postgres gives this version, and whose programs otherwise run these shell lines."""
    directory.mkdir()
    answer = f'if [ "$1" = --version ]; then echo "postgres (PostgreSQL) {version}"; exit; fi'
    for name, lines in (("initdb", initdb), ("postgres", postgres)):
        program = directory / name
        program.write_text(f"#!/bin/sh\n{answer}\n{lines}\n")
        program.chmod(0o755)
    return directory
