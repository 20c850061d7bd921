"""What is sent, to a real hub and a real PostgreSQL."""

import os
import random
import re
from collections.abc import AsyncIterator

import httpx
import pytest

from bench.floor import run_floor
from bench.floors import to_scripts
from bench.request import Subject, take_apart
from bench.served import Place, find_stride, make_place, pick_subjects
from bench.stage import find_places
from bench.statements import Captured, capture, to_text
from bench.workloads import DIALECTS, WORKLOADS
from bench.workloads.common import ROWS, list_neighbours
from customerhub.app import create_hub
from customerhub.dialects.base import find_dialects
from customerhub.embedded import Cluster
from customerhub.store.customers import QUERIES
from customerhub.store.db import connect
from customerhub.web.limit import Limits
from customerhub.web.serve import Site

CUSTOMERS = 120


@pytest.fixture(scope="module")
async def place(cluster: Cluster) -> Place:
    """A team of some customers, in a database of this worker's own."""
    return await make_place(cluster, f"bench_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}", CUSTOMERS)


@pytest.fixture(scope="module")
async def subjects(place: Place) -> list[Subject]:
    """All of them."""
    return await pick_subjects(place)


@pytest.fixture(scope="module")
async def captured(place: Place, subjects: list[Subject]) -> Captured:
    """What the hub asked for an update with a nested address."""
    update = DIALECTS["wizcommerce"](place.credentials["wizcommerce"])["update-nested"]
    return await capture(place, update, subjects[3])


@pytest.fixture
async def api(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a hub on the place."""
    hub = create_hub(place.settings())
    transport = httpx.ASGITransport(Site(hub, find_dialects(), limits=Limits()))
    async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
        yield client
    await hub.close()


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_request_is_answered_as_expected(
    api: httpx.AsyncClient, place: Place, subjects: list[Subject], dialect: str
) -> None:
    """Twice, since a replay is one from the second time on; a refusal would be fast, and no update."""
    chance = random.Random()
    requests = DIALECTS[dialect](place.credentials[dialect])
    assert requests.keys() <= set(WORKLOADS)
    for workload, request in requests.items():
        for _ in range(2):
            method, path, headers, body = take_apart(request.build(chance, subjects[-1]))
            answer = await api.request(method, path, headers=headers, content=body)
            assert answer.status_code == request.expects, (workload, answer.text)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_noop_changes_nothing_and_an_update_something(
    place: Place, subjects: list[Subject], dialect: str
) -> None:
    """By what the hub sends: a no-op writes only its key."""
    requests = DIALECTS[dialect](place.credentials[dialect])
    for workload, writes in (("no-op", 0), ("update-scalars", 1), ("update-nested", 1)):
        found = await capture(place, requests[workload], subjects[-2])
        changed = [statement for statement in found.statements if "insert into change" in statement.text]
        assert len(changed) == writes, workload


async def test_the_floor_sends_the_hubs_own_statements(captured: Captured) -> None:
    """Word for word, with a variable for each parameter; only the time is asked for beside the reading."""
    texts = [statement.text for statement in captured.statements]
    assert texts[0].startswith(QUERIES["read_for_write"].partition("{")[0])
    assert texts[1].startswith(QUERIES["update"].partition("{")[0])
    script = to_scripts(captured, 1, range(50, 100))["update-nested"]
    sent = re.sub(r"^\\.*\n", "", script.text, flags=re.MULTILINE).replace(" clock_timestamp() as now,", "", 1)
    own = re.sub(r"^--.*\n", "", "\n".join([*texts, ""]), flags=re.MULTILINE)
    assert "addresses = :r_addresses" in sent
    variable = re.compile(r"md5\('customer ' \|\| :number::text\)::uuid|(?<!:):\w+|\bnull(?= from|,)|\$\d+")
    assert variable.sub("?", sent).replace(";\n", "\n") == variable.sub("?", own)
    assert script.variables["write_10"].startswith('[{"path":"/display_name"')


async def test_each_transaction_of_the_floor_writes_a_change_and_a_key(place: Place, captured: Captured) -> None:
    """A floor that lost its races, or wrote the same key again, would be no floor."""
    places = range(CUSTOMERS)
    count = "select (select count(*) from change), (select count(*) from idempotency_key)"
    pgbench = place.cluster.binary_directory / "pgbench"
    connection = await connect(place.url)
    for name, script in to_scripts(captured, find_stride(CUSTOMERS), places).items():
        before = await connection.fetchrow(count)
        run = run_floor(pgbench, place.url, place.server, script, 0.1, connections=1, lead=0.5)
        after = await connection.fetchrow(count)
        assert before is not None
        assert after is not None
        assert run.errors == 0
        assert run.transactions > 0
        written = run.transactions if name in {"update-nested", "eight"} else 0
        assert [now - then for then, now in zip(before, after, strict=True)] == [written, written]
    await connection.close()


def test_values_are_written_as_postgresql_reads_them() -> None:
    """Bytes in the escape format, arrays quoted."""
    assert to_text(b'{"a\\b":"\xc3\xa6"}', "bytea") == '{"a\\\\b":"\\303\\246"}'
    assert to_text('{"æ":1}'.encode(), "jsonb") == '{"æ":1}'
    assert to_text(["a", 'b"c'], "_text") == '{"a","b\\"c"}'
    assert (to_text(value=True, type_name="bool"), to_text(7, "int8")) == ("true", "7")


def test_noops_and_replays_are_about_customers_that_nothing_else_changes() -> None:
    """Nor do they meet those of another dialect."""
    kept = [find_places(20_000, dialect, workload) for dialect in DIALECTS for workload in ("no-op", "replay")]
    rest = find_places(20_000, "hub", "update-nested")
    assert sorted(number for places in [*kept, rest] for number in places) == list(range(20_000))
    assert rest == range(rest.stop)
    assert max(one.number for one in list_neighbours(Subject(rest.stop, ()))) == rest.stop
    assert len({one.number for one in list_neighbours(Subject(1, ()))}) == ROWS
    assert {find_places(20_000, dialect, workload) for dialect in DIALECTS for workload in WORKLOADS} == {*kept, rest}
