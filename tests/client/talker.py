"""Both clients behind one face, so that each promise is held by the one that blocks and by the one that is awaited."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from inspect import isawaitable
from typing import Any, Literal

import anyio.from_thread
import anyio.to_thread
import httpx
from starlette.types import ASGIApp
from typing_extensions import override

from customerhub.client import AsyncClient, Client, Patience

Kind = Literal["blocking", "awaiting"]
PATIENCE = Patience(retries=4, first_wait=1.0, longest_wait=30.0)


class Bridge(httpx.BaseTransport):
    """Carries the requests of a client in another thread to an application in the loop."""

    def __init__(self, app: ASGIApp) -> None:
        self._transport = httpx.ASGITransport(app)

    @override
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return anyio.from_thread.run(self._handle, request)

    async def _handle(self, request: httpx.Request) -> httpx.Response:
        answer = await self._transport.handle_async_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, content=await answer.aread())


class Talker:
    """A client of either kind; `waits` are the seconds that it would have slept."""

    def __init__(self, kind: Kind, app: ASGIApp, *, api_key: str = "hub_key", patience: Patience = PATIENCE) -> None:
        self.waits: list[float] = []
        self.client: Client | AsyncClient
        if kind == "blocking":
            transport = Bridge(app)
            self.client = Client("http://hub", api_key, patience=patience, transport=transport, sleep=self.waits.append)
        else:
            self.client = AsyncClient(
                "http://hub", api_key, patience=patience, transport=httpx.ASGITransport(app), sleep=self._sleep
            )

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)

    async def __call__(self, method: str, *arguments: Any, **named: Any) -> Any:  # Any: whatever the method takes
        """What a method of the client answers; all items of what it walks through."""
        call = partial(getattr(self.client, method), *arguments, **named)
        if isinstance(self.client, Client):
            return await anyio.to_thread.run_sync(lambda: _finish(call()))
        answer = call()
        if isinstance(answer, AsyncIterator):
            return [item async for item in answer]
        return await answer if isawaitable(answer) else answer

    async def aclose(self) -> None:
        """Close the client."""
        await self("close" if isinstance(self.client, Client) else "aclose")


def _finish(answer: object) -> object:
    return list(answer) if isinstance(answer, Iterator) else answer


@asynccontextmanager
async def talking(kind: Kind, app: ASGIApp, **options: Any) -> AsyncIterator[Talker]:  # Any: those of Talker
    """A client that is closed afterwards."""
    talker = Talker(kind, app, **options)
    try:
        yield talker
    finally:
        await talker.aclose()
