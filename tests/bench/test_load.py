"""Clients, and what they count."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.load import Order, carry_out
from bench.request import Request, Signing, Subject, take_apart
from bench.workloads.common import below, new_key

SUBJECTS = [Subject(number, ("Oslo",)) for number in range(1, 4)]
REQUEST = Request("PATCH", lambda _, subject: f"/{subject.number}", {"x": "y"}, lambda *_: {"a": "æ"}, new_key)


@asynccontextmanager
async def answering(statuses: list[int], heads: list[bytes]) -> AsyncIterator[int]:
    """A server that answers with these statuses in turn, and with 200 afterwards; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b"":
            heads.append(head)
            await reader.readexactly(len('{"a":"æ"}'.encode()))
            writer.write(b"HTTP/1.1 %d Yes\r\ncontent-length: 2\r\n\r\nhi" % (statuses.pop() if statuses else 200))

    async def answer_until_left(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except asyncio.IncompleteReadError:
            writer.close()

    server = await asyncio.start_server(answer_until_left, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()


async def test_every_answer_is_counted_and_wrong_ones_are_told() -> None:
    """Each client asks again once it is answered; all that was asked is answered when the clients leave."""
    heads: list[bytes] = []
    async with answering([500, 429], heads) as port:
        outcome = await carry_out(Order(port, REQUEST, 0, 3, 0.1, connections=2), SUBJECTS)
    assert outcome.count == len(heads) > 2
    assert dict(outcome.wrong) == {500: 1, 429: 1}
    assert outcome.errors == 2


async def test_no_key_is_sent_twice() -> None:
    """A key that was sent before would be answered from memory, and make the hub look fast."""
    heads: list[bytes] = []
    async with answering([], heads) as port:
        await carry_out(Order(port, REQUEST, 0, 3, 0.1, connections=2), SUBJECTS)
    keys = [take_apart(head)[2]["idempotency-key"] for head in heads]
    assert len(set(keys)) == len(keys)


async def test_at_a_rate_each_is_as_late_as_it_was_meant_to_be_sent() -> None:
    """Forty in a fifth of a second, however fast they are answered."""
    heads: list[bytes] = []
    async with answering([], heads) as port:
        outcome = await carry_out(Order(port, REQUEST, 0, 3, 0.2, connections=2, rate=200), SUBJECTS)
    assert outcome.count == len(heads) == 40
    assert outcome.seconds >= 0.19


def test_a_request_can_be_taken_apart() -> None:
    """What the hub in process is asked is what clients send."""
    request = Request("PUT", lambda *_: "/partners/a?b=c", {"x": "y"}, lambda *_: [1], signing=Signing("me", "secret"))
    method, path, headers, body = take_apart(request.build(random.Random(1), SUBJECTS[0]))
    assert (method, path, body) == ("PUT", "/partners/a?b=c", b"[1]")
    assert list(headers) == ["host", "x", "content-length", "x-client-id", "x-timestamp", "x-signature"]
    assert len(headers["x-signature"]) == 64


def test_a_subject_is_the_customer_of_its_number() -> None:
    """The clients and the fill agree on ids without asking."""
    assert below("/customers", random.Random(), Subject(1, ())) == "/customers/1c1e3dd0-9531-6f30-724a-c021ca3b95b8"
