"""The site behind a real server and real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import uvicorn

from customerhub.model.answer import Answer
from customerhub.settings import Settings
from customerhub.web.limit import Limits
from customerhub.web.operation import Call
from customerhub.web.serve import Site
from tests.web.fake import READ, WRITE, FakeDialect, FakeHub, show, to_site

HEAD = b"PATCH /fake/things/1 HTTP/1.1\r\nHost: x\r\nX-Key: good\r\n"


@asynccontextmanager
async def serving(site: Site) -> AsyncIterator[tuple[uvicorn.Server, int]]:
    """The site on a free port, as the hub runs it."""
    config = uvicorn.Config(site, port=0, log_config=None, access_log=False, lifespan="on", ws="none")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 - the server tells it in no other way
            await asyncio.sleep(0.01)
    try:
        yield server, server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await running


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the next answer."""
    async with asyncio.timeout(10):
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        return int(lines[0].split()[1]), headers, await reader.readexactly(int(headers.get("content-length", "0")))


async def test_a_client_that_sends_too_much_reads_the_answer() -> None:
    """Two megabytes for a route that takes one are read to the end, and then refused; the connection closes."""
    async with serving(to_site()) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"Content-Length: 2097152\r\n\r\n")
        for _ in range(32):
            writer.write(b"x" * 65_536)
            await writer.drain()
        status, headers, body = await read_answer(reader)
        assert (status, json.loads(body)["code"], headers["connection"]) == (413, "BodyTooLarge", "close")
        assert await reader.read() == b""
        writer.close()


async def test_a_client_that_asks_first_need_not_send() -> None:
    """`Expect: 100-continue` is answered 413 at once where the body would be too long, and 100 otherwise."""
    async with serving(to_site()) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"Expect: 100-continue\r\nContent-Length: 2097152\r\n\r\n")
        assert (await read_answer(reader))[0] == 413
        writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        assert (await read_answer(reader))[0] == 100
        writer.write(b"{}")
        assert (await read_answer(reader))[::2] == (201, b"{}")
        writer.close()


async def test_a_body_in_chunks_is_one_body() -> None:
    """A body without a length is bounded and read like any other, and the connection goes on."""
    async with serving(to_site()) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(HEAD + b'Transfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n')
            assert (await read_answer(reader))[::2] == (201, b'{"a":1}')
        writer.close()


async def test_requests_follow_each_other_on_one_connection() -> None:
    """A body that nobody reads does not spoil the next request."""
    async with serving(to_site()) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        unread = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
        for request, expected in ((unread, 404), (HEAD + b"Content-Length: 2\r\n\r\n{}", 201), (unread, 404)):
            writer.write(request)
            assert (await read_answer(reader))[0] == expected
        writer.close()


async def test_a_slow_body_is_answered_and_the_connection_closed() -> None:
    """A client that stalls in its body is told so."""
    async with serving(to_site(hub=FakeHub(Settings(body_seconds=0.05)))) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"Content-Length: 10\r\n\r\n{")
        status, headers, body = await read_answer(reader)
        assert (status, json.loads(body)["code"], headers["connection"]) == (408, "RequestTimeout", "close")
        assert await reader.read() == b""
        writer.close()


async def test_a_client_that_hangs_up_leaves_nothing_behind() -> None:
    """Half a body never reaches its handler, and the server goes on."""
    calls: list[Call] = []

    async def handler(call: Call) -> Answer:
        calls.append(call)
        return Answer(204)

    async with serving(to_site(READ, replace(WRITE, handler=handler))) as (_, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"Content-Length: 10\r\n\r\n{")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"\r\n")
        assert (await read_answer(reader))[0] == 204
        writer.close()
    assert [call.raw_body for call in calls] == [b""]


async def test_requests_that_run_are_finished_before_the_end() -> None:
    """A server that is told to stop answers what it has begun, and only then lets go of what requests use."""
    order: list[str] = []
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def handler(call: Call) -> Answer:
        begun.set()
        await go_on.wait()
        order.append("answered")
        return await show(call)

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        yield
        order.append("let go")

    dialect = FakeDialect((replace(READ, handler=handler),))
    async with serving(Site(FakeHub(), [dialect], limits=Limits(), lifespan=lifespan)) as (server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /fake/things/1 HTTP/1.1\r\nHost: x\r\nX-Key: good\r\n\r\n")
        async with asyncio.timeout(10):
            await begun.wait()
        server.should_exit = True
        go_on.set()
        status, headers, _ = await read_answer(reader)
        writer.close()
    assert (status, headers["request-id"], order) == (200, "req_01kdyak3se00000000000aqkff", ["answered", "let go"])
