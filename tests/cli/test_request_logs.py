"""Request logs of a served hub: links open on every worker, and being told to stop loses no entry."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from customerhub.cli.opened import DATABASE
from customerhub.embedded import open_cluster
from customerhub.store.db import connect
from tests.cli.support import Serving

MISSING = f"/v1/sales/customers/ac_{'0' * 26}"
LOGGED = "select route, status, count(*)::int as times from request_log group by 1, 2 order by 2"


@pytest.mark.anyio
async def test_links_open_on_every_worker_and_the_log_is_whole(tmp_path: Path) -> None:
    """Each connection may reach the other worker; what was asked just before the end is in the log all the same."""
    data = tmp_path / "data"
    with Serving(data, "--workers", "2", "--demo") as server:
        key = {"Authorization": f"Bearer {server.answer['demo']['credentials']['augno']['api_key']}"}
        for _ in range(30):
            status, failure = server.ask("GET", MISSING, **key)
            assert status == 404
            link = failure["error"]["request_log_url"]
            assert link.startswith(f"{server.url}/v1/core/request-logs/rq_")
            status, log = server.ask("GET", link.removeprefix(server.url), **key)
            assert (status, log["status_code"], log["error_code"]) == (200, 404, "resource_not_found")
        for _ in range(30):
            assert server.ask("GET", "/v1/sales/customers?limit=1", **key)[0] == 200
        assert server.stop(signal.SIGTERM) == 0
    counts = {(route, status): times async for route, status, times in read(data)}
    assert counts == {
        ("/v1/core/request-logs/{id}", 200): 30,
        ("/v1/sales/customers", 200): 30,
        ("/v1/sales/customers/{id}", 404): 30,
    }


async def read(data: Path) -> AsyncIterator[tuple[str, int, int]]:
    """How often which route was answered how, as the database of a stopped hub has it."""
    with open_cluster(data) as cluster:
        connection = await connect(cluster.url(DATABASE))
        try:
            for row in await connection.fetch(LOGGED):
                yield tuple(row)
        finally:
            await connection.close()
