"""A real receiver of webhooks: takes every request down and answers as it is told, well or badly."""

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

_HEAD_END = b"\r\n\r\n"
_TRICKLE_SECONDS = 0.02

Manner = Literal["answer", "hang", "drop", "trickle", "trickle_head"]


@dataclass(frozen=True)
class Reaction:
    """How one request is answered.

    `hang` says nothing and holds the connection; `drop` ends it without a word; `trickle` sends the status and then one
    byte after the other without end, `trickle_head` the head in the same way.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    manner: Manner = "answer"


@dataclass(frozen=True)
class Got:
    """One request, raw: `head` is all before the body, `headers` by their names in lower case."""

    head: bytes
    body: bytes
    headers: dict[str, str]

    @property
    def target(self) -> str:
        """The method and the path."""
        return self.head.split(b" HTTP/", 1)[0].decode()


@dataclass
class Receiver:
    """A server on a free port of the loopback; `react` decides on each request when it is there."""

    react: Callable[[Got], Reaction] = field(default=lambda _: Reaction())
    port: int = 0
    scheme: str = "http"
    connections: int = 0
    got: list[Got] = field(default_factory=list)
    broken: int = 0
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where it listens, with a path."""
        return f"{self.scheme}://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection, with as many requests as come."""
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while await self._take(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            self.broken += 1
        except asyncio.CancelledError:
            pass  # the receiver stops; asyncio would report what ends so as a fault
        finally:
            self._open.discard(task)
            writer.close()
            with suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()

    async def _take(self, reader: StreamReader, writer: StreamWriter) -> bool:
        try:
            head = await reader.readuntil(_HEAD_END)
        except asyncio.IncompleteReadError:
            return False
        lines = head.decode("latin-1").split("\r\n")[1:-2]
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        got = Got(head, body, headers)
        self.got.append(got)
        return await self._answer(self.react(got), writer)

    async def _answer(self, reaction: Reaction, writer: StreamWriter) -> bool:
        """Whether the connection goes on."""
        if reaction.manner == "drop":
            return False
        if reaction.manner == "hang":
            await asyncio.Event().wait()
        is_whole = reaction.manner == "answer"
        lines = [
            f"HTTP/1.1 {reaction.status} Whatever",
            f"Content-Length: {len(reaction.body) if is_whole else 1_000_000}",
            *(f"{name}: {value}" for name, value in reaction.headers),
        ]
        head = "\r\n".join(lines).encode() + _HEAD_END
        if reaction.manner == "trickle_head":
            for place in range(len(head)):
                writer.write(head[place : place + 1])
                await writer.drain()
                await asyncio.sleep(_TRICKLE_SECONDS)
        writer.write(head + reaction.body)
        await writer.drain()
        while not is_whole:
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(_TRICKLE_SECONDS)
        return True

    async def stop(self) -> None:
        """End every connection."""
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def running_receiver(
    react: Callable[[Got], Reaction] = lambda _: Reaction(), *, certificates: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Listen until the block ends; by TLS where there are certificates."""
    receiver = Receiver(react, scheme="https" if certificates else "http")
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=certificates)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        await receiver.stop()
        await server.wait_closed()
