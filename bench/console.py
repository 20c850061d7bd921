"""How long the console's pages take with a million customers: `python -m bench.console`, by the server's own metrics.

Every page that is about the team or one of its customers is asked for again and again, each time about another customer
or with another text to search for; what is told is the server's own p95 of each route. Beside it: selecting a
customer's row by its key through the same driver.
"""

import argparse
import asyncio
import itertools
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import httpx

from bench.data import customer_id
from bench.served import Place, heed_ending, make_place, serving_hub
from customerhub.app import create_hub
from customerhub.console.routes import SCREENS
from customerhub.core import admin
from customerhub.dialects.base import find_canonical, find_dialects
from customerhub.embedded import Cluster, open_cluster
from customerhub.store.db import connect
from customerhub.web.dialect import CredentialOrder

_DATABASE: Final = "bench"
_EMAIL: Final = "ada@bench.example"
_PASSWORD: Final = "correct horse battery"  # noqa: S105 - of nobody
_TEAM: Final = "/console/{team}"
_CUSTOMER: Final = f"{_TEAM}/customers/{{id}}"
_SAMPLES: Final = 300
_LIMIT: Final = 100


@dataclass(frozen=True)
class Line:
    """One page: its route, how often it was asked for, its p50 and p95 in ms by the server's own count, its size."""

    route: str
    requests: int
    p50: float
    p95: float
    failed: int


async def reopen(cluster: Cluster, customers: int) -> Place:
    """The place of an earlier run in the same directory, or a new one."""
    connection = await connect(cluster.url("postgres"))
    known = await connection.fetchval("select true from pg_database where datname = $1", _DATABASE)
    await connection.close()
    if not known:
        return await make_place(cluster, _DATABASE, customers)
    hub = create_hub(Place(cluster, cluster.url(_DATABASE), None, {}, customers).settings())  # type: ignore[arg-type]
    team = await admin.get_team(hub, "Bench")
    await hub.close()
    return Place(cluster, cluster.url(_DATABASE), team, {}, customers)


async def prepare(place: Place) -> str:
    """A person who can sign in, if there is none yet, and a key that may read the metrics."""
    hub = create_hub(place.settings())
    canonical = find_canonical(find_dialects())
    if canonical is None:
        raise RuntimeError("there is no canonical dialect")
    async with hub.database.lease() as connection:
        known = await connection.fetchval("select true from login where email = $1", _EMAIL)
    if not known:
        person = admin.NewUser(_EMAIL, "Ada", "Vik", password=_PASSWORD, role="admin")
        await admin.create_user(hub, place.team, person)
    order = CredentialOrder(name="metrics", scopes=("operator",))
    made = await canonical.create_credential(hub, place.team, order)
    await hub.close()
    return str(made["api_key"])


def find_routes() -> list[str]:
    """Pages about the team as a whole or one customer of it; others are about what a bench does not have."""
    routes = [path for path, methods in SCREENS.items() if "GET" in methods and path.startswith(_TEAM)]
    return [
        path
        for path in sorted(routes)
        if "export" not in path
        and set(re.findall(r"{(\w+)}", path)) <= ({"team", "id"} if "customers/" in path else {"team"})
    ]


def to_paths(route: str, place: Place, chance: Random) -> Iterator[str]:
    """The addresses that a route is asked by: about any customer, searching for any beginning of a name."""
    plain = route.replace("{team}", str(place.team.id))
    searches = (
        f"?q={chance.choice('bdfghklmnprstv')}{chance.choice('aeio')}{chance.choice('bdfg')}" for _ in itertools.count()
    )
    sorts = itertools.cycle(
        ("", "?sort=name", "?sort=-updated_at", "?status=inactive", "?city=Oslo", "?standing=hold_all")
    )
    for turn in itertools.count():
        path = plain.replace("{id}", str(customer_id(chance.randint(1, place.customers))))
        if route == f"{_TEAM}/customers":
            path += next(searches) if turn % 2 else next(sorts)
        yield path


async def sign_in(client: httpx.AsyncClient) -> None:
    """Sign in as people do."""
    page = await client.get("/signin")
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    if token is None:
        raise RuntimeError(page.text)
    form = {"csrf": token[1], "email": _EMAIL, "password": _PASSWORD, "next": "/console"}
    answer = await client.post("/signin", data=form)
    if not answer.is_redirect:
        raise RuntimeError(answer.text)


async def measure_pages(place: Place, log: Path, requests: int) -> list[Line]:
    """Every page, in turns so that each meets what the others leave in the caches."""
    key = await prepare(place)
    chance = Random(7)  # noqa: S311 - no secrets
    routes = find_routes()
    failed = dict.fromkeys(routes, 0)
    with serving_hub(place, log) as server:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as client:
            await sign_in(client)
            sources = {route: to_paths(route, place, chance) for route in routes}
            for _ in range(requests):
                for route in routes:
                    answer = await client.get(next(sources[route]))
                    failed[route] += answer.status_code >= 400  # noqa: PLR2004 - the first of the failures (RFC 9110, 15)
            told = await client.get("/hub/v1/latencies", headers={"authorization": f"Bearer {key}"})
            told.raise_for_status()
    found = {
        (one["method"], one["path"]): one["since_start"] for one in told.json()["routes"] if one["dialect"] is None
    }
    return [
        Line(route, int(one["requests"]), float(one["p50"]), float(one["p95"]), failed[route])
        for route in routes
        if (one := found.get(("GET", route))) is not None
    ]


async def measure_select(place: Place, requests: int) -> float:
    """p95 in ms of selecting a customer's row by its key."""
    connection = await connect(place.url)
    chance = Random(7)  # noqa: S311 - no secrets
    times = []
    for _ in range(requests):
        customer = customer_id(chance.randint(1, place.customers))
        started = time.perf_counter()
        await connection.fetchrow("select * from customer where team = $1 and id = $2", place.team.id, customer)
        times.append((time.perf_counter() - started) * 1000)
    await connection.close()
    return statistics.quantiles(times, n=20)[-1]


def to_table(lines: Sequence[Line], select: float, customers: int) -> str:
    """What was found, for people."""
    table = [f"{customers:,} customers; a row by its key: p95 {select:.2f} ms", ""]
    table.append(f"{'page':60}{'requests':>10}{'p50 ms':>10}{'p95 ms':>10}{'to a row':>10}")
    for one in sorted(lines, key=lambda line: -line.p95):
        marks = ("  over" if one.p95 > _LIMIT else "") + (f"  {one.failed} failed" if one.failed else "")
        table.append(
            f"{one.route:60}{one.requests:>10}{one.p50:>10.1f}{one.p95:>10.1f}{one.p95 / select:>9.0f}x{marks}"
        )
    return "\n".join(table)


async def measure(directory: Path, customers: int, requests: int) -> str:
    """All of it."""
    with open_cluster(directory / "data") as cluster:
        place = await reopen(cluster, customers)
        lines = await measure_pages(place, directory / "log", requests)
        return to_table(lines, await measure_select(place, requests), customers)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.console", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000, help="How many the team has.")
    parser.add_argument("--requests", type=int, default=_SAMPLES, help="How often each page is asked for.")
    parser.add_argument("--directory", type=Path, help="Where the customers stay for the next run.")
    chosen = parser.parse_args()
    heed_ending()
    with tempfile.TemporaryDirectory() as temporary:
        directory = chosen.directory or Path(temporary)
        sys.stdout.write(asyncio.run(measure(directory, chosen.customers, chosen.requests)) + "\n")


if __name__ == "__main__":
    main()
