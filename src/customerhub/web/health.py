"""Whether the process lives, and whether it can do its work."""

import asyncio
from typing import Final

import msgspec
from starlette.datastructures import Headers

from customerhub.core.hub import Hub
from customerhub.model.answer import Answer
from customerhub.model.error import Unavailable
from customerhub.web.page import Page

READY_SECONDS: Final = 5.0


def to_health_pages(hub: Hub) -> dict[str, Page]:
    """`/healthz` and `/readyz`."""

    async def healthz(_: Headers) -> Answer:
        return _to_answer(200, {"status": "ok"})

    async def readyz(_: Headers) -> Answer:
        if hub.is_leaving:
            return _to_answer(503, {"status": "leaving"})
        missing = await _find_missing(hub)
        if missing is None:
            return _to_answer(200, {"status": "ok"})
        return _to_answer(503, {"status": "unavailable", "missing": missing})

    return {"/healthz": healthz, "/readyz": readyz}


async def _find_missing(hub: Hub) -> str | None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            await hub.ready()
    except TimeoutError:
        return "database"
    except Unavailable as error:
        # The schema's own complaint is the only one that does not come from the connection or the driver.
        return "migrations" if type(error.__cause__) is RuntimeError else "database"
    return None


def _to_answer(status: int, content: dict[str, str]) -> Answer:
    return Answer(status, msgspec.json.encode(content), (("content-type", "application/json"),))
