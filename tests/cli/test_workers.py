"""`customerhub serve --workers 2`: two processes on one port, replaced when they die, gone when the parent is."""

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import Serving, run_json_here, wait_until

LISTENING, ESTABLISHED = "0A", "01"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server of two workers, shared by the tests of this module; the last of them kills it."""
    with Serving(tmp_path_factory.mktemp("workers") / "data", "--workers", "2", "--demo") as server:
        yield server


def inodes(serving: Serving, state: str) -> set[str]:
    """The sockets on the server's port that are in a state, whoever has them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[9] for row in rows if row[1].endswith(f":{serving.port:04X}") and row[3] == state}


def sockets(serving: Serving, state: str) -> dict[int, int]:
    """How many sockets on the server's port each worker has in a state."""
    found = inodes(serving, state)
    return {pid: len(found & _inodes(pid)) for pid in serving.workers()}


def _inodes(pid: int) -> set[str]:
    return {found[1] for link in _links(pid) if (found := re.fullmatch(r"socket:\[(\d+)\]", link))}


def _links(pid: int) -> Iterator[str]:
    """What the process has open; files that it closes meanwhile, and a process that ends meanwhile, are left out."""
    try:
        for path in Path(f"/proc/{pid}/fd").iterdir():
            try:
                yield str(path.readlink())
            except FileNotFoundError:
                continue
    except FileNotFoundError:
        return


def test_two_workers_share_the_port(serving: Serving) -> None:
    """Each worker listens with a socket of its own, and 64 connections land on both of them."""
    assert sorted(sockets(serving, LISTENING).values()) == [1, 1]
    connections = [socket.create_connection(("127.0.0.1", serving.port)) for _ in range(64)]
    try:
        wait_until(lambda: sum(sockets(serving, ESTABLISHED).values()) == 64, 5, "all connections are accepted")
        assert min(sockets(serving, ESTABLISHED).values()) > 0
        for connection in connections:
            connection.sendall(b"GET /readyz HTTP/1.1\r\nHost: hub\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
    finally:
        for connection in connections:
            connection.close()


def test_what_a_command_writes_every_worker_knows(serving: Serving) -> None:
    """A credential is good on every connection, and once a command has revoked it on none."""
    known = serving.answer["demo"]["credentials"]["wizcommerce"]
    asked = [serving.ask("GET", "/v1/customers", X_API_Key=known["api_key"])[0] for _ in range(20)]
    assert asked == [200] * 20
    run_json_here("credential", "revoke", known["id"], "--data-dir", serving.data_directory)
    asked = [serving.ask("GET", "/v1/customers", X_API_Key=known["api_key"])[0] for _ in range(20)]
    assert asked == [401] * 20


def test_a_dead_worker_is_replaced(serving: Serving) -> None:
    """After kill -9 of one worker the other one answers, and soon there are two again."""
    before = serving.workers()
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(inodes(serving, LISTENING)) == 1, 5, "the dead worker's socket is closed")
    assert {serving.ask("GET", "/healthz")[0] for _ in range(10)} == {200}
    wait_until(lambda: sorted(sockets(serving, LISTENING).values()) == [1, 1], 20, "a new worker listens")
    assert set(serving.workers()) & set(before) == {before[1]}
    assert [line["exit_code"] for line in serving.log() if "started again" in line["event"]] == [-9]


def test_a_port_shared_by_workers_is_taken_for_others(serving: Serving, tmp_path: Path) -> None:
    """Another hub with workers does not slip onto the port and take half of the connections."""
    other = Serving(tmp_path / "data", "--workers", "2", "--port", str(serving.port))
    assert other.process.wait(timeout=20) == 1
    assert "is taken" in other.errors.read_text()
    assert not (tmp_path / "data").exists()


def test_a_killed_parent_leaves_nothing(serving: Serving) -> None:
    """A kill -9 of the parent ends the workers, PostgreSQL and its keeper within seconds."""
    assert len(serving.workers()) == 2
    serving.process.kill()
    serving.process.wait()
    wait_until(lambda: not serving.left_behind(), 8, f"nothing lives on: {serving.left_behind()}")


def test_ctrl_c_stops_all_workers(tmp_path: Path) -> None:
    """Ctrl-C ends parent and workers with exit code 0 within seconds, and what was asked before it is answered."""
    with Serving(tmp_path / "data", "--workers", "2") as server:
        asked = socket.create_connection(("127.0.0.1", server.port))
        asked.sendall(b"POST /auth/token HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\n")
        wait_until(lambda: sum(sockets(server, ESTABLISHED).values()) == 1, 5, "the request is being read")
        started = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        wait_until(lambda: sum(sockets(server, LISTENING).values()) == 0, 5, "no worker listens any more")
        asked.sendall(b"{}")
        assert asked.recv(4096).startswith(b"HTTP/1.1 400 ")
        asked.close()
        assert server.process.wait(timeout=20) == 0
        assert time.monotonic() - started < 8
        assert server.left_behind() == []


def test_told_to_stop_while_starting(tmp_path: Path) -> None:
    """SIGTERM before the hub is ready ends it with exit code 0, without a word on standard output."""
    server = Serving(tmp_path / "data", "--workers", "2")
    try:
        wait_until(server.workers, 60, "a worker is being started")
        assert server.stop(signal.SIGTERM) == 0
        assert server.output.read_text() == ""
        assert server.left_behind() == []
    finally:
        server.process.kill()
        server.process.wait()
