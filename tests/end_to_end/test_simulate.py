"""Faults on request, in every dialect, on a real server: a lost answer cannot be told from a call in process."""

import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import httpx
import pytest

from customerhub.cli.opened import DATABASE
from customerhub.core.hub import Hub
from customerhub.dialects.base import find_dialects
from customerhub.embedded import open_cluster
from customerhub.settings import Settings
from customerhub.store.db import Database
from customerhub.web.limit import Limits
from customerhub.web.serve import Site
from tests.cli.support import Serving
from tests.end_to_end.answers import changed_tables, code_of, fields_of
from tests.end_to_end.door import Door
from tests.end_to_end.doors import DOORS, door_of
from tests.end_to_end.recipes import ROUTES, WRITES, Route
from tests.support.fingerprint import take_fingerprint
from tests.support.fixtures import SECRET_KEY
from tests.support.plain import PLAIN
from tests.support.world import Json

_CUSTOMER = re.compile(r".*/customers/\{\w+\}")
_SECONDS = 1
_LOST = (httpx.RemoteProtocolError, httpx.ReadError)


def _is_customer(route: Route) -> bool:
    return route.dialect.name in DOORS and _CUSTOMER.fullmatch(route.operation.path) is not None


UPDATES = [route for route in WRITES if _is_customer(route) and route.operation.method in ("PATCH", "PUT")]
READS = {route.dialect.name: route for route in ROUTES if _is_customer(route) and route.operation.method == "GET"}
in_every_dialect = pytest.mark.parametrize("route", UPDATES, ids=str)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """`customerhub serve --sandbox`, whose faults last a second at most."""
    environment = {"CUSTOMERHUB_SECRET_KEY": SECRET_KEY, "CUSTOMERHUB_SIMULATED_SECONDS": str(_SECONDS)}
    with Serving(tmp_path_factory.mktemp("faults") / "sandbox", "--sandbox", "--seed", "7", **environment) as serving:
        yield serving


@pytest.fixture
async def try_out(sandbox: Serving, route: Route) -> AsyncIterator[Door]:
    """A team of the sandbox, furnished in process and talked to over a socket."""
    with open_cluster(sandbox.data_directory) as cluster:
        hub = Hub(Database(cluster.url(DATABASE)), Settings(secret_key=SECRET_KEY))
        site = Site(hub, find_dialects(), limits=Limits())
        wire = httpx.AsyncClient(base_url=sandbox.url, timeout=30, verify=PLAIN)
        async with door_of(route).open(hub, site) as door, wire as api:
            yield replace(door, api=api)
        await hub.close()


def test_every_dialect_is_tried() -> None:
    """Each has a customer to be read and one to be changed."""
    dialects = {dialect.name for dialect in find_dialects()} & DOORS.keys()
    assert {route.dialect.name for route in UPDATES} == READS.keys() == dialects


async def _prepare(door: Door, update: Route) -> list[tuple[Route, str, Json | None]]:
    """A write and a read that would be done, with their paths and bodies."""
    recipe, read = await door.cook(update), READS[update.dialect.name]
    path = (await door.furnish()).fill(read.operation.path)
    return [(update, recipe.path, recipe.body), (read, path, None)]


@in_every_dialect
async def test_a_failure_is_told_in_the_dialects_shape(route: Route, try_out: Door) -> None:
    """The status that was asked for, in the shape of every other failure, and nothing was done."""
    requests = await _prepare(try_out, route)
    before = await try_out.fingerprint()
    for one, path, body in requests:
        for fault, retry_after in (("429", "1"), ("500", None), ("503", "1")):
            answer = await try_out.send(one, path, body, customerhub_simulate=fault, idempotency_key="key")
            assert code_of(answer)[0] == int(fault)
            assert answer.headers.get("retry-after") == retry_after
    assert await try_out.fingerprint() == before
    for one, path, body in requests:
        done = await try_out.send(one, path, body, idempotency_key="key")
        assert done.status_code == one.operation.status, done.text
        assert "idempotent-replayed" not in done.headers


