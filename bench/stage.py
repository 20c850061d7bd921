"""Everything that is measured, up and running at once, and the lines that come of it."""

import asyncio
import itertools
import random
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from bench.floors import to_scripts
from bench.load import Crowd
from bench.measure import FloorLine, ServerLine
from bench.options import MAIN, PEER, Options
from bench.pages import LAST, PAGE_SIZE, list_requests
from bench.request import Request, Subject, take_apart
from bench.served import Place, Server, copy_database, find_stride, opened_place, pick_subjects, running, serving_hub
from bench.statements import Script, capture
from bench.workloads import DIALECTS
from customerhub.store.db import Connection, connect

FLOOR: Final = "floor"
EMPTY: Final = "starlette, no database"
# The dialect whose update the floor and the peer do too.
FIRST: Final = "wizcommerce"
_PEER_KEY: Final = "bench"
_START_SECONDS: Final = 240
_LOOK_SECONDS: Final = 0.1
# What is asked for a second time, and more often, of the same customers.
REPEATED: Final = ("no-op", "replay")
# Of the subjects, how many only no-ops and replays of one dialect are about.
_KEPT_PART: Final = 0.02
_MOST_KEPT: Final = 100


@dataclass
class Stage:
    """What runs; lines are made of it."""

    options: Options
    place: Place
    subjects: list[Subject]
    crowd: Crowd
    floor_url: str
    scripts: Mapping[str, Script]
    hub: Server
    keeper: Connection
    requests: Mapping[str, Mapping[str, Request]]
    answer: bytes
    others: dict[str, Server] = field(default_factory=dict)

    def floor(self, workload: str = MAIN, subject: str = FLOOR) -> FloorLine:
        """PostgreSQL alone at this."""
        return FloorLine(
            subject,
            workload,
            self.place.cluster.binary_directory / "pgbench",
            self.floor_url,
            self.place.server,
            self.scripts[workload],
            self.options.connections,
        )

    async def fetch_from_floor(self, query: str) -> Sequence[int]:
        """A row of the database that the floor writes."""
        connection = await connect(self.floor_url)
        row = await connection.fetchrow(query)
        await connection.close()
        return tuple(row) if row is not None else ()

    def dialect(self, dialect: str, workload: str, rate: float | None = None) -> ServerLine:
        """The hub at this, through a dialect."""
        return ServerLine(
            dialect,
            workload,
            self.hub,
            self.place.server,
            self.crowd,
            self.requests[dialect][workload],
            find_places(len(self.subjects), dialect, workload),
            self.options.connections,
            rate=rate,
            keeper=self.keeper,
        )

    def other(self, subject: str, workload: str) -> ServerLine:
        """Another server than the hub at what the hub's first dialect is asked for."""
        request = self.requests[PEER if subject == PEER else FIRST][workload]
        places = find_places(len(self.subjects), FIRST, workload)
        server = self.others[subject]
        return ServerLine(
            subject, workload, server, self.place.server, self.crowd, request, places, self.options.connections
        )


def find_places(subjects: int, dialect: str, workload: str) -> range:
    """Which subjects the requests of a workload are about.

    Those of no-ops and replays are about few, of the dialect's own, so that nothing else changes these customers. They
    are the last: a batch is about customers before the one that it is asked for.
    """
    kept = max(1, min(_MOST_KEPT, int(subjects * _KEPT_PART)))
    rest = subjects - len(DIALECTS) * len(REPEATED) * kept
    if workload in REPEATED:
        first = rest + (list(DIALECTS).index(dialect) * len(REPEATED) + REPEATED.index(workload)) * kept
        return range(first, first + kept)
    return range(rest)


@asynccontextmanager
async def opened_stage(options: Options, directory: Path) -> AsyncIterator[Stage]:
    """Start everything, and stop it afterwards. Raises RuntimeError where something does not start."""
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(opened_place(directory, options.customers))
        subjects = await pick_subjects(place)
        requests = {
            dialect: DIALECTS[dialect](place.credentials[dialect])
            for dialect in dict.fromkeys((FIRST, *options.dialects))
        }
        captured = await capture(place, requests[FIRST][MAIN], subjects[0])
        scripts = to_scripts(captured, find_stride(place.customers), find_places(len(subjects), FIRST, MAIN))
        floor_url = await copy_database(place, "floor")
        crowd = Crowd(subjects)
        stack.callback(crowd.close)
        settings = {} if options.hub_connections is None else {"connections": str(options.hub_connections)}
        hub = stack.enter_context(serving_hub(place, directory / "hub.log", options.workers, **settings))
        keeper = await connect(place.url)
        stack.push_async_callback(keeper.close)
        if any(workload.startswith("list-") for workload in options.workloads):
            for dialect, pages in (
                await list_requests(place, hub.port, min(LAST, options.customers // PAGE_SIZE))
            ).items():
                if dialect in requests:
                    requests[dialect] |= dict(zip(("list-first", "list-1000"), pages, strict=True))
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{hub.port}") as client:
            answer = await _ask(client, requests[FIRST]["get"], subjects[-1])
            for dialect, workload in itertools.product(options.dialects, REPEATED):
                if workload in options.workloads:
                    places = find_places(len(subjects), dialect, workload)
                    await _ask_for_first_time(client, requests[dialect][workload], subjects[places.start : places.stop])
        stage = Stage(options, place, subjects, crowd, floor_url, scripts, hub, keeper, requests, answer)
        await _start_others(stage, stack, directory)
        yield stage


async def _start_others(stage: Stage, stack: AsyncExitStack, directory: Path) -> None:
    """The empty application, and the peer on a database of its own with customers of the same ids."""
    if not stage.options.has_others:
        return
    body = directory / "answer.json"
    body.write_bytes(stage.answer)
    port = find_port()
    command = [sys.executable, "-m", "bench.empty", "--port", str(port), "--answer", str(body)]
    process = stack.enter_context(running(command, directory / "empty.log"))
    stage.others[EMPTY] = Server(process.pid, port)
    await _wait_until_answering(port, "/v1/customers/1")
    if not stage.options.has_peer:
        return
    port, options = find_port(), stage.options
    stage.place.cluster.create_database("peer")
    command = [sys.executable, "-m", "bench.peers.fastapi_sqlalchemy", "--port", str(port)]
    command += ["--database-url", stage.place.cluster.url("peer"), "--fill", str(options.customers)]
    command += ["--workers", str(options.peer_workers), "--api-key", _PEER_KEY]
    process = stack.enter_context(running(command, directory / "peer.log"))
    stage.others[PEER] = Server(process.pid, port)
    stage.requests = {
        **stage.requests,
        PEER: DIALECTS[FIRST](dict.fromkeys(("api_key", "user", "price_list"), _PEER_KEY)),
    }
    await _wait_until_answering(port, "/health")


def find_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def _wait_until_answering(port: int, path: str) -> None:
    until = time.monotonic() + _START_SECONDS
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while True:
            try:
                await client.get(path)
            except httpx.TransportError:
                if time.monotonic() > until:
                    raise
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                return


async def _ask_for_first_time(client: httpx.AsyncClient, request: Request, subjects: Sequence[Subject]) -> None:
    """So that every one that is measured is a repetition, however few there are."""
    for subject in subjects:
        await _ask(client, request, subject)


async def _ask(client: httpx.AsyncClient, request: Request, subject: Subject) -> bytes:
    method, path, headers, body = take_apart(request.build(random.Random(), subject))  # noqa: S311 - no secret
    answer = await client.request(method, path, headers=headers, content=body)
    return answer.raise_for_status().content
