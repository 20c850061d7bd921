"""`python -m bench.peers.fastapi_sqlalchemy`: fill a database if asked to, and serve it."""

import argparse
import asyncio
import os

import uvicorn

from bench.peers.fastapi_sqlalchemy.app import DATABASE_URL, POOL_SIZE
from bench.peers.fastapi_sqlalchemy.filling import fill


def main() -> None:
    """Fill and serve."""
    parser = argparse.ArgumentParser(prog="python -m bench.peers.fastapi_sqlalchemy", description=__doc__)
    parser.add_argument("--database-url", required=True, help="A database of its own, as libpq writes it.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--workers", type=int, default=1, help="Processes that answer.")
    parser.add_argument("--connections", type=int, default=32, help="To PostgreSQL, of all workers together.")
    parser.add_argument("--fill", type=int, default=0, metavar="N", help="First make tables and N customers.")
    parser.add_argument("--api-key", default="bench", help="The key that they are made with.")
    chosen = parser.parse_args()
    if chosen.fill:
        asyncio.run(fill(chosen.database_url, chosen.api_key, chosen.fill))
    os.environ[DATABASE_URL] = chosen.database_url
    os.environ[POOL_SIZE] = str(max(1, chosen.connections // chosen.workers))
    uvicorn.run(
        "bench.peers.fastapi_sqlalchemy.app:app",
        port=chosen.port,
        workers=chosen.workers,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
