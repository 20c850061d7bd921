"""Clients in a process of their own: closed loop, each asking again once it is answered, or at a given rate."""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from multiprocessing import get_context
from typing import Final, cast

import httptools
import uvloop
from typing_extensions import override

from bench.request import Request, Subject

# Requests are made beforehand for so many a second, in no more than this part of the time that they will be sent in.
_MOST_RATE: Final = 3_000
_PREPARING: Final = 0.2
# So long a stuck server may keep its clients waiting beyond their time.
_PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Order:
    """What clients are to do: requests about the subjects at places `first` up to `last`, for so many seconds.

    Most are made before the clock starts, so that making them takes nothing from who answers them. With a `rate` they
    are sent so many a second, evenly, whether or not those before them were answered, by whoever of the `connections`
    is free; each is then as late as its answer is after the moment that it was meant to be sent.
    """

    port: int
    request: Request
    first: int
    last: int
    seconds: float
    connections: int = 32
    rate: float | None = None


@dataclass
class Outcome:
    """What came of it: seconds to each answer, seconds in all, and answers of another status than was expected."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0
    wrong: Counter[int] = field(default_factory=Counter)
    received: int = 0

    @property
    def count(self) -> int:
        """How many requests were answered."""
        return len(self.latencies)

    @property
    def errors(self) -> int:
        """How many of them wrongly."""
        return self.wrong.total()


class _Client(asyncio.Protocol):
    """One connection: asks, waits for the whole answer, and asks again as long as the work lasts."""

    def __init__(self, work: "_Work") -> None:
        self._work = work
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._meant_at = 0.0
        self.gone = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._work.free.append(self)

    def ask(self, meant_at: float) -> None:
        """Send a request that was meant to be sent at this moment."""
        assert self._transport is not None  # noqa: S101 - whoever asks is connected
        self._meant_at = meant_at
        self._transport.write(self._work.next_request())

    @override
    def data_received(self, data: bytes) -> None:
        self._work.outcome.received += len(data)
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """The parser has seen the end of an answer."""
        self._work.note(time.perf_counter() - self._meant_at, self._parser.get_status_code())
        # Not from inside the parser, which is not done with this answer.
        asyncio.get_running_loop().call_soon(self._work.go_on, self)

    def hang_up(self) -> None:
        """No more requests."""
        if self._transport is not None:
            self._transport.close()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self.gone.done():
            self.gone.set_result(None)
        self._work.lose(self)


class _Work:
    """An order being carried out."""

    def __init__(self, order: Order, subjects: Sequence[Subject]) -> None:
        self._order = order
        self._subjects = subjects[order.first : order.last]
        # Never the same twice: a key that was sent before would be answered from memory.
        self._random = random.Random()  # noqa: S311 - no secret
        self._prepared = self._prepare()
        self._late: deque[float] = deque()
        self._is_over = False
        self._busy = 0
        self.free: list[_Client] = []
        self.outcome = Outcome()
        self.done = asyncio.Event()

    def next_request(self) -> bytes:
        return self._prepared.pop() if self._prepared else self._make_request()

    def _prepare(self) -> list[bytes]:
        until = time.perf_counter() + _PREPARING * self._order.seconds
        made: list[bytes] = []
        while time.perf_counter() < until and len(made) < _MOST_RATE * self._order.seconds:
            made.append(self._make_request())
        return made

    def _make_request(self) -> bytes:
        return self._order.request.build(self._random, self._random.choice(self._subjects))

    def note(self, seconds: float, status: int) -> None:
        """One answer more."""
        self.outcome.latencies.append(seconds)
        if status != self._order.request.expects:
            self.outcome.wrong[status] += 1

    def lose(self, client: _Client) -> None:
        """A connection ended, which none does of itself while there is work."""
        if not self._is_over:
            self.outcome.wrong[HTTPStatus.BAD_GATEWAY] += 1
            self._busy -= 1
            self._look_for_end()
        elif client in self.free:
            self.free.remove(client)

    def start(self, client: _Client, meant_at: float) -> None:
        self._busy += 1
        client.ask(meant_at)

    def go_on(self, client: _Client) -> None:
        """A client has its answer: the next request, the one that has waited longest, or none."""
        self._busy -= 1
        if self._late:
            self.start(client, self._late.popleft())
        elif self._is_over or self._order.rate is not None:
            self.free.append(client)
            self._look_for_end()
        else:
            self.start(client, time.perf_counter())

    def _look_for_end(self) -> None:
        if self._is_over and not self._busy:
            self.done.set()

    async def run(self) -> Outcome:
        started = time.perf_counter()
        if self._order.rate is None:
            waiting, self.free = self.free, []
            for client in waiting:
                self.start(client, time.perf_counter())
            await asyncio.sleep(self._order.seconds)
        else:
            await self._send_evenly(started, self._order.rate)
        self._is_over = True
        if self._busy:
            await self.done.wait()
        self.outcome.seconds = time.perf_counter() - started
        return self.outcome

    async def _send_evenly(self, started: float, rate: float) -> None:
        for number in range(int(rate * self._order.seconds)):
            meant_at = started + number / rate
            if (left := meant_at - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            if self.free:
                self.start(self.free.pop(), meant_at)
            else:
                self._late.append(meant_at)


async def carry_out(order: Order, subjects: Sequence[Subject]) -> Outcome:
    """Do what is ordered, in this process. Raises OSError where nobody listens."""
    loop = asyncio.get_running_loop()
    work = _Work(order, subjects)
    clients: list[_Client] = []
    for _ in range(order.connections):
        _, client = await loop.create_connection(lambda: _Client(work), "127.0.0.1", order.port)
        clients.append(client)
    outcome = await work.run()
    for client in clients:
        client.hang_up()
    await asyncio.gather(*(client.gone for client in clients))
    return outcome


class Crowd:
    """The process of the clients, from first use to `close`: what they cost is nobody's but theirs."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self._process = ProcessPoolExecutor(1, get_context("spawn"), _remember, (subjects,))

    def send(self, order: Order) -> Outcome:
        """Have an order carried out, and wait for what came of it. Raises TimeoutError where answers do not come."""
        return self._process.submit(_carry_out_here, order).result(order.seconds + _PATIENCE_SECONDS)

    def close(self) -> None:
        """End the process."""
        self._process.shutdown()


# What the process of the clients was told at its start.
_subjects: list[Subject] = []


def _remember(subjects: Sequence[Subject]) -> None:
    _subjects[:] = subjects


def _carry_out_here(order: Order) -> Outcome:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(carry_out(order, _subjects))
