"""What sinks that are all down cost those who write: `python -m bench.sinks`, ratios of slices that take turns.

A real hub answers PATCH requests of 16 clients; PostgreSQL waits for its disk. Slices of a team without sinks and of a
team whose four sinks are all down take turns, and a second team without sinks shows what chance makes of equal things.
While it is not the turn of the team with sinks, they are paused: what telling them costs falls into its own slices.
"""

import argparse
import asyncio
import json
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

from customerhub.app import create_hub
from customerhub.core.hub import Hub
from customerhub.core.sinks import NewSink, SinkPatch
from customerhub.core.system import bring_up
from customerhub.dialects.base import find_dialects
from customerhub.embedded import open_cluster
from customerhub.settings import Settings
from customerhub.store.db import connect
from customerhub.store.sinks import SinkKind
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.support.fixtures import SECRET_KEY
from tests.support.listeners import add_sink
from tests.support.process import running_hub
from tests.support.world import World, make_world

CLIENTS = 16
CUSTOMERS = 100
SECRETS = {
    "webhook": "whsec_" + "QUJD" * 8,
    "stripe": json.dumps({"api_key": "sk_test_nobody", "webhook_secret": None}),
    "account": json.dumps({"api_key": "nobody"}),
}


@dataclass
class Team:
    """Whose customers are written, and how that went: answers a second of each slice, seconds of each answer."""

    name: str
    world: World
    requests: list[bytes] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    async def fill(self) -> None:
        """Customers to write."""
        for number in range(CUSTOMERS):
            made = await self.world.create({**self.world.full_body(), "first_name": f"{number}"})
            self.requests.append(made["id"].encode())

    def next_request(self) -> bytes:
        """A change of some customer."""
        body = json.dumps({"first_name": f"{random.random()}"}).encode()  # noqa: S311 - no secret
        head = b"PATCH /v1/customers/%b HTTP/1.1\r\nhost: bench\r\nx-api-key: %b\r\ncontent-type: application/json\r\n"
        head %= (random.choice(self.requests), self.world.api_key.encode())  # noqa: S311 - no secret
        return head + b"content-length: %d\r\n\r\n" % len(body) + body


async def write(team: Team, host: str, port: int, until: float) -> int:
    """One client: one request after the other on one connection; how many were answered."""
    reader, writer = await asyncio.open_connection(host, port)
    count = 0
    while time.perf_counter() < until:
        started = time.perf_counter()
        writer.write(team.next_request())
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        if status != HTTPStatus.CREATED:
            raise RuntimeError(f"the hub answered {status}")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        team.seconds.append(time.perf_counter() - started)
        count += 1
    writer.close()
    return count


async def run_slice(team: Team, url: str, seconds: float, *, counts: bool) -> None:
    """All clients for so long; a slice that does not count warms up."""
    host, port = url.removeprefix("http://").split(":")
    started = time.perf_counter()
    before = len(team.seconds)
    done = await asyncio.gather(*(write(team, host, int(port), started + seconds) for _ in range(CLIENTS)))
    if counts:
        team.rates.append(sum(done) / (time.perf_counter() - started))
    else:
        del team.seconds[before:]


async def add_dead_sinks(hub: Hub, team: UUID, mute: str) -> None:
    """One sink of each kind that refuses connections, and a webhook that takes them and never answers."""
    refusing = "http://127.0.0.1:9"
    places: Sequence[tuple[SinkKind, str, str]] = (
        ("webhook", refusing, "hub"),
        ("webhook", mute, "hub"),
        ("stripe", refusing, ""),
        ("account", refusing, next(dialect.name for dialect in find_dialects() if dialect.remote is not None)),
    )
    for kind, url, form in places:
        config = {"api_base": url} if kind == "stripe" else {}
        patch = SinkPatch(name=kind, url=url, config=config, secret=SECRETS[kind])
        new = NewSink(kind, form, is_trusted=True)
        await add_sink(hub, team, new, patch)


def to_line(name: str, team: Team, base: Team) -> str:
    """Ratios of a team to the one without sinks: the median of neighbouring slices, and quantiles of all answers."""
    ratio = statistics.median(own / other for own, other in zip(team.rates, base.rates, strict=True))
    own, other = (statistics.quantiles(one.seconds, n=100) for one in (team, base))
    times = (
        f"{label} {own[at] * 1000:6.2f} ms × {own[at] / other[at]:.3f}" for label, at in (("p50", 49), ("p99", 98))
    )
    rate = f"{name:22} {statistics.median(team.rates):6.0f}/s × {ratio:.3f}"
    return "   ".join((rate, *times))


async def measure(directory: Path, slices: int, seconds: float) -> list[str]:
    """What a run found, as lines."""
    with open_cluster(directory / "data") as cluster, socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(1000)
        cluster.create_database("bench")
        url = cluster.url("bench")
        keeper = await connect(url)
        await bring_up(keeper)
        hub = create_hub(Settings(database_url=url, secret_key=SECRET_KEY))
        site = Site(hub, find_dialects(), limits=Limits())
        async with AsyncExitStack() as stack:
            names = ("no sinks", "no sinks, once more", "four sinks, all down")
            teams = [Team(name, await stack.enter_async_context(make_world(hub, site))) for name in names]
            for team in teams:
                await team.fill()
            down = teams[-1].world.team.id
            await add_dead_sinks(hub, down, f"http://127.0.0.1:{mute.getsockname()[1]}")
            served = await stack.enter_async_context(running_hub(directory / "log", "--database-url", url, tells=True))
            for number in range(slices + 1):
                for team in teams:
                    status = "active" if team is teams[-1] else "paused"
                    await keeper.execute("update sink set status = $2 where team = $1", down, status)
                    await run_slice(team, served.url, seconds, counts=number > 0)
            counts = await keeper.fetch(
                "select s.name, h.retried, h.failures from sink s join sink_state h on h.sink = s.id order by 1"
            )
            waiting = await keeper.fetchval("select count(*) from delivery where status = 'waiting'")
        await hub.close()
        await keeper.close()
    told = ", ".join(f"{row[0]} {row[1]} retries" for row in counts)
    return [*(to_line(team.name, team, teams[0]) for team in teams), f"{waiting} deliveries wait; {told}"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=8, help="Slices of each team that count.")
    parser.add_argument("--seconds", type=float, default=3, help="Length of a slice.")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        lines = asyncio.run(measure(Path(directory), chosen.slices, chosen.seconds))
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
