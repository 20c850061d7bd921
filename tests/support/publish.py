"""A process that does nothing but publish: `python -m tests.support.publish <database url>`, until it is killed."""

import asyncio
import sys

from customerhub.core.publisher import Publisher
from customerhub.store.db import Database


async def main(url: str) -> None:
    """Publish as often as it can."""
    publisher = Publisher(Database(url, size=1))
    publisher.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        publisher.wake()
        await asyncio.sleep(0.001)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
