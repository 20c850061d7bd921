"""Lines of the table: each can be run for a while, and says what that was good for and what it cost."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from bench.floor import LEAD_SECONDS, FloorRun, run_floor
from bench.load import Crowd, Order
from bench.machine import cpu_seconds, read_memory
from bench.request import Request
from bench.served import Server
from bench.statements import Script
from customerhub.store.db import Connection

# So long the work that a request leaves behind it may take.
_SETTLE_SECONDS: Final = 30.0
# On a busy machine its clients may not have begun when the time begins.
_FLOOR_TRIES: Final = 3
_LOOK_SECONDS: Final = 0.02
_IS_WAITING: Final = "select exists (select from feed_waiting)"


@dataclass(frozen=True)
class Sample:
    """One round of a line: seconds of each answer, CPU seconds of the server and of PostgreSQL, bytes of the server.

    `errors` are answers other than expected; they count as answers.
    """

    latencies: Sequence[float]
    seconds: float
    server: float
    database: float
    errors: int
    memory: int = 0

    @property
    def count(self) -> int:
        """How many requests were answered."""
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.count / self.seconds

    @property
    def cpu(self) -> float:
        """CPU seconds of a request, of server and PostgreSQL together."""
        return (self.server + self.database) / self.count


class Line(Protocol):
    """Something that is measured, by what it is called in the table."""

    @property
    def subject(self) -> str:
        """Who is measured: a floor, a peer, or a dialect of the hub."""

    @property
    def workload(self) -> str:
        """At what."""

    async def run(self, seconds: float) -> Sample:
        """One round of about so many seconds."""


@dataclass(frozen=True)
class FloorLine:
    """PostgreSQL alone, under pgbench."""

    subject: str
    workload: str
    pgbench: Path
    url: str
    database: int
    script: Script
    connections: int
    lead: float = LEAD_SECONDS

    def run_once(self, seconds: float) -> FloorRun:
        """One round, as pgbench tells of it."""
        return run_floor(
            self.pgbench,
            self.url,
            self.database,
            self.script,
            seconds,
            connections=self.connections,
            lead=self.lead,
        )

    async def run(self, seconds: float) -> Sample:
        """One round; what differs from request to request is chosen by pgbench.

        Raises RuntimeError where it did nothing in the time measured, several times over.
        """
        for _ in range(_FLOOR_TRIES):
            run = await asyncio.to_thread(self.run_once, seconds)
            if run.latencies:
                break
        else:
            raise RuntimeError(
                f"pgbench did nothing in {seconds} s: choose longer rounds, or a machine with less to do"
            )
        return Sample(run.latencies, run.seconds, 0.0, run.cpu, run.errors)


@dataclass(frozen=True)
class ServerLine:
    """A server that clients ask by HTTP. With a `keeper`, a round ends when nothing waits for its place in the feed."""

    subject: str
    workload: str
    server: Server
    database: int
    crowd: Crowd
    request: Request
    places: range
    connections: int
    rate: float | None = None
    keeper: Connection | None = None

    async def run(self, seconds: float) -> Sample:
        """One round of these clients."""
        order = Order(
            self.server.port,
            self.request,
            self.places.start,
            self.places.stop,
            seconds,
            connections=self.connections,
            rate=self.rate,
        )
        before = cpu_seconds(self.server.process), cpu_seconds(self.database)
        outcome = await asyncio.to_thread(self.crowd.send, order)
        await self._settle()
        server, database = (
            now - then
            for now, then in zip((cpu_seconds(self.server.process), cpu_seconds(self.database)), before, strict=True)
        )
        memory = read_memory(self.server.process).proportional
        return Sample(outcome.latencies, outcome.seconds, server, database, outcome.errors, memory)

    async def _settle(self) -> None:
        """Wait until what the requests left to be done in the background is done: it is part of what they cost."""
        if self.keeper is None:
            return
        async with asyncio.timeout(_SETTLE_SECONDS):
            while await self.keeper.fetchval(_IS_WAITING):  # noqa: ASYNC110 - another process has to be done
                await asyncio.sleep(_LOOK_SECONDS)


async def alternate(lines: Sequence[Line], rounds: int, seconds: float, warm: float) -> list[list[Sample]]:
    """Warm every line up, then run them all in turn, round after round; each line's samples, in the order of rounds."""
    for line in lines:
        await line.run(warm)
    return await take_turns(lines, rounds, seconds)


async def take_turns(lines: Sequence[Line], rounds: int, seconds: float) -> list[list[Sample]]:
    """Run all lines in turn, round after round; each line's samples, in the order of rounds."""
    samples: list[list[Sample]] = [[] for _ in lines]
    for _ in range(rounds):
        for line, taken in zip(lines, samples, strict=True):
            taken.append(await line.run(seconds))
    return samples
