"""Bodies that are sent while they are made: at the pace of whoever reads them, and no longer than somebody does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.types import Receive, Send

from customerhub.web.sending import RawHeaders
from customerhub.web.upload import ClientGone

# What a slow client must take within the time after which it counts as gone.
_PIECE_BYTES: Final = 65_536


class Outgoing:
    """The outlet of one answer: its head goes with the first piece; `size` is what was sent of its body so far.

    `seconds` is how long a client may take nothing.
    """

    def __init__(self, send: Send, status: int, raw_headers: RawHeaders, seconds: float) -> None:
        self._send = send
        self._status = status
        self._headers = raw_headers
        self._seconds = seconds
        self._gone: asyncio.Task[None] | None = None
        self.has_begun = False
        self.size = 0

    @asynccontextmanager
    async def watching(self, receive: Receive) -> AsyncIterator[None]:
        """Meanwhile it is noticed when the client goes: the server says nothing of it to those who only send."""
        self._gone = asyncio.create_task(_wait_until_gone(receive))
        try:
            yield
        finally:
            self._gone.cancel()

    def add_header(self, name: str, value: str) -> None:
        """One more header. Raises RuntimeError where the head is sent, ValueError for what no header can hold."""
        if self.has_begun:
            raise RuntimeError(f"{name} comes too late")
        if not (value.isascii() and value.isprintable()):
            raise ValueError(f"the answer's header {name} holds what no header can")
        self._headers.append((name.encode("ascii"), value.encode("ascii")))

    async def write(self, piece: bytes) -> None:
        """Send some more once the client has taken what was sent before. Raises ClientGone."""
        for start in range(0, len(piece), _PIECE_BYTES):
            part = piece[start : start + _PIECE_BYTES]
            await self._push(part)
            self.size += len(part)

    async def finish(self) -> None:
        """That was all. Raises ClientGone."""
        await self._push(b"", more=False)

    async def _push(self, part: bytes, *, more: bool = True) -> None:
        if self._gone is not None and self._gone.done():
            raise ClientGone
        if not self.has_begun:
            self.has_begun = True
            await self._send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        try:
            async with asyncio.timeout(self._seconds):
                await self._send({"type": "http.response.body", "body": part, "more_body": more})
        except TimeoutError:
            raise ClientGone from None


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
