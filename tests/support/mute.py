"""A way to PostgreSQL on which the server can fall silent: it hears and does what it is told, and nobody hears back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, quote, urlencode, urlsplit

_CHUNK = 65_536


class Mute:
    """Connections to one database, all of which can be muted at once; `url` leads through it."""

    def __init__(self, target: str, place: Path) -> None:
        parts = urlsplit(target)
        self._where = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self._place = place
        self._may_speak = asyncio.Event()
        self._may_speak.set()
        where = urlencode(self._where | {"host": str(place)}, quote_via=quote)
        self.url = f"{parts.scheme}://{parts.path}?{where}"

    def fall_silent(self) -> None:
        """From now on no answer comes through."""
        self._may_speak.clear()

    def speak(self) -> None:
        """Let through what was held back."""
        self._may_speak.set()

    async def serve(self) -> asyncio.Server:
        """Take connections."""
        return await asyncio.start_unix_server(self._connect, self._place / self._socket)

    @property
    def _socket(self) -> str:
        return f".s.PGSQL.{self._where['port']}"

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(Path(self._where["host"]) / self._socket)
        with suppress(OSError):
            await asyncio.gather(
                self._pass_on(reader, server_writer, is_answer=False),
                self._pass_on(server_reader, writer, is_answer=True),
            )

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool) -> None:
        while chunk := await reader.read(_CHUNK):
            if is_answer:
                await self._may_speak.wait()
            writer.write(chunk)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def muted(target: str) -> AsyncIterator[Mute]:
    """A way to the database at `target`; it speaks until told otherwise."""
    with TemporaryDirectory() as place:
        mute = Mute(target, Path(place))
        server = await mute.serve()
        try:
            yield mute
        finally:
            mute.speak()
            server.close()
