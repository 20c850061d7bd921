"""Wait for a condition with a deadline, and never for luck."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def wait_until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 10) -> None:
    """Ask until it is true; fails with `what` once the time is up."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        await asyncio.sleep(0.005)
