"""Open a cluster, print its address, and hold it until standard input ends; started by support.Holder."""

import asyncio
import sys
from pathlib import Path

import asyncpg

from customerhub.embedded import EmbeddedError, open_cluster


async def ask(url: str) -> int:
    """Return what a query answers, to show that the server takes one."""
    connection = await asyncpg.connect(url)
    try:
        return int(await connection.fetchval("SELECT 41 + 1"))
    finally:
        await connection.close()


def say(line: str) -> None:
    """Write a line that the test reads at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(data_directory: Path, binaries: Path | None) -> None:
    """Say the address, then `interrupted` and a query's answer if Ctrl-C comes before the end of the input."""
    try:
        with open_cluster(data_directory, binaries=binaries) as cluster:
            try:
                say(cluster.url("postgres"))
                sys.stdin.read()
            except KeyboardInterrupt:
                say(f"interrupted {asyncio.run(ask(cluster.url('postgres')))}")
    except EmbeddedError as error:
        say(f"EmbeddedError: {error}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