@in_every_dialect
async def test_a_timeout_ends_without_an_answer(route: Route, try_out: Door, sandbox: Serving) -> None:
    """Whoever gives up on it has changed nothing, and the server goes on; whoever does not loses the connection."""
    requests = await _prepare(try_out, route)
    before = await try_out.fingerprint()
    try_out.api.timeout = httpx.Timeout(0.2)
    for one, path, body in requests:
        with pytest.raises(httpx.ReadTimeout):
            await try_out.send(one, path, body, customerhub_simulate="timeout")
    assert sandbox.ask("GET", "/healthz")[0] == 200
    try_out.api.timeout = httpx.Timeout(30)
    started = time.monotonic()
    with pytest.raises(_LOST):
        await try_out.send(*requests[0], customerhub_simulate="timeout")
    assert _SECONDS <= time.monotonic() - started < _SECONDS + 10
    assert await try_out.fingerprint() == before


@in_every_dialect
async def test_a_dropped_answer_was_committed(route: Route, try_out: Door) -> None:
    """The connection ends without an answer, the record has its next version, and a retry with the key replays it.

    Where nothing was committed there is no answer to lose: the client is told why. A read's answer can be lost too.
    """
    recipe = await try_out.cook(route)
    (_, (read, path, _)) = await _prepare(try_out, route)
    before = await try_out.fingerprint()
    drop: dict[str, str] = {"customerhub_simulate": "drop-after-commit"}
    refused = await try_out.send(route, recipe.path, recipe.body, **drop, if_match='"999"')
    assert code_of(refused) == try_out.failures.stale
    with pytest.raises(_LOST):
        await try_out.send(read, path, None, **drop)
    assert await try_out.fingerprint() == before
    with pytest.raises(_LOST):
        await try_out.send(route, recipe.path, recipe.body, **drop, idempotency_key="key")
    after = await try_out.fingerprint()
    gained = changed_tables(before, after)
    assert (gained["customer"], gained["change"], gained["idempotency_key"]) == (0, 1, 1)
    again = await try_out.send(route, recipe.path, recipe.body, idempotency_key="key")
    assert again.status_code == route.operation.status
    assert again.headers["idempotent-replayed"] == "true"
    assert recipe.tag is not None
    assert int(again.headers["etag"].strip('"')) == int(recipe.tag.strip('"')) + 1
    assert await try_out.fingerprint() == after


@in_every_dialect
async def test_a_slow_answer_is_the_usual_one(route: Route, try_out: Door) -> None:
    """After the time that was asked for the request is done as always.

    A fault that there is not, one that is too long, and two at once are 400, so that no test passes by a slip.
    """
    for one, path, body in await _prepare(try_out, route):
        for fault in ("502", "slow", "slow=-1", "slow=1001", "Timeout", "", "500, 503"):
            answer = await try_out.send(one, path, body, customerhub_simulate=fault)
            assert code_of(answer) == try_out.failures.header, fault
            assert fields_of(answer) in ([], ["Customerhub-Simulate"])
        started = time.monotonic()
        answer = await try_out.send(one, path, body, customerhub_simulate="slow=300")
        assert time.monotonic() - started >= 0.3
        assert answer.status_code == one.operation.status


@in_every_dialect
async def test_outside_a_sandbox_it_is_refused(route: Route, door: Door) -> None:
    """A hub that is no sandbox answers 400 to every fault, reads and writes alike, and changes nothing."""
    requests = await _prepare(door, route)
    before = await take_fingerprint(door.hub)
    for one, path, body in requests:
        for fault in ("429", "500", "503", "timeout", "slow=1", "drop-after-commit", "nonsense"):
            answer = await door.send(one, path, body, customerhub_simulate=fault)
            assert code_of(answer) == door.failures.header, fault
            assert fields_of(answer) in ([], ["Customerhub-Simulate"])
            assert "customerhub serve --sandbox" in answer.text
    assert await take_fingerprint(door.hub) == before
