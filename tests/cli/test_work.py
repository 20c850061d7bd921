"""`customerhub work`: tells sinks of what others write, through a killed database, and ends when it is told to."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typing_extensions import override

from customerhub.embedded import keeper
from tests.cli.elsewhere import Elsewhere, elsewhere
from tests.cli.support import Serving, run_json_here, wait_until

DIALECT = "wizcommerce"


class Working(Serving):
    """`customerhub work --json` on a data directory that others use too."""

    command: tuple[str, ...] = ("work",)

    @override
    def left_behind(self) -> list[int]:
        return [self.process.pid] if self.process.poll() is None else []


@pytest.fixture(scope="module")
def there() -> Iterator[Elsewhere]:
    """A receiver of webhooks."""
    with elsewhere() as served:
        yield served


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, there: Elsewhere) -> Iterator[Serving]:
    """A server with a demo team that tells no sinks itself, and a sink."""
    data = tmp_path_factory.mktemp("work") / "data"
    with Serving(data, "--demo", CUSTOMERHUB_DELIVERIES="false") as server:
        order = ("--team", server.answer["demo"]["team"], "--url", there.url, "--data-dir", data)
        run_json_here("webhook", "add", *order)
        yield server


def change(serving: Serving) -> str:
    """Change a demo customer, as soon as the server can; the name that it has then."""
    demo = serving.answer["demo"]
    path = str(demo["examples"][DIALECT]).partition(serving.url)[2].split()[0]
    name = f"Aster {uuid4().hex}"
    key = str(demo["credentials"][DIALECT]["api_key"])
    seen: list[Any] = []

    def is_done() -> bool:
        seen.append(serving.ask("PATCH", path.strip("'\""), {"company_name": name}, X_API_Key=key))
        assert seen[-1][0] in {0, 201, 503}, seen[-1]
        return bool(seen[-1][0] == 201)

    wait_until(is_done, 20, "the customer is changed")
    return name


def wait_for(there: Elsewhere, name: str, process: Serving) -> None:
    """Wait until the receiver knows the name."""

    def is_told() -> bool:
        assert process.process.poll() is None, process.errors.read_text()
        return name in [message["data"]["name"] for message in there.told]

    wait_until(is_told, 20, f"the receiver knows {name}")


@pytest.fixture(scope="module")
def working(serving: Serving) -> Iterator[tuple[Working, Working]]:
    """Two of them beside the server; the second one is watched."""
    data = serving.data_directory
    with Working(data) as first, Working(data, "--metrics-port", "0") as second:
        yield first, second


def test_it_tells_what_others_write(serving: Serving, there: Elsewhere, working: tuple[Working, Working]) -> None:
    """Not the server that was told not to, but any number of these; each change is told once."""
    assert working[0].answer == {"works": True}
    names = []
    for one in working:
        names.append(change(serving))
        wait_for(there, names[-1], one)
    assert [message["data"]["name"] for message in there.told] == names
    assert [message["sequence"] for message in there.told] == [2, 3]


def test_it_is_watched_on_a_port_of_its_own(working: tuple[Working, Working]) -> None:
    """What it does itself, once a second, and what stands in the database of sinks."""

    def tells() -> bool:
        text = httpx.get(working[1].answer["metrics"]).text
        assert "\ncustomerhub_processes 1.0\n" in text
        assert "\ncustomerhub_sink_up{" in text
        return '\ncustomerhub_statement_seconds_count{statement="deliveries.list_due"} ' in text

    wait_until(tells, 20, "what is counted is told")


def test_it_survives_a_killed_database(serving: Serving, there: Elsewhere, working: tuple[Working, Working]) -> None:
    """After kill -9 of PostgreSQL it goes on as soon as there is one again; told to, it ends within seconds."""
    cluster = serving.data_directory / "postgres"
    server = keeper.find_server(cluster)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    wait_until(lambda: keeper.find_server(cluster) not in {None, server}, 20, "there is another server")
    wait_for(there, change(serving), working[0])
    started = time.monotonic()
    assert (working[0].stop(signal.SIGTERM), working[1].stop(signal.SIGINT)) == (0, 0)
    assert time.monotonic() - started < 8
    assert {line["level"] for one in working for line in one.log()} <= {"info", "warning"}
    assert serving.ask("GET", "/readyz") == (200, {"status": "ok"})


def test_it_works_alone(serving: Serving, there: Elsewhere) -> None:
    """What was written before the server ended is told by whoever comes next, who starts PostgreSQL and stops it."""
    name = change(serving)
    assert serving.stop() == 0
    with Working(serving.data_directory) as working:
        wait_for(there, name, working)
        assert working.stop(signal.SIGTERM) == 0
    assert keeper.find_server(serving.data_directory / "postgres") is None


def test_told_to_stop_while_starting(tmp_path: Path) -> None:
    """SIGTERM before it is ready ends it with exit code 0, without a word on standard output."""
    working = Working(tmp_path / "data")
    try:
        wait_until((tmp_path / "data").exists, 60, "it is starting")
        assert working.stop(signal.SIGTERM) == 0
        assert working.output.read_text() == ""
        wait_until(lambda: keeper.find_server(tmp_path / "data" / "postgres") is None, 20, "nothing lives on")
    finally:
        working.process.kill()
        working.process.wait()
